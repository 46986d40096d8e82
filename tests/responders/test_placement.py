# SPDX-License-Identifier: Apache-2.0
"""Who serves where: proposed, changed by hand, adopted, taken back."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

import pytest

from muster.base.errors import Refusal
from muster.flows import placement as flow
from muster.flows.placement import ask_adopt, ask_take_back, carry_on
from muster.incidents.models import Incident, Mode
from muster.packs import load
from muster.places.models import Dwelling
from muster.register.models import Need
from muster.responders.models import Responder, Standing
from muster.responders.placement.models import GridAssignment, PlacementGrid, PlacementPlan, PlacementSeat
from muster.responders.placement.queries import seats_of
from muster.responders.placement.reading import staff_needed
from muster.responders.placement.services import (
    ban_person,
    free_person,
    move_person,
    propose_again,
    queue_left_behind,
    queue_plan,
    solve_plan,
)
from muster.trail.models import Event
from tests.support.placing import BY, LATER, adopted, on_the_map, person, ready_plan, taken_back, vetted
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world(doors=2, people=1)
    on_the_map(world)
    return world


def where(plan: PlacementPlan) -> dict[uuid.UUID, tuple[int | None, str]]:
    return {seat.responder: (seat.grid, seat.post) for seat in seats_of(plan)}


def refused(work: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        work(*args, **more)
    return refusal.value.code


# ---- what a grid asks for


def test_staff_needed_follows_doors_and_people_in_need() -> None:
    lines = {line.post: line for line in load("epidemic-zh").staffing}

    assert staff_needed(lines["helper"], doors=0, in_need={}) == 0
    assert staff_needed(lines["helper"], doors=1, in_need={}) == 1
    assert staff_needed(lines["helper"], doors=100, in_need={}) == 5
    assert staff_needed(lines["helper"], doors=100_000, in_need={}) == lines["helper"].most
    assert staff_needed(lines["carer"], doors=10, in_need={"elder_alone": 9, "dialysis": 8}) == 3
    assert staff_needed(lines["carer"], doors=10, in_need={}) == 0


def test_need_of_a_grid_counts_only_needs_that_stand(world: World) -> None:
    vetted(world, skills=["care"])
    for number, kind in enumerate(["elder_alone", "disabled"]):
        Need.objects.create(
            sub_district=world.streets[0].id, grid=world.grids[0].id, person=world.persons[0], kind=kind,
            ended_at=NOON if number else None,
        )  # fmt: skip

    plan = ready_plan(world)

    assert PlacementGrid.objects.get(plan=plan, grid=world.grids[0].id).lines["carer"][0] == 1


# ---- proposing


def test_everybody_serves_where_he_lives_when_that_is_possible(world: World) -> None:
    homes = {one.id: number for number in range(4) for one in vetted(world, grid=number, count=2)}

    plan = ready_plan(world)

    assert plan.state == "READY"
    assert {who: grid for who, (grid, _) in where(plan).items()} == {
        who: world.grids[number].id for who, number in homes.items()
    }
    assert plan.figures["own_grid"] == 8
    assert plan.figures["proved"] is True
    assert plan.objective == plan.bound
    assert len(plan.digest) == 64
    assert PlacementPlan.objects.get(id=plan.id).proof


def test_posts_that_stay_empty_say_why(world: World) -> None:
    vetted(world, grid=0)
    vetted(world, grid=3, skills=["driving"])

    plan = ready_plan(world, reach_m=300)
    lines = {row.grid: row.lines for row in PlacementGrid.objects.filter(plan=plan)}

    assert lines[world.grids[0].id]["helper"][:3] == [1, 1, 0]
    assert lines[world.grids[1].id]["helper"][3] == "post_reach"
    assert lines[world.grids[0].id]["medic"][3] == "post_no_skill"
    assert plan.figures["missing"] == sum(row.missing for row in PlacementGrid.objects.filter(plan=plan))
    assert plan.figures["filled"] + plan.figures["missing"] == plan.figures["needed"]


def test_who_serves_already_keeps_the_post_and_fills_the_need(world: World) -> None:
    vetted(world, status="ON_DUTY", grid=0)
    Responder.objects.across(reason="verify").update(grid=world.grids[0].id, post="helper")
    vetted(world, grid=0)

    plan = ready_plan(world)
    line = PlacementGrid.objects.get(plan=plan, grid=world.grids[0].id).lines["helper"]

    assert len(where(plan)) == 1
    assert line[2] == 1


def test_people_without_a_home_on_the_map_are_named_not_dropped(world: World) -> None:
    (lost,) = vetted(world, grid=None)
    vetted(world, grid=0)

    plan = ready_plan(world)

    assert seats_of(plan).get(responder=lost.id).reason == "idle_nowhere"
    assert plan.figures["reserve"] == {"idle_nowhere": 1}


@pytest.mark.parametrize("status", ["REGISTERED", "DECLINED", "ISOLATED", "UNAVAILABLE", "RELEASED"])
def test_only_vetted_people_are_placed(world: World, status: str) -> None:
    vetted(world, status=status)

    plan = ready_plan(world)

    assert (plan.state, plan.problem) == ("FAILED", "placement_nobody")


def test_who_is_suspect_waits_for_the_desk(world: World) -> None:
    vetted(world, is_suspect=True)

    assert ready_plan(world).problem == "placement_nobody"


def test_area_without_grids_and_pack_without_staffing_are_told(world: World) -> None:
    vetted(world)
    type(world.grids[0]).objects.update(status="RETIRED")
    assert ready_plan(world).problem == "placement_no_grids"


def test_all_in_one_place(world: World) -> None:
    vetted(world, grid=0, count=30, lon=110.0, lat=35.0)

    plan = ready_plan(world)
    count = Counter(grid for grid, _ in where(plan).values())

    assert count[None] + sum(n for grid, n in count.items() if grid) == 30
    assert all(row.missing == 0 or row.lines["helper"][3] == "" for row in plan.grids.all())


def test_nobody_asks_for_anybody_in_an_empty_area(world: World) -> None:
    Dwelling.objects.across(reason="verify").update(status="GONE")
    vetted(world, count=2)

    plan = ready_plan(world)

    assert plan.state == "READY"
    assert set(where(plan).values()) == {(None, "")}
    assert (plan.figures["needed"], plan.figures["missing"]) == (0, 0)


def test_grids_that_are_on_no_map_say_so(world: World) -> None:
    from muster.places.models import Building, Grid

    Grid.objects.update(lon=None, lat=None)
    Building.objects.update(lon=None, lat=None)
    vetted(world, lon=110.0, lat=35.0)

    plan = ready_plan(world)

    assert plan.state == "READY"
    assert {line[3] for row in plan.grids.all() for line in row.lines.values() if line[0]} == {"post_nowhere"}


def test_a_street_plans_for_its_own_people_only(world: World) -> None:
    (here,) = vetted(world, grid=0)
    vetted(world, grid=2)

    plan = ready_plan(world, world.streets[0])

    assert set(where(plan)) == {here.id}
    assert {row.grid for row in plan.grids.all()} == {world.grids[0].id, world.grids[1].id}


@pytest.mark.parametrize(
    ("more", "code"), [({"reach_m": 0}, "placement_reach"), ({"seed": -1}, "placement_seed")]
)
def test_bad_wishes_for_a_plan_are_refused(world: World, more: dict[str, int], code: str) -> None:
    assert refused(queue_plan, world.city, incident=world.incident, by=BY, at=NOON, **more) == code


def test_nothing_is_planned_after_the_incident(world: World) -> None:
    Incident.objects.filter(id=world.incident.id).update(mode=Mode.CLOSED)
    world.incident.refresh_from_db()

    assert (
        refused(queue_plan, world.city, incident=world.incident, by=BY, at=NOON) == "placement_incident_over"
    )


def test_a_proposal_whose_process_was_killed_begins_anew(world: World) -> None:
    vetted(world, count=3)
    plan = ready_plan(world)
    PlacementPlan.objects.filter(id=plan.id).update(state="RUNNING")

    assert queue_left_behind() == 1
    again = carry_on(plan.id, at=NOON)

    assert again.state == "READY"
    assert seats_of(again).count() == 3
    assert again.digest == plan.digest


# ---- changes by hand


def test_a_person_moved_by_hand_stays_there_and_little_else_changes(world: World) -> None:
    people = [one for number in range(4) for one in vetted(world, grid=number, count=2)]
    plan = ready_plan(world)
    before = where(plan)

    move_person(plan, people[0].id, grid=world.grids[3].id, by=BY, at=NOON)
    again = carry_on(propose_again(plan, by=BY, at=NOON).id, at=NOON)
    after = where(again)

    assert after[people[0].id] == (world.grids[3].id, "helper")
    assert seats_of(again).get(responder=people[0].id).pinned
    assert sum(before[one.id] != after[one.id] for one in people[1:]) == 0


def test_figures_follow_a_change_by_hand(world: World) -> None:
    (one,) = vetted(world, grid=0)
    plan = ready_plan(world)
    missing = plan.figures["missing"]

    move_person(plan, one.id, grid=None, by=BY, at=NOON)
    plan = PlacementPlan.objects.get(id=plan.id)
    row = PlacementGrid.objects.get(plan=plan, grid=world.grids[0].id)

    assert plan.figures["missing"] == missing + 1
    assert row.lines["helper"][3] == "post_by_hand"
    assert plan.figures["by_hand"] == 1
    assert where(plan)[one.id] == (None, "")


def test_a_ban_holds_until_it_is_taken_back(world: World) -> None:
    (one,) = vetted(world, grid=0)
    plan = ready_plan(world)

    ban_person(plan, one.id, world.grids[0].id, by=BY, at=NOON)
    again = carry_on(propose_again(plan, by=BY, at=NOON).id, at=NOON)
    assert where(again)[one.id][0] not in (None, world.grids[0].id)
    assert refused(move_person, again, one.id, grid=world.grids[0].id, by=BY, at=NOON) == "placement_barred"

    free_person(again, one.id, by=BY, at=NOON)
    third = carry_on(propose_again(again, by=BY, at=NOON).id, at=NOON)
    assert third.wishes == {"pins": {}, "bars": [], "out": []}


def test_hand_changes_that_cannot_be(world: World) -> None:
    (one, gone) = vetted(world, grid=0, count=2)
    plan = ready_plan(world)
    street = ready_plan(world, world.streets[0])
    Responder.objects.across(reason="verify").filter(id=gone.id).update(status="RELEASED")
    here = world.grids[1].id

    def moved(plan: PlacementPlan, who: uuid.UUID, grid: int, post: str = "") -> str:
        return refused(move_person, plan, who, grid=grid, post=post, by=BY, at=NOON)

    assert moved(plan, gone.id, here) == "placement_person_left"
    assert moved(plan, uuid.uuid4(), here) == "placement_person_unknown"
    assert moved(plan, one.id, 2**40) == "placement_grid_unknown"
    assert moved(street, one.id, world.grids[2].id) == "placement_grid_unknown"
    assert moved(plan, one.id, here, "medic") == "placement_post_unknown"
    assert where(plan)[one.id] == (world.grids[0].id, "helper")


def test_two_who_change_one_plan_at_once_one_is_told(world: World) -> None:
    (one, other) = vetted(world, grid=0, count=2)
    mine = ready_plan(world)
    yours, before = PlacementPlan.objects.get(id=mine.id), where(mine)

    move_person(mine, one.id, grid=world.grids[1].id, by=BY, at=NOON)

    assert refused(move_person, yours, other.id, grid=None, by=BY, at=NOON) == "placement_changed_meanwhile"
    assert where(mine)[other.id] == before[other.id]


def test_a_pin_whose_person_has_left_is_dropped_and_named(world: World) -> None:
    (one, _) = vetted(world, grid=0, count=2)
    plan = ready_plan(world)
    move_person(plan, one.id, grid=world.grids[1].id, by=BY, at=NOON)
    Responder.objects.across(reason="verify").filter(id=one.id).update(status="RELEASED")

    again = carry_on(propose_again(plan, by=BY, at=NOON).id, at=NOON)

    assert [told["responder"] for told in again.figures["dropped_pins"]] == [str(one.id)]


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
        event = Event.objects.get(entity="Responder", entity_id=str(one.id), verb="place")
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


def test_an_adoption_that_is_killed_goes_on_and_writes_nothing_twice(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = [one for number in range(4) for one in vetted(world, grid=number, count=3)]
    plan = ready_plan(world)
    monkeypatch.setattr(flow, "SEATS_PER_WRITE", 5)
    real, written = flow._write, []

    def fall_at_the_second(*args: Any, **more: Any) -> None:
        if written:
            raise KeyboardInterrupt
        written.append(1)
        real(*args, **more)

    ask_adopt(plan, area=world.city, version=plan.version, by=BY, at=LATER)
    monkeypatch.setattr(flow, "_write", fall_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        carry_on(plan.id, at=LATER)
    halfway = PlacementPlan.objects.get(id=plan.id)
    assert halfway.state == "ADOPTING"
    assert halfway.progress == {"stage": "adopt", "done": 5, "total": 12}
    monkeypatch.setattr(flow, "_write", real)
    whole = carry_on(plan.id, at=LATER)

    assert whole.state == "ADOPTED"
    assert GridAssignment.objects.across(reason="verify").count() == len(people)
    assert Event.objects.filter(verb="place").count() == len(people)


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
    assert Event.objects.filter(verb="unplace").count() == 2


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


def test_solving_is_told_from_the_stored_plan(world: World) -> None:
    vetted(world, grid=0, count=3)
    first, second = ready_plan(world), ready_plan(world)

    assert where(first) == where(second)
    assert first.digest == second.digest
    assert solve_plan(second.id).digest == first.digest
