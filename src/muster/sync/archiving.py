# SPDX-License-Identifier: Apache-2.0
"""Archiving: segments of the journal that were folded long ago are moved away, sealed, and one day deleted.

Nouns: rest (how long ago fold must have passed a segment: a backup copies the main database first and the
journal after it, and must find there whatever its copy of the ledger does not hold yet), seal (the signed
word of this instance on a segment's bytes, in a file beside it).
"""

from __future__ import annotations

import hashlib
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from muster.base.crypto import SigningKey, TrustedKey, verify
from muster.base.crypto.signing import b64url, unb64url
from muster.intake.durable import write_file
from muster.intake.journal import JournalReader

REST = timedelta(hours=6)
EACH = timedelta(minutes=10)
KEPT = timedelta(days=180)
ARCHIVE = Path("archive") / "journal"
_SEAL = ".seal"


class Seal(msgspec.Struct, frozen=True):
    v: int
    segment: str
    sha256: str
    sealed_at: datetime
    instance: uuid.UUID
    kid: str
    signature: str


class Archivist:
    """Looks after one journal. It remembers where fold stood; after a restart the rest begins anew."""

    def __init__(
        self,
        reader: JournalReader,
        folder: Path,
        *,
        positions: Callable[[], dict[int, int]],
        key: Callable[[], SigningKey],
        rest: timedelta = REST,
    ) -> None:
        self._reader, self._folder = reader, folder
        self._positions, self._key, self._rest = positions, key, rest
        self._seen: deque[tuple[datetime, Mapping[int, int]]] = deque()

    def look_after(self, *, at: datetime) -> list[Path]:
        """Every ten minutes: archive what was folded long enough ago, delete what was kept long enough."""
        if self._seen and at - self._seen[-1][0] < EACH:
            return []
        self._seen.append((at, self._positions()))
        while len(self._seen) > 1 and self._seen[1][0] <= at - self._rest:
            self._seen.popleft()
        then, positions = self._seen[0]
        moved = self._reader.archive(positions, self._folder) if then <= at - self._rest else []
        for path in unsealed(self._folder):
            seal_segment(path, self._folder, key=self._key(), at=at)
        prune_archive(self._folder, before=at - KEPT)
        return moved


def unsealed(folder: Path) -> list[Path]:
    return [path for path in _segments(folder) if not _seal_path(path).exists()]


def seal_segment(path: Path, folder: Path, *, key: SigningKey, at: datetime) -> Seal:
    segment, digest = str(path.relative_to(folder)), _digest(path)
    signature = b64url(key.sign(_signed(segment, digest, at)))
    seal = Seal(1, segment, digest, at, key.instance, key.kid, signature)
    write_file(_seal_path(path), msgspec.json.encode(seal))
    return seal


def prune_archive(folder: Path, *, before: datetime) -> int:
    """Delete sealed segments older than that; return how many."""
    gone = 0
    for path in _segments(folder):
        seal = _seal_of(path)
        if seal is not None and seal.sealed_at < before:
            path.unlink()
            _seal_path(path).unlink()
            gone += 1
    return gone


def archive_faults(folder: Path, *, trusted: list[TrustedKey]) -> Iterator[tuple[str, str]]:
    """(segment, what is wrong) for every segment that is not what its seal says."""
    keys: dict[str, dict[str, Any]] = {key.kid: dict(key.jwk) for key in trusted}
    for path in _segments(folder):
        name, seal = str(path.relative_to(folder)), _seal_of(path)
        if not _seal_path(path).exists():
            continue  # moved this very minute; the next look seals it
        if seal is None or seal.segment != name:
            yield name, "its seal cannot be read or is another's"
        elif seal.sha256 != _digest(path):
            yield name, "its bytes are not those that were sealed"
        elif seal.kid not in keys or not _holds(seal, keys[seal.kid]):
            yield name, "no trusted key signed its seal"


def _holds(seal: Seal, jwk: Mapping[str, Any]) -> bool:
    try:
        signature = unb64url(seal.signature)
    except ValueError:
        return False
    return verify("Ed25519", jwk, _signed(seal.segment, seal.sha256, seal.sealed_at), signature)


def _signed(segment: str, digest: str, at: datetime) -> bytes:
    return f"muster-journal-seal-v1\n{segment}\n{digest}\n{at.isoformat()}".encode()


def _seal_of(path: Path) -> Seal | None:
    try:
        return msgspec.json.decode(_seal_path(path).read_bytes(), type=Seal)
    except (OSError, msgspec.MsgspecError):
        return None


def _seal_path(path: Path) -> Path:
    return path.with_name(path.name + _SEAL)


def _segments(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.sqlite3")) if folder.is_dir() else []


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
