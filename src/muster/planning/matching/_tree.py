# SPDX-License-Identifier: Apache-2.0
"""Posts in the order of k-d trees, one tree for each skill, each box knowing its lowest price.

Posts are numbered skill by skill and, within a skill, in the order of its tree: so a leaf is a run of
neighbouring posts, and looking through it reads memory in one line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs

LEAF_SIZE = 8


class Forest(NamedTuple):
    """One tree for each skill. The children of box b are `root + 2 (b - root) + 1` and the one after."""

    order: Longs  # post -> number in the caller's list
    root: Longs  # skill -> its first box; one more entry closes the list
    span: Longs  # box -> its first post, and one past its last
    bounds: Floats  # box -> x0 x1 y0 y1
    leaf_of: Longs  # post -> box


def plant(skill: Longs, x_m: Floats, y_m: Floats, *, skills: int) -> Forest:
    """Put the posts into trees."""
    orders, spans, bounds, leaves = [], [], [], []
    root = np.zeros(skills + 1, dtype=np.int64)
    planted = 0
    for s in range(skills):
        mine = np.flatnonzero(skill == s)
        order, span, box_bounds, leaf_of = _plant_one(x_m[mine], y_m[mine])
        orders.append(mine[order])
        spans.append(span + planted)
        bounds.append(box_bounds)
        leaves.append(leaf_of + root[s])
        root[s + 1] = root[s] + len(span)
        planted += len(mine)
    return Forest(
        np.concatenate(orders), root, np.concatenate(spans), np.concatenate(bounds), np.concatenate(leaves)
    )


def _plant_one(x_m: Floats, y_m: Floats) -> tuple[Longs, Longs, Floats, Longs]:
    count = len(x_m)
    depth = 0
    while (LEAF_SIZE << depth) < count:
        depth += 1
    boxes = (2 << depth) - 1
    span = np.zeros((boxes, 2), dtype=np.int64)
    bounds = np.zeros((boxes, 4), dtype=np.float64)
    leaf_of = np.zeros(count, dtype=np.int64)
    order = np.arange(count, dtype=np.int64)
    span[0] = (0, count)
    for box in range(boxes):
        first, last = span[box]
        if first < last:
            inside = order[first:last]
            x, y = x_m[inside], y_m[inside]
            bounds[box] = (x.min(), x.max(), y.min(), y.max())
        if 2 * box + 2 >= boxes:
            leaf_of[first:last] = box
            continue
        if first < last:
            wide = bounds[box, 1] - bounds[box, 0] >= bounds[box, 3] - bounds[box, 2]
            order[first:last] = inside[np.argsort(x if wide else y, kind="stable")]
        middle = (first + last) // 2
        span[2 * box + 1] = (first, middle)
        span[2 * box + 2] = (middle, last)
    return order, span, bounds, leaf_of
