# SPDX-License-Identifier: Apache-2.0
"""Lists of dwellings: doors in buildings that are known."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from muster.base.errors import Refusal
from muster.places.models import Dwelling
from muster.places.queries import DoorPlace
from muster.register.importing import forms
from muster.register.importing.building_shelves import KnownBuilding
from muster.register.importing.door_keys import room_key, unit_key
from muster.register.importing.door_lines import (
    doors_as_shown,
    new_door_id,
    new_dwelling,
    refuse_place,
)
from muster.register.importing.finding import DoorWords
from muster.register.importing.form import ROW_ID
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.referring import referred_dwellings
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Verdict


@dataclass(slots=True)
class _Found:
    """building and words are None for a door that was recognised by what it is shown as."""

    building: KnownBuilding | None
    words: DoorWords | None
    known: Dwelling | None = None


class Dwellings(Kind):
    form = forms.DWELLINGS
    entity = "dwelling"
    model = Dwelling
    fields = ("floor", "kind", "address", "label")
    columns = ("floor", "kind", "address", "label", "rev")
    guard = "rev"

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        good = [row for row in rows if row.is_good]
        bases = {row.number: row.found for row in good if isinstance(row.found, RowId)}
        doors = self._known_doors(good, job)
        good = [row for row in good if row.is_good]
        known = self.fetch({door for door in doors.values() if door} | {base.id for base in bases.values()})
        for row in good:
            self._settle(row, known, doors.get(row.number), bases.get(row.number), job)

    def _known_doors(self, rows: Sequence[CheckedRow], job: Job) -> dict[int, str]:
        """line -> the door that is there already. What is said of a line is left in its `found`."""
        lost: dict[int, Refusal] = {}
        for row in rows:
            try:
                row.found = _Found(*job.places.building_of(row.values))
            except Refusal as refusal:
                row.found, lost[row.number] = None, refusal
        job.places.load_doors(row.found.building.id for row in rows if row.found is not None)
        doors = {row.number: str(door.id) for row in rows if (door := self._door(row, lost, job)) is not None}
        shown = doors_as_shown([row for row in rows if row.number in lost], job)
        for row in rows:
            if row.number in shown:
                doors[row.number] = str(shown[row.number][0].id)
                row.found = row.found or _Found(None, None)
            elif row.number in lost:
                refuse_place(row, lost[row.number])
            elif not row.found.words.room and "room" in self._needed(row, job):
                row.refuse("room", "import_cell_missing")
        return doors

    def _needed(self, row: CheckedRow, job: Job) -> tuple[str, ...]:
        """A whole house is a door of its own only where its address says so or the pack's form allows it."""
        said_whole = "building" not in row.values
        return () if said_whole or job.setting.pack.address.form == "street" else ("room",)

    def _door(self, row: CheckedRow, lost: dict[int, Refusal], job: Job) -> DoorPlace | None:
        if row.found is None:
            return None
        try:
            return job.places.door(row.found.building, row.found.words)
        except Refusal as refusal:
            if refusal.code != "import_door_unknown":
                lost[row.number] = refusal
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
        found: _Found = row.found
        if row.match or found.building is None or found.words is None:
            yield "same_door", row.match
        else:
            unit, room = unit_key(found.words.unit), room_key(found.words.room)
            yield "same_door", (found.building.id, unit, room)

    def live(self, known: Dwelling) -> dict[str, str]:
        return {
            "floor": "" if known.floor is None else str(known.floor),
            "kind": known.kind,
            "address": known.address or "",
            "label": known.label,
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
            if row.verdict == Verdict.NEW and found.building is not None and found.words is not None:
                floor = int(row.values["floor"]) if "floor" in row.values else None
                door = new_dwelling(
                    new_door_id(job.batch, found.building.id, found.words),
                    found.building,
                    found.words,
                    job,
                    floor=floor,
                    kind=row.values.get("kind", ""),
                    address=row.values.get("address", ""),
                    label=row.values.get("label", ""),
                )
                made.add(door, entity="dwelling", line=row.number)
            elif row.verdict == Verdict.CHANGED and found.known is not None:
                self.change(made, row, found.known)
        return made

    def referred(self, known: Sequence[Any], *, batch: uuid.UUID) -> dict[str, str]:
        return referred_dwellings(known)
