# SPDX-License-Identifier: Apache-2.0
"""Sealing: texts kept unreadable at rest, and blind indexes that find an exact value without showing it.

A sealed value is: version (1) · algorithm (1) · key id (4) · nonce (12) · AES-256-GCM ciphertext and tag. Its
context (table|column|row id) is authenticated, so a value copied to another row does not open there.
"""

import hmac
import os
import struct
from collections.abc import Callable, Sequence

from cryptography.exceptions import InvalidTag

from muster.base.crypto.keystore import DataKey, Keystore
from muster.base.errors import Refusal

VERSION = 1
AES_256_GCM = 1
_HEAD = struct.Struct(">BBI")
_NONCE_BYTES = 12
_TAG_BYTES = 16
_NONCE_END = _HEAD.size + _NONCE_BYTES
OVERHEAD = _NONCE_END + _TAG_BYTES
BLIND_BYTES = 16


class SealBroken(Refusal):
    """A sealed value that does not open: cut, altered, or moved away from its row."""

    def __init__(self) -> None:
        super().__init__("seal_broken")


def seal(
    keystore: Keystore, text: str, *, purpose: str, sub_district: int, klass: str, context: bytes
) -> bytes:
    key = keystore.data_key(purpose=purpose, sub_district=sub_district, klass=klass)
    return seal_bytes(key, text.encode(), context=context)


def unseal(keystore: Keystore, sealed: bytes, *, context: bytes) -> str:
    return unseal_bytes(keystore, sealed, context=context).decode()


def seal_bytes(key: DataKey, plain: bytes, *, context: bytes) -> bytes:
    head = _HEAD.pack(VERSION, AES_256_GCM, key.id)
    nonce = os.urandom(_NONCE_BYTES)
    return head + nonce + key.aead.encrypt(nonce, plain, head + context)


def unseal_bytes(keystore: Keystore, sealed: bytes, *, context: bytes) -> bytes:
    return _open_one(keystore.data_key_by_id, bytes(sealed), context)


def seal_many(
    keystore: Keystore,
    pairs: Sequence[tuple[str, bytes]],
    *,
    purpose: str,
    sub_district: int,
    klass: str,
) -> list[bytes]:
    """Seal (text, context) pairs in order."""
    key = keystore.data_key(purpose=purpose, sub_district=sub_district, klass=klass)
    head = _HEAD.pack(VERSION, AES_256_GCM, key.id)
    encrypt = key.aead.encrypt
    noise = os.urandom(_NONCE_BYTES * len(pairs))
    nonces = [noise[at : at + _NONCE_BYTES] for at in range(0, len(noise), _NONCE_BYTES)]
    return [
        head + nonce + encrypt(nonce, text.encode(), head + context)
        for nonce, (text, context) in zip(nonces, pairs, strict=True)
    ]


def unseal_many(keystore: Keystore, pairs: Sequence[tuple[bytes, bytes]]) -> list[str]:
    """Open (sealed, context) pairs in order. One destroyed key or broken value refuses the whole call."""
    keys: dict[int, DataKey] = {}

    def key_of(key_id: int) -> DataKey:
        # One look at the store per key and call, not per value: 50,000 names have one or two keys.
        key = keys.get(key_id)
        if key is None:
            key = keys[key_id] = keystore.data_key_by_id(key_id)
        return key

    return [_open_one(key_of, sealed, context).decode() for sealed, context in pairs]


def _open_one(key_of: Callable[[int], DataKey], sealed: bytes, context: bytes) -> bytes:
    if len(sealed) < OVERHEAD:
        raise SealBroken
    version, algorithm, key_id = _HEAD.unpack_from(sealed)
    if version != VERSION or algorithm != AES_256_GCM:
        raise SealBroken
    try:
        return key_of(key_id).aead.decrypt(
            sealed[_HEAD.size : _NONCE_END], sealed[_NONCE_END:], sealed[: _HEAD.size] + context
        )
    except InvalidTag:
        raise SealBroken from None


def blind_index(keystore: Keystore, *, purpose: str, value: str) -> bytes:
    """Return the keyed fingerprint of a normalised value. A blank gets none: two blanks must not match."""
    return blind_indexes(keystore, purpose=purpose, values=[value])[0]


def blind_indexes(keystore: Keystore, *, purpose: str, values: Sequence[str]) -> list[bytes]:
    """The fingerprints of many values in order, with one look at the key."""
    if any(not value.strip() for value in values):
        raise Refusal("blind_value_blank", purpose=purpose)
    key = keystore.blind_key(purpose=purpose)
    return [hmac.digest(key, value.encode(), "sha256")[:BLIND_BYTES] for value in values]
