# SPDX-License-Identifier: Apache-2.0
"""A phone that posts straight into the journal of the house in force, over several processes."""

from __future__ import annotations

import hashlib
import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from django.conf import settings

from muster.accounts.services import enrol_device, make_enrol_code
from muster.base.crypto.signing import unb64url
from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry
from muster.drill.device import DeviceClient, _key_jwk, subject
from muster.intake.journal import Entry, open_journal
from muster.storage.keys import keystore
from tests.support.world import NOON, make_world


def fill(facts: int, *, phone: Path) -> None:
    """The first time makes a little world and enrols a phone. Then: a batch for each of so many persons."""
    kept = json.loads(phone.read_text()) if phone.exists() else _begin()
    client = DeviceClient.switched_on(kept["client"], web="", http=httpx.Client())
    rows = LedgerEntry.objects.order_by("subject").values_list("sub_district", "subject")
    chosen = list(rows)[kept["told"] : kept["told"] + facts]
    journal = open_journal(settings.ENVIRONMENT.data, keystore())
    answers = journal.append([_entry(client, kept, *row) for row in chosen])
    journal.close()
    assert len(answers) == facts
    kept.update(told=kept["told"] + facts, client=client.kept())
    phone.write_text(json.dumps(kept, default=str))


def _begin() -> dict[str, Any]:
    world = make_world(doors=2, people=1)
    code, _ = make_enrol_code(
        incident=world.incident.id, grid=world.grids[0].id, worker=world.workers[0], by=world.head.id, at=NOON
    )
    client = DeviceClient(web="", name="phone", http=httpx.Client())
    device, _, lease = enrol_device(
        code=code,
        public_key=_key_jwk(client.key),
        name="phone",
        sub_districts=[street.id for street in world.streets],
        grids=[grid.id for grid in world.grids],
        at=NOON,
    )
    client.lease = lease
    client.enrolment = {"device": str(device.id), "actor": {"id": str(world.workers[0].id)}}
    return {
        "told": 0,
        "round": str(world.round.id),
        "incident": str(world.incident.id),
        "client": client.kept(),
    }


def _entry(client: DeviceClient, kept: dict[str, Any], sub_district: int, person: uuid.UUID) -> Entry:
    said = {"round": kept["round"], "outcome": "done"}
    at = NOON + timedelta(minutes=1)
    fact = client.record("entry.outcome", subject(sub_district, person=person), said, at=at)
    body = client.batch([client.outbox[fact]], at=at)
    alg, _, signature = client.sign(body).partition("=")
    return Entry(
        received_at=at + timedelta(minutes=1),
        device=uuid.UUID(client.device),
        batch=new_id(),
        incident=uuid.UUID(kept["incident"]),
        lease=client.lease,
        alg=alg,
        signature=unb64url(signature),
        sha256=hashlib.sha256(body).digest(),
        body=body,
    )
