# SPDX-License-Identifier: Apache-2.0
"""From a generated city to the database: areas, map, buildings, doors and the list, as by an import.

Only what the list knows is loaded. What is true and not listed stays with the city's value objects, for the
day player.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from django.db import models, transaction

from muster.drill.city.model import City, Community, Line
from muster.drill.city.model import Dwelling as CityDwelling
from muster.packs import Pack
from muster.places.models import Area, Building, Compound, Dwelling, Gate, MapFeature
from muster.places.services import add_area
from muster.register.models import Household, Need, Person
from muster.register.services import id_number_index, phone_index
from muster.storage.many_rows import Insert
from muster.storage.writes import chunks, pause_between_writes

Progress = Callable[[str, int, int], None]
BATCH = 5000


def key_id(city: City, key: str) -> uuid.UUID:
    """The id of a generated thing: the same city gives the same ids."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"muster-drill|{city.scenario}|{city.people}|{city.seed}|{key}")


def load_city(city: City, *, pack: Pack, at: datetime, progress: Progress | None = None) -> Area:
    """Writes a city's list. Answers the root area."""
    areas = _load_areas(city, pack)
    root = areas[city.areas[0].code]
    _load_map(city, root)
    total = len(city.communities)
    for number, community in enumerate(city.communities, start=1):
        _load_community(city, community, areas[community.area.code], pack, at)
        if progress:
            progress(community.area.name, number, total)
    return root


def _load_areas(city: City, pack: Pack) -> dict[str, Area]:
    levels = [level.key for level in pack.areas.levels]
    made: dict[str, Area] = {}
    with transaction.atomic():
        for area in city.areas:
            level = area.kind if area.kind in levels else levels[area.level]
            made[area.code] = add_area(
                code=area.code,
                name=area.name,
                name_en=area.name_en,
                level=level,
                parent=made.get(area.parent_code or ""),
                is_partition=level == pack.areas.partition,
                geometry=outline(area.rings),
            )
    return made


def outline(parts: Sequence[Line]) -> dict[str, Any] | None:
    """The ground of an area: one polygon, or several where streets or rivers lie between its parts."""
    if len(parts) > 1:
        return {"type": "MultiPolygon", "coordinates": [polygon(part)["coordinates"] for part in parts]}
    return polygon(parts[0]) if parts else None


def polygon(ring: Line) -> dict[str, Any]:
    """A ring as GeoJSON wants it: the last point is the first."""
    closed = ring if ring[0] == ring[-1] else (*ring, ring[0])
    return {"type": "Polygon", "coordinates": [[list(p) for p in closed]]}


def line(points: Line) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(p) for p in points]}


def _load_map(city: City, root: Area) -> None:
    rows = [
        MapFeature(area=root, kind="road", klass=r.klass, name=r.name, geometry=line(r.points))
        for r in city.roads
    ]
    rows += [
        MapFeature(area=root, kind=h.kind, klass="hard", geometry=line(h.points)) for h in city.hard_lines
    ]
    rows += [
        MapFeature(area=root, kind=g.kind, klass="ground", name=g.name, geometry=polygon(g.ring))
        for g in city.grounds
    ]
    rows += [
        MapFeature(area=root, kind="facility", klass=f.kind, name=f.name, geometry=polygon(f.polygon))
        for f in city.facilities
    ]
    _insert(MapFeature, rows)


def _insert(model: type[models.Model], rows: Sequence[Any]) -> None:
    """Rows in short writes; those whose key the database gives go the ORM's way."""
    for part in chunks(rows, BATCH):
        with transaction.atomic():
            if isinstance(model._meta.pk, models.AutoField):
                model._default_manager.bulk_create(part)
            else:
                Insert(model, part).execute()
        pause_between_writes()


def _load_community(city: City, community: Community, area: Area, pack: Pack, at: datetime) -> None:
    @cache
    def mint(key: str) -> uuid.UUID:
        return key_id(city, key)

    assert area.sub_district is not None
    sub_district = area.sub_district
    _load_compounds(community, area, mint)
    names = {c.key: c.name for c in community.compounds}
    buildings = [
        Building(
            id=mint(b.key),
            area=area,
            sub_district=sub_district,
            compound_id=mint(b.compound_key) if b.compound_key else None,
            code=b.key.rsplit("-", 1)[-1],
            name=building_name(b.number, b.street, names.get(b.compound_key or "", "")),
            street=b.street,
            kind=b.kind,
            floors=b.floors,
            units=b.units,
            lon=b.lon,
            lat=b.lat,
            footprint=polygon(b.polygon),
            walk_order=order,
        )
        for order, b in enumerate(community.buildings)
    ]
    _insert(Building, buildings)
    by_key = {b.key: row for b, row in zip(community.buildings, buildings, strict=True)}
    listed = community.listed
    unit_of = unit_names(community.dwellings)
    _insert(
        Dwelling,
        [
            _dwelling(d, by_key[d.building_key], sub_district, mint=mint, order=order, unit=unit_of(d))
            for order, d in enumerate(listed.dwellings)
        ],
    )
    doors = {d.key for d in listed.dwellings}
    households = [h for h in listed.households if h.dwelling_key in doors]
    _insert(
        Household,
        [
            Household(
                id=mint(h.key),
                sub_district=sub_district,
                dwelling_id=mint(h.dwelling_key),
                kind=h.kind,
                code=h.key[-12:],
            )
            for h in households
        ],
    )
    home = {h.key: h.dwelling_key for h in households}
    persons = [p for p in listed.persons if p.household_key in home]
    _insert(
        Person,
        [
            Person(
                id=mint(p.key),
                sub_district=sub_district,
                dwelling_id=mint(home[p.household_key]),
                household_id=mint(p.household_key),
                name=p.name,
                phone=p.phone,
                id_number=p.id_number,
                phone_index=phone_index(p.phone),
                id_number_index=id_number_index(p.id_number),
                birth_date=p.birth_date,
                birth_year=p.birth_date.year,
                sex=p.sex,
                languages=list(p.languages),
                registered_here=p.registered_here,
                lives_here=p.lives_here,
            )
            for p in persons
        ],
    )
    _insert(
        Need,
        [
            Need(sub_district=sub_district, person_id=mint(p.key), kind=kind, seen_at=at)
            for p in persons
            for kind in p.needs
            if pack.need(kind) is not None
        ],
    )


def _load_compounds(community: Community, area: Area, mint: Callable[[str], uuid.UUID]) -> None:
    assert area.sub_district is not None
    compounds = [
        Compound(
            id=mint(c.key),
            area=area,
            sub_district=area.sub_district,
            name=c.name,
            kind=c.kind,
            geometry=polygon(c.polygon),
        )
        for c in community.compounds
    ]
    _insert(Compound, compounds)
    _insert(
        Gate,
        [
            Gate(compound_id=mint(c.key), name=g.name, kind=g.kind, lon=g.lon, lat=g.lat)
            for c in community.compounds
            for g in c.gates
        ],
    )


def building_name(number: str, street: str, compound: str) -> str:
    """How people say which house it is: within a compound by its number, on a street by street and number."""
    place = compound or street
    if not place:
        return number
    return f"{place}{number}" if not place.isascii() else f"{number} {place}"


def unit_names(dwellings: Iterable[CityDwelling]) -> Callable[[CityDwelling], str]:
    """How the stairwell of a door is called: a building that has only one gives it no name."""
    several = {d.building_key for d in dwellings if d.unit > 1}
    return lambda d: str(d.unit) if d.building_key in several else ""


def _dwelling(
    d: CityDwelling,
    building: Building,
    sub_district: int,
    *,
    mint: Callable[[str], uuid.UUID],
    order: int,
    unit: str,
) -> Dwelling:
    return Dwelling(
        id=mint(d.key),
        sub_district=sub_district,
        building=building,
        unit=unit,
        floor=d.floor,
        room=d.room,
        label=d.address_text[:80],
        address=d.address_text,
        kind=d.kind,
        walk_order=order,
    )
