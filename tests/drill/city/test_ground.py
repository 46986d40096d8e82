# SPDX-License-Identifier: Apache-2.0
"""The ground: nothing overlaps, nothing stands on a street, every door can be walked to."""

import itertools
from collections import Counter
from dataclasses import replace
from xml.etree.ElementTree import fromstring

import pytest
import shapely

from muster.drill.city.draw import draw
from muster.drill.city.ground_checks import METRE, buildings_on_streets, loose_ways, overlapping_buildings
from muster.drill.city.plane import Plane, hilbert_cell, hilbert_distance, spans_at, spans_between
from muster.drill.city.scenario import load_scenario

CARRIAGEWAYS = {
    "primary": 14.0,
    "secondary": 9.0,
    "tertiary": 6.0,
    "residential": 3.5,
    "living_street": 1.5,
    "alley": 0.5,
    "service": 2.0,
}


def test_no_two_buildings_overlap(city):
    assert overlapping_buildings(city.buildings) == []


def test_overlap_is_seen_when_there_is_one(city):
    first, second = city.buildings[0], city.buildings[1]

    found = overlapping_buildings([first, replace(second, polygon=first.polygon)])

    assert found == [(first.key, second.key)]


def test_no_building_stands_on_a_street(city):
    assert buildings_on_streets(city.buildings, city.roads, CARRIAGEWAYS) == []


def test_building_on_a_street_is_seen(city):
    lon, lat = city.streets[0].points[4]
    side = 8 * METRE
    square = ((lon - side, lat), (lon + side, lat), (lon + side, lat + side), (lon - side, lat))
    moved = replace(city.buildings[0], polygon=square, lon=lon, lat=lat)

    assert buildings_on_streets([moved], city.roads, CARRIAGEWAYS)


def test_all_ways_form_one_network(city):
    assert loose_ways(city.roads) == []


def test_loose_way_is_seen(city):
    far = replace(city.roads[0], points=((0.0, 0.0), (0.0, 0.001)))

    assert loose_ways([*city.roads, far]) == [far]


def test_every_building_is_reached_from_a_way(city):
    tree = shapely.STRtree([shapely.LineString(r.points) for r in city.roads])

    for building in city.buildings:
        access = shapely.Point(building.access)
        way = tree.geometries[tree.nearest(access)]
        assert way.distance(access) < 1 * METRE
        assert shapely.Polygon(building.polygon).distance(access) < 45 * METRE


def test_buildings_stand_inside_their_community(city):
    outlines = {
        c.area.code: shapely.union_all([shapely.Polygon(r) for r in c.area.rings]).buffer(METRE)
        for c in city.communities
    }

    outside = [
        b.key for b in city.buildings if not outlines[b.community_code].contains(shapely.Polygon(b.polygon))
    ]

    assert outside == []


def test_area_tree_is_whole(city):
    codes = {a.code: a for a in city.areas}

    assert len(codes) == len(city.areas)
    assert [a.level for a in city.areas if a.parent_code is None] == [0]
    for area in city.areas:
        if area.parent_code is not None:
            assert codes[area.parent_code].level == area.level - 1
    for parent in codes:
        names = [a.name for a in city.areas if a.parent_code == parent]
        assert len(names) == len(set(names))


def test_chinese_codes_have_twelve_digits_of_no_assigned_province(district):
    assert all(len(a.code) == 12 and a.code.isdigit() and a.code.startswith("79") for a in district.areas)


def test_district_has_its_parts(district):
    kinds = Counter(b.kind for b in district.buildings)
    compounds = Counter(c.kind for c in district.compounds)

    assert 400 <= len(district.buildings) <= 1500
    assert {"tower", "slab", "walk_up", "self_built", "shop_house", "dormitory"} <= set(kinds)
    assert compounds["village"] >= 1
    assert compounds["estate"] >= 4
    assert {"river", "rail", "wall"} <= {h.kind for h in district.hard_lines}
    assert {"primary", "secondary", "tertiary", "service", "alley"} <= {r.klass for r in district.roads}
    assert {"market", "clinic", "park", "community_centre"} <= {f.kind for f in district.facilities}
    self_built = [b.floors for b in district.buildings if b.kind == "self_built"]
    assert min(self_built) >= 4
    assert max(self_built) <= 7


def test_town_has_its_parts(town):
    assert {"terrace", "semi", "detached", "flats", "caravan", "care_home"} <= {
        b.kind for b in town.buildings
    }
    assert {"flood_high", "flood_low", None} == {b.zone for b in town.buildings}
    assert {"water", "flood_high", "flood_low"} <= {g.kind for g in town.grounds}


def test_zone_tells_how_near_the_river_is(town):
    river = shapely.union_all([shapely.LineString(h.points) for h in town.hard_lines if h.kind == "river"])

    far = {zone: [] for zone in ("flood_high", "flood_low", None)}
    for building in town.buildings:
        far[building.zone].append(river.distance(shapely.Point(building.lon, building.lat)))

    assert max(far["flood_high"]) < max(far["flood_low"]) < max(far[None])


def test_walled_compounds_have_gates_on_their_wall(district):
    walled = [c for c in district.compounds if c.walled]

    assert walled
    for compound in walled:
        ring = shapely.LinearRing(compound.polygon)
        assert {"pedestrian", "vehicle"} <= {g.kind for g in compound.gates}
        assert all(ring.distance(shapely.Point(g.lon, g.lat)) < 2 * METRE for g in compound.gates)


def test_walls_are_open_at_the_gates(district):
    walls = shapely.union_all([shapely.LineString(h.points) for h in district.hard_lines if h.kind == "wall"])

    for compound in district.compounds:
        if compound.walled:
            assert all(walls.distance(shapely.Point(g.lon, g.lat)) > 1 * METRE for g in compound.gates[:1])


def test_picture_is_svg(town):
    picture = fromstring(draw(town, plane=load_scenario("flood").plane, width=600))

    assert picture.tag.endswith("svg")
    assert len(list(picture.iter())) > len(town.buildings)


def test_degrees_and_metres_go_both_ways():
    plane = Plane(104.6, 38.2)

    assert plane.metres(*plane.degrees(1234.5, -987.6)) == pytest.approx((1234.5, -987.6), abs=0.02)


def test_hilbert_curve_visits_every_cell_once_and_steps_to_neighbours():
    cells = [hilbert_cell(d, 4) for d in range(256)]

    assert len(set(cells)) == 256
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in itertools.pairwise(cells))
    assert [hilbert_distance(x, y, 4) for x, y in cells] == list(range(256))


def test_spans_of_a_ring_with_a_notch():
    ring = [
        (0.0, 0.0),
        (10.0, 0.0),
        (10.0, 10.0),
        (6.0, 10.0),
        (6.0, 4.0),
        (4.0, 4.0),
        (4.0, 10.0),
        (0.0, 10.0),
    ]

    assert spans_at(ring, 2.0) == [(0.0, 10.0)]
    assert spans_at(ring, 8.0) == [(0.0, 4.0), (6.0, 10.0)]
    assert spans_between(ring, 2.0, 8.0) == [(0.0, 4.0), (6.0, 10.0)]
