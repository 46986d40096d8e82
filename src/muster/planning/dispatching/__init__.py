# SPDX-License-Identifier: Apache-2.0
"""Dispatching: the best responder for a request within microseconds, and many requests at once."""

from muster.planning.dispatching.bounding import bound
from muster.planning.dispatching.checking import check
from muster.planning.dispatching.desk import Desk, Suggestion
from muster.planning.dispatching.explaining import explain, explain_request, explain_suggestion
from muster.planning.dispatching.plan import Plan, read_plan, write_plan
from muster.planning.dispatching.problem import Problem, Requests, Responders, Weights, pins
from muster.planning.dispatching.reading import make_problem, problem_from_json, read_problem, schema
from muster.planning.dispatching.solving import one_by_one, solve

__all__ = [
    "Desk",
    "Plan",
    "Problem",
    "Requests",
    "Responders",
    "Suggestion",
    "Weights",
    "bound",
    "check",
    "explain",
    "explain_request",
    "explain_suggestion",
    "make_problem",
    "one_by_one",
    "pins",
    "problem_from_json",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
