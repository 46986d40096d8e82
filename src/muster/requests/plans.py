# SPDX-License-Identifier: Apache-2.0
"""Whom to send: the dispatching engine over the people who serve now, with reasons; many requests at once.

Positions are those of grids and doors; nobody is followed. A person decides.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.places.models import Building, Grid
from muster.requests.models import Offer, Request, WorkItem
from muster.requests.states import ITEM_FREE, ItemStatus, OfferStatus, Urgency
from muster.responders.models import Responder
from muster.responders.queries import Free, can_be_asked, responders_with_ids

if TYPE_CHECKING:
    from muster.planning.dispatching import Problem, Suggestion

# From so many free items on, one by one is worse than all at once (measured: 3 % at 2,000, 23 % at 10,000).
BATCH_FROM = 500
# Where people are looked for, one square after the other, before everybody is asked for.
AROUND_M = (700, 3_000)
_METRES_PER_DEGREE = 111_320.0
_WEIGHT = {Urgency.LIFE: 100, Urgency.URGENT: 10, Urgency.NORMAL: 1}
# Who asks and who serves in one building, or nobody knows where: a distance must still be a number.
_FAR_M = 5_000


@dataclass(frozen=True, slots=True)
class Suggested:
    """Somebody to ask, and why: message codes with facts."""

    responder: Responder
    # None where nobody knows yet where to.
    walk_m: int | None
    reasons: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Assignment:
    """One line of a proposal for many requests."""

    item: WorkItem
    responder: Responder
    walk_m: int


def suggest(item: WorkItem, *, at: datetime, count: int = 5) -> list[Suggested]:
    """The best people for one piece of work, the best first; those who declined it are not named again.

    Who was asked and never answered is named again only when nobody else is left. Looks around the door first
    and only further away where too few are found: a city has a hundred thousand people who serve.
    """
    no = _said_no([item]).get(item.id, frozenset())
    silent = _never_answered(item) | _did_it_before(item)
    for without, around_m in [
        *((no | silent, metres) for metres in AROUND_M),
        (no | silent, None),
        (no, None),
    ]:
        grids = _grids_around(item.request, around_m) if around_m is not None else None
        people = can_be_asked(item.incident, at=at, grids=grids)
        found = _best(item, people, without=without, count=count)
        if len(found) == count or (found and around_m is None):
            return _named(item, found)
    return []


def _best(
    item: WorkItem, people: Sequence[Free], *, without: frozenset[uuid.UUID], count: int
) -> list[tuple[Free, Suggestion]]:
    if not people:
        return []
    from muster.planning.dispatching import Desk

    problem = _problem(people, [item])
    wanted = problem.requests
    found = Desk.of(problem).suggest(
        int(wanted.x_m[0]),
        int(wanted.y_m[0]),
        needs=int(wanted.needs[0]),
        grid=int(wanted.grid[0]),
        declined=[number for number, one in enumerate(people) if one.id in without],
        count=count,
    )
    return [(people[one.responder], one) for one in found]


def _named(item: WorkItem, found: Sequence[tuple[Free, Suggestion]]) -> list[Suggested]:
    """The few that are shown, with their names and why they are."""
    people = responders_with_ids([who.id for who, _ in found])
    is_known = _place_of(item.request) is not None
    answer = []
    for who, one in found:
        why: dict[str, Any] = {
            "code": "suggested_same_grid" if one.is_own_grid else "suggested_near",
            "facts": {"walk_m": one.walk_m, "load": one.load},
        }
        if not is_known:
            why = {"code": "suggested_anywhere", "facts": {"load": one.load}}
        more = _more_reasons(item.request, people[who.id])
        answer.append(Suggested(people[who.id], one.walk_m if is_known else None, (why, *more)))
    return answer


def _grids_around(request: Request, metres: int) -> list[int]:
    """Small grids whose middle lies within a square around the request; its own where no place is known."""
    at = _place_of(request)
    if at is None:
        return [request.grid] if request.grid is not None else []
    lon, lat = at
    north = metres / _METRES_PER_DEGREE
    east = north / max(0.01, math.cos(math.radians(lat)))
    rows = Grid.objects.filter(lon__range=(lon - east, lon + east), lat__range=(lat - north, lat + north))
    return list(rows.values_list("id", flat=True))


def _place_of(request: Request) -> tuple[float, float] | None:
    if request.lon is not None and request.lat is not None:
        return request.lon, request.lat
    known = {
        **_points(Grid.objects.filter(id__in=[one for one in (request.grid,) if one is not None])),
        **_points(Building.objects.filter(id__in=[one for one in (request.building,) if one is not None])),
    }
    return known.get(request.building) or known.get(request.grid)


def _more_reasons(request: Request, who: Responder) -> tuple[dict[str, Any], ...]:
    reasons: list[dict[str, Any]] = []
    if request.needs_skill and request.needs_skill in who.skills:
        reasons.append({"code": "suggested_skill", "facts": {"skill": request.needs_skill}})
    if request.language not in ("", "zh") and request.language in who.languages:
        reasons.append({"code": "suggested_language", "facts": {"language": request.language}})
    return tuple(reasons)


def match_all(items: Sequence[WorkItem], *, at: datetime, seed: int = 1) -> list[Assignment]:
    """All free items and all people at once, for when many are open; nobody gets more than he can do."""
    if not items:
        return []
    people = can_be_asked(items[0].incident, at=at)
    if not people:
        return []
    from muster.planning.dispatching import solve

    problem = _problem(people, items)
    plan = solve(problem, budget_s=60, seed=seed)
    by_item = {str(one.id): one for one in items}
    numbers = {name: number for number, name in enumerate(problem.responders.names)}
    wanted = {name: number for number, name in enumerate(problem.requests.names)}
    pairs = [
        (name, plan.responders[number])
        for name, number in zip(plan.requests, plan.responder_of.tolist(), strict=True)
        if number >= 0
    ]
    by_name = {str(pk): one for pk, one in responders_with_ids({uuid.UUID(who) for _, who in pairs}).items()}
    return [
        Assignment(by_item[name], by_name[who], problem.walk_m(wanted[name], numbers[who]))
        for name, who in pairs
    ]


def _said_no(items: Sequence[WorkItem]) -> dict[uuid.UUID, frozenset[uuid.UUID]]:
    """Who declined an item, or has an offer standing for it: he is not asked twice."""
    answer: dict[uuid.UUID, frozenset[uuid.UUID]] = {}
    rows = Offer.objects.filter(
        item_id__in=[i.id for i in items], status__in=[OfferStatus.DECLINED, OfferStatus.OFFERED]
    )
    for item, responder in rows.values_list("item_id", "responder"):
        answer[item] = answer.get(item, frozenset()) | {responder}
    return answer


def _never_answered(item: WorkItem) -> frozenset[uuid.UUID]:
    rows = Offer.objects.filter(item=item, status=OfferStatus.EXPIRED)
    return frozenset(rows.values_list("responder", flat=True))


def _did_it_before(item: WorkItem) -> frozenset[uuid.UUID]:
    """Who did a piece of this work already: where it was not solved, somebody else looks at it anew."""
    if not item.request.reopened:
        return frozenset()
    rows = WorkItem.objects.across(reason="dispatch").filter(
        request=item.request_id, status=ItemStatus.DONE, responder__isnull=False
    )
    return frozenset(rows.values_list("responder", flat=True))


def _strains_of(items: Sequence[WorkItem]) -> list[tuple[str, ...]]:
    """What each piece of work asks of a body, as the pack says it of its kind."""
    pack = pack_of(incident_with_id(items[0].incident))
    known = {one.code: one.strains for one in pack.request_categories}
    return [known.get(one.request.category, ()) for one in items]


def _problem(people: Sequence[Free], items: Sequence[WorkItem]) -> Problem:
    from muster.planning.dispatching import make_problem

    places = _Places(people, items)
    known = {one.id for one in people}
    here = [places.of_responder(one) for one in people]
    there = [places.of_request(one.request) for one in items]
    strains = _strains_of(items)
    asked = {strain for some in strains for strain in some}
    return make_problem(
        responders={
            "name": [str(one.id) for one in people],
            "x_m": [x for x, _ in here],
            "y_m": [y for _, y in here],
            "traits": [
                [*one.skills, *one.languages, *(f"able:{s}" for s in asked.difference(one.cannot))]
                for one in people
            ],
            "load": [one.open_jobs for one in people],
            "capacity": [one.most_jobs for one in people],
            "grid": [str(one.grid) if one.grid is not None else None for one in people],
        },
        requests={
            "name": [str(one.id) for one in items],
            "x_m": [x for x, _ in there],
            "y_m": [y for _, y in there],
            "needs": [
                [*([one.needs_skill] if one.needs_skill else []), *(f"able:{s}" for s in some)]
                for one, some in zip(items, strains, strict=True)
            ],
            "grid": [str(one.grid) if one.grid is not None else None for one in items],
            "urgency": [_WEIGHT[Urgency(one.request.urgency)] for one in items],
        },
        walk_permille=1_300,
        declined=[
            (str(item), str(responder))
            for item, no in _said_no(items).items()
            for responder in no
            if responder in known
        ],
    )


class _Places:
    """Where everybody is, in metres on a plane: his own point, else the middle of his grid."""

    def __init__(self, people: Sequence[Free], items: Sequence[WorkItem]) -> None:
        grids = {one.grid for one in people} | {one.grid for one in items}
        buildings = {one.request.building for one in items}
        self.grids = _points(Grid.objects.filter(id__in=[g for g in grids if g is not None]))
        self.buildings = _points(Building.objects.filter(id__in=[b for b in buildings if b is not None]))
        known = [*self.buildings.values(), *self.grids.values()]
        self.middle = known[0] if known else (0.0, 0.0)

    def of_responder(self, one: Free) -> tuple[int, int]:
        if one.lon is not None and one.lat is not None:
            return self._metres((one.lon, one.lat))
        return self._metres(self.grids.get(one.grid) if one.grid is not None else None)

    def of_request(self, one: Request) -> tuple[int, int]:
        if one.lon is not None and one.lat is not None:
            return self._metres((one.lon, one.lat))
        at = self.buildings.get(one.building) if one.building is not None else None
        return self._metres(at or (self.grids.get(one.grid) if one.grid is not None else None))

    def _metres(self, at: tuple[float, float] | None) -> tuple[int, int]:
        if at is None:
            return _FAR_M, _FAR_M
        lon, lat = at
        east = (lon - self.middle[0]) * _METRES_PER_DEGREE * math.cos(math.radians(self.middle[1]))
        return round(east), round((lat - self.middle[1]) * _METRES_PER_DEGREE)


def _points(rows: Any) -> dict[Any, tuple[float, float]]:
    found = rows.filter(lon__isnull=False, lat__isnull=False).values_list("id", "lon", "lat")
    return {row[0]: (row[1], row[2]) for row in found}


def free_items(requests: Sequence[uuid.UUID]) -> list[WorkItem]:
    rows = WorkItem.objects.across(reason="dispatch").filter(request_id__in=requests, status__in=ITEM_FREE)
    return list(rows.select_related("request").order_by("request__rank", "request__respond_by", "id"))
