# SPDX-License-Identifier: Apache-2.0
"""Paper typed in: who wrote it, when and where stays with each fact; a second typist sees differences."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, LedgerEntry
from muster.flows import sheet_returns as flow
from muster.flows.sheet_returns import TypedLine, Writer
from muster.register.models import Person
from muster.sheets.models import Sheet, SheetReturn
from muster.sync.verify import verify_all
from muster.trail.models import Fact
from tests.sheets.paper import desk, make
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=3)
WRITER = Writer("李填表", NOON + timedelta(hours=1), "1号楼门口")


@pytest.fixture
def world() -> World:
    return make_world(doors=3, people=2)


def typed(world: World, sheet: Sheet, *lines: TypedLine, checked: bool = False, number: int = 0,
          writer: Writer = WRITER) -> SheetReturn:  # fmt: skip
    return flow.open_typed(
        sheet, lines, writer=writer, checked=checked, by=desk(world, number=number), at=LATER
    )


def test_fact_keeps_who_wrote_it_when_and_where_besides_who_typed_it(world: World) -> None:
    sheet = make(world, "ROSTER")

    back = typed(world, sheet, TypedLine(2, "1", note="按了两次门铃"), TypedLine(3, "外出", when="13:05"))
    flow.commit_return(back, by=desk(world), at=LATER)

    kept = Fact.objects.filter(round=world.round.id)
    facts = {json.loads(f.body or "{}")["paper"]["line"]: f for f in kept}
    paper: dict[str, Any] = json.loads(facts[2].body or "{}")["paper"]
    assert paper == {"channel": "PAPER", "sheet": sheet.code, "line": 2, "by": "李填表", "where": "1号楼门口"}
    assert facts[2].occurred_at == WRITER.at
    assert facts[3].occurred_at == NOON + timedelta(hours=1, minutes=5)
    assert {f.actor for f in facts.values()} == {world.workers[0].id}
    assert {f.offset_minutes for f in facts.values()} == {480}
    assert LedgerEntry.objects.filter(outcome="done").count() == 1
    assert verify_all() == []


def test_second_typist_sees_where_the_two_differ_and_only_then_it_goes_on(world: World) -> None:
    sheet = make(world, "ROSTER")
    back = typed(world, sheet, TypedLine(1, "done"), TypedLine(2, "away"), checked=True)

    with pytest.raises(Refusal, match="return_not_ready"):
        flow.commit_return(back, by=desk(world), at=LATER)
    with pytest.raises(Refusal, match="return_same_typist"):
        flow.type_second(back, [TypedLine(1, "done")], final=False, by=desk(world), at=LATER)
    other, said = desk(world, "复核员", 1), [TypedLine(1, "done"), TypedLine(2, "done"), TypedLine(3, "away")]
    assert flow.type_second(back, said, final=False, by=other, at=LATER) == [2, 3]
    assert SheetReturn.objects.across(reason="verify").get().state == "TYPED_ONCE"
    assert flow.type_second(back, said, final=True, by=other, at=LATER) == [2, 3]

    flow.commit_return(back, by=other, at=LATER)

    kept = SheetReturn.objects.across(reason="verify").get()
    assert (kept.state, kept.second_by_name) == ("COMMITTED", "复核员")
    assert [line["outcome"] for line in json.loads(kept.second or "")["lines"]] == ["done", "away"]
    assert LedgerEntry.objects.filter(outcome="done").count() == 2


def test_second_typist_who_agrees_needs_no_more_question(world: World) -> None:
    back = typed(world, make(world, "ROSTER"), TypedLine(1, "done"), checked=True)

    assert flow.type_second(back, [TypedLine(1, "1")], final=False, by=desk(world, "乙", 1), at=LATER) == []
    assert back.state == "PREVIEWED"


def test_same_paper_typed_by_two_does_nothing_twice(world: World) -> None:
    sheet = make(world, "ROSTER")
    for number in (0, 1):
        back = typed(world, sheet, TypedLine(1, "done"), number=number)
        flow.commit_return(back, by=desk(world, number=number), at=LATER)

    assert Fact.objects.count() == 1
    assert verify_all() == []


@pytest.mark.parametrize(
    ("lines", "writer", "code"),
    [
        ([], WRITER, "typed_nothing"),
        ([TypedLine(1, "done")], Writer("", NOON), "written_by_missing"),
        ([TypedLine(99, "done")], WRITER, "sheet_line_unknown"),
        ([TypedLine(-1, "done")], WRITER, "sheet_line_unknown"),
        ([TypedLine(1, "done")] * 2_001, WRITER, "sheet_rows_too_many"),
    ],
)
def test_paper_that_cannot_be_taken_says_why(
    world: World, lines: list[TypedLine], writer: Writer, code: str
) -> None:
    with pytest.raises(Refusal, match=code):
        flow.open_typed(make(world, "ROSTER"), lines, writer=writer, checked=False, by=desk(world), at=LATER)
    assert SheetReturn.objects.across(reason="verify").count() == 0


def test_wrong_outcome_and_time_are_told_on_their_line_and_the_others_go_in(world: World) -> None:
    back = typed(
        world, make(world, "ROSTER"), TypedLine(1, "九"), TypedLine(2, "done", when="昨天"),
        TypedLine(3, "done"), TypedLine(4, "done", when="2023-01-01 08:00"), TypedLine(5),
    )  # fmt: skip

    lines = {line.told.number: line for line in flow.merge_now(back).lines}

    assert [m.code for m in lines[1].mistakes] == ["sheet_outcome_unknown"]
    assert [m.code for m in lines[2].mistakes] == ["sheet_time_unreadable"]
    assert [m.code for m in lines[4].mistakes] == ["sheet_time_future"]
    assert [m.code for m in lines[5].mistakes] == ["sheet_line_blank"]
    for lang in ("zh", "en"):
        assert all(m.said(lang) for line in lines.values() for m in line.mistakes)
    assert flow.commit_return(back, by=desk(world), at=LATER).counts["APPLIED"] == 1


def test_somebody_newly_found_on_paper_joins_the_roster_with_his_source(world: World) -> None:
    sheet, before = make(world, "ROSTER"), LedgerEntry.objects.count()
    new = TypedLine(0, "done", name="新来的人", born="1990", phone="13911112222", door="1号楼1单元101")

    flow.commit_return(typed(world, sheet, new), by=desk(world), at=LATER)

    person = next(p for p in Person.objects.across(reason="verify") if p.name == "新来的人")
    assert (person.source, person.birth_year, person.listed) == ("sheet", 1990, False)
    assert LedgerEntry.objects.count() == before + 1
    assert LedgerEntry.objects.get(subject=person.id).outcome == "done"
    assert verify_all() == []


def test_door_with_nobody_on_the_list_has_a_line_and_states_of_its_own() -> None:
    world = make_world(doors=3, people=0)
    sheet = make(world, "ROSTER")

    flow.commit_return(typed(world, sheet, TypedLine(1, "空户"), TypedLine(2, "3")), by=desk(world), at=LATER)

    doors = DoorEntry.objects.filter(round=world.round.id, grid=world.grids[0].id)
    assert sorted(doors.values_list("state", flat=True)) == ["NO_ANSWER", "UNSEEN", "VACANT"]
    assert verify_all() == []
