# SPDX-License-Identifier: Apache-2.0
"""RegisterChanges: what a chunk of facts changes in places and register, collected first, written in
one go.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from muster.places.models import Building
from muster.places.queries import DoorPlace, door_places
from muster.places.services import add_found_dwelling, leave_tombstones
from muster.register.editing import change_person, fits, value_of
from muster.register.models import Person
from muster.register.queries import households_with_ids, persons_with_ids
from muster.register.services import (
    add_found_household,
    add_found_person,
    move_person,
    note_need,
    suspect_duplicates,
)
from muster.storage.writes import LostRace
from muster.trail import kinds
from muster.trail.incoming import Incoming


@dataclass(slots=True)
class RegisterChanges:
    """doors, persons: found. needs: seen. homes: where somebody lives now by all facts (None: left the
    city).
    """

    doors: dict[uuid.UUID, tuple[kinds.DoorFound, uuid.UUID]] = field(default_factory=dict)
    persons: dict[uuid.UUID, tuple[Incoming, kinds.PersonFound, DoorPlace]] = field(default_factory=dict)
    needs: list[tuple[Incoming, kinds.NeedSeen]] = field(default_factory=list)
    edits: list[tuple[Incoming, kinds.PersonChanged]] = field(default_factory=list)
    recheck_home: set[uuid.UUID] = field(default_factory=set)
    homes: dict[uuid.UUID, uuid.UUID | None] = field(default_factory=dict)
    households_seen: set[uuid.UUID] = field(default_factory=set)
    _values: dict[tuple[uuid.UUID, str], str] = field(default_factory=dict)
    _old_homes: dict[uuid.UUID, Person] = field(default_factory=dict)
    _new_places: dict[uuid.UUID, DoorPlace] = field(default_factory=dict)

    def find_door(self, body: kinds.DoorFound, *, dwelling: uuid.UUID, building: uuid.UUID) -> None:
        self.doors.setdefault(dwelling, (body, building))

    def find_person(self, fact: Incoming, body: kinds.PersonFound, place: DoorPlace) -> None:
        self.persons.setdefault(body.person, (fact, body, place))

    def found_place(self, person: uuid.UUID) -> DoorPlace | None:
        found = self.persons.get(person)
        return found[2] if found else None

    def is_new_household(self, body: kinds.PersonFound) -> bool:
        assert body.household is not None
        if body.household in self.households_seen:
            return False
        self.households_seen.add(body.household)
        return body.household not in households_with_ids([body.household])

    def see_need(self, fact: Incoming, body: kinds.NeedSeen) -> None:
        self.needs.append((fact, body))

    def change_person(self, fact: Incoming, body: kinds.PersonChanged, person: Person) -> bool:
        """Whether a correction rests on what stands in the register, or on what was just said."""
        key = (person.id, body.field)
        if not fits(body.field, self._values.get(key, value_of(person, body.field)), body.was, body.now):
            return False
        self._values[key] = body.now
        self.edits.append((fact, body))
        return True

    def settle_home(self, person: uuid.UUID, dwelling: uuid.UUID | None) -> None:
        self.homes[person] = dwelling

    def touched_grids(self) -> set[int]:
        """Grids whose phones must hear of this. Reads where the movers live and will live."""
        grids = {place.grid for _, _, place in self.persons.values() if place.grid is not None}
        self._old_homes = persons_with_ids(
            set(self.homes) | {f.subject for f, _ in self.needs} | {f.subject for f, _ in self.edits}
        )
        self._new_places = door_places({d for d in self.homes.values() if d is not None})
        grids |= {p.grid for p in self._old_homes.values() if p.grid is not None}
        return grids | {p.grid for p in self._new_places.values() if p.grid is not None}

    def write(self, *, at: datetime, revisions: Mapping[int, int]) -> None:
        self._write_doors(revisions)
        self._write_persons(at, revisions)
        for fact, body in self.needs:
            person = self._old_homes.get(fact.subject) or persons_with_ids([fact.subject]).get(fact.subject)
            if person is not None and person.merged_into is not None:
                person = persons_with_ids([person.merged_into]).get(person.merged_into)
            if person is not None:
                note_need(
                    person,
                    kind=body.kind,
                    severity=body.severity,
                    note=body.note,
                    at=at,
                    purpose=str(fact.incident),
                )
        for fact, edit in self.edits:
            self._edit(fact.subject, edit, revisions)
        for person_id, dwelling in self.homes.items():
            self._move(person_id, dwelling, at, revisions)

    def _edit(self, person_id: uuid.UUID, edit: kinds.PersonChanged, revisions: Mapping[int, int]) -> None:
        """Read anew inside the transaction: who was faster in between is not overwritten, the chunk is judged
        again.
        """
        person = persons_with_ids([person_id]).get(person_id)
        if person is None or not fits(edit.field, value_of(person, edit.field), edit.was, edit.now):
            raise LostRace("Person")
        change_person(person, field=edit.field, now=edit.now, rev=revisions.get(person.grid or 0, person.rev))

    def _write_doors(self, revisions: Mapping[int, int]) -> None:
        if not self.doors:
            return
        buildings = {b.id: b for b in Building.objects.filter(id__in={b for _, b in self.doors.values()})}
        for dwelling, (body, building_id) in self.doors.items():
            building = buildings[building_id]
            add_found_dwelling(
                id=dwelling,
                building=building,
                unit=body.unit,
                floor=body.floor,
                room=body.room,
                address=body.address,
                purpose="daily",
                rev=revisions.get(building.grid or 0, 0),
            )

    def _write_persons(self, at: datetime, revisions: Mapping[int, int]) -> None:
        made: set[uuid.UUID] = set()
        for person_id, (fact, body, place) in self.persons.items():
            rev = revisions.get(place.grid or 0, 0)
            purpose = str(fact.incident)
            if body.household and body.household not in made and not households_with_ids([body.household]):
                add_found_household(household=body.household, place=place, purpose=purpose, rev=rev)
                made.add(body.household)
            person = add_found_person(
                person=person_id, household=body.household, place=place, name=body.name, phone=body.phone,
                birth_year=body.birth_year, source=body.source, purpose=purpose, rev=rev,
            )  # fmt: skip
            for need in body.needs:
                note_need(person, kind=need, severity=1, note="", at=at, purpose=purpose)
            suspect_duplicates(person, at=at)

    def _move(
        self, person_id: uuid.UUID, dwelling: uuid.UUID | None, at: datetime, revisions: Mapping[int, int]
    ) -> None:
        person = self._old_homes.get(person_id)
        if person is None or (dwelling == person.dwelling_id and person.left_at is None):
            return
        if person.merged_into is not None:
            return  # a record that was merged comes back by undoing the merge, by nothing else
        old_grid = person.grid
        to = self._new_places.get(dwelling) if dwelling else None
        if dwelling is not None and to is None:
            return
        new_grid = to.grid if to else None
        move_person(person, to=to, at=at, rev=revisions.get(new_grid or old_grid or 0, 0))
        if old_grid is not None and old_grid != new_grid:
            leave_tombstones([(old_grid, revisions[old_grid], "person", person_id)])
