# SPDX-License-Identifier: Apache-2.0
"""What a sheet says when it comes back: its lines as written, and who wrote them, when and where."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.packs.schema import PhonePlan
from muster.places.writing import fold, is_blank
from muster.register.names import clean_name
from muster.register.phones import read_phone
from muster.sheets.choices import Choice, choice_named

LONGEST = {"name": 80, "by": 80, "where": 120, "note": 400, "phone": 40, "born": 10, "when": 40}
_CLOCK = re.compile(r"([0-9]{1,2})\s*[:：点时]\s*([0-9]{1,2})?\s*分?(?::[0-9]{2}(?:\.[0-9]+)?)?")
_DAY = re.compile(r"(?:([0-9]{4})\s*[-/.年]\s*)?([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?")
_SERIAL = re.compile(r"[1-9][0-9]{4}(?:\.[0-9]+)?")
_SHARE = re.compile(r"0?\.[0-9]+")
_SERIAL_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 -- a sheet knows no zone; the reader adds his
FUTURE = timedelta(minutes=10)
# In other cells 不知道 or 空 says nothing; in these it may be meant.
MEANT, DASHES = frozenset({"outcome", "note"}), frozenset({"-", "--", "/", "."})


class Mistake(msgspec.Struct):
    """What is wrong with a cell, by code; a sentence is made at the edge."""

    field: str
    code: str
    facts: dict[str, Any] = {}

    def said(self, lang: str) -> str:
        mend = cure(self.code, lang, **self.facts)
        between = "；" if lang == "zh" else "; "
        told = text(self.code, lang, **self.facts)
        return f"{told}{between}{mend}" if mend else told


class ToldLine(msgspec.Struct, kw_only=True):
    """A line as it came back. row: in its file, or the order of typing. number: on the sheet; 0 for somebody
    new. cells: as written. outcome: a code. when: ISO with offset; blank where the line does not say.
    """

    row: int
    number: int = 0
    cells: dict[str, str] = {}
    outcome: str = ""
    when: str = ""
    by: str = ""
    where: str = ""
    note: str = ""
    name: str = ""
    phone: str = ""
    born: int | None = None
    door: str = ""
    mistakes: list[Mistake] = []

    @property
    def is_new(self) -> bool:
        return self.number == 0


class Told(msgspec.Struct, kw_only=True):
    """Everything that came back. by, at, where: for lines that do not say themselves."""

    by: str
    at: str
    where: str = ""
    lines: list[ToldLine] = []
    absent: list[int] = []
    unknown_columns: list[str] = []


class Reader:
    """Reads the cells of lines of one round: its outcomes, its zone, the day its writer gave."""

    def __init__(
        self, *, choices: Sequence[Choice], doors: Sequence[Choice], zone: str, written: datetime,
        now: datetime, plan: PhonePlan,
    ) -> None:  # fmt: skip
        self.choices, self.doors, self.plan, self.now = choices, doors, plan, now
        self.zone = ZoneInfo(zone)
        self.written = written.astimezone(self.zone)

    def line(self, row: int, cells: Mapping[str, str], *, number: int = 0, is_door: bool = False) -> ToldLine:
        """Every cell that can be read is read; what cannot be is told, all of it at once."""
        line = ToldLine(row=row, number=number, cells={k: v for k, v in cells.items() if v})
        choices = self.doors if is_door else self.choices
        for field in ("note", "by", "where"):
            self._take(line, field, fold)
        self._take(line, "outcome", lambda said: self._outcome(said, choices, is_door=is_door))
        self._take(line, "when", self._when)
        self._take(line, "name", lambda said: clean_name(clean_name(said)) or "")
        self._take(line, "phone", self._phone)
        if line.is_new:
            self._take(line, "born", self._born)
        return line

    def _take(self, line: ToldLine, field: str, read: Any) -> None:
        said = line.cells.get(field, "")
        if not said.strip() or (is_blank(said) if field not in MEANT else fold(said) in DASHES):
            return
        try:
            longest = LONGEST.get(field)
            if longest is not None and len(said) > longest:
                raise Refusal("sheet_value_too_long", longest=longest)
            setattr(line, field, read(said))
        except Refusal as refusal:
            line.mistakes.append(Mistake(field, refusal.code, dict(refusal.facts)))

    def _outcome(self, said: str, choices: Sequence[Choice], *, is_door: bool) -> str:
        found = choice_named(said, choices)
        if found is not None:
            return found.code
        if is_door and choice_named(said, self.choices) is not None:
            raise Refusal("sheet_outcome_of_door")
        words = " / ".join(choice.zh if choice.zh == choice.en else f"{choice.zh} {choice.en}"
                           for choice in choices[:12])  # fmt: skip
        raise Refusal("sheet_outcome_unknown", said=said[:40], choices=words)

    def _when(self, said: str) -> str:
        moment = self.moment(said)
        if moment > self.now + FUTURE:
            raise Refusal("sheet_time_future", said=said[:40])
        return moment.isoformat()

    def moment(self, said: str) -> datetime:
        """A day with its time, or a time of the day that was given, also as a spreadsheet counts days."""
        plain = fold(said).replace("T", " ")
        try:
            if _SERIAL.fullmatch(plain):
                seconds = round(float(plain) * 86_400)
                return (_SERIAL_ZERO + timedelta(seconds=seconds)).replace(tzinfo=self.zone)
            if _SHARE.fullmatch(plain):
                minutes = round(float(plain) * 1440)
                return self.written.replace(
                    hour=minutes // 60 % 24, minute=minutes % 60, second=0, microsecond=0
                )
            day = _DAY.match(plain)
            rest = plain[day.end() :].strip() if day else plain
            clock = _CLOCK.fullmatch(rest) if rest else None
            if (rest and clock is None) or (day is None and clock is None):
                raise ValueError
            base = self.written
            if day is not None:
                base = base.replace(year=int(day[1] or base.year), month=int(day[2]), day=int(day[3]))
            if clock is not None:
                base = base.replace(hour=int(clock[1]), minute=int(clock[2] or 0))
            return base.replace(second=0, microsecond=0)
        except (ValueError, OverflowError):
            raise Refusal("sheet_time_unreadable", said=said[:40]) from None

    def _phone(self, said: str) -> str:
        try:
            return read_phone(said, plan=self.plan) or ""
        except Refusal:
            raise Refusal("sheet_phone_unreadable", said=said[:40]) from None

    def _born(self, said: str) -> int:
        plain = fold(said).removesuffix(".0").removesuffix("年")[:4]
        if not (plain.isascii() and plain.isdigit() and 1880 <= int(plain) <= self.now.year):
            raise Refusal("sheet_born_unreadable", said=said[:40])
        return int(plain)
