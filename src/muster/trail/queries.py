# SPDX-License-Identifier: Apache-2.0
"""Reads of facts: which are known, which decide the state of a subject or a door, which wait."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from muster.storage.plain_reads import Condition, among, equal, read_each, read_pairs, read_values
from muster.trail.incoming import Incoming
from muster.trail.models import Fact, NumberWatch, Verdict, Waiting

# Batches overtake one another, and a phone sends again within minutes.
OVERTAKEN = timedelta(minutes=10)
COUNTING = (Verdict.APPLIED, Verdict.FLAGGED)
COLUMNS = ("id", "kind", "value", "actor", "occurred_at", "ref", "subject", "door", "device", "round")
_KNOWN = ("device", "seq", "id", "body_hash", "round", "subject", "door", "verdict")
# Word for word the condition of the index fact_of_merging: else SQLite does not see that it serves.
MERGING: Condition = ("\"kind\" IN ('entry.merged', 'entry.took_in')", [])


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A kept fact, as far as a new one may be the same."""

    device: uuid.UUID
    seq: int
    id: uuid.UUID
    body_hash: bytes
    round: uuid.UUID | None
    subject: uuid.UUID
    door: uuid.UUID | None
    verdict: str

    @property
    def counts(self) -> bool:
        return self.verdict in COUNTING


@dataclass(frozen=True, slots=True)
class FactRow:
    """The plain columns of a counting fact."""

    id: uuid.UUID
    kind: str
    value: str
    actor: uuid.UUID | None
    occurred_at: datetime
    ref: uuid.UUID | None
    subject: uuid.UUID
    door: uuid.UUID | None
    device: uuid.UUID
    round: uuid.UUID | None


def known_facts(incoming: Sequence[Incoming]) -> list[KnownFact]:
    """Facts already kept that share an id with these, whoever told it, or a device and a number."""
    if not incoming:
        return []
    ids = {fact.id.int: fact.id for fact in incoming}
    numbers = {(fact.device.int, fact.seq): (fact.device, fact.seq) for fact in incoming}
    same_id = read_each(Fact, _KNOWN, "id", ids.values())
    same_number = read_pairs(Fact, _KNOWN, ("device", "seq"), numbers.values())
    return [KnownFact(*row) for row in (*same_id, *same_number)]


def facts_about(round_id: uuid.UUID, *, subjects: Collection[uuid.UUID]) -> list[FactRow]:
    """Every counting fact about these subjects in a round."""
    if not subjects:
        return []
    return _counting("subject", subjects, equal("round", round_id))


def facts_at(round_id: uuid.UUID, *, doors: Collection[uuid.UUID]) -> list[FactRow]:
    """Every counting fact recorded at these doors in a round."""
    if not doors:
        return []
    return _counting("door", doors, equal("round", round_id))


def _counting(column: str, wanted: Collection[uuid.UUID], *conditions: Condition) -> list[FactRow]:
    rows = read_each(Fact, COLUMNS, column, wanted, *conditions, among("verdict", COUNTING))
    return [FactRow(*row) for row in rows]


def units_merged(round_id: uuid.UUID, *, units: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Of these units those that turned out to be another, or another to be them."""
    merging = (equal("round", round_id), MERGING)
    if not units or not any(read_values(Fact, ("subject",), *merging, most=1)):
        return set()
    rows = read_values(Fact, ("subject",), *merging, among("subject", units), among("verdict", COUNTING))
    return {row[0] for row in rows}


def doors_visited_at(
    round_id: uuid.UUID, *, visits: Collection[tuple[uuid.UUID, datetime]]
) -> set[uuid.UUID]:
    """Of these (door, moment) the doors where a fact of that very moment counts already."""
    if not visits:
        return set()
    asked = (equal("round", round_id), among("verdict", COUNTING))
    return {row[0] for row in read_pairs(Fact, ("door",), ("door", "occurred_at"), visits, *asked)}


def facts_with_ids(
    round_id: uuid.UUID, ids: Collection[uuid.UUID], *, device: uuid.UUID | None = None
) -> list[FactRow]:
    """Counting facts by id; an undo names its fact this way."""
    if not ids:
        return []
    # By id alone: a planner that is told of the round as well may read all of the round for one fact.
    rows = read_each(Fact, (*COLUMNS, "verdict"), "id", ids)
    facts = [FactRow(*row[:-1]) for row in rows if row[-1] in COUNTING]
    return [f for f in facts if f.round == round_id and device in (None, f.device)]


def _held(incident: uuid.UUID) -> QuerySet[Waiting]:
    return Waiting.objects.filter(incident=incident, verdict=Verdict.HELD, resolved_at__isnull=True)


def anything_held(incident: uuid.UUID) -> bool:
    """Whether any fact of an incident waits for another one."""
    return _held(incident).exists()


def waiting_for(incident: uuid.UUID, keys: Iterable[uuid.UUID]) -> list[Fact]:
    """Held facts that may be applied now that these subjects or facts exist."""
    wanted = set(keys)
    if not wanted or not anything_held(incident):
        return []
    pairs = _held(incident).filter(Q(subject__in=wanted) | Q(ref__in=wanted)).values_list("device", "seq")
    return facts_with_keys(pairs)


def facts_with_keys(pairs: Iterable[tuple[uuid.UUID, int]]) -> list[Fact]:
    by_device: dict[uuid.UUID, list[int]] = defaultdict(list)
    for device, seq in pairs:
        by_device[device].append(seq)
    return [f for device, seqs in by_device.items() for f in Fact.objects.filter(device=device, seq__in=seqs)]


def numbers_missing(*, at: datetime, after: timedelta = OVERTAKEN) -> list[NumberWatch]:
    """Devices of whose series a number has been missing for longer than batches overtake one another."""
    late = NumberWatch.objects.filter(missing__gt=0, gap_since__lte=at - after)
    return list(late.order_by("gap_since", "device"))


def missing_ranges(device: uuid.UUID, *, most: int = 20) -> list[tuple[int, int]]:
    """The first gaps of a device's series, as (first, last) of the numbers that are not here."""
    watch = NumberWatch.objects.filter(device=device).first()
    if watch is None or not watch.missing:
        return []
    following = Fact.objects.filter(device=device, seq__gt=watch.whole_upto).order_by("seq")
    gaps: list[tuple[int, int]] = []
    expected = watch.whole_upto + 1
    for seq in following.values_list("seq", flat=True).iterator():
        if seq > expected:
            gaps.append((expected, seq - 1))
            if len(gaps) == most:
                break
        expected = seq + 1
    return gaps
