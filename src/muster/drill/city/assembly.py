# SPDX-License-Identifier: Apache-2.0
"""Drafts in metres become value objects in degrees, and the marks of the list become `listed` and `Truth`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import shapely

from muster.drill.city.draws import Draws
from muster.drill.city.footprints import Filled, Footprint, middle
from muster.drill.city.lattice import CellGround
from muster.drill.city.model import (
    Area,
    Building,
    Community,
    Compound,
    Dwelling,
    Facility,
    Gate,
    Ground,
    HardLine,
    Household,
    Line,
    Move,
    Person,
    Point,
    Road,
    Truth,
)
from muster.drill.city.persons import PersonMaker, Register
from muster.drill.city.plan import CommunityPlan
from muster.drill.city.plane import Plane
from muster.drill.city.residents import Group, Home
from muster.drill.city.scenario import BlockKind, Scenario


class Assembly:
    """Collects the value objects of one community."""

    def __init__(
        self,
        scenario: Scenario,
        plane: Plane,
        plan: CommunityPlan,
        next_code: str | None,
        previous_code: str | None,
    ) -> None:
        self._scenario = scenario
        self._plane = plane
        self._plan = plan
        self._next_code = next_code
        self._previous_code = previous_code
        self._zones: dict[str, float] = scenario.table.get("zones", {})
        self._river: Any = None
        self._outline: tuple[Line, ...] = ()
        self._roads: list[Road] = []
        self._hard_lines: list[HardLine] = []
        self._grounds: list[Ground] = []
        self._compounds: list[Compound] = []
        self._facilities: list[Facility] = []
        self._buildings: list[Building] = []
        self._dwellings: list[Dwelling] = []
        self._households: list[Household] = []
        self._persons: list[Person] = []
        self._unlisted_doors: list[str] = []
        self._vacant_listed: list[str] = []
        self._moves: list[Move] = []
        self._elsewhere: list[tuple[str, str]] = []

    def place(self, ground: CellGround, sites: Sequence[Filled], kinds: Sequence[BlockKind]) -> None:
        """The ground and what stands on it."""
        if self._zones and ground.rivers:
            self._river = shapely.union_all([shapely.LineString(r) for r in ground.rivers])
        self._outline = tuple(self._ring(ring) for ring in ground.outlines)
        self._roads += [Road(s.name, s.klass, self._plane.line(s.points)) for s in ground.streets]
        for filled, kind in zip(sites, kinds, strict=True):
            homes = any(f.kind != "shop_house" for f in filled.footprints)
            compound = self._compound(filled, kind) if kind.compound and homes else None
            self._roads += [
                Road(lane.name or filled.name, lane.klass, self._plane.line(lane.points))
                for lane in filled.lanes
            ]
            self._hard_lines += [HardLine("wall", self._plane.line(wall)) for wall in filled.walls]
            if kind.ground:
                self._open_ground(filled, kind)
            self._grounds += [Ground(what, "", self._ring(ring)) for what, ring in filled.open_rings]
            for footprint in filled.footprints:
                self._building(footprint, filled, compound)

    def _ring(self, points: Sequence[Point]) -> Line:
        return self._plane.line([*points, points[0]])

    def _compound(self, filled: Filled, kind: BlockKind) -> Compound:
        gates = tuple(Gate(g.kind, *self._plane.degrees(*g.point), g.street) for g in filled.gates)
        compound = Compound(
            key=f"{self._plan.code}-c{len(self._compounds) + 1:02d}",
            name=filled.name,
            kind=kind.compound,
            community_code=self._plan.code,
            street=filled.street,
            number=filled.number,
            polygon=self._ring(filled.own_ring or filled.block.ring),
            walled=kind.walled,
            gates=gates,
        )
        self._compounds.append(compound)
        return compound

    def _open_ground(self, filled: Filled, kind: BlockKind) -> None:
        ring = self._ring(filled.block.ring)
        self._grounds.append(Ground(kind.ground, filled.name, ring))
        if not kind.building:
            self._halls(filled, kind)

    def _halls(self, filled: Filled, kind: BlockKind) -> None:
        """The first hall is the place itself, the last one of the first ground the community's own office."""
        if not filled.halls:
            return
        self._facility(kind.ground, filled.name, filled.halls[0])
        office = self._scenario.table["facilities"].get("community_centre")
        others = filled.halls[1:]
        if office and others and not any(f.kind == "community_centre" for f in self._facilities):
            self._facility("community_centre", str(office).format(place=self._plan.name), others.pop())
        self._grounds += [Ground("hall", "", self._ring(hall)) for hall in others]

    def _facility(self, kind: str, name: str, corners: Sequence[Point]) -> None:
        lon, lat = self._plane.degrees(*middle(list(corners)))
        key = f"{self._plan.code}-f{len(self._facilities) + 1:02d}"
        self._facilities.append(Facility(key, self._plan.code, kind, name, self._ring(corners), lon, lat))

    def _building(self, footprint: Footprint, filled: Filled, compound: Compound | None) -> None:
        lon, lat = self._plane.degrees(*middle(footprint.corners))
        self._buildings.append(
            Building(
                key=f"{self._plan.code}-b{len(self._buildings) + 1:04d}",
                compound_key=compound.key if compound and footprint.kind != "shop_house" else None,
                community_code=self._plan.code,
                street=footprint.street or filled.street,
                number=footprint.number,
                kind=footprint.kind,
                floors=footprint.floors,
                units=footprint.units,
                polygon=self._ring(footprint.corners),
                lon=lon,
                lat=lat,
                access=self._plane.degrees(*footprint.access),
                zone=self._zone(middle(footprint.corners)),
            )
        )

    def _zone(self, spot: Point) -> str | None:
        """The innermost zone around the river in which a building stands."""
        if self._river is None:
            return None
        away = self._river.distance(shapely.Point(spot))
        return next((zone for zone, reach in self._zones.items() if away <= reach), None)

    def settle(self, homes: Sequence[Home], maker: PersonMaker, register: Register, draws: Draws) -> None:
        """The doors and who lives behind them."""
        keys = [f"{self._plan.code}-d{k + 1:05d}" for k in range(len(homes))]
        for key, home in zip(keys, homes, strict=True):
            self._dwelling(key, home)
            for group in home.groups:
                household = f"{self._plan.code}-h{len(self._households) + 1:05d}"
                self._households.append(Household(household, key, group.kind, group.listed))
                persons = maker.household(household, f"{self._plan.code}-p", group, register, draws)
                self._persons += persons
                self._mark_moves(group, persons, keys)

    def _dwelling(self, key: str, home: Home) -> None:
        door = home.door
        occupied, listed_occupied = home.occupied, home.listed_occupied
        self._dwellings.append(
            Dwelling(
                key=key,
                building_key=self._buildings[home.building].key,
                unit=door.unit,
                floor=door.floor,
                room=door.room,
                address_text=door.address,
                kind=door.kind,
                occupied_truth=occupied,
                listed=home.door_listed,
                listed_occupied=listed_occupied,
            )
        )
        if not home.door_listed:
            self._unlisted_doors.append(key)
        if listed_occupied and not occupied:
            self._vacant_listed.append(key)

    def _mark_moves(self, group: Group, persons: Sequence[Person], keys: Sequence[str]) -> None:
        if group.traveller is not None:
            first, _ = group.traveller
            if first == self._plan.index:
                self._moves.append(Move(persons[0].key, to_community=self._next_code))
            elif self._previous_code is not None:
                self._elsewhere.append((persons[0].key, self._previous_code))
            return
        to = keys[group.to_home] if group.to_home is not None else None
        for k, person in enumerate(persons):
            if k in group.away_members:
                continue
            if group.gone or group.to_home is not None:
                self._moves.append(Move(person.key, to_dwelling=to))
            elif k in group.gone_members:
                self._moves.append(Move(person.key))

    def community(self) -> Community:
        plan = self._plan
        levels = self._scenario.table["areas"]["levels"]
        return Community(
            index=plan.index,
            area=Area(
                plan.code,
                plan.parent_code,
                len(levels) - 1,
                levels[-1],
                plan.name,
                plan.name_en,
                self._outline,
            ),
            roads=tuple(self._roads),
            hard_lines=tuple(self._hard_lines),
            grounds=tuple(self._grounds),
            compounds=tuple(self._compounds),
            facilities=tuple(self._facilities),
            buildings=tuple(self._buildings),
            dwellings=tuple(self._dwellings),
            households=tuple(self._households),
            persons=tuple(self._persons),
            truth=Truth(
                unlisted_persons=tuple(p.key for p in self._persons if not p.listed),
                unlisted_dwellings=tuple(self._unlisted_doors),
                moves=tuple(self._moves),
                vacant_listed=tuple(self._vacant_listed),
                elsewhere_listed=tuple(self._elsewhere),
            ),
        )
