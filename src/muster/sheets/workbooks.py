# SPDX-License-Identifier: Apache-2.0
"""The list as a workbook: lines with hidden marks, drop-down outcomes, free cells in colour, room for people
newly found, and a page that explains it. And the same lines back, with what is to be mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

from muster.campaigns.models import Round
from muster.packs import Pack
from muster.register.exporting.spreadsheets import Look, XlsxFile, XlsxSheet
from muster.sheets.choices import Choice, door_choices, outcome_choices, word_of
from muster.sheets.columns import COLUMNS, MARK
from muster.sheets.marks import mark_key, write_mark
from muster.sheets.models import Sheet
from muster.sheets.queries import KeptLine
from muster.sheets.saying import PaperWords, paper_time

NEW_LINES = 60
Choices = tuple[Sequence[Choice], Sequence[Choice]]


@dataclass(frozen=True, slots=True)
class MendedRow:
    """A row that comes back: its number in the file, its cells by column, which are wrong, what is said."""

    number: int
    cells: Mapping[str, str]
    wrong: frozenset[str]
    said: str


def looks(said: PaperWords) -> list[Look]:
    return [
        Look(column.header(said.lang), column.width, hidden=column.key == MARK, free=column.free)
        for column in COLUMNS
    ]


def write_list(
    target: BinaryIO,
    sheet: Sheet,
    lines: Sequence[KeptLine],
    *,
    round_: Round,
    grid_name: str,
    pack: Pack,
    zone: str,
) -> None:
    said = PaperWords(sheet.language)
    choices, doors = outcome_choices(round_.campaign.kind.definition), door_choices()
    services = {one.code: one.name.zh if said.lang == "zh" else one.name.en for one in pack.services}
    key = mark_key()
    facts = {
        "campaign": round_.campaign.name, "round": round_.name, "grid": grid_name, "code": sheet.code,
        "at": paper_time(sheet.made_at, zone),
    }  # fmt: skip
    what = [said.say("guide_list", **facts), *(said[f"guide_{n}"] for n in (1, 2, 3, 4))]
    with XlsxFile(target) as book:
        page = book.sheet(said["sheet_list"], looks(said))
        for line in lines:
            mark = write_mark(sheet.code, line.number, key=key)
            known = doors if line.is_door else choices
            page.add_free(line_cells(line, said=said, services=services, mark=mark, choices=known))
        for _ in range(NEW_LINES):
            page.add_free([""] * len(COLUMNS), all_free=True)
        page.protect()
        _offer(book, page, lines, (choices, doors), said.lang)
        _guide(book, what, (choices, doors), said.lang)


def line_cells(
    line: KeptLine, *, said: PaperWords, services: Mapping[str, str], mark: str, choices: Sequence[Choice]
) -> list[str]:
    """The cells of a line as it was when the sheet was made."""
    cells = {
        "number": str(line.number),
        "building": line.said.building,
        "unit": line.said.unit,
        "room": line.said.room,
        "name": line.said.name,
        "born": str(line.said.born or ""),
        "phone": line.said.phone,
        "service": "、".join(services.get(code, code) for code in line.said.services)
        or (said["empty_door"] if line.is_door else ""),
        "outcome": word_of(line.base_outcome, choices, said.lang) if line.base_outcome else "",
        MARK: mark,
    }
    return [cells.get(column.key, "") for column in COLUMNS]


def _offer(book: XlsxFile, page: XlsxSheet, lines: Sequence[KeptLine], both: Choices, lang: str) -> None:
    """Drop-down lists: a run of lines takes the outcomes, a run of empty doors the states of a door."""
    said = PaperWords(lang)
    at = next(place for place, column in enumerate(COLUMNS) if column.key == "outcome")
    name = said["sheet_choices"]
    hidden = book.sheet(name, [Look(said["outcome"]), Look(said["door_keys"])], hidden=True)
    depth = max(len(both[0]), len(both[1]))
    for row in range(depth):
        hidden.add([part[row].word(lang) if row < len(part) else "" for part in both])
    row = 1
    for is_door, run in groupby([*(line.is_door for line in lines), *[False] * NEW_LINES]):
        count, place = len(list(run)), int(is_door)
        source = f"='{name}'!${'AB'[place]}$2:${'AB'[place]}${len(both[place]) + 1}"
        page.offer(at, source, first=row, rows=row + count - 1)
        row += count


def _guide(book: XlsxFile, what: Sequence[str], both: Choices, lang: str) -> None:
    said = PaperWords(lang)
    guide = book.sheet(
        said["sheet_guide"],
        [Look(said["guide_column"], 18), Look(said["guide_how"], 70), Look(said["guide_choices"], 60)],
    )
    for line in what:
        guide.add(["", line, ""])
    for column in COLUMNS:
        choices = " / ".join(choice.word(lang) for choice in both[0]) if column.key == "outcome" else ""
        guide.add([column.header(lang), column.explained(lang), choices])
    guide.add([said["door_keys"], "", " / ".join(choice.word(lang) for choice in both[1])])


def write_mended(target: BinaryIO, rows: Iterable[MendedRow], *, lang: str) -> None:
    """The lines that could not be taken, as they were written, with what to mend. It can be filled in and
    brought back as it is.
    """
    said = PaperWords(lang)
    more = [Look(said["col_mistakes"], 60), Look(said["col_row"], 8)]
    with XlsxFile(target) as book:
        page = book.sheet(said["sheet_list"], [*looks(said), *more])
        places = {column.key: at for at, column in enumerate(COLUMNS)}
        for row in rows:
            marked = frozenset([*(places[key] for key in row.wrong if key in places), len(COLUMNS)])
            page.add(
                [*(row.cells.get(column.key, "") for column in COLUMNS), row.said, str(row.number)],
                marked=marked,
            )
