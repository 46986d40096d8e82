# SPDX-License-Identifier: Apache-2.0
"""The report: lines that come back as they were written, with what is wrong and what to do; and lines
already known.

The first sheet can be mended and brought in again as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO

from muster.register.exporting.lists import masked
from muster.register.exporting.spreadsheets import Look, XlsxFile, XlsxSheet
from muster.register.importing.columns import Columns
from muster.register.importing.form import ROW_ID, ROW_ID_COLUMN, Form
from muster.register.importing.rows import WITHOUT_GRID, CheckedRow, Problem, Verdict
from muster.register.importing.setting import Setting

WORDS = {
    "bad": ("待修改", "To mend"),
    "known": ("已在册或相似", "Known or alike"),
    "left_alone": ("未改动", "left as it was"),
    "was_added": ("已新增，请核对是否同一人", "added; see whether they are one"),
    "line": ("原行号", "Row"),
    "fields": ("涉及", "Fields"),
    "mistakes": ("错误", "Mistakes"),
    "why": ("重复说明", "Why it looks known"),
    "here": ("册内现有", "In the register"),
    "row_id": ("按系统编号", "by its row id"),
    "same_id_number": ("证件号码相同", "same id number"),
    "same_phone": ("姓名和电话相同", "same name and phone"),
    "same_name_same_door": ("同一户内同名", "same name behind the same door"),
    "same_door": ("同一房屋", "same door"),
    "same_household": ("同一户", "same household"),
    "same_building": ("同一楼栋", "same building"),
    "same_code": ("代码相同", "same code"),
    "without_grid": ("本册还没有划分网格", "there are no grids here yet"),
    "left_without_grid": ("已新增，划分网格后归入", "added; its grid comes with the division"),
    "same_own_number": ("人员编号相同", "same own number"),
    "same_need": ("同一人同一需求", "same need of the same person"),
}


def word(key: str, lang: str) -> str:
    return WORDS[key][0 if lang == "zh" else 1] if key in WORDS else key


def write_report(
    target: Path | BinaryIO,
    rows: Iterable[CheckedRow],
    *,
    form: Form,
    columns: Columns,
    setting: Setting,
    lang: str,
) -> int:
    """Write the report and return how many lines come back."""
    headers = [header for at, header in enumerate(columns.headers) if at not in columns.ignored]
    places = [at for at in range(len(columns.headers)) if at not in columns.ignored]
    row_id_at = columns.places.get(ROW_ID)
    required = {
        columns.places[column.key]
        for column in form.columns
        if column.required and column.key in columns.places
    }
    looks = [
        Look(header, 16, required=at in required, hidden=at == row_id_at)
        for at, header in zip(places, headers, strict=True)
    ]
    back, known = 0, None
    with XlsxFile(target) as book:
        added = [
            Look(word("mistakes", lang), 60),
            Look(word("fields", lang), 16),
            Look(word("line", lang), 8),
        ]
        bad = book.sheet(word("bad", lang), [*looks, *added])
        for row in rows:
            if row.problems:
                back += 1
                _add_bad(bad, row, places, form=form, columns=columns, lang=lang)
            elif row.is_told:
                known = known or _known_sheet(book, looks, lang)
                here = here_said(row, form, setting, lang)
                known.add([*_cells(row, places), why_said(row, lang), here, str(row.number)])
    return back


def _cells(row: CheckedRow, places: Sequence[int]) -> list[str]:
    return [row.cells[at] if at < len(row.cells) else "" for at in places]


def _add_bad(
    sheet: XlsxSheet, row: CheckedRow, places: Sequence[int], *, form: Form, columns: Columns, lang: str
) -> None:
    wrong = {columns.places[p.field] for p in row.problems if p.field in columns.places}
    fields = dict.fromkeys(field_name(p, form, lang) for p in row.problems)
    marked = frozenset([*(n for n, at in enumerate(places) if at in wrong), len(places)])
    said = "\n".join(f"{field_name(p, form, lang)}：{said_of(p, lang)}" for p in row.problems)
    sheet.add([*_cells(row, places), said, "、".join(fields), str(row.number)], marked=marked)


def said_of(problem: Problem, lang: str) -> str:
    """What is wrong and what to do about it, in one line."""
    cure = problem.cure(lang)
    between = "；" if lang == "zh" else "; "
    return f"{problem.text(lang)}{between}{cure}" if cure else problem.text(lang)


def field_name(problem: Problem, form: Form, lang: str) -> str:
    column = form.by_key.get(problem.field)
    if column is None:
        return ROW_ID_COLUMN.header(lang) if problem.field == ROW_ID else problem.field
    return column.header(lang)


def _known_sheet(book: XlsxFile, looks: Sequence[Look], lang: str) -> XlsxSheet:
    more = [Look(word("why", lang), 30), Look(word("here", lang), 40), Look(word("line", lang), 8)]
    return book.sheet(word("known", lang), [*looks, *more])


def why_said(row: CheckedRow, lang: str) -> str:
    """By what it was recognised, and what was done about it."""
    done = "was_added" if row.verdict == Verdict.NEW else "left_alone"
    done = word("left_without_grid" if row.reason == WITHOUT_GRID else done, lang)
    return f"{word(row.reason, lang)}{'，' if lang == 'zh' else ', '}{done}"


def veiled_here(row: CheckedRow, form: Form) -> dict[str, str]:
    """What the register says otherwise of a person, masked: a list is no way to look people up."""
    if form.kind not in ("persons", "needs"):
        return dict(row.here)
    shown = masked(row.here)
    return {field: shown[field] for field in row.here}


def here_said(row: CheckedRow, form: Form, setting: Setting, lang: str) -> str:
    """Where the register says something else: column and value, masked as on lists."""
    between = "；" if lang == "zh" else "; "
    veiled = veiled_here(row, form)
    parts = []
    for field in row.here:
        column = form.by_key[field]
        parts.append(f"{column.header(lang)}={column.shown(veiled[field], setting, lang) or '—'}")
    return between.join(parts)
