# SPDX-License-Identifier: Apache-2.0
"""From a problem to the arrays of the search: kinds of vehicles, stops still to be driven to, near stops.

A vehicle with something fixed is a kind of its own. What it has driven is behind it: it starts where it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.routing import _ground
from muster.planning.routing._ground import Ground, Table
from muster.planning.routing.problem import ANYWHERE, MUST, NEVER, NONE, Pin, Problem

# So many near stops are looked at for each stop.
NEAR = 40
_HAIR = 1e-3
# With windows, the near ones are chosen by time too, from so many.
_WIDER = 160
_ALL = 1_500
_ROWS = 256


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A ground with the way back: rows of the ground -> stops, vehicles and what is behind them.

    `stops` holds the problem's number of each stop; `kind_of` the problem's kind of each kind; `pin_of` the
    pin of a kind that is one vehicle. `behind` is what driven ways and their vehicles cost.
    """

    ground: Ground
    stops: Longs
    kind_of: list[int]
    pin_of: list[Pin | None]
    behind: int


@dataclass(slots=True)
class _Kind:
    number: int
    count: int
    pin: Pin | None = None
    place: int = 0
    leaves: int = 0
    stops: int = 0
    length: int = 0
    time: int = 0


def driven_so_far(problem: Problem, kind: int, pin: Pin) -> tuple[int, int, int]:
    """Return the place where a vehicle is, when it is free there, and what it has driven."""
    numbers = {name: number for number, name in enumerate(problem.stops.names)}
    place, length = int(problem.fleet.depot[kind]), 0
    clock = int(problem.fleet.shift_start[kind])
    for name in pin.driven:
        stop = numbers[name]
        there = problem.depots.size + stop
        length += problem.length_between(place, there)
        clock = max(clock + problem.time_between(place, there), int(problem.stops.opens[stop]))
        clock += int(problem.stops.service[stop])
        place = there
    return place, clock if pin.free_at is None else pin.free_at, length


def field_of(problem: Problem) -> Field:
    """Return the arrays that the search works on. Raises BadProblem."""
    numbers = {name: number for number, name in enumerate(problem.stops.names)}
    driven = {numbers[name] for pin in problem.pins for name in pin.driven}
    stops = np.asarray([n for n in range(problem.stops.size) if n not in driven], np.int64)
    kinds, behind = _kinds(problem, len(stops))
    only = np.full(problem.stops.size, NONE, np.int64)
    for number, kind in enumerate(kinds):
        if kind.pin is None:
            continue
        for name in kind.pin.stops:
            only[numbers[name]] = number
            if problem.stops.partner[numbers[name]] != NONE:
                only[problem.stops.partner[numbers[name]]] = number
        for name in kind.pin.driven:  # who is on board stays on board
            partner = int(problem.stops.partner[numbers[name]])
            if partner != NONE and partner not in driven:
                only[partner] = number
    ground = _ground_of(problem, stops, kinds, only, driven)
    return Field(ground, stops, [kind.number for kind in kinds], [kind.pin for kind in kinds], behind)


def _kinds(problem: Problem, stops: int) -> tuple[list[_Kind], int]:
    fleet, behind = problem.fleet, 0
    kinds = []
    left = fleet.count.tolist()
    for pin in problem.pins:
        number = problem.vehicle_of[pin.vehicle]
        left[number] -= 1
        one = _Kind(number, 1, pin, int(fleet.depot[number]), int(fleet.shift_start[number]))
        if pin.driven:
            one.place, one.leaves, one.length = driven_so_far(problem, number, pin)
            one.stops = len(pin.driven)
            one.time = one.leaves - int(fleet.shift_start[number])
            end = int(fleet.end[number])
            if one.length >= NEVER or (end != ANYWHERE and problem.length_between(one.place, end) >= NEVER):
                raise BadProblem("driven", pin.vehicle, "planning.routing.no_way_home")
            behind += one.length + int(fleet.fixed_cost[number])
        kinds.append(one)
    for number in range(fleet.size):
        count = min(left[number], stops)
        if count > 0:
            kinds.append(_Kind(number, count, None, int(fleet.depot[number]), int(fleet.shift_start[number])))
    return kinds, behind


def _ground_of(problem: Problem, stops: Longs, kinds: list[_Kind], only: Longs, driven: set[int]) -> Ground:
    fleet, columns = problem.fleet, problem.stops
    n, depots = len(stops), problem.depots.size
    vehicle = np.repeat(np.arange(len(kinds)), [kind.count for kind in kinds]).astype(np.int64)
    many = len(vehicle)
    nodes = n + 2 * many
    node = np.zeros((nodes, _ground.GROUND_NODE_COLUMNS), np.int64)
    node[:, _ground.ONLY] = node[:, _ground.PARTNER] = NONE
    node[:n, _ground.FROM], node[:n, _ground.UNTIL] = columns.opens[stops], columns.closes[stops]
    node[:n, _ground.SERVICE], node[:n, _ground.DEMAND] = columns.service[stops], columns.demand[stops]
    node[:n, _ground.NEED], node[:n, _ground.ONLY] = columns.skills[stops], only[stops]
    node[:n, _ground.PLACE] = depots + stops
    row_of = np.full(columns.size, NONE, np.int64)
    row_of[stops] = np.arange(n)
    for row, stop in enumerate(stops.tolist()):
        partner = int(columns.partner[stop])
        if partner != NONE and partner not in driven:
            node[row, _ground.PARTNER] = row_of[partner]
            node[row, _ground.ROLE] = _ground.PICKUP if columns.picks[stop] else _ground.DELIVERY
    table = np.zeros((len(kinds), _ground.KIND_COLUMNS), np.int64)
    first = 0
    for number, kind in enumerate(kinds):
        k = kind.number
        table[number] = [
            first,
            fleet.capacity[k],
            fleet.most_stops[k] - kind.stops,
            fleet.most_length[k] - kind.length,
            fleet.most_time[k] - kind.time if fleet.most_time[k] < NEVER else NEVER,
            fleet.fixed_cost[k],
            fleet.skills[k],
            int(kind.stops > 0),
        ]
        own = slice(first, first + kind.count)
        end = int(fleet.end[k])
        starts, ends = node[n:][own], node[n + many :][own]
        starts[:, _ground.PLACE], ends[:, _ground.PLACE] = kind.place, end
        starts[:, _ground.FROM] = kind.leaves
        starts[:, _ground.UNTIL] = kind.leaves if kind.stops else fleet.shift_end[k]
        ends[:, _ground.FROM], ends[:, _ground.UNTIL] = fleet.shift_start[k], fleet.shift_end[k]
        first += kind.count
    points = np.concatenate(
        (
            np.stack((problem.depots.x, problem.depots.y), axis=1),
            np.stack((columns.x, columns.y), axis=1),
            np.zeros((1, 2)),  # where a tour may end anywhere
        )
    )
    xy = np.ascontiguousarray(points[node[:, _ground.PLACE]])
    listed = problem.ways.length is not None
    timed = bool(
        (columns.opens > 0).any()
        or (columns.closes < NEVER).any()
        or (fleet.shift_start > 0).any()
        or (fleet.shift_end < NEVER).any()
        or (fleet.most_time < NEVER).any()
    )
    none = np.zeros((1, 1), np.int32)
    ground = Ground(
        xy=xy,
        node=node,
        vehicle=vehicle.reshape(-1, 1),
        kinds=table,
        near=np.zeros((n, 0), np.int32),
        near_leg=np.zeros((n, 0), np.int64),
        table=problem.ways.length if problem.ways.length is not None else none,
        time_table=problem.ways.time if problem.ways.time is not None else none,
        stops=n,
        vehicles=many,
        metric=_ground.LISTED if listed else _ground.ROUNDED if problem.ways.rounds else _ground.TENTHS,
        scale=float(problem.ways.scale),
        pace_up=problem.ways.pace[0],
        pace_down=problem.ways.pace[1],
        opens=int((fleet.end == ANYWHERE).any()),
        timed=int(timed),
        paired=int((node[:n, _ground.PARTNER] != NONE).any()),
        must=0,
    )
    node[:n, _ground.FAR] = _far(ground)
    must = _must(problem, stops, ground)
    penalty = columns.penalty[stops]
    node[:n, _ground.PENALTY] = np.where(penalty == MUST, must, penalty)
    near = _near(ground)
    return ground._replace(must=must, near=near, near_leg=_lengths(ground, np.arange(n)[:, None], near))


def _lengths(g: Ground, one: np.ndarray, other: np.ndarray) -> Longs:
    """Return lengths between nodes as the search reckons them."""
    if g.metric == _ground.LISTED:
        lengths = g.table[g.node[one, _ground.PLACE], g.node[other, _ground.PLACE]].astype(np.int64)
        return np.where(lengths >= _ground.NO_WAY, _ground.FORBIDDEN, lengths)
    dx, dy = g.xy[one, 0] - g.xy[other, 0], g.xy[one, 1] - g.xy[other, 1]
    far = np.sqrt(dx * dx + dy * dy) * g.scale
    return (far + 0.5 if g.metric == _ground.ROUNDED else far).astype(np.int64)


def _far(g: Ground) -> Longs:
    """Return the way of each stop from the nearest start of a vehicle."""
    starts = g.stops + g.kinds[:, _ground.FIRST]
    if len(starts) == 0 or g.stops == 0:
        return np.zeros(g.stops, np.int64)
    far = np.full(g.stops, _ground.FORBIDDEN, np.int64)
    for start in starts.tolist():
        far = np.minimum(far, _lengths(g, np.asarray([start]), np.arange(g.stops)))
    return far


def _must(problem: Problem, stops: Longs, g: Ground) -> int:
    """Return a penalty that is more than any detour, and than all stops that may be left out."""
    penalty = problem.stops.penalty[stops]
    if g.metric == _ground.LISTED:
        known = g.table[g.table < _ground.NO_WAY]
        longest = int(known.max()) if known.size else 0
    else:
        span = g.xy.max(axis=0) - g.xy.min(axis=0) if len(g.xy) else np.zeros(2)
        longest = int(np.hypot(span[0], span[1]) * g.scale) + 1
    dear = int(problem.fleet.fixed_cost.max()) if problem.fleet.size else 0
    return 10 * longest + 2 * dear + int(penalty[penalty != MUST].sum()) + 1


def _near(g: Ground) -> Table:
    """Return the near stops of each stop, the nearest first; NONE fills rows that are short."""
    n = g.stops
    many = min(NEAR, n - 1)
    if many <= 0:
        return np.full((n, 1), NONE, np.int32)
    wide = _candidates(g, n - 1 if n <= _ALL else _WIDER if g.timed else many)
    if wide.shape[1] == many and not g.timed:
        return wide
    near = np.empty((n, many), np.int32)
    for first in range(0, n, _ROWS):
        rows = np.arange(first, min(n, first + _ROWS))[:, None]
        apart = _apart(g, rows, wide[rows[:, 0]])
        order = np.argsort(apart, axis=1, kind="stable")[:, :many]
        near[rows[:, 0]] = np.take_along_axis(wide[rows[:, 0]], order, axis=1)
    return near


def _apart(g: Ground, one: np.ndarray, other: np.ndarray) -> Floats:
    """Return how far stops are apart, with a fifth of the waiting and the lateness, in the better order."""
    there, back = _lengths(g, one, other), _lengths(g, other, one)
    if not g.timed:
        return np.minimum(there, back).astype(np.float64)
    opens, closes = g.node[:, _ground.FROM].astype(float), g.node[:, _ground.UNTIL].astype(float)
    service = g.node[:, _ground.SERVICE]
    found = np.full(there.shape, np.inf)
    for length, a, b in ((there, one, other), (back, other, one)):
        time = length * (g.pace_up / g.pace_down)
        wait = np.maximum(0.0, opens[b] - closes[a] - service[a] - time)
        late = np.maximum(0.0, opens[a] + service[a] + time - closes[b])
        found = np.minimum(found, length + (0.2 * wait + late) * (g.pace_down / g.pace_up))
    return found


def _candidates(g: Ground, many: int) -> Ints:
    n = g.stops
    if many == n - 1:
        wide = np.broadcast_to(np.arange(n, dtype=np.int32), (n, n))
        return wide[~np.eye(n, dtype=bool)].reshape(n, n - 1)
    if g.metric == _ground.LISTED:
        wide = np.empty((n, many), np.int32)
        for row in range(n):
            length = np.minimum(
                _lengths(g, np.asarray([row]), np.arange(n)), _lengths(g, np.arange(n), np.asarray([row]))
            )
            length[row] = NEVER
            wide[row] = np.argsort(length, kind="stable")[:many]
        return wide
    from scipy.spatial import cKDTree

    # Moved by a hair, as a tree over many points on one spot is slow.
    points = g.xy[:n] + np.random.default_rng(0).uniform(-_HAIR, _HAIR, (n, 2))
    found = np.asarray(cKDTree(points).query(points, k=many + 1)[1])
    # The stop itself is left out; among stops on one spot it may not be listed, then the last one goes.
    own = found == np.arange(n)[:, None]
    own[~own.any(axis=1), -1] = True
    return np.ascontiguousarray(found[~own].reshape(n, many)).astype(np.int32)
