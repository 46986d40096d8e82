# SPDX-License-Identifier: Apache-2.0
"""Rostering: who stands where in which shift: rest, hours, mixed kinds of people, fairness, wishes."""

from muster.planning.rostering.bounding import bound
from muster.planning.rostering.checking import check
from muster.planning.rostering.explaining import explain, explain_missing, explain_person
from muster.planning.rostering.piecework import Effort
from muster.planning.rostering.plan import Plan, Shortage, read_plan, write_plan
from muster.planning.rostering.problem import Problem, pins
from muster.planning.rostering.reading import make_problem, problem_from_json, read_problem, schema
from muster.planning.rostering.rota_files import problem_from_rota
from muster.planning.rostering.solving import solve

__all__ = [
    "Effort",
    "Plan",
    "Problem",
    "Shortage",
    "bound",
    "check",
    "explain",
    "explain_missing",
    "explain_person",
    "make_problem",
    "pins",
    "problem_from_json",
    "problem_from_rota",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
