# SPDX-License-Identifier: Apache-2.0
"""Reading a list that comes back as a file: which sheet it is, which line each row is, what is new.

The file may be sorted, filtered, saved as CSV in another encoding, have rows copied or taken out. Nothing is
guessed: a row without its mark is a line only where number and name say which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from muster.base.errors import Refusal
from muster.places.writing import fold
from muster.register.importing.columns import HEADER_WITHIN, Columns, find_header, map_columns
from muster.register.importing.reading import open_sheet
from muster.register.names import name_key
from muster.sheets.columns import BY_KEY, COLUMNS, MARK, header_names
from muster.sheets.marks import mark_key, read_mark
from muster.sheets.queries import KeptLine
from muster.sheets.told import Mistake, Reader, ToldLine

MOST_ROWS = 12_000
_KEYS = tuple(column.key for column in COLUMNS)


@dataclass(slots=True)
class FileRow:
    """A row with its cells by column. code, number: what its mark says; mistake: what is wrong with it."""

    row: int
    cells: dict[str, str]
    code: str = ""
    number: int = 0
    mistake: Mistake | None = None


@dataclass(slots=True)
class ReadFile:
    code: str
    rows: list[FileRow] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def read_list(raw: bytes) -> ReadFile:
    """The rows of a file and the sheet that most of its marks name.

    Raises Refusal sheet_columns_missing, sheet_rows_too_many, sheet_without_marks, and those of a file that
    cannot be read at all.
    """
    names = header_names()
    rows: list[FileRow] = []
    with open_sheet(raw, names=names) as sheet:
        first: list[list[str]] = []
        columns: Columns | None = None
        for at, cells in enumerate(sheet.rows):
            if columns is None:
                first.append(cells)
                if len(first) < HEADER_WITHIN and at + 1 < sheet.rows_expected:
                    continue
                columns = _columns(first, names)
                for before, kept in enumerate(first[columns.header_row + 1 :], start=columns.header_row + 2):
                    _add(rows, before, kept, columns)
                continue
            _add(rows, at + 1, cells, columns)
            if len(rows) > MOST_ROWS:
                raise Refusal("sheet_rows_too_many", most=MOST_ROWS)
        if columns is None:
            columns = _columns(first, names)
            for before, kept in enumerate(first[columns.header_row + 1 :], start=columns.header_row + 2):
                _add(rows, before, kept, columns)
    codes = _read_marks(rows)
    if not codes:
        raise _without_marks(rows)
    return ReadFile(codes.most_common(1)[0][0], rows, list(columns.unknown))


def _columns(first: Sequence[Sequence[str]], names: Mapping[str, str]) -> Columns:
    at = find_header(first, names)
    if at is None:
        raise Refusal("sheet_columns_missing", column=BY_KEY["outcome"].header("zh"))
    columns = map_columns(first[at], names, header_row=at)
    for key in ("outcome", MARK):
        if key not in columns.places:
            raise Refusal(
                "sheet_columns_missing", column=f"{BY_KEY[key].header('zh')} {BY_KEY[key].header('en')}"
            )
    return columns


def _add(rows: list[FileRow], number: int, cells: Sequence[str], columns: Columns) -> None:
    said = {key: cell for key in _KEYS if (cell := columns.cell(cells, key).strip())}
    said = {key: value.removeprefix("'") for key, value in said.items()}
    if said:
        rows.append(FileRow(number, said))


def _read_marks(rows: Sequence[FileRow]) -> Counter[str]:
    key = mark_key()
    codes: Counter[str] = Counter()
    for row in rows:
        if MARK not in row.cells:
            continue
        try:
            row.code, row.number = read_mark(row.cells[MARK], key=key)
            codes[row.code] += 1
        except Refusal as refusal:
            row.mistake = Mistake(MARK, refusal.code)
    return codes


def _without_marks(rows: Sequence[FileRow]) -> Refusal:
    """A file of another house says so; else nothing tells which list it is."""
    foreign = any(row.mistake is not None and row.mistake.code == "sheet_mark_foreign" for row in rows)
    return Refusal("sheet_mark_foreign" if foreign else "sheet_without_marks")


def tell_lines(read: ReadFile, kept: Sequence[KeptLine], reader: Reader) -> tuple[list[ToldLine], list[int]]:
    """The rows as lines of the sheet, and the numbers of the lines that are not in the file."""
    by_number = {line.number: line for line in kept}
    by_name = {(line.number, name_key(line.said.name) or ""): line for line in kept}
    lines: list[ToldLine] = []
    seen: dict[int, ToldLine] = {}
    for row in read.rows:
        line = _line(row, read.code, by_number, by_name, reader)
        if line is None:
            continue
        before = seen.get(line.number) if line.number else None
        if before is not None:
            if _same(before, line):
                continue
            line.mistakes.append(Mistake("number", "sheet_row_twice", {"row": before.row}))
        elif line.number:
            seen[line.number] = line
        lines.append(line)
    return lines, [line.number for line in kept if line.number not in seen]


def _line(
    row: FileRow,
    code: str,
    by_number: Mapping[int, KeptLine],
    by_name: Mapping[tuple[int, str], KeptLine],
    reader: Reader,
) -> ToldLine | None:
    if row.mistake is not None:
        return ToldLine(row=row.row, cells=row.cells, mistakes=[row.mistake])
    if row.code and row.code != code:
        return ToldLine(
            row=row.row, cells=row.cells, mistakes=[Mistake(MARK, "sheet_row_of_other", {"code": row.code})]
        )
    number = row.number
    if not number:
        said = fold(row.cells.get("number", "")).removesuffix(".0")
        if said.isascii() and said.isdigit() and len(said) < 6:
            found = by_name.get((int(said), name_key(row.cells.get("name", "")) or ""))
            number = found.number if found else 0
    if number and number not in by_number:
        return ToldLine(row=row.row, cells=row.cells, mistakes=[Mistake(MARK, "sheet_mark_bad")])
    kept = by_number.get(number)
    if kept is None and not any(row.cells.get(key) for key in ("name", "outcome", "phone", "note")):
        return None
    return reader.line(row.row, row.cells, number=number, is_door=bool(kept and kept.is_door))


def _same(one: ToldLine, other: ToldLine) -> bool:
    fields = ("outcome", "when", "by", "where", "note", "name", "phone")
    return all(getattr(one, name) == getattr(other, name) for name in fields)
