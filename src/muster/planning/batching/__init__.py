# SPDX-License-Identifier: Apache-2.0
"""Batching: who goes to which site when, so that nobody queues long and no whole city starts at once."""

from muster.planning.batching.bounding import bottleneck, bound
from muster.planning.batching.checking import check
from muster.planning.batching.explaining import explain, explain_unit
from muster.planning.batching.plan import Batches, Plan, read_plan, write_plan
from muster.planning.batching.problem import Choices, Problem, Sites, Slots, Units, pins
from muster.planning.batching.reading import make_problem, problem_from_json, read_problem, schema
from muster.planning.batching.solving import Effort, solve

__all__ = [
    "Batches",
    "Choices",
    "Effort",
    "Plan",
    "Problem",
    "Sites",
    "Slots",
    "Units",
    "bottleneck",
    "bound",
    "check",
    "explain",
    "explain_unit",
    "make_problem",
    "pins",
    "problem_from_json",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
