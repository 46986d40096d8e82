# SPDX-License-Identifier: Apache-2.0
"""Batches: a file becomes a row with its lines sealed beside it, from upload to preview."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.incidents.models import Incident
from muster.incidents.services import current_incident
from muster.packs import load
from muster.register.import_models import ImportBatch, ImportChunk, ImportState
from muster.register.importing.checking import Checking, Progress
from muster.register.importing.columns import Columns
from muster.register.importing.finding import KnownPlaces, Reach
from muster.register.importing.job import Job
from muster.register.importing.kinds import kind_named
from muster.register.importing.operators import Operator
from muster.register.importing.round_trip import round_trip_key
from muster.register.importing.rows import CheckedRow, Verdict
from muster.register.importing.setting import Setting

USUAL_PACK = "epidemic-zh"
SHOWN = 200
CLAIM = timedelta(seconds=60)
_FARTHEST_EAST = timedelta(hours=14)

Clock = Callable[[], datetime]


class Choices(msgspec.Struct, frozen=True):
    """What the operator chose: update known rows or leave them, make missing doors, for which incident."""

    update_known: bool = False
    create_doors: bool = False
    incident: uuid.UUID | None = None


class Summary(msgspec.Struct):
    """The first lines of each sort, for the screen; everything is in the report."""

    preview: list[CheckedRow] = []
    bad: list[CheckedRow] = []
    known: list[CheckedRow] = []
    same: list[CheckedRow] = []

    def take(self, rows: Sequence[CheckedRow]) -> None:
        for row in rows:
            if row.verdict == Verdict.SAMPLE:
                continue
            if len(self.preview) < 50:
                self.preview.append(row)
            shelf = self._shelf(row)
            if shelf is not None and len(shelf) < SHOWN:
                shelf.append(row)

    def _shelf(self, row: CheckedRow) -> list[CheckedRow] | None:
        if row.problems:
            return self.bad
        if row.verdict == Verdict.SAME:
            return self.same
        return self.known if row.reason else None


def setting_for(incident: Incident | None, *, at: datetime) -> Setting:
    """The pack of the incident, or of the newest one in daily work; its day, or the latest day anywhere."""
    pack_of = incident or Incident.objects.order_by("-starts_at").first()
    pack = load(pack_of.pack if pack_of else USUAL_PACK, data_dir=settings.ENVIRONMENT.data)
    return Setting(pack, _today(incident, at))


def _today(incident: Incident | None, at: datetime) -> date:
    if incident is None:
        return (at + _FARTHEST_EAST).date()
    return at.astimezone(ZoneInfo(incident.time_zone)).date()


def open_job(
    batch_id: uuid.UUID, choices: Choices, reach: Reach, *, at: datetime, language: str = "zh"
) -> Job:
    """A job without a batch in the database: enough to check a file. Raises Refusal("incident_unknown")."""
    incident = None
    if choices.incident is not None:
        incident = Incident.objects.filter(id=choices.incident).first()
        if incident is None:
            raise Refusal("incident_unknown", incident=str(choices.incident))
    setting = setting_for(incident, at=at)
    return Job(
        batch=batch_id,
        setting=setting,
        reach=reach,
        key=round_trip_key(),
        at=at,
        places=KnownPlaces(reach, address_form=setting.pack.address.form),
        purpose=str(choices.incident) if choices.incident else "daily",
        update_known=choices.update_known,
        create_doors=choices.create_doors,
        language=language,
    )


def choices_for(kind: str, choices: Choices, *, at: datetime) -> Choices:
    """The choices, with the incident in force where a kind's rows belong to one and none was chosen.

    Raises Refusal no_incident.
    """
    if not kind_named(kind).needs_incident or choices.incident is not None:
        return choices
    incident = current_incident(at)
    if incident is None:
        raise Refusal("no_incident")
    return msgspec.structs.replace(choices, incident=incident.id)


def job_of(batch: ImportBatch, *, at: datetime) -> Job:
    reach = Reach(tuple(batch.paths), frozenset(batch.grids))
    choices = Choices(batch.update_known, batch.create_doors, batch.incident)
    return open_job(batch.id, choices, reach, at=at)


def open_batch(
    kind: str, raw: bytes, *, file_name: str, operator: Operator, choices: Choices, at: datetime
) -> ImportBatch:
    """Take a file in. Raises Refusal for a kind that is unknown or comes later."""
    choices = choices_for(kind, choices, at=at)
    job = open_job(new_id(), choices, operator.reach, at=at)
    return ImportBatch.objects.create(
        id=job.batch,
        kind=kind,
        file_name=Path(file_name).name[:200],
        digest=hashlib.sha256(raw).digest(),
        made_by=operator.id,
        made_by_name=operator.name[:80],
        role=operator.role,
        made_at=at,
        incident=choices.incident,
        purpose=job.purpose,
        pack=job.setting.pack.key,
        paths=list(operator.reach.paths),
        grids=sorted(operator.reach.grids),
        update_known=choices.update_known,
        create_doors=choices.create_doors,
    )


def unfinished_batch(kind: str, raw: bytes, *, operator: Operator, choices: Choices) -> ImportBatch | None:
    """The same file with the same choices by the same hand, checked or half written: it is gone on with."""
    rows = ImportBatch.objects.filter(
        kind=kind,
        digest=hashlib.sha256(raw).digest(),
        made_by=operator.id,
        state=ImportState.PREVIEWED,
        update_known=choices.update_known,
        create_doors=choices.create_doors,
        incident=choices.incident,
    )
    return rows.order_by("-made_at").first()


def claim(batch: ImportBatch, stage: str, *, at: datetime) -> None:
    """One process at a time works on a batch; a claim of one that died runs out by itself."""
    free = ImportBatch.objects.filter(Q(claimed_until__isnull=True) | Q(claimed_until__lt=at), id=batch.id)
    if not free.update(claimed_until=at + CLAIM, stage=stage):
        raise Refusal("import_busy")


def prepare_batch(
    batch: ImportBatch, raw: bytes, *, now: Clock, progress: Progress | None = None
) -> ImportBatch:
    """Read, understand and check the file, and keep its lines. Raises Refusal, which the batch keeps too."""
    job, kind = job_of(batch, at=now()), kind_named(batch.kind)
    ImportChunk.objects.filter(batch=batch).delete()
    checking, summary, number = Checking(kind, job), Summary(), 0
    _mark(batch, stage="checking", state=ImportState.UPLOADED, rows_done=0, next_chunk=0)
    try:
        for chunk in checking.run(raw, progress=progress):
            summary.take(chunk)
            with transaction.atomic():
                keep_chunk(batch, number, chunk)
                if number == 0:
                    _keep_columns(batch, checking)
                _mark(batch, rows_done=checking.counts["rows"])
                ImportBatch.objects.filter(id=batch.id, claimed_until__isnull=False).update(
                    claimed_until=now() + CLAIM
                )
            number += 1
    except Refusal as refusal:
        _mark(batch, stage="", state=ImportState.FAILED, problem=refusal.code, problem_facts=refusal.facts)
        ImportChunk.objects.filter(batch=batch).delete()
        raise
    _mark(batch, state=ImportState.VALIDATED, chunks=number, rows_total=checking.counts["rows"], rows_done=0)
    batch.summary = msgspec.json.encode(summary).decode()
    batch.counts, batch.state, batch.stage = dict(checking.counts), ImportState.PREVIEWED, ""
    batch.save(update_fields=["summary", "counts", "state", "stage"])
    return batch


def _keep_columns(batch: ImportBatch, checking: Checking) -> None:
    columns, sheet = checking.columns, checking.sheet
    assert columns is not None
    assert sheet is not None
    told = {
        "headers": list(columns.headers),
        "places": dict(columns.places),
        "unknown": list(columns.unknown),
        "ignored": sorted(columns.ignored),
        "encoding": sheet.encoding,
        "sheet": sheet.name,
        "form": sheet.form,
    }
    _mark(batch, columns=told, state=ImportState.MAPPED, rows_total=max(sheet.rows_expected - 1, 0))


def _mark(batch: ImportBatch, **values: object) -> None:
    for name, value in values.items():
        setattr(batch, name, value)
    ImportBatch.objects.filter(id=batch.id).update(**values)


def keep_chunk(batch: ImportBatch, number: int, rows: Sequence[CheckedRow]) -> None:
    chunk = ImportChunk(batch=batch, number=number, purpose=batch.purpose, rows=encode_rows(rows))
    chunk.save(force_insert=True)


def encode_rows(rows: Sequence[CheckedRow]) -> str:
    for row in rows:
        row.found = None
    return msgspec.json.encode(rows).decode()


def decode_rows(text: str | None) -> list[CheckedRow]:
    return msgspec.json.decode(text or "[]", type=list[CheckedRow])


def kept_rows(batch: ImportBatch) -> Iterator[CheckedRow]:
    """The lines that are kept, in the order of the file."""
    for chunk in ImportChunk.objects.filter(batch=batch).order_by("number").iterator(chunk_size=20):
        yield from decode_rows(chunk.rows)


def columns_of(batch: ImportBatch) -> Columns:
    told = batch.columns
    return Columns(
        header_row=0,
        headers=tuple(told.get("headers", ())),
        places=told.get("places", {}),
        unknown=tuple(told.get("unknown", ())),
        ignored=frozenset(told.get("ignored", ())),
    )


def summary_of(batch: ImportBatch) -> Summary:
    return msgspec.json.decode(batch.summary or "{}", type=Summary)


def batch_with_id(batch_id: uuid.UUID, *, operator: Operator) -> ImportBatch:
    """One's own batch, or one within one's reach. Raises Refusal("not_found")."""
    batch = ImportBatch.objects.filter(id=batch_id).first()
    if batch is None or not (batch.made_by == operator.id or operator.may_see(batch.paths, batch.grids)):
        raise Refusal("not_found")
    return batch


def stale_batches(*, before: datetime) -> QuerySet[ImportBatch]:
    """Batches made before a moment of which nothing was ever written."""
    settled = [ImportState.COMMITTED, ImportState.UNDONE]
    return ImportBatch.objects.filter(made_at__lt=before, next_chunk=0).exclude(state__in=settled)


def forget_stale(*, before: datetime) -> int:
    """Lines that nobody settled are not kept for ever. Answers how many batches went."""
    stale = stale_batches(before=before)
    count = stale.count()
    stale.delete()
    return count
