# SPDX-License-Identifier: Apache-2.0
"""Lists that come back in a state: each row says what is wrong and what to do; good rows go in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import openpyxl
import pytest

from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.campaigns.models import LedgerEntry
from muster.campaigns.services import freeze_round, open_round, plan_round
from muster.flows import sheet_returns as flow
from muster.packs.schema import PhonePlan
from muster.register.importing.cell_text import text_of
from muster.sheets.choices import door_choices, outcome_choices
from muster.sheets.marks import mark_key, read_mark, write_mark
from muster.sheets.models import SheetReturn
from muster.sheets.told import Reader
from tests.sheets.paper import AT, Cells, brought, committed, desk, edited, make, taken_out, told
from tests.support.world import KIND, NOON, World, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=2)


@pytest.fixture
def world() -> World:
    return make_world(doors=3, people=2)


def reader() -> Reader:
    return Reader(choices=outcome_choices(KIND), doors=door_choices(), zone="Asia/Shanghai", written=NOON,
                  now=LATER, plan=PhonePlan())  # fmt: skip


def as_csv(raw: bytes, encoding: str) -> bytes:
    page = openpyxl.load_workbook(io.BytesIO(raw)).worksheets[0]
    out = io.StringIO()
    writer = csv.writer(out)
    for row in page.iter_rows(values_only=True):
        writer.writerow(["" if cell is None else cell for cell in row])
    return out.getvalue().encode(encoding)


def mistakes(back: SheetReturn) -> dict[int, list[tuple[str, str]]]:
    """row -> (field, code); every one has words and a cure in both languages."""
    found = {}
    for line in flow.merge_now(back).lines:
        if line.mistakes:
            assert all(len(m.said(lang)) > 4 for m in line.mistakes for lang in ("zh", "en"))
            found[line.told.row] = [(m.field, m.code) for m in line.mistakes]
    return found


@pytest.mark.parametrize("encoding", ["gb18030", "utf-16"])
def test_saved_as_csv_in_any_encoding_it_is_the_same_list(world: World, encoding: str) -> None:
    raw = edited(taken_out(world, make(world)), told(2, outcome="外出", note="去外地，=1+1"))

    back = committed(world, as_csv(raw, encoding), at=LATER, name="list.csv")

    assert back.counts["APPLIED"] == 1
    assert LedgerEntry.objects.get(outcome="away").subject == world.persons[2].id


def test_sorted_by_its_reader_each_line_is_still_itself(world: World) -> None:
    def edit(rows: list[Cells]) -> list[Cells]:
        told(5, outcome="外出")(rows)
        return rows[::-1]

    committed(world, edited(taken_out(world, make(world)), edit), at=LATER)

    assert LedgerEntry.objects.get(outcome="away").subject == world.persons[5].id


def test_row_copied_twice_counts_once_and_two_words_of_one_line_are_told(world: World) -> None:
    def edit(rows: list[Cells]) -> list[Cells]:
        told(0, outcome="外出")(rows)
        told(1, outcome="外出")(rows)
        other = list(rows[1])
        other[AT["outcome"]] = "已登记"
        return [*rows, list(rows[0]), other]

    back = committed(world, edited(taken_out(world, make(world)), edit), at=LATER)

    assert mistakes(back) == {9: [("number", "sheet_row_twice")]}
    assert back.counts["APPLIED"] == 2


@pytest.mark.parametrize(
    ("mark", "code"),
    [
        ("ABCD-EFGH.1.xxxxxxxx.xxxxxxxx", "sheet_mark_foreign"),
        ("garbage", "sheet_mark_bad"),
        ("演" * 40, "sheet_mark_bad"),
    ],
)
def test_mangled_mark_is_told_on_its_row_and_the_rest_goes_in(world: World, mark: str, code: str) -> None:
    def edit(rows: list[Cells]) -> None:
        told(0, mark=mark, outcome="外出")(rows)
        told(1, outcome="外出")(rows)

    back = committed(world, edited(taken_out(world, make(world)), edit), at=LATER)

    assert mistakes(back) == {2: [("mark", code)]}
    assert LedgerEntry.objects.filter(outcome="away").count() == 1


def test_mark_of_one_line_forged_for_another_is_seen(world: World) -> None:
    sheet = make(world)
    mark = write_mark(sheet.code, 1, key=mark_key())

    assert read_mark(mark, key=mark_key()) == (sheet.code, 1)
    with pytest.raises(Refusal, match="sheet_mark_bad"):
        read_mark(mark.replace(".1.", ".2."), key=mark_key())


def test_row_that_lost_its_mark_is_known_by_number_and_name_and_by_nothing_less(world: World) -> None:
    def edit(rows: list[Cells]) -> None:
        told(0, mark="", outcome="外出")(rows)
        told(1, mark="", number="", outcome="外出")(rows)

    back = committed(world, edited(taken_out(world, make(world)), edit), at=LATER)

    assert mistakes(back) == {3: [("name", "sheet_new_is_listed")]}
    assert LedgerEntry.objects.get(outcome="away").subject == world.persons[0].id


def test_list_of_another_round_is_refused_by_name_and_nothing_is_kept(world: World) -> None:
    raw = taken_out(world, make(world))
    campaign = world.round.campaign
    second = plan_round(campaign, name="第二轮", at=NOON, by=None)
    world.round = open_round(freeze_round(second, by=None, at=NOON), by=None, at=NOON)

    with pytest.raises(Refusal, match="sheet_of_other_round") as refused:
        brought(world, raw)

    assert refused.value.facts == {"round": "第一轮"}
    assert SheetReturn.objects.across(reason="verify").count() == 0


def test_lines_of_two_sheets_in_one_file_are_told_apart(world: World) -> None:
    first, second = make(world), make(world, grid=world.grids[1])
    other = edited(taken_out(world, second), lambda rows: None)
    line = [
        cell.value
        for cell in next(openpyxl.load_workbook(io.BytesIO(other)).worksheets[0].iter_rows(min_row=2))
    ]

    back = brought(world, edited(taken_out(world, first), lambda rows: [*rows, line]))

    assert mistakes(back) == {8: [("mark", "sheet_row_of_other")]}


def test_old_export_meets_what_happened_since(world: World) -> None:
    raw = edited(taken_out(world, make(world)), told(0, outcome="外出"))
    for n in range(3):
        world.record(world.outcome(world.persons[n], "done", minutes=n))

    back = brought(world, raw, at=NOON + timedelta(days=9))

    assert (back.counts["differs"], back.counts["same"]) == (1, 5)


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("2022-09-02 11:30", "2022-09-02T11:30"),
        (datetime(2022, 9, 2, 11, 30), "2022-09-02T11:30"),  # noqa: DTZ001
        ("44806.479166667", "2022-09-02T11:30"),
        (44806.479166667, "2022-09-02T11:30"),
        ("9月2日 11点30分", "2022-09-02T11:30"),
        ("2022/9/2 11:30", "2022-09-02T11:30"),
        ("１１：３０", "2022-09-02T11:30"),
        ("0.479166667", "2022-09-02T11:30"),
        ("9月1日 8点", "2022-09-01T08:00"),
    ],
)
def test_time_as_text_or_as_a_spreadsheet_counts_days(said: Any, means: str) -> None:
    line = reader().line(1, {"outcome": "外出", "when": text_of(said)}, number=1)

    assert line.mistakes == []
    assert line.when[:16] == means
    assert line.when.endswith("+08:00")


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        ({"outcome": "不知道"}, "sheet_outcome_unknown"),
        ({"outcome": "外出", "when": "2022-13-40 11:30"}, "sheet_time_unreadable"),
        ({"outcome": "外出", "when": "下午"}, "sheet_time_unreadable"),
        ({"outcome": "外出", "when": "9/2/22 5pm"}, "sheet_time_unreadable"),
        ({"outcome": "外出", "when": "2099-01-01 00:00"}, "sheet_time_future"),
        ({"phone": "12"}, "sheet_phone_unreadable"),
        ({"note": "长" * 401}, "sheet_value_too_long"),
        ({"name": "名" * 81}, "sheet_value_too_long"),
    ],
)
def test_wrong_cell_is_told_with_its_field_and_cure(cells: dict[str, Any], code: str) -> None:
    line = reader().line(1, cells, number=1)

    assert [m.code for m in line.mistakes] == [code]
    assert all(len(m.said(lang)) > 4 for m in line.mistakes for lang in ("zh", "en"))


def test_list_with_nothing_that_can_be_written_is_refused_on_commit(world: World) -> None:
    back = brought(world, edited(taken_out(world, make(world)), told(0, outcome="不知道")), at=LATER)

    assert mistakes(back) == {2: [("outcome", "sheet_outcome_unknown")]}
    with pytest.raises(Refusal, match="return_empty"):
        flow.commit_return(back, by=desk(world), at=LATER)


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (["", "1号楼", "1", "101", "", "", "13900001111", "", "已登记"], "sheet_new_without_name"),
        (["", "9号楼", "1", "901", "新来", "", "", "", "已登记"], "sheet_new_door_unknown"),
        (["", "1号楼", "1", "101", "新来", "19x0", "", "", "已登记"], "sheet_born_unreadable"),
        (["", "1号楼", "1", "101", "演1", "", "", "", "已登记"], "sheet_new_is_listed"),
    ],
)
def test_new_line_that_cannot_be_placed_says_why(world: World, cells: Cells, code: str) -> None:
    back = brought(world, edited(taken_out(world, make(world)), lambda rows: [*rows, cells]), at=LATER)

    assert [[one for _, one in said] for said in mistakes(back).values()] == [[code]]


def test_formulas_come_in_and_go_out_as_text(world: World) -> None:
    raw = edited(taken_out(world, make(world)), told(0, name="@演甲", outcome="外出", note="+86"))

    committed(world, raw, at=LATER)
    page = openpyxl.load_workbook(io.BytesIO(taken_out(world, make(world, at=LATER)))).worksheets[0]

    assert all(cell.data_type in ("s", "n") for row in page.iter_rows() for cell in row)
    assert not any(cell.hyperlink for row in page.iter_rows() for cell in row)


def a_long_file(world: World) -> bytes:
    head = "号,姓名,结果,行编号（勿改）\n"
    return (head + "1,演1,外出,x\n" * 100_000).encode()


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (lambda world: b"", "import_file_empty"),
        (lambda world: b"PK\x03\x04 no zip", "import_file_unreadable"),
        (lambda world: "姓名,电话\n演1,1\n".encode(), "sheet_columns_missing"),
        (lambda world: "号,姓名,结果,行编号（勿改）\n1,演1,外出,\n".encode(), "sheet_without_marks"),
        (lambda world: "号,姓名,结果,行编号（勿改）\n".encode(), "sheet_without_marks"),
        (a_long_file, "sheet_rows_too_many"),
    ],
)
def test_file_that_is_no_list_is_refused_in_one_sentence(
    world: World, raw: Callable[[World], bytes], code: str
) -> None:
    with pytest.raises(Refusal) as refused:
        brought(world, raw(world))

    assert refused.value.code == code
    assert text(code, "zh", **refused.value.facts) != text(code, "en", **refused.value.facts)
    # Those of unreadable files name the cure in the sentence itself.
    assert code.startswith("import_") or cure(code, "zh", **refused.value.facts)


def test_columns_moved_renamed_and_merged_cells_are_understood(world: World) -> None:
    book = openpyxl.load_workbook(io.BytesIO(taken_out(world, make(world))))
    page = book.worksheets[0]
    page.cell(1, AT["outcome"] + 1).value = "Result"
    page.cell(2, AT["outcome"] + 1).value = "外出"
    letter = openpyxl.utils.get_column_letter(AT["outcome"] + 1)
    page.protection.sheet = False
    page.insert_rows(1)
    page.merge_cells(f"{letter}3:{letter}5")
    page["A1"] = "某某社区名册"
    out = io.BytesIO()
    book.save(out)

    committed(world, out.getvalue(), at=LATER)

    assert LedgerEntry.objects.filter(outcome="away").count() == 3


def test_sheet_beyond_its_size_is_refused_before_anything_is_kept(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("muster.sheets.services.MOST_LINES", 3)

    with pytest.raises(Refusal, match="sheet_too_long"):
        make(world)


def test_reader_keeps_words_of_both_languages_and_the_key() -> None:
    for said in ("外出", "Away", "away", "AWAY", "3", " 外 出。"):
        assert reader().line(1, {"outcome": said}, number=1).outcome == "away"
