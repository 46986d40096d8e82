# SPDX-License-Identifier: Apache-2.0
"""Whether this house is a site, and until when it may lend its word."""

from __future__ import annotations

from datetime import datetime

from muster.base.crypto.carrying import carrier_jwk
from muster.base.errors import Refusal
from muster.storage.keys import keystore
from muster.sync.models import HomeCity


def home_city() -> HomeCity | None:
    """The city this house works for; None where it is nobody's site."""
    return HomeCity.objects.first()


def carrier_keys() -> list[dict[str, str]]:
    """For whom a phone seals what somebody else carries: this house, and its city where it is a site."""
    home = home_city()
    return [carrier_jwk(keystore()), *([home.carrier] if home is not None and home.carrier else [])]


def may_lend_until(*, at: datetime) -> datetime | None:
    """The end of every lease that this house signs; None where it has no end of its own.

    Raises Refusal("site_over") once its day has come: it takes and passes on, and lets nobody read.
    """
    home = home_city()
    if home is None:
        return None
    if home.until <= at or home.closed_at is not None:
        raise Refusal("site_over", until=home.until.isoformat(timespec="minutes"))
    return home.until
