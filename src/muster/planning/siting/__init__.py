# SPDX-License-Identifier: Apache-2.0
"""Siting: which sites open so that people walk least, each within its room, and who goes where."""

from muster.planning.siting.checking import check
from muster.planning.siting.explaining import explain, explain_point
from muster.planning.siting.plan import Plan, read_plan, write_plan
from muster.planning.siting.problem import Candidates, Points, Problem, Walks, pins
from muster.planning.siting.reading import make_problem, problem_from_json, read_problem, schema
from muster.planning.siting.solving import Effort, bound, solve

__all__ = [
    "Candidates",
    "Effort",
    "Plan",
    "Points",
    "Problem",
    "Walks",
    "bound",
    "check",
    "explain",
    "explain_point",
    "make_problem",
    "pins",
    "problem_from_json",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
