# SPDX-License-Identifier: Apache-2.0
"""A list taken out, edited as somebody with a spreadsheet would, and brought back."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime
from typing import Any

import openpyxl

from muster.campaigns.queries import round_with_kind
from muster.flows import sheet_returns as flow
from muster.flows.sheet_returns import Writer
from muster.incidents.packs import pack_of
from muster.places.models import Grid
from muster.sheets.columns import COLUMNS
from muster.sheets.models import Sheet, SheetReturn
from muster.sheets.queries import lines_of_sheet
from muster.sheets.services import Maker, Wish, make_sheet
from muster.sheets.workbooks import write_list
from muster.storage.scoping import Scope
from tests.support.world import NOON, World

AT = {column.key: place for place, column in enumerate(COLUMNS)}
Cells = list[Any]


def desk(world: World, name: str = "录入员", number: int = 0) -> Maker:
    return Maker(world.workers[number].id, name, "desk", Scope(everything=True))


def make(world: World, kind: str = "LIST", *, at: datetime = NOON, grid: Grid | None = None, lang: str = "zh",
         **wish: Any) -> Sheet:  # fmt: skip
    by = Maker(world.head.id, "网格长甲", "grid_head", Scope(everything=True), lang)
    return make_sheet(
        round_with_kind(world.round.id), grid or world.grids[0], Wish(kind, "ROUND", **wish),
        pack=pack_of(world.incident), by=by, at=at,
    )  # fmt: skip


def taken_out(world: World, sheet: Sheet) -> bytes:
    out = io.BytesIO()
    write_list(out, sheet, lines_of_sheet(sheet), round_=round_with_kind(sheet.round), grid_name="网格",
               pack=pack_of(world.incident), zone="Asia/Shanghai")  # fmt: skip
    return out.getvalue()


def edited(raw: bytes, edit: Callable[[list[Cells]], list[Cells] | None]) -> bytes:
    """The first sheet's rows under the header, changed, saved by another program."""
    book = openpyxl.load_workbook(io.BytesIO(raw))
    page = book.worksheets[0]
    rows = [[cell.value for cell in row] for row in page.iter_rows(min_row=2)]
    while rows and not any(rows[-1]):
        rows.pop()
    after = edit(rows) or rows
    page.delete_rows(2, page.max_row)
    for row in after:
        page.append(row)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def told(row: int, **cells: Any) -> Callable[[list[Cells]], None]:
    """An edit of one line."""

    def edit(rows: list[Cells]) -> None:
        for key, value in cells.items():
            rows[row][AT[key]] = value

    return edit


def brought(world: World, raw: bytes, *, at: datetime = NOON, by: str = "李填表", name: str = "list.xlsx",
            where: str = "1号楼门口") -> SheetReturn:  # fmt: skip
    return flow.open_file(raw, file_name=name, round_=world.round, writer=Writer(by, at, where),
                          by=desk(world), at=at)  # fmt: skip


def committed(world: World, raw: bytes, *, at: datetime = NOON, **more: Any) -> SheetReturn:
    return flow.commit_return(brought(world, raw, at=at, **more), by=desk(world), at=at)
