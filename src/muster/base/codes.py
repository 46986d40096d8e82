# SPDX-License-Identifier: Apache-2.0
"""Codes that people type and tokens that devices carry.

Nouns: enrol code (eight Crockford letters, typed once), lease (a CWT signed by an instance: this device may
work for this person in this incident). Badge, pass and person code will be further `typ`s of the same kind.
"""

import secrets
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from muster.base.crypto import SigningKey, TrustedKey, public_jwk, read_signed, sign_claims
from muster.base.crypto.signing import b64url, unb64url
from muster.base.errors import Refusal, UnprovenSignature

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
ENROL_LETTERS = 8
LEASE = "muster-lease"
_ISS, _SUB, _EXP, _IAT, _CTI, _CNF = 1, 2, 4, 6, 7, 8
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": "", "－": "", "—": "", "　": ""})


def make_enrol_code() -> str:
    # All 40 bits are secret: a check letter would make a live code 32 times easier to guess, and a slip of
    # the finger meets another live code once in millions anyway.
    letters = "".join(secrets.choice(CROCKFORD) for _ in range(ENROL_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def code_of_bytes(raw: bytes) -> str:
    """The code that some secret bytes lead to, at least five of them: the same bytes, the same code."""
    number = int.from_bytes(raw[:8])
    letters = "".join(CROCKFORD[(number >> (5 * at)) & 31] for at in range(ENROL_LETTERS))
    return f"{letters[:4]}-{letters[4:]}"


def normalise_enrol_code(text: str) -> str:
    """Return a typed code in its one spelling (ABCD-EFGH). Refusal code_unknown if it cannot be one."""
    letters = text.strip().upper().translate(_READ_AS)
    if len(letters) != ENROL_LETTERS or any(letter not in CROCKFORD for letter in letters):
        raise Refusal("code_unknown", code=text[:32])
    return f"{letters[:4]}-{letters[4:]}"


@dataclass(frozen=True, slots=True)
class Lease:
    """What an instance once said a device may do. Whether it still holds is the caller's question.

    key: the device's public key, so that a house that never saw the device can check what it signed.
    """

    id: uuid.UUID
    instance: uuid.UUID
    device: uuid.UUID
    actor: str
    incident: uuid.UUID
    areas: tuple[str, ...]
    grids: tuple[int, ...]
    issued_at: datetime
    expires_at: datetime
    epoch: int
    key: Mapping[str, str] | None = None


def make_lease(key: SigningKey, lease: Lease) -> str:
    """Return the lease as the text that a device puts behind `Bearer`."""
    if lease.instance != key.instance:
        raise ValueError("an instance signs its own leases only")
    claims: dict[int | str, Any] = {
        _ISS: str(lease.instance),
        _SUB: str(lease.device),
        _EXP: int(lease.expires_at.timestamp()),
        _IAT: int(lease.issued_at.timestamp()),
        _CTI: lease.id.bytes,
        "actor": lease.actor,
        "incident": lease.incident.bytes,
        "areas": list(lease.areas),
        "grids": list(lease.grids),
        "epoch": lease.epoch,
    }
    if lease.key is not None:
        claims[_CNF] = public_jwk(lease.key)
    return b64url(sign_claims(key, claims, typ=LEASE))


def read_lease(token: str, trusted_keys: Iterable[TrustedKey]) -> Lease:
    """Return the lease if a trusted instance signed it, expired or not.

    UnprovenSignature otherwise: token_malformed, signer_unknown, token_forged.
    """
    try:
        raw = unb64url(token)
    except ValueError:
        raise UnprovenSignature("token_malformed") from None
    claims, key = read_signed(raw, trusted_keys, typ=LEASE)
    try:
        lease = _lease_of(claims)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, OSError, Refusal):
        raise UnprovenSignature("token_malformed") from None
    if lease.instance != key.instance:
        # A trusted site may not speak in the city's name.
        raise UnprovenSignature("token_forged", kid=key.kid)
    return lease


def _lease_of(claims: dict[int | str, Any]) -> Lease:
    return Lease(
        id=uuid.UUID(bytes=claims[_CTI]),
        instance=uuid.UUID(claims[_ISS]),
        device=uuid.UUID(claims[_SUB]),
        actor=_text(claims["actor"]),
        incident=uuid.UUID(bytes=claims["incident"]),
        areas=tuple(_text(path) for path in _list(claims["areas"])),
        grids=tuple(_whole(grid) for grid in _list(claims["grids"])),
        issued_at=datetime.fromtimestamp(_whole(claims[_IAT]), UTC),
        expires_at=datetime.fromtimestamp(_whole(claims[_EXP]), UTC),
        epoch=_whole(claims["epoch"]),
        key=public_jwk(claims[_CNF]) if _CNF in claims else None,
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError("not a whole number")
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):
        raise TypeError("not a list")
    return value
