# SPDX-License-Identifier: Apache-2.0
"""Allocating: goods and money from several sources to areas by need, fairly, in whole packs, with reasons."""

from muster.planning.allocating.bounding import bound
from muster.planning.allocating.checking import check
from muster.planning.allocating.explaining import explain, explain_line
from muster.planning.allocating.making import make_problem
from muster.planning.allocating.plan import Plan, read_plan, write_plan
from muster.planning.allocating.problem import Problem, pins
from muster.planning.allocating.reading import problem_from_json, read_problem, schema
from muster.planning.allocating.solving import Effort, solve

__all__ = [
    "Effort",
    "Plan",
    "Problem",
    "bound",
    "check",
    "explain",
    "explain_line",
    "make_problem",
    "pins",
    "problem_from_json",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
