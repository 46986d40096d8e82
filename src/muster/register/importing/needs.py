# SPDX-License-Identifier: Apache-2.0
"""Lists of needs: each about a person who is in the register already."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

from muster.base.errors import Refusal
from muster.register.importing import forms
from muster.register.importing.door_lines import doors_as_shown, refuse_place
from muster.register.importing.form import ROW_ID
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.name_keys import name_key
from muster.register.importing.person_matching import LikePersons, contradict
from muster.register.importing.persons import Persons
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Verdict
from muster.register.models import Need, Person

_NOWHERE = uuid.UUID(int=0)


@dataclass(slots=True)
class _Found:
    person: Person
    known: Need | None = None


class Needs(Kind):
    form = forms.NEEDS
    entity = "need"
    model = Need
    fields = ("severity", "verified_on", "note")
    columns = ("severity", "verified_on", "note", "seen_at")

    def __init__(self) -> None:
        self._persons = Persons()

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        bases = {row.number: row.found for row in rows if row.is_good and isinstance(row.found, RowId)}
        doors = self._doors([row for row in rows if row.is_good], job)
        good = [row for row in rows if row.is_good]
        alike = LikePersons.load([row.values for row in good], set(doors.values()), job.crowds)
        for row in good:
            self._find_person(row, alike, doors.get(row.number, _NOWHERE), job)
        good = [row for row in good if row.is_good]
        known = _open_needs({row.found.person.id for row in good})
        for row in good:
            base = bases.get(row.number)
            need = known.get((row.found.person.id, row.values["kind"]))
            if base is not None and (need is None or str(need.id) != base.id):
                row.refuse(ROW_ID, "import_row_gone")
            elif need is not None:
                row.found.known = need
                self.settle_known(row, need, "row_id" if base else "same_need", job, base=base)

    def _doors(self, rows: Sequence[CheckedRow], job: Job) -> dict[int, uuid.UUID]:
        """line -> door, where the line says one; a door that is not found only makes the person harder to
        find.
        """
        rows = [row for row in rows if row.values.keys() & {"building", "address"}]
        buildings, lost = {}, {}
        for row in rows:
            try:
                buildings[row.number] = job.places.building_of(row.values)
            except Refusal as refusal:
                lost[row.number] = refusal
        job.places.load_doors(building.id for building, _ in buildings.values())
        doors = {}
        for number, (building, words) in buildings.items():
            with suppress(Refusal):
                doors[number] = job.places.door(building, words).id
        shown = doors_as_shown([row for row in rows if row.number not in doors], job)
        doors |= {number: place.id for number, (place, _) in shown.items()}
        for row in rows:
            if (
                row.number in lost
                and row.number not in doors
                and not row.values.keys() & {"id_number", "phone"}
            ):
                refuse_place(row, lost[row.number])
        return doors

    def _find_person(self, row: CheckedRow, alike: LikePersons, door: uuid.UUID, job: Job) -> None:
        """By id number, by phone and name, or by name and door; only one may fit, and nothing may
        contradict.
        """
        wanted = name_key(row.values["name"])
        fitting = {}
        for one in alike.of(row.values, door):
            person = one.person
            if person.left_at is not None or not job.reach.covers(person.area_path, person.grid):  # type: ignore[attr-defined]
                continue
            if alike.name(person) == wanted and not contradict(row.values, self._persons.live(person)):
                fitting[person.id] = person
        if not fitting:
            row.refuse("name", "import_person_unknown")
        elif len(fitting) > 1:
            row.refuse("name", "import_person_ambiguous", count=len(fitting))
        else:
            row.found = _Found(next(iter(fitting.values())))

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        yield "same_need", (row.found.person.id, row.values["kind"])

    def live(self, known: Need) -> dict[str, str]:
        verified = known.verified_on.isoformat() if known.verified_on else ""
        return {"severity": str(known.severity), "verified_on": verified, "note": known.note or ""}

    def assign(self, known: Need, field: str, value: str) -> None:
        match field:
            case "severity":
                known.severity = int(value or 1)
            case "verified_on":
                known.verified_on = date.fromisoformat(value) if value else None
            case _:
                known.note = value or None

    def fetch(self, ids: Collection[str]) -> dict[str, Need]:
        rows = Need.objects.across(reason="import").filter(id__in=list(ids))
        return {str(need.id): need for need in rows} if ids else {}

    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        made = self.composition()
        for row in rows:
            found: _Found = row.found
            person = found.person
            if row.verdict == Verdict.NEW:
                need = Need(
                    id=imported_id(job.batch, "need", row.number),
                    sub_district=person.sub_district,
                    grid=person.grid,
                    person_id=person.id,
                    kind=row.values["kind"],
                    purpose=job.purpose,
                    seen_at=job.at,
                )
                for field in self.fields:
                    if field in row.values:
                        self.assign(need, field, row.values[field])
                made.add(need, entity="need", line=row.number)
                made.heard.add(person.id)
            elif row.verdict == Verdict.CHANGED and found.known is not None:
                self.change(made, row, found.known)
        return made

    def referred(self, known: Sequence[Need], *, batch: uuid.UUID) -> dict[str, str]:
        return {str(need.id): "changed_since" for need in known if need.ended_at is not None}


def _open_needs(persons: Collection[uuid.UUID]) -> dict[tuple[uuid.UUID, str], Need]:
    rows = Need.objects.across(reason="import").filter(person_id__in=list(persons), ended_at__isnull=True)
    return {(need.person_id, need.kind): need for need in rows}
