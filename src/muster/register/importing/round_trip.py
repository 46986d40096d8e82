# SPDX-License-Identifier: Apache-2.0
"""Row ids of exported lists: which row a line came from, and what its cells said then.

A row id is `ID.FINGERPRINTS.SEAL.HOUSE`: three keyed bytes for each field as it was exported, and six over
the whole, so that an edited list can be laid over a register that went on changing, and an invented id is
seen. HOUSE tells which house wrote it: in another house the row is not known, and the line speaks for itself.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from muster.base.errors import Refusal
from muster.storage.keys import keystore

_PURPOSE = "round_trip"
_BYTES = 3
_SEAL_BYTES = 6
_HOUSE_BYTES = 6
_FROM_A_HOUSE = re.compile(r"[0-9A-Fa-f-]{1,36}\.[\w-]+\.[\w-]{8}\.[\w-]{8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RowId:
    """The id of the exported row and the fingerprint of each field as it was then."""

    id: str
    fingerprints: Mapping[str, bytes]

    def said(self, field: str, value: str, *, key: bytes) -> bool:
        """Whether the field was exported with this value."""
        return self.fingerprints.get(field) == _fingerprint(key, self.id, field, value)


@dataclass(frozen=True, slots=True)
class Merge:
    """changes: field -> (what the register says, what the list says). conflicts: changed here and there."""

    changes: dict[str, tuple[str, str]]
    conflicts: tuple[str, ...] = ()


def round_trip_key() -> bytes:
    return keystore().blind_key(purpose=_PURPOSE)


def write_row_id(row: str, fields: Sequence[str], values: Mapping[str, str], *, key: bytes) -> str:
    """Return the row id of an exported row."""
    marks = b"".join(_fingerprint(key, row, field, values.get(field, "")) for field in fields)
    said = f"{row}.{_text(marks)}"
    return f"{said}.{_seal(key, said)}.{_house(key)}"


def read_row_id(text: str, fields: Sequence[str], *, key: bytes) -> RowId | None:
    """Return what a row id says, None where another house wrote it.

    Raises Refusal import_row_id_bad for one that this house never wrote for such a list.
    """
    parts = text.split(".")
    if len(parts) == 4 and parts[3] != _house(key) and _FROM_A_HOUSE.fullmatch(text):
        return None
    if len(parts) != 4 or not hmac.compare_digest(parts[2], _seal(key, f"{parts[0]}.{parts[1]}")):
        raise Refusal("import_row_id_bad")
    try:
        marks = base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4))
    except (binascii.Error, ValueError):
        raise Refusal("import_row_id_bad") from None
    if len(marks) != _BYTES * len(fields):
        raise Refusal("import_row_id_bad")
    prints = {field: marks[at * _BYTES : (at + 1) * _BYTES] for at, field in enumerate(fields)}
    return RowId(parts[0], prints)


def merge(
    coming: Mapping[str, str],
    live: Mapping[str, str],
    fields: Sequence[str],
    *,
    base: RowId | None,
    key: bytes,
) -> Merge:
    """Lay the cells of a line over a row of the register.

    A blank cell changes nothing. With a base, a cell that still says what was exported changes nothing
    either; one that was edited, while the register went on to say a third thing, is a conflict.
    """
    changes: dict[str, tuple[str, str]] = {}
    conflicts = []
    for field in fields:
        new, old = coming.get(field, ""), live.get(field, "")
        if not new or new == old or (base is not None and base.said(field, new, key=key)):
            continue
        if base is not None and not base.said(field, old, key=key):
            conflicts.append(field)
            continue
        changes[field] = (old, new)
    return Merge(changes, tuple(conflicts))


def _fingerprint(key: bytes, row: str, field: str, value: str) -> bytes:
    return hmac.digest(key, f"{row}|{field}|{value}".encode(), "sha256")[:_BYTES]


@lru_cache(maxsize=4)
def _house(key: bytes) -> str:
    return _text(hmac.digest(key, b"house", "sha256")[:_HOUSE_BYTES])


def _seal(key: bytes, said: str) -> str:
    return _text(hmac.digest(key, said.encode(), "sha256")[:_SEAL_BYTES])


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
