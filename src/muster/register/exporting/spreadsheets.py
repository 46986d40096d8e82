# SPDX-License-Identifier: Apache-2.0
"""The only place where spreadsheets are written. No cell that leaves Muster is a formula or a link.

In XLSX a text is written as text. In CSV, which has no types, what a spreadsheet would take for a formula
gets an apostrophe in front; reading takes it off again. A test forbids any other writer in the house.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import xlsxwriter

FORMULA_STARTS = frozenset("=+-@\t\r\n＝＋－＠|%")
MOST_CHARACTERS = 32_767  # of a cell; more makes a file that no program opens
_SHEET_ROWS = 1_048_576


@dataclass(frozen=True, slots=True)
class Look:
    """How a column looks. options: the choices of a drop-down list. free: may be written in although the
    sheet is protected.
    """

    header: str
    width: int = 12
    required: bool = False
    hidden: bool = False
    options: Sequence[str] = ()
    free: bool = False


def neutral(text: str) -> str:
    """Return the text so that no spreadsheet computes it when it stands in a CSV file."""
    return f"'{text}" if text.lstrip(" \xa0\u3000")[:1] in FORMULA_STARTS and text.strip() else text


def clean(text: str) -> str:
    """Without what no spreadsheet can hold: control characters, and more than a cell takes."""
    if not text.isprintable():
        text = "".join(
            char for char in text if char in "\n\t" or (ord(char) >= 32 and not 0xD800 <= ord(char) <= 0xDFFF)
        )
    return text[:MOST_CHARACTERS]


class XlsxSheet:
    """One sheet: a header row, then rows one after the other."""

    def __init__(self, book: XlsxFile, sheet: Any, looks: Sequence[Look]) -> None:
        self._book, self._sheet, self._looks = book, sheet, looks
        self._row = 0
        for at, look in enumerate(looks):
            sheet.set_column(at, at, look.width, book.text, {"hidden": look.hidden} if look.hidden else {})
            sheet.write_string(0, at, clean(look.header), book.required if look.required else book.header)
        sheet.freeze_panes(1, 0)

    def add_free(self, cells: Iterable[str], *, all_free: bool = False) -> None:
        """Write the next row of a protected sheet: the columns that are free (or all) take another word."""
        self._row += 1
        for at, text in enumerate(cells):
            free = (all_free or self._looks[at].free) and not self._looks[at].hidden
            form = self._book.free if free else self._book.text
            if text:
                self._sheet.write_string(self._row, at, clean(text), form)
            elif free:
                self._sheet.write_blank(self._row, at, None, form)

    def protect(self) -> None:
        """Against a slip of the hand, without a password: sorting and filtering stay possible."""
        allowed = (
            "sort",
            "autofilter",
            "format_columns",
            "format_rows",
            "insert_rows",
            "select_locked_cells",
        )
        self._sheet.protect("", dict.fromkeys(allowed, True))
        self._sheet.autofilter(0, 0, max(1, self._row), len(self._looks) - 1)

    def add(self, cells: Iterable[str], *, marked: frozenset[int] = frozenset(), faint: bool = False) -> None:
        """Write the next row. marked: places to colour; faint: grey, as an example is."""
        self._row += 1
        if self._row >= _SHEET_ROWS:
            raise ValueError("a sheet has no more rows")
        usual = self._book.faint if faint else self._book.text
        for at, text in enumerate(cells):
            if text or at in marked:
                self._sheet.write_string(
                    self._row, at, clean(text), self._book.marked if at in marked else usual
                )

    def offer(self, at: int, source: str, *, rows: int = 5_000, first: int = 1) -> None:
        """Give a column a drop-down list. Other words stay possible: a list is no lock."""
        self._sheet.data_validation(
            first, at, rows, at, {"validate": "list", "source": source, "error_type": "warning"}
        )


class XlsxFile:
    """A workbook on its way out, row by row with little memory."""

    def __init__(self, target: Path | BinaryIO) -> None:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(str(target) if isinstance(target, Path) else target, options)
        make = self._book.add_format
        base = {"num_format": "@", "valign": "top"}
        self.text = make(base)
        self.free = make({**base, "locked": False, "bg_color": "#FFFBEA"})
        self.faint = make({**base, "italic": True, "font_color": "#7A7A7A"})
        self.marked = make({**base, "bg_color": "#FFD9D6", "text_wrap": True})
        self.header = make(
            {**base, "bold": True, "bg_color": "#E8EDF3", "border": 1, "border_color": "#B8C2CC"}
        )
        self.required = make(
            {
                **base,
                "bold": True,
                "font_color": "#B3261E",
                "bg_color": "#FBE9E7",
                "border": 1,
                "border_color": "#B8C2CC",
            }
        )

    def sheet(self, name: str, looks: Sequence[Look], *, hidden: bool = False) -> XlsxSheet:
        sheet = self._book.add_worksheet(name[:31])
        if hidden:
            sheet.hide()
        return XlsxSheet(self, sheet, looks)

    def close(self) -> None:
        self._book.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        self.close()


class CsvFile:
    """A CSV file in UTF-8 with a mark, which the usual spreadsheet programs need to read Chinese."""

    def __init__(self, target: BinaryIO) -> None:
        self._text = io.TextIOWrapper(target, encoding="utf-8-sig", newline="", write_through=True)
        self._writer = csv.writer(self._text)

    def add(self, cells: Iterable[str]) -> None:
        self._writer.writerow([neutral(clean(cell)) for cell in cells])

    def close(self) -> None:
        self._text.flush()
        self._text.detach()
