# SPDX-License-Identifier: Apache-2.0
"""Placing: which unit, door and grid a fact speaks of, or the reason why it must wait.

Reads once for a whole chunk; writes nothing. What a finding adds to the roster is laid into the reading, so
that the other facts of the same chunk can speak of it.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from muster.campaigns.facts import RoundReading, read_ledger
from muster.campaigns.queries import grids_of_round, guest_homes
from muster.campaigns.rules import SeenFact
from muster.campaigns.states import RECORDING, RoundStatus, Unit
from muster.flows.field_work import FieldWork
from muster.flows.register_changes import RegisterChanges
from muster.places.queries import DoorPlace, building_places, door_places
from muster.register.queries import persons_with_ids
from muster.trail import kinds
from muster.trail.incoming import Incoming, Ruling, flagged, held, quarantined
from muster.trail.models import Fact
from muster.trail.queries import facts_with_ids


@dataclass(slots=True)
class Placed:
    """A fact whose subject and door are known."""

    fact: Incoming
    subject: uuid.UUID
    subject_type: str
    door: uuid.UUID | None
    ruling: Ruling
    grid: int | None = None
    released: Fact | None = None

    def as_seen(self) -> SeenFact:
        body = self.fact.body
        assert body is not None
        return SeenFact(
            self.fact.id, self.fact.kind, kinds.value_of(body), self.fact.actor, self.fact.occurred_at,
            kinds.ref_of(body), self.subject, self.fact.from_desk,
        )  # fmt: skip


class Placing:
    """Finds each fact's round, subject, door and grid, or the reason why it must wait."""

    def __init__(
        self,
        facts: Sequence[Incoming],
        *,
        rounds: Mapping[uuid.UUID, RoundReading],
        register: RegisterChanges,
        work: FieldWork,
        claimed: AbstractSet[int],
    ) -> None:
        """claimed: where the facts of the whole chunk say that their units live."""
        self.rounds, self.register, self.work = rounds, register, work
        bodies = [(f, f.body) for f in facts if f.body is not None]
        self.not_yet_counting = {f.id for f in facts}
        self.undone = self._undone_facts(facts)
        subjects: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        doors: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        dwellings: set[uuid.UUID] = set()
        for fact, body in bodies:
            if fact.round is None:
                continue
            subjects[fact.round].add(self._subject_of(fact, body))
            if body.door:
                doors[fact.round].add(body.door)
            if fact.subject_type == "dwelling":
                doors[fact.round].add(fact.subject)
                dwellings.add(fact.subject)
            if isinstance(body, kinds.PersonMoved) and body.to:
                dwellings.add(body.to.dwelling)
            if isinstance(body, kinds.EntryTookIn) and body.door:
                dwellings.add(body.door)
        self.places = door_places(dwellings)
        self.buildings = building_places({b.building for _, b in bodies if isinstance(b, kinds.DoorFound)})
        self.persons = persons_with_ids(
            {f.subject for f, _ in bodies if f.kind in {"person.moved", "need.seen", "person.changed"}}
            | {b.person for _, b in bodies if isinstance(b, kinds.PersonFound)}
        )
        self._grids: dict[uuid.UUID, frozenset[int]] = {}
        for round_id, reading in rounds.items():
            read_ledger(reading, subjects=subjects[round_id], doors=doors[round_id], sub_districts=claimed)
            self._read_guests(reading, subjects[round_id], claimed)

    def _read_guests(
        self, reading: RoundReading, subjects: set[uuid.UUID], claimed: AbstractSet[int]
    ) -> None:
        """Who crossed a border keeps the key of his old home; who records him names the new one."""
        missing = {s for s in subjects if reading.entry(s) is None}
        homes = guest_homes(reading.round.id, claimed) - claimed if missing else set()
        if homes:
            read_ledger(reading, subjects=missing, doors=(), sub_districts=homes)

    def _undone_facts(
        self, facts: Sequence[Incoming]
    ) -> dict[uuid.UUID, tuple[uuid.UUID, str, uuid.UUID | None]]:
        """fact id -> (subject, kind, door) of everything that an undo of this chunk may mean."""
        wanted: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        for fact in facts:
            if isinstance(fact.body, kinds.FactUndone):
                wanted[fact.body.round].add(fact.body.fact)
        if not wanted:
            return {}
        known = {
            f.id: (
                _plain_subject(f, f.body),
                f.kind,
                f.body.door or (f.subject if f.subject_type == "dwelling" else None),
            )
            for f in facts
            if f.body is not None and f.kind != "fact.undone"
        }
        for round_id, ids in wanted.items():
            for row in facts_with_ids(round_id, ids):
                known[row.id] = (row.subject, row.kind, row.door)
        return known

    def _subject_of(self, fact: Incoming, body: kinds.Body) -> uuid.UUID:
        if isinstance(body, kinds.FactUndone):
            target = self.undone.get(body.fact)
            return target[0] if target else fact.subject
        return _plain_subject(fact, body)

    def place(self, fact: Incoming) -> Placed:
        body = fact.body
        subject = self._subject_of(fact, body) if body else fact.subject
        placed = Placed(fact, subject, fact.subject_type, None, fact.ruling or fact.doubt_time())
        if fact.ruling is not None or body is None:
            return placed
        if isinstance(body, kinds.ServiceBody):
            return self._place_work(placed, body)
        reading = self.rounds.get(fact.round) if fact.round else None
        if fact.round is not None:
            refusal = self._doubt_round(fact, reading)
            if refusal is not None:
                placed.ruling = refusal
                if not refusal.counts:
                    return placed
        self._place_by_kind(placed, body, reading)
        if placed.ruling.counts and not fact.may_speak_of(placed.grid):
            placed.ruling = quarantined("out_of_scope")
        if placed.ruling.counts:
            self.not_yet_counting.discard(fact.id)
        return placed

    def _place_work(self, placed: Placed, body: kinds.ServiceBody) -> Placed:
        """Who was asked may speak of work in another grid; what his clock may have wrong comes second."""
        ruling, placed.grid = self.work.place(placed.fact, body)
        placed.ruling = ruling if ruling.code else placed.ruling
        return placed

    def _place_by_kind(self, placed: Placed, body: kinds.Body, reading: RoundReading | None) -> None:
        match body:
            case kinds.DoorFound():
                self._place_found_door(placed, body, reading)
            case kinds.PersonFound():
                self._place_found_person(placed, body, reading)
            case kinds.FactUndone():
                self._place_undo(placed, body, reading)
            case kinds.NeedSeen() | kinds.PersonMoved() | kinds.PersonChanged():
                self._place_person_change(placed, body, reading)
            case kinds.NoteWritten():
                pass
            case _:
                self._place_visit(placed, body, reading)

    def _doubt_round(self, fact: Incoming, reading: RoundReading | None) -> Ruling | None:
        if reading is None:
            return held("unknown_round")
        if reading.round.incident != fact.incident:
            return quarantined("out_of_scope")
        status = reading.round.status
        if status in RECORDING or fact.by_house:
            return None
        return flagged(
            "after_close" if status in (RoundStatus.CLOSED, RoundStatus.CERTIFIED) else "round_not_open"
        )

    def _place_found_door(self, placed: Placed, body: kinds.DoorFound, reading: RoundReading | None) -> None:
        building = self.buildings.get(body.building)
        if building is None or reading is None or not self._takes_part(reading, building.grid):
            placed.ruling = held("unknown_subject")
            return
        if not placed.fact.may_speak_of(building.grid):
            placed.ruling = quarantined("out_of_scope")
            return
        assert building.grid is not None
        known = self.places.get(placed.subject)
        place = known or DoorPlace(placed.subject, building.sub_district, building.grid, body.building)
        self.places[placed.subject] = place
        placed.door, placed.grid = placed.subject, place.grid
        placed.fact.sub_district = place.sub_district
        if known is None:
            self.register.find_door(body, dwelling=placed.subject, building=body.building)
        reading.add_door(
            placed.subject, sub_district=place.sub_district, grid=building.grid, building=body.building
        )
        if reading.round.unit == Unit.DWELLING:
            reading.add_entry(
                placed.subject, sub_district=place.sub_district, grid=building.grid, dwelling=placed.subject
            )

    def _place_found_person(
        self, placed: Placed, body: kinds.PersonFound, reading: RoundReading | None
    ) -> None:
        place = self.places.get(placed.fact.subject)
        if place is None or reading is None or not self._takes_part(reading, place.grid):
            placed.ruling = held("unknown_subject")
            return
        if not placed.fact.may_speak_of(place.grid):
            placed.ruling = quarantined("out_of_scope")
            return
        assert place.grid is not None
        if body.outcome and body.outcome not in reading.rules:
            placed.ruling = held("unknown_outcome")
            return
        placed.subject_type, placed.door, placed.grid = "person", place.id, place.grid
        placed.fact.sub_district = place.sub_district
        if body.person not in self.persons:
            self.register.find_person(placed.fact, body, place)
        if reading.round.unit == Unit.PERSON:
            reading.add_entry(
                body.person, sub_district=place.sub_district, grid=place.grid, dwelling=place.id
            )
        elif reading.round.unit == Unit.HOUSEHOLD and body.household and self.register.is_new_household(body):
            reading.add_entry(
                body.household, sub_district=place.sub_district, grid=place.grid, dwelling=place.id
            )

    def _place_undo(self, placed: Placed, body: kinds.FactUndone, reading: RoundReading | None) -> None:
        target = self.undone.get(body.fact)
        if target is None or body.fact in self.not_yet_counting:
            # What is undone may itself still wait, and only when it is placed is its door known.
            placed.ruling = held("undone_fact_unknown")
            return
        subject, kind, door = target
        placed.subject, placed.door = subject, door
        entry = reading.entry(subject) if reading else None
        if entry is not None:
            placed.grid = entry.grid
            placed.door = door or entry.origin_dwelling
            placed.fact.sub_district = entry.sub_district
        if kind == "person.moved":
            self.register.recheck_home.add(subject)

    def _place_person_change(self, placed: Placed, body: kinds.Body, reading: RoundReading | None) -> None:
        person = self.persons.get(placed.subject)
        new = self.register.found_place(placed.subject)
        if person is None and new is None:
            placed.ruling = held("unknown_subject")
            return
        home = person.grid if person else new.grid if new else None
        if not placed.fact.may_speak_of(home):
            placed.ruling = quarantined("out_of_scope")
            return
        if isinstance(body, kinds.NeedSeen):
            self.register.see_need(placed.fact, body)
            placed.grid = home
            return
        if isinstance(body, kinds.PersonChanged):
            placed.grid = home
            if person is None:
                placed.ruling = held("unknown_subject")
            elif not self.register.change_person(placed.fact, body, person):
                placed.ruling = quarantined("field_conflict")
            return
        assert isinstance(body, kinds.PersonMoved)
        if body.to is not None and body.to.dwelling not in self.places:
            placed.ruling = held("unknown_subject")
            return
        entry = reading.entry(placed.subject) if reading else None
        placed.grid = entry.grid if entry else None
        if entry is not None:
            placed.fact.sub_district = entry.sub_district
        self.register.recheck_home.add(placed.subject)

    def _place_merging(self, placed: Placed, reading: RoundReading) -> None:
        """Two units that are one. Who survives and stood on no roster of the round joins it."""
        if not placed.fact.by_house:
            placed.ruling = quarantined("out_of_scope")
            return
        entry = reading.entry(placed.subject)
        if entry is None and placed.fact.body is not None and placed.fact.body.door is not None:
            place = self.places.get(placed.fact.body.door)
            if place is not None and place.grid is not None and self._takes_part(reading, place.grid):
                reading.add_entry(
                    placed.subject, sub_district=place.sub_district, grid=place.grid, dwelling=place.id
                )
                entry = reading.entry(placed.subject)
        if entry is None:
            placed.ruling = held("unknown_subject")
            return
        placed.grid, placed.fact.sub_district = entry.grid, entry.sub_district

    def _place_visit(self, placed: Placed, body: kinds.Body, reading: RoundReading | None) -> None:
        assert reading is not None
        if isinstance(body, kinds.EntryMerged | kinds.EntryTookIn):
            self._place_merging(placed, reading)
            return
        if isinstance(body, kinds.EntryOutcome) and body.outcome not in reading.rules:
            placed.ruling = held("unknown_outcome")
            return
        if isinstance(body, kinds.DoorStateBody):
            door = reading.door(placed.subject)
            if door is None:
                placed.ruling = held("unknown_subject")
                return
            placed.door, placed.grid, placed.fact.sub_district = placed.subject, door.grid, door.sub_district
            return
        entry = reading.entry(placed.subject)
        if entry is None:
            placed.ruling = held("unknown_subject")
            return
        placed.grid, placed.fact.sub_district = entry.grid, entry.sub_district
        if isinstance(body, kinds.EntryOutcome) and body.via == "door":
            placed.door = body.door or entry.origin_dwelling

    def _takes_part(self, reading: RoundReading, grid: int | None) -> bool:
        if grid is None:
            return False
        if reading.round.id not in self._grids:  # asked for findings only; a city has ten thousand
            self._grids[reading.round.id] = grids_of_round(reading.round.id)
        return grid in self._grids[reading.round.id]


def _plain_subject(fact: Incoming, body: kinds.Body) -> uuid.UUID:
    """A finding speaks of the person found, whichever door it was recorded at."""
    return body.person if isinstance(body, kinds.PersonFound) else fact.subject
