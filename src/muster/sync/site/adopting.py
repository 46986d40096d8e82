# SPDX-License-Identifier: Apache-2.0
"""Adopting: a lease that another house of ours signed becomes known here with the first thing sent under it.

A site's phones reach the city, and the city's phones a site, without waiting for anybody to tell: the lease
names the device's key and is signed by a house we know. What the other house may not say, it cannot lend.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from muster.accounts.models import Device, DeviceKind, Lease, User
from muster.base.codes import Lease as Claims
from muster.base.crypto import key_id
from muster.sync.models import HomeCity, Site
from muster.trail.services import record_event


@dataclass(frozen=True, slots=True)
class Lender:
    """What another house may lend, here."""

    incident: uuid.UUID
    grids: frozenset[int]
    sub_districts: Sequence[int]
    kid: str = ""
    until: datetime | None = None
    revoked_at: datetime | None = None


def lender_of(instance: uuid.UUID) -> Lender | None:
    """The house that speaks, as far as this one knows it: one of our sites, or our city."""
    site = Site.objects.filter(id=instance).first()
    if site is not None:
        grids, subs = frozenset(site.grids), site.sub_districts
        return Lender(site.incident, grids, subs, site.kid, site.until, site.revoked_at)
    home = HomeCity.objects.filter(id=instance).first()
    if home is not None:
        return Lender(home.incident, frozenset(home.grids), home.sub_districts)
    return None


def adopt_lease(claims: Claims, *, at: datetime) -> Lease | None:
    """Keeps device, person and lease that a proven token names; None where its house may not lend it."""
    lender = lender_of(claims.instance)
    if lender is None or claims.incident != lender.incident:
        return None
    grids = sorted(set(claims.grids) & lender.grids)
    over = lender.until is not None and claims.issued_at >= lender.until
    if not grids or over:
        return None
    try:
        actor_id = uuid.UUID(claims.actor)
    except ValueError:
        return None
    with transaction.atomic():
        device = _device_of(claims, lender)
        if device is None:
            return None
        unnamed = {"username": f"w-{actor_id.hex}", "password": "!"}
        actor, _ = User.objects.get_or_create(id=actor_id, defaults=unnamed)
        ends = [when for when in (device.revoked_at, lender.revoked_at) if when is not None]
        lease, fresh = Lease.objects.get_or_create(
            id=claims.id,
            defaults={
                "device": device, "actor": actor, "incident": claims.incident, "grids": grids,
                "sub_districts": list(lender.sub_districts), "epoch": claims.epoch,
                "issued_at": claims.issued_at, "expires_at": claims.expires_at,
                "revoked_at": min(ends, default=None),
            },
        )  # fmt: skip
        if fresh:
            record_event(
                "Lease", lease.id, "adopt", at=at, actor=actor.id, device=str(device.id),
                incident=claims.incident, house=str(claims.instance),
            )  # fmt: skip
    return lease


def _device_of(claims: Claims, lender: Lender) -> Device | None:
    """The device of a lease, with the key that its house vouches for; never one with another key.

    One with the house's own key is that house's desk: several people speak through it.
    """
    known = Device.objects.filter(id=claims.device).first()
    if known is not None:
        return known if claims.key is None or known.public_key == claims.key else None
    if claims.key is None:
        return None
    own = lender.kid == key_id(claims.key)
    return Device.objects.create(
        id=claims.device, kind=DeviceKind.SITE if own else DeviceKind.FIELD, incident=claims.incident,
        public_key=dict(claims.key), enrolled_at=claims.issued_at,
    )  # fmt: skip
