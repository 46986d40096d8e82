# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files of the allocating engine, faults in them, and what is said about plans."""

import json
import subprocess
import sys

import numpy as np
import pytest

from muster.planning import engines
from muster.planning._kernel.words import say
from muster.planning.allocating import (
    Effort,
    check,
    explain,
    explain_line,
    read_plan,
    read_problem,
    schema,
    solve,
    write_plan,
)
from muster.planning.contract import BadProblem
from tests.planning.allocating.towns import town


def raw():
    return {
        "items": {"name": ["rice", "noodles", "mask"], "pack": [5, 5, 10], "weight": [100, 100, 50]},
        "sources": {"name": ["hall", "gate"], "x_m": [0, 900], "y_m": [0, 0]},
        "areas": {"name": ["north", "south", "far"], "x_m": [100, 700, 9000], "y_m": [0, 50, 0]},
        "stock": {
            "source": ["hall", "gate", "hall", "hall"],
            "item": ["rice", "rice", "mask", "noodles"],
            "units": [40, 31, 500, 10],
        },
        "needs": {
            "area": ["north", "south", "north", "south", "far"],
            "item": ["rice", "rice", "mask", "mask", "rice"],
            "units": [60, 52, 95, 100, 20],
            "least": [10, 0, 0, 0, 0],
            "weight": [100, 150, 100, 100, 100],
        },
        "reach_m": 2000,
        "detour_permille": 1200,
        "stand_ins": {"item": ["rice"], "by": ["noodles"], "extra_m": [200]},
        "limits": {"name": ["van"], "amount": [30]},
        "uses": {"limit": ["van"], "source": ["hall"], "item": ["rice"], "each": [1]},
        "pins": {"area": ["south"], "item": ["rice"], "source": ["hall"], "packs": [2]},
    }


def written(tmp_path, content):
    path = tmp_path / "problem.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_problem_file_is_read_solved_written_and_read_again(tmp_path):
    problem = read_problem(written(tmp_path, raw()))
    plan = solve(problem, budget_s=1e9, seed=3)
    path = tmp_path / "plan.json"

    assert write_plan(plan, path) == [path]
    again = read_plan(path)

    assert again.envelope().to_json() == plan.envelope().to_json()
    assert check(problem, again) == []


def typed(*words):
    command = [sys.executable, "-m", "muster.cli.main", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_command_line_plans_and_checks_a_file(tmp_path):
    problem, plan = written(tmp_path, raw()), tmp_path / "plan.json"

    made = typed("plan", "allocating", str(problem), "-o", str(plan))
    looked = typed("check", "allocating", str(problem), str(plan))
    refused = typed("plan", "allocating", str(plan), "-o", str(tmp_path / "other.json"))

    assert (made.returncode, looked.returncode, refused.returncode) == (0, 0, 2), made.stderr + looked.stderr
    assert "allocating: OPTIMAL" in made.stdout
    assert "holds every rule" in looked.stdout
    assert len(refused.stderr.strip().splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.json", "problem.json"]


def test_degrees_and_lanes_are_taken_too(tmp_path):
    content = raw()
    for name, count in (("sources", 2), ("areas", 3)):
        del content[name]["x_m"], content[name]["y_m"]
        content[name] |= {"lon": [104.06 + 0.002 * n for n in range(count)], "lat": [30.66] * count}
    by_degrees = read_problem(written(tmp_path, content))
    for name in ("sources", "areas"):
        del content[name]["lon"], content[name]["lat"]
    content["lanes"] = {"source": ["hall", "gate"], "area": ["south", "south"], "metres": [70, 80]}
    by_lanes = read_problem(written(tmp_path, content))

    assert by_degrees.metres.max() == pytest.approx(1.2 * 383, rel=0.02)
    assert by_lanes.metres.tolist() == [[-1, -1], [70, 80], [-1, -1]]


CHANGES = [
    (("items",), None, "planning.cure.present"),
    (("items",), [], "planning.cure.object"),
    (("items", "name"), ["rice", "rice", "mask"], "planning.cure.once"),
    (("items", "name"), ["rice", "", "mask"], "planning.cure.text"),
    (("items", "pack"), [5, 5], "planning.cure.same_length"),
    (("items", "pack"), [5, 0, 10], "planning.cure.integer"),
    (("items", "colour"), ["red"] * 3, "planning.cure.one_of"),
    (("colour",), 4, "planning.cure.one_of"),
    (("needs", "units"), [60, 50, 95, 100], "planning.cure.same_length"),
    (("needs", "units"), [60, 50, 95, 100, -1], "planning.cure.integer"),
    (("needs", "units"), [60, 50.5, 95, 100, 1], "planning.cure.integer"),
    (("needs", "units"), [60, 10**12, 95, 100, 1], "planning.cure.integer"),
    (("needs", "area"), ["north", "south", "north", "south", "nowhere"], "planning.cure.known"),
    (("needs", "weight"), [100, 100, 100, 100, 0], "planning.cure.integer"),
    (("stock", "item"), ["rice", "rice", "rice", "noodles"], "planning.allocating.row_twice"),
    (("stock", "item"), ["rice", "rice", "mask", "tea"], "planning.cure.known"),
    (("areas", "x_m"), [100, "near", 9000], "planning.cure.number"),
    (("areas", "x_m"), [100, 900], "planning.cure.same_length"),
    (("stand_ins", "by"), ["mask"], "planning.allocating.other_pack"),
    (("uses", "source"), ["gate"], None),
    (("uses", "item"), ["noodles"], None),
    (("uses", "item"), ["tea"], "planning.cure.known"),
    (("pins", "packs"), [9], "planning.allocating.promised_beyond_stock"),
    (("pins", "item"), ["noodles"], "planning.allocating.no_such_need"),
    (("pins", "area"), ["far"], "planning.allocating.promised_without_way"),
    (("reach_m",), -1, "planning.cure.integer"),
    (("detour_permille",), 10, "planning.cure.integer"),
]


@pytest.mark.parametrize(("where", "value", "cure"), [change for change in CHANGES if change[2]])
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


def test_engine_is_registered_with_a_schema():
    assert engines.schema("allocating") == schema()
    assert set(raw()) | {"lanes"} == set(schema()["properties"])


def test_plan_file_without_its_columns_is_refused(tmp_path):
    problem = read_problem(written(tmp_path, raw()))
    path = tmp_path / "plan.json"
    write_plan(solve(problem, budget_s=1e9, seed=0), path)
    whole = json.loads(path.read_text(encoding="utf-8"))
    faults = [
        lambda plan: plan["solution"].pop("lines"),
        lambda plan: plan["solution"]["lines"].pop("packs"),
        lambda plan: plan["solution"]["lines"]["packs"].pop(),
        lambda plan: plan["solution"]["lines"]["area"].__setitem__(0, 5),
        lambda plan: plan["solution"]["prices"].__setitem__("colour", []),
        lambda plan: plan.__setitem__("objective", "low"),
        lambda plan: plan.__setitem__("engine", "batching"),
    ]
    for fault in faults:
        content = json.loads(json.dumps(whole))
        fault(content)
        path.write_text(json.dumps(content), encoding="utf-8")
        with pytest.raises(BadProblem):
            read_plan(path)


def test_every_reason_has_its_sentence_in_both_languages(tmp_path):
    content = raw()
    content["needs"]["least"] = [60, 0, 0, 0, 20]
    content["limits"]["amount"] = [3]
    tight, usual = read_problem(written(tmp_path, content)), read_problem(written(tmp_path, raw()))
    cases = [(tight, Effort()), (usual, Effort()), (usual, Effort(most_ways=0))]
    cases += [(town(seed, areas=9, sources=3, items=2, share=0.5), Effort()) for seed in range(4)]
    cases += [(town(4, areas=60, sources=6, items=2, share=0.7), Effort(most_ways=0))]
    reasons = []
    for problem, effort in cases:
        plan = solve(problem, budget_s=1e9, seed=0, effort=effort)
        assert check(problem, plan) == []
        reasons += explain(problem, plan)
        for row in range(problem.needs.size):
            reasons += explain_line(problem, plan, *problem.need_name(row))

    for reason in reasons:
        for language in ("zh", "en"):
            assert "{" not in say(reason.code, reason.facts, language=language)
    said = {reason.code.removeprefix("planning.allocating.") for reason in reasons}
    assert said >= {
        "summary", "proved", "within", "unmet", "scarce", "cut_off", "limit_used", "pinned",
        "gets_all", "gets_part", "gets_nothing", "stock_short", "limit_short", "next_in_turn", "share_alike",
        "weighed", "guaranteed", "comes_from", "nearer_empty", "promised",
    }  # fmt: skip


def test_short_area_is_told_what_lacks_and_how_others_fare():
    problem = town(2, areas=12, sources=2, items=1, share=0.5, boxes=30, plain=True)
    plan = solve(problem, budget_s=1e9, seed=0)
    row = int(np.argmax(problem.needs.units))

    reasons = {
        reason.code.rsplit(".", 1)[1]: reason.facts
        for reason in explain_line(problem, plan, *problem.need_name(row))
    }

    assert reasons["stock_short"]["stock"] == int(problem.stock.packs.sum())
    assert reasons["stock_short"]["needed"] == int(problem.packs_needed().sum())
    assert reasons["share_alike"]["lowest"] <= reasons["gets_part"]["percent"] + 20


@pytest.mark.parametrize(("area", "item"), [("nowhere", "rice"), ("north", "tea"), ("north", "noodles")])
def test_line_that_nobody_asked_for_has_no_reason(tmp_path, area, item):
    problem = read_problem(written(tmp_path, raw()))
    plan = solve(problem, budget_s=1e9, seed=0)

    with pytest.raises(KeyError):
        explain_line(problem, plan, area, item)
