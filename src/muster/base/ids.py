# SPDX-License-Identifier: Apache-2.0
"""Ids: UUIDv7, made where the act happens; the first 48 bits are the moment in milliseconds."""

import uuid
from datetime import UTC, datetime, timedelta

import uuid_utils

from muster.base.errors import Refusal

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIME_SHIFT = 80
_VERSION = 7


def new_id() -> uuid.UUID:
    # The standard library's own class: drivers, msgspec and Django know no other.
    return uuid.UUID(int=uuid_utils.uuid7().int)


def id_time(value: uuid.UUID) -> datetime:
    """Return the moment that an id carries (as its maker's clock had it)."""
    if value.version != _VERSION:
        raise Refusal("id_without_time", id=str(value))
    try:
        return _EPOCH + timedelta(milliseconds=value.int >> _TIME_SHIFT)
    except OverflowError:
        # 48 bits of milliseconds reach the year 10889; datetime ends at 9999.
        raise Refusal("id_without_time", id=str(value)) from None
