# SPDX-License-Identifier: Apache-2.0
"""Rota problems in the form of Curtois and Qu (`.txt` with SECTION_ lines), and rotas as a table of text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning.contract import BadProblem
from muster.planning.rostering.problem import (
    FREE,
    MOST_COST,
    MOST_DAYS,
    NO_LIMIT,
    Counters,
    Duties,
    People,
    Problem,
    Shifts,
    require_lawful,
    require_size,
)

_SECTIONS = {
    "SECTION_HORIZON": 1,
    "SECTION_SHIFTS": 3,
    "SECTION_STAFF": 8,
    "SECTION_DAYS_OFF": 0,
    "SECTION_SHIFT_ON_REQUESTS": 4,
    "SECTION_SHIFT_OFF_REQUESTS": 4,
    "SECTION_COVER": 5,
}
_NEEDED = ("SECTION_HORIZON", "SECTION_SHIFTS", "SECTION_STAFF", "SECTION_COVER")
_MOST_MINUTES = 10_000_000
_FREE_BEFORE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the file: its number, so that a complaint can name it, and its cells."""

    number: int
    section: str
    cells: Sequence[str]

    def where(self) -> str:
        return f"{self.section} line {self.number}"

    def whole(self, at: int, lowest: int, highest: int) -> int:
        try:
            value = int(self.cells[at])
        except ValueError:
            value = lowest - 1
        if not lowest <= value <= highest:
            name = f"column {at + 1}"
            raise BadProblem(name, self.where(), "planning.cure.integer", lowest=lowest, highest=highest)
        return value

    def known(self, at: int, names: dict[str, int]) -> int:
        name = self.cells[at].strip()
        if name not in names:
            raise BadProblem(f"column {at + 1}", self.where(), "planning.cure.known", name=name)
        return names[name]


def looks_like_rota(text: str) -> bool:
    """Whether this is a file of SECTION_ lines."""
    lines = (line.strip() for line in text.splitlines())
    return (
        next((line for line in lines if line and not line.startswith("#")), "").upper().startswith("SECTION_")
    )


def problem_from_rota(text: str) -> Problem:
    """Read a Curtois-Qu file; raises BadProblem."""
    rows = _rows(text)
    for name in _NEEDED:
        if not rows[name]:
            raise BadProblem(name, "", "planning.cure.present")
    days = rows["SECTION_HORIZON"][0].whole(0, 1, MOST_DAYS)
    shift_of = _names(rows["SECTION_SHIFTS"])
    staff_of = _names(rows["SECTION_STAFF"])
    require_size(len(staff_of), days, len(shift_of))
    shifts = _shifts(rows["SECTION_SHIFTS"], shift_of)
    people, counters = _people(rows["SECTION_STAFF"], shift_of, days)
    barred = np.zeros((people.size, days, shifts.size), bool)
    for row in rows["SECTION_DAYS_OFF"]:
        for at in range(1, len(row.cells)):
            barred[row.known(0, staff_of), row.whole(at, 0, days - 1)] = True
    problem = Problem(
        days=days,
        first_weekday=0,
        shifts=shifts,
        duties=_duties(rows["SECTION_COVER"], shift_of, days),
        people=people,
        counters=counters,
        wish=_wishes(rows, staff_of, shift_of, days),
        barred=barred,
        previous=np.full((people.size, days), FREE, np.int32),
        form="curtois-qu",
    )
    require_lawful(problem)
    return problem


def _rows(text: str) -> dict[str, list[_Row]]:
    rows: dict[str, list[_Row]] = {name: [] for name in _SECTIONS}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        said = line.strip()
        if not said or said.startswith("#"):
            continue
        if said.upper().startswith("SECTION_"):
            section = said.upper()
            if section not in _SECTIONS:
                allowed = ", ".join(_SECTIONS)
                raise BadProblem(said[:40], f"line {number}", "planning.cure.one_of", allowed=allowed)
            continue
        if not section:
            raise BadProblem("", f"line {number}", "planning.cure.file_form", allowed="Curtois-Qu, JSON")
        row = _Row(number, section, said.split(","))
        wanted = _SECTIONS[section]
        if wanted and len(row.cells) != wanted:
            raise BadProblem(
                "", row.where(), "planning.rostering.columns", wanted=wanted, found=len(row.cells)
            )
        rows[section].append(row)
    return rows


def _names(rows: Sequence[_Row]) -> dict[str, int]:
    names: dict[str, int] = {}
    for row in rows:
        name = row.cells[0].strip()
        if name in names:
            raise BadProblem("column 1", row.where(), "planning.cure.once", name=name)
        names[name] = len(names)
    return names


def _shifts(rows: Sequence[_Row], shift_of: dict[str, int]) -> Shifts:
    lag = np.ones((1, len(rows), len(rows)), np.int32)
    for shift, row in enumerate(rows):
        for name in filter(None, row.cells[2].strip().split("|")):
            if name not in shift_of:
                raise BadProblem("column 3", row.where(), "planning.cure.known", name=name)
            lag[0, shift, shift_of[name]] = 2
    minutes = np.array([row.whole(1, 1, _MOST_MINUTES) for row in rows], np.int64)
    return Shifts(tuple(shift_of), minutes, lag)


def _people(rows: Sequence[_Row], shift_of: dict[str, int], days: int) -> tuple[People, Counters]:
    size, shifts = len(rows), len(shift_of)
    most = np.full((size, shifts), days, np.int64)
    for person, row in enumerate(rows):
        for part in filter(None, row.cells[1].strip().split("|")):
            name, _, limit = part.partition("=")
            if name not in shift_of:
                raise BadProblem("column 2", row.where(), "planning.cure.known", name=name)
            if not limit.isascii() or not limit.isdigit() or len(limit) > 9:
                raise BadProblem("column 2", row.where(), "planning.cure.integer", lowest=0, highest=days)
            most[person, shift_of[name]] = min(days, int(limit))
    able = most > 0
    column = {
        name: np.array([row.whole(at, lowest, _MOST_MINUTES) for row in rows], np.int64)
        for name, at, lowest in (
            ("max_minutes", 2, 0),
            ("min_minutes", 3, 0),
            ("max_on", 4, 1),
            ("min_on", 5, 0),
            ("min_off", 6, 0),
            ("max_weekends", 7, 0),
        )
    }
    people = People(
        names=tuple(row.cells[0].strip() for row in rows),
        first=np.concatenate(([0], np.cumsum(able.sum(axis=1)))).astype(np.int64),
        duties=np.nonzero(able)[1].astype(np.int32),
        rest=np.zeros(size, np.int32),
        max_week_minutes=np.full(size, NO_LIMIT, np.int64),
        before_shift=np.full(size, -1, np.int32),
        before_on=np.zeros(size, np.int64),
        before_off=np.full(size, _FREE_BEFORE, np.int64),
        **column,
    )
    counters = Counters(
        names=tuple(shift_of),
        member=np.eye(shifts, dtype=bool),
        most=most,
        share=np.full(shifts + 1, NO_LIMIT, np.int64),
        weight=np.zeros(shifts + 1, np.int64),
    )
    return people, counters


def _duties(rows: Sequence[_Row], shift_of: dict[str, int], days: int) -> Duties:
    shifts = len(shift_of)
    need = np.zeros((days, shifts), np.int32)
    under, over = np.zeros((days, shifts), np.int64), np.zeros((days, shifts), np.int64)
    seen: set[tuple[int, int]] = set()
    for row in rows:
        day, shift = row.whole(0, 0, days - 1), row.known(1, shift_of)
        if (day, shift) in seen:
            raise BadProblem("", row.where(), "planning.cure.once", name=f"{day},{row.cells[1]}")
        seen.add((day, shift))
        need[day, shift] = row.whole(2, 0, MOST_COST)
        under[day, shift] = row.whole(3, 0, MOST_COST)
        over[day, shift] = row.whole(4, 0, MOST_COST)
    zeros = np.zeros(shifts, np.int32)
    return Duties(
        posts=("",),
        kinds=("",),
        post=zeros,
        shift=np.arange(shifts, dtype=np.int32),
        kind=zeros,
        need=need,
        under=under,
        over=over,
        must=np.zeros((days, shifts), bool),
    )


def _wishes(
    rows: dict[str, list[_Row]], staff_of: dict[str, int], shift_of: dict[str, int], days: int
) -> Ints:
    wish = np.zeros((len(staff_of), days, len(shift_of) + 1), np.int32)
    for row in rows["SECTION_SHIFT_ON_REQUESTS"]:
        person, day, shift = _asked(row, staff_of, shift_of, days)
        cost = row.whole(3, 0, MOST_COST)
        wish[person, day] += cost
        wish[person, day, shift] -= cost
    for row in rows["SECTION_SHIFT_OFF_REQUESTS"]:
        person, day, shift = _asked(row, staff_of, shift_of, days)
        wish[person, day, shift] += row.whole(3, 0, MOST_COST)
    return wish


def _asked(row: _Row, staff_of: dict[str, int], shift_of: dict[str, int], days: int) -> tuple[int, int, int]:
    return row.known(0, staff_of), row.whole(1, 0, days - 1), row.known(2, shift_of)


def rota_table(problem_names: Sequence[str], days: Sequence[Sequence[str]]) -> str:
    """Return a rota as text: a line for each person, a tab between days, empty for a day off."""
    return "".join(
        "\t".join((name, *row)).rstrip("\t") + "\n" for name, row in zip(problem_names, days, strict=True)
    )
