# SPDX-License-Identifier: Apache-2.0
"""Lists that went through other people's programs: each state has one clear word, nothing is half done."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import timedelta

import openpyxl
import pytest

from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.campaigns.models import LedgerEntry
from muster.flows import sheet_returns as flow
from muster.sheets.models import SheetReturn
from muster.trail.models import Fact
from tests.sheets.paper import AT, brought, committed, edited, make, taken_out, told
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=2)
OLE = bytes.fromhex("d0cf11e0a1b11ae1")


@pytest.fixture
def world() -> World:
    return make_world(doors=3, people=2)


def in_book(raw: bytes, act: Callable[[openpyxl.Workbook], None]) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(raw))
    act(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def repacked(raw: bytes, act: Callable[[dict[str, bytes]], None]) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as parts:
        files = {name: parts.read(name) for name in parts.namelist()}
    act(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as parts:
        for name, content in files.items():
            parts.writestr(name, content)
    return out.getvalue()


def away(world: World) -> bytes:
    return edited(taken_out(world, make(world)), told(0, outcome="外出"))


def test_hidden_column_taken_out_is_one_clear_word_and_nothing_is_kept(world: World) -> None:
    raw = in_book(away(world), lambda book: book.worksheets[0].delete_cols(AT["mark"] + 1))

    with pytest.raises(Refusal) as refused:
        brought(world, raw)

    assert refused.value.code in {"sheet_columns_missing", "sheet_without_marks"}
    for lang in ("zh", "en"):
        assert text(refused.value.code, lang, **refused.value.facts)
        assert cure(refused.value.code, lang, **refused.value.facts)
    assert SheetReturn.objects.across(reason="verify").count() == 0


def test_ten_thousand_blank_rows_below_do_nothing(world: World) -> None:
    def widen(book: openpyxl.Workbook) -> None:
        page = book.worksheets[0]
        for row in range(page.max_row + 1, page.max_row + 10_001):
            page.cell(row, 1).value = " " if row % 2 else None
        page.cell(page.max_row + 1, 3).number_format = "0.00"

    back = committed(world, in_book(away(world), widen), at=LATER)

    assert (back.counts["APPLIED"], back.counts.get("bad", 0)) == (1, 0)


def test_outcomes_merged_over_rows_hold_for_each_of_them_or_say_so(world: World) -> None:
    def merge(book: openpyxl.Workbook) -> None:
        column = AT["outcome"] + 1
        book.worksheets[0].merge_cells(start_row=2, end_row=3, start_column=column, end_column=column)

    back = brought(world, in_book(away(world), merge))

    lines = {line.told.row: line for line in flow.merge_now(back).lines if line.told.number}
    assert lines[2].told.outcome == "away"
    assert lines[3].told.outcome in {"away", ""}
    assert not lines[2].mistakes


def test_formula_without_a_result_is_told_with_its_row_and_the_rest_goes_in(world: World) -> None:
    def calculate(book: openpyxl.Workbook) -> None:
        page = book.worksheets[0]
        page.cell(3, AT["outcome"] + 1).value = '=IF(1=1,"外出","")'
        page.cell(4, AT["when"] + 1).value = "=NOW()"

    back = committed(world, in_book(away(world), calculate), at=LATER)

    assert back.counts["APPLIED"] >= 1
    assert LedgerEntry.objects.get(subject=world.persons[0].id).outcome == "away"
    assert not Fact.objects.filter(body__contains="IF(").exists()


@pytest.mark.parametrize("said", ["2022年9月2日 11:30", "9.2 11:30", "2022-09-02T11:30:00"])
def test_date_typed_as_text_is_read_or_told(world: World, said: str) -> None:
    raw = edited(taken_out(world, make(world)), told(0, outcome="外出", when=said))

    back = brought(world, raw, at=LATER)

    line = next(line.told for line in flow.merge_now(back).lines if line.told.number == 1)
    assert line.when.startswith("2022-09-02T11:30") or [m.field for m in line.mistakes] == ["when"]


@pytest.mark.parametrize("name", ["list.xlsx", "list.xls", "list.csv", "list"])
def test_old_workbook_under_another_name_is_refused_by_what_it_is(world: World, name: str) -> None:
    with pytest.raises(Refusal) as refused:
        brought(world, OLE + bytes(4_000), name=name)

    for lang in ("zh", "en"):
        assert ".xlsx" in f"{text(refused.value.code, lang)}{cure(refused.value.code, lang)}"
    assert SheetReturn.objects.across(reason="verify").count() == 0


def test_macros_that_came_along_are_not_kept_and_the_list_is_read(world: World) -> None:
    """A workbook of macros by its content type, whatever it is called: its cells are words, no more."""

    def add_macros(files: dict[str, bytes]) -> None:
        files["xl/vbaProject.bin"] = OLE + b"Sub AutoOpen()" * 50
        kind = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
        types = files["[Content_Types].xml"]
        files["[Content_Types].xml"] = types.replace(
            kind, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml"
        )

    raw = repacked(away(world), add_macros)

    back = committed(world, raw, at=LATER, name="list.xlsm")

    assert back.counts["APPLIED"] == 1


@pytest.mark.usefixtures("in_a_child")
def test_bomb_in_the_shape_of_a_list_is_refused_and_nothing_is_kept(world: World) -> None:
    def inflate(files: dict[str, bytes]) -> None:
        files["xl/sharedStrings.xml"] = b"<sst>" + b"<si><t>" + b"a" * (120 << 20) + b"</t></si></sst>"

    with pytest.raises(Refusal) as refused:
        brought(world, repacked(away(world), inflate))

    for lang in ("zh", "en"):
        assert text(refused.value.code, lang, **refused.value.facts)
    assert SheetReturn.objects.across(reason="verify").count() == 0


def test_two_sheets_of_pages_in_the_wrong_order_and_hidden_rows_are_still_the_list(world: World) -> None:
    def shuffle(book: openpyxl.Workbook) -> None:
        page = book.worksheets[0]
        page.row_dimensions[3].hidden = True
        page.freeze_panes = None
        page.auto_filter.ref = None
        book.move_sheet(page, len(book.worksheets) - 1)
        book.create_sheet("Sheet9", 0)["A1"] = "买菜"

    back = committed(world, in_book(away(world), shuffle), at=LATER)

    assert back.counts["APPLIED"] == 1
