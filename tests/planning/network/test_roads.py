# SPDX-License-Identifier: Apache-2.0
"""Street files of several forms, what is wrong with them, and the graph that comes of them."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from muster.planning._kernel.geodesy import lengths_dm
from muster.planning.contract import BadProblem
from muster.planning.network import read_roads, roads_from_geojson, walk_graph

XIAN = Path(__file__).resolve().parents[4] / "shared" / "data" / "roads_xian" / "xian_road.kml.gz"

KML = """<?xml version="1.0" encoding="utf-8"?>
<Document xmlns="http://www.opengis.net/kml/2.2"><Folder>
<Placemark><description><![CDATA[{"Name":"柳巷","fclass":"footway"}]]></description>
<LineString><coordinates>108.9,34.2,0
108.901,34.2,0</coordinates></LineString></Placemark>
<Placemark><name>长街</name><ExtendedData><Data name="highway"><value>primary</value></Data></ExtendedData>
<MultiGeometry>
<LineString><coordinates>108.901,34.2 108.901,34.201</coordinates></LineString>
<LineString><coordinates>108.901,34.201</coordinates></LineString>
</MultiGeometry></Placemark>
</Folder></Document>"""


def line(points, **properties):
    geometry = {"type": "LineString", "coordinates": points}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def collection(*features):
    return {"type": "FeatureCollection", "features": list(features)}


@pytest.mark.parametrize("packed", [False, True])
def test_kml_gives_lines_with_kind_and_name(tmp_path, packed):
    path = tmp_path / ("roads.kml.gz" if packed else "roads.kml")
    path.write_bytes(gzip.compress(KML.encode()) if packed else KML.encode())

    roads = read_roads(path)

    assert [(road.name, road.kind, len(road.lon)) for road in roads.lines] == [
        ("柳巷", "footway", 2),
        ("长街", "primary", 2),
    ]
    assert roads.skipped == 1


def test_geojson_gives_lines_with_kind_and_name(tmp_path):
    path = tmp_path / "roads.geojson"
    parts = {"type": "MultiLineString", "coordinates": [[[1, 2], [1, 3]], [[4, 5], [4, 6], [4, 7]]]}
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [0, 0]}, "properties": None}
    raw = collection(
        line([[0, 0], [1, 1]], name="甲路", highway="residential"),
        {"type": "Feature", "geometry": parts, "properties": {}},
        point,
    )
    path.write_text(json.dumps(raw), encoding="utf-8")

    roads = read_roads(path)

    assert [(road.name, road.kind, len(road.lon)) for road in roads.lines] == [
        ("甲路", "residential", 2),
        ("", "", 2),
        ("", "", 3),
    ]
    assert roads.skipped == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2]",
        b"<Document><Placemark>",
        b"\xff\xfe\x00",
        b"\x1f\x8bbroken",
        b'{"type":"FeatureCollection","features":5}',
        b'{"type":"FeatureCollection","features":[]}',
        b'{"type":"LineString","coordinates":[[200,0],[0,0]]}',
        b'{"type":"LineString","coordinates":[[null,0],[0,0]]}',
        b'{"type":"LineString","coordinates":[[1],[0,0]]}',
        b'{"type":"MultiLineString","coordinates":[7]}',
        b'<!DOCTYPE x [<!ENTITY a "b">]><Document>&a;</Document>',
    ],
)
def test_broken_file_is_refused_with_a_sentence(tmp_path, content):
    path = tmp_path / "roads"
    path.write_bytes(content)

    with pytest.raises(BadProblem) as refused:
        read_roads(path)

    assert len(str(refused.value)) > 10


def test_absent_file_is_refused(tmp_path):
    with pytest.raises(BadProblem, match="cannot be read"):
        read_roads(tmp_path / "nothing.kml")


def test_corners_that_nearly_meet_become_one():
    near = 0.0000020  # about 0.2 m
    raw = collection(
        line([[108.9, 34.2], [108.901, 34.2]]), line([[108.901 + near, 34.2], [108.901, 34.201]])
    )

    streets = walk_graph(roads_from_geojson(raw))

    assert streets.graph.size == 3
    assert len(streets.graph.edge_a) == 2


def test_loose_end_beside_a_street_is_joined_to_it():
    beside = 34.2 + 0.000010  # about 1.1 m north of the first street
    raw = collection(line([[108.9, 34.2], [108.902, 34.2]]), line([[108.901, beside], [108.901, 34.202]]))

    joined = walk_graph(roads_from_geojson(raw))
    apart = walk_graph(roads_from_geojson(raw), join_m=0.5)

    assert (joined.loose_ends_joined, joined.pieces_dropped, joined.graph.size) == (1, 0, 4)
    assert (apart.loose_ends_joined, apart.pieces_dropped, apart.graph.size) == (0, 1, 2)


def test_two_loose_ends_on_one_street_split_it_in_order():
    raw = collection(
        line([[108.9, 34.2], [108.904, 34.2]]),
        line([[108.903, 34.20001], [108.903, 34.202]]),
        line([[108.901, 34.20001], [108.901, 34.202]]),
    )

    streets = walk_graph(roads_from_geojson(raw))

    assert streets.graph.size == 6
    # west end, first loose end, second loose end, east end: three pieces and two side streets
    assert len(streets.graph.edge_a) == 5
    assert streets.graph.edge_dm.max() < 2500


def test_motorways_are_not_walked_and_only_the_largest_piece_stays():
    raw = collection(
        line([[108.9, 34.2], [108.91, 34.2], [108.91, 34.21]], fclass="residential"),
        line([[108.91, 34.21], [108.95, 34.25]], fclass="motorway"),
        line([[108.95, 34.25], [108.951, 34.25]], fclass="footway"),
    )

    streets = walk_graph(roads_from_geojson(raw))

    assert streets.graph.size == 3
    assert (streets.lines, streets.lines_not_walked, streets.pieces_dropped) == (3, 1, 1)
    assert streets.dropped_km == pytest.approx(0.092, abs=0.001)


def test_only_motorways_are_no_walking_graph():
    with pytest.raises(BadProblem):
        walk_graph(roads_from_geojson(collection(line([[1, 1], [2, 2]], fclass="motorway"))))


def test_lengths_agree_with_the_ellipsoid():
    # one minute of arc by the standard formulas for WGS-84 at 34 degrees north
    one = np.asarray([34.0])
    zero, minute = np.asarray([108.0]), 1 / 60

    north = lengths_dm(zero, one - minute / 2, zero, one + minute / 2)[0]
    east = lengths_dm(zero, one, zero + minute, one)[0]

    assert north == pytest.approx(18488, abs=5)
    assert east == pytest.approx(15397, abs=5)


@pytest.mark.shared_data
@pytest.mark.skipif(not XIAN.exists(), reason="the public street file is not beside the checkout")
def test_real_streets_become_one_connected_graph():
    streets = walk_graph(read_roads(XIAN))

    assert 20_000 < streets.graph.size < 23_000
    assert len(np.unique(streets.graph.pieces())) == 1
    assert 1_700 < streets.kept_km < 1_850
    assert streets.dropped_km < 0.02 * streets.kept_km
