# SPDX-License-Identifier: Apache-2.0
"""Writes of accounts: users, grants, tokens, enrol codes, devices and their leases."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from muster.accounts.models import Device, DeviceKind, EnrolCode, Grant, Lease, Token, User
from muster.accounts.policy import roles
from muster.accounts.queries import digest
from muster.base import codes
from muster.base.crypto import public_jwk
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.storage.keys import keystore

CODE_LIFE = timedelta(hours=24)
LEASE_LIFE = timedelta(hours=24)
PULL_NOTED_EVERY = timedelta(seconds=60)
EVERYWHERE = "/"


def add_user(*, username: str, name: str, password: str | None = None, language: str = "zh") -> User:
    """Adds somebody who can act. Without a password he can only carry a phone or a token."""
    if User.objects.filter(username=username).exists():
        raise Refusal("username_taken", username=username)
    user = User(username=username, name=name, language=language)
    user.set_password(password) if password else user.set_unusable_password()
    user.save(force_insert=True)
    return user


def grant_role(user: User, *, role: str, at: datetime, area: int | None = None, area_path: str = "",
               grid: int | None = None, incident: uuid.UUID | None = None, until: datetime | None = None,
               by: uuid.UUID | None = None) -> Grant:  # fmt: skip
    """Gives a role over an area (with its path) or a grid."""
    if role not in roles():
        raise Refusal("role_unknown", role=role)
    if area is None and grid is None and area_path != EVERYWHERE:
        raise Refusal("grant_without_place", role=role)
    return Grant.objects.create(
        user=user, role=role, area=area, area_path=area_path, grid=grid, incident=incident, valid_from=at,
        valid_until=until, granted_by=by,
    )  # fmt: skip


def make_token(user: User, *, name: str, at: datetime, expires_at: datetime | None = None) -> str:
    """Makes a bearer token for the API; it is shown once and kept only as a hash."""
    secret = secrets.token_urlsafe(32)
    Token.objects.create(user=user, name=name, digest=digest(secret), created_at=at, expires_at=expires_at)
    return secret


def make_enrol_code(
    *, incident: uuid.UUID, grid: int, worker: User, by: uuid.UUID, at: datetime
) -> tuple[str, EnrolCode]:
    """A code that a head hands to a worker; good for one phone and one day."""
    code = codes.make_enrol_code()
    row = EnrolCode.objects.create(
        digest=digest(codes.normalise_enrol_code(code)),
        incident=incident,
        grid=grid,
        worker=worker,
        made_by=by,
        made_at=at,
        expires_at=at + CODE_LIFE,
    )
    return code, row


def enrol_device(*, code: str, public_key: dict[str, Any], name: str, sub_districts: Sequence[int],
                 grids: Sequence[int], at: datetime,
                 until: datetime | None = None) -> tuple[Device, Lease, str]:  # fmt: skip
    """A phone joins: the code is used up, the phone's public key is kept, and a lease is signed.

    Raises:
        Refusal: code_unknown, code_used, code_expired, key_bad.
    """
    key = read_public_key(public_key)
    row = find_code(code)
    known = _enrolled_before(row, key)
    if known is not None:
        lease, text = issue_lease(
            known, actor=row.worker, incident=row.incident, grids=grids, sub_districts=sub_districts, at=at,
            until=until,
        )  # fmt: skip
        return known, lease, text
    with transaction.atomic():
        device = Device.objects.create(
            kind=DeviceKind.FIELD, name=name[:80], incident=row.incident, public_key=key, enrolled_at=at
        )
        used = EnrolCode.objects.filter(id=row.id, used_at__isnull=True).update(
            used_at=at, used_by_device=device.id
        )
        if not used:
            raise Refusal("code_used")
        if row.expires_at <= at:
            raise Refusal("code_expired")
        lease, text = issue_lease(
            device, actor=row.worker, incident=row.incident, grids=grids, sub_districts=sub_districts, at=at,
            until=until,
        )  # fmt: skip
    return device, lease, text


def _enrolled_before(row: EnrolCode, key: dict[str, str]) -> Device | None:
    """The phone that used this code, if it is the one that asks: its answer was lost on the way."""
    if row.used_by_device is None:
        return None
    device = Device.objects.filter(id=row.used_by_device, revoked_at__isnull=True).first()
    return device if device is not None and device.public_key == key else None


def find_code(code: str) -> EnrolCode:
    """Raises Refusal("code_unknown") alike for what was never made and what cannot be a code."""
    row = (
        EnrolCode.objects.select_related("worker")
        .filter(digest=digest(codes.normalise_enrol_code(code)))
        .first()
    )
    if row is None:
        raise Refusal("code_unknown", code=code[:16])
    return row


def read_public_key(jwk: dict[str, Any]) -> dict[str, str]:
    """The public half of a device key in its plain form; Refusal("key_bad") otherwise."""
    try:
        return public_jwk(jwk)
    except (Refusal, ValueError, KeyError, TypeError) as error:
        raise Refusal("key_bad") from error


def issue_lease(device: Device, *, actor: User, incident: uuid.UUID, grids: Sequence[int],
                sub_districts: Sequence[int], at: datetime, epoch: int = 1,
                until: datetime | None = None) -> tuple[Lease, str]:  # fmt: skip
    """Signs what a device may do from now on, and keeps a row of it so that it can be taken back.

    until: when this house's own right to speak ends, if it is a site's.
    """
    key = keystore().instance_key()
    row = Lease.objects.create(
        device=device,
        actor=actor,
        incident=incident,
        grids=list(grids),
        sub_districts=list(sub_districts),
        epoch=epoch,
        issued_at=at,
        expires_at=min(at + LEASE_LIFE, until) if until else at + LEASE_LIFE,
    )
    text = codes.make_lease(
        key,
        codes.Lease(
            id=row.id,
            instance=key.instance,
            device=device.id,
            actor=str(actor.id),
            incident=incident,
            areas=(),
            grids=tuple(grids),
            issued_at=row.issued_at,
            expires_at=row.expires_at,
            epoch=epoch,
            key=device.public_key,
        ),
    )
    return row, text


def renew_lease(lease: Lease, *, at: datetime, until: datetime | None = None) -> tuple[Lease, str]:
    """A fresh lease for the same device, actor and grids; refused once the device or the lease was taken
    back.
    """
    if lease.revoked_at is not None or lease.device.revoked_at is not None:
        raise Refusal("lease_revoked")
    return issue_lease(
        lease.device,
        actor=lease.actor,
        incident=lease.incident,
        grids=lease.grids,
        sub_districts=lease.sub_districts,
        at=at,
        epoch=lease.epoch + 1,
        until=until,
    )


def revoke_device(device: Device, *, by: uuid.UUID, at: datetime) -> None:
    """Takes a phone's leases back: what it sends from now on is kept apart, not lost."""
    with transaction.atomic():
        Device.objects.filter(id=device.id, revoked_at__isnull=True).update(revoked_at=at, revoked_by=by)
        Lease.objects.filter(device=device, revoked_at__isnull=True).update(revoked_at=at)


def note_pull(device: Device, *, told_seq: int | None, at: datetime, wiped: bool = False) -> None:
    """Keeps what a phone says of itself when it asks for news; at most once a minute if nothing is new."""
    news: dict[str, Any] = {}
    if told_seq is not None and told_seq > device.told_seq:
        news["told_seq"] = told_seq
    if wiped and device.wiped_at is None:
        news["wiped_at"] = at
    if news or device.pulled_at is None or at - device.pulled_at > PULL_NOTED_EVERY:
        Device.objects.filter(id=device.id).update(pulled_at=at, **news)


def house_device(kind: str = DeviceKind.DESK) -> Device:
    """The device that stands for this house's own desks or imports; made on first use."""
    found = Device.objects.filter(kind=kind, incident__isnull=True).order_by("enrolled_at").first()
    if found is not None:
        return found
    from muster.base.clock import now

    try:
        return Device.objects.create(id=new_id(), kind=kind, name=f"house {kind.lower()}", enrolled_at=now())
    except IntegrityError:
        return Device.objects.get(kind=kind, incident__isnull=True)


def take_numbers(device: Device, count: int) -> int:
    """Reserves `count` numbers of a house device and answers the first."""
    with transaction.atomic():
        row = Device.objects.select_for_update().get(id=device.id)
        first = row.last_seq + 1
        Device.objects.filter(id=device.id).update(last_seq=row.last_seq + count)
    return first
