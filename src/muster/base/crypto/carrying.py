# SPDX-License-Identifier: Apache-2.0
"""Carried files: sealed by a phone for its houses, so that whoever carries one cannot read it.

A fresh P-256 key meets each house's carrier key (ECDH); HKDF-SHA-256 gives the key that wraps the content
key; AES-256-GCM seals. The browser's WebCrypto does the same (web/packages/outbox/src/carrying.ts).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from muster.base.crypto.keystore import Keystore
from muster.base.crypto.signing import b64url, key_id, unb64url
from muster.base.errors import Refusal

PURPOSE = "carrier"
INFO = b"muster-carried-v1"
_ORDER = int("FFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551", 16)
_NONCE_BYTES = 12
MOST_HOUSES = 16


class For(msgspec.Struct, frozen=True):
    """The content key, wrapped for one house."""

    kid: Annotated[str, msgspec.Meta(max_length=32)]
    wrapped: Annotated[str, msgspec.Meta(max_length=200)]


class Carried(msgspec.Struct, frozen=True):
    """A sealed file as it lies on a phone, on a stick, or in a row of QR codes."""

    v: int
    kind: str
    x: Annotated[str, msgspec.Meta(max_length=64)]
    y: Annotated[str, msgspec.Meta(max_length=64)]
    houses: Annotated[list[For], msgspec.Meta(max_length=MOST_HOUSES)]
    sealed: str


KIND = "muster-carried"


def carrier_key(keystore: Keystore) -> ec.EllipticCurvePrivateKey:
    """This house's own, made from a key of its keystore: where that is destroyed, nothing opens again."""
    seed = keystore.data_key(purpose=PURPOSE, sub_district=0, klass=PURPOSE).key
    wide = HKDF(hashes.SHA256(), 48, salt=None, info=b"muster-carrier-key").derive(seed)
    return ec.derive_private_key(int.from_bytes(wide) % (_ORDER - 1) + 1, ec.SECP256R1())


def carrier_jwk(keystore: Keystore) -> dict[str, str]:
    return _jwk(carrier_key(keystore).public_key())


def _jwk(public: ec.EllipticCurvePublicKey) -> dict[str, str]:
    told = public.public_numbers()
    return {"kty": "EC", "crv": "P-256", "x": b64url(told.x.to_bytes(32)), "y": b64url(told.y.to_bytes(32))}


def seal_carried(content: bytes, houses: Sequence[dict[str, str]]) -> bytes:
    """What a phone does; here for the drill's phones and for tests."""
    ours = ec.generate_private_key(ec.SECP256R1())
    key = AESGCM.generate_key(256)
    shown = _jwk(ours.public_key())
    wraps = [
        For(
            key_id(jwk),
            b64url(AESGCM(_shared(ours, _point(jwk["x"], jwk["y"]))).encrypt(bytes(12), key, INFO)),
        )
        for jwk in houses
    ]
    nonce = AESGCM.generate_key(128)[:_NONCE_BYTES]
    sealed = nonce + AESGCM(key).encrypt(nonce, content, INFO)
    return msgspec.json.encode(Carried(1, KIND, shown["x"], shown["y"], wraps, b64url(sealed)))


def open_carried(keystore: Keystore, file: bytes) -> bytes:
    """The content. Refusals: carried_unreadable, carried_for_others."""
    try:
        told = msgspec.json.decode(file, type=Carried)
        theirs, sealed = _point(told.x, told.y), unb64url(told.sealed)
    except (msgspec.ValidationError, msgspec.DecodeError, ValueError, RecursionError):
        raise Refusal("carried_unreadable") from None
    if told.v != 1 or told.kind != KIND or len(sealed) <= _NONCE_BYTES:
        raise Refusal("carried_unreadable")
    ours = carrier_key(keystore)
    kid = key_id(_jwk(ours.public_key()))
    mine = next((house for house in told.houses if house.kid == kid), None)
    if mine is None:
        raise Refusal("carried_for_others")
    try:
        # A fresh key for each file: its one nonce for wrapping never repeats.
        key = AESGCM(_shared(ours, theirs)).decrypt(bytes(12), unb64url(mine.wrapped), INFO)
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], INFO)
    except (InvalidTag, ValueError):
        raise Refusal("carried_unreadable") from None


def _shared(ours: ec.EllipticCurvePrivateKey, theirs: ec.EllipticCurvePublicKey) -> bytes:
    met = ours.exchange(ec.ECDH(), theirs)
    return HKDF(hashes.SHA256(), 32, salt=None, info=INFO).derive(met)


def _point(x: str, y: str) -> ec.EllipticCurvePublicKey:
    numbers = ec.EllipticCurvePublicNumbers(
        int.from_bytes(unb64url(x)), int.from_bytes(unb64url(y)), ec.SECP256R1()
    )
    return numbers.public_key()
