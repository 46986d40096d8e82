# SPDX-License-Identifier: Apache-2.0
"""Made-up lists as files, and the short way from a file to the register."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import xlsxwriter
from python_calamine import CalamineWorkbook

from muster.base.ids import new_id
from muster.register.id_documents import check_digit
from muster.register.import_models import ImportBatch
from muster.register.importing.batches import Choices, open_batch, prepare_batch
from muster.register.importing.committing import commit_batch
from muster.register.importing.finding import Reach
from muster.register.importing.operators import Operator
from tests.support.world import NOON

Rows = Sequence[Sequence[Any]]


def now():
    return NOON


def id_number(*, born: str = "19800501", serial: int = 123, area: str = "990101") -> str:
    first = f"{area}{born}{serial:03d}"
    return first + check_digit(first)


def xlsx(rows: Rows, *, sheet: str = "名单") -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    page = book.add_worksheet(sheet)
    for at, row in enumerate(rows):
        page.write_row(at, 0, row)
    book.close()
    return out.getvalue()


def csv_file(rows: Rows, encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode(encoding)


def sheet_of(raw: bytes, place: int = 0) -> list[list[str]]:
    """The rows of a written workbook."""
    return CalamineWorkbook.from_filelike(io.BytesIO(raw)).get_sheet_by_index(place).to_python()


def table(*rows: Mapping[str, Any]) -> list[list[Any]]:
    """Header and rows from dictionaries; the header is every key in the order of its first use."""
    headers = list(dict.fromkeys(key for row in rows for key in row))
    return [headers, *([row.get(header, "") for header in headers] for row in rows)]


def somebody(
    name: str,
    *,
    building: str = "1号楼",
    community: str = "1社区",
    unit: str = "1",
    room: str = "101",
    **more: Any,
):
    """A line of a list of persons, behind a door of the made-up place."""
    return {"姓名": name, "社区": community, "楼栋": building, "单元": unit, "室号": room, **more}


def operator(reach: Reach | None = None, **more: Any) -> Operator:
    return Operator(more.pop("id", None) or new_id(), "操作员", "desk", reach or Reach(), **more)


def take_in(
    kind: str, raw: bytes, *, who: Operator | None = None, commit: bool = True, **choices: Any
) -> ImportBatch:
    """Upload, check and, unless told otherwise, write a list."""
    batch = open_batch(
        kind, raw, file_name="名单.xlsx", operator=who or operator(), choices=Choices(**choices), at=NOON
    )
    prepare_batch(batch, raw, now=now)
    return commit_batch(batch.id, now=now) if commit else batch


def bring(kind: str, *rows: Mapping[str, Any], **choices: Any) -> ImportBatch:
    return take_in(kind, csv_file(table(*rows)), **choices)
