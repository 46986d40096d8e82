# SPDX-License-Identifier: Apache-2.0
"""Who is next to whom: no link over a river, through walls only at gates, and the ground hangs together."""

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from muster.planning.districting import Gate, Ground, HardLine, Level, build_links, make_problem
from muster.planning.districting.adjacency import lawful_links
from muster.planning.districting.crossing import crossed


def ground(points, *, community=None, compound=None, lines=(), gates=()):
    x, y = np.asarray(points, float).T
    size = len(x)
    return Ground(
        x,
        y,
        np.zeros(size, np.int32) if community is None else np.asarray(community, np.int32),
        np.full(size, -1, np.int32) if compound is None else np.asarray(compound, np.int32),
        lines,
        gates,
    )


def line(kind, *points):
    x, y = np.asarray(points, float).T
    return HardLine(kind, x, y)


def pairs(links):
    return set(zip(links.a.tolist(), links.b.tolist(), strict=True))


def pieces(size, links):
    found = coo_matrix((np.ones(len(links.a)), (links.a, links.b)), shape=(size, size))
    return connected_components(found.tocsr(), directed=False)[0]


def scattered(size, seed, side=1000):
    return np.random.default_rng(seed).integers(0, side, (size, 2)).astype(float)


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 60), seed=st.integers(0, 10_000), side=st.sampled_from([3, 50, 1000, 9000]))
def test_open_ground_hangs_together(size, seed, side):
    links = build_links(ground(scattered(size, seed, side)))

    assert pieces(size, links) == 1
    assert (links.a < links.b).all()
    assert len(pairs(links)) == len(links.a)


def test_buildings_on_one_line_or_one_spot_are_chained():
    row = build_links(ground([(0, 0), (100, 0), (50, 0), (50, 0)]))

    assert pairs(row) == {(0, 2), (2, 3), (1, 2)}


def test_single_building_has_no_links():
    assert len(build_links(ground([(5, 5)])).a) == 0


def test_far_building_is_held_by_its_shortest_link_only():
    links = build_links(ground([(0, 0), (30, 0), (0, 30), (30, 30), (2000, 15)]))

    far = [pair for pair in pairs(links) if 4 in pair]
    assert len(far) == 1
    assert far[0][0] in {1, 3}


def test_river_is_not_crossed():
    points = scattered(300, seed=1)
    river = line("river", (-10, 400), (300, 520), (700, 480), (1010, 600))

    links = build_links(ground(points, lines=[river]))

    shape = shapely.linestrings(np.stack([river.x_m, river.y_m], axis=1))
    ends = np.stack([points[links.a], points[links.b]], axis=1)
    assert not shapely.intersects(shapely.linestrings(ends), shape).any()
    assert pieces(300, links) == 2


def test_building_drawn_on_a_river_is_on_one_side_of_it():
    river = line("river", (50, -100), (50, 300))
    points = [(x, y) for x in (10, 50, 90) for y in (0, 40, 80, 120)]

    x, y = np.asarray(points, float).T
    levels = [Level("small", count=2)]
    problem = make_problem(population=[1] * 12, x_m=x, y_m=y, hard_lines=[river], levels=levels)

    assert pieces(12, problem.links) == 2


def test_buildings_round_the_end_of_a_wall_of_water_stay_one_piece():
    points = scattered(300, seed=2)
    inlet = line("river", (500.3, -10), (500.3, 900))

    assert pieces(300, build_links(ground(points, lines=[inlet]))) == 1


def test_communities_are_joined_by_links_only_where_they_touch():
    points = scattered(200, seed=3)
    community = (points[:, 0] > 500).astype(int)

    links = build_links(ground(points, community=community))

    inner = community[links.a] == community[links.b]
    own = coo_matrix((np.ones(inner.sum()), (links.a[inner], links.b[inner])), shape=(200, 200))
    assert connected_components(own.tocsr(), directed=False)[0] == 2
    assert (~inner).any()


def yard():
    """Four houses in a walled yard, houses all around it."""
    inside = [(90, 90), (110, 90), (90, 110), (110, 110)]
    around = [
        (x, y) for x in range(0, 201, 25) for y in range(0, 201, 25) if not (60 < x < 140 and 60 < y < 140)
    ]
    wall = line("wall", (70, 70), (130, 70), (130, 130), (70, 130), (70, 70))
    compound = [0] * 4 + [-1] * len(around)
    return inside + around, compound, wall


def test_wall_is_passed_at_its_gate_only():
    points, compound, wall = yard()

    links = build_links(ground(points, compound=compound, lines=[wall], gates=[Gate(130, 100, 0)]))

    outward = [pair for pair in pairs(links) if pair[0] < 4 <= pair[1]]
    assert outward
    assert all(points[b][0] >= 130 for _, b in outward)
    assert links.through_wall[[pair in outward for pair in zip(links.a, links.b, strict=True)]].all()
    assert pieces(len(points), links) == 1


def test_wall_without_a_gate_is_passed_once():
    points, compound, wall = yard()

    links = build_links(ground(points, compound=compound, lines=[wall]))

    assert len([pair for pair in pairs(links) if pair[0] < 4 <= pair[1]]) == 1
    assert pieces(len(points), links) == 1


def test_wall_inside_a_compound_does_not_divide_it():
    points, compound, _ = yard()
    inner = line("wall", (100, 60), (100, 140))

    links = build_links(ground(points, compound=compound, lines=[inner]))

    assert (0, 1) in pairs(links) or (2, 3) in pairs(links)


def test_given_links_over_a_line_are_dropped():
    place = ground([(0, 0), (10, 0), (20, 0)], lines=[line("railway", (15, -5), (15, 5))])

    links = lawful_links(place, np.asarray([0, 2, 1, 1]), np.asarray([1, 1, 0, 1]))

    assert pairs(links) == {(0, 1)}


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), side=st.sampled_from([20, 400, 5000]))
def test_crossings_agree_with_shapely(seed, side):
    rng = np.random.default_rng(seed)
    start, end = rng.integers(0, side, (2, 80, 2)).astype(float)
    lines = rng.integers(-side // 4, side + side // 4, (12, 4)).astype(float)
    weight = rng.integers(1, 3, 12).astype(np.int32)

    found = crossed(start[:, 0], start[:, 1], end[:, 0], end[:, 1], lines, weight)

    links = shapely.linestrings(np.stack([start, end], axis=1))
    shapes = shapely.linestrings(lines.reshape(12, 2, 2))
    meets = shapely.intersects(links[:, None], shapes[None, :])
    assert found.tolist() == np.where(meets, weight, 0).max(axis=1).tolist()


def test_no_lines_cross_nothing():
    nothing = np.zeros((0, 4))

    assert crossed(
        np.ones(2), np.ones(2), np.zeros(2), np.zeros(2), nothing, np.zeros(0, np.int32)
    ).tolist() == [0, 0]


def test_compound_with_others_between_its_houses_is_held_together():
    points = [(0, 0), (40, 0), (80, 0), (40, 12), (40, -12)]

    links = build_links(ground(points, compound=[0, -1, 0, -1, -1]))

    assert (0, 2) in pairs(links)


def test_compound_on_both_banks_of_a_river_is_not_held_together():
    river = line("river", (50, -300), (50, 300))
    points = [(0, 0), (0, 30), (100, 0), (100, 30)]

    links = build_links(ground(points, compound=[0, 0, 0, 0], lines=[river]))

    assert pairs(links) == {(0, 1), (2, 3)}
