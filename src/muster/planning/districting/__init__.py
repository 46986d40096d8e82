# SPDX-License-Identifier: Apache-2.0
"""Dividing ground into grids: small, medium and large ones, each whole, even, and inside its borders."""

from muster.planning.districting.adjacency import Gate, Ground, HardLine, Links, build_links
from muster.planning.districting.bound import bound
from muster.planning.districting.check import check
from muster.planning.districting.cutting import Effort
from muster.planning.districting.explain import explain, explain_grid
from muster.planning.districting.plan import GridLevel, Plan, read_plan, write_plan
from muster.planning.districting.problem import Level, Measure, Previous, Problem, pins
from muster.planning.districting.reading import make_problem, problem_from_json, read_problem, schema
from muster.planning.districting.solve import solve

__all__ = [
    "Effort",
    "Gate",
    "GridLevel",
    "Ground",
    "HardLine",
    "Level",
    "Links",
    "Measure",
    "Plan",
    "Previous",
    "Problem",
    "bound",
    "build_links",
    "check",
    "explain",
    "explain_grid",
    "make_problem",
    "pins",
    "problem_from_json",
    "read_plan",
    "read_problem",
    "schema",
    "solve",
    "write_plan",
]
