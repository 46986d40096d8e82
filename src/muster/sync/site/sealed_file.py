# SPDX-License-Identifier: Apache-2.0
"""A file that opens with a passphrase and until a day: how a bundle travels.

One line of magic, one line of JSON (salt, cost, nonce, name, until: readable, but not changeable), then
AES-256-GCM over zlib. The key comes from the passphrase by scrypt.
"""

from __future__ import annotations

import os
import zlib
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from muster.base.errors import Refusal
from muster.intake.durable import write_file

MAGIC = b"muster-site-bundle\n"
SHORTEST = 12
COST = 1 << 16
MOST_COST = 1 << 20
MOST_BYTES = 1 << 30
MOST_PLAIN = 4 << 30
_HEAD_BYTES = 4096


class Head(msgspec.Struct, frozen=True):
    v: int
    name: str
    until: datetime
    cost: int
    salt: bytes
    nonce: bytes


def write_sealed(path: Path, plain: bytes, *, passphrase: str, name: str, until: datetime) -> None:
    """Writes the file whole or not at all. Refusals: passphrase_short."""
    demand_passphrase(passphrase)
    head = Head(1, name, until, COST, os.urandom(16), os.urandom(12))
    line = msgspec.json.encode(head) + b"\n"
    sealed = AESGCM(_key(passphrase, head)).encrypt(head.nonce, zlib.compress(plain, 6), MAGIC + line)
    write_file(path, MAGIC + line + sealed)
    path.chmod(0o600)


def demand_passphrase(passphrase: str) -> None:
    if len(passphrase) < SHORTEST:
        raise Refusal("passphrase_short", least=SHORTEST)


def read_sealed(path: Path, *, passphrase: str, at: datetime) -> bytes:
    """The plain content. Refusals: file_missing, bundle_unreadable, bundle_expired, bundle_locked."""
    head, line, sealed = _parts(path)
    if head.until <= at:
        raise Refusal("bundle_expired", until=head.until.isoformat(timespec="minutes"))
    try:
        packed = AESGCM(_key(passphrase, head)).decrypt(head.nonce, sealed, MAGIC + line)
    except InvalidTag:
        raise Refusal("bundle_locked", path=path.name) from None
    opened = zlib.decompressobj()
    plain = opened.decompress(packed, MOST_PLAIN)
    if not opened.eof:
        raise Refusal("bundle_unreadable", path=path.name)
    return plain


def _parts(path: Path) -> tuple[Head, bytes, bytes]:
    if not path.is_file():
        raise Refusal("file_missing", path=str(path))
    if path.stat().st_size > MOST_BYTES:
        raise Refusal("bundle_unreadable", path=path.name)
    content = path.read_bytes()
    end = content.find(b"\n", len(MAGIC), len(MAGIC) + _HEAD_BYTES) + 1
    if not content.startswith(MAGIC) or not end:
        raise Refusal("bundle_unreadable", path=path.name)
    line = content[len(MAGIC) : end]
    try:
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise Refusal("bundle_unreadable", path=path.name) from None
    sound = head.v == 1 and head.until.tzinfo is not None and len(head.nonce) == 12
    # The cost is read before anything is proven: a crafted file must not take the memory.
    if not sound or head.cost & (head.cost - 1) or not 2 <= head.cost <= MOST_COST:
        raise Refusal("bundle_unreadable", path=path.name)
    return head, line, content[end:]


def _key(passphrase: str, head: Head) -> bytes:
    return Scrypt(salt=head.salt, length=32, n=head.cost, r=8, p=1).derive(passphrase.encode())
