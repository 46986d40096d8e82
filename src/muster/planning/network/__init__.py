# SPDX-License-Identifier: Apache-2.0
"""Walking: the graph of the streets, exact distances between many places, and walking orders of doors."""

from muster.planning.network.check import check
from muster.planning.network.distances import Near, distances, row_blocks, within
from muster.planning.network.explain import explain
from muster.planning.network.graph import UNREACHABLE, WalkGraph
from muster.planning.network.hierarchy import Hierarchy, prepare
from muster.planning.network.places import Places, at_nodes, behind_gates, snap, with_gates
from muster.planning.network.plan import Plan, read_plan, write_plan
from muster.planning.network.problem import Problem, Task, pins, problem_from_json, read_problem, schema
from muster.planning.network.reach import reach
from muster.planning.network.road_files import Road, Roads, read_roads, roads_from_geojson
from muster.planning.network.road_graph import Streets, walk_graph
from muster.planning.network.solve import bound, solve
from muster.planning.network.walking import WalkingOrder, walk_length, walk_order

__all__ = [
    "UNREACHABLE",
    "Hierarchy",
    "Near",
    "Places",
    "Plan",
    "Problem",
    "Road",
    "Roads",
    "Streets",
    "Task",
    "WalkGraph",
    "WalkingOrder",
    "at_nodes",
    "behind_gates",
    "bound",
    "check",
    "distances",
    "explain",
    "pins",
    "prepare",
    "problem_from_json",
    "reach",
    "read_plan",
    "read_problem",
    "read_roads",
    "roads_from_geojson",
    "row_blocks",
    "schema",
    "snap",
    "solve",
    "walk_graph",
    "walk_length",
    "walk_order",
    "with_gates",
    "within",
    "write_plan",
]
