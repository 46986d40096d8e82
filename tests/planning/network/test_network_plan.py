# SPDX-License-Identifier: Apache-2.0
"""The engine as a whole: problem files, plans, the independent check and the words for people."""

import dataclasses
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from muster.planning import engines, network
from muster.planning._kernel.words import say
from muster.planning.contract import BadProblem, Status
from tests.planning.network.cities import grid_city


def problem(task="walk", *, seed=1, side=6, count=10, **wishes):
    graph = grid_city(side, seed=seed, missing=0.1)
    rng = np.random.default_rng(seed)
    lon, lat = 108.9 + rng.random(count) * 0.005, 34.2 + rng.random(count) * 0.005
    raw = {
        "task": task,
        "nodes": {"lon": graph.lon.tolist(), "lat": graph.lat.tolist()},
        "edges": {"a": graph.edge_a.tolist(), "b": graph.edge_b.tolist(), "dm": graph.edge_dm.tolist()},
        "places": [{"name": f"d{i}", "lon": lon[i], "lat": lat[i]} for i in range(count)],
    }
    names = [f"d{i}" for i in range(count)]
    raw |= {"stops": names} if task == "walk" else {"sources": names[:4], "targets": names[2:]}
    return raw | wishes


def solved(raw, **settings):
    asked = network.problem_from_json(raw)
    return asked, network.solve(asked, budget_s=60, seed=1, **settings)


@pytest.mark.parametrize(
    "wishes",
    [
        {},
        {"start": "d3"},
        {"returns": True, "start": "d3"},
        {"fixed_first": ["d5", "d1"], "finish": "d0"},
        {"start": "d2", "fixed_first": ["d5", "d1"], "returns": True},
    ],
)
def test_walk_keeps_all_rules(wishes):
    asked, plan = solved(problem(**wishes), kicks=300)

    assert network.check(asked, plan) == []
    assert plan.bound_dm <= plan.objective_dm


def test_matrix_keeps_all_rules():
    asked, plan = solved(problem("distances"))

    assert network.check(asked, plan) == []
    assert plan.envelope().status is Status.OPTIMAL
    assert plan.distances_dm.shape == (4, 8)


def with_piece_apart(raw):
    """Add a short street far away, with one door on it."""
    lon, lat = raw["nodes"]["lon"], raw["nodes"]["lat"]
    lon += [108.95, 108.951]
    lat += [34.25, 34.25]
    for name, value in (("a", len(lon) - 2), ("b", len(lon) - 1), ("dm", 922)):
        raw["edges"][name].append(value)
    raw["places"].append({"name": "far", "lon": 108.9505, "lat": 34.25})
    raw["stops"].append("far")
    return raw


def test_stop_that_no_walk_reaches_is_listed_apart():
    asked, plan = solved(with_piece_apart(problem(start="d0")))

    assert plan.cut_off == ("far",)
    assert network.check(asked, plan) == []


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda p: {"order": p.order[:-1]}, "every_stop_is_walked_once"),
        (lambda p: {"order": (*p.order, p.order[0])}, "every_stop_is_walked_once"),
        (lambda p: {"order": (*p.order[:-1], "nobody")}, "every_stop_is_walked_once"),
        (lambda p: {"order": p.order[::-1]}, "pins_are_kept"),
        (lambda p: {"order": (*p.order[:-1],), "cut_off": p.order[-1:]}, "cut_off_stops_are_cut_off"),
        (lambda p: {"objective_dm": p.objective_dm - 1}, "length_is_true"),
        (lambda p: {"bound_dm": p.objective_dm + 1}, "bound_is_not_above_length"),
    ],
)
def test_check_finds_a_spoilt_walk(spoil, rule):
    asked, plan = solved(problem(start="d4", finish="d7"))

    found = network.check(asked, dataclasses.replace(plan, **spoil(plan)))

    assert rule in {violation.rule for violation in found}


@pytest.mark.parametrize("change", [1, -1])
def test_check_finds_a_wrong_distance(change):
    asked, plan = solved(problem("distances"))
    plan.distances_dm[2, 5] += change

    assert [violation.rule for violation in network.check(asked, plan)] == ["distances_are_shortest"]


def test_check_finds_a_matrix_of_another_shape_and_a_plan_of_another_task():
    asked, plan = solved(problem("distances"))
    walk_asked, walk = solved(problem())

    cut = dataclasses.replace(plan, distances_dm=plan.distances_dm[:, 1:])

    assert [v.rule for v in network.check(asked, cut)] == ["distances_have_the_right_shape"]
    assert [v.rule for v in network.check(walk_asked, plan)] == ["task"]
    assert [v.rule for v in network.check(asked, walk)] == ["task"]


@pytest.mark.parametrize("task", ["walk", "distances"])
def test_plan_file_comes_back_as_it_was(tmp_path, task):
    asked, plan = solved(problem(task), kicks=100)

    assert network.write_plan(plan, tmp_path / "plan.json") == [tmp_path / "plan.json"]
    back = network.read_plan(tmp_path / "plan.json")

    assert back.envelope().to_json() == plan.envelope().to_json()
    assert network.check(asked, back) == []


def test_same_problem_and_seed_give_the_same_bytes_under_another_hash_seed(tmp_path):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(problem(count=30)), encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from muster.planning import network as n; "
        "p = n.read_problem(Path(sys.argv[1])); "
        "print(n.solve(p, budget_s=60, seed=3, kicks=200).envelope().to_json())"
    )

    outputs = {
        subprocess.run(
            [sys.executable, "-c", program, str(path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }

    assert len(outputs) == 1


def test_kernels_run_without_the_compiler():
    """Plain Python checks every index, which compiled code does not."""
    program = (
        "import numpy as np; from muster.planning import network as n; "
        "g = n.WalkGraph.from_edges(6, [0,1,2,3,4,0], [1,2,3,4,5,5], [3,4,5,6,7,8]); "
        "at = n.at_nodes(np.arange(6)); h = n.prepare(g); m = n.distances(h, at, at); "
        "assert m[0].tolist() == [0,3,7,12,15,8], m; "
        "near = n.within(h, at, at, limit_dm=8); assert near.rows[-1] == 20, near.rows; "
        "m = np.abs(np.subtract.outer(np.arange(12), np.arange(12))).astype(np.int32); "
        "w = n.walk_order(m, start=0, kicks=20); assert w.length_dm == w.bound_dm == 11, w"
    )

    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program],
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        check=True,
        timeout=120,
    )


def test_explanation_has_words_in_both_languages():
    plans = [
        solved(problem(start="d1")),
        solved(problem(count=40), kicks=10),
        solved(with_piece_apart(problem(start="d0"))),
        solved(problem("distances")),
    ]

    for asked, plan in plans:
        reasons = network.explain(asked, plan)
        assert reasons
        for reason in reasons:
            assert say(reason.code, reason.facts, language="zh")
            assert say(reason.code, reason.facts, language="en")


def test_matrix_explanation_counts_pairs_not_connected():
    raw = with_piece_apart(problem(start="d0"))
    raw |= {"task": "distances", "sources": ["d0", "far"], "targets": ["d1"]}
    asked, plan = solved(raw)

    codes = {reason.code: reason.facts for reason in network.explain(asked, plan)}

    assert codes["planning.network.distances.unreached"] == {"pairs": 1}
    assert network.check(asked, plan) == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"task": "fly"}, "task"),
        ({"task": None}, "task"),
        ({"stops": ["d0", "nobody"]}, "stops"),
        ({"stops": ["d0", "d0"]}, "stops"),
        ({"stops": "d0"}, "stops"),
        ({"start": 3}, "start"),
        ({"returns": 1}, "returns"),
        ({"edges": {"a": [0], "b": [1]}}, "dm"),
        ({"edges": {"a": [0], "b": [1], "dm": [True]}}, "dm[0]"),
        ({"edges": {"a": [0], "b": [1], "dm": [0]}}, "dm[0]"),
        ({"edges": 5}, ""),
        ({"nodes": {"lon": [1.0], "lat": [91.0]}}, "lat[0]"),
        ({"places": [{"name": "a"}]}, "node"),
        ({"places": [{"name": "a", "node": 999}]}, "node"),
        ({"places": [{"name": 5, "node": 1}]}, "name"),
        ({"places": [{"name": "a", "node": 1}, {"name": "a", "node": 2}]}, "name"),
        ({"places": [{"name": "a", "lon": 1.0, "lat": "x"}]}, "lat"),
        ({"places": [3]}, ""),
    ],
)
def test_bad_problem_is_refused_and_names_its_field(change, field):
    raw = {name: value for name, value in (problem() | change).items() if value is not None}

    with pytest.raises(BadProblem) as refused:
        network.problem_from_json(raw)

    assert refused.value.field == field
    assert str(refused.value)


def test_problem_may_bring_streets_as_geojson():
    lines = [[[108.9, 34.2], [108.901, 34.2], [108.902, 34.2]]]
    roads = {"type": "MultiLineString", "coordinates": lines}
    places = [{"name": "a", "lon": 108.9, "lat": 34.2}, {"name": "b", "lon": 108.902, "lat": 34.2}]
    raw = {"task": "walk", "roads": roads, "places": places, "stops": ["a", "b"]}

    asked, plan = solved(raw)

    assert plan.objective_dm == pytest.approx(1845, abs=3)
    assert network.check(asked, plan) == []


def test_places_on_nodes_need_no_map():
    edges = {"a": [0, 1], "b": [1, 2], "dm": [10, 20]}
    places = [{"name": str(i), "node": i} for i in range(3)]
    raw = {"task": "distances", "edges": edges, "places": places, "sources": ["0"], "targets": ["2", "0"]}

    _, plan = solved(raw)

    assert plan.distances_dm.tolist() == [[30, 0]]


def test_registry_finds_the_engine_and_its_schema(tmp_path):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(problem()), encoding="utf-8")

    assert engines.load_problem("network", path).task is network.Task.WALK
    assert engines.schema("network")["title"]
    assert network.bound(engines.load_problem("network", path)) > 0
    assert network.pins(network.problem_from_json(problem(start="d2", fixed_first=["d5"]))) == (2, 5)


def test_plan_of_another_engine_is_refused(tmp_path):
    _, plan = solved(problem("distances"))
    text = plan.envelope().to_json().replace('"engine":"network"', '"engine":"siting"')
    (tmp_path / "plan.json").write_text(text, encoding="utf-8")

    with pytest.raises(BadProblem):
        network.read_plan(tmp_path / "plan.json")


def test_walk_with_too_many_stops_is_refused():
    asked = dataclasses.replace(network.problem_from_json(problem()), stops=tuple(range(3001)))

    with pytest.raises(BadProblem, match="3000"):
        network.solve(asked, budget_s=1, seed=1)
