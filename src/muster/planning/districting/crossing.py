# SPDX-License-Identifier: Apache-2.0
"""Which links cross which lines: segments of the lines in square cells, each link against its own cells."""

from __future__ import annotations

import numba
import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs

# About the length of a link between neighbours: a link then looks into a handful of cells.
_CELL_M = 60.0


def crossed(ax: Floats, ay: Floats, bx: Floats, by: Floats, lines: Floats, weight: Ints) -> Ints:
    """Return for each link a-b the largest weight of the segments that it meets, 0 for none.

    `lines` has a row (x, y, x, y) for each segment.
    """
    if len(lines) == 0 or len(ax) == 0:
        return np.zeros(len(ax), np.int32)
    west, south = lines[:, [0, 2]].min(), lines[:, [1, 3]].min()
    cells = 2 + int(max(lines[:, [0, 2]].max() - west, lines[:, [1, 3]].max() - south) // _CELL_M)
    cell, segment = _cells_of(lines, west, south)
    order = np.lexsort((segment, cell[:, 1], cell[:, 0]))
    keys = cell[order, 0] * cells + cell[order, 1]
    ax, ay, bx, by = (
        np.ascontiguousarray(ends) for ends in (ax, ay, bx, by)
    )  # another layout, another kernel
    return _crossed(ax, ay, bx, by, lines, weight, west, south, cells, keys, segment[order])


@numba.njit(cache=True, nogil=True)
def _cells_of(lines: Floats, west: float, south: float) -> tuple[Longs, Longs]:
    """Return the cells under the bounding box of each segment, long segments cut into short ones first."""
    count = 0
    for s in range(len(lines)):
        pieces = _pieces_of(lines, s)
        for k in range(pieces):
            x0, y0, x1, y1 = _cells_of_piece(lines, s, k, pieces, west, south)
            count += (x1 - x0 + 1) * (y1 - y0 + 1)
    cell = np.empty((count, 2), np.int64)
    segment = np.empty(count, np.int64)
    at = 0
    for s in range(len(lines)):
        pieces = _pieces_of(lines, s)
        for k in range(pieces):
            x0, y0, x1, y1 = _cells_of_piece(lines, s, k, pieces, west, south)
            for cx in range(x0, x1 + 1):
                for cy in range(y0, y1 + 1):
                    cell[at, 0], cell[at, 1], segment[at] = cx, cy, s
                    at += 1
    return cell, segment


@numba.njit(cache=True, nogil=True)
def _pieces_of(lines: Floats, s: int) -> int:
    longest = max(abs(lines[s, 2] - lines[s, 0]), abs(lines[s, 3] - lines[s, 1]))
    return 1 + int(longest / _CELL_M)


@numba.njit(cache=True, nogil=True)
def _cells_of_piece(
    lines: Floats, s: int, k: int, pieces: int, west: float, south: float
) -> tuple[int, int, int, int]:
    east, north = lines[s, 2] - lines[s, 0], lines[s, 3] - lines[s, 1]
    xa, xb = lines[s, 0] + east * k / pieces, lines[s, 0] + east * (k + 1) / pieces
    ya, yb = lines[s, 1] + north * k / pieces, lines[s, 1] + north * (k + 1) / pieces
    return (
        int((min(xa, xb) - west) / _CELL_M),
        int((min(ya, yb) - south) / _CELL_M),
        int((max(xa, xb) - west) / _CELL_M),
        int((max(ya, yb) - south) / _CELL_M),
    )


@numba.njit(cache=True, nogil=True)
def _crossed(
    ax: Floats,
    ay: Floats,
    bx: Floats,
    by: Floats,
    lines: Floats,
    weight: Ints,
    west: float,
    south: float,
    cells: int,
    keys: Longs,
    segment: Longs,
) -> Ints:
    found = np.zeros(len(ax), np.int32)
    for link in range(len(ax)):
        x0 = max(0, int(np.floor((min(ax[link], bx[link]) - west) / _CELL_M)))
        y0 = max(0, int(np.floor((min(ay[link], by[link]) - south) / _CELL_M)))
        x1 = min(cells - 1, int(np.floor((max(ax[link], bx[link]) - west) / _CELL_M)))
        y1 = min(cells - 1, int(np.floor((max(ay[link], by[link]) - south) / _CELL_M)))
        for cx in range(x0, x1 + 1):
            # the cells of one column lie side by side in `keys`
            at = np.searchsorted(keys, cx * cells + y0)
            while at < len(keys) and keys[at] <= cx * cells + y1:
                s = segment[at]
                at += 1
                if weight[s] > found[link] and _meet(
                    ax[link], ay[link], bx[link], by[link], lines[s, 0], lines[s, 1], lines[s, 2], lines[s, 3]
                ):
                    found[link] = weight[s]
    return found


@numba.njit(cache=True, nogil=True)
def _meet(ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float) -> bool:
    """Say whether the segments a-b and c-d have a point in common."""
    if max(ax, bx) < min(cx, dx) or max(cx, dx) < min(ax, bx):
        return False
    if max(ay, by) < min(cy, dy) or max(cy, dy) < min(ay, by):
        return False
    c_side = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    d_side = (bx - ax) * (dy - ay) - (by - ay) * (dx - ax)
    a_side = (dx - cx) * (ay - cy) - (dy - cy) * (ax - cx)
    b_side = (dx - cx) * (by - cy) - (dy - cy) * (bx - cx)
    return c_side * d_side <= 0.0 and a_side * b_side <= 0.0
