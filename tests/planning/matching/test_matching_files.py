# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files of the matching engine, what is wrong with them, and what is said about plans."""

import json
from dataclasses import replace

import numpy as np
import pytest

from muster.planning import engines
from muster.planning._kernel.words import say, texts
from muster.planning.contract import BadProblem
from muster.planning.matching import (
    check,
    explain,
    explain_post,
    explain_responder,
    read_plan,
    read_problem,
    schema,
    solve,
    write_plan,
)
from tests.planning.matching.towns import town


def raw():
    return {
        "responders": {
            "name": ["an", "bo", "cai"],
            "skills": [["nurse"], ["nurse", "driver"], []],
            "x_m": [0, 100, 200],
            "y_m": [0, 0, 0],
            "home": ["east", None, "west"],
            "team": ["one", "one", None],
            "reach_m": [900, 900, 900],
        },
        "grids": {"name": ["east", "west"], "x_m": [0, 400], "y_m": [0, 0]},
        "posts": {
            "grid": ["east", "west", "west"],
            "skill": ["nurse", "driver", "cook"],
            "need": [1, 1, 2],
            "spare": [0, 1, 0],
        },
        "weights": {"unfilled_m": 5000, "team_m": 10},
        "walk_permille": 1300,
        "pins": {"bo": {"grid": "west", "skill": "driver"}},
        "bars": [{"responder": "cai", "grid": "east"}],
    }


def written(tmp_path, content):
    path = tmp_path / "problem.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_problem_file_is_read_solved_written_and_read_again(tmp_path):
    problem = read_problem(written(tmp_path, raw()))
    plan = solve(problem, budget_s=1e9, seed=4)
    path = tmp_path / "plan.json"

    assert write_plan(plan, path) == [path]
    again = read_plan(path)

    assert again.envelope().to_json() == plan.envelope().to_json() == path.read_text(encoding="utf-8")
    assert check(problem, again) == []
    assert again.envelope().solution["grid_of"] == ["east", "west", None]
    assert plan.objective == -300 + 390 + 2 * 5000 + 10


def test_degrees_are_taken_too(tmp_path):
    content = raw()
    for name in ("responders", "grids"):
        count = len(content[name].pop("x_m"))
        content[name].pop("y_m")
        content[name] |= {"lon": [108.95 + 0.001 * i for i in range(count)], "lat": [34.26] * count}

    problem = read_problem(written(tmp_path, content))

    assert 90 < problem.x_m[1] - problem.x_m[0] < 94


def test_table_of_walks_stands_for_positions(tmp_path):
    content = raw()
    for name in ("responders", "grids"):
        del content[name]["x_m"], content[name]["y_m"]
    content["walk"] = {"place": [0, 0, 1], "metres": [[70, 80], [90, 10]]}

    problem = read_problem(written(tmp_path, content))

    assert [problem.walk_to(who, 1) for who in range(3)] == [80, 80, 10]


CHANGES = [
    (("responders",), None, "planning.cure.present"),
    (("responders", "skills"), [["a"], "b", []], "planning.cure.list"),
    (("responders", "skills"), [["a"], [3], []], "planning.cure.text"),
    (("responders", "name"), ["an", "an", "bo"], "planning.cure.once"),
    (("responders", "name"), ["an", "bo"], "planning.cure.same_length"),
    (("responders", "home"), ["nowhere", None, None], "planning.cure.known"),
    (("responders", "x_m"), [0, 1, "far"], "planning.cure.number"),
    (("responders", "reach_m"), [1, 2, -3], "planning.cure.integer"),
    (("grids", "name"), ["east", "east"], "planning.cure.once"),
    (("posts", "need"), [1, 1.5, 2], "planning.cure.integer"),
    (("posts", "grid"), ["east", "west", "north"], "planning.cure.known"),
    (("posts", "skill"), ["nurse", "cook", "cook"], "planning.matching.post_twice"),
    (("weights", "spare_m"), 9000, "planning.matching.spare_above_need"),
    (("weights", "unfilled_m"), -1, "planning.cure.integer"),
    (("walk",), {"metres": [[1, 2], [3]]}, "planning.cure.same_length"),
    (("walk",), {"metres": [[1], [3]]}, "planning.matching.walk_table"),
    (("walk_permille",), 10, "planning.cure.integer"),
    (("bars",), [{"responder": "an"}], "planning.cure.present"),
    (("bars",), [{"responder": "an", "grid": "north"}], "planning.cure.known"),
    (("pins",), [], "planning.cure.object"),
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


@pytest.mark.parametrize("content", ["", "{", "{}", "[1]", '{"responders": 3}'])
def test_what_is_no_problem_file_is_refused(tmp_path, content):
    with pytest.raises(BadProblem):
        read_problem(written(tmp_path, content))


def test_engine_is_registered_with_a_schema():
    assert engines.schema("matching") == schema()
    assert set(raw()) == set(schema()["properties"]) - {"walk"}


def test_plan_of_another_problem_is_refused(tmp_path):
    problem = read_problem(written(tmp_path, raw()))
    plan = solve(problem, budget_s=1e9, seed=0)

    assert check(town(4, people=5), plan) != []
    assert check(problem, replace(plan, responders=("x", "y", "z"))) != []


def test_every_reason_has_its_sentence_in_both_languages(tmp_path):
    reasons = []
    for seed in range(12):
        problem = town(seed, people=14, grids=4, skills=3)
        plan = solve(problem, budget_s=1e9, seed=0)
        reasons += explain(problem, plan)
        for name in problem.responders:
            reasons += explain_responder(problem, plan, name)
        for post in range(len(problem.posts.grid)):
            grid, skill = problem.grids[problem.posts.grid[post]], problem.skills[problem.posts.skill[post]]
            reasons += explain_post(problem, plan, grid, skill)
    pinned = read_problem(written(tmp_path, raw()))
    plan = solve(pinned, budget_s=1e9, seed=0)
    reasons += explain(pinned, plan) + explain_responder(pinned, plan, "bo")
    reasons += explain_responder(pinned, plan, "cai") + explain_post(pinned, plan, "west", "cook")

    for reason in reasons:
        for language in ("zh", "en"):
            assert "{" not in say(reason.code, reason.facts, language=language)
    said = {reason.code for reason in reasons}
    spoken = {code for code in texts() if code.removeprefix("planning.matching.") in SPOKEN}
    assert said == spoken


SPOKEN = {
    "summary",
    "proved",
    "within",
    "pinned",
    "seat",
    "seat_own",
    "seat_pinned",
    "seat_other",
    "idle_skill",
    "idle_reach",
    "idle_full",
    "post_filled",
    "post_no_skill",
    "post_reach",
    "post_short",
}


def test_reasons_of_a_rough_plan_state_its_gap():
    problem = town(5, people=20, grids=5, skills=2)
    plan = solve(problem, budget_s=1e9, seed=0)

    reasons = explain(problem, replace(plan, bound=plan.objective - abs(plan.objective) // 10 - 1))

    assert "planning.matching.within" in {reason.code for reason in reasons}
    assert np.isfinite(plan.objective)
