# SPDX-License-Identifier: Apache-2.0
"""A list as a spreadsheet: out, edited without a network, back by a three-way merge."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muster.base.errors import Refusal
from muster.campaigns.models import LedgerEntry
from muster.flows import sheet_returns as flow
from muster.flows.sheet_differences import both_sides, take_the_other
from muster.register.models import Person
from muster.sheets.models import SheetDifference
from muster.sync.verify import verify_all
from tests.sheets.paper import brought, committed, edited, make, taken_out, told
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
