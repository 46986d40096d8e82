# SPDX-License-Identifier: Apache-2.0
"""PlainLedger: the entries and doors of one round as plain outcomes change them, in blocks of raw rows.

`extending` says what a fact adds to a state; here the same is done for a whole block at once, without an
object for each row, each id and each state. Nothing but outcomes comes here, and of those only such as
extend: whoever calls asks `fits` and `fits_door` first. Ids are hexadecimal digits (storage/raw_rows.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from muster.campaigns.accounts import CLASS_COUNTERS, DOOR_COUNTERS, Accounts
from muster.campaigns.models import DoorEntry, LedgerEntry, Round
from muster.campaigns.rules import DOOR_RANK, LATER, MOST_COUNTED, OutcomeRule
from muster.campaigns.states import EntryClass, Origin
from muster.storage.plain_reads import equal
from muster.storage.raw_rows import hex_of, places_of_rows, raw_rows, write_back
from muster.storage.writes import ROWS_PER_WRITE, LostRace

SHARED = ("round", "sub_district")
_DONE, _FROZEN = EntryClass.DONE.value, Origin.FROZEN.value
# Below it no counter of a row can reach the most that is counted within one block.
_FAR_FROM_MOST = MOST_COUNTED - ROWS_PER_WRITE
_ENTRY = (
    "subject", "sub_district", "origin", "origin_dwelling", "grid", "cls", "outcome", "at", "fact",
    "attempts", "facts", "version",
)  # fmt: skip
_DOOR = ("subject", "sub_district", "grid", "state", "at", "fact", "attempts", "version")


class Told(msgspec.Struct):
    """A plain outcome: whose, when, and what it means. door: where it was recorded, if at a door."""

    subject: str
    id: str
    at: Any
    actor: str | None
    rule: OutcomeRule
    door: str | None = None


class KeptEntry(msgspec.Struct):
    """An entry as it was read, and what the block adds to it."""

    subject: str
    sub_district: int
    origin: str
    origin_dwelling: str
    grid: int | None
    cls: str
    outcome: str
    at: Any
    fact: str | None
    attempts: int
    facts: int
    version: int
    place: str = ""
    rank: tuple[int, Any, str] | None = None
    best: Told | None = None
    told: int = 0
    tried: int = 0


class KeptDoor(msgspec.Struct):
    """A door as it was read, and what the block adds to it."""

    subject: str
    sub_district: int
    grid: int
    state: str
    at: Any
    fact: str | None
    attempts: int
    version: int
    place: str = ""
    rank: tuple[int, Any, str] | None = None
    best: Told | None = None
    visits: set[Any] | None = None


class PlainLedger:
    """What plain outcomes touch of one round, read; then what they make of it; then written."""

    def __init__(self, round_: Round, rules: Mapping[str, OutcomeRule]) -> None:
        self.round, self.rules = round_, rules
        self.entries: dict[str, KeptEntry] = {}
        self.doors: dict[str, KeptDoor] = {}
        self.fresh_at: dict[int, datetime] = {}

    def read_entries(self, wanted: Mapping[int, Collection[str]]) -> None:
        """wanted: sub-district → subjects."""
        for row in self._read(LedgerEntry, _ENTRY, wanted):
            self.entries[row[0]] = KeptEntry(*row)

    def read_doors(self, wanted: Mapping[int, Collection[str]]) -> None:
        for row in self._read(DoorEntry, _DOOR, wanted):
            self.doors[row[0]] = KeptDoor(*row)

    def _read(
        self, model: Any, columns: tuple[str, ...], wanted: Mapping[int, Collection[str]]
    ) -> Iterable[tuple[Any, ...]]:
        for home, subjects in wanted.items():
            keyed = (equal("round", self.round.id), equal("sub_district", home))
            yield from raw_rows(model, (*columns, *places_of_rows()), "subject", subjects, *keyed)

    def rule_of(self, outcome: str) -> OutcomeRule | None:
        """The rule of an outcome that decides by itself; None: another must be asked first."""
        rule = self.rules.get(outcome)
        return rule if rule is not None and rule.evidence != LATER else None

    def fits(self, entry: KeptEntry) -> bool:
        """One more outcome extends this entry, whatever its history holds."""
        if entry.origin != _FROZEN or entry.grid is None:
            return False
        if entry.outcome and (self.rule_of(entry.outcome) is None or entry.at is None or entry.fact is None):
            return False
        return entry.facts < _FAR_FROM_MOST and entry.attempts < _FAR_FROM_MOST

    @staticmethod
    def fits_door(door: KeptDoor) -> bool:
        return door.attempts < _FAR_FROM_MOST

    def extend(self, told: Iterable[Told]) -> None:
        """As extending.extend_entry and extend_door, for all of them."""
        for one in told:
            rule = one.rule
            entry = self.entries[one.subject]
            if not entry.told and entry.outcome:
                entry.rank = (self.rules[entry.outcome].precedence, entry.at, entry.fact or "")
            entry.told += 1
            if rule.cls != _DONE:
                entry.tried += 1
            rank = (rule.precedence, one.at, one.id)
            if entry.rank is None or rank > entry.rank:
                entry.rank, entry.best = rank, one
            if one.door is not None and rule.door:
                _extend_door(self.doors[one.door], one, rule.door)

    def touched_grids(self) -> set[int]:
        return set(self.fresh_at) | {door.grid for door in self.doors.values() if door.visits}

    def account(self, accounts: Accounts) -> None:
        """What changes in the accounts of the grids."""
        moves: Counter[tuple[int | None, str, str, str, str]] = Counter()
        for entry in self.entries.values():
            if entry.best is not None:
                rule = entry.best.rule
                moves[entry.grid, entry.cls, entry.outcome, rule.cls, rule.code] += 1
        for (grid, cls, outcome, to, code), n in moves.items():
            assert grid is not None
            deltas, outcomes = accounts.deltas[grid], accounts.outcomes[grid]
            deltas[CLASS_COUNTERS[cls]] -= n
            deltas[CLASS_COUNTERS[to]] += n
            outcomes[code] += n
            if outcome:
                outcomes[outcome] -= n
        for door in self.doors.values():
            if door.best is not None:
                deltas = accounts.deltas[door.grid]
                if door.state in DOOR_COUNTERS:
                    deltas[DOOR_COUNTERS[door.state]] -= 1
                deltas[DOOR_COUNTERS[str(door.best.rule.door)]] += 1

    def write(self, *, revisions: Mapping[int, int]) -> None:
        """Inside the transaction. LostRace: one of the rows was changed since it was read."""
        round_ = hex_of(self.round.id)
        settled, counted = _entry_rows(self.entries.values(), round_, revisions)
        seen, passed = _door_rows(self.doors.values(), round_, revisions)
        columns = ("cls", "outcome", "at", "actor", "fact", "attempts", "facts", "rev")
        changed = write_back(LedgerEntry, columns, SHARED, settled)
        changed += write_back(LedgerEntry, ("attempts", "facts", "rev"), SHARED, counted)
        if changed != len(settled) + len(counted):
            raise LostRace(LedgerEntry.__name__)
        changed = write_back(DoorEntry, ("state", "at", "fact", "attempts", "rev"), SHARED, seen)
        changed += write_back(DoorEntry, ("attempts", "rev"), SHARED, passed)
        if changed != len(seen) + len(passed):
            raise LostRace(DoorEntry.__name__)


def _extend_door(door: KeptDoor, one: Told, said: str) -> None:
    if door.visits is None:
        door.visits = set()
        if door.at is not None and door.fact is not None:
            door.rank = (DOOR_RANK[door.state], door.at, door.fact)
    door.visits.add(one.at)
    rank = (DOOR_RANK[said], one.at, one.id)
    if door.rank is None or rank > door.rank:
        door.rank, door.best = rank, one


_Rows = list[tuple[Any, ...]]


def _entry_rows(
    entries: Iterable[KeptEntry], round_: str, revisions: Mapping[int, int]
) -> tuple[_Rows, _Rows]:
    """Entries with another outcome, and those that were only told of once more."""
    settled: _Rows = []
    counted: _Rows = []
    for e in entries:
        if not e.told:
            continue
        place = (e.place,) if e.place else ()
        tail = (e.attempts + e.tried, e.facts + e.told, revisions[e.grid or 0], round_, e.sub_district,
                e.subject, e.version, *place)  # fmt: skip
        best = e.best
        if best is None:
            counted.append(tail)
        else:
            settled.append((best.rule.cls, best.rule.code, best.at, best.actor, best.id, *tail))
    return settled, counted


def _door_rows(doors: Iterable[KeptDoor], round_: str, revisions: Mapping[int, int]) -> tuple[_Rows, _Rows]:
    """Doors of which something else is known now, and those that were only called at once more."""
    seen: _Rows = []
    passed: _Rows = []
    for d in doors:
        if not d.visits:
            continue
        place = (d.place,) if d.place else ()
        tail = (d.attempts + len(d.visits), revisions[d.grid], round_, d.sub_district, d.subject,
                d.version, *place)  # fmt: skip
        if d.best is None:
            passed.append(tail)
        else:
            seen.append((d.best.rule.door, d.best.at, d.best.id, *tail))
    return seen, passed


__all__ = ["KeptDoor", "KeptEntry", "PlainLedger", "Told"]
