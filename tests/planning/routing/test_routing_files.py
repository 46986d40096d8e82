# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files of the routing engine: JSON, VRPLIB, faults in them, what is said about plans."""

import json
import tarfile
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from muster.base.unpacking import unpack
from muster.cli.planning import register_commands
from muster.planning import engines
from muster.planning._kernel.words import say
from muster.planning.contract import BadProblem, Status
from muster.planning.routing import (
    Effort,
    check,
    explain,
    explain_stop,
    read_plan,
    read_problem,
    schema,
    solve,
    write_plan,
)
from muster.planning.routing.finishing import route_of
from tests.planning.routing.villages import transfers, village

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
LITTLE = Effort(steps=400, rounds=2)


def raw():
    return {
        "stops": {
            "name": ["A", "B", "C", "D"],
            "x_m": [0, 100, 200, 300],
            "y_m": [50, 50, 50, 50],
            "demand": [3, 4, 1, None],
            "service_s": [60, 60, 60, 60],
            "open_s": [None, 0, 600, None],
            "close_s": [3_000, None, 3_000, None],
            "skills": [["nurse"], None, [], []],
            "penalty": [None, 400, None, None],
        },
        "depots": {"name": ["base"], "x_m": [0], "y_m": [0]},
        "vehicles": {
            "name": ["van", "bike"],
            "depot": ["base", None],
            "end": [None, "anywhere"],
            "count": [2, 1],
            "capacity": [8, 4],
            "shift_start_s": [0, 0],
            "shift_end_s": [7_200, 7_200],
            "max_stops": [6, None],
            "max_distance_m": [5_000, 3_000],
            "max_time_s": [7_000, None],
            "fixed_cost": [100, 10],
            "skills": [["nurse"], []],
        },
        "pairs": [["C", "D"]],
        "metres_per_minute": 80,
        "detour_permille": 1_300,
        "pins": [{"vehicle": "van-2", "stops": ["A"]}],
    }


def written(tmp_path, content, name="problem.json"):
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def planned(problem, effort=LITTLE):
    return solve(problem, budget_s=1e9, seed=3, effort=effort)


def test_problem_file_is_read_solved_written_and_read_again(tmp_path):
    problem = read_problem(written(tmp_path, raw()))
    plan = planned(problem)
    path = tmp_path / "plan.json"

    assert write_plan(plan, path) == [path]
    again = read_plan(path)

    assert again == plan
    assert check(problem, again) == []


def test_degrees_are_taken_too(tmp_path):
    content = raw()
    for name, count in (("stops", 4), ("depots", 1)):
        del content[name]["x_m"], content[name]["y_m"]
        content[name] |= {"lon": [104.06 + 0.002 * i for i in range(count)], "lat": [30.66] * count}

    problem = read_problem(written(tmp_path, content))

    assert problem.length_between(0, 2) == pytest.approx(1.3 * 191.8, rel=0.01)


def test_tables_are_taken_too(tmp_path):
    content = raw()
    content["distance_m"] = [[abs(a - b) * 70 for b in range(5)] for a in range(5)]
    content["time_s"] = [[abs(a - b) * 60 for b in range(5)] for a in range(5)]

    problem = read_problem(written(tmp_path, content))
    plan = planned(problem)

    assert check(problem, plan) == []
    assert problem.length_between(0, 4) == 280


CHANGES = [
    (("stops",), None, "planning.cure.present"),
    (("stops", "demand"), [1, 2], "planning.cure.same_length"),
    (("stops", "demand"), [1, 2, 0, -3], "planning.cure.integer"),
    (("stops", "demand"), [1, 2, 0, True], "planning.cure.integer"),
    (("stops", "demand"), "4", "planning.cure.list"),
    (("stops", "name"), ["A", "A", "C", "D"], "planning.cure.once"),
    (("stops", "name"), ["A", "", "C", "D"], "planning.cure.text"),
    (("stops", "x_m"), [0, 1, 2, 1e12], "planning.cure.number"),
    (("stops", "x_m"), None, "planning.cure.present"),
    (("stops", "skills"), [["nurse"], "nurse", [], []], "planning.cure.list"),
    (("stops", "skills"), [["nurse"], [4], [], []], "planning.cure.text"),
    (("stops", "open_s"), [None, 0, 4_000, None], "planning.routing.window_order"),
    (("stops", "penalty"), [None, 400, 3, None], "planning.routing.pair_penalty"),
    (("stops", "demand"), [3, 4, 1, 2], "planning.routing.pair_amount"),
    (("depots",), {}, "planning.cure.not_empty"),
    (("vehicles", "depot"), ["home", None], "planning.cure.known"),
    (("vehicles", "depot"), [3, None], "planning.cure.text"),
    (("vehicles", "shift_end_s"), [10, -10], "planning.cure.integer"),
    (("vehicles", "shift_start_s"), [9_000, 0], "planning.routing.window_order"),
    (("vehicles", "name"), ["van", "van-2"], "planning.cure.once"),
    (("vehicles", "count"), [100_001, 1], "planning.cure.integer"),
    (("vehicles", "count"), [100_000, 1], "planning.routing.too_many_vehicles"),
    (("pairs",), [["C"]], "planning.routing.pair_form"),
    (("pairs",), [["C", "X"]], "planning.cure.known"),
    (("pairs",), [["C", "C"]], "planning.cure.once"),
    (("pairs",), [["C", "D"], ["A", "C"]], "planning.cure.once"),
    (("pins",), [{"vehicle": "lorry"}], "planning.cure.known"),
    (("pins",), [{"vehicle": "van-3"}], "planning.cure.known"),
    (("pins",), [{"vehicle": "van"}], "planning.cure.known"),
    (("pins",), [{"vehicle": "bike"}, {"vehicle": "bike"}], "planning.cure.once"),
    (("pins",), [{"vehicle": "bike", "stops": ["X"]}], "planning.cure.known"),
    (("pins",), [{"vehicle": "bike", "stops": ["A", "A"]}], "planning.cure.once"),
    (("pins",), [{"vehicle": "bike", "stops": [1]}], "planning.cure.text"),
    (("pins",), [{"vehicle": "bike", "free_at_s": 5}], "planning.routing.free_without_driven"),
    (("pins",), [{"vehicle": "bike", "driven": ["D"]}], "planning.routing.pair_pins"),
    (
        ("pins",),
        [{"vehicle": "bike", "stops": ["C"]}, {"vehicle": "van-1", "stops": ["D"]}],
        "planning.routing.pair_pins",
    ),
    (("distance_m",), [[0, 1], [1, 0]], "planning.routing.table_size"),
    (("distance_m",), [[0, 1], [1]], "planning.routing.table_size"),
    (("time_s",), [[0]], "planning.cure.present"),
    (("metres_per_minute",), 0, "planning.cure.integer"),
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


@pytest.mark.parametrize("text", ["[]", "{", '{"stops": [] }', "\x00", "", "EOF"])
def test_file_that_is_no_problem_is_refused(tmp_path, text):
    with pytest.raises(BadProblem):
        read_problem(written(tmp_path, text))


def test_engine_is_registered_with_a_schema():
    assert engines.schema("routing") == schema()
    assert set(raw()) | {"distance_m", "time_s"} == set(schema()["properties"])
    assert set(raw()["vehicles"]) == set(schema()["properties"]["vehicles"]["properties"])


CVRP = """NAME : tiny
COMMENT : "four doors: and a depot"
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 0 10
3 10 10
4 10 0
5 20 0
DEMAND_SECTION
1 0
2 5
3 5
4 5
5 5
DEPOT_SECTION
1
-1
EOF
"""
WINDOWS = CVRP.replace("CVRP", "VRPTW").replace(
    "DEPOT_SECTION", "TIME_WINDOW_SECTION\n1 0 100\n2 0 100\n3 30 100\n4 0 100\n5 0 100\nDEPOT_SECTION"
)
MATRIX = """NAME: m
TYPE: CVRP
DIMENSION: 3
VEHICLES: 1
CAPACITY: 9
EDGE_WEIGHT_TYPE: EXPLICIT
EDGE_WEIGHT_FORMAT: LOWER_ROW
EDGE_WEIGHT_SECTION
4
5 6
DEMAND_SECTION
1 0
2 1
3 1
"""


def test_file_of_the_field_is_solved_and_its_solution_written(tmp_path):
    problem = read_problem(written(tmp_path, CVRP, "tiny.vrp"))
    plan = planned(problem)
    paths = write_plan(plan, tmp_path / "plan.json")

    assert check(problem, plan) == []
    assert [path.name for path in paths] == ["plan.json", "plan.sol"]
    *routes, cost = paths[1].read_text().splitlines()
    assert [sorted(line.partition(": ")[2].split()) for line in routes] == [["1", "2"], ["3", "4"]]
    assert cost == f"Cost {plan.objective}"
    assert plan.objective == 10 + 10 + 14 + 10 + 10 + 20


def test_lengths_are_cut_off_after_one_decimal_where_there_are_windows(tmp_path):
    problem = read_problem(written(tmp_path, WINDOWS, "tiny.vrp"))
    plan = planned(problem)
    text = write_plan(plan, tmp_path / "plan.json")[1].read_text()

    assert problem.length_between(0, 2) == 141
    assert check(problem, plan) == []
    assert text.splitlines()[-1] == "Cost 74.1"


def test_weights_may_stand_in_the_file(tmp_path):
    problem = read_problem(written(tmp_path, MATRIX, "m.vrp"))

    assert planned(problem).objective == 4 + 6 + 5


def test_route_with_a_limit_on_its_length(tmp_path):
    text = CVRP.replace("CAPACITY : 10", "CAPACITY : 20\nDISTANCE : 45\nSERVICE_TIME : 1")
    problem = read_problem(written(tmp_path, text, "d.vrp"))
    plan = planned(problem)

    assert check(problem, plan) == []
    assert len(plan.routes) == 2


FIELD_FAULTS = [
    (CVRP.replace("DIMENSION : 5", "DIMENSION : five"), "DIMENSION", "number"),
    (CVRP.replace("DIMENSION : 5", "DIMENSION : 6"), "NODE_COORD_SECTION", "node_missing"),
    (CVRP.replace("DIMENSION : 5", "DIMENSION : 500001"), "DIMENSION", "too_many_stops"),
    (CVRP.replace("DIMENSION : 5\n", ""), "DIMENSION", "present"),
    (CVRP.replace("CAPACITY : 10\n", ""), "CAPACITY", "present"),
    (CVRP.replace("EUC_2D", "GEO"), "EDGE_WEIGHT_TYPE", "one_of"),
    (CVRP.replace("TYPE : CVRP", "TYPE : MDVRP"), "TYPE", "one_of"),
    (CVRP.replace("3 10 10", "3 10"), "NODE_COORD_SECTION", "vrplib_row"),
    (CVRP.replace("3 10 10", "3 10 nan"), "NODE_COORD_SECTION", "number"),
    (CVRP.replace("3 10 10", "2 10 10"), "NODE_COORD_SECTION", "once"),
    (CVRP.replace("3 10 10", "9 10 10"), "NODE_COORD_SECTION", "number"),
    (CVRP.replace("3 5\n", "3 5.5\n"), "DEMAND_SECTION", "integer"),
    (CVRP.replace("3 5\n", "3 -5\n"), "DEMAND_SECTION", "number"),
    (CVRP.replace("1 0\n2 5", "1 4\n2 5"), "DEMAND_SECTION", "depot_demand"),
    (CVRP.replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n1\n2"), "DEPOT_SECTION", "one_depot"),
    (CVRP.replace("DEMAND_SECTION", "PRIZE_SECTION"), "PRIZE_SECTION", "one_of"),
    (CVRP.replace("EOF", "DEMAND_SECTION"), "DEMAND_SECTION", "once"),
    ("7 7 7\n" + CVRP, "", "vrplib_line"),
    (WINDOWS.replace("3 30 100", "3 130 100"), "TIME_WINDOW_SECTION", "window_order"),
    (MATRIX.replace("5 6", "5"), "EDGE_WEIGHT_SECTION", "weights"),
    (MATRIX.replace("LOWER_ROW", "FUNNY"), "EDGE_WEIGHT_FORMAT", "one_of"),
]


@pytest.mark.parametrize(("text", "field", "cure"), FIELD_FAULTS)
def test_fault_in_a_file_of_the_field_is_named_with_its_line(tmp_path, text, field, cure):
    with pytest.raises(BadProblem) as caught:
        read_problem(written(tmp_path, text, "bad.vrp"))

    assert caught.value.field == field
    assert caught.value.cure.rpartition(".")[2] == cure
    assert caught.value.where.startswith("bad.vrp")


PLAN_FAULTS = [
    ("objective", 1.5),
    ("bound", "x"),
    ("routes", [{"vehicle": "van-1"}]),
    ("routes", [{"vehicle": "v", "stops": ["A"], "begins": [], "start": 0, "end": 0, "length": 0}]),
    ("routes", [{"vehicle": "v", "stops": [1], "begins": [1], "start": 0, "end": 0, "length": 0}]),
    ("left_out", [{"stop": "A"}]),
]


@pytest.mark.parametrize(("name", "value"), PLAN_FAULTS)
def test_fault_in_a_plan_file_is_refused(tmp_path, name, value):
    plan = planned(read_problem(written(tmp_path, raw())))
    content = json.loads(plan.envelope().to_json())
    (content if name in content else content["solution"])[name] = value

    with pytest.raises(BadProblem):
        read_plan(written(tmp_path, content, "plan.json"))


def test_command_line_plans_and_checks_a_file(tmp_path):
    problem = written(tmp_path, CVRP, "tiny.vrp")
    plan = tmp_path / "tiny.plan.json"
    app = typer.Typer()
    register_commands(app)
    run = CliRunner()

    solved = run.invoke(app, ["plan", "routing", str(problem), "-o", str(plan), "--seconds", "0.2"])
    checked = run.invoke(app, ["check", "routing", str(problem), str(plan)])

    assert solved.exit_code == 0, solved.output
    assert "objective=74" in solved.output
    assert (tmp_path / "tiny.plan.sol").exists()
    assert checked.exit_code == 0, checked.output


def test_every_reason_has_its_sentence_in_both_languages(tmp_path):
    problems = [village(seed) for seed in range(12)] + [transfers(0)]
    problems += [read_problem(written(tmp_path, raw())), read_problem(written(tmp_path, CVRP))]
    found = []
    for problem in problems:
        plan = planned(problem)
        found += explain(problem, plan)
        for stop in problem.stops.names:
            found += explain_stop(problem, plan, stop)

    for reason in found:
        for language in ("zh", "en"):
            assert "{" not in say(reason.code, reason.facts, language=language)
    assert {reason.code.rpartition(".")[2] for reason in found} >= {
        "summary", "summary_file", "infeasible", "within", "pinned", "stop", "stop_pinned", "not_worth"
    }  # fmt: skip


@pytest.mark.shared_data
def test_known_solutions_cost_what_their_files_say(tmp_path):
    """The lengths are those of the field: the best known routes cost what is written beside them."""
    if not (DATA / "cvrp.tgz").exists():
        pytest.skip("no shared data beside the checkout")
    for pack, names in (("cvrp", ["X-n101-k25", "X-n502-k39"]), ("vrptw", ["R1_10_1", "RC2_10_5"])):
        with tarfile.open(DATA / f"{pack}.tgz") as archive:
            unpack(archive, tmp_path, only=lambda name, names=names: Path(name).stem in names)
        for name in names:
            problem = read_problem(next(tmp_path.rglob(f"{name}.vrp")))
            lines = next(tmp_path.rglob(f"{name}.sol")).read_text().splitlines()
            routes = [line.partition(":")[2].split() for line in lines if line.startswith("Route")]
            cost = next(float(line.split()[1]) for line in lines if line.startswith("Cost"))
            rows = {stop: row for row, stop in enumerate(problem.stops.names)}
            known = [
                route_of(problem, 0, f"vehicle-{k + 1}", [], [rows[stop] for stop in route], None)
                for k, route in enumerate(routes)
            ]
            length = sum(route.length for route in known)

            assert length == round(cost * problem.divisor)
            plan = planned(problem, effort=Effort(1, 1))
            whole = type(plan)(tuple(known), (), Status.FEASIBLE, length, 0, 0, problem.divisor, True)
            assert check(problem, whole) == []
            assert length <= plan.objective <= 1.6 * length
