# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files of the batching engine, faults in them, and what is said about plans."""

import json

import pytest

from muster.planning import engines
from muster.planning._kernel.words import say
from muster.planning.batching import (
    Effort,
    check,
    explain,
    explain_unit,
    read_plan,
    read_problem,
    schema,
    solve,
    write_plan,
)
from muster.planning.contract import BadProblem
from tests.planning.batching.quarters import quarter


def raw():
    return {
        "units": {
            "name": ["1-1", "1-2", "2-1"],
            "building": ["1", "1", "2"],
            "x_m": [0, 10, 300],
            "y_m": [0, 0, 0],
            "people": [60, 40, 20],
            "slots": [["am", "pm"], ["am"], ["pm"]],
        },
        "sites": {"name": ["gate", "hall"], "x_m": [0, 300], "y_m": [0, 0], "lanes": [2, [1, 3]]},
        "slots": {"name": ["am", "pm"], "start_min": [540, 840], "minutes": [120, 120]},
        "reach_m": 800,
        "site_choices": 2,
        "walk_permille": 1300,
        "stagger_min": 6,
        "pins": {"2-1": {"site": "hall", "slot": "pm"}},
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
    assert plan.objective == 26_667


def test_sites_and_walks_can_be_given(tmp_path):
    content = raw()
    content["units"] |= {"sites": [["gate"], ["hall", "gate"], ["hall"]], "walk_m": [[50], [90, 20], [70]]}

    problem = read_problem(written(tmp_path, content))

    assert problem.choices.walk_m.tolist() == [50, 50, 20, 90, 70]


def test_degrees_are_taken_too(tmp_path):
    content = raw()
    for name, count in (("units", 3), ("sites", 2)):
        del content[name]["x_m"], content[name]["y_m"]
        content[name] |= {"lon": [104.06 + 0.002 * i for i in range(count)], "lat": [30.66] * count}

    problem = read_problem(written(tmp_path, content))

    assert problem.choices.walk_m.max() == pytest.approx(1.3 * 383, rel=0.02)


CHANGES = [
    (("units",), None, "planning.cure.present"),
    (("units", "people"), [1, 2], "planning.cure.same_length"),
    (("units", "people"), [1, 2, -1], "planning.cure.integer"),
    (("units", "name"), ["1-1", "1-1", "2-1"], "planning.cure.once"),
    (("units", "slots"), [["am"], "am", ["pm"]], "planning.cure.list"),
    (("units", "slots"), [["am"], [4], ["pm"]], "planning.cure.text"),
    (("units", "sites"), [["gate"], ["nowhere"], ["hall"]], "planning.cure.known"),
    (("sites", "lanes"), [2, [1]], "planning.cure.same_length"),
    (("sites", "lanes"), [2, "many"], "planning.cure.integer"),
    (("slots", "name"), ["am", "am"], "planning.cure.once"),
    (("slots", "name"), None, "planning.cure.present"),
    (("slots", "minutes"), [120, 0], "planning.cure.integer"),
    (("stagger_min",), -1, "planning.cure.integer"),
    (("pins",), {"2-1": {"site": "hall"}}, "planning.cure.present"),
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
    assert engines.schema("batching") == schema()
    assert set(raw()) == set(schema()["properties"])


def test_every_reason_has_its_sentence_in_both_languages(tmp_path):
    pinned = read_problem(written(tmp_path, raw()))
    cases = [(quarter(seed, houses=40, places=4, mean=2.0), Effort()) for seed in range(4)]
    cases += [(quarter(1, houses=60, places=3), Effort(0, 0, 0, 0)), (pinned, Effort())]
    reasons = []
    for problem, effort in cases:
        plan = solve(problem, budget_s=1e9, seed=0, effort=effort)
        reasons += explain(problem, plan)
        for name in problem.units.names:
            reasons += explain_unit(problem, plan, name)

    for reason in reasons:
        for language in ("zh", "en"):
            assert "{" not in say(reason.code, reason.facts, language=language)
    assert {reason.code.removeprefix("planning.batching.") for reason in reasons} == {
        "summary",
        "proved",
        "within",
        "large_unit",
        "bottleneck",
        "pinned",
        "unit",
        "unit_pinned",
        "unit_nearer",
    }
