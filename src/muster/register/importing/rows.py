# SPDX-License-Identifier: Apache-2.0
"""Problem, CheckedRow: a line of a list with what was understood of it, what is wrong, and what is to
become of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from muster.base import messages
from muster.base.errors import Refusal
from muster.register.importing.columns import Columns
from muster.register.importing.form import ROW_ID, SAMPLE_MARKS, Column, Form
from muster.register.importing.setting import Setting

_REMEMBERED = 8_192
WITHOUT_GRID = "without_grid"  # the reason of a building whose grid is not here yet
_UNSAFE_FIRST = frozenset("=+-@\t\r\n＝＋－＠")


class Verdict(StrEnum):
    """NEW: is added. CHANGED: an existing one is updated. SAME: nothing to do. DUPLICATE: known, left alone
    and shown.

    BAD: comes back with its mistake. SAMPLE: the template's own line.
    """

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    DUPLICATE = "duplicate"
    BAD = "bad"
    SAMPLE = "sample"


class Problem(msgspec.Struct, frozen=True):
    """What is wrong with a field, as a code with its facts."""

    field: str
    code: str
    facts: dict[str, Any] = {}

    @classmethod
    def of(cls, field: str, refusal: Refusal) -> Problem:
        return cls(field, refusal.code, refusal.facts)

    def text(self, lang: str) -> str:
        return messages.text(self.code, lang, **self.facts)

    def cure(self, lang: str) -> str:
        return messages.cure(self.code, lang, **self.facts) or ""


class CheckedRow(msgspec.Struct):
    """number: the line in the sheet, from 1. values: column key -> kept text, blanks left out.

    match: the known one that this row is about; reason: by what it was recognised; here: what the register
    says of it where that differs. found: what judging worked out for writing; it is never stored.
    """

    number: int
    cells: list[str]
    values: dict[str, str]
    problems: list[Problem] = []
    row_id: str = ""
    verdict: str = Verdict.NEW
    match: str = ""
    reason: str = ""
    here: dict[str, str] = {}
    found: Any = None

    @property
    def is_good(self) -> bool:
        return not self.problems and self.verdict not in (Verdict.BAD, Verdict.SAMPLE)

    @property
    def is_told(self) -> bool:
        """Whether its maker hears of the line: it is wrong, known and left alone, or much like somebody."""
        alike = self.verdict == Verdict.NEW and bool(self.reason)
        return bool(self.problems) or self.verdict == Verdict.DUPLICATE or alike

    def refuse(self, field: str, code: str, **facts: Any) -> None:
        self.problems.append(Problem(field, code, facts))
        self.verdict = Verdict.BAD


def read_rows(
    lines: Iterator[list[str]], *, form: Form, columns: Columns, setting: Setting, first_number: int
) -> Iterator[CheckedRow]:
    """Understand line by line. Blank lines and hashtag lines are passed over; the count of lines goes on."""
    wanted = [
        (column.key, columns.places[column.key], _Reading(column, setting))
        for column in form.columns
        if column.key in columns.places
    ]
    row_id_at = columns.places.get(ROW_ID)
    meaning = [at for _, at, _ in wanted]
    for number, cells in enumerate(lines, first_number):
        if not any(at < len(cells) and cells[at].strip() for at in meaning) or _is_hashtags(cells):
            continue
        row = CheckedRow(number, cells, {}, [])
        for key, at, reading in wanted:
            if at >= len(cells) or not cells[at]:
                continue
            value = reading.of(cells[at])
            if isinstance(value, Problem):
                row.problems.append(value)
            elif value:
                row.values[key] = value
        if row_id_at is not None and row_id_at < len(cells):
            row.row_id = plain_cell(cells[row_id_at]).strip()
        _check_filled(row, form, columns)
        if row.problems:
            row.verdict = Verdict.BAD
        if row.row_id in SAMPLE_MARKS:
            _settle_sample(row, form, setting, columns)
        yield row


class _Reading:
    """What a column's cells mean, remembered: most columns say the same few things over and over."""

    def __init__(self, column: Column, setting: Setting) -> None:
        self._column, self._setting = column, setting
        self._known: dict[str, str | Problem] = {}

    def of(self, cell: str) -> str | Problem:
        known = self._known.get(cell)
        if known is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            known = self._known[cell] = self._read(plain_cell(cell))
        return known

    def _read(self, text: str) -> str | Problem:
        try:
            return self._column.read(text, self._setting) if text.strip() else ""
        except Refusal as refusal:
            return Problem.of(self._column.key, refusal)


def plain_cell(text: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return text[1:] if text[:1] == "'" and text[1:2] in _UNSAFE_FIRST and len(text) > 1 else text


def _check_filled(row: CheckedRow, form: Form, columns: Columns) -> None:
    broken = {problem.field for problem in row.problems}
    for column in form.columns:
        if column.required and column.key not in row.values and column.key not in broken:
            row.problems.append(Problem(column.key, "import_cell_missing"))
    for group in form.either:
        if not any(key in row.values or key in broken for key in group):
            row.problems.append(Problem(group[0], "import_cell_missing"))


def _settle_sample(row: CheckedRow, form: Form, setting: Setting, columns: Columns) -> None:
    """The template's own line is passed over only while it says what the template said; else it is
    somebody.
    """
    told = {key: plain_cell(columns.cell(row.cells, key)).strip() for key in columns.places if key != ROW_ID}
    row.row_id = ""
    for place in (0, 1):
        if told == {key: sample_cells(form, setting, place).get(key, "") for key in told}:
            row.verdict, row.problems = Verdict.SAMPLE, []
            return


def sample_cells(form: Form, setting: Setting, place: int) -> Mapping[str, str]:
    """The sample line: what the form says, or the first choice where the choices are the pack's."""
    cells = {}
    for column in form.columns:
        said = column.sample[place]
        if (
            not said
            and column.required
            and column.options is not None
            and (options := column.options(setting))
        ):
            said = options[-1].zh if place == 0 else options[-1].en
        cells[column.key] = said
    return cells


def _is_hashtags(cells: Sequence[str]) -> bool:
    """A row of HXL hashtags under the header."""
    said = [cell.strip() for cell in cells if cell.strip()]
    return bool(said) and all(cell.startswith("#") and cell[1:2].isalpha() for cell in said)
