# SPDX-License-Identifier: Apache-2.0
"""Walking distances on a synthetic city of about 108,000 corners, beside scipy and networkit in the same run.

python -m benchmarks.planning.network [--side 330] [--sources 5000]

Peers compute a few sources; their time is scaled to all. Ratios are of processor time, one thread each,
because other work on the machine disturbs the wall clock; wall times stand beside them.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import dijkstra

from benchmarks.planning.machine import Took, machine, memory_mb, timed, write_result
from muster.planning.network import WalkGraph, at_nodes, distances, prepare, row_blocks, walk_order

SEED = 3


def city(side: int) -> WalkGraph:
    """Return jittered 100 m blocks, every eighth street an arterial, 30 % of the other streets missing."""
    rng = np.random.default_rng(SEED)
    column, row = np.meshgrid(np.arange(side), np.arange(side))
    x = (column * 100 + rng.normal(0, 25, column.shape)).ravel()
    y = (row * 100 + rng.normal(0, 25, row.shape)).ravel()
    node = np.arange(side * side).reshape(side, side)
    a = np.concatenate([node[:, :-1].ravel(), node[:-1].ravel()])
    b = np.concatenate([node[:, 1:].ravel(), node[1:].ravel()])
    arterial = np.concatenate([(row[:, :-1] % 8 == 0).ravel(), (column[:-1] % 8 == 0).ravel()])
    kept = arterial | (rng.random(len(a)) > 0.30)
    a, b = a[kept], b[kept]
    dm = np.maximum(1, np.rint(10 * np.hypot(x[a] - x[b], y[a] - y[b]))).astype(np.int64)
    graph = WalkGraph.from_edges(side * side, a, b, dm)
    pieces = graph.pieces()
    return graph.part(pieces == np.bincount(pieces).argmax())


def scipy_time(graph: WalkGraph, sources: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, Took]:
    links = csr_matrix((graph.lengths, graph.neighbours, graph.rows), shape=(graph.size,) * 2)
    return timed(lambda: dijkstra(links, indices=sources)[:, targets])


def networkit_time(graph: WalkGraph, sources: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, Took]:
    import networkit

    networkit.setNumberOfThreads(1)
    peer = networkit.Graph(graph.size, weighted=True)
    for a, b, dm in zip(graph.edge_a.tolist(), graph.edge_b.tolist(), graph.edge_dm.tolist(), strict=True):
        peer.addEdge(a, b, dm)
    search = networkit.distance.SPSP(peer, sources.tolist(), targets.tolist())

    def run() -> np.ndarray:
        search.run()
        return np.asarray(search.getDistances())

    return timed(run)


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--side", type=int, default=330)
    words.add_argument("--sources", type=int, default=5000)
    asked = words.parse_args()
    result: dict[str, Any] = {"machine": machine(), "seed": SEED}
    prepare(city(10))  # compile, or load what is compiled
    small = at_nodes(np.arange(50))
    distances(prepare(city(10)), small, small)
    graph = city(asked.side)
    rng = np.random.default_rng(SEED)
    count = min(asked.sources, graph.size)
    sources, targets = rng.choice(graph.size, count, False), rng.choice(graph.size, count, False)
    hierarchy, build = timed(lambda: prepare(graph))
    matrix, query = timed(lambda: distances(hierarchy, at_nodes(sources), at_nodes(targets)))
    few = min(10, count)
    truth, scipy_few = scipy_time(graph, sources[:few], targets)
    peer, networkit_few = networkit_time(graph, sources[:few], targets)
    slow, fast = scipy_few.scaled(count / few), networkit_few.scaled(count / few)
    whole = build.cpu_s + query.cpu_s
    result["matrix"] = {
        "nodes": graph.size,
        "edges": len(graph.edge_a),
        "upward_arcs": len(hierarchy.up_to),
        "sources_x_targets": f"{count} x {count}",
        "build": build.facts(),
        "query": query.facts(),
        "pairs_per_cpu_second": round(count * count / query.cpu_s),
        "scipy_scaled_from": few,
        "scipy": slow.facts(),
        "networkit": fast.facts(),
        "scipy_over_query_cpu": round(slow.cpu_s / query.cpu_s, 1),
        "networkit_over_query_cpu": round(fast.cpu_s / query.cpu_s, 1),
        "scipy_over_build_and_query_cpu": round(slow.cpu_s / whole, 1),
        "networkit_over_build_and_query_cpu": round(fast.cpu_s / whole, 1),
        "largest_difference_to_scipy": int(np.abs(matrix[:few] - truth).max()),
        "largest_difference_to_networkit": int(np.abs(matrix[:few] - peer).max()),
    }
    doors, sites = rng.choice(graph.size, min(50_000, graph.size // 2), False), rng.choice(graph.size, 2000)

    def blocks() -> int:
        pairs = row_blocks(hierarchy, at_nodes(sites), at_nodes(doors))
        return sum(block.size for _, block in pairs)

    _, block_time = timed(blocks)
    result["sites_x_doors"] = {"sites": len(sites), "doors": len(doors), **block_time.facts()}
    stops = rng.choice(graph.size, 300, False)
    legs = distances(hierarchy, at_nodes(stops), at_nodes(stops))
    walk_order(legs[:20, :20])
    walk, walk_time = timed(lambda: walk_order(legs, seed=SEED))
    result["walk_of_300_doors"] = {
        "length_m": walk.length_dm // 10,
        "percent_above_bound": round(100 * (walk.length_dm / walk.bound_dm - 1), 2),
        **walk_time.facts(),
    }
    result["memory_mb"] = memory_mb()
    print(write_result("network", result).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
