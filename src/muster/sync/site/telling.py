# SPDX-License-Identifier: Apache-2.0
"""What a site and its city tell each other beside facts: shapes only, shared by both sides."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any

import msgspec

Name = Annotated[str, msgspec.Meta(max_length=80)]
MOST_AT_ONCE = 500


class NewDevice(msgspec.Struct, frozen=True):
    """A phone that joined at the site, whose it is, and whether the site took it back."""

    id: uuid.UUID
    name: Name
    public_key: dict[str, str]
    actor: uuid.UUID
    actor_name: Name
    grids: list[int]
    enrolled_at: datetime
    revoked_at: datetime | None = None


class HeldReceipt(msgspec.Struct, frozen=True):
    """The site's signed word that it held a batch, as the phone got it."""

    batch: uuid.UUID
    device: uuid.UUID
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    received_at: Annotated[str, msgspec.Meta(max_length=40)]
    count: int
    signature: Annotated[str, msgspec.Meta(max_length=100)]


class Word(msgspec.Struct, frozen=True):
    """How a site stands, who joined there, which batches it held."""

    v: int
    waiting: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    waiting_since: datetime | None = None
    devices: Annotated[list[NewDevice], msgspec.Meta(max_length=MOST_AT_ONCE)] = []
    receipts: Annotated[list[HeldReceipt], msgspec.Meta(max_length=MOST_AT_ONCE)] = []


class OtherWord(msgspec.Struct, frozen=True):
    """The city's verdict on a fact that it did not simply apply."""

    device: uuid.UUID
    seq: int
    id: uuid.UUID
    verdict: str
    code: str
    grid: int | None = None


class News(msgspec.Struct, frozen=True):
    """What changed at the city: rows of changed grids, and its verdicts on the site's phones' facts."""

    v: int
    cursor: dict[str, Any]
    stock: dict[str, list[dict[str, Any]]]
    verdicts: list[OtherWord]
    until: datetime
