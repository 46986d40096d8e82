# SPDX-License-Identifier: Apache-2.0
"""Doors of lines: finds them for a whole chunk at once, and makes those that are missing where that was
asked for.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from muster.base.errors import Refusal
from muster.places.doors import floor_of
from muster.places.models import Dwelling
from muster.places.queries import DoorPlace
from muster.register.importing.building_shelves import KnownBuilding
from muster.register.importing.door_keys import room_key, unit_key
from muster.register.importing.finding import DoorWords, door_in_one
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job
from muster.register.importing.rows import CheckedRow, Problem, Verdict

_FIELD_OF = {
    "import_area_unknown": "area",
    "import_area_ambiguous": "area",
    "address_unreadable": "address",
    "import_door_unknown": "room",
    "import_door_ambiguous": "room",
}


@dataclass(slots=True)
class FoundDoor:
    """place: the door. new: it is not there yet and will be made with these words. path: of its area."""

    place: DoorPlace
    path: str
    new: DoorWords | None = None
    building: KnownBuilding | None = None

    @property
    def key(self) -> str:
        return str(self.place.id)


def find_doors(rows: Sequence[CheckedRow], job: Job) -> dict[int, FoundDoor]:
    """line number -> door. A line whose door cannot be found is refused with what would tell."""
    buildings: dict[int, tuple[KnownBuilding, DoorWords]] = {}
    lost: dict[int, Refusal] = {}
    for row in rows:
        try:
            buildings[row.number] = job.places.building_of(row.values)
        except Refusal as refusal:
            lost[row.number] = refusal
    job.places.load_doors(building.id for building, _ in buildings.values())
    found: dict[int, FoundDoor] = {}
    for number, (building, words) in buildings.items():
        try:
            found[number] = FoundDoor(job.places.door(building, words), building.path, building=building)
        except Refusal as refusal:
            lost[number] = refusal
    by_number = {row.number: row for row in rows}
    shown = doors_as_shown([by_number[number] for number in lost], job)
    for number, why in lost.items():
        if number in shown:
            found[number] = FoundDoor(*shown[number])
        elif why.code == "import_door_unknown" and job.create_doors and buildings[number][1].room:
            found[number] = _new_door(*buildings[number], job)
        else:
            refuse_place(by_number[number], why)
    return found


def doors_as_shown(rows: Sequence[CheckedRow], job: Job) -> dict[int, tuple[DoorPlace, str]]:
    """line -> door and path, for lines that give the door as one text, just as the register shows it."""
    said: dict[int, tuple[str, str]] = {}
    for row in rows:
        text = door_in_one(row.values)
        if not text:
            continue
        try:
            area = job.places.area(row.values["area"]) if "area" in row.values else None
        except Refusal:
            continue
        said[row.number] = (text, area.path if area is not None else "")
    return job.places.doors_shown_as(said) if said else {}


def refuse_place(row: CheckedRow, refusal: Refusal) -> None:
    field = _FIELD_OF.get(refusal.code, "building")
    if field not in row.values:
        field = next((key for key in ("building", "address") if key in row.values), "building")
    row.problems.append(Problem.of(field, refusal))
    row.verdict = Verdict.BAD


def _new_door(building: KnownBuilding, words: DoorWords, job: Job) -> FoundDoor:
    id_ = new_door_id(job.batch, building.id, words)
    place = DoorPlace(id_, building.sub_district, building.grid, building.id)
    return FoundDoor(place, building.path, new=words, building=building)


def new_door_id(batch: uuid.UUID, building: uuid.UUID, words: DoorWords) -> uuid.UUID:
    return imported_id(batch, "dwelling", building, unit_key(words.unit), room_key(words.room))


def compose_missing_door(composition: Composition, row: CheckedRow, door: FoundDoor, job: Job) -> None:
    """The door of this line, once, if it is not there yet."""
    if door.new is None or door.building is None:
        return
    if any(known.id == door.place.id for known in composition.added.get(Dwelling, [])):
        return
    made = new_dwelling(door.place.id, door.building, door.new, job, address=row.values.get("address", ""))
    composition.add(made, entity="dwelling", line=row.number)


def new_dwelling(
    id_: uuid.UUID,
    building: KnownBuilding,
    words: DoorWords,
    job: Job,
    *,
    floor: int | None = None,
    kind: str = "",
    address: str = "",
    label: str = "",
) -> Dwelling:
    unit, room = unit_key(words.unit).upper()[:12], room_key(words.room).upper()[:24]
    floor = floor_of(room) if floor is None else floor
    return Dwelling(
        id=id_,
        sub_district=building.sub_district,
        grid=building.grid,
        building_id=building.id,
        unit=unit,
        floor=floor,
        room=room,
        label=label[:80] or door_label(building.house.said, unit, room, job),
        purpose=job.purpose,
        address=address or None,
        kind=kind,
        walk_order=_walk_order(unit, floor, room),
    )


def door_label(building: str, unit: str, room: str, job: Job) -> str:
    """How the pack says this door: a bare number is a building, all else a house by its own name."""
    pack = job.setting.pack
    said = {"building": building} if building.isdigit() else {"house": building}
    return pack.dwelling_label(pack.language, **said, unit=unit, room=room)[:80]


def _walk_order(unit: str, floor: int | None, room: str) -> int:
    """Stairwell by stairwell, floor by floor, door by door."""
    last = re.search(r"[0-9]{1,2}(?=[^0-9]*$)", room)
    return (int(unit) if unit.isdigit() else 0) * 100_000 + (floor or 0) * 100 + (int(last[0]) if last else 0)
