# SPDX-License-Identifier: Apache-2.0
"""Blind indexes of many values at once, the same as register.services makes one by one.

Asking the keystore for each value costs more than the index itself: it looks each time whether a key was
destroyed. Here it looks once for a chunk.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection

from muster.base.crypto.sealing import BLIND_BYTES
from muster.register.services import INDEX_PURPOSE
from muster.storage.keys import keystore


def phone_indexes(phones: Collection[str]) -> dict[str, bytes]:
    """phone as kept -> index; a blank has none."""
    return _indexes("phone", {phone: "".join(c for c in phone if c.isdigit()) for phone in phones})


def id_number_indexes(numbers: Collection[str]) -> dict[str, bytes]:
    """number as kept -> index; a blank has none."""
    return _indexes("id", {number: number.strip().upper() for number in numbers})


def _indexes(purpose: str, plain: dict[str, str]) -> dict[str, bytes]:
    key = keystore().blind_key(purpose=f"{INDEX_PURPOSE}:{purpose}") if plain else b""
    return {
        value: hmac.digest(key, said.encode(), hashlib.sha256)[:BLIND_BYTES]
        for value, said in plain.items()
        if said
    }
