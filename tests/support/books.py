# SPDX-License-Identifier: Apache-2.0
"""What a house holds, as plain lists to be compared: `python -m tests.support.books` in its environment.

With a file of journal rows it first takes these in at its front door's store and folds them: a house that was
never cut off, to compare with.
"""

from __future__ import annotations

import base64
import json
import sys
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import django


def main() -> None:
    django.setup()
    if len(sys.argv) > 1:
        take_in(json.loads(Path(sys.argv[1]).read_text()))
    json.dump(books(), sys.stdout, default=str)


def books() -> dict[str, Any]:
    from muster.campaigns.models import DoorEntry, LedgerEntry
    from muster.register.models import Person
    from muster.sync.models import SiteReceipt
    from muster.trail.models import Fact, SecondCopy

    told = Fact.objects.exclude(batch=None)
    facts = told.values_list("device", "seq", "id", "batch", "kind", "verdict", "code", "occurred_at")
    entries = LedgerEntry.objects.values_list(
        "round", "subject", "grid", "cls", "outcome", "at", "actor", "fact", "attempts", "facts"
    )
    doors = DoorEntry.objects.values_list("round", "subject", "grid", "state", "at", "fact", "attempts")
    persons = Person.objects.across(reason="verify").filter(listed=False)
    return {
        "facts": sorted(map(list, facts), key=str),
        "entries": sorted(map(list, entries), key=str),
        "doors": sorted(map(list, doors), key=str),
        "found": sorted([str(p.id), p.name, str(p.dwelling_id)] for p in persons),
        "second_copies": SecondCopy.objects.count(),
        "receipts": sorted(str(b) for b in SiteReceipt.objects.values_list("batch", flat=True)),
        "journal": journal(),
    }


def journal() -> list[dict[str, Any]]:
    rows = _reader().read_after({}, 100_000)
    return [
        {
            "batch": str(row.batch), "device": str(row.device), "incident": str(row.incident),
            "lease": row.lease, "alg": row.alg, "signature": base64.b64encode(row.signature).decode(),
            "sha256": row.sha256.hex(), "body": base64.b64encode(row.body or b"").decode(),
            "received_at": row.received_at.isoformat(),
        }
        for row in rows
    ]  # fmt: skip


def _reader() -> Any:
    from django.conf import settings

    from muster.intake.journal import open_reader
    from muster.storage.keys import keystore

    return open_reader(settings.ENVIRONMENT.data, keystore())


def take_in(rows: list[dict[str, Any]]) -> None:
    from django.conf import settings

    from muster.base.clock import now
    from muster.intake.journal import Entry, open_journal
    from muster.storage.keys import keystore
    from muster.sync.fold import fold_once

    door = open_journal(settings.ENVIRONMENT.data, keystore())
    entries = [
        Entry(
            received_at=datetime.fromisoformat(row["received_at"]), device=uuid.UUID(row["device"]),
            batch=uuid.UUID(row["batch"]), incident=uuid.UUID(row["incident"]), lease=row["lease"],
            alg=row["alg"], signature=base64.b64decode(row["signature"]),
            sha256=bytes.fromhex(row["sha256"]), body=base64.b64decode(row["body"]),
        )
        for row in rows
    ]  # fmt: skip
    door.append(entries)
    door.close()
    reader = _reader()
    while fold_once(reader, now=now).batches:
        pass


if __name__ == "__main__":
    main()
