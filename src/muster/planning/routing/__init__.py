# SPDX-License-Identifier: Apache-2.0
"""Routing: who drives or walks to which doors in which order, within capacities, windows and shifts."""

from muster.planning.routing.bounding import bound
from muster.planning.routing.checking import check
from muster.planning.routing.explaining import explain, explain_stop
from muster.planning.routing.plan import LeftOut, Plan, Route, read_plan, write_plan
from muster.planning.routing.problem import Depots, Fleet, Pin, Problem, Stops, Ways, pins
from muster.planning.routing.reading import make_problem, problem_from_json, read_problem
from muster.planning.routing.schema import schema
from muster.planning.routing.solving import Effort, solve

__all__ = [
    "Depots",
    "Effort",
    "Fleet",
    "LeftOut",
    "Pin",
    "Plan",
    "Problem",
    "Route",
    "Stops",
    "Ways",
    "bound",
    "check",
    "explain",
    "explain_stop",
    "make_problem",
    "pins",
    "problem_from_json",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
