# SPDX-License-Identifier: Apache-2.0
"""A placement plan comes into force: whole, in parts, after a fall, of two at once one; and is taken back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from muster.base.errors import Refusal
from muster.flows import placement as flow
from muster.flows.placement import ask_adopt, ask_take_back, carry_on
from muster.responders.models import Responder, Standing
from muster.responders.placement.models import GridAssignment, PlacementPlan, PlacementSeat
from muster.responders.placement.queries import BLOCK, placing_events, seats_of
from muster.responders.placement.services import (
    move_person,
)
from muster.trail.models import Event
from tests.support.placing import (
    BY,
    LATER,
    adopted,
    killed_at_the_second_write,
    on_the_map,
    person,
    ready_plan,
    taken_back,
    vetted,
)
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world(doors=2, people=1)
    on_the_map(world)
    return world


def where(plan: PlacementPlan) -> dict[uuid.UUID, tuple[int | None, str]]:
    return {seat.responder: (seat.grid, seat.post) for seat in seats_of(plan)}


def events_of(verb: str) -> list[str]:
    """Whom the events of blocks name, once for each time."""
    found = Event.objects.filter(entity=BLOCK, verb=verb)
    return [one for event in found for one in event.facts["people"]]


def refused(work: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        work(*args, **more)
    return refusal.value.code


# ---- adopting


def test_adopting_gives_places_statuses_and_events(world: World) -> None:
    people = vetted(world, grid=0, count=2) + vetted(world, grid=2)

    plan = adopted(ready_plan(world))

    assert plan.state == "ADOPTED"
    for one in people:
        now, (grid, post) = person(one), where(plan)[one.id]
        place = GridAssignment.objects.across(reason="verify").get(responder=one.id)
        assert (now.status, now.grid, now.post, now.version) == ("ASSIGNED", grid, post, 2)
        assert (place.grid, place.post, place.plan, place.until) == (grid, post, plan.id, None)
        (event,) = placing_events(now)
        assert (event.verb, event.facts) == ("place", {"grid": grid})
        assert (event.from_state, event.to_state, event.actor) == ("VETTED", "ASSIGNED", BY)
        assert Standing.objects.across(reason="verify").get(responder=one.id, until=None).grid == grid
    assert Event.objects.filter(entity="PlacementPlan", entity_id=str(plan.id), verb="adopt").count() == 1


def test_adopting_again_changes_nobody_who_stands_there(world: World) -> None:
    people = vetted(world, grid=0, count=2)
    adopted(ready_plan(world))

    second = adopted(ready_plan(world))

    assert second.figures["stay"] == 2
    assert {person(one).version for one in people} == {2}
    assert GridAssignment.objects.across(reason="verify").count() == 2


def test_a_part_is_adopted_then_the_rest(world: World) -> None:
    (here,), (there,) = vetted(world, grid=0), vetted(world, grid=2)
    plan = adopted(ready_plan(world), world.streets[0])

    assert plan.state == "PARTLY"
    assert (person(here).status, person(there).status) == ("ASSIGNED", "VETTED")
    again = refused(ask_adopt, plan, area=world.streets[0], version=plan.version, by=BY, at=LATER)
    assert again == "placement_nothing_left"

    plan = adopted(plan)
    assert plan.state == "ADOPTED"
    assert person(there).status == "ASSIGNED"


def test_a_plan_whose_people_changed_is_refused_or_adopted_without_them(world: World) -> None:
    (one, other) = vetted(world, grid=0, count=2)
    plan = ready_plan(world)
    Responder.objects.across(reason="verify").filter(id=one.id).update(status="UNAVAILABLE")

    with pytest.raises(Refusal) as refusal:
        ask_adopt(plan, area=world.city, version=plan.version, by=BY, at=LATER)
    assert (refusal.value.code, refusal.value.facts) == ("placement_stale", {"count": 1})
    assert PlacementPlan.objects.get(id=plan.id).state == "READY"

    plan = adopted(plan, without_changed=True)
    assert (person(one).status, person(other).status) == ("UNAVAILABLE", "ASSIGNED")
    seat = seats_of(plan).get(responder=one.id)
    assert (seat.state, seat.reason) == ("SKIPPED", "seat_changed")


def test_of_two_who_adopt_at_once_one_wins(world: World) -> None:
    vetted(world, grid=0)
    mine = ready_plan(world)
    yours = PlacementPlan.objects.get(id=mine.id)

    ask_adopt(mine, area=world.city, version=mine.version, by=BY, at=LATER)

    assert refused(ask_adopt, yours, area=world.city, version=yours.version, by=BY, at=LATER) == (
        "placement_changed_meanwhile"
    )
    assert Event.objects.filter(entity="PlacementPlan", verb="adopt").count() == 1


def test_without_the_version_both_would_win(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the guard is what the test above sees."""
    vetted(world, grid=0)
    mine = ready_plan(world)
    yours = PlacementPlan.objects.get(id=mine.id)
    ask_adopt(mine, area=world.city, version=mine.version, by=BY, at=LATER)
    monkeypatch.setattr(flow, "ADOPTABLE", frozenset({"READY", "ADOPTING"}))

    ask_adopt(yours, area=world.city, version=yours.version + 1, by=BY, at=LATER)

    assert Event.objects.filter(entity="PlacementPlan", verb="adopt").count() == 2


def test_another_plan_of_the_same_ground_waits(world: World) -> None:
    vetted(world, grid=0)
    vetted(world, grid=2)
    city, street, other = (
        ready_plan(world),
        ready_plan(world, world.streets[0]),
        ready_plan(world, world.streets[1]),
    )
    ask_adopt(street, area=world.streets[0], version=street.version, by=BY, at=LATER)

    assert (
        refused(ask_adopt, city, area=world.city, version=city.version, by=BY, at=LATER) == "placement_busy"
    )
    assert PlacementPlan.objects.get(id=city.id).state == "READY"
    ask_adopt(other, area=world.streets[1], version=other.version, by=BY, at=LATER)


def test_area_outside_the_plan_is_refused(world: World) -> None:
    vetted(world, grid=0)
    plan = ready_plan(world, world.streets[0])

    for area in (world.city, world.streets[1]):
        code = refused(ask_adopt, plan, area=area, version=plan.version, by=BY, at=LATER)
        assert code == "placement_area_outside"


def test_an_adoption_that_is_killed_goes_on_and_writes_nothing_twice(world: World) -> None:
    people = [one for number in range(4) for one in vetted(world, grid=number, count=3)]
    plan = ready_plan(world)

    with killed_at_the_second_write(plan, world.city, seats=5):
        halfway = PlacementPlan.objects.get(id=plan.id)
        assert halfway.state == "ADOPTING"
        assert halfway.progress == {"stage": "adopt", "done": 5, "total": 12}
        whole = carry_on(plan.id, at=LATER)

    assert whole.state == "ADOPTED"
    assert GridAssignment.objects.across(reason="verify").count() == len(people)
    assert len(events_of("place")) == len(people)


def test_somebody_changed_in_the_middle_of_an_adoption_is_left_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one, other) = vetted(world, grid=0, count=2)
    plan = ready_plan(world)
    real = flow._adopt_some

    def overtaken(*args: Any, **more: Any) -> Any:
        changes = real(*args, **more)
        Responder.objects.across(reason="verify").filter(id=one.id, status="VETTED").update(
            status="ISOLATED", version=9
        )
        return changes

    monkeypatch.setattr(flow, "_adopt_some", overtaken)
    plan = adopted(plan)

    assert (person(one).status, person(other).status) == ("ISOLATED", "ASSIGNED")
    assert seats_of(plan).get(responder=one.id).state == "SKIPPED"


def test_who_is_not_needed_goes_into_reserve(world: World) -> None:
    (one,) = vetted(world, grid=0)
    adopted(ready_plan(world))
    second = ready_plan(world)
    move_person(second, one.id, grid=None, by=BY, at=NOON)

    adopted(PlacementPlan.objects.get(id=second.id))

    now = person(one)
    assert (now.status, now.grid, now.post) == ("VETTED", None, "")
    assert GridAssignment.objects.across(reason="verify").get(responder=one.id).until == LATER


def test_more_people_ask_no_more_statements(world: World) -> None:
    def statements() -> int:
        plan = ready_plan(world)
        ask_adopt(plan, area=world.city, version=plan.version, by=BY, at=LATER)
        with CaptureQueriesContext(connection) as captured:
            carry_on(plan.id, at=LATER)
        return len(captured)

    vetted(world, grid=0)
    few = statements()
    for number in range(4):
        vetted(world, grid=number, count=4)

    assert statements() <= few + 1


# ---- taking back


def test_taking_back_puts_everybody_where_he_was(world: World) -> None:
    (fresh,) = vetted(world, grid=1)
    (stood,) = vetted(world, grid=0)
    first = adopted(ready_plan(world, world.streets[0]))
    old = where(first)[stood.id]
    second = ready_plan(world)
    move_person(second, stood.id, grid=world.grids[3].id, by=BY, at=NOON)
    move_person(PlacementPlan.objects.get(id=second.id), fresh.id, grid=None, by=BY, at=NOON)
    second = adopted(PlacementPlan.objects.get(id=second.id))
    assert person(stood).grid == world.grids[3].id

    second = taken_back(second)

    assert second.state == "TAKEN_BACK"
    assert (person(stood).grid, person(stood).post, person(stood).status) == (*old, "ASSIGNED")
    assert (person(fresh).grid, person(fresh).status) == (where(first)[fresh.id][0], "ASSIGNED")
    opened = GridAssignment.objects.across(reason="verify").filter(until__isnull=True)
    assert {row.plan for row in opened} == {first.id}
    assert len(events_of("unplace")) == 2


def test_who_is_on_duty_already_keeps_his_place(world: World) -> None:
    (one, other) = vetted(world, grid=0, count=2)
    plan = adopted(ready_plan(world))
    Responder.objects.across(reason="verify").filter(id=one.id).update(status="ON_DUTY", on_duty_since=LATER)

    plan = taken_back(plan)

    assert (person(one).status, person(one).grid) == ("ON_DUTY", world.grids[0].id)
    assert (person(other).status, person(other).grid) == ("VETTED", None)
    seat = PlacementSeat.objects.across(reason="verify").get(plan=plan.id, responder=one.id)
    assert (seat.state, seat.reason) == ("KEPT", "seat_on_duty")


def test_only_what_was_adopted_is_taken_back(world: World) -> None:
    vetted(world, grid=0)
    plan = ready_plan(world)

    assert refused(ask_take_back, plan, version=plan.version, by=BY, at=LATER) == "placement_not_adopted"
