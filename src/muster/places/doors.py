# SPDX-License-Identifier: Apache-2.0
"""A door as a reading of its address, and the floor that a room number implies."""

from __future__ import annotations

import re

import msgspec

from muster.places.writing import fold


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """One door. `place` is a compound or whatever stands before the building; `floor` may be inferred."""

    place: str = ""
    building: str = ""
    unit: str = ""
    floor: int | None = None
    room: str = ""

    @property
    def key(self) -> str:
        """What two writings of one door share. The floor counts only where the room does not say it."""
        floor = "" if self.floor is None or floor_of(self.room) is not None else str(self.floor)
        return f"{self.place}|{self.building}|{self.unit}|{floor}|{self.room}".lower()


def floor_of(room: str) -> int | None:
    """Return the floor that a room number implies: 501 → 5, 1203 → 12, 11203 → 12, B101 → -1; None if none.

    Of five figures the first is the stairwell, as some cities number their rooms.
    """
    room = fold(room).upper()
    if below := re.match(r"B([0-9])[0-9]{2}(?![0-9])", room):
        return -int(below[1]) or None
    figures = re.match(r"[0-9]+", room)
    if figures is None or not 3 <= len(figures[0]) <= 5:
        return None
    digits = figures[0][1:] if len(figures[0]) == 5 else figures[0]
    return int(digits[:-2]) or None
