# SPDX-License-Identifier: Apache-2.0
"""Lists of dwellings: doors in buildings that are known."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from muster.base.errors import Refusal
from muster.places.models import Dwelling
from muster.register.importing import forms
from muster.register.importing.door_keys import room_key, unit_key
from muster.register.importing.door_lines import new_door_id, new_dwelling, refuse_place
from muster.register.importing.finding import DoorWords, KnownBuilding
from muster.register.importing.form import ROW_ID
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.referring import referred_dwellings
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Verdict


@dataclass(slots=True)
class _Found:
    building: KnownBuilding
    words: DoorWords
    known: Dwelling | None = None


class Dwellings(Kind):
    form = forms.DWELLINGS
    entity = "dwelling"
    model = Dwelling
    fields = ("floor", "kind", "address")
    columns = ("floor", "kind", "address", "rev")
    guard = "rev"

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        good = [row for row in rows if row.is_good]
        bases = {row.number: row.found for row in good if isinstance(row.found, RowId)}
        for row in good:
            try:
                building, words = job.places.building_of(row.values)
            except Refusal as refusal:
                refuse_place(row, refusal)
                continue
            row.found = _Found(building, words)
            if not words.room and "room" in self._needed(row, job):
                row.refuse("room", "import_cell_missing")
        good = [row for row in good if row.is_good]
        job.places.load_doors(row.found.building.id for row in good)
        doors = {row.number: self._door(row, job) for row in good}
        known = self.fetch({door for door in doors.values() if door} | {base.id for base in bases.values()})
        for row in good:
            if row.is_good:
                self._settle(row, known, doors[row.number], bases.get(row.number), job)

    def _needed(self, row: CheckedRow, job: Job) -> tuple[str, ...]:
        """A whole house is a door of its own only where its address says so or the pack's form allows it."""
        said_whole = "building" not in row.values
        return () if said_whole or job.setting.pack.address.form == "street" else ("room",)

    def _door(self, row: CheckedRow, job: Job) -> str | None:
        try:
            return str(job.places.door(row.found.building, row.found.words).id)
        except Refusal as refusal:
            if refusal.code != "import_door_unknown":
                refuse_place(row, refusal)
            return None

    def _settle(
        self, row: CheckedRow, known: dict[str, Dwelling], door: str | None, base: RowId | None, job: Job
    ) -> None:
        if base is not None and (base.id not in known or base.id != door):
            row.refuse(ROW_ID, "import_row_gone")
        elif door is not None:
            row.found.known = known[door]
            self.settle_known(row, known[door], "row_id" if base else "same_door", job, base=base)

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        words: DoorWords = row.found.words
        yield "same_door", (row.found.building.id, unit_key(words.unit), room_key(words.room))

    def live(self, known: Dwelling) -> dict[str, str]:
        return {
            "floor": "" if known.floor is None else str(known.floor),
            "kind": known.kind,
            "address": known.address or "",
        }

    def assign(self, known: Dwelling, field: str, value: str) -> None:
        match field:
            case "floor":
                known.floor = int(value) if value else None
            case "address":
                known.address = value or None
            case _:
                setattr(known, field, value)

    def fetch(self, ids: Collection[str]) -> dict[str, Dwelling]:
        rows = Dwelling.objects.across(reason="import").filter(id__in=list(ids))
        return {str(dwelling.id): dwelling for dwelling in rows} if ids else {}

    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        made = self.composition()
        for row in rows:
            found: _Found = row.found
            if row.verdict == Verdict.NEW:
                floor = int(row.values["floor"]) if "floor" in row.values else None
                door = new_dwelling(
                    new_door_id(job.batch, found.building.id, found.words),
                    found.building,
                    found.words,
                    job,
                    floor=floor,
                    kind=row.values.get("kind", ""),
                    address=row.values.get("address", ""),
                )
                made.add(door, entity="dwelling", line=row.number)
            elif row.verdict == Verdict.CHANGED and found.known is not None:
                self.change(made, row, found.known)
        return made

    def referred(self, known: Sequence[Any], *, batch: uuid.UUID) -> dict[str, str]:
        return referred_dwellings(known)
