# SPDX-License-Identifier: Apache-2.0
"""Undoing: what an import added goes again where nothing refers to it since; what it changed gets its old
cells back.

What stays is kept with its reason, line by line. Children go before parents, in short transactions, and an
interrupted undo goes on where it stopped.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.db import models, transaction
from django.db.models import Q

from muster.base.errors import Refusal
from muster.places.models import Area, Building, Compound
from muster.places.services import bump_revisions, leave_tombstones
from muster.register.import_models import ImportBatch, ImportRow, ImportState
from muster.register.importing.batches import CLAIM, Clock, claim
from muster.register.importing.bulk import change_rows, seal_rows
from muster.register.importing.checking import Progress
from muster.register.importing.kinds import BY_ENTITY
from muster.register.models import DuplicatePair
from muster.storage.writes import LostRace, pause_between_writes
from muster.trail.services import record_event

CHILDREN_FIRST = ("responder", "need", "person", "household", "dwelling", "building", "compound", "area")
ROWS_AT_ONCE = 250
_TOLD_TO_PHONES = {"person": "person", "household": "household", "dwelling": "door", "building": "building"}

# Answers, for some rows, id as text -> why one of them must stay: what stands above the register (a round's
# ledger)
# refers to it.
ReferredBy = Callable[[str, Sequence[Any]], Mapping[str, str]]


def undo_batch(
    batch_id: uuid.UUID,
    *,
    by: uuid.UUID | None,
    now: Clock,
    also: Sequence[ReferredBy] = (),
    progress: Progress | None = None,
) -> ImportBatch:
    """Take a committed import back as far as it goes. Raises Refusal import_not_committed, import_busy."""
    batch = ImportBatch.objects.get(id=batch_id)
    if batch.state == ImportState.UNDONE:
        return batch
    if batch.state != ImportState.COMMITTED:
        raise Refusal("import_not_committed")
    claim(batch, "undoing", at=now())
    total, done = ImportRow.objects.filter(batch=batch).count(), 0
    try:
        for entity in CHILDREN_FIRST:
            while rows := _next_rows(batch, entity):
                _undo_rows(batch, entity, rows, now=now, also=also)
                done += len(rows)
                told = batch.rows_total * done // max(total, 1)
                ImportBatch.objects.filter(id=batch.id).update(rows_done=told)
                if progress:
                    progress("undoing", done, total)
                pause_between_writes()
        _finish(batch, by=by, now=now)
    finally:
        ImportBatch.objects.filter(id=batch.id).update(claimed_until=None, stage="")
    batch.refresh_from_db()
    return batch


def _next_rows(batch: ImportBatch, entity: str) -> list[ImportRow]:
    """The next rows to look at, newest first; areas level by level from below."""
    rows = ImportRow.objects.filter(batch=batch, entity=entity, undone_at__isnull=True, stays="")
    if entity == "area":
        rows = rows.filter(entity_id__in=_deepest_areas(rows.values_list("entity_id", flat=True)))
    return list(rows.order_by("-row")[:ROWS_AT_ONCE])


def _deepest_areas(ids: Iterable[str]) -> list[str]:
    """Those without anything of the same import below them; all where none is left in the register."""
    wanted = list(ids)
    depths = dict(Area.objects.filter(id__in=wanted).values_list("id", "depth"))
    if not depths:
        return wanted
    deepest = max(depths.values())
    return [str(area) for area, depth in depths.items() if depth == deepest]


def _undo_rows(
    batch: ImportBatch, entity: str, rows: Sequence[ImportRow], *, now: Clock, also: Sequence[ReferredBy]
) -> None:
    at = now()
    added = [row for row in rows if row.action == "added"]
    changed = [row for row in rows if row.action == "changed"]
    with transaction.atomic():
        ImportBatch.objects.filter(id=batch.id).update(claimed_until=at + CLAIM)
        stays = _remove(batch, entity, added, also) | _restore(entity, changed)
        for reason in set(stays.values()):
            some = [row.id for row in rows if stays.get(str(row.id)) == reason]
            ImportRow.objects.filter(id__in=some).update(stays=reason)
        gone = [row.id for row in rows if str(row.id) not in stays]
        ImportRow.objects.filter(id__in=gone).update(undone_at=at)


# --- what was added ---


def _remove(
    batch: ImportBatch, entity: str, rows: Sequence[ImportRow], also: Sequence[ReferredBy]
) -> dict[str, str]:
    """Delete what nothing refers to. Answers trace id -> why its row stays."""
    if not rows:
        return {}
    known = _fetch(entity, [row.entity_id for row in rows])
    reasons = dict(_referred(entity, list(known.values()), batch))
    for ask in also:
        reasons |= {id_: why for id_, why in ask(entity, list(known.values())).items() if id_ not in reasons}
    going = [row for id_, row in known.items() if id_ not in reasons]
    _tell_phones(entity, going)
    ids = [row.pk for row in going]
    if entity == "person":
        DuplicatePair.objects.across(reason="import").filter(
            Q(first__in=ids) | Q(second__in=ids), status="OPEN"
        ).delete()
    if going:
        if entity in BY_ENTITY:
            BY_ENTITY[entity].forgotten(going)
        model: Any = type(going[0])
        rows_of = model.objects.filter(pk__in=ids)
        (rows_of.across(reason="import") if hasattr(rows_of, "across") else rows_of).delete()
    return {str(row.id): reasons[row.entity_id] for row in rows if row.entity_id in reasons}


def _tell_phones(entity: str, going: Sequence[Any]) -> None:
    kind = _TOLD_TO_PHONES.get(entity)
    grids = {row.grid for row in going if getattr(row, "grid", None) is not None} if kind else set()
    revisions = bump_revisions(grids)
    leave_tombstones(
        (row.grid, revisions[row.grid], kind, row.pk)
        for row in going
        if kind and getattr(row, "grid", None) in revisions
    )


def _fetch(entity: str, ids: Sequence[str]) -> dict[str, Any]:
    if entity == "compound":
        return {str(one.id): one for one in Compound.objects.filter(id__in=ids)}
    return BY_ENTITY[entity].fetch(ids)


def _referred(entity: str, known: Sequence[Any], batch: ImportBatch) -> Mapping[str, str]:
    if entity == "compound":
        ids = [one.id for one in known]
        used = Building.objects.filter(compound_id__in=ids).values_list("compound_id", flat=True)
        return {str(one): "has_places" for one in used}
    return BY_ENTITY[entity].referred(known, batch=batch.id)


# --- what was changed ---


def _restore(entity: str, rows: Sequence[ImportRow]) -> dict[str, str]:
    """Put old cells back where they still say what the import wrote. Answers trace id -> why a row stays as
    it is.
    """
    if not rows:
        return {}
    kind = BY_ENTITY[entity]
    known = kind.fetch([row.entity_id for row in rows])
    stays: dict[str, str] = {}
    changed: list[Any] = []
    for row in rows:
        one = known.get(row.entity_id)
        if one is None:
            stays[str(row.id)] = "gone_since"
            continue
        before: dict[str, list[str]] = json.loads(row.before or "{}")
        live = kind.live(one)
        if any(live.get(field) != new for field, (_, new) in before.items()):
            stays[str(row.id)] = "changed_since"
            continue
        for field, (old, _) in before.items():
            kind.assign(one, field, old)
        changed.append(one)
    _write_back(kind.columns, changed)
    return stays


def _write_back(columns: Sequence[str], changed: Sequence[models.Model]) -> None:
    known: list[Any] = list(changed)
    revisions = bump_revisions({one.grid for one in known if getattr(one, "grid", None) is not None})
    for one in known:
        if hasattr(one, "version"):
            one.version += 1
        if getattr(one, "grid", None) in revisions and hasattr(one, "rev"):
            one.rev = revisions[one.grid]
    seal_rows(known)
    try:
        change_rows(known, columns)
    except LostRace as error:  # a row that went between reading and writing; the next try sees it gone
        raise Refusal("import_busy") from error


def _finish(batch: ImportBatch, *, by: uuid.UUID | None, now: Clock) -> None:
    at = now()
    with transaction.atomic():
        told: Counter[str] = Counter()
        for action, entity, stays in ImportRow.objects.filter(batch=batch).values_list(
            "action", "entity", "stays"
        ):
            told["stays" if stays else "removed" if action == "added" else "restored"] += 1
            if stays:
                told[f"stays_{stays}"] += 1
            else:
                told[f"{'removed' if action == 'added' else 'restored'}_{entity}"] += 1
        result = {**batch.result, "undo": dict(told)}
        rows = ImportBatch.objects.filter(id=batch.id, state=ImportState.COMMITTED)
        if rows.update(state=ImportState.UNDONE, undone_at=at, result=result):
            record_event(
                "ImportBatch",
                batch.id,
                "undo",
                at=at,
                actor=by,
                incident=batch.incident,
                from_state=ImportState.COMMITTED,
                to_state=ImportState.UNDONE,
                kind=batch.kind,
                **dict[str, Any](told),
            )
