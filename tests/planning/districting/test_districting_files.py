# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files: JSON with positions or links, METIS graphs, and what is wrong with broken ones."""

import json

import numpy as np
import pytest

from muster.planning import districting, engines
from muster.planning.contract import BadProblem
from tests.planning.districting.towns import grid_names, town

# two rows of three vertices: 1-2-3 over 4-5-6
GRAPH = """% two rows of three
6 7 011 2
10 1 2 5 4 1
20 1 1 5 3 5 5 1
30 1 2 5 6 1
10 9 1 1 5 5
20 9 2 1 4 5 6 5
30 9 3 1 5 5
"""


def plain(size=120, **changes):
    """Return a problem file's content with everything in it."""
    rng = np.random.default_rng(1)
    lon, lat = 108.9 + rng.random(size) * 0.01, 34.2 + rng.random(size) * 0.01
    east = (lon > 108.905).tolist()
    raw = {
        "buildings": {
            "name": [f"b{number}" for number in range(size)],
            "population": rng.integers(5, 60, size).tolist(),
            "workload": rng.integers(1, 9, size).tolist(),
            "lon": lon.tolist(),
            "lat": lat.tolist(),
            "community": ["east" if e else "west" for e in east],
            "compound": ["court" if number < 3 and not east[number] else None for number in range(size)],
        },
        "hard_lines": [{"kind": "river", "points": [[108.905, 34.19], [108.905, 34.22]]}],
        "gates": [{"lon": 108.901, "lat": 34.201, "compound": "court"}],
        "levels": [{"name": "small", "count": 8}, {"name": "medium", "count": 2}],
        "measure": "both",
        "tolerance_percent": 5.0,
    }
    return raw | changes


def without(raw, *path):
    copy = json.loads(json.dumps(raw))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return copy


def changed(raw, value, *path):
    copy = json.loads(json.dumps(raw))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return copy


def test_json_problem_is_read_and_divided(tmp_path):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(plain()), encoding="utf-8")

    problem = engines.load_problem("districting", path)
    plan = districting.solve(problem, budget_s=60, seed=1)

    assert problem.community_names[problem.community[0]] in {"east", "west"}
    assert problem.measure is districting.Measure.BOTH
    assert problem.x_m.max() - problem.x_m.min() == pytest.approx(920, abs=30)
    assert districting.check(problem, plan) == []
    assert districting.bound(problem) <= plan.worst_ppm


def test_plan_file_comes_back_as_it_was(tmp_path):
    problem = districting.problem_from_json(plain())
    plan = districting.solve(problem, budget_s=60, seed=1)

    assert districting.write_plan(plan, tmp_path / "plan.json") == [tmp_path / "plan.json"]
    back = districting.read_plan(tmp_path / "plan.json")

    assert back.envelope().to_json() == plan.envelope().to_json()
    assert districting.check(problem, back) == []


def test_today_pins_and_kept_grids_are_read():
    problem = districting.problem_from_json(plain())
    plan = districting.solve(problem, budget_s=60, seed=1)
    names = grid_names(plan)
    today = [{"grid_of": names}, {"grid_of": grid_names(plan, 1)}]
    pins = {"b7": names[7]}

    again = districting.problem_from_json(plain(today=today, pins=pins, kept=[names[0]]))
    new = districting.solve(again, budget_s=60, seed=1)

    assert grid_names(new) == names
    assert districting.pins(again)["b7"] == names[7]


def test_links_may_be_given_instead_of_positions():
    raw = {
        "buildings": {"population": [1, 1, 1, 1]},
        "links": {"a": [0, 1, 2], "b": [1, 2, 3]},
        "levels": [{"name": "small", "count": 2}],
    }

    problem = districting.problem_from_json(raw)

    assert grid_names(districting.solve(problem, budget_s=9, seed=1)) == ["small-1"] * 2 + ["small-2"] * 2
    assert problem.names == ("1", "2", "3", "4")


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ([], None),
        (without(plain(), "buildings"), "buildings"),
        (without(plain(), "levels"), "levels"),
        (without(plain(), "buildings", "population"), "population"),
        (without(plain(), "buildings", "lat"), "lat"),
        (changed(plain(), [], "buildings", "population"), "population"),
        (changed(plain(), -1, "buildings", "population", 3), "population[3]"),
        (changed(plain(), 1.5, "buildings", "population", 3), "population[3]"),
        (changed(plain(), "b1", "buildings", "name", 3), "name"),
        (changed(plain(), 5, "buildings", "name", 3), "name[3]"),
        (changed(plain(), ["x"], "buildings", "community"), "community"),
        (changed(plain(), 300.0, "buildings", "lon", 0), "lon[0]"),
        (changed(plain(), [[1]], "hard_lines", 0, "points"), "points"),
        (changed(plain(), [[1, 2], ["a", 3]], "hard_lines", 0, "points"), "points"),
        (changed(plain(), 7, "hard_lines", 0), ""),
        (changed(plain(), 7, "gates", 0, "compound"), "compound"),
        (changed(plain(), 0, "levels", 0, "count"), "count"),
        (changed(plain(), 500, "levels", 0, "size"), "count"),
        (changed(plain(), "medium", "levels", 0, "name"), "levels"),
        (changed(plain(), 9, "levels", 1, "count"), "levels"),
        (plain(levels=[]), "levels"),
        (plain(levels=[{"name": "a", "size": 9}, {"name": "b", "size": 8}]), "levels"),
        (plain(measure="noise"), "measure"),
        (plain(tolerance_percent=0), "tolerance_percent"),
        (plain(links={"a": [0], "b": [999]}), "b[0]"),
        (plain(links={"a": [0], "b": [1, 2]}), "links"),
        (plain(pins={"nobody": "x"}), "pins"),
        (plain(pins={"b1": 5}), "b1"),
        (plain(kept=["nothing"]), "kept"),
        (plain(today=[{"grid_of": ["x"]}]), "grid_of"),
        (plain(today=[{"grid_of": ["x"] * 120}] * 3), "previous"),
    ],
)
def test_bad_problem_is_refused_and_names_its_field(tmp_path, raw, field):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(raw), encoding="utf-8")

    with pytest.raises(BadProblem) as refused:
        districting.read_problem(path)

    assert field is None or refused.value.field == field
    assert len(str(refused.value)) > 10


def test_metis_graph_is_read_with_people_work_and_strength(tmp_path):
    path = tmp_path / "ground.graph"
    path.write_text(GRAPH)

    problem = districting.read_problem(path)

    assert problem.population.tolist() == [10, 20, 30, 10, 20, 30]
    assert problem.workload.tolist() == [1, 1, 1, 9, 9, 9]
    assert list(zip(problem.links.a, problem.links.b, problem.strength, strict=True)) == [
        (0, 1, 5),
        (0, 3, 1),
        (1, 2, 5),
        (1, 4, 1),
        (2, 5, 1),
        (3, 4, 5),
        (4, 5, 5),
    ]


def test_metis_plan_has_a_partition_file_beside_it(tmp_path):
    path = tmp_path / "ground.graph"
    path.write_text(GRAPH)
    problem = districting.read_problem(path)

    plan = districting.solve(problem, budget_s=9, seed=1)
    written = districting.write_plan(plan, tmp_path / "ground.json")

    assert written == [tmp_path / "ground.json", tmp_path / "ground.part"]
    # the strong rows stay, the weak ties between them are cut
    assert (tmp_path / "ground.part").read_text().split() == ["0", "0", "0", "1", "1", "1"]
    assert plan.worst_ppm == 0
    assert districting.check(problem, plan) == []
    assert districting.read_plan(tmp_path / "ground.json").form == "metis"


@pytest.mark.parametrize(
    ("levels", "counts"),
    [("% levels small 3 medium 1\n", (3, 1)), ("", (2,))],
)
def test_metis_levels_come_from_a_comment_or_the_size(tmp_path, levels, counts):
    path = tmp_path / "ground.graph"
    path.write_text(levels + GRAPH)

    assert tuple(level.count for level in districting.read_problem(path).levels) == counts


def test_metis_graph_of_a_thousand_asks_for_small_grids_of_a_hundred(tmp_path):
    ring = [f"{(v - 1) % 2000 + 1} {(v + 1) % 2000 + 1}" for v in range(2000)]
    path = tmp_path / "ring.graph"
    path.write_text("\n".join(["2000 2000", *ring]))

    problem = districting.read_problem(path)

    assert [(level.name, level.count) for level in problem.levels] == [("small", 20), ("medium", 2)]
    assert problem.population.tolist() == [1] * 2000


@pytest.mark.parametrize(
    "text",
    [
        "",
        "6",
        "0 0",
        "x y",
        "2 1 5\n2\n1\n",
        "2 1\n2\n",
        "2 1\n3\n1\n",
        "2 1\n2\n-1\n",
        "2 2\n2\n1\n",
        "2 1\n2\n1\n7\n",
        "2 1 001\n2\n1 1\n",
        "2 1 010\n\n1 1\n",
        "3 2\n2 3\n3\n1\n",
        "2 1 010 0\n2\n1\n",
        "% levels small\n2 1\n2\n1\n",
        "% levels small 0\n2 1\n2\n1\n",
        "1 0 010\n99999999999999999999\n",
    ],
)
def test_broken_metis_graph_is_refused(tmp_path, text):
    path = tmp_path / "broken.graph"
    path.write_text(text)

    with pytest.raises(BadProblem, match=r"METIS|small|count|level"):
        districting.read_problem(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"grids":["small-1"', '"grids":["small-2"'),
        ('"grid_of":[0', '"grid_of":[99'),
        ('"objective":', '"objective":null,"was":'),
        ('"engine":"districting"', '"engine":"network"'),
    ],
)
def test_broken_plan_file_is_refused(tmp_path, old, new):
    plan = districting.solve(town(60, counts=(3,)), budget_s=9, seed=1)
    path = tmp_path / "plan.json"
    text = plan.envelope().to_json()
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(BadProblem):
        districting.read_plan(path)


def test_schema_names_every_field_that_is_read():
    schema = engines.schema("districting")

    assert set(plain()) | {"links", "today", "pins", "kept", "divide_large_compounds"} == set(
        schema["properties"]
    )
    assert set(schema["required"]) == {"buildings", "levels"}
