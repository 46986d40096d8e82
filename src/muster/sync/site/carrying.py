# SPDX-License-Identifier: Apache-2.0
"""Facts by file: batches that a phone signed, carried here by somebody else, handed in at our own front door.

Nothing is judged here: the door takes each batch as from the phone itself, fold gives the verdicts.
"""

from __future__ import annotations

import gzip
import hashlib
import uuid
import zlib
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import httpx
import msgspec

from muster.accounts.models import Device, Lease
from muster.base.crypto.carrying import open_carried
from muster.base.errors import Refusal
from muster.intake.limits import BATCH_FACTS
from muster.storage.keys import keystore
from muster.trail.models import Fact

MOST_BYTES = 16 << 20
MOST_PLAIN = 64 << 20
MOST_BATCHES = 2000
AT_ONCE = 500
Post = Callable[[bytes, dict[str, str]], httpx.Response]


class CarriedBatch(msgspec.Struct, frozen=True):
    """The exact text that was signed, with what came beside it on the wire."""

    lease: Annotated[str, msgspec.Meta(max_length=6000)]
    signature: Annotated[str, msgspec.Meta(max_length=512)]
    body: Annotated[str, msgspec.Meta(max_length=1 << 20)]


class CarriedContent(msgspec.Struct, frozen=True):
    v: int
    batches: Annotated[list[CarriedBatch], msgspec.Meta(max_length=MOST_BATCHES)]


class _FactId(msgspec.Struct):
    id: uuid.UUID


class _Batch(msgspec.Struct):
    device: uuid.UUID
    facts: Annotated[list[_FactId], msgspec.Meta(max_length=BATCH_FACTS)]


@dataclass(slots=True)
class Handed:
    """What became of one phone's batches."""

    device: uuid.UUID | None
    taken: int = 0
    refused: list[str] = field(default_factory=list)
    facts: list[uuid.UUID] = field(default_factory=list)


def read_carried(file: bytes) -> CarriedContent:
    """What a carried file holds. Refusals: carried_too_large, carried_unreadable, carried_for_others."""
    if len(file) > MOST_BYTES:
        raise Refusal("carried_too_large", most=MOST_BYTES >> 20)
    plain = open_carried(keystore(), file)
    try:
        return msgspec.json.decode(_unzipped(plain), type=CarriedContent)
    except (msgspec.ValidationError, msgspec.DecodeError, RecursionError, zlib.error, EOFError, OSError):
        raise Refusal("carried_unreadable") from None


def _unzipped(plain: bytes) -> bytes:
    if plain[:2] != b"\x1f\x8b":
        return plain
    opened = zlib.decompressobj(16 + zlib.MAX_WBITS)
    told = opened.decompress(plain, MOST_PLAIN)
    if not opened.eof:
        raise Refusal("carried_unreadable")
    return told


def hand_in(content: CarriedContent, post: Post) -> list[Handed]:
    """Hands every batch in; answers by phone what the door said. Again is harmless."""
    by_device: dict[uuid.UUID | None, Handed] = {}
    for batch in content.batches:
        body = batch.body.encode()
        device, ids = _look_into(body)
        handed = by_device.setdefault(device, Handed(device))
        answer = post(
            gzip.compress(body, 6),
            {
                "Authorization": f"Bearer {batch.lease}",
                "Muster-Signature": batch.signature,
                "Content-Type": "application/json",
                "Content-Encoding": "gzip",
            },
        )
        if answer.status_code == 200 and answer.json().get("sha256") == hashlib.sha256(body).hexdigest():
            handed.taken += 1
            handed.facts += ids
        else:
            handed.refused.append(_code(answer))
    return list(by_device.values())


def _look_into(body: bytes) -> tuple[uuid.UUID | None, list[uuid.UUID]]:
    try:
        told = msgspec.json.decode(body, type=_Batch)
    except (msgspec.ValidationError, msgspec.DecodeError):
        return None, []
    return told.device, [fact.id for fact in told.facts]


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", "intake_failed"))[:40]
    except (ValueError, AttributeError):
        return "intake_failed"


def told_by_phone(handed: Sequence[Handed]) -> list[dict[str, Any]]:
    """By phone: what was taken, what was not and why. No word of what the facts say."""
    ids = {one.device for one in handed if one.device}
    names = dict(Device.objects.filter(id__in=ids).values_list("id", "name"))
    people = {
        lease.device_id: lease.actor.name
        for lease in Lease.objects.select_related("actor").filter(device__in=ids).order_by("issued_at")
    }
    return [
        {
            "device": one.device,
            "name": names.get(one.device, "") if one.device else "",
            "actor": people.get(one.device, "") if one.device else "",
            "batches": one.taken,
            "facts": [str(i) for i in one.facts],
            "refused": one.refused,
        }
        for one in handed
    ]


def verdicts_of(device: uuid.UUID, facts: Sequence[uuid.UUID]) -> dict[str, int]:
    """How many of a phone's facts have which verdict; those that fold has not reached yet are waiting."""
    counts: dict[str, int] = defaultdict(int)
    wanted = list(dict.fromkeys(facts))
    for first in range(0, len(wanted), AT_ONCE):
        rows = Fact.objects.filter(device=device, id__in=wanted[first : first + AT_ONCE])
        for verdict in rows.values_list("verdict", flat=True):
            counts[verdict] += 1
    return {**counts, "WAITING": len(wanted) - sum(counts.values())}
