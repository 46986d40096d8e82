# SPDX-License-Identifier: Apache-2.0
"""Problems in the VRPLIB form (`.vrp`): capacities, windows, limits on length; one depot, vehicles alike.

Distances are rounded; with time windows they are cut off after one decimal, as in Gehring and Homberger's
solutions, so that all units are tenths there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.routing.problem import (
    MOST_DEMAND,
    MOST_METRES,
    MOST_PLACES_IN_TABLE,
    MOST_SECONDS,
    MOST_STOPS,
    MOST_VEHICLES,
    MUST,
    NEVER,
    NO_WAY,
    NONE,
    Depots,
    Fleet,
    Problem,
    Stops,
    Ways,
    require_lawful,
)

_KEYS = {
    "NAME", "COMMENT", "TYPE", "DIMENSION", "VEHICLES", "CAPACITY", "DISTANCE", "SERVICE_TIME",
    "EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT", "NODE_COORD_TYPE", "DISPLAY_DATA_TYPE",
}  # fmt: skip
_SECTIONS = {
    "NODE_COORD_SECTION": 3,
    "DEMAND_SECTION": 2,
    "TIME_WINDOW_SECTION": 3,
    "SERVICE_TIME_SECTION": 2,
    "DEPOT_SECTION": 1,
    "EDGE_WEIGHT_SECTION": 0,
}
_TYPES = ("CVRP", "VRPTW", "CVRPTW", "DCVRP", "DVRP")
_WEIGHTS = ("EUC_2D", "EXPLICIT")
_FORMATS = ("FULL_MATRIX", "LOWER_ROW", "LOWER_DIAG_ROW", "UPPER_ROW", "UPPER_DIAG_ROW")


@dataclass(slots=True)
class _Parts:
    """What stands in a file: header values and rows, each with the line where it was found."""

    name: str
    header: dict[str, tuple[str, int]] = field(default_factory=dict)
    rows: dict[str, list[tuple[list[str], int]]] = field(default_factory=dict)

    def where(self, line: int) -> str:
        return f"{self.name}:{line}"

    def chosen(self, key: str, allowed: tuple[str, ...], otherwise: str | None = None) -> str:
        if key not in self.header:
            if otherwise is None:
                raise BadProblem(key, self.name, "planning.cure.present")
            return otherwise
        value, line = self.header[key]
        if value.upper() not in allowed:
            raise BadProblem(key, self.where(line), "planning.cure.one_of", allowed=", ".join(allowed))
        return value.upper()

    def whole(self, key: str, lowest: int, highest: int, otherwise: int | None = None) -> int:
        if key not in self.header:
            if otherwise is None:
                raise BadProblem(key, self.name, "planning.cure.present")
            return otherwise
        value, line = self.header[key]
        return _whole(value, key, self.where(line), lowest, highest)


def problem_from_vrplib(text: str, name: str) -> Problem:
    """Read a VRPLIB problem; raises BadProblem with the line that is wrong."""
    parts = _split(text, name)
    parts.chosen("TYPE", _TYPES, "CVRP")
    size = parts.whole("DIMENSION", 1, 1 << 40)
    if size - 1 > MOST_STOPS:
        raise BadProblem(
            "DIMENSION", name, "planning.routing.too_many_stops", stops=size - 1, limit=MOST_STOPS
        )
    weights = parts.chosen("EDGE_WEIGHT_TYPE", _WEIGHTS, "EUC_2D")
    timed = "TIME_WINDOW_SECTION" in parts.rows
    tenths = 10 if timed and weights == "EUC_2D" else 1
    depot = _depot(parts, size)
    order = [depot, *(node for node in range(size) if node != depot)]
    table = _matrix(parts, size)[np.ix_(order, order)] if weights == "EXPLICIT" else None
    points = _coordinates(parts, size)[order] if weights == "EUC_2D" else np.zeros((size, 2))
    demand = _column(parts, "DEMAND_SECTION", size, MOST_DEMAND)[order]
    if demand[0]:
        raise BadProblem("DEMAND_SECTION", name, "planning.routing.depot_demand")
    service = _service(parts, size)[order] * tenths
    service[0] = 0
    windows = _windows(parts, size)[order] if timed else np.tile([0, NEVER], (size, 1))
    if timed:
        windows = windows * tenths
    capacity = parts.whole("CAPACITY", 0, 1 << 53, NEVER if not demand.any() else None)
    count = parts.whole("VEHICLES", 0, MOST_VEHICLES, max(1, size - 1))
    limit = parts.whole("DISTANCE", 0, MOST_SECONDS, NEVER)

    def one(value: int) -> np.ndarray:
        return np.asarray([value], np.int64)

    problem = Problem(
        stops=Stops(
            names=tuple(str(node) for node in range(size) if node != depot),
            x=points[1:, 0],
            y=points[1:, 1],
            demand=demand[1:],
            service=service[1:],
            opens=windows[1:, 0],
            closes=windows[1:, 1],
            skills=np.zeros(size - 1, np.int64),
            penalty=np.full(size - 1, MUST, np.int64),
            partner=np.full(size - 1, NONE, np.int32),
            picks=np.zeros(size - 1, np.bool_),
        ),
        depots=Depots(("depot",), points[:1, 0], points[:1, 1]),
        fleet=Fleet(
            names=("vehicle",),
            depot=np.zeros(1, np.int32),
            end=np.zeros(1, np.int32),
            count=one(count),
            capacity=one(capacity),
            shift_start=one(int(windows[0, 0])),
            shift_end=one(int(windows[0, 1])),
            most_stops=one(NEVER),
            most_length=one(NEVER),
            most_time=one(limit * tenths if limit < NEVER else NEVER),
            fixed_cost=one(0),
            skills=one(0),
        ),
        ways=Ways(scale=float(tenths), rounds=tenths == 1, length=table, time=table),
        units="file",
        divisor=tenths,
    )
    require_lawful(problem)
    return problem


def _split(text: str, name: str) -> _Parts:
    parts = _Parts(name)
    section = ""
    for line, content in enumerate(text.splitlines(), start=1):
        words = content.replace(":", " : ", 1).split()
        if not words:
            continue
        key = words[0].upper()
        if key == "EOF":
            break
        if not (words[0][0].isalpha() or words[0][0] == "_"):
            if not section:
                raise BadProblem(
                    "", parts.where(line), "planning.routing.vrplib_line", line=content.strip()[:40]
                )
            width = _SECTIONS[section]
            values = content.split()
            if width and len(values) != width:
                raise BadProblem(section, parts.where(line), "planning.routing.vrplib_row", width=width)
            parts.rows[section].append((values, line))
        elif key in _SECTIONS:
            section = key
            if section in parts.rows:
                raise BadProblem(section, parts.where(line), "planning.cure.once", name=section)
            parts.rows[section] = []
        elif key in _KEYS and len(words) > 1 and words[1] == ":":
            if key in parts.header and key != "COMMENT":
                raise BadProblem(key, parts.where(line), "planning.cure.once", name=key)
            parts.header[key] = (" ".join(words[2:]).strip("\"' "), line)
            section = ""
        else:
            allowed = ", ".join(sorted(_KEYS | set(_SECTIONS)))
            raise BadProblem(words[0][:40], parts.where(line), "planning.cure.one_of", allowed=allowed)
    return parts


def _whole(value: str, key: str, where: str, lowest: int, highest: int) -> int:
    number = _real(value, key, where, lowest, highest)
    if number != int(number):
        raise BadProblem(key, where, "planning.cure.integer", lowest=lowest, highest=highest)
    return int(number)


def _real(value: str, key: str, where: str, lowest: float, highest: float) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not lowest <= number <= highest:
        raise BadProblem(key, where, "planning.cure.number", lowest=lowest, highest=highest)
    return number


def _by_node(parts: _Parts, section: str, size: int, put: Callable[[int, list[str], str], None]) -> None:
    """Give each node's row to `put`; raises BadProblem when nodes are missing, strange or given twice."""
    if section not in parts.rows:
        raise BadProblem(section, parts.name, "planning.cure.present")
    seen: set[int] = set()
    for values, line in parts.rows[section]:
        where = parts.where(line)
        node = _whole(values[0], section, where, 1, size)
        if node in seen:
            raise BadProblem(section, where, "planning.cure.once", name=str(node))
        seen.add(node)
        put(node - 1, values[1:], where)
    if len(seen) != size:
        missing = next(node for node in range(1, size + 1) if node not in seen)
        raise BadProblem(section, parts.name, "planning.routing.node_missing", node=missing)


def _coordinates(parts: _Parts, size: int) -> np.ndarray:
    points = np.zeros((size, 2))

    def put(node: int, values: list[str], where: str) -> None:
        far = MOST_METRES
        points[node] = [_real(value, "NODE_COORD_SECTION", where, -far, far) for value in values]

    _by_node(parts, "NODE_COORD_SECTION", size, put)
    return points


def _column(parts: _Parts, section: str, size: int, highest: int) -> np.ndarray:
    column = np.zeros(size, np.int64)

    def put(node: int, values: list[str], where: str) -> None:
        column[node] = _whole(values[0], section, where, 0, highest)

    _by_node(parts, section, size, put)
    return column


def _windows(parts: _Parts, size: int) -> np.ndarray:
    windows = np.zeros((size, 2), np.int64)

    def put(node: int, values: list[str], where: str) -> None:
        windows[node] = [_whole(value, "TIME_WINDOW_SECTION", where, 0, MOST_SECONDS) for value in values]
        if windows[node, 0] > windows[node, 1]:
            raise BadProblem("TIME_WINDOW_SECTION", where, "planning.routing.window_order")

    _by_node(parts, "TIME_WINDOW_SECTION", size, put)
    return windows


def _service(parts: _Parts, size: int) -> np.ndarray:
    if "SERVICE_TIME_SECTION" in parts.rows:
        return _column(parts, "SERVICE_TIME_SECTION", size, MOST_SECONDS)
    return np.full(size, parts.whole("SERVICE_TIME", 0, MOST_SECONDS, 0), np.int64)


def _depot(parts: _Parts, size: int) -> int:
    """Return the one depot, counted from 0; the first node where the file names none."""
    named = []
    for values, line in parts.rows.get("DEPOT_SECTION", []):
        node = _whole(values[0], "DEPOT_SECTION", parts.where(line), -1, size)
        if node == -1:
            break
        named.append(_whole(values[0], "DEPOT_SECTION", parts.where(line), 1, size))
    if len(named) > 1:
        raise BadProblem("DEPOT_SECTION", parts.name, "planning.routing.one_depot")
    return named[0] - 1 if named else 0


def _matrix(parts: _Parts, size: int) -> Ints:
    form = parts.chosen("EDGE_WEIGHT_FORMAT", _FORMATS, "FULL_MATRIX")
    if size > MOST_PLACES_IN_TABLE:
        cure = "planning.routing.too_many_places"
        raise BadProblem("DIMENSION", parts.name, cure, places=size, limit=MOST_PLACES_IN_TABLE)
    if "EDGE_WEIGHT_SECTION" not in parts.rows:
        raise BadProblem("EDGE_WEIGHT_SECTION", parts.name, "planning.cure.present")
    numbers = [
        _whole(value, "EDGE_WEIGHT_SECTION", parts.where(line), 0, NO_WAY)
        for values, line in parts.rows["EDGE_WEIGHT_SECTION"]
        for value in values
    ]
    rows, columns = _cells(form, size)
    if len(numbers) != len(rows):
        cure = "planning.routing.weights"
        raise BadProblem("EDGE_WEIGHT_SECTION", parts.name, cure, found=len(numbers), expected=len(rows))
    table = np.zeros((size, size), np.int32)
    table[rows, columns] = numbers
    return table if form == "FULL_MATRIX" else np.maximum(table, table.T)


def _cells(form: str, size: int) -> tuple[Longs, Longs]:
    """Return rows and columns of the weights in the order of the file."""
    if form == "FULL_MATRIX":
        return np.repeat(np.arange(size), size), np.tile(np.arange(size), size)
    if form.startswith("LOWER"):
        return np.tril_indices(size, 0 if "DIAG" in form else -1)
    return np.triu_indices(size, 0 if "DIAG" in form else 1)
