# SPDX-License-Identifier: Apache-2.0
"""A scenario: a city as data, read from muster/drill/scenarios/NAME.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache, cached_property
from importlib import resources
from typing import Any, Protocol

from muster.base.errors import Refusal
from muster.drill.city.draws import Table
from muster.drill.city.plane import Plane

SCENARIOS = "muster.drill.scenarios"


class StreetNames(Protocol):
    """Who names the streets of a made-up city."""

    def column(self, line: int, klass: str) -> str: ...

    def row(self, line: int, klass: str) -> str: ...

    def inner(self, index: int, number: int) -> str: ...


@dataclass(frozen=True)
class LatticeStyle:
    column_m: tuple[float, float]
    row_m: tuple[float, float]
    bend: float
    turn: float
    river_after: int
    river_every: int
    river_m: float
    rail_after: int
    rail_every: int
    rail_m: float
    classes: tuple[str, ...]
    inner_class: str
    cuts_across: tuple[int, int]
    cuts_up: tuple[int, int]
    merge_share: float
    pavement_m: float


@dataclass(frozen=True)
class BlockKind:
    """How a kind of block is filled with buildings."""

    name: str
    filler: str
    share: float
    compound: str = ""
    walled: bool = False
    building: str = ""
    unit_m: float = 12.0
    units: tuple[int, int] = (1, 1)
    depth_m: float = 12.0
    gap_m: float = 18.0
    side_m: float = 8.0
    floors: tuple[int, int] = (1, 1)
    flats: int = 2
    whole: bool = False  # a unit is one home over all its floors
    shop_m: float = 0.0
    shop_depth_m: float = 0.0
    shop_floors: tuple[int, int] = (2, 3)
    house_m2: tuple[float, float] = (90.0, 180.0)
    rooms: tuple[int, int] = (2, 4)
    alley_m: tuple[float, ...] = (2.0, 3.0, 5.0)
    ground: str = ""
    halls: tuple[tuple[float, float, float, float], ...] = ()  # where in the ground (0 to 1), and metres
    oval: str = ""  # a pond or track on an open ground
    oval_share: float = 0.0
    setback_m: float = 3.0  # from the pavement to a house
    lot_m: float = 28.0  # how deep a lot is, pavement to back fence
    thin: bool = False  # leave out buildings all over the block, not from one end


@dataclass(frozen=True)
class Scenario:
    """One city as data. Sections that only one module reads stay plain tables."""

    name: str
    table: Mapping[str, Any]

    @property
    def language(self) -> str:
        return str(self.table["language"])

    @property
    def as_of(self) -> date:
        day = self.table["as_of"]
        assert isinstance(day, date)
        return day

    @cached_property
    def plane(self) -> Plane:
        return Plane(self.table["origin"]["lon"], self.table["origin"]["lat"])

    @cached_property
    def lattice(self) -> LatticeStyle:
        return LatticeStyle(**_tuples(self.table["lattice"]))

    @cached_property
    def blocks(self) -> dict[str, BlockKind]:
        return {name: BlockKind(name=name, **_tuples(row)) for name, row in self.table["blocks"].items()}

    @cached_property
    def profile_table(self) -> Table[str]:
        return Table(self.table["profiles"]["weights"])

    @cached_property
    def street_names(self) -> StreetNames:
        from muster.drill.city import place_names

        return place_names.street_names(self.name_pools)

    @cached_property
    def name_pools(self) -> Mapping[str, Any]:
        return load_table(str(self.table["names"]))

    def __hash__(self) -> int:
        return hash(self.name)


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}


@cache
def load_table(name: str) -> Mapping[str, Any]:
    """The plain table of one file of the scenarios folder."""
    path = resources.files(SCENARIOS) / f"{name}.toml"
    if not path.is_file():
        raise Refusal("drill.scenario_unknown", name=name, known=", ".join(known_scenarios()))
    return tomllib.loads(path.read_text("utf-8"))


@cache
def known_scenarios() -> tuple[str, ...]:
    names = [
        p.name.removesuffix(".toml") for p in resources.files(SCENARIOS).iterdir() if p.name.endswith(".toml")
    ]
    return tuple(sorted(n for n in names if not n.startswith("names_") and not n.endswith("_day")))


@cache
def load_scenario(name: str) -> Scenario:
    """Read one scenario by name."""
    if name not in known_scenarios():
        raise Refusal("drill.scenario_unknown", name=name, known=", ".join(known_scenarios()))
    return Scenario(name, load_table(name))
