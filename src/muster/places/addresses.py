# SPDX-License-Identifier: Apache-2.0
"""Doors as people write them, in the pack's form: `cn` (3号楼2单元501) or `street` (Flat 2, 12 Mill Lane).

Two writings of one door give the same `Door.key`. What cannot be read with certainty is not read at all.
Vectors: tests/vectors/addresses.json.
"""

from __future__ import annotations

from collections.abc import Callable

from muster.places import chinese_addresses, street_addresses
from muster.places.doors import Door, floor_of
from muster.places.writing import is_blank

VERSION = 1
LONGEST = 200
FORMS: dict[str, Callable[[str], Door | None]] = {
    "cn": chinese_addresses.read,
    "street": street_addresses.read,
}

__all__ = ["FORMS", "LONGEST", "VERSION", "Door", "floor_of", "read_door"]


def read_door(raw: str | None, *, form: str = "cn") -> Door | None:
    """Return the door, or None when the text is blank or cannot be read with certainty."""
    if raw is None or len(raw) > LONGEST or is_blank(raw):
        return None
    return FORMS[form](raw)
