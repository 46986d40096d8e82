# SPDX-License-Identifier: Apache-2.0
"""Head counts: how many of each affiliation stood where, at any moment.

Affiliations overlap: a cadre may be a member and a volunteer too. There is no total, and nobody may make one.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, Q

from muster.places.models import Area, Grid
from muster.responders.models import Standing
from muster.responders.reinforcement.queries import deployed_heads
from muster.responders.sight import condition
from muster.responders.states import ResponderStatus
from muster.storage.scoping import Scope

S = ResponderStatus
# What a status counts as; who was declined or has gone home counts as nothing.
COUNTED = {
    S.REGISTERED: "waiting", S.VETTED: "vetted", S.ASSIGNED: "serving", S.ON_DUTY: "serving",
    S.STANDBY: "serving", S.RESTING: "serving", S.ISOLATED: "away", S.UNAVAILABLE: "away",
}  # fmt: skip
KINDS = ("waiting", "vetted", "serving", "on_duty", "away")


@dataclass
class HeadCount:
    """One area: affiliation ("" for none said) -> kind -> people. An area None: no place known.

    unlisted: affiliation -> people whom units sent and counted in without their names; they are on no list
    of responders, and are told beside these counts, never added to them.
    """

    area: Area | None
    by: dict[str, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(KINDS, 0))
    )
    unlisted: dict[str, int] = field(default_factory=lambda: defaultdict(int))


def head_counts(*, incident: uuid.UUID, of: Area | None, at: datetime, scope: Scope) -> list[HeadCount]:
    """Counts for each area right below `of` (the top where None), as of a moment."""
    parts = list(Area.objects.filter(parent=of).defer("geometry").order_by("code")) or ([of] if of else [])
    rows = Standing.objects.across(reason="count").filter(
        Q(until__isnull=True) | Q(until__gt=at), incident=incident, since__lte=at, status__in=list(COUNTED)
    )
    if not scope.everything:
        rows = rows.filter(condition(scope, area="area", home="grid")) if not scope.is_empty else rows.none()
    if of is not None:
        rows = rows.filter(area__in=Area.objects.filter(path__startswith=of.path).values("id"))
    counted = list(rows.order_by().values_list("area", "affiliations", "status").annotate(n=Count("id")))
    part_of = _parts_by_area({row[0] for row in counted if row[0] is not None}, parts)
    found: dict[int | None, HeadCount] = {part.id: HeadCount(part) for part in parts}
    for area, affiliations, status, number in counted:
        place = part_of.get(area)
        here = found.setdefault(place, HeadCount(None))
        for affiliation in affiliations.split(",") if affiliations else [""]:
            here.by[affiliation][COUNTED[S(status)]] += number
            if status == S.ON_DUTY:
                here.by[affiliation]["on_duty"] += number
    _add_unlisted(found, parts, incident=incident, of=of, at=at, scope=scope)
    return list(found.values())


def _add_unlisted(
    found: dict[int | None, HeadCount], parts: list[Area], *, incident: uuid.UUID, of: Area | None,
    at: datetime, scope: Scope,
) -> None:  # fmt: skip
    sent = [one for one in deployed_heads(incident, path=of.path if of else "", at=at) if one.unlisted]
    if not sent:
        return
    areas = {one.area for one in sent}
    seen = areas if scope.everything else _within(scope, areas)
    part_of = _parts_by_area(areas, parts)
    for one in sent:
        if one.area in seen:
            # Sent to the area asked for as a whole, or to one above these parts: it belongs to none of them.
            place = part_of.get(one.area, of.id if of and one.area == of.id else None)
            found.setdefault(place, HeadCount(of if place else None)).unlisted[one.affiliation] += (
                one.unlisted
            )


def _within(scope: Scope, areas: set[int]) -> set[int]:
    """Which of these areas lie in a scope of whole sub-districts, or hold one of its grids."""
    paths = Area.objects.filter(id__in=areas).values_list("id", "path")
    own = set(Grid.objects.filter(id__in=scope.grids).values_list("area_id", flat=True))
    inside = {area for area, path in paths if scope.sub_districts & set(map(int, path.strip("/").split("/")))}
    return inside | (areas & own)


def _parts_by_area(areas: set[int], parts: list[Area]) -> dict[int, int]:
    """area -> the part that it lies in."""
    paths = dict(Area.objects.filter(id__in=areas).values_list("id", "path"))
    ids = {part.id for part in parts}
    return {
        area: next(int(step) for step in path.strip("/").split("/") if int(step) in ids)
        for area, path in paths.items()
        if any(int(step) in ids for step in path.strip("/").split("/"))
    }
