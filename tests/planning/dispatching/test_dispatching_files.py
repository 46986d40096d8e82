# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files of the dispatching engine, faults in them, and what is said about plans."""

import json

import pytest

from muster.planning import engines
from muster.planning._kernel.words import say
from muster.planning.contract import BadProblem
from muster.planning.dispatching import (
    check,
    explain,
    explain_request,
    make_problem,
    read_plan,
    read_problem,
    schema,
    solve,
    write_plan,
)
from tests.planning.dispatching.streets import day


def raw():
    return {
        "responders": {
            "name": ["an", "bo"],
            "x_m": [0, 100],
            "y_m": [0, 0],
            "traits": [["nurse"], ["driver", "nurse"]],
            "load": [1, 0],
            "capacity": [3, 1],
            "grid": ["east", None],
        },
        "requests": {
            "name": ["tea", "ride"],
            "x_m": [0, 50],
            "y_m": [0, 0],
            "needs": [["nurse"], ["driver"]],
            "avoids": [[], []],
            "grid": ["east", "east"],
            "urgency": [2, 1],
        },
        "weights": {"load_m": 10, "own_grid_m": 20},
        "walk_permille": 1200,
        "declined": [{"request": "tea", "responder": "bo"}],
        "pins": {"ride": "bo"},
    }


def written(tmp_path, content):
    path = tmp_path / "problem.json"
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
    assert again.envelope().solution["responder_of"] == ["an", "bo"]
    assert plan.objective == (0 + 10 - 20) + 60


def test_degrees_are_taken_too(tmp_path):
    content = raw()
    for name in ("responders", "requests"):
        del content[name]["x_m"], content[name]["y_m"]
        content[name] |= {"lon": [104.06, 104.061], "lat": [30.66, 30.66]}

    problem = read_problem(written(tmp_path, content))

    assert problem.walk_m(0, 1) == pytest.approx(1.2 * 95.8, abs=2)


CHANGES = [
    (("responders",), 3, "planning.cure.object"),
    (("responders", "x_m"), None, "planning.cure.present"),
    (("responders", "x_m"), [1], "planning.cure.same_length"),
    (("responders", "name"), ["an", "an"], "planning.cure.once"),
    (("responders", "load"), [0, -1], "planning.cure.integer"),
    (("responders", "traits"), ["nurse", []], "planning.cure.list"),
    (("requests", "needs"), [[1], []], "planning.cure.text"),
    (("requests", "urgency"), [0, 1], "planning.cure.integer"),
    (("weights", "load_m"), "much", "planning.cure.integer"),
    (("declined",), [{"request": "tea", "responder": "nobody"}], "planning.cure.known"),
    (("pins",), {"ride": "an"}, "planning.dispatching.pin_traits"),
    (("responders", "traits"), [[f"t{k}" for k in range(70)], []], "planning.dispatching.too_many_traits"),
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


def test_engine_is_registered_with_a_schema():
    assert engines.schema("dispatching") == schema()
    assert set(raw()) == set(schema()["properties"])


def test_every_reason_has_its_sentence_in_both_languages(tmp_path):
    reasons = []
    for seed in range(60):
        problem = day(seed, people=6, requests=7)
        plan = solve(problem, budget_s=1e9, seed=0)
        reasons += explain(problem, plan)
        for name in problem.requests.names:
            reasons += explain_request(problem, plan, name)
    pinned = read_problem(written(tmp_path, raw()))
    plan = solve(pinned, budget_s=1e9, seed=0)
    reasons += explain(pinned, plan) + explain_request(pinned, plan, "ride")
    rough = make_problem(
        responders={"x_m": [0, 100], "y_m": [0, 0]}, requests={"x_m": [60, 260], "y_m": [0, 0]}
    )
    reasons += explain(rough, solve(rough, budget_s=0, seed=0))

    for reason in reasons:
        for language in ("zh", "en"):
            assert "{" not in say(reason.code, reason.facts, language=language)
    assert {reason.code.removeprefix("planning.dispatching.") for reason in reasons} == {
        "summary",
        "proved",
        "within",
        "pinned",
        "pin",
        "sent",
        "own_grid",
        "nearer_lacks",
        "nearer_barred",
        "nearer_declined",
        "nearer_needed",
        "nearer_full",
        "nearer_loaded",
        "nobody_able",
        "nobody_free",
    }
