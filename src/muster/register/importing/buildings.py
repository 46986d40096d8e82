# SPDX-License-Identifier: Apache-2.0
"""Lists of buildings: where they stand, in which compound, and to which small grid they belong."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.base.errors import Refusal
from muster.places.models import Building, Compound, Grid
from muster.places.states import GridLevel, GridStatus
from muster.register.importing import forms
from muster.register.importing.datums import to_wgs84
from muster.register.importing.door_keys import building_key, plain_place
from muster.register.importing.finding import KnownArea
from muster.register.importing.form import ROW_ID
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.referring import referred_buildings
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Problem, Verdict
from muster.register.importing.setting import Setting

_PLACES_AFTER_POINT = 7  # a centimetre


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
        grids = self._grids(good)
        for row in good:
            if row.is_good and "grid" in row.values:
                self._find_grid(row, grids, job)
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

    def _find_grid(self, row: CheckedRow, grids: Mapping[str, tuple[int, str]], job: Job) -> None:
        grid, path = grids.get(row.values["grid"], (None, ""))
        area: KnownArea = row.found.area
        if grid is None or not (path.startswith(area.path) or area.path.startswith(path)):
            row.refuse("grid", "import_grid_unknown", grid=row.values["grid"])
        row.found.grid = grid

    def _settle(self, row: CheckedRow, known: _KnownBuildings, base: RowId | None, job: Job) -> None:
        found: _Found = row.found
        same = known.by_id.get(base.id) if base else known.like(row, found.area)
        if base is not None and same is None:
            row.refuse(ROW_ID, "import_row_gone")
        elif same is not None:
            found.known = same
            if found.grid is not None and found.grid != same.grid:
                row.refuse("grid", "import_grid_by_plan")
                return
            self.settle_known(row, same, "row_id" if base else "same_building", job, base=base)

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        area = row.found.area.id
        yield "same_building", (area, "name", *_name_key(row.values, job.setting.pack.address.form))
        yield "same_building", (area, "code", row.values.get("code", row.values["name"])[:40].lower())
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
            code=row.values["name"][:40],
            walk_order=row.number,
        )
        for field in self.fields:
            if field in row.values:
                self.assign(building, field, row.values[field])
        return building

    def referred(self, known: Sequence[Any], *, batch: uuid.UUID) -> dict[str, str]:
        return referred_buildings(known)


class _KnownBuildings:
    """The buildings of some areas, by id, code and name within compound."""

    def __init__(self, form: str) -> None:
        self.by_id: dict[str, Building] = {}
        self._by_code: dict[tuple[int, str], Building] = {}
        self._by_name: dict[tuple[int, str, str], Building] = {}
        self._form = form

    @classmethod
    def load(cls, areas: Collection[int], job: Job) -> _KnownBuildings:
        known = cls(job.setting.pack.address.form)
        rows = Building.objects.filter(area_id__in=areas).select_related("compound").defer("footprint")
        for building in rows:
            words = {"name": building.name, "street": building.street}
            if building.compound is not None:
                words["compound"] = building.compound.name
            known.by_id[str(building.id)] = building
            known._by_code[building.area_id, building.code.lower()] = building
            known._by_name[building.area_id, *_name_key(words, known._form)] = building
        return known

    def like(self, row: CheckedRow, area: KnownArea) -> Building | None:
        """By its code if the line has one; else by name and compound, and by the code that a name becomes."""
        code = row.values.get("code", "").lower()
        if code:
            return self._by_code.get((area.id, code))
        same = self._by_name.get((area.id, *_name_key(row.values, self._form)))
        return same or self._by_code.get((area.id, row.values["name"][:40].lower()))


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


def _name_key(values: Mapping[str, str], form: str) -> tuple[str, str]:
    """Compound (or what stands before the number) and building."""
    key = building_key(values["name"], form)
    return plain_place(values.get("compound", "")) or key.place or plain_place(
        values.get("street", "")
    ), key.key


def _degrees(value: float | None) -> str:
    return "" if value is None else repr(round(value, _PLACES_AFTER_POINT))
