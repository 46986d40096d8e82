# SPDX-License-Identifier: Apache-2.0
"""Marks: the code of a sheet, the mark of one of its lines, and the words a genuine helper knows.

A mark is `ABCD-EFGH.14.SEAL.HOUSE`: it names no one; the seal shows an invented or mangled one, HOUSE a line
of another house. What stood on the line is kept in the house, not in the mark.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import uuid
from collections.abc import Sequence
from datetime import datetime

from muster.base.codes import normalise_enrol_code
from muster.base.errors import Refusal
from muster.storage.keys import keystore

_PURPOSE = "sheet_marks"
_MARK = re.compile(r"([0-9A-Z]{4}-[0-9A-Z]{4})\.([0-9]{1,5})\.([\w-]{8})\.([\w-]{8})", re.ASCII)


def mark_key() -> bytes:
    return keystore().blind_key(purpose=_PURPOSE)


def write_mark(code: str, number: int, *, key: bytes) -> str:
    said = f"{code}.{number}"
    return f"{said}.{_short(key, said)}.{_short(key, 'house')}"


def read_mark(text: str, *, key: bytes) -> tuple[str, int]:
    """Sheet code and number of a line.

    Raises Refusal sheet_mark_bad (mangled or invented), sheet_mark_foreign (another house wrote it).
    """
    found = _MARK.fullmatch(text.strip())
    if found is None:
        raise Refusal("sheet_mark_bad")
    code, number, seal, house = found.groups()
    if house != _short(key, "house"):
        raise Refusal("sheet_mark_foreign")
    if not hmac.compare_digest(seal, _short(key, f"{code}.{number}")):
        raise Refusal("sheet_mark_bad")
    return code, int(number)


def read_code(text: str) -> str:
    """A sheet's code as it was typed or scanned, in its one spelling. Raises Refusal("sheet_unknown")."""
    said = text.strip().rstrip("/")
    if "/s/" in said:
        said = said.split("/s/", 1)[1].split("/", 1)[0]
    try:
        return normalise_enrol_code(said[:40])
    except Refusal:
        raise Refusal("sheet_unknown", code=text[:40]) from None


def password_of(dwelling: uuid.UUID, words: Sequence[str], *, key: bytes) -> str:
    """Two words that stand on a door's card and that a genuine helper knows; the same on every card of it."""
    told = hmac.digest(key, f"password|{dwelling}".encode(), "sha256")
    first, second = (int.from_bytes(told[at : at + 4], "big") % len(words) for at in (0, 4))
    return f"{words[first]} {words[second]}"


def steady_id(*parts: object, at: datetime) -> uuid.UUID:
    """The same id for the same parts, so that what comes back twice is known; the moment is the sheet's."""
    told = int.from_bytes(hashlib.sha256("|".join(map(str, parts)).encode()).digest()[:16], "big")
    moment = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    rest = told & ((1 << 80) - 1)
    rest = (rest & ~(0xF << 76)) | (7 << 76)
    rest = (rest & ~(0x3 << 62)) | (0x2 << 62)
    return uuid.UUID(int=(moment << 80) | rest)


def _short(key: bytes, said: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, said.encode(), "sha256")[:6]).decode()
