# SPDX-License-Identifier: Apache-2.0
"""Committing: the good lines of a batch go into the register, chunk by chunk.

Each chunk is judged anew and sealed before its transaction; the transaction counts the chunk as written and
writes it, or does neither. An interrupted import goes on with the chunk after the last one written.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from muster.base.errors import Refusal
from muster.places.models import Dwelling
from muster.places.services import bump_revisions
from muster.register.import_models import ImportBatch, ImportChunk, ImportRow, ImportState
from muster.register.importing.batches import CLAIM, Clock, claim, decode_rows, encode_rows, job_of
from muster.register.importing.bulk import change_rows, insert_rows, seal_rows
from muster.register.importing.checking import Progress, judge
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job, Trace
from muster.register.importing.kind import Kind
from muster.register.importing.kinds import kind_named
from muster.register.importing.rows import CheckedRow, Verdict
from muster.register.models import Person
from muster.register.services import add_pairs
from muster.storage.writes import LostRace, pause_between_writes
from muster.trail.services import record_event

_TRIES = 3
_WRITTEN = (Verdict.NEW, Verdict.CHANGED)


@dataclass(frozen=True, slots=True)
class _Piece:
    """One chunk ready to be written. left: the chunk as it will be, with only the lines that come back."""

    rows: Sequence[CheckedRow]
    made: Composition
    left: ImportChunk


class AlreadyWrittenError(RuntimeError):
    """Another process wrote this chunk first."""


def commit_batch(batch_id: uuid.UUID, *, now: Clock, progress: Progress | None = None) -> ImportBatch:
    """Write what is good, from where writing stands. Again is harmless.

    Raises Refusal import_not_ready, import_busy.
    """
    batch = ImportBatch.objects.get(id=batch_id)
    if batch.state == ImportState.COMMITTED:
        return batch
    if batch.state != ImportState.PREVIEWED:
        raise Refusal("import_not_ready")
    claim(batch, "committing", at=now())
    try:
        job, kind = job_of(batch, at=now()), kind_named(batch.kind)
        while batch.next_chunk < batch.chunks:
            _write_next(batch, kind, job, at=now())
            batch.refresh_from_db(fields=["next_chunk", "rows_done", "result"])
            if progress:
                progress("writing", batch.rows_done, batch.rows_total)
            pause_between_writes()
        _finish(batch, at=now())
    finally:
        ImportBatch.objects.filter(id=batch.id).update(claimed_until=None, stage="")
    batch.refresh_from_db()
    return batch


def _write_next(batch: ImportBatch, kind: Kind, job: Job, *, at: datetime) -> None:
    chunk = ImportChunk.objects.get(batch=batch, number=batch.next_chunk)
    for _ in range(_TRIES):
        rows = decode_rows(chunk.rows)
        written = _judge_again(rows, kind, job)
        composition = kind.compose(written, job)
        piece = _seal(batch, chunk, rows, composition)
        try:
            with transaction.atomic():
                _write(batch, piece, kind, job, at=at)
        except (LostRace, IntegrityError):
            job.places.forget_doors()
            job.places.forget_buildings()
            continue
        except AlreadyWrittenError:
            return
        for door in composition.added.get(Dwelling, ()):
            job.places.learn_door(door)
        return
    raise Refusal("import_busy")


def _judge_again(rows: Sequence[CheckedRow], kind: Kind, job: Job) -> list[CheckedRow]:
    """What was good at the preview may not be so now; what came back then stays back."""
    good = [row for row in rows if row.is_good]
    for row in good:
        row.verdict, row.match, row.reason, row.here = Verdict.NEW, "", "", {}
    judge(good, kind, job)
    return [row for row in good if row.is_good and row.verdict in _WRITTEN]


def _seal(batch: ImportBatch, chunk: ImportChunk, rows: Sequence[CheckedRow], made: Composition) -> _Piece:
    """Seal everything before the pen is taken."""
    for some in made.added.values():
        seal_rows(some)
    seal_rows([change.row for change in made.changed])
    left = ImportChunk(id=chunk.id, batch=batch, number=chunk.number, purpose=batch.purpose)
    left.rows = encode_rows([row for row in rows if row.is_told])
    seal_rows([left])
    return _Piece(rows, made, left)


def _write(batch: ImportBatch, piece: _Piece, kind: Kind, job: Job, *, at: datetime) -> None:
    """Inside the transaction: counted as written and written, or neither."""
    rows, made, left = piece.rows, piece.made, piece.left
    result = Counter(batch.result)
    _count(rows, made.traces, result)
    done = batch.rows_done + sum(row.verdict != Verdict.SAMPLE for row in rows)
    mine = ImportBatch.objects.filter(id=batch.id, next_chunk=left.number, state=ImportState.PREVIEWED)
    if not mine.update(
        next_chunk=left.number + 1, rows_done=done, result=dict(result), claimed_until=at + CLAIM
    ):
        raise AlreadyWrittenError
    revisions = bump_revisions(made.grids)
    announce(made, revisions)
    kind.add(made, job, at)
    if made.changed:
        was = [change.was for change in made.changed] if made.guard else []
        change_rows([change.row for change in made.changed], made.columns, guard=made.guard, was=was)
    for grid, revision in revisions.items() if made.heard else ():
        Person.objects.across(reason="import").filter(id__in=made.heard, grid=grid).update(rev=revision)
    for person, others in _by_person(made):
        add_pairs(person, others, at=at)
    insert_rows(_traces(batch, made.traces))
    change_rows([left], ["rows"])


def _by_person(made: Composition) -> list[tuple[Person, list[tuple[uuid.UUID, str]]]]:
    pairs: dict[uuid.UUID, tuple[Person, list[tuple[uuid.UUID, str]]]] = {}
    for person, other, reason in made.pairs:
        pairs.setdefault(person.id, (person, []))[1].append((other, reason))
    return list(pairs.values())


def announce(made: Composition, revisions: dict[int, int]) -> None:
    """Rows carry the revision at which phones of their grid hear of them."""
    changed = [change.row for change in made.changed]
    for row in [*(row for some in made.added.values() for row in some), *changed]:
        known: Any = row
        grid = getattr(known, "grid", None)
        if grid in revisions and hasattr(known, "rev"):
            known.rev = revisions[grid]


def _traces(batch: ImportBatch, traces: Sequence[Trace]) -> list[ImportRow]:
    rows = [
        ImportRow(
            id=imported_id(batch.id, "trace", trace.row, trace.entity, trace.id),
            batch_id=batch.id,
            row=trace.row,
            entity=trace.entity,
            entity_id=trace.id,
            action=trace.action,
            purpose=batch.purpose,
            sub_district=trace.sub_district,
            before=trace.before,
        )
        for trace in traces
    ]
    seal_rows(rows)
    return rows


def _count(rows: Sequence[CheckedRow], traces: Sequence[Trace], result: Counter[str]) -> None:
    for trace in traces:
        result[f"{trace.action}_{trace.entity}"] += 1
        if trace.before is not None:
            result["cells_changed"] += len(json.loads(trace.before))
    for row in rows:
        if row.verdict == Verdict.SAMPLE:
            continue
        if row.problems:
            result["bad"] += 1
        else:
            result["known" if row.verdict == Verdict.DUPLICATE else str(row.verdict)] += 1


def _finish(batch: ImportBatch, *, at: datetime) -> None:
    with transaction.atomic():
        rows = ImportBatch.objects.filter(id=batch.id, state=ImportState.PREVIEWED, next_chunk=batch.chunks)
        if not rows.update(state=ImportState.COMMITTED, committed_at=at, rows_done=batch.rows_total):
            return
        record_event(
            "ImportBatch",
            batch.id,
            "commit",
            at=at,
            actor=batch.made_by,
            incident=batch.incident,
            from_state=ImportState.PREVIEWED,
            to_state=ImportState.COMMITTED,
            kind=batch.kind,
            rows=batch.rows_total,
            **batch.result,
        )
