# SPDX-License-Identifier: Apache-2.0
"""Reads of accounts: whose token, which grants stand now, which devices are desks."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from muster.accounts.models import Device, DeviceKind, Grant, Lease, Token, User


def digest(secret: str) -> bytes:
    """Tokens and codes carry 40 bits or more of chance and live shortly; a plain hash suffices to keep
    them.
    """
    return hashlib.sha256(b"muster|" + secret.encode()).digest()


def grants_in_force(user: User, *, at: datetime, incident: uuid.UUID | None = None) -> list[Grant]:
    """Grants that hold at this moment; expiry is computed when read."""
    rows = user.grants.filter(valid_from__lte=at).filter(Q(valid_until__isnull=True) | Q(valid_until__gt=at))
    if incident is not None:
        rows = rows.filter(Q(incident__isnull=True) | Q(incident=incident))
    return list(rows.order_by("role", "id"))


def user_of_token(secret: str, *, at: datetime) -> User | None:
    rows = Token.objects.select_related("user").filter(digest=digest(secret), revoked_at__isnull=True)
    token = rows.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=at)).first()
    return token.user if token and token.user.is_active else None


def desk_devices() -> frozenset[uuid.UUID]:
    """Devices that stand for this house itself; what they undo needs no same hand."""
    return frozenset(
        Device.objects.exclude(kind__in=[DeviceKind.FIELD, DeviceKind.SITE]).values_list("id", flat=True)
    )


def unsent_estimate(device: Device) -> int:
    """How many facts a phone has recorded that are not here, as far as it has said."""
    return max(0, max(device.last_seq, device.told_seq) - device.facts_seen)


def last_heard(device: Device) -> datetime | None:
    """When a phone last sent something or asked for news."""
    times = [at for at in (device.last_contact_at, device.pulled_at) if at is not None]
    return max(times, default=None)


def first_lease(device: uuid.UUID, actor: uuid.UUID) -> Lease | None:
    """The lease with which somebody joined on this device."""
    leases = Lease.objects.filter(device_id=device, actor_id=actor).select_related("actor")
    return leases.order_by("issued_at").first()


def lease_grids(devices: Collection[uuid.UUID]) -> dict[uuid.UUID, frozenset[int]]:
    """device -> every grid that one of its leases ever named; devices that carry no lease are not in it."""
    found: dict[uuid.UUID, frozenset[int]] = {}
    for device, grids in Lease.objects.filter(device_id__in=devices).values_list("device_id", "grids"):
        found[device] = found.get(device, frozenset()) | frozenset(grids)
    return found
