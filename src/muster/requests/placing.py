# SPDX-License-Identifier: Apache-2.0
"""Where a request belongs: a door of the ledger by its id, or by what somebody wrote."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from muster.base.errors import Refusal
from muster.places.addresses import read_door
from muster.places.models import Dwelling
from muster.places.queries import grid as grid_with_id
from muster.places.states import DwellingStatus
from muster.places.writing import fold
from muster.requests.pasting import Message, door_in, read_messages
from muster.requests.services import Where
from muster.storage.scoping import Scope

MOST_DOORS = 5


def place_of_door(dwelling: uuid.UUID, *, scope: Scope) -> Where:
    """Raises Refusal("not_found") for a door out of scope."""
    rows = Dwelling.objects.within(scope).select_related("building")
    found: Dwelling | None = rows.filter(id=dwelling).first()
    if found is None:
        raise Refusal("not_found")
    return where_is(found)


def where_is(door: Dwelling) -> Where:
    building = door.building
    return Where(
        sub_district=door.sub_district, grid=door.grid, building=building.id, dwelling=door.id,
        lon=building.lon, lat=building.lat,
    )  # fmt: skip


def place_of_text(text: str, *, scope: Scope, form: str, grid: int | None = None) -> Where:
    """The door that a text names where exactly one fits, else the grid, else nowhere yet."""
    doors = doors_named(text, scope=scope, form=form, grid=grid)
    if len(doors) == 1:
        return where_is(doors[0])
    if grid is not None:
        row = grid_with_id(grid)
        return Where(sub_district=row.sub_district, grid=row.id, lon=row.lon, lat=row.lat)
    return Where()


def doors_named(text: str, *, scope: Scope, form: str, grid: int | None = None) -> list[Dwelling]:
    """Doors of the scope that fit what was written, at most a few; nothing is guessed between them."""
    wanted = read_door(text, form=form) or door_in(text, form=form)
    if wanted is None or not wanted.room:
        return []
    rows = Dwelling.objects.within(scope).filter(room__iexact=wanted.room, status=DwellingStatus.ACTIVE)
    if grid is not None:
        rows = rows.filter(grid=grid)
    fitting = []
    for row in rows.select_related("building", "building__compound")[:2000]:
        known = read_door(row.label, form=form)
        said_building = known.building if known else fold(row.building.name)
        if wanted.building and wanted.building.lower() != said_building.lower():
            continue
        if wanted.unit and row.unit and wanted.unit != row.unit:
            continue
        if wanted.place and not _place_fits(wanted.place, row):
            continue
        fitting.append(row)
    return fitting[:MOST_DOORS]


def _place_fits(said: str, row: Dwelling) -> bool:
    compound = row.building.compound
    names = [compound.name if compound else "", row.building.name, row.building.street]
    return any(name and (name in said or said in name) for name in names)


@dataclass(frozen=True, slots=True)
class Draft:
    """A pasted message that may become a request, with the doors that fit it."""

    message: Message
    doors: Sequence[Dwelling]

    def to_json(self) -> dict[str, Any]:
        said = self.message
        return {
            "who": said.who, "text": said.text, "phone": said.phone, "place": said.door_text,
            "small_talk": said.is_small_talk,
            "doors": [{"id": d.id, "label": d.label, "grid": d.grid} for d in self.doors],
        }  # fmt: skip


def pasted_drafts(text: str, *, form: str, scope: Scope) -> list[Draft]:
    """Raises Refusal("request_empty") for a blank paste."""
    if not text.strip():
        raise Refusal("request_empty")
    return [
        Draft(message, doors_named(message.door_text, scope=scope, form=form) if message.door_text else [])
        for message in read_messages(text, form=form)
    ]
