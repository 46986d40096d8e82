# SPDX-License-Identifier: Apache-2.0
"""Taking an import back: the register's own undo, which also asks the ledgers of rounds who is on them."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from muster.campaigns.models import DoorEntry, LedgerEntry, Round
from muster.campaigns.states import RoundStatus
from muster.register.import_models import ImportBatch
from muster.register.importing.batches import Clock
from muster.register.importing.checking import Progress
from muster.register.importing.undoing import undo_batch


def undo_import(
    batch: uuid.UUID, *, by: uuid.UUID | None, now: Clock, progress: Progress | None = None
) -> ImportBatch:
    """Take a committed import back where nothing refers to it since.

    Raises Refusal import_not_committed, import_busy.
    """
    return undo_batch(batch, by=by, now=now, also=[on_rosters], progress=progress)


def on_rosters(entity: str, known: Sequence[Any]) -> dict[str, str]:
    """Who stands on the roster of a round stays: entries are never deleted, and the equation must close."""
    if entity not in ("person", "household", "dwelling"):
        return {}
    rounds = list(Round.objects.exclude(status=RoundStatus.PLANNED).values_list("id", flat=True))
    key = {
        "round__in": rounds,
        "sub_district__in": {row.sub_district for row in known},
        "subject__in": [row.id for row in known],
    }
    found = set(LedgerEntry.objects.filter(**key).values_list("subject", flat=True))
    if entity == "dwelling":
        found |= set(DoorEntry.objects.filter(**key).values_list("subject", flat=True))
    return {str(one): "on_roster" for one in found}
