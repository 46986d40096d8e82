# SPDX-License-Identifier: Apache-2.0
"""The child that reads a spreadsheet. It gets bytes, limits itself first, and answers rows of text.

In: the file on standard input, an Order as JSON in the only argument. Out: frames on standard output, each
a length of four bytes and msgpack: {"head": …}, {"rows": […]} and {"end": n}, or {"refusal": [code,
facts]}.
"""

from __future__ import annotations

import csv
import io
import resource
import struct
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import msgspec

from muster.base.errors import Refusal
from muster.register.importing.archive_check import OLD_OFFICE_MARK, ZIP_MARK, check_archive
from muster.register.importing.cell_text import text_of
from muster.register.importing.columns import HEADER_WITHIN, known_headers
from muster.register.importing.limits import Limits

ROWS_PER_FRAME = 1_000
LINES_OF_A_CELL = 100  # a quoted cell that goes on for longer was never closed
_LENGTH = struct.Struct(">I")
_DELIMITERS = (",", "\t", ";")


class Order(msgspec.Struct, frozen=True):
    """What to keep to, and the form's headers, by which the right sheet is known."""

    limits: Limits
    names: dict[str, str] = {}


def main(arguments: Sequence[str]) -> int:
    """Run as a program."""
    order = msgspec.json.decode(arguments[0].encode(), type=Order)
    limit_myself(order.limits)
    out = sys.stdout.buffer
    try:
        raw = sys.stdin.buffer.read(order.limits.file_bytes + 1)
        for frame in frames(raw, order):
            _send(out, frame)
    except Refusal as refusal:
        _send(out, {"refusal": [refusal.code, refusal.facts]})
    except MemoryError:
        _send(out, {"refusal": ["import_file_too_heavy", {}]})
    out.flush()
    return 0


def limit_myself(limits: Limits) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu_seconds, limits.cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (limits.memory_bytes, limits.memory_bytes))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def frames(raw: bytes, order: Order) -> Iterator[dict[str, Any]]:
    """Yield the answer to a file. Raises Refusal."""
    limits = order.limits
    if len(raw) > limits.file_bytes:
        raise Refusal("import_file_too_big", mib=limits.file_bytes >> 20)
    if not raw.strip():
        raise Refusal("import_file_empty")
    if raw.startswith(OLD_OFFICE_MARK):
        raise Refusal("import_file_protected")
    if raw.startswith(ZIP_MARK):
        check_archive(raw, limits=limits)
        head, rows = _workbook(raw, order)
    else:
        head, rows = _separated(raw, limits)
    yield {"head": head}
    count, batch = 0, []
    for cells in rows:
        count += 1
        if count > limits.rows + HEADER_WITHIN:
            raise Refusal("import_rows_too_many", rows=limits.rows)
        batch.append(_bounded(cells, limits))
        if len(batch) == ROWS_PER_FRAME:
            yield {"rows": batch}
            batch = []
    yield {"rows": batch}
    yield {"end": count}


def _bounded(cells: Iterable[str], limits: Limits) -> list[str]:
    row = [text if len(text) <= limits.cell_characters else text[: limits.cell_characters] for text in cells]
    while row and not row[-1].strip():
        row.pop()
    if len(row) > limits.columns:
        raise Refusal("import_columns_too_many", columns=limits.columns)
    return row


def _workbook(raw: bytes, order: Order) -> tuple[dict[str, Any], Iterator[list[str]]]:
    from python_calamine import CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        best: tuple[int, str, Any] | None = None
        for meta in book.sheets_metadata[:20]:
            if meta.typ != SheetTypeEnum.WorkSheet or meta.visible != SheetVisibleEnum.Visible:
                continue
            sheet = book.get_sheet_by_name(meta.name)
            score = _score(sheet, order.names)
            if best is None or score > best[0]:
                best = (score, meta.name, sheet)
    except Exception as error:  # whatever a hostile file provokes in the reader, it stays unreadable
        raise Refusal("import_file_unreadable") from error
    if best is None or best[2].total_height == 0:
        raise Refusal("import_file_empty")
    _, name, sheet = best
    if sheet.height > order.limits.rows + HEADER_WITHIN:
        raise Refusal("import_rows_too_many", rows=order.limits.rows)
    if sheet.width > order.limits.columns * 5:
        raise Refusal("import_columns_too_many", columns=order.limits.columns)
    return {"form": "xlsx", "sheet": name, "rows": sheet.height, "encoding": ""}, _sheet_rows(sheet)


def _score(sheet: Any, names: Mapping[str, str]) -> int:
    """How many headers of the form a sheet has in the best of its first rows."""
    first = islice(sheet.iter_rows(), HEADER_WITHIN)
    return max((known_headers([text_of(cell) for cell in row], names) for row in first), default=0)


def _sheet_rows(sheet: Any) -> Iterator[list[str]]:
    """The rows as text. A cell merged over several rows says the same in each of them."""
    merged = defaultdict(list)
    for (top, left), (bottom, _) in sheet.merged_cell_ranges or ():
        if bottom > top:
            merged[top].append((left, bottom))
    standing: list[tuple[int, int, str]] = []  # column, last row, text
    for number, row in enumerate(sheet.iter_rows()):
        cells = [text_of(cell) for cell in row]
        standing = [one for one in standing if one[1] >= number]
        for column, _, text in standing:
            if column < len(cells) and not cells[column]:
                cells[column] = text
        standing += [(left, last, cells[left]) for left, last in merged[number] if left < len(cells)]
        yield cells


def _separated(raw: bytes, limits: Limits) -> tuple[dict[str, Any], Iterator[list[str]]]:
    text, encoding = decode(raw)
    csv.field_size_limit(limits.cell_characters * 16)
    lines = text.count("\n") + 1
    most = limits.rows + HEADER_WITHIN
    if lines > most and sum(1 for _ in islice(_csv_rows(text), most + 1)) > most:
        raise Refusal("import_rows_too_many", rows=limits.rows)
    return {"form": "csv", "sheet": "", "rows": lines, "encoding": encoding}, _csv_rows(text)


def _csv_rows(text: str) -> Iterator[list[str]]:
    delimiter = delimiter_of(text)
    lines = list(io.StringIO(text, newline=""))
    reader = csv.reader(lines, delimiter=delimiter)
    began = 0
    try:
        for row in reader:
            if reader.line_num - began > LINES_OF_A_CELL:
                raise Refusal("import_quote_open", row=began + 1)
            if reader.line_num == len(lines) and reader.line_num - began > 1:
                _refuse_open_quote(lines[began:], delimiter, row=began + 1)
            began = reader.line_num
            yield row
    except csv.Error as error:
        raise Refusal("import_file_unreadable") from error


def _refuse_open_quote(lines: Sequence[str], delimiter: str, *, row: int) -> None:
    """The last row goes over several lines: does its quoted cell end? Else it has swallowed what follows."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        if "unexpected end" in str(error):
            raise Refusal("import_quote_open", row=row) from error


def delimiter_of(text: str) -> str:
    """The sign that stands most often in the first lines."""
    first = "\n".join(islice(io.StringIO(text), HEADER_WITHIN))
    return max(_DELIMITERS, key=first.count)


def decode(raw: bytes) -> tuple[str, str]:
    """Text and encoding of a CSV file: UTF-8 or UTF-16, with a mark or without, else GB18030."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if raw.startswith(mark):
            return _decoded(raw, encoding)
    if b"\x00" in raw:
        return _utf_16_without_mark(raw)
    try:
        return _decoded(raw, "utf-8")
    except Refusal:
        if _is_broken_utf_8(raw):
            raise
        return _decoded(raw, "gb18030")


def _utf_16_without_mark(raw: bytes) -> tuple[str, str]:
    """Line ends and separators tell which of the two bytes comes first."""
    plain = ("\n", "\r", *_DELIMITERS)
    for encoding in ("utf-16-le", "utf-16-be"):
        if sum(raw.count(sign.encode(encoding)) for sign in plain) and len(raw) % 2 == 0:
            try:
                text, _ = _decoded(raw, encoding)
            except Refusal:
                continue
            if all(char.isprintable() or char in "\n\r\t" for char in text[:2_000]) and any(
                sign in text for sign in plain
            ):
                return text, encoding
    raise Refusal("import_not_a_table")


def _is_broken_utf_8(raw: bytes) -> bool:
    """Whether most of what is not ASCII is UTF-8 all the same: cut or patched text, which another encoding
    would read as nonsense without a word.
    """
    text = raw[:1_000_000].decode("utf-8", "replace")
    broken = text.count("\ufffd")
    return sum(char > "\x7f" for char in text) - broken > 3 * broken


def _decoded(raw: bytes, encoding: str) -> tuple[str, str]:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise Refusal("import_encoding_unknown") from error
    if "\x00" in text:
        raise Refusal("import_not_a_table")
    return text, encoding


def _send(out: Any, frame: dict[str, Any]) -> None:
    body = msgspec.msgpack.encode(frame)
    out.write(_LENGTH.pack(len(body)) + body)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
