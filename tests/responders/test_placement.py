# SPDX-License-Identifier: Apache-2.0
"""Who serves where: proposed, with reasons; changed by hand, proposed again."""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

import pytest

from muster.base.errors import Refusal
from muster.flows.placement import carry_on
from muster.incidents.models import Incident, Mode
from muster.packs import load
from muster.places.models import Dwelling
from muster.register.models import Need
from muster.responders.models import Responder
from muster.responders.placement.models import PlacementGrid, PlacementPlan
from muster.responders.placement.queries import seats_of, stale_seats
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
from tests.support.placing import BY, on_the_map, ready_plan, vetted
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


def test_who_cannot_do_it_is_not_placed_where_the_post_asks_for_it(world: World) -> None:
    (weak,) = vetted(world, grid=0, skills=["driving"], cannot=["lifting"])
    (able,) = vetted(world, grid=0, skills=["driving"], cannot=["nights"])
    (frail,) = vetted(world, grid=0, skills=["medicine"], cannot=["stairs", "lifting"])

    plan = ready_plan(world)
    posts = {who: post for who, (_, post) in where(plan).items()}

    assert posts == {weak.id: "helper", able.id: "delivery", frail.id: "helper"}
    code = refused(move_person, plan, weak.id, grid=world.grids[1].id, post="delivery", by=BY, at=NOON)
    assert code == "placement_post_unknown"


def test_only_what_he_cannot_do_keeps_him_from_it(world: World) -> None:
    """Negative control: it is his tick that the test above sees."""
    (driver,) = vetted(world, grid=0, skills=["driving"])
    vetted(world, grid=0)
    assert where(ready_plan(world))[driver.id] == (world.grids[0].id, "delivery")

    Responder.objects.across(reason="verify").filter(id=driver.id).update(cannot=["lifting"])

    assert where(ready_plan(world))[driver.id][1] == "helper"


def test_a_tick_after_the_plan_was_made_is_a_change(world: World) -> None:
    (one, _) = vetted(world, grid=0, count=2)
    plan = ready_plan(world)
    Responder.objects.across(reason="verify").filter(id=one.id).update(cannot=["stairs"])

    assert [seat.responder for seat in stale_seats(plan, plan.area_path)] == [one.id]


def test_who_named_only_his_community_is_placed_in_its_middle(world: World) -> None:
    (one,) = vetted(world, grid=None, home_area=world.communities[0].id)
    (nowhere,) = vetted(world, grid=None)

    plan = ready_plan(world)

    community = {grid.id for grid in world.grids if grid.area_id == world.communities[0].id}
    assert where(plan)[one.id][0] in community
    assert where(plan)[nowhere.id][0] is None
    assert seats_of(plan).get(responder=nowhere.id).reason == "idle_nowhere"


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


def test_solving_is_told_from_the_stored_plan(world: World) -> None:
    vetted(world, grid=0, count=3)
    first, second = ready_plan(world), ready_plan(world)

    assert where(first) == where(second)
    assert first.digest == second.digest
    assert solve_plan(second.id).digest == first.digest
