# SPDX-License-Identifier: Apache-2.0
"""The page about sheets names every column as the file has it, and the bounds that hold."""

from __future__ import annotations

from muster.flows.sheet_returns import MOST_TYPED
from muster.sheets.columns import COLUMNS
from muster.sheets.reading import MOST_ROWS
from muster.sheets.services import MOST_LINES
from muster.sheets.states import SheetKind
from tests.conftest import REPOSITORY

PAGE = (REPOSITORY / "docs" / "reference" / "paper.md").read_text(encoding="utf-8")


def test_every_column_stands_on_the_page_as_the_file_has_it() -> None:
    for column in COLUMNS:
        start = f"| `{column.key}` | {column.header('zh')} | {column.header('en')} |"
        line = next(line for line in PAGE.splitlines() if line.startswith(start))
        assert column.explained("zh") in line
        assert column.explained("en") in line
        assert ("| yes |" in line) == column.free


def test_kinds_and_bounds_are_those_that_hold() -> None:
    assert all(f"| `{kind}` |" in PAGE for kind in SheetKind.values)
    assert f"Limits: {MOST_LINES:,} lines on a sheet, {MOST_ROWS:,} rows in a file" in PAGE
    assert f"{MOST_TYPED:,} lines typed at once" in PAGE
