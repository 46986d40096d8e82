# SPDX-License-Identifier: Apache-2.0
"""Imports as jobs: what a desk asks for is noted on the batch; small ones are done at once, large ones by
the worker.

A job whose process died is taken up again when its claim has run out, and goes on where it stopped.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db.models import Q

from muster.base.errors import Refusal
from muster.flows.import_undo import undo_import
from muster.register.import_models import ImportBatch, ImportState
from muster.register.importing.batches import Clock, claim, forget_stale, prepare_batch, stale_batches
from muster.register.importing.committing import commit_batch
from muster.register.importing.uploads import forget_upload, keep_upload, read_upload

CHECK, WRITE, UNDO = "to_check", "to_write", "to_undo"
KEPT = timedelta(days=7)
SMALL_BYTES, SMALL_ROWS = 256 << 10, 2_000
_UNDER_WAY = {"checking": CHECK, "committing": WRITE, "undoing": UNDO}


def check_upload(batch: ImportBatch, raw: bytes, *, now: Clock) -> ImportBatch:
    """Check a small file now, leave a large one to the worker. What is wrong with it is kept on the batch."""
    keep_upload(batch, raw)
    return _ask(batch, CHECK, at_once=len(raw) <= SMALL_BYTES, now=now)


def ask_commit(batch: ImportBatch, *, now: Clock) -> ImportBatch:
    """Raises Refusal import_not_ready, import_busy."""
    if batch.state == ImportState.COMMITTED:
        return batch
    if batch.state != ImportState.PREVIEWED:
        raise Refusal("import_not_ready")
    return _ask(batch, WRITE, at_once=batch.rows_total <= SMALL_ROWS, now=now)


def ask_undo(batch: ImportBatch, *, by: uuid.UUID, now: Clock) -> ImportBatch:
    """Raises Refusal import_not_committed, import_busy."""
    if batch.state == ImportState.UNDONE:
        return batch
    if batch.state != ImportState.COMMITTED:
        raise Refusal("import_not_committed")
    ImportBatch.objects.filter(id=batch.id).update(result={**batch.result, "undo_by": str(by)}, rows_done=0)
    return _ask(batch, UNDO, at_once=batch.rows_total <= SMALL_ROWS, now=now)


def _ask(batch: ImportBatch, job: str, *, at_once: bool, now: Clock) -> ImportBatch:
    if not ImportBatch.objects.filter(id=batch.id, stage__in=["", job]).update(stage=job):
        raise Refusal("import_busy")
    if at_once:
        run_job(batch.id, now=now)
    batch.refresh_from_db()
    return batch


def next_job(*, at: datetime) -> uuid.UUID | None:
    """The batch that has waited longest, or one whose process died."""
    waiting = Q(stage__in=[CHECK, WRITE, UNDO]) & (Q(claimed_until__isnull=True) | Q(claimed_until__lt=at))
    left = Q(stage__in=list(_UNDER_WAY), claimed_until__lt=at)
    return ImportBatch.objects.filter(waiting | left).order_by("made_at").values_list("id", flat=True).first()


def forget_old(*, at: datetime) -> int:
    """Imports that nobody settled within a week go, with files that were never read. Answers how many."""
    for batch in stale_batches(before=at - KEPT):
        forget_upload(batch)
    return forget_stale(before=at - KEPT)


def run_job(batch_id: uuid.UUID, *, now: Clock) -> None:
    """Do what was asked for. A file that cannot be taken is an answer, not a fault."""
    batch = ImportBatch.objects.get(id=batch_id)
    match _UNDER_WAY.get(batch.stage, batch.stage):
        case "to_check":
            _check(batch, now=now)
        case "to_write":
            commit_batch(batch.id, now=now)
        case "to_undo":
            by = batch.result.get("undo_by")
            undo_import(batch.id, by=uuid.UUID(by) if by else None, now=now)


def _check(batch: ImportBatch, *, now: Clock) -> None:
    claim(batch, "checking", at=now())
    try:
        prepare_batch(batch, read_upload(batch), now=now)
    except Refusal as refusal:
        ImportBatch.objects.filter(id=batch.id).update(
            state=ImportState.FAILED, problem=refusal.code, problem_facts=refusal.facts
        )
    finally:
        ImportBatch.objects.filter(id=batch.id).update(claimed_until=None, stage="")
    forget_upload(batch)
