# SPDX-License-Identifier: Apache-2.0
"""What a journal holds, and the two sides of it: appending (intake) and reading (fold)."""

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

import msgspec

from muster.base.crypto import DataKey, KeyDestroyed, Keystore, SealBroken, seal_bytes, unseal_bytes
from muster.base.errors import Refusal

KLASS = "journal"
READ_BYTES = 32 << 20


class Entry(msgspec.Struct, frozen=True):
    """A batch as it came in: what the front door saw of it, and its exact (uncompressed) bytes."""

    received_at: datetime
    device: uuid.UUID
    batch: uuid.UUID
    incident: uuid.UUID
    lease: str
    alg: str
    signature: bytes
    sha256: bytes
    body: bytes


class SealedRow(msgspec.Struct, frozen=True):
    """A row as it lies in a store."""

    writer: int
    n: int
    received_at: datetime
    device: uuid.UUID
    batch: uuid.UUID
    incident: uuid.UUID
    lease: str
    alg: str
    signature: bytes
    sha256: bytes
    sealed: bytes


class JournalRow(msgspec.Struct, frozen=True):
    """A row as fold reads it.

    `body` is None when it cannot be opened; `fault` says why (key_destroyed, seal_broken).
    """

    writer: int
    n: int
    received_at: datetime
    device: uuid.UUID
    batch: uuid.UUID
    incident: uuid.UUID
    lease: str
    alg: str
    signature: bytes
    sha256: bytes
    body: bytes | None
    fault: str | None = None


class JournalUnavailable(Refusal):
    """Nothing was journaled: journal_full (no room on the disk) or journal_failed. Come back later."""


class Journal(Protocol):
    writer: int

    def append(self, entries: Sequence[Entry]) -> list[int | Refusal]:
        """Make the entries durable in one commit; return each one's n, or the refusal that concerns it alone.

        JournalUnavailable when the commit failed: none of them counts as journaled.
        """

    def close(self) -> None: ...


class JournalReader(Protocol):
    def writers(self) -> list[int]: ...

    def heads(self) -> dict[int, int]:
        """Return the last n of each writer."""

    def read_after(
        self, positions: Mapping[int, int], limit: int, *, most_bytes: int = READ_BYTES
    ) -> list[JournalRow]:
        """Return rows behind the positions, in order within each writer, every writer having its share."""

    def archive(self, positions: Mapping[int, int], into: Path) -> list[Path]:
        """Move what is closed and wholly at or below the positions into a folder, readable there, too."""

    def prune(self, positions: Mapping[int, int]) -> int:
        """Delete what `archive` would move; return how many rows went."""

    def close(self) -> None: ...


def journal_purpose(incident: uuid.UUID) -> str:
    """Return the purpose under which an incident's journal is sealed, and can be destroyed."""
    return f"journal:{incident}"


def journal_key(keystore: Keystore, incident: uuid.UUID) -> DataKey:
    return keystore.data_key(purpose=journal_purpose(incident), sub_district=0, klass=KLASS)


def seal_entry(key: DataKey, entry: Entry, *, writer: int, n: int) -> SealedRow:
    """Seal an entry for its place, with its incident's key."""
    sealed = seal_bytes(key, entry.body, context=_context(writer, n))
    return SealedRow(
        writer,
        n,
        entry.received_at,
        entry.device,
        entry.batch,
        entry.incident,
        entry.lease,
        entry.alg,
        entry.signature,
        entry.sha256,
        sealed,
    )


def open_row(keystore: Keystore, row: SealedRow) -> JournalRow:
    """Open a row; one that cannot be opened still comes out, so that it never blocks those behind it."""
    body, fault = None, None
    try:
        body = unseal_bytes(keystore, row.sealed, context=_context(row.writer, row.n))
    except (KeyDestroyed, SealBroken) as refusal:
        fault = refusal.code
    return JournalRow(
        row.writer,
        row.n,
        row.received_at,
        row.device,
        row.batch,
        row.incident,
        row.lease,
        row.alg,
        row.signature,
        row.sha256,
        body,
        fault,
    )


def seal_all(
    keystore: Keystore, entries: Sequence[Entry], *, writer: int, first: int
) -> tuple[list[SealedRow], list[int | Refusal]]:
    """Seal entries for consecutive places; one that is refused leaves no gap.

    Keys are asked for once per group: a key destroyed elsewhere is gone for the next group.
    """
    rows: list[SealedRow] = []
    answers: list[int | Refusal] = []
    keys = {
        incident: _key_or_tombstone(keystore, incident) for incident in {entry.incident for entry in entries}
    }
    for entry in entries:
        n = first + len(rows)
        key = keys[entry.incident]
        if isinstance(key, DataKey):
            rows.append(seal_entry(key, entry, writer=writer, n=n))
            answers.append(n)
        else:
            answers.append(Refusal("incident_destroyed", **key.facts))
    return rows, answers


def _key_or_tombstone(keystore: Keystore, incident: uuid.UUID) -> DataKey | KeyDestroyed:
    try:
        return journal_key(keystore, incident)
    except KeyDestroyed as destroyed:
        return destroyed


def within(rows: Iterable[SealedRow], most_bytes: int) -> list[SealedRow]:
    """Take rows while they fit; the first one always."""
    kept: list[SealedRow] = []
    size = 0
    for row in rows:
        size += len(row.sealed)
        if kept and size > most_bytes:
            break
        kept.append(row)
    return kept


def share_out(
    writers: Sequence[int],
    limit: int,
    most_bytes: int,
    read: Callable[[int, int, int], list[SealedRow]],
) -> list[SealedRow]:
    """Read (writer, limit, bytes) in turn. What one writer leaves, the next may use: none starves another."""
    found: list[SealedRow] = []
    for left, writer in zip(range(len(writers), 0, -1), writers, strict=True):
        rows_left, bytes_left = limit - len(found), most_bytes - sum(len(row.sealed) for row in found)
        if rows_left > 0:
            found += read(writer, -(-rows_left // left), max(bytes_left // left, 1))
    return found


def _context(writer: int, n: int) -> bytes:
    return b"journal|body|%d:%d" % (writer, n)
