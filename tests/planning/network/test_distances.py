# SPDX-License-Identifier: Apache-2.0
"""Distances are exact: the hierarchy against scipy's Dijkstra, on graphs of many shapes."""

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning.contract import Cancelled
from muster.planning.network import UNREACHABLE, WalkGraph, at_nodes, distances, prepare, row_blocks, within
from tests.planning.network.cities import grid_city, random_graph, true_distances


def everything(graph: WalkGraph) -> np.ndarray:
    places = at_nodes(np.arange(graph.size))
    return distances(prepare(graph), places, places)


@settings(max_examples=120, deadline=None)
@given(size=st.integers(1, 24), edges=st.integers(0, 60), seed=st.integers(0, 10_000))
def test_distances_equal_dijkstra_on_any_graph(size, edges, seed):
    graph = random_graph(size, edges, seed=seed)

    assert np.array_equal(everything(graph), true_distances(graph))


@pytest.mark.parametrize("seed", [1, 2])
def test_distances_equal_dijkstra_on_a_city(seed):
    graph = grid_city(30, seed=seed)

    assert np.array_equal(everything(graph), true_distances(graph))


def test_distances_on_one_long_street_are_sums():
    dm = np.arange(1, 200)
    graph = WalkGraph.from_edges(200, np.arange(199), np.arange(1, 200), dm)

    found = distances(prepare(graph), at_nodes([0]), at_nodes(np.arange(200)))[0]

    assert np.array_equal(found, np.concatenate([[0], np.cumsum(dm)]))


def test_distances_between_pieces_apart_are_unreachable():
    graph = WalkGraph.from_edges(4, [0, 2], [1, 3], [5, 7])

    assert everything(graph)[0].tolist() == [0, 5, UNREACHABLE, UNREACHABLE]


def test_distances_without_sources_or_targets_are_empty():
    graph = grid_city(4, seed=1)
    hierarchy = prepare(graph)

    assert distances(hierarchy, at_nodes([]), at_nodes([1, 2])).shape == (0, 2)
    assert distances(hierarchy, at_nodes([1, 2]), at_nodes([])).shape == (2, 0)


def test_distances_do_not_depend_on_how_sources_are_grouped():
    graph = grid_city(20, seed=3)
    hierarchy = prepare(graph)
    rng = np.random.default_rng(4)
    sources, targets = at_nodes(rng.integers(0, 400, 150)), at_nodes(rng.integers(0, 400, 70))

    whole = distances(hierarchy, sources, targets)
    blocks = list(row_blocks(hierarchy, sources, targets, rows=37))

    assert [chunk.stop - chunk.start for chunk, _ in blocks] == [37, 37, 37, 37, 2]
    assert np.array_equal(np.concatenate([block for _, block in blocks]), whole)


def test_distances_are_the_same_from_every_executor():
    graph = grid_city(15, seed=5)
    hierarchy = prepare(graph)
    places = at_nodes(np.arange(200))
    here = np.concatenate([block for _, block in row_blocks(hierarchy, places, places, rows=64)])

    for pool in (ThreadPoolExecutor(2), ProcessPoolExecutor(1)):
        with pool:
            there = row_blocks(hierarchy, places, places, rows=64, executor=pool)
            assert np.array_equal(np.concatenate([block for _, block in there]), here)


def test_within_lists_exactly_the_targets_inside_the_limit():
    graph = grid_city(16, seed=6)
    hierarchy = prepare(graph)
    sources, targets = at_nodes(np.arange(0, 256, 3)), at_nodes(np.arange(0, 256, 2))
    matrix = distances(hierarchy, sources, targets)

    near = within(hierarchy, sources, targets, limit_dm=3_000)

    assert len(near.dm)
    for source in range(len(sources)):
        span = slice(near.rows[source], near.rows[source + 1])
        assert near.target[span].tolist() == np.flatnonzero(matrix[source] <= 3_000).tolist()
        assert near.dm[span].tolist() == matrix[source][matrix[source] <= 3_000].tolist()


def test_closed_street_leaves_the_graph():
    graph = WalkGraph.from_edges(3, [0, 1, 0], [1, 2, 2], [5, 5, 100])
    closed = graph.edge_of([1], [2])

    detour = graph.without_edges(np.isin(np.arange(3), closed))

    assert everything(graph)[0, 2] == 10
    assert everything(detour)[0, 2] == 100


def test_distances_can_be_called_off():
    graph = grid_city(10, seed=1)
    places = at_nodes(np.arange(100))
    hierarchy = prepare(graph)

    with pytest.raises(Cancelled):
        distances(hierarchy, places, places, progress=lambda step: False)


def test_hierarchy_reports_its_steps():
    steps = []

    prepare(grid_city(5, seed=1), progress=steps.append)

    assert [(step.stage, step.done) for step in steps] == [
        ("order", 0),
        ("fill", 1),
        ("customize", 2),
        ("customize", 3),
    ]
