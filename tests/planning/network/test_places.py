# SPDX-License-Identifier: Apache-2.0
"""Doors beside streets, doors behind gates: the same ways as on a graph in which they are nodes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning.contract import BadProblem
from muster.planning.network import (
    UNREACHABLE,
    WalkGraph,
    behind_gates,
    distances,
    prepare,
    reach,
    snap,
    with_gates,
)
from tests.planning.network.cities import grid_city, true_distances

# metres per degree near 34.2 N, good enough to lay out a test
EAST, NORTH = 92_200.0, 110_900.0


def spot(east_m, north_m):
    return 108.9 + np.asarray(east_m) / EAST, 34.2 + np.asarray(north_m) / NORTH


def street(points_m, edges):
    lon, lat = spot([p[0] for p in points_m], [p[1] for p in points_m])
    a, b = [e[0] for e in edges], [e[1] for e in edges]
    dm = [round(10 * np.hypot(*(np.subtract(points_m[i], points_m[j])))) for i, j in edges]
    return WalkGraph.from_edges(len(points_m), a, b, dm, lon=lon, lat=lat)


def oracle(graph, places):
    """Return all distances after putting each place into the graph as a node of its own.

    Lengths are quadrupled and each access is one longer, because a graph holds no edges of no length.
    """
    extra = np.repeat(np.arange(len(places)), np.diff(places.rows)) + graph.size
    a, b = [graph.edge_a, extra], [graph.edge_b, places.node]
    size = graph.size + len(places)
    scaled = np.concatenate([graph.edge_dm.astype(np.int64) * 4, places.cost_dm.astype(np.int64) * 4 + 1])
    longer = WalkGraph.from_edges(size, np.concatenate(a), np.concatenate(b), scaled)
    found = true_distances(longer)[graph.size :, graph.size :]
    return np.where(found >= UNREACHABLE, UNREACHABLE, (found - 2) // 4)


def test_point_on_a_street_is_snapped_to_its_nearest_piece():
    graph = street([(0, 0), (100, 0), (100, 200)], [(0, 1), (1, 2)])
    lon, lat = spot([30, 108], [4, 50])

    places = snap(graph, lon, lat)

    assert places.edge.tolist() == [0, 1]
    assert np.allclose(places.along_dm, [300, 500], atol=2)
    assert np.allclose(places.off_dm, [40, 80], atol=1)


def test_point_too_far_from_any_street_is_not_attached():
    graph = street([(0, 0), (100, 0)], [(0, 1)])
    lon, lat = spot([50, 50], [10, 900])

    places = snap(graph, lon, lat, limit_m=500)

    assert places.attached.tolist() == [True, False]
    found = distances(prepare(graph), places, places)
    assert found[0, 1] == found[1, 0] == UNREACHABLE


def test_snap_without_a_map_is_refused():
    with pytest.raises(BadProblem, match="no positions"):
        snap(WalkGraph.from_edges(2, [0], [1], [5]), [108.9], [34.2])


def test_doors_beside_the_same_street_walk_directly():
    graph = street([(0, 0), (1000, 0)], [(0, 1)])
    lon, lat = spot([400, 450, 450], [10, -10, -10])
    places = snap(graph, lon, lat)

    found = distances(prepare(graph), places, places)

    assert found[0, 1] == pytest.approx(500 + 100 + 100, abs=3)
    assert found[1, 2] == 0
    assert found[0, 0] == 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), count=st.integers(1, 20))
def test_distances_between_doors_equal_those_of_nodes(seed, count):
    graph = grid_city(6, seed=seed, missing=0.2)
    rng = np.random.default_rng(seed)
    places = snap(graph, 108.9 + rng.random(count) * 0.006, 34.2 + rng.random(count) * 0.006)

    found = distances(prepare(graph), places, places)

    expected = oracle(graph, places)
    apart = places.edge[:, None] != places.edge[None, :]
    assert np.array_equal(found[apart], expected[apart])
    assert np.array_equal(found, found.T)
    assert (np.diagonal(found) == 0).all()


def yard(gate_open):
    """A street along the south, a yard above it with gates at 100 m and 900 m, two houses near the first."""
    graph = street([(0, 0), (1000, 0)], [(0, 1)])
    graph, gates = with_gates(graph, *spot([100, 900], [0, 0]))
    houses = snap(graph, *spot([100, 100, 500], [50, 80, 0]))
    places = behind_gates(houses, [7, 7, -1], gates, [7, 7], gate_open=gate_open)
    return distances(prepare(graph), places, places)


def test_house_in_a_yard_is_reached_through_its_nearest_open_gate():
    both, far_only = yard([True, True]), yard([False, True])

    assert both[0, 2] == pytest.approx(500 * 1.3 + 4000, abs=5)
    assert far_only[0, 2] == pytest.approx(np.hypot(8000, 500) * 1.3 + 4000, abs=10)


def test_neighbours_in_a_yard_need_no_gate():
    assert yard([True, True])[0, 1] == yard([False, False])[0, 1] == pytest.approx(300 * 1.3, abs=3)


def test_yard_with_all_gates_shut_is_cut_off():
    assert yard([False, False])[0, 2] == UNREACHABLE


def test_yard_without_gates_on_the_list_is_open_ground():
    graph = street([(0, 0), (1000, 0)], [(0, 1)])
    houses = snap(graph, *spot([100, 500], [50, 0]))

    places = behind_gates(houses, [7, -1], snap(graph, [], []), [], gate_open=[])

    assert distances(prepare(graph), places, places)[0, 1] == pytest.approx(500 + 4000, abs=3)


def test_gates_split_a_street_without_changing_its_length():
    graph = grid_city(5, seed=2, missing=0.0)
    rng = np.random.default_rng(2)
    lon, lat = 108.9 + rng.random(40) * 0.004, 34.2 + rng.random(40) * 0.004

    finer, gates = with_gates(graph, lon, lat)

    assert finer.edge_dm.sum() == graph.edge_dm.sum()
    assert np.array_equal(true_distances(finer)[:25, :25], true_distances(graph))
    assert np.array_equal(gates.cost_dm, snap(graph, lon, lat).off_dm)


def test_reach_gives_the_nearest_place_within_the_limit():
    graph = grid_city(12, seed=3)
    rng = np.random.default_rng(3)
    places = snap(graph, 108.9 + rng.random(5) * 0.012, 34.2 + rng.random(5) * 0.012)
    truth = true_distances(graph)

    way, nearest = reach(graph, places, limit_dm=4_000)

    for node in range(graph.size):
        ways = [
            min(
                (int(truth[places.node[p], node]) + int(places.cost_dm[p]) for p in span),
                default=UNREACHABLE,
            )
            for span in (range(places.rows[i], places.rows[i + 1]) for i in range(5))
        ]
        if min(ways) > 4_000:
            assert (way[node], nearest[node]) == (UNREACHABLE, -1)
        else:
            assert way[node] == min(ways) == ways[nearest[node]]


def test_reach_of_no_places_is_nowhere():
    graph = grid_city(3, seed=1)

    way, nearest = reach(graph, snap(graph, [], []), limit_dm=100)

    assert (way == UNREACHABLE).all()
    assert (nearest == -1).all()


@pytest.mark.parametrize(
    ("a", "b", "dm", "field"),
    [
        ([0, 1], [1], [5], "edges.a"),
        ([0], [9], [5], "edges.b"),
        ([-1], [1], [5], "edges.a"),
        ([0], [1], [0], "edges.dm"),
        ([0], [1], [1.5], "edges.dm"),
        ([0, 1], [1, 2], [999_999_999, 999_999_999], "edges.dm"),
    ],
)
def test_graph_with_bad_edges_is_refused(a, b, dm, field):
    with pytest.raises(BadProblem) as refused:
        WalkGraph.from_edges(3, a, b, dm)

    assert refused.value.field == field


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), places=st.integers(0, 12), gates=st.integers(0, 6))
def test_places_in_yards_have_the_accesses_of_all_open_gates(seed, places, gates):
    rng = np.random.default_rng(seed)
    graph, doors = with_gates(
        grid_city(5, seed=3, missing=0.1), 108.9 + rng.random(gates) * 0.004, 34.2 + rng.random(gates) * 0.004
    )
    outside = snap(graph, 108.9 + rng.random(places) * 0.004, 34.2 + rng.random(places) * 0.004)
    yard, gate_yard = rng.integers(-1, 3, places), rng.integers(0, 3, gates)
    is_open = rng.random(gates) < 0.6

    moved = behind_gates(outside, yard, doors, gate_yard, gate_open=is_open)

    for place in range(places):
        span = slice(moved.rows[place], moved.rows[place + 1])
        if yard[place] in gate_yard:
            usable = [g for g in range(gates) if gate_yard[g] == yard[place] and is_open[g]]
            assert sorted(moved.node[span]) == sorted(doors.node[usable])
            assert moved.yard[place] == yard[place]
        else:
            own = slice(outside.rows[place], outside.rows[place + 1])
            assert moved.cost_dm[span].tolist() == outside.cost_dm[own].tolist()
