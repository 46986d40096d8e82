# SPDX-License-Identifier: Apache-2.0
"""Notebook: what the phones of a grid know of it, kept up from their pulls and from their own records."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SETTLED = frozenset({"DONE", "EXPLAINED"})
ANSWERED = frozenset({"SEEN", "VACANT"})


@dataclass(frozen=True, slots=True)
class Place:
    """A building as the phone shows it."""

    order: int
    name: str
    floors: int
    lon: float | None
    lat: float | None


@dataclass(slots=True)
class Door:
    """A door as the phone shows it, with its state in the round."""

    id: str
    sub_district: int
    building: str
    unit: str
    floor: int
    order: int
    label: str
    state: str = "UNSEEN"

    def subject(self, **named: str) -> dict[str, Any]:
        """Whom a fact recorded here is about; the door itself when nobody is named."""
        return {"sub_district": self.sub_district, **(named or {"dwelling": self.id})}


@dataclass(slots=True)
class Notebook:
    """unit: what the round counts. entries: class of each unit of the round; homes: person -> door."""

    round: str
    unit: str
    buildings: dict[str, Place] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)
    homes: dict[str, str] = field(default_factory=dict)
    _at_door: dict[str, set[str]] = field(default_factory=dict)

    def take(self, told: Mapping[str, Any]) -> None:
        """A pull: rows that are newer than what is known, and what to forget."""
        for b in told["buildings"]:
            self.buildings[b["id"]] = Place(b["order"], b["name"], b["floors"] or 1, b["lon"], b["lat"])
        for d in told["doors"]:
            state = d["states"].get(self.round, {}).get("state", "UNSEEN")
            self.doors[d["id"]] = Door(
                d["id"],
                d["sub_district"],
                d["building"],
                d["unit"],
                d["floor"] or 0,
                d["order"],
                d["label"],
                state,
            )
        for p in told["persons"]:
            if p["lives_here"]:
                self.settle(p["id"], p["dwelling"])
        for e in told["entries"]:
            if e["round"] == self.round:
                self.entries[e["subject"]] = e["cls"]
        for gone in told["gone"]:
            if gone["type"] == "person":
                self.forget(gone["id"])
            elif gone["type"] == "door":
                self.doors.pop(gone["id"], None)

    def settle(self, person: str, door: str) -> None:
        self.forget(person)
        self.homes[person] = door
        self._at_door.setdefault(door, set()).add(person)

    def forget(self, person: str) -> None:
        old = self.homes.pop(person, None)
        if old is not None:
            self._at_door[old].discard(person)

    def people(self, door: str) -> list[str]:
        """Who lives behind a door by all that is known, in a fixed order."""
        return sorted(self._at_door.get(door, ()))

    def units(self, door: str) -> list[str]:
        """The units of the round behind a door, whatever became of them."""
        if self.unit == "dwelling":
            return [door] if door in self.entries else []
        return [p for p in self.people(door) if p in self.entries]

    def open_units(self, door: str) -> list[str]:
        return [u for u in self.units(door) if self.entries[u] not in SETTLED]

    def is_done(self, door: str) -> bool:
        """Nobody need go there any more."""
        known = self.doors.get(door)
        if known is None or self.open_units(door):
            return known is None
        return bool(self.units(door)) or known.state in ANSWERED

    def note(self, door: Door, state: str) -> None:
        """An answer at a door is not forgotten for a later silence."""
        if state != "NO_ANSWER" or door.state == "UNSEEN":
            door.state = state

    def walking_order(self) -> list[str]:
        """Building by building along the walk, and in each from the entrance up."""

        def place(door: Door) -> tuple[int, str, str, int, int, str]:
            known = self.buildings.get(door.building)
            order, name = (known.order, known.name) if known else (0, "")
            return order, name, door.building, door.floor, door.order, door.id

        return [d.id for d in sorted(self.doors.values(), key=place)]
