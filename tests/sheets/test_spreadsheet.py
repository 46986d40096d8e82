# SPDX-License-Identifier: Apache-2.0
"""A list as a spreadsheet: out, edited without a network, back by a three-way merge."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muster.base.errors import Refusal
from muster.campaigns.models import LedgerEntry
from muster.flows import sheet_returns as flow
from muster.flows.conflicts import conflict_of
from muster.flows.sheet_differences import both_sides, take_the_other
from muster.register.models import Person
from muster.sheets.models import SheetDifference, SheetReturn
from muster.sync.verify import verify_all
from muster.trail.models import Fact, Waiting
from tests.sheets.paper import Cells, brought, committed, desk, edited, make, taken_out, told
from tests.spine.test_any_order import rolled_back
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=2)


@pytest.fixture
def world() -> World:
    return make_world(doors=3, people=2)


def outcomes(world: World) -> dict[str, int]:
    rows = LedgerEntry.objects.filter(round=world.round.id, grid=world.grids[0].id)
    said: dict[str, int] = {}
    for outcome in rows.values_list("outcome", flat=True):
        said[outcome] = said.get(outcome, 0) + 1
    return said


@pytest.mark.usefixtures("in_a_child")
def test_unchanged_list_does_nothing(world: World) -> None:
    back = brought(world, edited(taken_out(world, make(world)), lambda rows: None))

    assert back.counts["same"] == back.counts["rows"] == 6
    assert flow.merge_now(back).facts == []


def test_outcome_and_correction_of_one_line_are_written(world: World) -> None:
    raw = taken_out(world, make(world))
    raw = edited(raw, told(0, outcome="已登记", when="2022-09-02 11:30", by="王写字", name="演新名"))

    back = committed(world, raw, at=LATER)

    assert (back.counts["change"], back.counts["APPLIED"]) == (1, 2)
    assert outcomes(world) == {"done": 1, "": 5}
    names = {p.name for p in Person.objects.across(reason="verify")}
    assert "演新名" in names
    assert verify_all() == []


def test_both_sides_changed_one_outcome_and_a_person_sees_both(world: World) -> None:
    sheet = make(world)
    raw = edited(taken_out(world, sheet), told(0, outcome="外出", when="2022-09-02 12:20"))
    first = world.persons[0]
    world.record(world.outcome(first, "no_answer", minutes=10, worker=1))

    back = committed(world, raw, at=LATER)

    assert back.counts["differs"] == 1
    one = SheetDifference.objects.across(reason="verify").get()
    sides = both_sides(one)
    assert {sides["current"]["value"]["zh"], sides["other"]["value"]["zh"]} == {"外出", "没人应门"}
    assert {sides["current"]["who"], sides["other"]["who"]} == {"李填表", "网格员1"}
    assert any("1号楼门口" in side["where"] for side in (sides["current"], sides["other"]))
    before = outcomes(world)
    take_the_other(one, by=world.head.id, at=LATER)
    assert outcomes(world) != before
    assert verify_all() == []
    with pytest.raises(Refusal):
        take_the_other(one, by=world.head.id, at=LATER)


def test_only_the_ledger_rule_decides_until_somebody_chose_whatever_came_first() -> None:
    """Phone before sheet or sheet before phone: the same outcome stands."""
    stood = []
    for phone_first in (True, False):
        with rolled_back():
            town = make_world(doors=1, people=1)
            raw = edited(taken_out(town, make(town)), told(0, outcome="外出", when="2022-09-02 12:20"))
            fact = town.outcome(town.persons[0], "done", minutes=10, worker=1)
            if phone_first:
                town.record(fact)
            committed(town, raw, at=LATER)
            if not phone_first:
                town.record(fact)
            stood.append(LedgerEntry.objects.get(round=town.round.id, subject=town.persons[0].id).outcome)
            assert verify_all() == []
    assert stood == ["done", "done"]


def test_correction_of_one_field_on_both_sides_waits_with_both_words(world: World) -> None:
    person = world.persons[0]
    raw = edited(taken_out(world, make(world)), told(0, phone="13900001111"))
    said = {"field": "phone", "was": person.phone or "", "now": "13900002222", "base": 1}
    world.record(world.fact("person.changed", person.id, minutes=5, worker=1, **said))

    back = committed(world, raw, at=LATER)

    assert (back.counts["differs"], back.counts["QUARANTINED"]) == (1, 1)
    sides = conflict_of(Waiting.objects.get())
    assert (sides["current"]["value"], sides["current"]["who"]) == ("13900002222", "网格员1")
    assert (sides["other"]["value"], sides["other"]["who"]) == ("13900001111", "李填表")
    assert sides["other"]["where"].endswith("1号楼门口")


def test_different_fields_changed_on_both_sides_merge(world: World) -> None:
    person = world.persons[0]
    raw = edited(taken_out(world, make(world)), told(0, phone="13900001111"))
    said = {"field": "name", "was": person.name or "", "now": "演改名", "base": 1}
    world.record(world.fact("person.changed", person.id, minutes=5, worker=1, **said))

    committed(world, raw, at=LATER)

    stands = Person.objects.across(reason="verify").get(id=person.id)
    assert (stands.name, stands.phone) == ("演改名", "13900001111")


def test_what_others_changed_stays_where_the_sheet_says_nothing_new(world: World) -> None:
    raw = edited(taken_out(world, make(world)), lambda rows: None)
    world.record(world.outcome(world.persons[0], "done", minutes=5))

    back = brought(world, raw, at=LATER)

    assert back.counts["same"] == 6


def test_brought_in_twice_does_nothing_twice(world: World) -> None:
    raw = edited(taken_out(world, make(world)), told(0, outcome="已登记", name="演新名", note="门铃坏了"))
    committed(world, raw, at=LATER)
    before = Fact.objects.count()

    again = committed(world, raw, at=LATER + timedelta(hours=1))

    assert again.made == []
    assert Fact.objects.count() == before
    assert verify_all() == []


def test_commit_asked_twice_at_once_writes_once(world: World) -> None:
    back = brought(world, edited(taken_out(world, make(world)), told(0, outcome="已登记")), at=LATER)
    twin = SheetReturn.objects.across(reason="verify").select_related("sheet").get(id=back.id)

    flow.commit_return(back, by=desk(world), at=LATER)
    flow.commit_return(twin, by=desk(world), at=LATER)

    assert Fact.objects.count() == 1
    assert SheetReturn.objects.across(reason="verify").get().made == back.made


def test_undo_takes_all_of_it_back_and_the_file_can_be_brought_in_again(world: World) -> None:
    def edit(rows: list[Cells]) -> list[Cells]:
        told(0, outcome="已登记", name="演新名")(rows)
        rows.append(["", "1号楼", "1", "101", "新来的人", "", "", "", "已登记", "", "", "", "", ""])
        return rows

    raw = edited(taken_out(world, make(world)), edit)
    before = outcomes(world)
    back = committed(world, raw, at=LATER)
    assert back.counts["new"] == 1

    undone, told_ = flow.undo_return(back, by=desk(world), at=LATER)

    assert (undone.state, told_) == ("UNDONE", {"taken_back": 3, "stay": 0})
    assert outcomes(world) == {**before, "added_in_error": 1}
    assert "演新名" not in {p.name for p in Person.objects.across(reason="verify")}
    assert verify_all() == []
    again = committed(world, raw, at=LATER + timedelta(hours=1))
    assert again.counts["APPLIED"] == 3
    assert outcomes(world)["done"] == 2
    assert verify_all() == []


def test_correction_that_somebody_changed_since_stays_on_undo(world: World) -> None:
    back = committed(world, edited(taken_out(world, make(world)), told(0, phone="13900001111")), at=LATER)
    said = {"field": "phone", "was": "13900001111", "now": "13900003333", "base": 2}
    world.record(world.fact("person.changed", world.persons[0].id, minutes=200, **said))

    _, told_ = flow.undo_return(back, by=desk(world), at=LATER)

    assert told_ == {"taken_back": 0, "stay": 1}
    assert Person.objects.across(reason="verify").get(id=world.persons[0].id).phone == "13900003333"


def test_lines_taken_out_are_told_and_never_deleted(world: World) -> None:
    def edit(rows: list[Cells]) -> list[Cells]:
        told(0, outcome="已登记")(rows)
        return rows[:1]

    back = committed(world, edited(taken_out(world, make(world)), edit), at=LATER)

    assert back.counts["absent"] == 5
    assert LedgerEntry.objects.filter(round=world.round.id, grid=world.grids[0].id).count() == 6
