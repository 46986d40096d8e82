# SPDX-License-Identifier: Apache-2.0
"""PlainOutcomes: of a chunk of facts those that need no looking into, and the block they are applied as.

On an evening of testing nearly every fact is one more visit: its unit stands on the roster, its round is
open, its lease covers the grid, nobody told it before, and nothing else of the chunk takes it back. Such
facts are sorted out here in one pass and applied by a few statements. All others take the way of
`recording.decide`, fact by fact, which remains the definition: whatever is not sure is not plain. A property
test folds the same streams both ways and compares every table.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from muster.campaigns.facts import read_rounds
from muster.campaigns.plain_ledger import KeptEntry, PlainLedger, Told
from muster.campaigns.states import RECORDING
from muster.storage.raw_rows import hex_of, moments
from muster.trail import kinds
from muster.trail.incoming import APPLIED, Incoming
from muster.trail.plain_rows import PlainRow, PlainRows
from muster.trail.told_before import highest_numbers, moments_told, units_judged_one, which_are_known

_KIND = "entry.outcome"


class PlainFact(msgspec.Struct):
    """A fact that may be plain, and where it stands in its chunk."""

    position: int
    fact: Incoming
    body: kinds.EntryOutcome
    id: str
    subject: str
    told: Told | None = None


class PlainOutcomes:
    """The plain facts of a chunk by round. What is given back takes the other way."""

    def __init__(self, facts: Sequence[Incoming] = ()) -> None:
        self.facts: dict[int, PlainFact] = {}
        self.ledgers: dict[int, PlainLedger] = {}
        by_round: dict[int, list[PlainFact]] = defaultdict(list)
        for one in _not_told_before(_candidates(facts)):
            by_round[one.body.round.int].append(one)
        readings = read_rounds([group[0].body.round for group in by_round.values()]) if by_round else {}
        for reading in readings.values():
            key = reading.round.id.int
            group = [one for one in by_round[key] if one.fact.incident == reading.round.incident]
            if reading.round.status in RECORDING and group:
                ledger = self.ledgers[key] = PlainLedger(reading.round, reading.rules)
                plain = {one.position for one in group}
                others = [f for n, f in enumerate(facts) if n not in plain and f.body is not None]
                self.facts |= {one.position: one for one in _placed(ledger, group, others)}
        entries = (entry for ledger in self.ledgers.values() for entry in ledger.entries.values())
        self.homes = {entry.sub_district for entry in entries}
        self._give_back_neighbours(facts)

    def _give_back_neighbours(self, facts: Sequence[Incoming]) -> None:
        """Most of what the other facts touch shows before they are placed; the rest shows then."""
        subjects: set[uuid.UUID] = set()
        doors: set[uuid.UUID] = set()
        for position, fact in enumerate(facts):
            if position in self.facts or fact.body is None:
                continue
            subjects.add(fact.subject)
            if fact.body.door is not None:
                doors.add(fact.body.door)
            for ledger in self.ledgers.values():
                entry = ledger.entries.get(hex_of(fact.subject))
                if entry is not None:
                    doors.add(uuid.UUID(entry.origin_dwelling))
        self.give_back(subjects, doors)

    def give_back(self, subjects: Collection[uuid.UUID], doors: Collection[uuid.UUID]) -> bool:
        """Nothing that another fact of the chunk speaks of is plain; says whether anything was given back."""
        touched = {hex_of(one) for one in subjects} | {hex_of(one) for one in doors}
        if not touched:
            return False
        given = [
            position
            for position, one in self.facts.items()
            if one.subject in touched or (one.told is not None and one.told.door in touched)
        ]
        for position in given:
            del self.facts[position]
        return bool(given)

    def settle(self) -> None:
        """What the plain facts make of their units and doors. Once, when nothing more is given back."""
        by_round: dict[int, list[PlainFact]] = defaultdict(list)
        for one in self.facts.values():
            by_round[one.body.round.int].append(one)
        self.ledgers = {key: self.ledgers[key] for key in by_round}
        for key, group in by_round.items():
            ledger = self.ledgers[key]
            ledger.extend([one.told for one in group if one.told is not None])
            fresh = ledger.fresh_at
            for one in group:
                grid, received = ledger.entries[one.subject].grid or 0, one.fact.received_at
                known = fresh.get(grid)
                if known is None or known < received:
                    fresh[grid] = received

    def rows(self, *, at: datetime) -> PlainRows | None:
        """The rows of the plain facts, sealed and converted."""
        if not self.facts:
            return None
        return PlainRows([self._row(one) for one in self.facts.values()], at=at)

    def _row(self, one: PlainFact) -> PlainRow:
        told, grid = one.told, self.ledgers[one.body.round.int].entries[one.subject].grid
        assert told is not None
        assert grid is not None
        return PlainRow(one.fact, one.id, one.subject, told.at, grid, told.door, told.rule.code)

    def touched_grids(self) -> set[int]:
        return {grid for ledger in self.ledgers.values() for grid in ledger.touched_grids()}


def _candidates(facts: Sequence[Incoming]) -> list[PlainFact]:
    """Outcomes that were read without a doubt, each told once in this chunk, and taken back by none of it."""
    if any(fact.kind in kinds.HOUSE_KINDS for fact in facts):
        return []  # whoever is judged to be somebody else concerns others' facts too
    told: Counter[int] = Counter()
    numbers: Counter[tuple[int, int]] = Counter()
    found: list[PlainFact] = []
    for position, fact in enumerate(facts):
        number, device = fact.id.int, fact.device.int
        told[number] += 1
        numbers[device, fact.seq] += 1
        if fact.body is None and fact.ruling is None:
            fact.read()
        body = fact.body
        if isinstance(body, kinds.FactUndone):
            told[body.fact.int] += 1
        if fact.kind != _KIND or fact.ruling is not None or fact.by_house:
            continue
        if isinstance(body, kinds.EntryOutcome) and fact.doubt_time() is APPLIED:
            found.append(PlainFact(position, fact, body, f"{number:032x}", f"{fact.subject.int:032x}"))
    return [
        one for one in found if told[one.fact.id.int] == 1 and numbers[one.fact.device.int, one.fact.seq] == 1
    ]


def _not_told_before(found: list[PlainFact]) -> list[PlainFact]:
    """New ones only: the next numbers of their devices, under ids that nobody has used."""
    if not found:
        return []
    highest = highest_numbers({one.fact.device for one in _first_of_devices(found)})
    by_device = {device.int: number for device, number in highest.items()}
    fresh = [one for one in found if one.fact.seq > by_device.get(one.fact.device.int, one.fact.seq)]
    known = which_are_known([one.id for one in fresh])
    return [one for one in fresh if one.id not in known] if known else fresh


def _first_of_devices(found: Iterable[PlainFact]) -> Iterable[PlainFact]:
    return {one.fact.device.int: one for one in found}.values()


def _placed(ledger: PlainLedger, found: list[PlainFact], others: Sequence[Incoming]) -> list[PlainFact]:
    """Those whose unit and door are known and extend by one more outcome.

    The units of the other facts are read with them: what lives behind the same door is not plain.
    """
    homes: dict[str, int] = {}
    wanted: dict[int, dict[str, None]] = defaultdict(dict)
    for one in found:
        home = one.fact.sub_district
        if homes.setdefault(one.subject, home) == home:
            wanted[home][one.subject] = None
    for fact in others:
        if fact.round == ledger.round.id:
            subject = hex_of(fact.subject)
            wanted[homes.setdefault(subject, fact.sub_district)][subject] = None
    ledger.read_entries(wanted)
    judged = units_judged_one(ledger.round.id, ledger.entries)
    fit = {s: e for s, e in ledger.entries.items() if s not in judged and ledger.fits(e)}
    moment_of = moments()
    placed = [one for one in found if _place(ledger, one, fit.get(one.subject), moment_of)]
    return _known_doors(ledger, placed)


def _place(
    ledger: PlainLedger, one: PlainFact, entry: KeptEntry | None, moment_of: Callable[[datetime], Any]
) -> bool:
    fact, body = one.fact, one.body
    rule = ledger.rule_of(body.outcome)
    if entry is None or rule is None or entry.sub_district != fact.sub_district:
        return False
    if fact.grids is not None and entry.grid not in fact.grids:
        return False
    door = None
    if body.via == "door":
        door = hex_of(body.door) if body.door is not None else entry.origin_dwelling
    actor = hex_of(fact.actor) if fact.actor is not None else None
    one.told = Told(one.subject, one.id, moment_of(fact.occurred_at), actor, rule, door)
    return True


def _known_doors(ledger: PlainLedger, placed: list[PlainFact]) -> list[PlainFact]:
    """Without those at a door that is none of this round, or where somebody was at that very moment."""
    doors: dict[int, dict[str, None]] = defaultdict(dict)
    visits: dict[tuple[str, Any], None] = {}
    for one in placed:
        if one.told is not None and one.told.door is not None:
            doors[one.fact.sub_district][one.told.door] = None
            visits[one.told.door, one.told.at] = None
    ledger.read_doors(doors)
    kept = ledger.doors
    # A door at which nothing was seen yet has no visit that could have been counted.
    asked = [visit for visit in visits if visit[0] in kept and kept[visit[0]].attempts]
    spoilt = moments_told(ledger.round.id, asked)
    sound = {subject for subject, door in kept.items() if ledger.fits_door(door)} - spoilt
    return [one for one in placed if one.told is None or one.told.door is None or one.told.door in sound]


__all__ = ["PlainFact", "PlainOutcomes"]
