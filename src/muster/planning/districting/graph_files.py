# SPDX-License-Identifier: Apache-2.0
"""METIS graph files as districting problems: vertices are buildings, vertex weights people and work.

A comment `% levels small 2000 medium 200 large 20` asks for counts; without it a small grid has about a
hundred vertices, a medium one ten small ones, a large one ten medium ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.contract import BadProblem
from muster.planning.districting.adjacency import Links
from muster.planning.districting.plan import METIS
from muster.planning.districting.problem import Level, Problem

_MOST = 1 << 40


@dataclass(frozen=True, slots=True)
class _Header:
    vertices: int
    edges: int
    has_sizes: bool
    weights: int
    has_edge_weights: bool


def read_graph(text: str, file_name: str) -> Problem:
    """Read a METIS graph file; raises BadProblem with the line."""
    lines = _lines(text)
    # A blank line further down is a vertex without neighbours; before the header it is only blank.
    number, first = next(((at, line) for at, line in lines if line.strip()), (0, ""))
    header = _header(first, f"{file_name}:{number}")
    weights = np.ones((header.vertices, max(1, header.weights)), np.int64)
    tails: list[Longs] = []
    heads: list[Longs] = []
    strengths: list[Longs] = []
    for vertex in range(header.vertices):
        number, line = next(lines, (number + 1, ""))
        values = _numbers(line, f"{file_name}:{number}")[int(header.has_sizes) :]
        if len(values) < header.weights:
            raise _wrong(f"{file_name}:{number}", "a vertex weight is missing")
        if header.weights:
            weights[vertex] = values[: header.weights]
        near, strength = _neighbours(values[header.weights :], header, f"{file_name}:{number}")
        heads.append(near)
        strengths.append(strength)
        tails.append(np.full(len(near), vertex))
    if any(line.strip() for _, line in lines):
        raise _wrong(file_name, "more lines than vertices")
    links, strength = _links(header, tails, heads, strengths, file_name)
    return _problem(header.vertices, weights, links, strength, _levels(text, header.vertices, file_name))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines, without comments."""
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.lstrip().startswith("%"):
            yield number, line


def _header(line: str, where: str) -> _Header:
    values = _numbers(line, where)
    if not 2 <= len(values) <= 4:
        raise _wrong(where, "vertices, edges, and perhaps a format are expected")
    form = line.split()[2] if len(values) > 2 else "0"
    if len(form) > 3 or set(form) - {"0", "1"}:
        raise _wrong(where, f"format {form}")
    form = form.zfill(3)
    weights = int(values[3]) if len(values) > 3 else 1
    if values[0] < 1 or (form[1] == "1" and weights < 1):
        raise _wrong(where, "there is nothing to divide")
    has_weights = form[1] == "1"
    return _Header(int(values[0]), int(values[1]), form[0] == "1", weights * has_weights, form[2] == "1")


def _numbers(line: str, where: str) -> Longs:
    try:
        values = np.asarray(line.split(), np.int64)
    except (ValueError, OverflowError) as error:
        raise _wrong(where, "only whole numbers are expected") from error
    if (values < 0).any() or (values > _MOST).any():
        raise _wrong(where, "a number is out of range")
    return values


def _neighbours(values: Longs, header: _Header, where: str) -> tuple[Longs, Longs]:
    if header.has_edge_weights:
        if len(values) % 2:
            raise _wrong(where, "an edge weight is missing")
        near, strength = values[0::2], np.maximum(values[1::2], 1)
    else:
        near, strength = values, np.ones(len(values), np.int64)
    if ((near < 1) | (near > header.vertices)).any():
        raise _wrong(where, f"neighbours go from 1 to {header.vertices}")
    return near - 1, strength


def _links(
    header: _Header, tails: list[Longs], heads: list[Longs], strengths: list[Longs], file_name: str
) -> tuple[Links, Longs]:
    a, b, strength = np.concatenate(tails), np.concatenate(heads), np.concatenate(strengths)
    if len(a) != 2 * header.edges:
        raise _wrong(file_name, f"{header.edges} edges are announced, {len(a)} ends are listed")
    forward, backward = a < b, a > b
    size = header.vertices
    there, back = np.sort(a[forward] * size + b[forward]), np.sort(b[backward] * size + a[backward])
    if not np.array_equal(there, back):
        raise _wrong(file_name, "each edge is to be listed at both its ends")
    order = np.lexsort((b[forward], a[forward]))
    low, high = a[forward][order].astype(np.int32), b[forward][order].astype(np.int32)
    return Links(low, high, np.zeros(len(low), np.bool_)), strength[forward][order]


def _levels(text: str, vertices: int, file_name: str) -> tuple[Level, ...]:
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words[:2] == ["%", "levels"]:
            where = f"{file_name}:{number}"
            names, counts = words[2::2], words[3::2]
            if len(names) != len(counts) or not all(count.isdecimal() and int(count) for count in counts):
                raise _wrong(where, "levels are pairs of a name and a count")
            pairs = zip(names, counts, strict=True)
            return tuple(Level(name, count=int(count)) for name, count in pairs)
    wished = (("small", 100), ("medium", 1_000), ("large", 10_000))
    levels = [Level(name, count=round(vertices / each)) for name, each in wished if vertices >= 2 * each]
    return tuple(levels) or (Level("small", count=min(2, vertices)),)


def _problem(size: int, weights: Longs, links: Links, strength: Longs, levels: tuple[Level, ...]) -> Problem:
    nowhere = np.zeros(0)
    return Problem(
        names=tuple(str(number) for number in range(1, size + 1)),
        population=weights[:, 0].copy(),
        workload=weights[:, min(1, weights.shape[1] - 1)].copy(),
        x_m=nowhere,
        y_m=nowhere,
        community=np.zeros(size, np.int32),
        community_names=("",),
        compound=np.full(size, -1, np.int32),
        compound_names=(),
        links=links,
        strength=strength,
        levels=levels,
        form=METIS,
    )


def _wrong(where: str, detail: str) -> BadProblem:
    return BadProblem("", where, "planning.districting.graph_line", detail=detail)
