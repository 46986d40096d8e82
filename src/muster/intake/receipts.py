# SPDX-License-Identifier: Apache-2.0
"""The receipt: this instance's signed word that it holds a batch. Given only after the commit."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from muster.base.crypto import SigningKey, verify
from muster.base.crypto.signing import b64url, unb64url

VERSION = 1


class Receipt(msgspec.Struct, frozen=True):
    v: int
    batch: uuid.UUID
    device: uuid.UUID
    sha256: str
    received_at: str
    instance: uuid.UUID
    count: int
    signature: str


def make_receipt(
    key: SigningKey, *, batch: uuid.UUID, device: uuid.UUID, sha256: bytes, received_at: datetime, count: int
) -> Receipt:
    at = received_at.isoformat()
    signature = key.sign(_signed_text(str(batch), str(device), sha256.hex(), at))
    return Receipt(VERSION, batch, device, sha256.hex(), at, key.instance, count, b64url(signature))


def receipt_holds(receipt: Receipt, jwk: Mapping[str, Any]) -> bool:
    """Say whether the instance with this public key gave the receipt."""
    try:
        signature = unb64url(receipt.signature)
    except ValueError:
        return False
    text = _signed_text(str(receipt.batch), str(receipt.device), receipt.sha256, receipt.received_at)
    return verify("Ed25519", jwk, text, signature)


def _signed_text(batch: str, device: str, sha256: str, received_at: str) -> bytes:
    return f"muster-receipt-v1\n{batch}\n{device}\n{sha256}\n{received_at}".encode()
