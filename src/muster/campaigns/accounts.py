# SPDX-License-Identifier: Apache-2.0
"""Accounts: what changes of entries and doors do to the accounts of their grids (RoundGrid)."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime

from muster.campaigns.models import DoorEntry, LedgerEntry, RoundGrid
from muster.campaigns.rules import DoorReading, EntryState
from muster.campaigns.states import DoorState, EntryClass
from muster.storage.many_rows import update_rows
from muster.storage.writes import LostRace

CLASS_COUNTERS: dict[str, str] = {
    EntryClass.OPEN.value: "n_open",
    EntryClass.DONE.value: "n_done",
    EntryClass.ARRANGED.value: "n_arranged",
    EntryClass.EXPLAINED.value: "n_explained",
    EntryClass.UNREACHED.value: "n_unreached",
}
DOOR_COUNTERS: dict[str, str] = {
    DoorState.SEEN.value: "doors_seen",
    DoorState.VACANT.value: "doors_vacant",
    DoorState.NO_ANSWER.value: "doors_no_answer",
    DoorState.REFUSED.value: "doors_refused",
}


class Accounts:
    """The changes of the accounts (RoundGrid) that changes of entries and doors ask for.

    `added`, `moved_in` and `moved_out` are pure functions of each entry's origin and present grid, so that
    the order in which facts arrive leaves no trace: moved_out counts entries of the grid that are elsewhere
    now, moved_in entries of elsewhere that are here now.
    """

    def __init__(self, round_id: uuid.UUID) -> None:
        self.round = round_id
        self.deltas: dict[int, Counter[str]] = defaultdict(Counter)
        self.outcomes: dict[int, Counter[str]] = defaultdict(Counter)
        self.guests: dict[int, set[int]] = defaultdict(set)

    def add(self, entry: LedgerEntry) -> None:
        self.deltas[entry.origin_grid]["added"] += 1
        self.deltas[entry.origin_grid][CLASS_COUNTERS[entry.cls]] += 1
        self.guests[entry.origin_grid].add(entry.sub_district)

    def add_door(self, door: DoorEntry) -> None:
        self.deltas[door.grid]["doors"] += 1
        self.deltas[door.grid]["doors_added"] += 1
        self.guests[door.grid].add(door.sub_district)

    def change(self, entry: LedgerEntry, state: EntryState, grid: int | None) -> None:
        if entry.grid is not None:
            self.deltas[entry.grid][CLASS_COUNTERS[entry.cls]] -= 1
            if entry.outcome:
                self.outcomes[entry.grid][entry.outcome] -= 1
        if grid is not None:
            self.deltas[grid][CLASS_COUNTERS[state.cls]] += 1
            if state.outcome:
                self.outcomes[grid][state.outcome] += 1
        if grid != entry.grid:
            self._move(entry, grid)

    def _move(self, entry: LedgerEntry, grid: int | None) -> None:
        origin, before = entry.origin_grid, entry.grid
        self.deltas[origin]["moved_out"] += (grid != origin) - (before != origin)
        if before is not None and before != origin:
            self.deltas[before]["moved_in"] -= 1
        if grid is not None and grid != origin:
            self.deltas[grid]["moved_in"] += 1
            self.guests[grid].add(entry.sub_district)

    def change_door(self, door: DoorEntry, found: DoorReading) -> None:
        if door.state in DOOR_COUNTERS:
            self.deltas[door.grid][DOOR_COUNTERS[door.state]] -= 1
        if found.state in DOOR_COUNTERS:
            self.deltas[door.grid][DOOR_COUNTERS[found.state]] += 1

    def write(self, *, fresh_at: Mapping[int, datetime], revisions: Mapping[int, int]) -> None:
        grids = set(self.deltas) | set(self.outcomes) | set(fresh_at)
        rows = (
            list(RoundGrid.objects.select_for_update().filter(round=self.round, grid__in=grids))
            if grids
            else []
        )
        if not set(self.deltas) <= {row.grid for row in rows}:
            raise LostRace("RoundGrid")
        for row in rows:
            for counter, delta in self.deltas[row.grid].items():
                setattr(row, counter, getattr(row, counter) + delta)
            for outcome, delta in self.outcomes[row.grid].items():
                row.outcomes[outcome] = row.outcomes.get(outcome, 0) + delta
            row.outcomes = {code: n for code, n in sorted(row.outcomes.items()) if n}
            row.guests_from = sorted({*row.guests_from, *(self.guests[row.grid] - {row.sub_district})})
            row.rev = revisions.get(row.grid, row.rev)
            fresh = fresh_at.get(row.grid)
            if fresh and (row.last_fact_at is None or fresh > row.last_fact_at):
                row.last_fact_at = fresh
        update_rows(
            RoundGrid,
            rows,
            columns=(
                "added",
                "moved_in",
                "moved_out",
                "guests_from",
                *CLASS_COUNTERS.values(),
                "doors",
                "doors_added",
                *DOOR_COUNTERS.values(),
                "outcomes",
                "last_fact_at",
                "rev",
            ),
            key=("round", "sub_district", "grid"),
        )
