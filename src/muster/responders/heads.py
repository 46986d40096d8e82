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

from muster.places.models import Area
from muster.responders.models import Standing
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
    """One area: affiliation ("" for none said) -> kind -> people. An area None: no place known."""

    area: Area | None
    by: dict[str, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: dict.fromkeys(KINDS, 0))
    )


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
    return list(found.values())


def _parts_by_area(areas: set[int], parts: list[Area]) -> dict[int, int]:
    """area -> the part that it lies in."""
    paths = dict(Area.objects.filter(id__in=areas).values_list("id", "path"))
    ids = {part.id for part in parts}
    return {
        area: next(int(step) for step in path.strip("/").split("/") if int(step) in ids)
        for area, path in paths.items()
        if any(int(step) in ids for step in path.strip("/").split("/"))
    }
