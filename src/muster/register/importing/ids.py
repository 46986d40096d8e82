# SPDX-License-Identifier: Apache-2.0
"""Ids of imported rows: the same batch and line always give the same id, so that writing twice adds
nothing.
"""

from __future__ import annotations

import hashlib
import uuid

_TIME_BITS = 48
_RANDOM_MASK = (1 << 74) - 1


def imported_id(batch: uuid.UUID, what: str, *parts: object) -> uuid.UUID:
    """A UUIDv7 with the batch's moment; its other bits follow from the batch and the parts."""
    told = "|".join([batch.hex, what, *(str(part) for part in parts)])
    chance = int.from_bytes(hashlib.sha256(told.encode()).digest()[:10]) & _RANDOM_MASK
    moment = batch.int >> (128 - _TIME_BITS)
    value = (moment << 80) | (7 << 76) | ((chance >> 62) << 64) | (0b10 << 62) | (chance & ((1 << 62) - 1))
    return uuid.UUID(int=value)
