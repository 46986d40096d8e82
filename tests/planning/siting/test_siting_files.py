# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files of the siting engine: its own form, those of the field, faults in them, the CLI."""

import json
import tarfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from muster.base.unpacking import unpack
from muster.cli.planning import register_commands
from muster.planning import engines
from muster.planning.contract import BadProblem, Status
from muster.planning.siting import Effort, check, read_plan, read_problem, schema, solve, write_plan

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
# OR-Library's best known costs of pmed1, 3, 5 …
PMEDIAN = {1: 5819, 3: 4250, 5: 1355, 7: 5631, 9: 2734, 13: 4374, 15: 1729, 19: 2845, 29: 3033, 37: 5057}

GRAPH = "4 5 2\n1 2 3\n2 3 9\n3 4 2\n1 4 50\n 2 3 4 \n"
TABLE = "2 3\n10 8\n20.5 10\n4 5 3\n1 7\n2 6\n9 1\n"


def raw():
    return {
        "points": {
            "name": ["north", "south", "east"],
            "people": [60, 40, 20],
            "weight": [1, 2, 1],
            "x_m": [0, 10, 300],
            "y_m": [0, 0, 0],
            "from_min": [480, 480, 480],
            "to_min": [720, 720, 720],
        },
        "candidates": {
            "name": ["gate", "hall"],
            "x_m": [0, 300],
            "y_m": [0, 0],
            "capacity": [100, 100],
            "open_cost": [50, 10],
            "per_hour": [50, 40],
            "opens": [[[480, 600]], [[480, 540], [600, 660]]],
        },
        "limit_m": 800,
        "walk_permille": 1300,
        "count": 2,
        "may_split": False,
        "unserved_m": 5_000,
        "pins": {"open": ["gate"], "points": {"east": "hall"}},
    }


def written(tmp_path, content, name="problem.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_problem_file_is_read_solved_written_and_read_again(tmp_path):
    problem = read_problem(written(tmp_path, raw()))
    plan = solve(problem, budget_s=1e9, seed=3)
    path = tmp_path / "plan.json"

    assert write_plan(plan, path) == [path]
    again = read_plan(path)

    assert again.envelope().to_json() == plan.envelope().to_json()
    assert check(problem, again) == []
    assert (plan.objective, plan.status, plan.site_of) == (1100, Status.OPTIMAL, ("gate", "gate", "hall"))


def test_plan_of_divided_points_is_read_again(tmp_path):
    content = raw() | {"may_split": True, "pins": {}, "count": 2}
    content["points"]["people"] = [90, 40, 20]
    problem = read_problem(written(tmp_path, content))

    plan = solve(problem, budget_s=1e9, seed=3)
    write_plan(plan, tmp_path / "plan.json")

    assert plan.shares
    assert check(problem, read_plan(tmp_path / "plan.json")) == []


def test_walks_can_be_given_instead_of_places(tmp_path):
    content = {
        "points": {"people": [3, 4]},
        "candidates": {"name": ["a", "b"]},
        "walks": {"point": [0, 0, 1, 1], "candidate": [0, 1, 1, 1], "metres": [9, 5, 70, 60]},
    }

    problem = read_problem(written(tmp_path, content))

    assert problem.walks.cost.tolist() == [15, 27, 240]


def test_degrees_are_taken_too(tmp_path):
    content = raw()
    for name, count in (("points", 3), ("candidates", 2)):
        del content[name]["x_m"], content[name]["y_m"]
        content[name] |= {"lon": [104.06 + 0.002 * i for i in range(count)], "lat": [30.66] * count}

    problem = read_problem(written(tmp_path, content))

    assert problem.walks.cost.max() == pytest.approx(80 * 1.3 * 191.4, rel=0.02)


def test_of_an_edge_given_twice_the_last_counts(tmp_path):
    problem = read_problem(written(tmp_path, GRAPH, "graph.txt"))

    plan = solve(problem, budget_s=1e9, seed=0)

    assert problem.walks.cost.reshape(4, 4)[0].tolist() == [0, 3, 7, 9]
    assert (plan.objective, plan.bound) == (5, 5)


def test_rows_with_decimals_keep_their_unit(tmp_path):
    problem = read_problem(written(tmp_path, TABLE, "table"))

    plan = solve(problem, budget_s=1e9, seed=0)

    assert problem.candidates.open_cost.tolist() == [205, 100]
    assert (plan.objective, plan.status) == (34.5, Status.OPTIMAL)
    assert check(problem, plan) == []


CHANGES = [
    (("points",), None, "planning.cure.present"),
    (("points", "people"), [1, 2], "planning.cure.same_length"),
    (("points", "people"), [1, 2, -1], "planning.cure.integer"),
    (("points", "people"), [1, 2, 1.5], "planning.cure.integer"),
    (("points", "name"), ["north", "north", "east"], "planning.cure.once"),
    (("points", "name"), ["north", "", "east"], "planning.cure.text"),
    (("points", "to_min"), [720, 480, 720], "planning.siting.ends_early"),
    (("points", "x_m"), [0, "far", 1], "planning.cure.number"),
    (("points", "x_m"), None, "planning.cure.present"),
    (("candidates", "capacity"), [1], "planning.cure.same_length"),
    (("candidates", "opens"), [[[480, 600]], [[540, 480]]], "planning.siting.hours"),
    (("candidates", "opens"), [[[480, 600]], [[480, 540], [530, 550]]], "planning.siting.hours"),
    (("candidates", "opens"), [[[480, 600]], 8], "planning.cure.list"),
    (("candidates", "opens"), None, "planning.cure.present"),
    (("walks",), {"point": [3], "candidate": [0], "metres": [1]}, "planning.cure.integer"),
    (("walks",), {"point": [0], "candidate": [0], "metres": []}, "planning.cure.same_length"),
    (("walks",), {"point": [0], "candidate": [0]}, "planning.cure.present"),
    (("count",), 3, "planning.cure.integer"),
    (("count",), "two", "planning.cure.integer"),
    (("limit_m",), -1, "planning.cure.integer"),
    (("may_split",), 1, "planning.cure.one_of"),
    (("pins",), {"open": ["nowhere"]}, "planning.cure.known"),
    (("pins",), {"points": ["east"]}, "planning.cure.object"),
]


@pytest.mark.parametrize(("where", "value", "cure"), CHANGES)
def test_fault_in_a_file_is_named_with_its_cure(tmp_path, where, value, cure):
    content = raw()
    inner = content
    for name in where[:-1]:
        inner = inner[name]
    inner[where[-1]] = value

    with pytest.raises(BadProblem) as caught:
        read_problem(written(tmp_path, content))

    assert caught.value.cure == cure
    assert str(caught.value)


TEXTS = [
    ("", "planning.cure.file_form"),
    ("nothing of the kind", "planning.siting.number_in_line"),
    ("1", "planning.cure.file_form"),
    ("{", "planning.cure.valid_json"),
    ("[1, 2]", "planning.siting.number_in_line"),
    (GRAPH + "1 2", "planning.siting.edge_count"),
    (GRAPH.replace("50", "-50"), "planning.siting.number_in_line"),
    (GRAPH.replace("50", "x"), "planning.siting.number_in_line"),
    (GRAPH.replace("50", "nan"), "planning.siting.number_in_line"),
    (GRAPH.replace("50", "1e99"), "planning.cure.integer"),
    (GRAPH.replace("1 4 50", "1 5 50"), "planning.cure.integer"),
    (GRAPH.replace("4 5 2", "4 5 9"), "planning.cure.integer"),
    (GRAPH.replace("4 5 2", "4000000 5 2"), "planning.siting.too_large"),
    (TABLE + "5", "planning.siting.number_count"),
    (TABLE.replace("10 8", "10 8.5"), "planning.cure.integer"),
    (TABLE.replace("20.5", "1e99"), "planning.cure.number"),
]


@pytest.mark.parametrize(("text", "cure"), TEXTS)
def test_fault_in_a_file_of_the_field_is_named_with_its_cure(tmp_path, text, cure):
    with pytest.raises(BadProblem) as caught:
        read_problem(written(tmp_path, text, "file.txt"))

    assert caught.value.cure == cure
    assert str(caught.value)


PLANS = [
    ({"site_of": ["gate"]}, "planning.cure.same_length"),
    ({"site_of": ["gate", 4, None]}, "planning.cure.text"),
    ({"unserved": [["east", "bored"]]}, "planning.cure.one_of"),
    ({"unserved": ["east"]}, "planning.cure.text"),
    ({"shares": [["east", "gate", 0]]}, "planning.cure.integer"),
    ({"open": None}, "planning.cure.present"),
    ({"prices": [1.5]}, "planning.cure.integer"),
]


@pytest.mark.parametrize(("changes", "cure"), PLANS)
def test_fault_in_a_plan_file_is_named(tmp_path, changes, cure):
    plan = solve(read_problem(written(tmp_path, raw())), budget_s=1e9, seed=0)
    content = json.loads(plan.envelope().to_json())
    content["solution"] |= changes

    with pytest.raises(BadProblem) as caught:
        read_plan(written(tmp_path, content, "plan.json"))

    assert caught.value.cure == cure


def test_engine_is_registered_with_a_schema():
    assert engines.schema("siting") == schema()
    assert set(raw()) <= set(schema()["properties"])


@pytest.mark.parametrize("content", [raw(), GRAPH, TABLE])
def test_command_line_plans_and_checks_a_file(tmp_path, content):
    problem, plan = written(tmp_path, content), tmp_path / "plan.json"
    app = typer.Typer()
    register_commands(app)
    shell = CliRunner()

    planned = shell.invoke(app, ["plan", "siting", str(problem), "-o", str(plan), "--seconds", "5"])
    checked = shell.invoke(app, ["check", "siting", str(problem), str(plan)])

    assert (planned.exit_code, checked.exit_code) == (0, 0), planned.output + checked.output


def unpacked(tmp_path_factory, name):
    archive = SHARED / name
    if not archive.is_file():
        pytest.skip(f"{name} is not here")
    folder = tmp_path_factory.mktemp("data")
    with tarfile.open(archive) as tar:
        unpack(tar, folder)
    return folder


@pytest.fixture(scope="module")
def graphs(tmp_path_factory):
    return unpacked(tmp_path_factory, "pmedian.tgz") / "pmedian"


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return unpacked(tmp_path_factory, "sscflp.tgz") / "sscflp"


@pytest.mark.parametrize("number", PMEDIAN)
def test_known_medians_are_reached(graphs, number):
    problem = read_problem(graphs / f"pmed{number}.txt")

    plan = solve(problem, budget_s=1e9, seed=0, effort=Effort(kicks=400, steps=600))

    assert plan.objective == PMEDIAN[number]
    assert plan.bound >= 0.99 * plan.objective
    assert check(problem, plan) == []


@pytest.mark.parametrize(
    ("library", "number"),
    [("Lib_1", 1), ("Lib_1", 9), ("Lib_2", 1), ("Lib_2", 31), ("Lib_2", 55)],
)
def test_known_tables_are_within_one_percent(tables, library, number):
    problem = read_problem(tables / library / f"p{number}")
    best = int((tables / library / "os").read_text().split()[number - 1])

    plan = solve(problem, budget_s=1e9, seed=0, effort=Effort(rounds=5_000, steps=300, finish=0))

    assert best <= plan.objective <= 1.01 * best
    assert plan.bound <= best
    assert check(problem, plan) == []
