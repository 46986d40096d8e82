# SPDX-License-Identifier: Apache-2.0
"""Fold: journal → facts with verdicts → ledger. Its position in each journal stream commits with the facts it
applied.

Run again from any point it gives the same ledger: facts that were applied are duplicates.
"""

from __future__ import annotations

import gc
import logging
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db import DataError
from django.db.models import F

from muster.flows.recording import Beside, record_facts
from muster.intake.journal import JournalReader
from muster.storage.keys import keystore
from muster.storage.writes import ROWS_PER_WRITE, pause_between_writes
from muster.sync.batches import Judged, judge_batches
from muster.sync.contact import note_contact
from muster.trail.incoming import Incoming, Ruling, held
from muster.trail.models import BatchVerdict, JournalPosition

ROWS_PER_READ = 200
OBJECTS_PER_COLLECTION = 20_000
UNWRITABLE = (DataError, ValueError, OverflowError, TypeError)
log = logging.getLogger("muster.fold")


@dataclass(slots=True)
class FoldReport:
    """What one pass did."""

    batches: int = 0
    facts: int = 0
    counted: int = 0
    seconds: float = 0.0


def spare_the_collector() -> None:
    """For a process that only folds: what it was born with is never looked through again, the rest seldom.

    Facts come and go by thousands and hold no cycles; looking for some was a sixth of fold.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_COLLECTION, 50, 100)


def positions() -> dict[int, int]:
    return dict(JournalPosition.objects.values_list("writer", "position"))


def fold_once(
    reader: JournalReader, *, now: Callable[[], datetime], limit: int = ROWS_PER_READ
) -> FoldReport:
    """Takes what the journal holds beyond our positions, at most `limit` batches."""
    began = time.monotonic()
    report = FoldReport()
    rows = reader.read_after(positions(), limit)
    trusted = keystore().trusted_keys()
    for group in _groups(judge_batches(list(rows), trusted=trusted)):
        facts = [fact for judged in group for fact in judged.facts]
        at = now()
        rulings = _record(facts, at=at, beside=lambda group=group, at=at: _advance(group, at))  # type: ignore[misc]
        report.batches += len(group)
        report.facts += len(facts)
        report.counted += sum(1 for ruling in rulings if ruling.counts)
        pause_between_writes()
    report.seconds = time.monotonic() - began
    return report


def _record(facts: list[Incoming], *, at: datetime, beside: Beside) -> list[Ruling]:
    """Records a group; a fact that no database takes is held by itself and does not stop the others.

    What went in before is a duplicate when it is told again, so that nothing is counted twice.
    """
    try:
        return record_facts(facts, at=at, beside=beside)
    except UNWRITABLE:
        log.exception("a group of %d facts cannot be written; each is tried by itself", len(facts))
    rulings = [_record_or_hold(fact, at=at) for fact in facts]
    record_facts([], at=at, beside=beside)
    return rulings


def _record_or_hold(fact: Incoming, *, at: datetime) -> Ruling:
    try:
        return record_facts([fact], at=at)[0]
    except UNWRITABLE:
        log.exception("fact %s of device %s is held", fact.id, fact.device)
    fact.body, fact.round, fact.ruling = None, None, held("bad_body")
    return record_facts([fact], at=at)[0]


def _groups(judged: list[Judged]) -> Iterator[list[Judged]]:
    """Batches together as long as their facts fit one write."""
    group: list[Judged] = []
    size = 0
    for one in judged:
        if group and size + len(one.facts) > ROWS_PER_WRITE:
            yield group
            group, size = [], 0
        group.append(one)
        size += len(one.facts)
    if group:
        yield group


@contextmanager
def _advance(group: list[Judged], at: datetime) -> Iterator[None]:
    """Inside the transaction of the facts: the positions, the refused batches, the last word of each
    device.
    """
    ends: dict[int, Judged] = {}
    counts: dict[int, list[int]] = defaultdict(lambda: [0, 0])
    for judged in group:
        ends[judged.row.writer] = judged
        counts[judged.row.writer][0] += 1
        counts[judged.row.writer][1] += len(judged.facts)
    for writer, judged in ends.items():
        batches, facts = counts[writer]
        changed = JournalPosition.objects.filter(writer=writer).update(
            position=judged.row.n, batches=F("batches") + batches, facts=F("facts") + facts
        )
        if not changed:
            JournalPosition.objects.create(writer=writer, position=judged.row.n, batches=batches, facts=facts)
    BatchVerdict.objects.bulk_create(
        [
            BatchVerdict(
                writer=j.row.writer,
                position=j.row.n,
                device=j.row.device,
                batch=j.row.batch,
                code=j.code,
                received_at=j.row.received_at,
            )
            for j in group
            if j.code
        ],
        ignore_conflicts=True,
    )
    heard: dict[uuid.UUID, datetime] = {}
    for judged in group:
        known = heard.get(judged.row.device, judged.row.received_at)
        heard[judged.row.device] = max(known, judged.row.received_at)
    note_contact(heard.items())
    yield
