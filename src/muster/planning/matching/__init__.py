# SPDX-License-Identifier: Apache-2.0
"""Matching responders to posts: every skill asked for, each person once, least walking, proved."""

from muster.planning.matching.engine import bound, check, explain, read_plan, solve, write_plan
from muster.planning.matching.explaining import explain_post, explain_responder
from muster.planning.matching.flow_files import FlowProblem
from muster.planning.matching.flows import FlowPlan
from muster.planning.matching.making import Wanted, make_problem
from muster.planning.matching.plan import Plan, Prices
from muster.planning.matching.problem import Posts, Problem, Weights, pins
from muster.planning.matching.reading import problem_from_json, read_problem, schema
from muster.planning.matching.solving import Effort

__all__ = [
    "Effort",
    "FlowPlan",
    "FlowProblem",
    "Plan",
    "Posts",
    "Prices",
    "Problem",
    "Wanted",
    "Weights",
    "bound",
    "check",
    "explain",
    "explain_post",
    "explain_responder",
    "make_problem",
    "pins",
    "problem_from_json",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
