# SPDX-License-Identifier: Apache-2.0
"""Recording: facts become ledger, register and account in one write.

This is the only way anything is written down about a unit of a roster: phones (through journal and fold),
desks, imports and paper all come through `record_facts`. One read, one settle, one write; settle happens
before the transaction, which holds the pen for at most one chunk of facts.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime

from django.db import IntegrityError, transaction

from muster.accounts.queries import desk_devices, lease_grids
from muster.base.errors import Refusal
from muster.campaigns.facts import (
    Changes,
    RoundReading,
    read_ledger,
    read_rounds,
    settle_changes,
    write_changes,
)
from muster.campaigns.queries import grids_of_round
from muster.campaigns.rules import SeenFact, standing_facts
from muster.flows.field_work import FieldWork
from muster.flows.placing import Placed, Placing
from muster.flows.plain_outcomes import PlainOutcomes
from muster.flows.register_changes import RegisterChanges
from muster.places.queries import door_places
from muster.places.services import bump_revisions
from muster.storage.writes import ROWS_PER_WRITE, LostRace, chunks, pause_between_writes
from muster.trail.fact_rows import FactRecord, FactRows, fact_row
from muster.trail.incoming import APPLIED, DUPLICATE, Incoming, Ruling, flagged
from muster.trail.models import Fact, Verdict
from muster.trail.plain_rows import PlainRows
from muster.trail.queries import KnownFact, anything_held, known_facts, waiting_for
from muster.trail.services import keep_second_copy, put_on_waiting_list, release_fact

TRIES = 4
# Whether plain outcomes may be settled in blocks. A test compares the ledgers of both ways.
IN_BLOCKS = True
Beside = Callable[[], AbstractContextManager[None]]


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
    work: FieldWork = field(default_factory=FieldWork)
    told_before: list[KnownFact] = field(default_factory=list)
    waiting_rows: list[FactRecord] = field(default_factory=list)
    looked_at: list[FactRecord] = field(default_factory=list)
    insert_facts: FactRows = field(default_factory=lambda: FactRows([]))
    plain: PlainOutcomes = field(default_factory=PlainOutcomes)
    insert_plain: PlainRows | None = None


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
    """Records a chunk; one that keeps losing its race is halved, so that a busy ledger never starves it."""
    for attempt in range(TRIES):
        try:
            chunk = decide(facts, at=at, in_blocks=not attempt)
            with transaction.atomic():
                _write(chunk)
                with beside():
                    pass
        except (LostRace, IntegrityError) as lost:
            reason = lost
            continue
        _retry_waiting(chunk)
        return [chunk.rulings[position] for position in range(len(facts))]
    if len(facts) < 2:
        raise reason
    half = len(facts) // 2
    first = _record_chunk(facts[:half], at=at, beside=nullcontext)
    return first + _record_chunk(facts[half:], at=at, beside=beside)


def record_as_one(facts: Sequence[Incoming], *, at: datetime, beside: Beside) -> None:
    """Records what the house itself says, together with what `beside` writes: all of it or nothing.

    Raises:
        Refusal: "ledger_busy" where others kept writing the same units; "facts_refused" (code) where one of
        the facts would not count.
    """
    for _ in range(TRIES):
        chunk = decide(facts, at=at)
        wrong = next((r for r in chunk.rulings.values() if not r.counts and r != DUPLICATE), None)
        if wrong is not None:
            raise Refusal("facts_refused", code=wrong.code)
        try:
            with transaction.atomic():
                _write(chunk)
                with beside():
                    pass
        except (LostRace, IntegrityError):
            continue
        return
    raise Refusal("ledger_busy")


def decide(
    facts: Sequence[Incoming],
    *,
    at: datetime,
    released: dict[uuid.UUID, Fact] | None = None,
    in_blocks: bool = True,
) -> Chunk:
    """Reads and settles; writes nothing.

    in_blocks: what is plain is sorted out and settled as a block; all the rest is settled fact by fact, and
    whatever it touches with it, so that every unit and door is settled in one of the two ways.
    """
    if released or not in_blocks or not IN_BLOCKS:
        return _decide_each(list(enumerate(facts)), facts, at=at, released=released)
    plain = PlainOutcomes(facts)
    while True:
        others = [(n, fact) for n, fact in enumerate(facts) if n not in plain.facts]
        chunk = _decide_each(others, facts, at=at, plain=plain)
        if not plain.give_back(*_touched(chunk)):
            break
    plain.settle()
    chunk.insert_plain = plain.rows(at=at)
    chunk.rulings.update(dict.fromkeys(plain.facts, APPLIED))
    return chunk


def _touched(chunk: Chunk) -> tuple[set[uuid.UUID], set[uuid.UUID]]:
    """The units and doors of whatever is settled fact by fact."""
    subjects = {placed.subject for placed in chunk.placed}
    doors = {placed.door for placed in chunk.placed if placed.door is not None}
    subjects |= {known.subject for known in chunk.told_before}
    doors |= {known.door for known in chunk.told_before if known.door is not None}
    return subjects, doors


def _decide_each(
    numbered: list[tuple[int, Incoming]],
    facts: Sequence[Incoming],
    *,
    at: datetime,
    released: dict[uuid.UUID, Fact] | None = None,
    plain: PlainOutcomes | None = None,
) -> Chunk:
    """Fact by fact: of `facts` those that are numbered."""
    chunk = Chunk(at)
    if plain is not None:
        chunk.plain = plain
    if not numbered:
        return chunk
    known = known_facts([fact for _, fact in numbered])
    fresh = numbered if released else _drop_known(chunk, numbered, known)
    fresh_ids = {fact.id.int for _, fact in fresh} if known else set()
    chunk.told_before = [row for row in known if row.counts and row.id.int in fresh_ids]
    for _, fact in fresh:
        if fact.body is None and fact.ruling is None:
            fact.read()
    chunk.rounds = read_rounds({f.round for _, f in fresh if f.round is not None})
    for reading in chunk.rounds.values():
        reading.homes = chunk.plain.homes
    chunk.work = FieldWork.read([f for _, f in fresh])
    placing = Placing(
        [f for _, f in fresh],
        rounds=chunk.rounds,
        register=chunk.register,
        work=chunk.work,
        claimed={f.sub_district for f in facts},
    )
    for position, fact in sorted(fresh, key=lambda pair: kind_order(pair[1].kind)):
        placed = placing.place(fact)
        placed.released = released.get(fact.id) if released else None
        chunk.rulings[position] = placed.ruling
        (chunk.placed if placed.ruling.counts else chunk.waiting).append(placed)
    _settle(chunk)
    _make_rows(chunk)
    return chunk


def _make_rows(chunk: Chunk) -> None:
    """The rows of the facts, converted and sealed before the transaction begins."""
    rows = [
        fact_row(
            p.fact,
            ruling=p.ruling,
            at=chunk.at,
            door=p.door,
            grid=p.grid,
            subject=p.subject,
            subject_type=p.subject_type,
        )
        for p in chunk.placed
        if p.released is None
    ]
    # What waits keeps the subject it came with: it will be judged again from the start.
    chunk.waiting_rows = [
        fact_row(p.fact, ruling=p.ruling, at=chunk.at, door=None, grid=p.grid)
        for p in chunk.waiting
        if p.released is None
    ]
    chunk.insert_facts = FactRows([*rows, *chunk.waiting_rows])
    # What counts and is put before a person all the same.
    chunk.looked_at = [row for row in rows if row.verdict == Verdict.FLAGGED]


def kind_order(kind: str) -> int:
    """Findings first: what they add can be spoken of by the other facts of the same chunk."""
    return {"door.found": 0, "person.found": 1, "fact.undone": 9}.get(kind, 5)


def _drop_known(
    chunk: Chunk, numbered: Sequence[tuple[int, Incoming]], rows: Sequence[KnownFact]
) -> list[tuple[int, Incoming]]:
    """Rules what was there before: the same fact again, the same id with another body, a number used
    twice.
    """
    by_id = {(k.device.int, k.id.int): k.body_hash for k in rows}
    by_seq = {(k.device.int, k.seq) for k in rows}
    fresh: list[tuple[int, Incoming]] = []
    for position, fact in numbered:
        device = fact.device.int
        kept = by_id.get((device, fact.id.int))
        if kept is not None:
            chunk.rulings[position] = DUPLICATE if kept == fact.body_hash else flagged("body_differs")
        elif (device, fact.seq) in by_seq:
            chunk.rulings[position] = flagged("seq_reused")
        else:
            by_id[device, fact.id.int] = fact.body_hash
            by_seq.add((device, fact.seq))
            fresh.append((position, fact))
            continue
        if chunk.rulings[position].code:
            chunk.copies.append((fact, chunk.rulings[position].code))
    return fresh


class _Desks:
    """The desks' devices, read when somebody's whole history is: a city has many devices."""

    def __init__(self) -> None:
        self._known: frozenset[uuid.UUID] | None = None

    def __contains__(self, device: object) -> bool:
        if self._known is None:
            self._known = desk_devices()
        return device in self._known


def _settle(chunk: Chunk) -> None:
    desks = _Desks()
    by_round: dict[uuid.UUID, list[Placed]] = defaultdict(list)
    for placed in chunk.placed:
        if placed.fact.round is not None:
            by_round[placed.fact.round].append(placed)
    for round_id, group in by_round.items():
        reading = chunk.rounds[round_id]
        new_by_subject: dict[uuid.UUID, list[SeenFact]] = defaultdict(list)
        new_by_door: dict[uuid.UUID, list[SeenFact]] = defaultdict(list)
        for placed in group:
            seen = placed.as_seen()
            new_by_subject[placed.subject].append(seen)
            if placed.door is not None:
                new_by_door[placed.door].append(seen)
        _read_missing_doors(reading, new_by_door)
        changes = settle_changes(
            reading,
            subjects=new_by_subject,
            doors=new_by_door,
            new_by_subject=new_by_subject,
            new_by_door=new_by_door,
            told_before=[known for known in chunk.told_before if known.round == round_id],
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
            if grid is not None and (
                grid not in changes.fresh_at or changes.fresh_at[grid] < placed.fact.received_at
            ):
                changes.fresh_at[grid] = placed.fact.received_at
        chunk.changes.append(changes)


def _read_missing_doors(reading: RoundReading, doors: dict[uuid.UUID, list[SeenFact]]) -> None:
    missing = [d for d in doors if reading.door(d) is None]
    if missing:
        sub_districts = {e.sub_district for e in reading.entries.values()} | reading.homes
        sub_districts |= {d.sub_district for d in reading.doors.values()}
        read_ledger(reading, subjects=(), doors=missing, sub_districts=sub_districts)


def _grid_lookup(round_id: uuid.UUID) -> Callable[[uuid.UUID], int | None]:
    grids: list[frozenset[int]] = []  # read when somebody moved; a city has ten thousand

    def grid_of(dwelling: uuid.UUID) -> int | None:
        if not grids:
            grids.append(grids_of_round(round_id))
        place = door_places([dwelling]).get(dwelling)
        return place.grid if place and place.grid in grids[0] else None

    return grid_of


def _write(chunk: Chunk) -> None:
    """Inside the transaction: write the register, the facts, and, where nobody was faster, the ledger and the
    accounts.
    """
    touched = {g for changes in chunk.changes for g in changes.touched_grids}
    touched |= chunk.register.touched_grids() | chunk.plain.touched_grids()
    revisions = bump_revisions(touched)
    chunk.register.write(at=chunk.at, revisions=revisions)
    chunk.work.write()
    chunk.insert_facts.execute()
    if chunk.insert_plain is not None:
        chunk.insert_plain.execute()
    put_on_waiting_list([*chunk.waiting_rows, *chunk.looked_at])
    for placed in chunk.placed:
        if placed.released is not None:
            release_fact(
                placed.released,
                ruling=placed.ruling,
                at=chunk.at,
                subject=placed.subject,
                subject_type=placed.subject_type,
                door=placed.door,
                grid=placed.grid,
            )
    for fact, code in chunk.copies:
        keep_second_copy(fact, code=code, at=chunk.at)
    blocks = dict(chunk.plain.ledgers)
    for changes in chunk.changes:
        write_changes(changes, revisions=revisions, block=blocks.pop(changes.reading.round.id.int, None))
    for block in blocks.values():
        write_changes(None, revisions=revisions, block=block)


def _retry_waiting(chunk: Chunk) -> None:
    """Held facts whose missing predecessor has just come take their place."""
    arrived = {p.subject for p in chunk.placed if p.fact.kind in {"person.found", "door.found"}}
    told = [p.fact for p in chunk.placed] + [one.fact for one in chunk.plain.facts.values()]
    incidents = {fact.incident.int: fact.incident for fact in told}
    for incident in incidents.values():
        if anything_held(incident):
            arrived |= {fact.id for fact in told}
            release_waiting(waiting_for(incident, arrived), at=chunk.at)


def release_waiting(rows: Sequence[Fact], *, at: datetime) -> list[Ruling]:
    """Tries held facts again; those that still cannot be applied stay held."""
    if not rows:
        return []
    for attempt in range(TRIES):
        facts = incoming_of(rows)
        by_id = {row.id: row for row in rows}
        chunk = decide(facts, at=at, released=by_id)
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


def incoming_of(rows: Sequence[Fact]) -> list[Incoming]:
    """Kept facts as they came, to be judged again: also a late one speaks only of the grids of its leases."""
    desks, scopes = desk_devices(), lease_grids({row.device for row in rows})
    return [
        Incoming(
            device=row.device,
            seq=row.seq,
            id=row.id,
            incident=row.incident,
            kind=row.kind,
            actor=row.actor,
            occurred_at=row.occurred_at,
            received_at=row.received_at,
            sub_district=row.sub_district,
            subject=row.subject,
            subject_type=row.subject_type,
            raw_body=(row.body or "").encode(),
            batch=row.batch,
            offset_minutes=row.offset_minutes,
            from_desk=row.device in desks,
            grids=scopes.get(row.device),
            body_hash=bytes(row.body_hash),
        )
        for row in rows
    ]


__all__ = ["APPLIED", "incoming_of", "record_as_one", "record_facts", "release_waiting"]
