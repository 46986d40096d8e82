# SPDX-License-Identifier: Apache-2.0
"""Reads of placement: a plan, what of it has grown old, who stands where, whose place is whose."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from muster.base.errors import Refusal
from muster.places.models import Grid
from muster.responders.models import Responder
from muster.responders.placement.models import GridAssignment, PlacementPlan, PlacementSeat
from muster.responders.placement.reading import MARKED, mark_of
from muster.responders.placement.states import PlacementState, SeatState
from muster.trail.models import Event

_AT_ONCE = 500
# An adoption is written down by blocks of seats, one event for each; found again by the seats' numbers,
# therefore never another size.
BLOCK, SEATS_PER_BLOCK = "PlacementBlock", 500


def plan_with_id(plan: uuid.UUID) -> PlacementPlan:
    """Raises Refusal("placement_unknown")."""
    found = PlacementPlan.objects.filter(id=plan).defer("proof").first()
    if found is None:
        raise Refusal("placement_unknown", plan=str(plan))
    return found


def next_work() -> PlacementPlan | None:
    """What the worker does next: a proposal to solve, an adoption or a taking back to carry on with."""
    waiting = (PlacementState.QUEUED, PlacementState.ADOPTING, PlacementState.TAKING_BACK)
    return PlacementPlan.objects.filter(state__in=waiting).defer("proof").order_by("made_at").first()


def seats_of(plan: PlacementPlan) -> Any:
    return PlacementSeat.objects.across(reason="placement").filter(plan=plan.id)


def seats_within(plan: PlacementPlan, path: str) -> Any:
    """Seats of a part of the plan's area: by where people go, or come from when they go into reserve."""
    rows = seats_of(plan)
    if path == plan.area_path:
        return rows
    inside = Grid.objects.filter(area__path__startswith=path).values("id")
    going = rows.filter(grid__in=inside)
    return going | rows.filter(grid__isnull=True, old_grid__in=inside)


def stale_seats(plan: PlacementPlan, path: str) -> Iterator[PlacementSeat]:
    """Seats still to be adopted whose person somebody has changed since the plan was made."""
    rows = seats_within(plan, path).filter(state=SeatState.PROPOSED)
    some: list[PlacementSeat] = []
    for seat in rows.only("id", "responder", "mark", "number").order_by("number").iterator(chunk_size=5000):
        some.append(seat)
        if len(some) == _AT_ONCE:
            yield from _changed(some)
            some = []
    yield from _changed(some)


def _changed(seats: Sequence[PlacementSeat]) -> list[PlacementSeat]:
    marks = marks_now([seat.responder for seat in seats])
    return [seat for seat in seats if marks.get(seat.responder) != seat.mark]


def marks_now(responders: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    rows = Responder.objects.across(reason="placement").filter(id__in=responders)
    return {row[0]: mark_of(row[1:]) for row in rows.values_list(*MARKED)}


def open_assignments(responders: Collection[uuid.UUID]) -> dict[uuid.UUID, GridAssignment]:
    rows = GridAssignment.objects.across(reason="placement").filter(
        responder__in=responders, until__isnull=True
    )
    return {row.responder: row for row in rows}


def people_at(grids: Collection[int]) -> dict[int, list[GridAssignment]]:
    """Who holds a place in these grids now, in the order in which they came."""
    rows = GridAssignment.objects.across(reason="placement").filter(grid__in=grids, until__isnull=True)
    found: dict[int, list[GridAssignment]] = {}
    for row in rows.order_by("since", "id"):
        found.setdefault(row.grid, []).append(row)
    return found


def block_id(plan: uuid.UUID, number: int) -> str:
    """What the events of a seat's block are named by."""
    return f"{plan}/{(number - 1) // SEATS_PER_BLOCK}"


def placing_events(person: Responder) -> list[Event]:
    """The events by which plans placed somebody or took it back, the last first; of one person each."""
    plans = PlacementPlan.objects.filter(incident=person.incident, adopted_at__isnull=False)
    seats = PlacementSeat.objects.across(reason="placement").filter(
        plan__in=list(plans.values_list("id", flat=True)), responder=person.id
    )
    blocks = {block_id(plan, number) for plan, number in seats.values_list("plan", "number")}
    if not blocks:
        return []
    found = []
    for event in Event.objects.filter(entity=BLOCK, entity_id__in=blocks).order_by("-at", "-id"):
        told = event.facts["people"].get(str(person.id))
        if told is not None:
            event.from_state, event.to_state, grid = told
            event.facts = {"grid": grid}
            found.append(event)
    return found
