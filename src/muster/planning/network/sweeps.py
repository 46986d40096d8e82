# SPDX-License-Identifier: Apache-2.0
"""Distances from many sources to many targets by sweeping a contraction hierarchy (numba).

Sources climb, 64 side by side; then one sweep from the most important rank down to the targets carries
all 64 on. Only ranks above some target are swept (RPHAST: D. Delling, A. Goldberg, R. Werneck: Faster
Batched Shortest Paths in Road Networks, ATMOS 2011).
"""

from __future__ import annotations

import numba
import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.network.graph import UNREACHABLE

# So many sources ride together. A fixed width lets the compiler use whole vector registers; 64 was the
# fastest of 16, 32, 64 and 128.
LANES = 64


@numba.njit(cache=True, nogil=True)
def select_ranks(
    up_rows: Longs, up_to: Ints, up_dm: Ints, wanted: Ints
) -> tuple[Ints, Ints, Longs, Ints, Ints]:
    """Return the ranks above the wanted ones, where each rank stands among them, and their arcs."""
    size = len(up_rows) - 1
    slot_of = np.full(size, -1, np.int32)
    for rank in wanted:
        slot_of[rank] = 0
    for rank in range(size - 1, -1, -1):
        if slot_of[rank] >= 0:
            for p in range(up_rows[rank], up_rows[rank + 1]):
                slot_of[up_to[p]] = 0
    count = 0
    arcs = 0
    for rank in range(size):
        if slot_of[rank] >= 0:
            slot_of[rank] = count
            count += 1
            arcs += up_rows[rank + 1] - up_rows[rank]
    ranks = np.empty(count, np.int32)
    rows = np.zeros(count + 1, np.int64)
    above = np.empty(arcs, np.int32)
    dm = np.empty(arcs, np.int32)
    arc = 0
    for rank in range(size):
        slot = slot_of[rank]
        if slot < 0:
            continue
        ranks[slot] = rank
        for p in range(up_rows[rank], up_rows[rank + 1]):
            above[arc] = slot_of[up_to[p]]
            dm[arc] = up_dm[p]
            arc += 1
        rows[slot + 1] = arc
    return ranks, slot_of, rows, above, dm


@numba.njit(cache=True, nogil=True)
def _ranks_above(
    up_rows: Longs, up_to: Ints, source_rows: Longs, source_rank: Ints, lanes: Longs, place: Ints, found: Ints
) -> int:
    """List in `found` all ranks that the sources can climb to; `place` marks them."""
    count = 0
    for source in lanes:
        for p in range(source_rows[source], source_rows[source + 1]):
            rank = source_rank[p]
            if place[rank] < 0:
                place[rank] = 0
                found[count] = rank
                count += 1
    at = 0
    while at < count:
        rank = found[at]
        at += 1
        for p in range(up_rows[rank], up_rows[rank + 1]):
            above = up_to[p]
            if place[above] < 0:
                place[above] = 0
                found[count] = above
                count += 1
    return count


@numba.njit(cache=True, nogil=True)
def sweep(
    up_rows: Longs,
    up_to: Ints,
    up_dm: Ints,
    source_rows: Longs,
    source_rank: Ints,
    source_dm: Ints,
    ride: Longs,
    ranks: Ints,
    rows: Longs,
    above: Ints,
    dm: Ints,
    target_rows: Longs,
    target_slot: Ints,
    target_dm: Ints,
    row_of: Longs,
    out: Ints,
) -> None:
    """Write the distance of each source to each target into the source's row of `out`.

    `ride` is a good order of the sources.
    """
    size = len(up_rows) - 1
    place = np.full(size, -1, np.int32)
    found = np.empty(size, np.int32)
    climb = np.empty((1024, LANES), np.int32)
    fall = np.empty((len(ranks), LANES), np.int32)
    for first in range(0, len(ride), LANES):
        lanes = ride[first : first + LANES]
        count = _ranks_above(up_rows, up_to, source_rows, source_rank, lanes, place, found)
        climbed = np.sort(found[:count])
        if count > len(climb):
            climb = np.empty((2 * count, LANES), np.int32)
        for i in range(count):
            place[climbed[i]] = i
            climb[i, :] = UNREACHABLE
        for lane in range(len(lanes)):
            for p in range(source_rows[lanes[lane]], source_rows[lanes[lane] + 1]):
                i = place[source_rank[p]]
                climb[i, lane] = min(climb[i, lane], source_dm[p])
        for i in range(count - 1, -1, -1):
            for p in range(up_rows[climbed[i]], up_rows[climbed[i] + 1]):
                j = place[up_to[p]]
                length = up_dm[p]
                for lane in range(LANES):
                    climb[j, lane] = min(climb[j, lane], np.int32(climb[i, lane] + length))
        for slot in range(len(ranks)):
            i = place[ranks[slot]]
            if i >= 0:
                for lane in range(LANES):
                    fall[slot, lane] = climb[i, lane]
            else:
                for lane in range(LANES):
                    fall[slot, lane] = UNREACHABLE
            for p in range(rows[slot], rows[slot + 1]):
                upper = above[p]
                length = dm[p]
                for lane in range(LANES):
                    fall[slot, lane] = min(fall[slot, lane], np.int32(fall[upper, lane] + length))
        for i in range(count):
            place[climbed[i]] = -1
        _land(fall, row_of[lanes], target_rows, target_slot, target_dm, out)


@numba.njit(cache=True, nogil=True)
def _land(fall: Ints, rows: Longs, target_rows: Longs, target_slot: Ints, target_dm: Ints, out: Ints) -> None:
    """Turn the swept lanes into rows of `out`, a few targets at a time so that both stay in the cache."""
    targets = len(target_rows) - 1
    for first in range(0, targets, 16):
        for lane in range(len(rows)):
            row = out[rows[lane]]
            for target in range(first, min(first + 16, targets)):
                best = UNREACHABLE
                for p in range(target_rows[target], target_rows[target + 1]):
                    best = min(best, fall[target_slot[p], lane] + target_dm[p])
                row[target] = best


@numba.njit(cache=True, nogil=True)
def direct_walks(
    group: Ints,
    along_dm: Longs,
    across_dm: Longs,
    off_dm: Ints,
    percent: int,
    target_group: Ints,
    target_order: Longs,
    target_along_dm: Longs,
    target_across_dm: Longs,
    target_off_dm: Ints,
    row_of: Longs,
    out: Ints,
) -> None:
    """Let source and target of one group (piece of street, yard) walk straight to each other.

    `target_order` sorts the targets by group. The way is the straight line times `percent` / 100, plus the
    way from each to the line.
    """
    grouped = target_group[target_order]
    for source in range(len(group)):
        if group[source] < 0:
            continue
        first = np.searchsorted(grouped, group[source])
        for k in range(first, len(grouped)):
            if grouped[k] != group[source]:
                break
            target = target_order[k]
            a = float(along_dm[source] - target_along_dm[target])
            b = float(across_dm[source] - target_across_dm[target])
            straight = np.rint(np.sqrt(a * a + b * b) * percent / 100.0)
            walk = np.int32(straight) + off_dm[source] + target_off_dm[target]
            row = row_of[source]
            out[row, target] = min(out[row, target], walk)


@numba.njit(cache=True, nogil=True)
def within_limit(block: Ints, limit_dm: int) -> tuple[Longs, Ints, Ints]:
    """Return row counts, columns and values of the entries of a block that are at most the limit."""
    counts = np.zeros(len(block), np.int64)
    for row in range(block.shape[0]):
        for column in range(block.shape[1]):
            if block[row, column] <= limit_dm:
                counts[row] += 1
    columns = np.empty(counts.sum(), np.int32)
    values = np.empty(len(columns), np.int32)
    k = 0
    for row in range(block.shape[0]):
        for column in range(block.shape[1]):
            if block[row, column] <= limit_dm:
                columns[k] = column
                values[k] = block[row, column]
                k += 1
    return counts, columns, values
