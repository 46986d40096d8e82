# SPDX-License-Identifier: Apache-2.0
"""Finds the header of a list and which column is which, in any order and either language. Pure, no Django."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from muster.places.writing import fold

HEADER_WITHIN = 20  # rows; above the header stand titles and notes
_PLAIN = re.compile(r"[\s*＊:：_\-./·]")


@dataclass(frozen=True, slots=True)
class Columns:
    """Where each key stands. unknown: headers that no column of the form has; they are told, not used."""

    header_row: int
    headers: tuple[str, ...]
    places: Mapping[str, int]
    unknown: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    ignored: frozenset[int] = field(default_factory=frozenset)

    def cell(self, cells: Sequence[str], key: str) -> str:
        place = self.places.get(key)
        return cells[place] if place is not None and place < len(cells) else ""


def header_key(header: str) -> str:
    """Return what two writings of one header share: no case, spaces, stars or colons. 身份证号* is
    身份证号.
    """
    return _PLAIN.sub("", fold(header).lower())


def lookup_keys(header: str) -> tuple[str, ...]:
    """The header as it stands, then without what is said in brackets: 手机（必填） is also 手机."""
    folded = fold(header).lower()
    return tuple(dict.fromkeys((_PLAIN.sub("", folded), _PLAIN.sub("", re.sub(r"[(（\[【].*$", "", folded)))))


def find_header(rows: Iterable[Sequence[str]], names: Mapping[str, str]) -> int | None:
    """Return which of the first rows is the header: the one with the most known names, the first of equals.

    names: header key -> column key.
    """
    best, most = None, 0
    for at, cells in enumerate(rows):
        if at >= HEADER_WITHIN:
            break
        known = known_headers(cells, names)
        if known > most:
            best, most = at, known
    return best


def header_of_two_rows(
    rows: Sequence[Sequence[str]], at: int, names: Mapping[str, str]
) -> tuple[int, list[str]]:
    """Return the last row of the header and its names, where a row beside the best one names columns too.

    The lower row tells more exactly: above 楼栋, 单元, 室号 may stand 住址.
    """
    upper, lower = (
        (at, at + 1) if at + 1 < len(rows) and _is_header_row(rows[at + 1], names) else (at - 1, at)
    )
    if lower == at and not (upper >= 0 and _is_header_row(rows[upper], names)):
        return at, list(rows[at])
    above, below = rows[upper], rows[lower]
    width = max(len(above), len(below))
    pairs = zip([*above, *[""] * (width - len(above))], [*below, *[""] * (width - len(below))], strict=True)
    return lower, [under if under.strip() else over for over, under in pairs]


def _is_header_row(cells: Sequence[str], names: Mapping[str, str]) -> bool:
    """Whether a row names columns and says nothing else."""
    said = [cell for cell in cells if cell.strip()]
    return len(said) > 1 and all(_known(cell, names) for cell in said)


def known_headers(cells: Iterable[str], names: Mapping[str, str]) -> int:
    return len({name for cell in cells if cell and (name := _known(cell, names))})


def map_columns(
    headers: Sequence[str],
    names: Mapping[str, str],
    *,
    header_row: int,
    ignored: str = "",
    unsure: Collection[str] = (),
) -> Columns:
    """Say which column is which. ignored: the column key under which a report's own columns run. unsure:
    header keys that mean a room, a house or a whole door, as the other columns say.
    """
    known = [(at, header, _known(header, names)) for at, header in enumerate(headers) if header.strip()]
    doubtful = [at for at, header, _ in known if not set(lookup_keys(header)).isdisjoint(unsure)]
    places: dict[str, int] = {}
    twice: list[str] = []
    for at, header, key in sorted(known, key=lambda one: one[0] in doubtful):
        if key is None or key == ignored:
            continue
        said = _which_part(places) if at in doubtful else key
        if said in places:
            twice.append(header)
        else:
            places[said] = at
    unknown = tuple(header for _, header, key in known if key is None)
    skipped = frozenset(at for at, _, key in known if key == ignored)
    return Columns(header_row, tuple(headers), places, unknown, tuple(twice), skipped)


def _which_part(places: Collection[str]) -> str:
    """门牌号 is a room beside a building, a house beside an alley or a room, and alone the whole door."""
    if "building" in places or "address" in places:
        return "room"
    return "building" if "street" in places or "room" in places else "address"


def _known(header: str, names: Mapping[str, str]) -> str | None:
    return next((names[key] for key in lookup_keys(header) if key in names), None)
