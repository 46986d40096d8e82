# SPDX-License-Identifier: Apache-2.0
"""Real streets: what is read, what is refused, and a city laid along them."""

import gzip
import json
import math

import pytest

from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.drill.city import RoadNetwork, generate, read_roads, read_township_names
from muster.drill.city.ground_checks import buildings_on_streets, overlapping_buildings
from muster.drill.city.model import Road
from tests.conftest import SHARED

KML = """<?xml version="1.0" encoding="utf-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document>
<Placemark><description><![CDATA[{"Name":"春和路","tunnel":"F","fclass":"primary"}]]></description>
<LineString><coordinates>108.9,34.2,0 108.91,34.2,0
108.92,34.21,0</coordinates></LineString></Placemark>
<Placemark><name>柳巷</name><ExtendedData><SchemaData><SimpleData name="fclass">residential</SimpleData>
</SchemaData></ExtendedData><MultiGeometry>
<LineString><coordinates>108.9,34.2 108.9,34.21</coordinates></LineString>
<LineString><coordinates>108.9,34.22 108.9,34.23</coordinates></LineString></MultiGeometry></Placemark>
<Placemark><description><![CDATA[{"Name":"隧道","tunnel":"T","fclass":"primary"}]]></description>
<LineString><coordinates>108.9,34.2,0 108.91,34.2,0</coordinates></LineString></Placemark>
<Placemark><name>a point</name><Point><coordinates>108.9,34.2</coordinates></Point></Placemark>
</Document></kml>"""

GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"fclass": "secondary", "name": "望江街"},
            "geometry": {"type": "LineString", "coordinates": [[108.9, 34.2], [108.91, 34.2, 400.0]]},
        },
        {
            "type": "Feature",
            "properties": {"highway": "service", "name": None},
            "geometry": {"type": "MultiLineString", "coordinates": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]},
        },
        {"type": "Feature", "properties": None, "geometry": None},
    ],
}


def written(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def refused(path, **bounds):
    with pytest.raises(Refusal) as told:
        read_roads(path, **bounds)
    for lang in ("zh", "en"):
        assert text(told.value.code, lang, **told.value.facts)
        assert cure(told.value.code, lang, **told.value.facts)
    return told.value


def test_kml_gives_names_classes_and_lines_without_tunnels(tmp_path):
    network = read_roads(written(tmp_path, "streets.kml", KML))

    assert [(r.name, r.klass, len(r.points)) for r in network.roads] == [
        ("春和路", "primary", 3),
        ("柳巷", "residential", 2),
        ("柳巷", "residential", 2),
    ]


def test_packed_kml_gives_the_same(tmp_path):
    plain = read_roads(written(tmp_path, "streets.kml", KML))
    packed = read_roads(written(tmp_path, "streets.kml.gz", gzip.compress(KML.encode())))

    assert packed == plain


def test_geojson_gives_names_classes_and_lines(tmp_path):
    network = read_roads(written(tmp_path, "streets.geojson", json.dumps(GEOJSON)))

    assert [(r.name, r.klass, len(r.points)) for r in network.roads] == [
        ("望江街", "secondary", 2),
        ("", "service", 2),
        ("", "service", 2),
    ]


BOMB = '<!DOCTYPE a [<!ENTITY b "xxxxxxxxxx"><!ENTITY c "&b;&b;&b;&b;&b;">]><kml><name>&c;</name></kml>'


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("cut.kml", KML[: len(KML) // 2]),
        ("bomb.kml", BOMB),
        ("words.kml", KML.replace("108.9,34.2,0", "here,there")),
        ("nan.kml", KML.replace("108.9,34.2,0", "nan,34.2")),
        ("far.kml", KML.replace("108.9,34.2,0", "500000,3800000")),
        ("cut.kml.gz", gzip.compress(KML.encode())[:-40]),
        ("plain.kml.gz", KML),
        ("cut.geojson", json.dumps(GEOJSON)[:-30]),
        ("list.geojson", "[1, 2]"),
        ("deep.geojson", "[" * 200_000),
        ("latin.geojson", json.dumps(GEOJSON, ensure_ascii=False).encode("gb18030")),
        ("text.geojson", json.dumps(GEOJSON).replace("108.91", '"x"')),
        ("strange.geojson", '{"features": [7]}'),
        ("properties.geojson", '{"features": [{"properties": 3, "geometry": {"type": "LineString"}}]}'),
    ],
)
def test_unreadable_file_is_refused_with_its_name(tmp_path, name, content):
    refusal = refused(written(tmp_path, name, content))

    assert refusal.code == "drill.roads_unreadable"
    assert refusal.facts["file"] == name


def test_missing_file_is_refused(tmp_path):
    assert refused(tmp_path / "none.kml").code == "drill.roads_unreadable"


def test_unknown_ending_is_refused(tmp_path):
    assert refused(written(tmp_path, "streets.shp", "x")).code == "drill.roads_kind_unknown"


def test_file_without_lines_is_refused(tmp_path):
    assert refused(written(tmp_path, "none.geojson", '{"features": []}')).code == "drill.roads_empty"


def test_file_larger_than_the_bound_is_refused_also_when_packed(tmp_path):
    packed = gzip.compress(b"<kml>" + b" " * 3_000_000 + b"</kml>")

    assert (
        refused(written(tmp_path, "big.kml.gz", packed), most_bytes=1_000_000).code == "drill.roads_too_large"
    )
    assert refused(written(tmp_path, "big.kml", KML), most_bytes=300).code == "drill.roads_too_large"


def test_too_many_points_are_refused(tmp_path):
    assert refused(written(tmp_path, "streets.kml", KML), most_points=4).code == "drill.roads_too_large"


def test_township_names_of_one_city_in_the_order_of_their_codes(tmp_path):
    path = written(
        tmp_path,
        "names.csv",
        '﻿code,name,areaCode\n610102002,"乙街道",1\n610102001,甲街道,1\n510104017,丙街道,2\n',
    )

    assert read_township_names(path, area_code="6101") == ("甲街道", "乙街道")


@pytest.mark.parametrize("content", ["", "a,b\n1,2\n", "code,name\n"])
def test_township_file_without_names_is_refused(tmp_path, content):
    with pytest.raises(Refusal) as told:
        read_township_names(written(tmp_path, "names.csv", content))

    assert told.value.code == "drill.townships_unreadable"


# A city along streets


def grid_network(lines=9, pace=0.0022):
    """A plain square grid of streets, with a dead-end lane in every other block."""
    roads = []
    steps = range(lines)
    for k in steps:
        klass = "primary" if k % 4 == 0 else "residential"
        roads.append(
            Road(f"纵{k}街", klass, tuple((108.9 + k * pace, 34.2 + m * pace * 0.82) for m in steps))
        )
        roads.append(
            Road(f"横{k}路", klass, tuple((108.9 + m * pace, 34.2 + k * pace * 0.82) for m in steps))
        )
    for k in range(0, lines - 1, 2):
        x = 108.9 + (k + 0.5) * pace
        roads.append(Road("", "service", ((x, 34.2), (x, 34.2 + 0.4 * pace))))
    roads.append(Road("远路", "primary", ((109.5, 34.9), (109.51, 34.9))))  # not connected with the rest
    return RoadNetwork(tuple(roads))


def test_city_is_laid_along_given_streets():
    network = grid_network()

    city = generate("epidemic-zh", people=9_000, seed=4, roads=network, township_names=("甲街道", "乙街道"))

    assert len(city.listed.persons) == pytest.approx(9_000, rel=0.03)
    assert overlapping_buildings(city.buildings) == []
    widths = {"primary": 14.0, "residential": 4.0, "service": 2.0}
    assert buildings_on_streets(city.buildings, network.roads, widths) == []
    assert "甲街道" in {a.name for a in city.areas}
    names = {r.name for r in city.streets}
    assert len(names & {r.name for r in network.roads}) >= 6
    assert "远路" not in names
    assert all(108.8 < b.lon < 109.0 for b in city.buildings)


def test_city_along_streets_is_the_same_from_the_same_seed():
    first, second = (generate("epidemic-zh", people=2_500, seed=4, roads=grid_network()) for _ in range(2))

    assert first.communities == second.communities


def test_streets_with_too_little_ground_are_refused_with_the_room_there_is():
    with pytest.raises(Refusal) as told:
        generate("epidemic-zh", people=60_000, seed=4, roads=grid_network(lines=4))

    assert told.value.code == "drill.roads_too_few"
    assert 500 < told.value.facts["room"] < 60_000


@pytest.mark.shared_data
def test_city_on_the_streets_of_an_inner_city():
    path = SHARED / "data" / "roads_xian" / "xian_road.kml.gz"
    if not path.is_file():
        pytest.skip("the public street file is not beside the checkout")
    names = read_township_names(SHARED / "data" / "admin" / "townships_chengdu_xian.csv", area_code="6101")

    network = read_roads(path)
    city = generate("epidemic-zh", people=12_000, seed=1, roads=network, township_names=names)

    assert len(network.roads) == 5_494
    assert len(city.listed.persons) == pytest.approx(12_000, rel=0.02)
    assert overlapping_buildings(city.buildings) == []
    widths = {
        "trunk": 14.0,
        "primary": 13.0,
        "secondary": 9.0,
        "tertiary": 6.0,
        "residential": 4.0,
        "service": 2.0,
    }
    assert buildings_on_streets(city.buildings, network.roads, widths) == []
    assert len({b.street for b in city.buildings} & {r.name for r in network.roads}) >= 3
    assert all(b.street for b in city.buildings)
    addresses = [(c.index, d.address_text) for c in city.communities for d in c.dwellings]
    assert len(set(addresses)) == len(addresses)
    assert {a.name for a in city.areas if a.level == 2} <= set(names)
    far = max(math.dist((b.lon, b.lat), (108.94, 34.26)) for b in city.buildings)
    assert far < 0.2
