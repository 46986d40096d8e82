# SPDX-License-Identifier: Apache-2.0
"""The check of rotas: a lawful one passes, and each rule notices its break."""

from dataclasses import replace

import numpy as np
import pytest

from muster.planning.rostering import Plan, check, make_problem
from muster.planning.rostering.problem import OFF
from muster.planning.rostering.solving import finished
from tests.planning.rostering.gates import SHIFTS

EARLY, LATE, NIGHT = 0, 1, 2


def problem_with(days=7, **person):
    needs = [{"shift": shift["name"], "count": 0} for shift in SHIFTS[:3]]
    facts = {"days": days, "shifts": SHIFTS[:3], "posts": [{"name": "gate", "needs": needs}]}
    facts["people"] = [{"name": "p"} | person]
    return make_problem(**facts, pins=[])


def broken_rules(problem, row):
    plan = finished(problem, np.array([row], np.int32), [], 0, 0)
    return {violation.rule for violation in check(problem, plan)}


_ = OFF
CASES = [
    ("person_is_there", {"unavailable": [{"day": 1}]}, [EARLY, EARLY, _], [EARLY, _, EARLY]),
    (
        "person_is_there",
        {"unavailable": [{"day": 1, "shift": "early"}]},
        [EARLY, EARLY, _],
        [EARLY, LATE, _],
    ),
    ("rest_is_kept", {}, [LATE, EARLY, _], [EARLY, LATE, _]),
    ("rest_is_kept", {"rest_min": 2880}, [NIGHT, _, NIGHT], [NIGHT, _, _]),
    ("rest_is_kept", {"before": {"shift": "night"}}, [EARLY, _, _], [_, EARLY, _]),
    ("minutes_are_within_limits", {"max_minutes": 960}, [EARLY] * 3, [EARLY] * 2 + [_]),
    ("minutes_are_within_limits", {"min_minutes": 960}, [EARLY, _, _], [EARLY, EARLY, _]),
    ("week_is_within_limits", {"max_week_minutes": 480}, [EARLY, EARLY, _], [EARLY, _, _]),
    ("not_too_many_days_in_a_row", {"max_days_on": 2}, [EARLY] * 3, [EARLY, EARLY, _]),
    (
        "not_too_many_days_in_a_row",
        {"max_days_on": 2, "before": {"shift": "early", "days_on": 1}},
        [EARLY, EARLY, _],
        [EARLY, _, EARLY],
    ),
    ("not_too_few_days_in_a_row", {"min_days_on": 2}, [_, EARLY, _], [_, EARLY, EARLY]),
    (
        "not_too_few_days_in_a_row",
        {"min_days_on": 3, "before": {"shift": "early", "days_on": 1}},
        [EARLY, _, _],
        [EARLY, EARLY, _],
    ),
    ("days_off_come_together", {"min_days_off": 2}, [EARLY, _, EARLY], [_, _, EARLY]),
    (
        "days_off_come_together",
        {"min_days_off": 2, "before": {"shift": "early", "days_off": 1}},
        [EARLY, _, _],
        [_, EARLY, _],
    ),
    ("shifts_of_a_kind_are_within_limits", {"max_nights": 1}, [NIGHT, NIGHT, _], [NIGHT, LATE, _]),
]


@pytest.mark.parametrize(("rule", "person", "wrong", "right"), CASES)
def test_broken_rule_is_named(rule, person, wrong, right):
    problem = problem_with(days=3, **person)

    assert rule in broken_rules(problem, wrong)
    assert rule not in broken_rules(problem, right)


def test_weekends_are_counted_from_saturday_to_sunday():
    problem = problem_with(days=14, max_weekends=1)
    both = [OFF] * 5 + [EARLY, EARLY] + [OFF] * 7
    two = [OFF] * 6 + [EARLY] + [OFF] * 5 + [EARLY, OFF]

    assert "weekends_are_within_limits" in broken_rules(problem, two)
    assert broken_rules(problem, both) == set()


def mixed():
    """Return one gate with a party member (must be there) and a medic, and a plan that keeps every rule."""
    needs = [
        {"shift": "early", "kind": "party", "must": True, "days": [0]},
        {"shift": "early", "kind": "medic", "days": [0]},
    ]
    problem = make_problem(
        days=2,
        shifts=SHIFTS[:1],
        posts=[{"name": "gate", "needs": needs}],
        people=[{"name": "a", "kinds": ["party"]}, {"name": "b", "kinds": ["medic"]}],
        pins=[{"person": "a", "day": 0, "post": "gate", "shift": "early", "kind": "party"}],
        previous=[{"person": "a", "day": 1, "post": "gate", "shift": "early", "kind": "party"}],
        change_cost=7,
    )
    return problem, finished(problem, np.array([[0, OFF], [OFF, OFF]], np.int32), [], 0, 0)


def test_lawful_plan_passes_with_its_cost():
    problem, plan = mixed()

    assert check(problem, plan) == []
    assert plan.objective == 1_000 + 2 * 7
    assert [(entry.day, entry.duty, entry.missing) for entry in plan.short] == [(0, 1, 1)]


def remade(problem, rows):
    return finished(problem, np.array(rows, np.int32), [], 0, 0)


def test_person_of_another_kind_is_noticed():
    problem, _ = mixed()

    rules = {violation.rule for violation in check(problem, remade(problem, [[0, OFF], [0, OFF]]))}

    assert rules == {"person_can_do_it"}


def test_pin_and_must_are_noticed():
    problem, _ = mixed()

    rules = {violation.rule for violation in check(problem, remade(problem, [[OFF, OFF], [1, OFF]]))}

    assert rules == {"pins_are_kept", "must_be_filled"}


def changed(plan: Plan, **facts) -> Plan:
    return replace(plan, **facts)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"people": ("a", "c")}, "people_are_those_of_the_problem"),
        ({"roster": np.full((2, 3), OFF, np.int32)}, "people_are_those_of_the_problem"),
        ({"duties": (("gate", "late", "party"),) * 2}, "duties_are_those_of_the_problem"),
        ({"short": ()}, "shortages_are_stated"),
        ({"objective": 1_000}, "objective_adds_up"),
        ({"bound": 2_000}, "bound_is_no_higher"),
    ],
)
def test_what_the_plan_says_of_itself_is_checked(change, rule):
    problem, plan = mixed()

    assert rule in {violation.rule for violation in check(problem, changed(plan, **change))}
