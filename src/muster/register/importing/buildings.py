# SPDX-License-Identifier: Apache-2.0
"""Lists of buildings: where they stand, in which compound, and to which small grid they belong."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.base.errors import Refusal
from muster.places.models import Building, Compound, Grid
from muster.places.states import GridLevel, GridStatus
from muster.register.importing import forms
from muster.register.importing.datums import to_wgs84
from muster.register.importing.door_keys import plain_place
from muster.register.importing.finding import KnownArea
from muster.register.importing.form import ROW_ID
from muster.register.importing.houses import House, house_of
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.referring import referred_buildings
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import WITHOUT_GRID, CheckedRow, Problem, Verdict
from muster.register.importing.setting import Setting

_PLACES_AFTER_POINT = 7  # a centimetre
_LONGEST_CODE = 40


@dataclass(slots=True)
class _Found:
    area: KnownArea
    grid: int | None = None
    known: Building | None = None


class Buildings(Kind):
    form = forms.BUILDINGS
    entity = "building"
    model = Building
    fields = ("name", "code", "street", "kind", "floors", "units", "lon", "lat")
    columns = ("name", "code", "street", "kind", "floors", "units", "lon", "lat", "rev")
    guard = "rev"

    def check(self, row: CheckedRow, setting: Setting) -> None:
        """Both coordinates or none; kept in WGS-84, whatever the map they were read from."""
        lon, lat = row.values.get("lon"), row.values.get("lat")
        if (lon is None) != (lat is None):
            row.refuse("lon" if lon is None else "lat", "import_cell_missing")
        elif lon is not None and lat is not None:
            datum = row.values.get("datum", "wgs84")
            for field, value in zip(
                ("lon", "lat"), to_wgs84(float(lon), float(lat), datum=datum), strict=True
            ):
                row.values[field] = repr(round(value, _PLACES_AFTER_POINT))

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        good = [row for row in rows if row.is_good]
        bases = {row.number: row.found for row in good if isinstance(row.found, RowId)}
        for row in good:
            self._find_area(row, job)
        grids, divided = self._grids(good), _divided(good)
        for row in good:
            if row.is_good and "grid" in row.values:
                if row.found.area.sub_district in divided:
                    self._find_grid(row, grids)
                else:
                    row.reason = WITHOUT_GRID
        good = [row for row in good if row.is_good]
        known = _KnownBuildings.load({row.found.area.id for row in good}, job)
        for row in good:
            self._settle(row, known, bases.get(row.number), job)

    def _find_area(self, row: CheckedRow, job: Job) -> None:
        try:
            area = job.places.area(row.values["area"])
        except Refusal as refusal:
            row.problems.append(Problem.of("area", refusal))
            row.verdict = Verdict.BAD
            return
        row.found = _Found(area)
        if area.sub_district is None:
            row.refuse("area", "import_area_too_high", area=area.name)

    def _grids(self, rows: Sequence[CheckedRow]) -> dict[str, tuple[int, str]]:
        codes = {row.values["grid"] for row in rows if "grid" in row.values}
        found = Grid.objects.filter(code__in=codes, level=GridLevel.SMALL, status=GridStatus.ACTIVE)
        return {code: (id_, path) for code, id_, path in found.values_list("code", "id", "area__path")}

    def _find_grid(self, row: CheckedRow, grids: Mapping[str, tuple[int, str]]) -> None:
        grid, path = grids.get(row.values["grid"], (None, ""))
        area: KnownArea = row.found.area
        if grid is None or not (path.startswith(area.path) or area.path.startswith(path)):
            row.refuse("grid", "import_grid_unknown", grid=row.values["grid"])
        row.found.grid = grid

    def _settle(self, row: CheckedRow, known: _KnownBuildings, base: RowId | None, job: Job) -> None:
        found: _Found = row.found
        try:
            same = known.by_id.get(base.id) if base else known.like(row, found.area)
        except Refusal as refusal:
            row.refuse("name", refusal.code, **refusal.facts)
            return
        if base is not None and same is None:
            row.refuse(ROW_ID, "import_row_gone")
        elif same is not None:
            found.known = same
            if found.grid is not None and found.grid != same.grid:
                row.refuse("grid", "import_grid_by_plan")
                return
            self.settle_known(row, same, "row_id" if base else "same_building", job, base=base)

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        area, house = row.found.area.id, _house(row.values, job.setting.pack.address.form)
        yield "same_building", (area, "name", *house.identity)
        yield "same_building", (area, "code", _code(row.values, house).lower())
        if row.row_id:
            yield "row_id", row.match

    def live(self, known: Building) -> dict[str, str]:
        return {
            "name": known.name,
            "code": known.code,
            "street": known.street,
            "kind": known.kind,
            "floors": str(known.floors),
            "units": str(known.units),
            "lon": _degrees(known.lon),
            "lat": _degrees(known.lat),
        }

    def assign(self, known: Building, field: str, value: str) -> None:
        match field:
            case "floors" | "units":
                setattr(known, field, int(value or 1))
            case "lon" | "lat":
                setattr(known, field, float(value) if value else None)
            case _:
                setattr(known, field, value)

    def fetch(self, ids: Collection[str]) -> dict[str, Building]:
        return {str(b.id): b for b in Building.objects.filter(id__in=list(ids))} if ids else {}

    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        made = self.composition()
        compounds = _Compounds(rows, made, job)
        for row in rows:
            found: _Found = row.found
            if row.verdict == Verdict.NEW:
                made.add(self._new(row, compounds.of(row), job), entity="building", line=row.number)
            elif row.verdict == Verdict.CHANGED and found.known is not None:
                self.change(made, row, found.known)
        return made

    def _new(self, row: CheckedRow, compound: uuid.UUID | None, job: Job) -> Building:
        area: KnownArea = row.found.area
        building = Building(
            id=imported_id(job.batch, "building", row.number),
            area_id=area.id,
            sub_district=area.sub_district or 0,
            grid=row.found.grid,
            compound_id=compound,
            code=_code(row.values, _house(row.values, job.setting.pack.address.form)),
            walk_order=row.number,
        )
        for field in self.fields:
            if field in row.values:
                self.assign(building, field, row.values[field])
        return building

    def referred(self, known: Sequence[Any], *, batch: uuid.UUID) -> dict[str, str]:
        return referred_buildings(known)


class _KnownBuildings:
    """The buildings of some areas, by id, by code, and by what tells a house from its neighbours."""

    def __init__(self, form: str) -> None:
        self.by_id: dict[str, Building] = {}
        self._by_code: dict[tuple[int, str], Building] = {}
        self._by_number: dict[tuple[int, str, str], list[tuple[House, Building]]] = defaultdict(list)
        self._form = form

    @classmethod
    def load(cls, areas: Collection[int], job: Job) -> _KnownBuildings:
        known = cls(job.setting.pack.address.form)
        rows = Building.objects.filter(area_id__in=areas).select_related("compound").defer("footprint")
        for building in rows:
            words = {"name": building.name, "street": building.street}
            if building.compound is not None:
                words["compound"] = building.compound.name
            house = _house(words, known._form)
            known.by_id[str(building.id)] = building
            known._by_code[building.area_id, building.code.lower()] = building
            known._by_number[building.area_id, house.place, house.figures].append((house, building))
        return known

    def like(self, row: CheckedRow, area: KnownArea) -> Building | None:
        """By its code if the line has one; else by compound, alley and number, and by the code that these
        become. A number without its alley fits the only house of that number.

        Raises Refusal import_building_ambiguous.
        """
        if code := row.values.get("code", "").lower():
            return self._by_code.get((area.id, code))
        house = _house(row.values, self._form)
        known = self._by_number.get((area.id, house.place, house.figures), [])
        same = [building for other, building in known if other.alley == house.alley]
        if not same:
            same = [building for other, building in known if not (other.alley and house.alley)]
        if len(same) > 1:
            raise Refusal("import_building_ambiguous", building=row.values["name"], count=len(same))
        return same[0] if same else self._by_code.get((area.id, _code(row.values, house).lower()))


class _Compounds:
    """The compounds that lines name: known ones, and new ones made once each."""

    def __init__(self, rows: Sequence[CheckedRow], made: Composition, job: Job) -> None:
        areas = {row.found.area.id for row in rows}
        known = Compound.objects.filter(area_id__in=areas).values_list("id", "area_id", "name")
        self._known = {(area, plain_place(name)): id_ for id_, area, name in known}
        self._made, self._job = made, job

    def of(self, row: CheckedRow) -> uuid.UUID | None:
        name = row.values.get("compound", "")
        if not name:
            return None
        area: KnownArea = row.found.area
        key = (area.id, plain_place(name))
        if key not in self._known:
            assert area.sub_district is not None
            id_ = imported_id(self._job.batch, "compound", *key)
            compound = Compound(id=id_, area_id=area.id, sub_district=area.sub_district, name=name)
            self._known[key] = id_
            self._made.add(compound, entity="compound", line=row.number)
        return self._known[key]


def _divided(rows: Sequence[CheckedRow]) -> set[int]:
    """The sub-districts that have grids. Before the first division a list may come from a house that has."""
    wanted = {row.found.area.sub_district for row in rows if row.is_good and "grid" in row.values}
    grids = Grid.objects.filter(sub_district__in=wanted, level=GridLevel.SMALL, status=GridStatus.ACTIVE)
    return set(grids.values_list("sub_district", flat=True))


def _house(values: Mapping[str, str], form: str) -> House:
    return house_of(values["name"], values.get("compound", ""), values.get("street", ""), form)


def _code(values: Mapping[str, str], house: House) -> str:
    """The code of a building whose list gives none: unique where compound, alley and number are."""
    if "code" in values:
        return values["code"]
    said, compound = house.said, values.get("compound", "")
    whole = said if said.startswith(compound) else f"{compound}{said}"
    if len(whole) <= _LONGEST_CODE:
        return whole
    return f"{whole[:31]}~{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _degrees(value: float | None) -> str:
    return "" if value is None else repr(round(value, _PLACES_AFTER_POINT))
