# SPDX-License-Identifier: Apache-2.0
"""Bulk apply: what a set of new facts makes of entries, doors and the accounts of grids.

`Reading` is what was read before the transaction; `Changes` is what must be written in it. Settling happens
between the two, outside any transaction. Inside it versions are checked again: whoever lost the race reads
and settles anew.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from muster.campaigns.accounts import Accounts
from muster.campaigns.extending import extend_door, extend_entry
from muster.campaigns.models import DoorEntry, LedgerEntry, Round
from muster.campaigns.rules import (
    DoorReading,
    EntryState,
    OutcomeRule,
    SeenFact,
    facts_of_taken_in,
    merged_into,
    outcome_rules,
    settle_door,
    settle_entry,
    taken_in,
)
from muster.campaigns.states import Origin
from muster.storage.many_rows import Insert, update_unchanged
from muster.storage.plain_reads import equal, read_rows_each
from muster.trail.queries import (
    FactRow,
    KnownFact,
    doors_visited_at,
    facts_about,
    facts_at,
    units_merged,
)

ENTRY_COLUMNS = (
    "grid",
    "dwelling",
    "cls",
    "outcome",
    "at",
    "actor",
    "fact",
    "attempts",
    "facts",
    "version",
    "rev",
)
DOOR_COLUMNS = ("state", "at", "fact", "attempts", "version", "rev")
KEY = ("round", "sub_district", "subject")


@dataclass(slots=True)
class RoundReading:
    """A round with its rules, and the entries and doors of it that new facts touch."""

    round: Round
    rules: dict[str, OutcomeRule]
    entries: dict[uuid.UUID, LedgerEntry] = field(default_factory=dict)
    doors: dict[uuid.UUID, DoorEntry] = field(default_factory=dict)
    new_entries: dict[uuid.UUID, LedgerEntry] = field(default_factory=dict)
    new_doors: dict[uuid.UUID, DoorEntry] = field(default_factory=dict)
    # Sub-districts of which further units of the same chunk stand on the roster.
    homes: AbstractSet[int] = frozenset()

    def entry(self, subject: uuid.UUID) -> LedgerEntry | None:
        return self.entries.get(subject) or self.new_entries.get(subject)

    def door(self, dwelling: uuid.UUID) -> DoorEntry | None:
        return self.doors.get(dwelling) or self.new_doors.get(dwelling)

    def add_entry(self, subject: uuid.UUID, *, sub_district: int, grid: int, dwelling: uuid.UUID) -> None:
        """A unit that was on no list joins the roster of its grid."""
        if self.entry(subject) is None:
            self.new_entries[subject] = LedgerEntry(
                round=self.round.id,
                sub_district=sub_district,
                subject=subject,
                origin=Origin.ADDED,
                origin_grid=grid,
                origin_dwelling=dwelling,
                grid=grid,
                dwelling=dwelling,
            )

    def add_door(self, dwelling: uuid.UUID, *, sub_district: int, grid: int, building: uuid.UUID) -> None:
        if self.door(dwelling) is None:
            self.new_doors[dwelling] = DoorEntry(
                round=self.round.id,
                sub_district=sub_district,
                subject=dwelling,
                origin=Origin.ADDED,
                grid=grid,
                building=building,
            )


def read_rounds(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, RoundReading]:
    rounds = Round.objects.select_related("campaign__kind").filter(id__in=ids)
    return {r.id: RoundReading(r, outcome_rules(r.campaign.kind.definition)) for r in rounds}


def read_ledger(reading: RoundReading, *, subjects: Collection[uuid.UUID], doors: Collection[uuid.UUID],
                sub_districts: Collection[int]) -> None:  # fmt: skip
    """Reads the touched entries and doors of a round; every statement carries the sub-districts of its
    key.
    """
    # Home by home: with the whole key named nothing but the row itself is looked at.
    for home in sorted(sub_districts):
        keyed = (equal("round", reading.round.id), equal("sub_district", home))
        rows = read_rows_each(LedgerEntry, "subject", subjects, *keyed)
        reading.entries.update({row.subject: row for row in rows})
    more = set(doors) | {e.origin_dwelling for e in reading.entries.values()}
    for home in sorted(sub_districts):
        keyed = (equal("round", reading.round.id), equal("sub_district", home))
        found = read_rows_each(DoorEntry, "subject", more, *keyed)
        reading.doors.update({row.subject: row for row in found})


@dataclass(slots=True)
class Changes:
    """What a chunk of facts makes of one round."""

    reading: RoundReading
    entries: list[tuple[LedgerEntry, EntryState, int | None]] = field(default_factory=list)
    doors: list[tuple[DoorEntry, DoorReading]] = field(default_factory=list)
    fresh_at: dict[int, datetime] = field(default_factory=dict)

    @property
    def touched_grids(self) -> set[int]:
        grids = {g for e, _, to in self.entries for g in (e.grid, to) if g is not None}
        grids |= {d.grid for d, _ in self.doors}
        grids |= {e.origin_grid for e in self.reading.new_entries.values()}
        grids |= {d.grid for d in self.reading.new_doors.values()}
        return grids | set(self.fresh_at)


def seen(row: FactRow, desk_devices: Container[uuid.UUID]) -> SeenFact:
    return SeenFact(
        row.id,
        row.kind,
        row.value,
        row.actor,
        row.occurred_at,
        row.ref,
        row.subject,
        row.device in desk_devices,
    )


def settle_changes(
    reading: RoundReading,
    *,
    subjects: Iterable[uuid.UUID],
    doors: Iterable[uuid.UUID],
    new_by_subject: Mapping[uuid.UUID, list[SeenFact]],
    new_by_door: Mapping[uuid.UUID, list[SeenFact]],
    told_before: Collection[KnownFact],
    desk_devices: Container[uuid.UUID],
    grid_of: Callable[[uuid.UUID], int | None],
) -> Changes:
    """Settles every touched entry and door from all its facts, the kept ones and the new ones. Reads, never
    writes.

    told_before: counting facts of the round that have the id of one of the new ones, from another device.
    grid_of: dwelling -> its small grid if that takes part in the round; asked only for dwellings moved to.
    """
    changes = Changes(reading)
    whole = _extend_entries(changes, set(subjects), new_by_subject, told_before)
    _settle_entries(changes, whole, new_by_subject, desk_devices, grid_of)
    whole = _extend_doors(changes, set(doors), new_by_door, told_before)
    _settle_doors(changes, whole, new_by_door, desk_devices)
    return changes


def _extend_entries(
    changes: Changes,
    subjects: set[uuid.UUID],
    new: Mapping[uuid.UUID, list[SeenFact]],
    told_before: Collection[KnownFact],
) -> list[uuid.UUID]:
    """Settles whom the new facts alone settle; returns who needs the whole set of facts."""
    reading, whole = changes.reading, []
    doubted = {known.subject for known in told_before}
    doubted |= units_merged(reading.round.id, units=subjects & reading.entries.keys())
    for subject in subjects:
        entry = reading.entries.get(subject)
        state = None
        if entry is not None and subject not in doubted:
            state = extend_entry(
                reading.rules, state_of(entry), origin=entry.origin, facts=new.get(subject, [])
            )
        if entry is None or state is None:
            whole.append(subject)
        elif not same_entry(entry, state, entry.grid):
            changes.entries.append((entry, state, entry.grid))
    return whole


def _settle_entries(
    changes: Changes,
    subjects: Collection[uuid.UUID],
    new_by_subject: Mapping[uuid.UUID, list[SeenFact]],
    desk_devices: Container[uuid.UUID],
    grid_of: Callable[[uuid.UUID], int | None],
) -> None:
    reading = changes.reading
    told = _facts_with_kin(reading, subjects, new_by_subject, desk_devices)

    def facts_of(unit: uuid.UUID) -> list[SeenFact]:
        return told.get(unit, [])

    for subject in told:
        entry = reading.entry(subject)
        if entry is None:
            continue
        state = settle_entry(
            reading.rules,
            origin=entry.origin,
            origin_dwelling=entry.origin_dwelling,
            facts=told[subject],
            of_taken_in=facts_of_taken_in(subject, facts_of),
        )
        grid = (
            entry.grid
            if state.dwelling == entry.dwelling
            else grid_of(state.dwelling)
            if state.dwelling
            else None
        )
        if not same_entry(entry, state, grid):
            changes.entries.append((entry, state, grid))


def _extend_doors(
    changes: Changes,
    doors: set[uuid.UUID],
    new: Mapping[uuid.UUID, list[SeenFact]],
    told_before: Collection[KnownFact],
) -> list[uuid.UUID]:
    """Settles doors that the new facts alone settle; returns those that need the whole set of facts."""
    reading, whole = changes.reading, []
    known_doors = doors & reading.doors.keys()
    visits = {(door, fact.occurred_at) for door in known_doors for fact in new.get(door, ())}
    doubted = {known.door for known in told_before} | doors_visited_at(reading.round.id, visits=visits)
    for dwelling in doors:
        door = reading.doors.get(dwelling)
        found = None
        if door is not None and dwelling not in doubted:
            found = extend_door(reading.rules, reading_of(door), new.get(dwelling, []))
        if door is None or found is None:
            whole.append(dwelling)
        elif found != reading_of(door):
            changes.doors.append((door, found))
    return whole


def _settle_doors(
    changes: Changes,
    doors: Collection[uuid.UUID],
    new_by_door: Mapping[uuid.UUID, list[SeenFact]],
    desk_devices: Container[uuid.UUID],
) -> None:
    reading = changes.reading
    kept_at: dict[uuid.UUID, list[SeenFact]] = defaultdict(list)
    for row in facts_at(reading.round.id, doors=doors):
        if row.door is not None:
            kept_at[row.door].append(seen(row, desk_devices))
    for dwelling in doors:
        door = reading.door(dwelling)
        if door is None:
            continue
        found = settle_door(reading.rules, kept_at[dwelling] + new_by_door.get(dwelling, []))
        if found != reading_of(door):
            changes.doors.append((door, found))


def state_of(entry: LedgerEntry) -> EntryState:
    return EntryState(
        entry.cls,
        entry.outcome,
        entry.at,
        entry.actor,
        entry.fact,
        entry.attempts,
        entry.facts,
        entry.dwelling,
    )


def reading_of(door: DoorEntry) -> DoorReading:
    return DoorReading(door.state, door.at, door.fact, door.attempts)


def _facts_with_kin(
    reading: RoundReading,
    subjects: Iterable[uuid.UUID],
    new_by_subject: Mapping[uuid.UUID, list[SeenFact]],
    desk_devices: Container[uuid.UUID],
) -> dict[uuid.UUID, list[SeenFact]]:
    """unit -> its facts, for these units, those they turned out to be, and those they took in.

    One statement where nobody was merged; two more for each link of a chain of merges.
    """
    told: dict[uuid.UUID, list[SeenFact]] = {}
    missing = set(subjects)
    while missing:
        fresh: dict[uuid.UUID, list[SeenFact]] = {unit: [] for unit in missing}
        for row in facts_about(reading.round.id, subjects=fresh):
            fresh[row.subject].append(seen(row, desk_devices))
        homes: dict[uuid.UUID, int] = {}
        near: set[uuid.UUID] = set()
        for unit, facts in fresh.items():
            facts.extend(new_by_subject.get(unit, ()))
            near |= taken_in(facts)
            merge = merged_into(facts)
            if merge is not None and merge.ref is not None and merge.value:
                near.add(merge.ref)
                homes[merge.ref] = int(merge.value)
        told |= fresh
        missing = near - told.keys()
        unread = [unit for unit in homes if reading.entry(unit) is None]
        if unread:
            read_ledger(reading, subjects=unread, doors=(), sub_districts={homes[u] for u in unread})
    return told


def same_entry(entry: LedgerEntry, state: EntryState, grid: int | None) -> bool:
    return entry.grid == grid and state_of(entry) == state


class Block(Protocol):
    """Further changes of the same round, settled as a block (plain_ledger.PlainLedger)."""

    round: Round
    fresh_at: dict[int, datetime]

    def account(self, accounts: Accounts) -> None: ...

    def write(self, *, revisions: Mapping[int, int]) -> None: ...


def write_changes(
    changes: Changes | None, *, revisions: Mapping[int, int], block: Block | None = None
) -> None:
    """Inside the transaction: entries, doors, then the accounts of the touched grids.

    Raises:
        LostRace: an entry or door changed since it was read; IntegrityError where one appeared meanwhile.
    """
    whose = changes.reading.round if changes is not None else block.round if block is not None else None
    if whose is None:
        return
    accounts = Accounts(whose.id)
    fresh_at: dict[int, datetime] = {}
    if changes is not None:
        _write_each(changes, accounts, revisions)
        fresh_at |= changes.fresh_at
    if block is not None:
        block.account(accounts)
        block.write(revisions=revisions)
        for grid, at in block.fresh_at.items():
            fresh_at[grid] = max(at, fresh_at.get(grid, at))
    accounts.write(fresh_at=fresh_at, revisions=revisions)


def _write_each(changes: Changes, accounts: Accounts, revisions: Mapping[int, int]) -> None:
    reading = changes.reading
    for entry in reading.new_entries.values():
        accounts.add(entry)
        entry.rev = revisions.get(entry.origin_grid, 0)
    for door in reading.new_doors.values():
        accounts.add_door(door)
        door.rev = revisions.get(door.grid, 0)
    updated_entries, updated_doors = [], []
    for entry, state, grid in changes.entries:
        accounts.change(entry, state, grid)
        place_entry(entry, state, grid, revisions)
        if entry.subject not in reading.new_entries:
            updated_entries.append(entry)
    for door, found in changes.doors:
        accounts.change_door(door, found)
        door.state, door.at, door.fact, door.attempts = found.state, found.at, found.fact, found.attempts
        door.version += 1
        door.rev = revisions.get(door.grid, door.rev)
        if door.subject not in reading.new_doors:
            updated_doors.append(door)
    Insert(LedgerEntry, list(reading.new_entries.values())).execute()
    Insert(DoorEntry, list(reading.new_doors.values())).execute()
    update_unchanged(LedgerEntry, updated_entries, columns=ENTRY_COLUMNS, key=KEY)
    update_unchanged(DoorEntry, updated_doors, columns=DOOR_COLUMNS, key=KEY)


def place_entry(
    entry: LedgerEntry, state: EntryState, grid: int | None, revisions: Mapping[int, int]
) -> None:
    entry.cls, entry.outcome, entry.at, entry.actor = state.cls, state.outcome, state.at, state.actor
    entry.fact, entry.attempts, entry.facts = state.fact, state.attempts, state.facts
    entry.dwelling, entry.grid = state.dwelling, grid
    entry.version += 1
    if grid is not None:
        entry.rev = revisions.get(grid, entry.rev)
