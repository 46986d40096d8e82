# SPDX-License-Identifier: Apache-2.0
"""Walking distances between places: whole matrices, row blocks, and who is within a limit of whom.

All distances are int32 decimetres, exact on the graph, UNREACHABLE where no walk leads.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning._kernel.fanning import in_order
from muster.planning.contract import Progress, Step, report
from muster.planning.network.hierarchy import Hierarchy
from muster.planning.network.places import YARD_DETOUR, Places
from muster.planning.network.sweeps import LANES, direct_walks, select_ranks, sweep, within_limit

# One block of a matrix takes at most this much memory; several are under way at once.
_BLOCK_BYTES = 32 << 20

# Who may walk directly to whom: group number, where along and across the ground, how far beside the way.
_Group: TypeAlias = tuple[Ints, Longs, Longs, Ints]


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """Targets made ready: the part of the hierarchy above them, swept again for each block of sources."""

    hierarchy: Hierarchy
    targets: Places
    ranks: Ints
    rows: Longs
    above: Ints
    dm: Ints
    slot: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Near:
    """Sparse distances: source i reaches target[rows[i]:rows[i + 1]] in `dm` decimetres each."""

    rows: Longs
    target: Ints
    dm: Ints


def aim(hierarchy: Hierarchy, targets: Places) -> Aim:
    """Make targets ready for any number of sources."""
    wanted = hierarchy.rank_of[targets.node]
    ranks, slot_of, rows, above, dm = select_ranks(hierarchy.rows, hierarchy.up_to, hierarchy.up_dm, wanted)
    return Aim(hierarchy, targets, ranks, rows, above, dm, slot_of[wanted])


def distances(
    hierarchy: Hierarchy,
    sources: Places,
    targets: Places,
    *,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Ints:
    """Return the matrix sources x targets. It has to fit into memory; `row_blocks` need not."""
    aimed = aim(hierarchy, targets)
    order = _riding_order(hierarchy, sources)
    out = np.empty((len(sources), len(targets)), np.int32)
    chunks = _chunks(len(sources), _rows_per_block(len(targets)))
    jobs: Iterator[tuple[Any, ...]]
    if executor is None:
        # threads of this process fill the rows where they belong, which saves a copy of everything
        jobs = ((aimed, sources.take(order[chunk]), order[chunk], out) for chunk in chunks)
        for chunk, _ in zip(chunks, in_order(_fill_rows, jobs, executor=None), strict=True):
            report(progress, Step("distances", chunk.stop, len(sources)))
        return out
    jobs = ((aimed, sources.take(order[chunk])) for chunk in chunks)
    for chunk, block in zip(chunks, in_order(block_of, jobs, executor=executor), strict=True):
        out[order[chunk]] = block
        report(progress, Step("distances", chunk.stop, len(sources)))
    return out


def row_blocks(
    hierarchy: Hierarchy,
    sources: Places,
    targets: Places,
    *,
    rows: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[slice, Ints]]:
    """Yield (which sources, their rows) one block after the other, never the whole matrix."""
    aimed = aim(hierarchy, targets)
    chunks = _chunks(len(sources), rows or _rows_per_block(len(targets)))
    jobs = ((aimed, sources.take(np.arange(chunk.start, chunk.stop))) for chunk in chunks)
    for chunk, block in zip(chunks, in_order(block_of, jobs, executor=executor), strict=True):
        report(progress, Step("distances", chunk.stop, len(sources)))
        yield chunk, block


def within(
    hierarchy: Hierarchy,
    sources: Places,
    targets: Places,
    *,
    limit_dm: int,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Near:
    """Return for each source the targets at most `limit_dm` away, by number of the target."""
    counts, columns, values = [np.zeros(1, np.int64)], [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    for _, block in row_blocks(hierarchy, sources, targets, executor=executor, progress=progress):
        count, column, value = within_limit(block, limit_dm)
        counts.append(count)
        columns.append(column)
        values.append(value)
    return Near(np.cumsum(np.concatenate(counts)), np.concatenate(columns), np.concatenate(values))


def block_of(aimed: Aim, sources: Places) -> Ints:
    """Return the rows of these sources: a pure, picklable job."""
    out = np.empty((len(sources), len(aimed.targets)), np.int32)
    _fill_rows(aimed, sources, np.arange(len(sources)), out)
    return out


def _fill_rows(aimed: Aim, sources: Places, row_of: Longs, out: Ints) -> None:
    """Write the distances of each source into its row of `out`."""
    upward, targets = aimed.hierarchy, aimed.targets
    sweep(
        upward.rows,
        upward.up_to,
        upward.up_dm,
        sources.rows,
        upward.rank_of[sources.node],
        sources.cost_dm,
        _riding_order(upward, sources),
        aimed.ranks,
        aimed.rows,
        aimed.above,
        aimed.dm,
        targets.rows,
        aimed.slot,
        targets.cost_dm,
        row_of,
        out,
    )
    _walk_directly(sources, targets, row_of, out)


def _walk_directly(sources: Places, targets: Places, row_of: Longs, out: Ints) -> None:
    for here, there, percent in (
        (_street(sources), _street(targets), 100),
        (_courtyard(sources), _courtyard(targets), YARD_DETOUR),
        (*_spots(sources, targets), 100),
    ):
        if (here[0] >= 0).any() and (there[0] >= 0).any():
            order = np.argsort(there[0], kind="stable")
            direct_walks(*here, percent, there[0], order, *there[1:], row_of, out)


def _street(places: Places) -> _Group:
    return places.edge, places.along_dm.astype(np.int64), np.zeros(len(places), np.int64), places.off_dm


def _courtyard(places: Places) -> _Group:
    return places.yard, places.east_dm, places.north_dm, np.zeros(len(places), np.int32)


def _spots(sources: Places, targets: Places) -> tuple[_Group, _Group]:
    """Group places by the very spot on which they stand: no walk apart."""
    east = np.concatenate([sources.east_dm, targets.east_dm])
    north = np.concatenate([sources.north_dm, targets.north_dm])
    spot = np.unique(np.stack([east, north], axis=1), axis=0, return_inverse=True)[1].reshape(-1)
    on_map = np.concatenate([_on_map(sources), _on_map(targets)])
    group = np.where(on_map, spot, -1).astype(np.int32)
    return _on_spot(group[: len(sources)]), _on_spot(group[len(sources) :])


def _on_spot(group: Ints) -> _Group:
    nothing = np.zeros(len(group), np.int64)
    return group, nothing, nothing, nothing.astype(np.int32)


def _on_map(places: Places) -> Bools:
    return (places.edge >= 0) | (places.yard >= 0)


def _riding_order(hierarchy: Hierarchy, sources: Places) -> Longs:
    """Return the sources so that neighbours ride together: ranks of nested dissection lie near each other."""
    lowest = np.zeros(len(sources), np.int64)
    attached = np.flatnonzero(sources.attached)
    lowest[attached] = hierarchy.rank_of[sources.node[sources.rows[attached]]]
    return np.argsort(lowest, kind="stable").astype(np.int64)


def _rows_per_block(targets: int) -> int:
    rows = _BLOCK_BYTES // (4 * max(1, targets))
    return int(min(1024, max(LANES, rows // LANES * LANES)))


def _chunks(count: int, size: int) -> list[slice]:
    return [slice(first, min(first + size, count)) for first in range(0, count, size)]
