# SPDX-License-Identifier: Apache-2.0
"""Who sees which people who serve, who is found by a name or a number, and who looks like somebody else."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet

from muster.base.errors import Refusal
from muster.places.models import Grid
from muster.register.names import name_key, search_keys
from muster.responders.checking_in import phone_index
from muster.responders.homes import NOWHERE
from muster.responders.models import Responder
from muster.responders.states import ResponderStatus
from muster.storage.scoping import Scope
from muster.storage.sealed import reveal_column

S = ResponderStatus
MOST_NAMES = 300_000
MOST_FOUND = 1_000
MOST_DOUBLES = 10
LISTS: dict[str, Q] = {
    "waiting": Q(status=S.REGISTERED),
    "vetted": Q(status=S.VETTED),
    "serving": Q(status__in=[S.ASSIGNED, S.ON_DUTY, S.STANDBY, S.RESTING]),
    "away": Q(status__in=[S.ISOLATED, S.UNAVAILABLE]),
    # Who had a place and is away: somebody else is needed there.
    "to_replace": Q(status__in=[S.ISOLATED, S.UNAVAILABLE], grid__isnull=False),
    "ended": Q(status__in=[S.RELEASED, S.DECLINED]),
    "all": Q(),
}  # fmt: skip


def seen_by(scope: Scope, *, incident: uuid.UUID) -> QuerySet[Responder]:
    """Who serves or lives within a scope; who named its community; who has no place that anybody knows."""
    rows: QuerySet[Responder] = Responder.objects.across(reason="own").filter(incident=incident)
    if scope.everything:
        return rows
    if scope.is_empty:
        return rows.none()
    return rows.filter(condition(scope, area="home_area", home="home_grid"))


def condition(scope: Scope, *, area: str, home: str) -> Q:
    """The same as a filter; area, home: the columns of the named area and of the grid of the home."""
    areas = Grid.objects.filter(id__in=scope.grids).values("area_id")
    nowhere = Q(sub_district=NOWHERE, **{f"{area}__isnull": True, f"{home}__isnull": True})
    return (
        Q(sub_district__in=scope.sub_districts)
        | Q(grid__in=scope.grids)
        | Q(**{f"{home}__in": scope.grids})
        | Q(**{f"{home}__isnull": True, f"{area}__in": areas})
        | nowhere
    )


def found_by(rows: QuerySet[Responder], said: str) -> QuerySet[Responder]:
    """By phone, by own number, or by part of a name; names are opened, so their number is bounded.

    Raises:
        Refusal: search_too_wide.
    """
    digits = "".join(c for c in said if c.isdigit())
    if len(digits) >= 7:
        return rows.filter(Q(phone_index=phone_index(digits)) | Q(external_id=said))
    if rows.filter(external_id=said).exists():
        return rows.filter(external_id=said)
    pairs: list[tuple[Any, Any]] = list(rows.values_list("id", "name")[: MOST_NAMES + 1])
    if len(pairs) > MOST_NAMES:
        raise Refusal("search_too_wide")
    wanted, latin = (name_key(said) or "").lower(), said.isascii()
    names = reveal_column(Responder, "name", pairs)
    found = [pair[0] for pair, name in zip(pairs, names, strict=True) if name and _fits(name, wanted, latin)]
    return rows.filter(id__in=found[:MOST_FOUND])


def _fits(name: str, wanted: str, latin: bool) -> bool:  # noqa: FBT001
    if not wanted:
        return False
    if wanted in (name_key(name) or "").lower():
        return True
    return latin and any(key.startswith(wanted) for key in search_keys(name))


def doubles_of(some: Sequence[Responder], *, among: QuerySet[Responder]) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Who of a list may be somebody else of it too: the same name, and the same community or unit.

    A guess for a person to judge; nothing is merged.
    """
    areas = {row.home_area for row in some if row.home_area}
    units = {row.unit for row in some if row.unit}
    if not areas and not units:
        return {}
    near = among.filter(Q(home_area__in=areas) | Q(unit__in=units)).exclude(status=S.DECLINED)
    known = list(near.values_list("id", "name", "home_area", "unit")[:MOST_NAMES])
    sealed = [(one[0], bytes(one[1]) if one[1] is not None else None) for one in known]
    names = reveal_column(Responder, "name", sealed)
    wanted = {name_key(row.name) for row in some} - {None}
    alike: dict[str, list[tuple[uuid.UUID, int | None, str]]] = defaultdict(list)
    for (id_, _, area, unit), name in zip(known, names, strict=True):
        key = name_key(name)
        if key is not None and key in wanted:
            alike[key].append((id_, area, unit))
    found: dict[uuid.UUID, list[uuid.UUID]] = {}
    for row in some:
        others = [
            id_
            for id_, area, unit in alike.get(name_key(row.name) or "", ())
            if id_ != row.id and ((area and area == row.home_area) or (unit and unit == row.unit))
        ]
        if others:
            found[row.id] = others[:MOST_DOUBLES]
    return found
