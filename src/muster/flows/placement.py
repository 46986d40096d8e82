# SPDX-License-Identifier: Apache-2.0
"""A placement plan comes into force, or is taken back: people, places and events in short writes.

Asked for at a desk, done by the worker in a child that may be killed: each few hundred people are written
whole or not at all, and whoever carries on begins with those who are left.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.incidents.models import Incident
from muster.incidents.services import incident_with_id, is_in_force
from muster.places.models import Area
from muster.responders.models import Responder
from muster.responders.placement import told
from muster.responders.placement.models import GridAssignment, PlacementPlan, PlacementSeat
from muster.responders.placement.queries import (
    BLOCK,
    block_id,
    open_assignments,
    plan_with_id,
    seats_of,
    seats_within,
    stale_seats,
)
from muster.responders.placement.reading import mark_of
from muster.responders.placement.services import solve_plan
from muster.responders.placement.states import (
    ADOPTABLE,
    RETURNABLE,
    AssignmentState,
    PlacementState,
    SeatState,
)
from muster.responders.standing import StatusStep
from muster.responders.states import ResponderStatus
from muster.responders.teams.queries import teams_kept_together
from muster.storage.many_rows import Insert, bare
from muster.storage.plain_reads import among, equal, read_rows
from muster.storage.writes import LostRace, many_short_writes, pause_between_writes
from muster.trail.models import Event
from muster.trail.services import record_event

SEATS_PER_WRITE = 500
_TRIES = 5
# What a change of place reads of somebody; of what is sealed only the phone is opened, and nothing written.
_OF_PERSON = (
    *told.COLUMNS,
    "id", "incident", "sub_district", "version", "status", "status_since", "grid", "home_grid", "home_area",
    "post", "duty", "skills", "cannot", "lon", "lat", "affiliation", "affiliations", "vetted_at",
    "minutes_served", "on_duty_since", "user",
)  # fmt: skip


@dataclass(slots=True)
class _Changes:
    """What one short write does: people with their new status, places begun and ended, seats decided."""

    block: str
    placed: list[Responder] = field(default_factory=list)
    freed: list[Responder] = field(default_factory=list)
    ended: list[uuid.UUID] = field(default_factory=list)
    begun: list[GridAssignment] = field(default_factory=list)
    moved: set[uuid.UUID] = field(default_factory=set)
    seats: dict[tuple[str, str], list[PlacementSeat]] = field(default_factory=dict)

    def decide(self, seat: PlacementSeat, state: str, reason: str = "") -> None:
        self.seats.setdefault((state, reason), []).append(seat)

    def seats_by_way(self, by_hand: Mapping[uuid.UUID, str]) -> dict[tuple[str, str, str], list[uuid.UUID]]:
        """Seats to be written alike: state, its reason, why somebody has to tell who sits there."""
        alike: dict[tuple[str, str, str], list[uuid.UUID]] = {}
        for (state, reason), seats in self.seats.items():
            for seat in seats:
                alike.setdefault((state, reason, by_hand.get(seat.responder, "")), []).append(seat.id)
        return alike


# ---- asked for at a desk --------------------------------------------------------------------------


def ask_adopt(
    plan: PlacementPlan,
    *,
    area: Area,
    version: int,
    without_changed: bool = False,
    by: uuid.UUID,
    at: datetime,
) -> None:
    """Adopts a plan or the part of it in an area; of two who ask at once one wins.

    Raises:
        Refusal: placement_not_ready, placement_incident_over, placement_area_outside, placement_nothing_left,
            placement_stale, placement_busy, placement_changed_meanwhile.
    """
    if plan.state not in ADOPTABLE:
        raise Refusal("placement_not_ready", state=plan.state)
    _demand_in_force(plan, at)
    if not area.path.startswith(plan.area_path):
        raise Refusal("placement_area_outside")
    if not seats_within(plan, area.path).filter(state=SeatState.PROPOSED).exists():
        raise Refusal("placement_nothing_left")
    if not without_changed:
        changed = sum(1 for _ in stale_seats(plan, area.path))
        if changed:
            raise Refusal("placement_stale", count=changed)
    _take_in_hand(
        plan, version, from_states=ADOPTABLE, to=PlacementState.ADOPTING, path=area.path, verb="adopt", by=by,
        at=at,
    )  # fmt: skip


def ask_take_back(plan: PlacementPlan, *, version: int, by: uuid.UUID, at: datetime) -> None:
    """Takes back what was adopted of a plan: each goes back to where he was, unless he is on duty already.

    Raises:
        Refusal: placement_not_adopted, placement_incident_over, placement_busy, placement_changed_meanwhile.
    """
    if plan.state not in RETURNABLE:
        raise Refusal("placement_not_adopted")
    _demand_in_force(plan, at)
    _take_in_hand(
        plan, version, from_states=RETURNABLE, to=PlacementState.TAKING_BACK, path=plan.area_path,
        verb="take_back", by=by, at=at,
    )  # fmt: skip


def _demand_in_force(plan: PlacementPlan, at: datetime) -> None:
    incident = incident_with_id(plan.incident)
    if not is_in_force(incident, at=at):
        raise Refusal("placement_incident_over", incident=incident.name)


def _take_in_hand(
    plan: PlacementPlan, version: int, *, from_states: frozenset[PlacementState], to: PlacementState,
    path: str, verb: str, by: uuid.UUID, at: datetime,
) -> None:  # fmt: skip
    """One change of state with the version that the asker saw; no two plans of one ground at a time."""
    who = (
        {"adopted_at": at, "adopted_by": by}
        if to == PlacementState.ADOPTING
        else {"taken_back_at": at, "taken_back_by": by}
    )
    with transaction.atomic():
        # On PostgreSQL the incident's row makes two that ask for different plans wait for each other.
        Incident.objects.select_for_update().get(id=plan.incident)
        changed = PlacementPlan.objects.filter(id=plan.id, version=version, state__in=from_states).update(
            state=to, version=version + 1, adopt_path=path, progress=None, **who
        )
        if not changed:
            raise Refusal("placement_changed_meanwhile")
        busy = PlacementPlan.objects.filter(
            incident=plan.incident, state__in=[PlacementState.ADOPTING, PlacementState.TAKING_BACK]
        ).exclude(id=plan.id)
        if any(o.area_path.startswith(path) or path.startswith(o.area_path) for o in busy.only("area_path")):
            raise Refusal("placement_busy")
        record_event(
            "PlacementPlan", plan.id, verb, at=at, actor=by, incident=plan.incident,
            from_state=plan.state, to_state=to, area=plan.area,
        )  # fmt: skip


# ---- done by the worker ---------------------------------------------------------------------------


def carry_on(plan_id: uuid.UUID, *, at: datetime) -> PlacementPlan:
    """Does what was asked for a plan, from where it stands: solve, adopt, take back."""
    plan = plan_with_id(plan_id)
    if plan.state == PlacementState.QUEUED:
        return solve_plan(plan_id, teams=teams_kept_together(plan.incident))
    with many_short_writes():
        if plan.state == PlacementState.ADOPTING:
            adopt_all(plan, at=at)
        elif plan.state == PlacementState.TAKING_BACK:
            take_back_all(plan, at=at)
    return plan_with_id(plan_id)


def adopt_all(plan: PlacementPlan, *, at: datetime) -> None:
    """Everybody who is left of the part that is being adopted, a few hundred at a time."""
    left = seats_within(plan, plan.adopt_path).filter(state=SeatState.PROPOSED)
    _in_parts(plan, left, lambda seats: _adopt_some(plan, seats, at=at))
    remains = seats_of(plan).filter(state=SeatState.PROPOSED).exists()
    _end(plan, PlacementState.PARTLY if remains else PlacementState.ADOPTED)


def take_back_all(plan: PlacementPlan, *, at: datetime) -> None:
    """Everybody who was given a place by this plan goes back to where he was."""
    left = seats_of(plan).filter(state=SeatState.ADOPTED)
    _in_parts(plan, left, lambda seats: _return_some(plan, seats, at=at))
    _end(plan, PlacementState.TAKEN_BACK)


def _end(plan: PlacementPlan, state: PlacementState) -> None:
    PlacementPlan.objects.filter(
        id=plan.id, state__in=[PlacementState.ADOPTING, PlacementState.TAKING_BACK]
    ).update(state=state, version=plan.version + 1, progress=None)


def _in_parts(
    plan: PlacementPlan,
    left: Any,
    work: Callable[[Sequence[PlacementSeat]], _Changes],
) -> None:
    """Reads and decides before each write, checks versions in it, shows how far it is."""
    stage = "adopt" if plan.state == PlacementState.ADOPTING else "take_back"
    numbers: list[int] = list(left.order_by("number").values_list("number", flat=True))
    done = 0
    while done < len(numbers):
        # One write is of one block, so that its event is found by the seats that it speaks of.
        block = block_id(plan.id, numbers[done])
        some = [n for n in numbers[done : done + SEATS_PER_WRITE] if block_id(plan.id, n) == block]
        seats = read_rows(PlacementSeat, equal("plan", plan.id), among("number", some))
        done += len(some)
        progress = {"stage": stage, "done": done, "total": len(numbers)}
        for attempt in range(_TRIES):
            try:
                _write(plan, work(seats), at=_moment(plan), progress=progress)
                break
            except LostRace:
                if attempt + 1 == _TRIES:
                    raise Refusal("responder_changed_meanwhile") from None
        pause_between_writes()


def _moment(plan: PlacementPlan) -> datetime:
    """When it was asked for: an adoption that was interrupted has one time, not two."""
    moment = plan.adopted_at if plan.state == PlacementState.ADOPTING else plan.taken_back_at
    assert moment is not None
    return moment


def _actor(plan: PlacementPlan) -> uuid.UUID | None:
    return plan.adopted_by if plan.state == PlacementState.ADOPTING else plan.taken_back_by


def _people(seats: Sequence[PlacementSeat]) -> dict[uuid.UUID, Responder]:
    wanted = among("id", [seat.responder for seat in seats])
    return {row.id: row for row in read_rows(Responder, wanted, columns=_OF_PERSON)}


def _adopt_some(plan: PlacementPlan, seats: Sequence[PlacementSeat], *, at: datetime) -> _Changes:
    people = _people(seats)
    open_places = open_assignments(list(people))
    changes = _Changes(block_id(plan.id, seats[0].number))
    for seat in seats:
        one = people.get(seat.responder)
        if one is None:
            changes.decide(seat, SeatState.SKIPPED, "seat_gone")
        elif _mark(one) != seat.mark:
            changes.decide(seat, SeatState.SKIPPED, "seat_changed")
        elif seat.grid is None:
            changes.decide(seat, SeatState.ADOPTED)
            if one.grid is not None:
                changes.moved.add(one.id)
                one.grid, one.post, one.duty = None, "", ""
                changes.freed.append(one)
                changes.ended.append(one.id)
        else:
            changes.decide(seat, SeatState.ADOPTED)
            if _stands_there(seat, one, open_places.get(one.id)):
                continue
            if one.id in open_places or one.grid not in (None, seat.grid):
                changes.moved.add(one.id)
            if (one.grid, one.post) != (seat.grid, seat.post):
                one.duty = ""
            one.grid, one.post = seat.grid, seat.post
            changes.placed.append(one)
            changes.ended.append(one.id)
            changes.begun.append(_place(plan, seat))
    return changes


def _stands_there(seat: PlacementSeat, one: Responder, place: GridAssignment | None) -> bool:
    """Whether somebody holds this very place already: then nothing is written about him."""
    wanted = (seat.grid, seat.post)
    held = place is not None and (place.grid, place.post) == wanted
    return held and one.status == ResponderStatus.ASSIGNED and (one.grid, one.post) == wanted


def _place(plan: PlacementPlan, seat: PlacementSeat) -> GridAssignment:
    assert seat.grid is not None
    return bare(
        GridAssignment, id=new_id(), incident=plan.incident, sub_district=seat.sub_district, grid=seat.grid,
        responder=seat.responder, post=seat.post, state=AssignmentState.NOMINATED, plan=plan.id,
        since=_moment(plan), until=None, ended_by=None, accepted_at=None,
    )  # fmt: skip


def _mark(one: Responder) -> int:
    return mark_of((one.status, one.grid, one.home_grid, one.post, one.skills, one.lon, one.lat, one.cannot))


def _return_some(plan: PlacementPlan, seats: Sequence[PlacementSeat], *, at: datetime) -> _Changes:
    people = _people(seats)
    open_places = open_assignments(list(people))
    changes = _Changes(block_id(plan.id, seats[0].number))
    for seat in seats:
        one, place = people.get(seat.responder), open_places.get(seat.responder)
        if one is None:
            changes.decide(seat, SeatState.KEPT, "seat_gone")
        elif not _stands_as_placed(plan, seat, one, place):
            untouched = (seat.grid, seat.post) == (seat.old_grid, seat.old_post)
            state = SeatState.TAKEN_BACK if untouched else SeatState.KEPT
            serving = one.status not in (ResponderStatus.ASSIGNED, ResponderStatus.VETTED)
            changes.decide(seat, state, "" if untouched else "seat_on_duty" if serving else "seat_changed")
        else:
            changes.decide(seat, SeatState.TAKEN_BACK)
            changes.moved.add(one.id)
            one.grid, one.post = seat.old_grid, seat.old_post
            one.duty = ""
            changes.ended.append(one.id)
            back = changes.placed if seat.old_status == ResponderStatus.ASSIGNED else changes.freed
            back.append(one)
    return changes


def _stands_as_placed(
    plan: PlacementPlan, seat: PlacementSeat, one: Responder, place: GridAssignment | None
) -> bool:
    """Whether somebody is still exactly where this plan put him, and has not begun to serve."""
    if seat.grid is None:
        return seat.old_grid is not None and one.status == ResponderStatus.VETTED and one.grid is None
    return (
        one.status == ResponderStatus.ASSIGNED
        and place is not None
        and place.plan == plan.id
        and (one.grid, one.post) == (seat.grid, seat.post)
    )


def _write(plan: PlacementPlan, changes: _Changes, *, at: datetime, progress: dict[str, object]) -> None:
    adopting = plan.state == PlacementState.ADOPTING
    by, verb = _actor(plan), ("place" if adopting else "unplace")
    was = SeatState.PROPOSED if adopting else SeatState.ADOPTED
    event = _event(plan, changes, verb, at=at)
    zone = incident_with_id(plan.incident).time_zone
    notices = told.PlaceNotices(
        plan, [*changes.placed, *changes.freed], changed=changes.moved, verb=verb, zone=zone, at=at
    )
    steps = [
        StatusStep(rows, status, by=by, at=at, verb=verb, columns=("grid", "post", "duty"), event_each=False)
        for rows, status in (
            (changes.placed, ResponderStatus.ASSIGNED),
            (changes.freed, ResponderStatus.VETTED),
        )
    ]
    new = Insert(GridAssignment, changes.begun)
    with transaction.atomic():
        for step in steps:
            step.write()
        _end_places(plan, changes.ended, at=at, adopting=adopting)
        notices.write()
        new.execute()
        for (state, reason, by_hand), ids in changes.seats_by_way(notices.by_hand).items():
            # By id alone: beside the plan's own index a planner may prefer to read the whole plan.
            rows = PlacementSeat.objects.across(reason="placement").filter(id__in=ids, state=was)
            to_tell = {"to_tell": bool(by_hand), "by_hand": by_hand, "told_at": None, "told_by": None}
            if rows.update(state=state, reason=reason, **to_tell) != len(ids):
                raise Refusal("placement_changed_meanwhile")
        event.execute()
        PlacementPlan.objects.filter(id=plan.id).update(progress=progress)


def _event(plan: PlacementPlan, changes: _Changes, verb: str, *, at: datetime) -> Insert:
    """One event for the people of one write: each with his status before and after, and his grid now."""
    people = {str(one.id): [one.status, ResponderStatus.ASSIGNED, one.grid] for one in changes.placed}
    people |= {str(one.id): [one.status, ResponderStatus.VETTED, one.grid] for one in changes.freed}
    found = Event(
        at=at, incident=plan.incident, actor=_actor(plan), entity=BLOCK, entity_id=changes.block, verb=verb,
        reason="placement", facts={"people": people},
    )  # fmt: skip
    return Insert(Event, [found] if people else [])


def _end_places(plan: PlacementPlan, people: Sequence[uuid.UUID], *, at: datetime, adopting: bool) -> None:
    """Places end with the one who ended them noted, so that taking back can begin them again."""
    if not people:
        return
    mine = GridAssignment.objects.across(reason="placement").filter(responder__in=people)
    if adopting:
        mine.filter(until__isnull=True).update(until=at, state=AssignmentState.HANDED_OVER, ended_by=plan.id)
        return
    mine.filter(until__isnull=True, plan=plan.id).update(until=at, state=AssignmentState.TAKEN_BACK)
    before = mine.filter(ended_by=plan.id)
    again = {"until": None, "ended_by": None}
    before.filter(accepted_at__isnull=True).update(state=AssignmentState.NOMINATED, **again)
    before.filter(accepted_at__isnull=False).update(state=AssignmentState.ACCEPTED, **again)


__all__ = ["adopt_all", "ask_adopt", "ask_take_back", "carry_on", "take_back_all"]
