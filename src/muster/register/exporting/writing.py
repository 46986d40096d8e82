# SPDX-License-Identifier: Apache-2.0
"""Writing an export: headers, optional hashtags, rows; and who saw whose data, in the trail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from django.db import transaction

from muster.base.errors import Refusal
from muster.register.exporting.filters import Filters
from muster.register.exporting.lists import list_rows
from muster.register.exporting.spreadsheets import CsvFile, XlsxFile
from muster.register.importing.form import Form
from muster.register.importing.kinds import kind_named
from muster.register.importing.operators import EXPORT, Operator
from muster.register.importing.round_trip import round_trip_key, write_row_id
from muster.register.importing.setting import Setting
from muster.register.importing.templates import looks_of, offer_choices
from muster.trail.services import record_disclosures, record_event

PERSONAL = frozenset({"dwellings", "households", "persons", "needs", "responders"})
Add = Callable[[list[str]], None]
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Export:
    """What is taken out: a kind of list, narrowed as the screen was, in the reader's language."""

    kind: str
    operator: Operator
    setting: Setting
    lang: str
    filters: Filters = field(default_factory=Filters)
    hashtags: bool = False

    @property
    def form(self) -> Form:
        return kind_named(self.kind).form


def write_export(
    export: Export, suffix: str, target: Path | BinaryIO, *, at: datetime, progress: Progress | None = None
) -> int:
    """Write a list and return its number of rows. Who saw it is recorded before the file is handed out.

    Raises Refusal import_kind_unknown, import_kind_later, import_suffix_unknown, not_found.
    """
    form = export.form
    seen: Counter[int | None] = Counter()
    lines = _lines(export, seen)
    heads = [[look.header for look in looks_of(form, export.setting, export.lang)]]
    if export.hashtags:
        heads.append([*(column.hxl for column in form.columns), "#meta+id"])
    if suffix == "csv":
        count = _write_csv(target, [*heads], lines, progress)
    elif suffix == "xlsx":
        count = _write_xlsx(target, export, heads[1:], lines, progress)
    else:
        raise Refusal("import_suffix_unknown", suffix=suffix[:16])
    _record(export, seen, at=at)
    return count


def _lines(export: Export, seen: Counter[int | None]) -> Iterator[list[str]]:
    key, fields, columns = round_trip_key(), kind_named(export.kind).fields, export.form.columns
    full = export.operator.full
    for row in list_rows(export.kind, export.filters, export.operator):
        seen[row.grid] += 1
        cells = [
            column.shown(row.values.get(column.key, ""), export.setting, export.lang) for column in columns
        ]
        # A masked list cannot come back: it would write stars over names.
        cells.append(write_row_id(row.id, fields, row.values, key=key) if full else "")
        yield cells


def _write_csv(
    target: Path | BinaryIO, heads: list[list[str]], lines: Iterator[list[str]], progress: Progress | None
) -> int:
    if isinstance(target, Path):
        with target.open("wb") as out:
            return _write_csv(out, heads, lines, progress)
    file = CsvFile(target)
    for head in heads:
        file.add(head)
    count = _pour(lines, file.add, progress)
    file.close()
    return count


def _write_xlsx(
    target: Path | BinaryIO,
    export: Export,
    tags: list[list[str]],
    lines: Iterator[list[str]],
    progress: Progress | None,
) -> int:
    looks = looks_of(export.form, export.setting, export.lang)
    with XlsxFile(target) as book:
        sheet = book.sheet(export.form.title(export.lang), looks)
        for tag_line in tags:
            sheet.add(tag_line, faint=True)
        count = _pour(lines, sheet.add, progress)
        offer_choices(book, sheet, looks, export.lang)
    return count


def _pour(lines: Iterator[list[str]], add: Add, progress: Progress | None) -> int:
    count = 0
    for cells in lines:
        add(cells)
        count += 1
        if progress and count % 1_000 == 0:
            progress(count)
    return count


def _record(export: Export, seen: Counter[int | None], *, at: datetime) -> None:
    """One disclosure for each grid with its size, and one event for the list."""
    operator, filters = export.operator, export.filters
    fields = f"{export.kind}:{'full' if operator.full else 'masked'}"
    with transaction.atomic():
        for grid, rows in seen.items() if export.kind in PERSONAL else ():
            record_disclosures(
                [None],
                actor=operator.id,
                role=operator.role,
                operation=EXPORT,
                purpose="export",
                fields=fields,
                grid=grid,
                rows=rows,
                at=at,
            )
        record_event(
            "Export",
            export.kind,
            "export",
            at=at,
            actor=operator.id,
            rows=seen.total(),
            full=operator.full,
            area=filters.area,
            grid=filters.grid,
            need=filters.need,
            searched=bool(filters.q),
        )
