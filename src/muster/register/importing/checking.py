# SPDX-License-Identifier: Apache-2.0
"""Checking: from the bytes of a file to checked lines, chunk by chunk, without writing anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import chain, islice

from muster.base.errors import Refusal
from muster.register.importing.columns import (
    HEADER_WITHIN,
    Columns,
    find_header,
    header_of_two_rows,
    map_columns,
)
from muster.register.importing.form import REMARKS, Form
from muster.register.importing.job import Job
from muster.register.importing.kind import Kind
from muster.register.importing.limits import LIMITS, Limits
from muster.register.importing.reading import Sheet, open_sheet
from muster.register.importing.rows import WITHOUT_GRID, CheckedRow, Verdict, read_rows

Progress = Callable[[str, int, int], None]


class Checking:
    """The check of one file. After the first chunk `columns` is known; `counts` grows with every chunk."""

    def __init__(self, kind: Kind, job: Job, *, limits: Limits = LIMITS) -> None:
        self.kind, self.job, self.limits = kind, job, limits
        self.columns: Columns | None = None
        self.sheet: Sheet | None = None
        self.counts: Counter[str] = Counter()

    def run(self, raw: bytes, *, progress: Progress | None = None) -> Iterator[list[CheckedRow]]:
        """Yield chunks of judged lines. Raises Refusal where the file as a whole cannot be taken."""
        form = self.kind.form
        with open_sheet(raw, names=form.names, limits=self.limits) as sheet:
            self.sheet = sheet
            first = list(islice(sheet.rows, HEADER_WITHIN))
            self.columns = _header(first, form)
            after = self.columns.header_row + 1
            lines = chain(first[after:], sheet.rows)
            rows = read_rows(
                lines, form=form, columns=self.columns, setting=self.job.setting, first_number=after + 1
            )
            for chunk in self._chunks(rows):
                judge_new(chunk, self.kind, self.job)
                count(chunk, self.counts)
                if progress:
                    progress("checking", min(chunk[-1].number, sheet.rows_expected), sheet.rows_expected)
                yield chunk
        if not self.counts["rows"] and not self.counts["samples"]:
            raise Refusal("import_no_rows")

    def _chunks(self, rows: Iterator[CheckedRow]) -> Iterator[list[CheckedRow]]:
        if self.kind.sorted_first:
            rows = iter(sorted(rows, key=lambda row: self.kind.order(row, self.job.setting)))
        while chunk := list(islice(rows, self.kind.chunk_rows)):
            yield chunk


def _header(first: Sequence[Sequence[str]], form: Form) -> Columns:
    at = find_header(first, form.names)
    if at is None:
        raise Refusal(
            "import_no_header", columns=" · ".join(_both(column.zh, column.en) for column in form.columns[:6])
        )
    last, headers = header_of_two_rows(first, at, form.names)
    columns = map_columns(headers, form.names, header_row=last, ignored=REMARKS, unsure=form.unsure)
    if columns.twice:
        raise Refusal("import_column_twice", column=columns.twice[0])
    if lacking := form.missing(columns.places):
        said = [" / ".join(_both(column.zh, column.en) for column in group) for group in lacking]
        raise Refusal("import_columns_missing", columns=" · ".join(said))
    return columns


def _both(zh: str, en: str) -> str:
    return f"{zh} {en}"


def judge_new(rows: Sequence[CheckedRow], kind: Kind, job: Job) -> None:
    """Judge lines fresh from a file, also against the lines before them."""
    for row in rows:
        if row.is_good:
            kind.check(row, job.setting)
    judge(rows, kind, job)
    for row in rows:
        if row.is_good:
            _compare_with_earlier(row, kind, job)


def judge(rows: Sequence[CheckedRow], kind: Kind, job: Job) -> None:
    """Find places and known rows as they are now, and settle each good line's verdict."""
    kind.read_row_ids(rows, job)
    kind.resolve(rows, job)


def _compare_with_earlier(row: CheckedRow, kind: Kind, job: Job) -> None:
    """The second line about one thing comes back, with the number of the first; nothing is merged."""
    keys = list(kind.same_keys(row, job))
    for key in keys:
        first = job.seen.get(key)
        if first is not None and kind.are_two(first, row, key[0]):
            row.reason = row.reason or key[0]
        elif first is not None:
            row.refuse(kind.form.columns[0].key, "import_twice", row=first[0])
            row.verdict, row.reason = Verdict.DUPLICATE, key[0]
            return
    told = kind.remembered(row)
    for key in keys:
        job.seen.setdefault(key, told)


def count(rows: Sequence[CheckedRow], counts: Counter[str]) -> None:
    """rows = good + bad; good = new + changed + same + known; duplicates: whatever looks like somebody or
    something known, good or bad, and is not known for certain.
    """
    for row in rows:
        if row.verdict == Verdict.SAMPLE:
            counts["samples"] += 1
            continue
        counts["rows"] += 1
        counts["bad" if row.problems else "good"] += 1
        if row.verdict == Verdict.DUPLICATE:
            counts["duplicates"] += 1
            counts["known"] += not row.problems
        elif not row.problems:
            counts["duplicates"] += row.verdict == Verdict.NEW and row.reason not in ("", WITHOUT_GRID)
            counts[row.verdict] += 1
