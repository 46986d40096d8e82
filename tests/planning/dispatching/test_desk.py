# SPDX-License-Identifier: Apache-2.0
"""The desk's answers against looking at everybody, while people move, take jobs, leave and come back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.planning._kernel.words import say
from muster.planning.dispatching import Desk, explain_suggestion, make_problem
from tests.planning.dispatching.streets import day, score


def looked_up(problem, state, request, count):
    """Return the best responders by looking at everybody, with their scores."""
    people, wanted = problem.responders, problem.requests
    found = []
    for who in range(people.size):
        x, y, load, capacity = state[who]
        free = load < capacity and (request, who) not in set(problem.declined)
        if free and problem.may_go(request, who):
            east, north = x - int(wanted.x_m[request]), y - int(wanted.y_m[request])
            walk = int(np.sqrt(np.float64(east * east + north * north)) * problem.walk_permille * 0.001 + 0.5)
            own = problem.weights.own_grid_m * problem.is_own_grid(request, who)
            found.append((walk + problem.weights.load_m * load - own, who))
    return sorted(found)[:count]


def asked(problem, desk, request, count):
    wanted = problem.requests
    return desk.suggest(
        int(wanted.x_m[request]),
        int(wanted.y_m[request]),
        needs=int(wanted.needs[request]),
        avoids=int(wanted.avoids[request]),
        grid=int(wanted.grid[request]),
        declined=[who for q, who in problem.declined if q == request],
        count=count,
    )


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_suggestions_are_the_best_after_any_changes(seed):
    problem = day(seed, people=40, requests=8)
    rng = np.random.default_rng(seed)
    people = problem.responders
    state = [list(row) for row in zip(people.x_m, people.y_m, people.load, people.capacity, strict=True)]
    desk = Desk.of(problem)

    for _ in range(60):
        who, act = int(rng.integers(40)), rng.integers(5)
        if act == 0:
            state[who][:2] = rng.integers(-2000, 5000, 2)
            desk.move(who, *map(int, state[who][:2]))
        elif act == 1:
            state[who][2] += 1
            desk.take_job(who)
        elif act == 2 and state[who][2] > 0:
            state[who][2] -= 1
            desk.finish_job(who)
        elif act == 3:
            state[who][3] = 0
            desk.leave(who)
        else:
            state[who][3] = int(people.capacity[who])
            desk.come_back(who)

    for request in range(8):
        best = looked_up(problem, state, request, 4)
        found = asked(problem, desk, request, 4)
        assert [suggestion.score_m for suggestion in found] == [points for points, _ in best]
        assert {s.responder for s in found[:-1]} <= {
            who for points, who in looked_up(problem, state, request, 40) if points <= best[-1][0]
        }


def test_suggestion_states_its_figures():
    problem = day(5, people=30, requests=1)
    first = asked(problem, Desk.of(problem), 0, 1)[0]

    assert first.score_m == score(problem, 0, first.responder)
    assert first.walk_m == problem.walk_m(0, first.responder)
    for own in (True, False):
        reason = explain_suggestion(problem, type(first)(first.responder, 1, 2, 3, own))
        assert say(reason.code, reason.facts, language="en") != say(reason.code, reason.facts, language="zh")


def test_rare_trait_is_found_at_the_far_end_of_a_city():
    rng = np.random.default_rng(4)
    traits = [["common"]] * 5_000
    traits[1234] = ["common", "rare"]
    problem = make_problem(
        responders={
            "x_m": rng.uniform(0, 60_000, 5_000),
            "y_m": rng.uniform(0, 60_000, 5_000),
            "traits": traits,
        },
        requests={"x_m": [0], "y_m": [0], "needs": [["rare"]]},
    )
    desk = Desk.of(problem)

    assert [s.responder for s in asked(problem, desk, 0, 3)] == [1234]
    desk.take_job(1234)
    assert asked(problem, desk, 0, 3) == []
    desk.finish_job(1234)
    assert [s.responder for s in asked(problem, desk, 0, 3)] == [1234]


def test_job_that_is_not_there_cannot_be_finished():
    desk = Desk.of(day(1, people=2, requests=1, responders={"x_m": [0, 1], "y_m": [0, 1]}, declined=[]))

    with pytest.raises(ValueError, match="no job"):
        desk.finish_job(0)


def test_empty_desk_suggests_nobody():
    problem = make_problem(responders={"x_m": [], "y_m": []}, requests={"x_m": [5], "y_m": [5]})

    assert Desk.of(problem).suggest(5, 5) == []


def test_people_in_one_spot_are_told_apart():
    problem = make_problem(
        responders={"x_m": [7] * 9, "y_m": [7] * 9, "load": range(9), "capacity": [9] * 9},
        requests={"x_m": [], "y_m": []},
    )

    assert [s.responder for s in Desk.of(problem).suggest(7, 7, count=9)] == list(range(9))
