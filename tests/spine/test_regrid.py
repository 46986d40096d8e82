# SPDX-License-Identifier: Apache-2.0
"""A new division in the middle of a round: nobody is lost, the equation holds, phones are told to forget."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, LedgerEntry, RoundGrid
from muster.campaigns.queries import doors_of_grid, entries_of_grid
from muster.campaigns.services import written_side
from muster.flows import regrid
from muster.flows.regrid import Division, Moved, NewGrid, adopt_division
from muster.places.models import Building, Dwelling, Gone, Grid
from muster.register.models import Household, Need, Person
from muster.sync.verify import verify_all
from tests.spine.test_any_order import rolled_back, story
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world(doors=2, people=1)
    world.record(
        world.outcome(world.persons[0], "done"),
        world.fact("need.seen", world.persons[0].id, kind="alone", round=None),
        world.fact("person.moved", world.persons[1].id,
                   to={"sub_district": world.streets[1].id, "dwelling": str(world.dwellings[-1].id)}),
    )  # fmt: skip
    return world


def division(world: World, homes: dict[int, int | str]) -> Division:
    """building number -> number of the grid it goes to, or the key of a new one; the others stay."""
    keys = [grid.code for grid in world.grids]
    small_of = {b.id: keys[i] for i, b in enumerate(world.buildings)}
    for building, home in homes.items():
        small_of[world.buildings[building].id] = home if isinstance(home, str) else keys[home]
    wanted = [NewGrid(key, "SMALL", None, key, "") for key in dict.fromkeys(small_of.values())]
    return Division(grids=wanted, small_of=small_of)


def adopt(world: World, homes: dict[int, int | str]) -> Moved:
    return adopt_division(world.city, division(world, homes), by=None, at=NOON)


def totals(world: World) -> dict[str, Any]:
    """What a re-grid must leave as it is: people, doors, classes, outcomes, origins."""
    accounts = RoundGrid.objects.filter(round=world.round.id)
    return {
        "entries": Counter(
            LedgerEntry.objects.values_list("subject", "cls", "outcome", "origin", "origin_grid")
        ),
        "doors": Counter(DoorEntry.objects.values_list("subject", "state", "building")),
        "frozen": sum(a.frozen for a in accounts),
        "added": sum(a.added for a in accounts),
        "roster": sum(written_side(a) for a in accounts),
        "classes": sum(a.n_open + a.n_done + a.n_arranged + a.n_explained + a.n_unreached for a in accounts),
        "outcomes": sum((Counter(a.outcomes) for a in accounts), Counter()),
        "doors_seen": sum(a.doors_seen for a in accounts),
    }


def test_a_building_goes_over_with_doors_people_needs_and_entries(world: World) -> None:
    before = totals(world)

    moved = adopt(world, {0: 1})

    new = world.grids[1].id
    assert (moved.buildings, moved.doors, moved.persons) == (1, 2, 1)
    assert Building.objects.get(id=world.buildings[0].id).grid == new
    for model in (Dwelling, Household):
        rows = model.objects.across(reason="verify").filter(pk__isnull=False)
        assert rows.filter(grid=world.grids[0].id).count() == 0
    assert Person.objects.across(reason="verify").get(id=world.persons[0].id).grid == new
    assert Need.objects.across(reason="verify").get(person_id=world.persons[0].id).grid == new
    assert LedgerEntry.objects.get(subject=world.persons[0].id).grid == new
    assert totals(world) == before
    assert verify_all() == []


def test_accounts_say_what_left_and_what_came(world: World) -> None:
    adopt(world, {0: 1})

    left = RoundGrid.objects.get(grid=world.grids[0].id)
    came = RoundGrid.objects.get(grid=world.grids[1].id)
    assert (left.frozen, left.moved_out, left.doors, written_side(left)) == (2, 2, 0, 0)
    assert (came.frozen, came.moved_in, came.doors, written_side(came)) == (2, 1, 4, 3)


def test_a_new_grid_gets_an_account_in_the_running_round(world: World) -> None:
    before = totals(world)

    moved = adopt(world, {0: "N1", 1: "N1"})

    made = Grid.objects.get(code="N1")
    account = RoundGrid.objects.get(grid=made.id)
    assert (moved.made, moved.retired) == (1, 2)
    assert (account.frozen, account.moved_in, account.doors) == (0, 3, 4)
    assert set(Grid.objects.filter(status="SUPERSEDED").values_list("code", flat=True)) == {"G11", "G12"}
    assert totals(world) == before
    assert verify_all() == []


def test_a_code_that_was_superseded_is_not_given_again(world: World) -> None:
    adopt(world, {0: 1})
    adopt(world, {0: "G11"})

    assert set(Grid.objects.filter(code__startswith="G11").values_list("code", "status")) == {
        ("G11", "SUPERSEDED"),
        ("G11.2", "ACTIVE"),
    }
    assert verify_all() == []


def test_phones_of_the_old_grid_are_told_to_forget(world: World) -> None:
    revision = Grid.objects.get(id=world.grids[0].id).revision

    adopt(world, {0: 1})

    told = Gone.objects.filter(grid=world.grids[0].id, rev__gt=revision).values_list("type", "subject")
    assert set(told) == {
        ("building", world.buildings[0].id),
        ("door", world.dwellings[0].id),
        ("door", world.dwellings[1].id),
        ("person", world.persons[0].id),
        *(
            ("household", h)
            for h in Household.objects.across(reason="pull")
            .filter(dwelling__in=world.dwellings[:2])
            .values_list("id", flat=True)
        ),
    }
    assert Grid.objects.get(id=world.grids[1].id).revision > 1


def test_the_same_division_again_changes_nothing(world: World) -> None:
    adopt(world, {0: 1})
    rows = list(RoundGrid.objects.order_by("grid").values())

    again = adopt_division(world.city, Division(
        grids=[NewGrid(g.code, "SMALL", None, g.name, "") for g in world.grids[1:]],
        small_of={b.id: world.grids[max(i, 1)].code for i, b in enumerate(world.buildings)},
    ), by=None, at=NOON)  # fmt: skip

    assert (again.buildings, again.made, again.retired) == (0, 0, 0)
    assert list(RoundGrid.objects.order_by("grid").values()) == rows


def test_a_division_that_leaves_a_building_out_is_refused_whole(world: World) -> None:
    whole = division(world, {0: 1})
    lacking = Division(
        whole.grids, {b: key for b, key in whole.small_of.items() if b != world.buildings[3].id}
    )

    with pytest.raises(Refusal) as refusal:
        adopt_division(world.city, lacking, by=None, at=NOON)

    assert refusal.value.code == "division_incomplete"
    assert Building.objects.get(id=world.buildings[0].id).grid == world.grids[0].id


def test_facts_go_on_in_the_new_grid(world: World) -> None:
    adopt(world, {0: 1, 2: 3})

    world.record(
        world.outcome(world.persons[0], "away", minutes=5),
        world.outcome(world.persons[5], "done", minutes=6),
        world.fact("person.moved", world.persons[1].id, to=None, minutes=7),
    )

    assert verify_all() == []


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10**6),
    homes=st.lists(st.sampled_from([0, 1, 2, 3, "N1", "N2"]), min_size=4, max_size=4),
)
def test_any_division_in_any_story_keeps_everybody(db: None, seed: int, homes: list[int | str]) -> None:
    with rolled_back():
        world = make_world(doors=2, people=1)
        facts = story(world, random.Random(seed))
        for fact in facts[: len(facts) // 2]:
            world.record(fact)
        before = totals(world)
        # A new grid takes the sub-district of its buildings: it lies on one side of the border.
        sides = [f"{home}-{1 + i // 2}" if isinstance(home, str) else home for i, home in enumerate(homes)]
        adopt(world, dict(enumerate(sides)))
        assert totals(world) == before
        assert verify_all() == []
        for fact in facts[len(facts) // 2 :]:
            world.record(fact)
        assert verify_all() == []


def test_an_entry_left_behind_would_be_seen(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: accounts that are not written anew do not add up, and verify says so."""
    monkeypatch.setattr(regrid, "rewrite_accounts", lambda *_args: None)

    adopt(world, {0: 1})

    assert {breach.check for breach in verify_all()} == {"counters_equal_recount", "equation_closes"}


def test_a_building_over_the_border_keeps_its_keys_and_is_counted_where_it_stands() -> None:
    """Entries and doors stay under the key they were frozen with; the new grid's account says from where."""
    world = make_world(doors=2, people=1)
    person = world.persons[0]
    adopt(world, {0: 2})

    world.record(world.outcome(person, "done", minutes=3))

    account = RoundGrid.objects.get(grid=world.grids[2].id)
    entry, door = (
        LedgerEntry.objects.get(subject=person.id),
        DoorEntry.objects.get(subject=person.dwelling_id),
    )
    assert (entry.sub_district, entry.grid, entry.cls) == (world.streets[0].id, world.grids[2].id, "DONE")
    assert (door.sub_district, door.grid, door.state) == (world.streets[0].id, world.grids[2].id, "SEEN")
    assert account.guests_from == [world.streets[0].id]
    assert (entries_of_grid(account).count(), doors_of_grid(account).count()) == (4, 4)
    assert (account.doors, written_side(account)) == (4, 4)
    assert verify_all() == []
