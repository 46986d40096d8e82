# SPDX-License-Identifier: Apache-2.0
"""Blobs: photos and papers behind facts, by hash: blobs/<incident>/<aa>/<sha256>, sealed like the journal.

Facts never wait for them: they have a small queue of their own, which shuts while the facts' queue fills up.
"""

import asyncio
import errno
import hashlib
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from muster.base.crypto import KeyDestroyed, Keystore, seal_bytes, unseal_bytes
from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.durable import write_file
from muster.intake.journal.rows import journal_purpose

KLASS = "blob"
_FOLDER = "blobs"
_NAME = re.compile(r"[0-9a-f]{64}\Z")


class BlobStore:
    def __init__(self, data: Path, keystore: Keystore) -> None:
        self._data = data
        self._keystore = keystore
        self._waiting = 0
        self._threads = ThreadPoolExecutor(limits.BLOBS_AT_ONCE, thread_name_prefix="blob")

    def admit(self, *, busy: float) -> None:
        """Refuse intake_busy before a byte is read: facts need the door (0 to 1), or enough blobs wait."""
        if busy > 0.5 or self._waiting >= limits.BLOBS_WAITING:
            raise Refusal("intake_busy")

    async def put(self, incident: uuid.UUID, sha256: str, body: bytes) -> None:
        """Store a blob durably. Refusals: blob_differs, incident_destroyed, journal_full, journal_failed."""
        self._waiting += 1
        try:
            await asyncio.get_running_loop().run_in_executor(
                self._threads, put_blob, self._data, self._keystore, incident, sha256, body
            )
        finally:
            self._waiting -= 1

    def close(self) -> None:
        self._threads.shutdown(wait=True)


def blob_name(text: str) -> str:
    if not _NAME.match(text):
        raise Refusal("blob_name_bad")
    return text


def blob_path(data: Path, incident: uuid.UUID, sha256: str) -> Path:
    return data / _FOLDER / str(incident) / sha256[:2] / blob_name(sha256)


def put_blob(data: Path, keystore: Keystore, incident: uuid.UUID, sha256: str, body: bytes) -> None:
    if hashlib.sha256(body).hexdigest() != sha256:
        raise Refusal("blob_differs")
    path = blob_path(data, incident, sha256)
    try:
        key = keystore.data_key(purpose=journal_purpose(incident), sub_district=0, klass=KLASS)
        if not path.exists():
            write_file(path, seal_bytes(key, body, context=_context(incident, sha256)))
    except KeyDestroyed as destroyed:
        raise Refusal("incident_destroyed", **destroyed.facts) from None
    except OSError as failure:
        full = failure.errno in (errno.ENOSPC, errno.EDQUOT)
        raise Refusal("journal_full" if full else "journal_failed", cause=str(failure)) from failure


def read_blob(data: Path, keystore: Keystore, incident: uuid.UUID, sha256: str) -> bytes | None:
    """Return a blob, or None while it has not come in. KeyDestroyed after the incident's end."""
    path = blob_path(data, incident, sha256)
    if not path.exists():
        return None
    return unseal_bytes(keystore, path.read_bytes(), context=_context(incident, sha256))


def _context(incident: uuid.UUID, sha256: str) -> bytes:
    return f"blob|body|{incident}:{sha256}".encode()
