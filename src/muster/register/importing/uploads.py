# SPDX-License-Identifier: Apache-2.0
"""The uploaded file between two processes: sealed on disk, and gone once its lines are read."""

from __future__ import annotations

import uuid
from pathlib import Path

from django.conf import settings

from muster.base.crypto import seal_bytes, unseal_bytes
from muster.base.errors import Refusal
from muster.register.import_models import ImportBatch
from muster.storage.keys import keystore


def keep_upload(batch: ImportBatch, raw: bytes) -> None:
    path = _path(batch.id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = keystore().data_key(purpose=batch.purpose, sub_district=0, klass="identity")
    path.touch(mode=0o600)
    path.write_bytes(seal_bytes(key, raw, context=_context(batch.id)))


def read_upload(batch: ImportBatch) -> bytes:
    """Raises Refusal("import_not_ready") when the file is gone."""
    try:
        sealed = _path(batch.id).read_bytes()
    except FileNotFoundError:
        raise Refusal("import_not_ready") from None
    return unseal_bytes(keystore(), sealed, context=_context(batch.id))


def forget_upload(batch: ImportBatch) -> None:
    _path(batch.id).unlink(missing_ok=True)


def _path(batch_id: uuid.UUID) -> Path:
    return Path(settings.ENVIRONMENT.data) / "imports" / f"{batch_id}.sealed"


def _context(batch_id: uuid.UUID) -> bytes:
    return f"upload|{batch_id}".encode()
