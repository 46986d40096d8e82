# SPDX-License-Identifier: Apache-2.0
"""Recording: facts become ledger, register and account in one write.

This is the only way anything is written down about a unit of a roster: phones (through journal and fold), desks,
imports and paper all come through `record_facts`. One read, one settle, one write; settle happens before the
transaction, which holds the pen for at most one chunk of facts.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from muster.accounts.queries import desk_devices
from muster.campaigns.facts import (
    Changes,
    RoundReading,
    read_ledger,
    read_rounds,
    recheck,
    settle_changes,
    write_changes,
)
from muster.campaigns.queries import grids_of_round
from muster.campaigns.rules import SeenFact, standing_facts
from muster.campaigns.states import RECORDING, RoundStatus, Unit
from muster.flows.register_changes import RegisterChanges
from muster.places.queries import DoorPlace, building_places, door_places
from muster.places.services import bump_revisions
from muster.register.queries import persons_with_ids
from muster.storage.writes import ROWS_PER_WRITE, LostRace, chunks, pause_between_writes
from muster.trail import kinds
from muster.trail.incoming import APPLIED, DUPLICATE, Incoming, Ruling, flagged, held, quarantined
from muster.trail.models import Fact
from muster.trail.queries import facts_with_ids, known_facts, waiting_for
from muster.trail.services import fact_row, insert_facts, keep_second_copy, put_on_waiting_list, release_fact

TRIES = 8
Beside = Callable[[], AbstractContextManager[None]]


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

    @property
    def seen(self) -> SeenFact:
        body = self.fact.body
        assert body is not None
        return SeenFact(
            self.fact.id, self.fact.kind, kinds.value_of(body), self.fact.actor, self.fact.occurred_at,
            kinds.ref_of(body), self.subject, self.fact.from_desk,
        )  # fmt: skip


@dataclass(slots=True)
class Chunk:
    """Everything read and decided about one chunk of facts before its transaction."""

    at: datetime
    rulings: dict[int, Ruling] = field(default_factory=dict)
    placed: list[Placed] = field(default_factory=list)
    waiting: list[Placed] = field(default_factory=list)
    copies: list[tuple[Incoming, str]] = field(default_factory=list)
    rounds: dict[uuid.UUID, RoundReading] = field(default_factory=dict)
    changes: list[Changes] = field(default_factory=list)
    register: RegisterChanges = field(default_factory=RegisterChanges)


def record_facts(facts: Sequence[Incoming], *, at: datetime, beside: Beside = nullcontext) -> list[Ruling]:
    """Records facts and answers their rulings in the same order.

    beside: entered inside the last transaction, for what must commit with the facts (the journal position).
    """
    rulings: list[Ruling] = []
    parts = list(chunks(facts, ROWS_PER_WRITE)) or [[]]
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        rulings += _record_chunk(part, at=at, beside=beside if last else nullcontext)
        if not last:
            pause_between_writes()
    return rulings


def _record_chunk(facts: Sequence[Incoming], *, at: datetime, beside: Beside) -> list[Ruling]:
    for attempt in range(TRIES):
        try:
            chunk = decide(facts, at=at)
            with transaction.atomic():
                _write(chunk)
                with beside():
                    pass
        except (LostRace, IntegrityError):
            if attempt == TRIES - 1:
                raise
            continue
        _retry_waiting(chunk)
        return [chunk.rulings[position] for position in range(len(facts))]
    raise AssertionError("unreachable")


def decide(facts: Sequence[Incoming], *, at: datetime, released: dict[uuid.UUID, Fact] | None = None) -> Chunk:
    """Reads and settles; writes nothing."""
    chunk = Chunk(at)
    fresh = list(enumerate(facts)) if released else _drop_known(chunk, facts)
    for _, fact in fresh:
        if fact.body is None and fact.ruling is None:
            fact.read()
    chunk.rounds = read_rounds({f.round for _, f in fresh if f.round is not None})
    placing = _Placing(chunk, [f for _, f in fresh])
    for position, fact in sorted(fresh, key=lambda pair: kind_order(pair[1].kind)):
        placed = placing.place(fact)
        placed.released = released.get(fact.id) if released else None
        chunk.rulings[position] = placed.ruling
        (chunk.placed if placed.ruling.counts else chunk.waiting).append(placed)
    _settle(chunk)
    return chunk


def kind_order(kind: str) -> int:
    """Findings first: what they add can be spoken of by the other facts of the same chunk."""
    return {"door.found": 0, "person.found": 1, "fact.undone": 9}.get(kind, 5)


def _drop_known(chunk: Chunk, facts: Sequence[Incoming]) -> list[tuple[int, Incoming]]:
    """Rules what was there before: the same fact again, the same id with another body, a number used twice."""
    rows = known_facts(facts)
    by_id = {(k.device, k.id): k.body_hash for k in rows}
    by_seq = {(k.device, k.seq): k.id for k in rows}
    fresh: list[tuple[int, Incoming]] = []
    for position, fact in enumerate(facts):
        kept = by_id.get((fact.device, fact.id))
        if kept is not None:
            chunk.rulings[position] = DUPLICATE if kept == fact.body_hash else flagged("body_differs")
        elif (fact.device, fact.seq) in by_seq:
            chunk.rulings[position] = flagged("seq_reused")
        else:
            by_id[fact.device, fact.id] = fact.body_hash
            by_seq[fact.device, fact.seq] = fact.id
            fresh.append((position, fact))
            continue
        if chunk.rulings[position].code:
            chunk.copies.append((fact, chunk.rulings[position].code))
    return fresh


class _Placing:
    """Finds each fact's round, subject, door and grid, or the reason why it must wait."""

    def __init__(self, chunk: Chunk, facts: Sequence[Incoming]) -> None:
        self.chunk = chunk
        bodies = [(f, f.body) for f in facts if f.body is not None]
        self.undone = self._undone_facts(facts)
        subjects: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        doors: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        dwellings: set[uuid.UUID] = set()
        sub_districts: set[int] = {f.sub_district for f in facts}
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
        self.places = door_places(dwellings)
        self.buildings = building_places({b.building for _, b in bodies if isinstance(b, kinds.DoorFound)})
        self.persons = persons_with_ids({f.subject for f, _ in bodies if f.kind in {"person.moved", "need.seen"}}
                                        | {b.person for _, b in bodies if isinstance(b, kinds.PersonFound)})  # fmt: skip
        self.grids = {r: grids_of_round(r) for r in chunk.rounds}
        for round_id, reading in chunk.rounds.items():
            read_ledger(reading, subjects=subjects[round_id], doors=doors[round_id], sub_districts=sub_districts)

    def _undone_facts(self, facts: Sequence[Incoming]) -> dict[uuid.UUID, tuple[uuid.UUID, str, uuid.UUID | None]]:
        """fact id -> (subject, kind, door) of everything that an undo of this chunk may mean."""
        wanted: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
        for fact in facts:
            if isinstance(fact.body, kinds.FactUndone):
                wanted[fact.body.round].add(fact.body.fact)
        if not wanted:
            return {}
        known = {
            f.id: (_plain_subject(f, f.body), f.kind, f.body.door or (f.subject if f.subject_type == "dwelling" else None))
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
        reading = self.chunk.rounds.get(fact.round) if fact.round else None
        if fact.round is not None:
            refusal = self._doubt_round(fact, reading)
            if refusal is not None:
                placed.ruling = refusal
                if not refusal.counts:
                    return placed
        match body:
            case kinds.DoorFound():
                self._place_found_door(placed, body, reading)
            case kinds.PersonFound():
                self._place_found_person(placed, body, reading)
            case kinds.FactUndone():
                self._place_undo(placed, body, reading)
            case kinds.NeedSeen() | kinds.PersonMoved():
                self._place_person_change(placed, body, reading)
            case kinds.NoteWritten():
                pass
            case _:
                self._place_visit(placed, body, reading)
        if placed.ruling.counts and not fact.may_speak_of(placed.grid):
            placed.ruling = quarantined("out_of_scope")
        return placed

    def _doubt_round(self, fact: Incoming, reading: RoundReading | None) -> Ruling | None:
        if reading is None:
            return held("unknown_round")
        if reading.round.incident != fact.incident:
            return quarantined("out_of_scope")
        status = reading.round.status
        if status in RECORDING:
            return None
        return flagged("after_close" if status in (RoundStatus.CLOSED, RoundStatus.CERTIFIED) else "round_not_open")

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
            self.chunk.register.find_door(body, dwelling=placed.subject, building=body.building)
        reading.add_door(placed.subject, sub_district=place.sub_district, grid=building.grid, building=body.building)
        if reading.round.unit == Unit.DWELLING:
            reading.add_entry(
                placed.subject, sub_district=place.sub_district, grid=building.grid, dwelling=placed.subject
            )

    def _place_found_person(self, placed: Placed, body: kinds.PersonFound, reading: RoundReading | None) -> None:
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
            self.chunk.register.find_person(placed.fact, body, place)
        if reading.round.unit == Unit.PERSON:
            reading.add_entry(body.person, sub_district=place.sub_district, grid=place.grid, dwelling=place.id)
        elif reading.round.unit == Unit.HOUSEHOLD and body.household and self.chunk.register.is_new_household(body):
            reading.add_entry(body.household, sub_district=place.sub_district, grid=place.grid, dwelling=place.id)

    def _place_undo(self, placed: Placed, body: kinds.FactUndone, reading: RoundReading | None) -> None:
        target = self.undone.get(body.fact)
        if target is None:
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
            self.chunk.register.recheck_home.add(subject)

    def _place_person_change(self, placed: Placed, body: kinds.Body, reading: RoundReading | None) -> None:
        person = self.persons.get(placed.subject)
        new = self.chunk.register.found_place(placed.subject)
        if person is None and new is None:
            placed.ruling = held("unknown_subject")
            return
        home = person.grid if person else new.grid if new else None
        if not placed.fact.may_speak_of(home):
            placed.ruling = quarantined("out_of_scope")
            return
        if isinstance(body, kinds.NeedSeen):
            self.chunk.register.see_need(placed.fact, body)
            placed.grid = home
            return
        assert isinstance(body, kinds.PersonMoved)
        if body.to is not None and body.to.dwelling not in self.places:
            placed.ruling = held("unknown_subject")
            return
        entry = reading.entry(placed.subject) if reading else None
        placed.grid = entry.grid if entry else None
        if entry is not None:
            placed.fact.sub_district = entry.sub_district
        self.chunk.register.recheck_home.add(placed.subject)

    def _place_visit(self, placed: Placed, body: kinds.Body, reading: RoundReading | None) -> None:
        assert reading is not None
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
        return grid is not None and grid in self.grids[reading.round.id]


def _plain_subject(fact: Incoming, body: kinds.Body) -> uuid.UUID:
    """A finding speaks of the person found, whichever door it was recorded at."""
    return body.person if isinstance(body, kinds.PersonFound) else fact.subject


def _settle(chunk: Chunk) -> None:
    desks = desk_devices()
    by_round: dict[uuid.UUID, list[Placed]] = defaultdict(list)
    for placed in chunk.placed:
        if placed.fact.round is not None:
            by_round[placed.fact.round].append(placed)
    for round_id, group in by_round.items():
        reading = chunk.rounds[round_id]
        new_by_subject: dict[uuid.UUID, list[SeenFact]] = defaultdict(list)
        new_by_door: dict[uuid.UUID, list[SeenFact]] = defaultdict(list)
        for placed in group:
            new_by_subject[placed.subject].append(placed.seen)
            if placed.door is not None:
                new_by_door[placed.door].append(placed.seen)
        _read_missing_doors(reading, new_by_door)
        changes = settle_changes(
            reading,
            subjects=new_by_subject,
            doors=new_by_door,
            new_by_subject=new_by_subject,
            new_by_door=new_by_door,
            desk_devices=desks,
            grid_of=_grid_lookup(round_id),
        )
        settled = {entry.subject: state.dwelling for entry, state, _ in changes.entries}
        for person in chunk.register.recheck_home & set(new_by_subject):
            if person in settled:
                chunk.register.settle_home(person, settled[person])
            elif reading.entry(person) is None:
                moves = [f for f in standing_facts(new_by_subject[person]) if f.kind == "person.moved"]
                if moves:
                    chunk.register.settle_home(person, max(moves, key=lambda f: f.order).ref)
        for placed in group:
            grid = placed.grid
            if grid is not None and (grid not in changes.fresh_at or changes.fresh_at[grid] < placed.fact.received_at):
                changes.fresh_at[grid] = placed.fact.received_at
        chunk.changes.append(changes)


def _read_missing_doors(reading: RoundReading, doors: dict[uuid.UUID, list[SeenFact]]) -> None:
    missing = [d for d in doors if reading.door(d) is None]
    if missing:
        sub_districts = {e.sub_district for e in reading.entries.values()} | {d.sub_district for d in reading.doors.values()}
        read_ledger(reading, subjects=(), doors=missing, sub_districts=sub_districts)


def _grid_lookup(round_id: uuid.UUID) -> Callable[[uuid.UUID], int | None]:
    grids = grids_of_round(round_id)

    def grid_of(dwelling: uuid.UUID) -> int | None:
        place = door_places([dwelling]).get(dwelling)
        return place.grid if place and place.grid in grids else None

    return grid_of


def _write(chunk: Chunk) -> None:
    """Inside the transaction: check again, then write the register, the facts, the ledger and the accounts."""
    for changes in chunk.changes:
        recheck(changes)
    touched = {g for changes in chunk.changes for g in changes.touched_grids}
    touched |= chunk.register.touched_grids()
    revisions = bump_revisions(touched)
    chunk.register.write(at=chunk.at, revisions=revisions)
    rows = [
        fact_row(p.fact, ruling=p.ruling, at=chunk.at, door=p.door, grid=p.grid, subject=p.subject, subject_type=p.subject_type)
        for p in chunk.placed
        if p.released is None
    ]
    # What waits keeps the subject it came with: it will be judged again from the start.
    waiting = [fact_row(p.fact, ruling=p.ruling, at=chunk.at, door=None, grid=p.grid) for p in chunk.waiting]
    insert_facts([*rows, *waiting])
    put_on_waiting_list(waiting)
    for placed in chunk.placed:
        if placed.released is not None:
            release_fact(placed.released, ruling=placed.ruling, at=chunk.at, subject=placed.subject,
                         subject_type=placed.subject_type, door=placed.door, grid=placed.grid)  # fmt: skip
    for fact, code in chunk.copies:
        keep_second_copy(fact, code=code, at=chunk.at)
    for changes in chunk.changes:
        write_changes(changes, revisions=revisions)


def _retry_waiting(chunk: Chunk) -> None:
    """Held facts whose missing predecessor has just come take their place."""
    arrived = {p.subject for p in chunk.placed if p.fact.kind in {"person.found", "door.found"}}
    arrived |= {p.fact.id for p in chunk.placed}
    incidents = {p.fact.incident for p in chunk.placed}
    for incident in incidents:
        release_waiting(waiting_for(incident, arrived), at=chunk.at)


def release_waiting(rows: Sequence[Fact], *, at: datetime) -> list[Ruling]:
    """Tries held facts again; those that still cannot be applied stay held."""
    if not rows:
        return []
    for attempt in range(TRIES):
        facts = [incoming_of(row) for row in rows]
        by_id = {row.id: row for row in rows}
        chunk = decide(facts, at=at, released=by_id)
        chunk.waiting.clear()
        if not chunk.placed:
            return [chunk.rulings[i] for i in range(len(rows))]
        try:
            with transaction.atomic():
                _write(chunk)
        except (LostRace, IntegrityError):
            if attempt == TRIES - 1:
                raise
            continue
        _retry_waiting(chunk)
        return [chunk.rulings[i] for i in range(len(rows))]
    raise AssertionError("unreachable")


def incoming_of(row: Fact) -> Incoming:
    """A kept fact as it came, to be judged again."""
    return Incoming(
        device=row.device, seq=row.seq, id=row.id, incident=row.incident, kind=row.kind, actor=row.actor,
        occurred_at=row.occurred_at, received_at=row.received_at, sub_district=row.sub_district, subject=row.subject,
        subject_type=row.subject_type, raw_body=(row.body or "").encode(), batch=row.batch,
        offset_minutes=row.offset_minutes, from_desk=row.device in desk_devices(), body_hash=bytes(row.body_hash),
    )  # fmt: skip


__all__ = ["APPLIED", "incoming_of", "record_facts", "release_waiting"]
