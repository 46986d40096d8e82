# SPDX-License-Identifier: Apache-2.0
"""One peer divides the ground of a file: `districting_peers.py gerrychain|spopt GROUND ANSWER`.

Runs in an environment of its own that has the peer; needs nothing of Muster.
"""

from __future__ import annotations

import random
import sys
import time

import numpy as np


def gerrychain(ground) -> np.ndarray:
    import networkx as nx
    from gerrychain import Graph
    from gerrychain.tree import recursive_tree_part

    plain = nx.Graph()
    for number, people in enumerate(ground["population"].tolist()):
        plain.add_node(number, population=people)
    plain.add_edges_from(zip(ground["a"].tolist(), ground["b"].tolist(), strict=True))
    count = int(ground["count"])
    random.seed(1)
    np.random.seed(1)
    try:
        graph = Graph.from_networkx(plain)
    except AttributeError:
        graph = Graph(plain)
    ideal = float(ground["population"].sum()) / count
    found = recursive_tree_part(graph, range(count), ideal, "population", 0.10)
    return np.asarray([found[number] for number in range(len(ground["x"]))])


def spopt(ground) -> np.ndarray:
    import geopandas
    from libpysal.weights import W
    from spopt.region import WardSpatial

    near: dict[int, list[int]] = {number: [] for number in range(len(ground["x"]))}
    for a, b in zip(ground["a"].tolist(), ground["b"].tolist(), strict=True):
        near[a].append(b)
        near[b].append(a)
    points = geopandas.points_from_xy(ground["x"], ground["y"])
    frame = geopandas.GeoDataFrame({"x": ground["x"], "y": ground["y"]}, geometry=points)
    model = WardSpatial(frame, W(near, silence_warnings=True), ["x", "y"], n_clusters=int(ground["count"]))
    model.solve()
    return np.asarray(model.labels_)


def main() -> None:
    name, ground_file, answer_file = sys.argv[1:]
    ground = np.load(ground_file)
    work = {"gerrychain": gerrychain, "spopt": spopt}[name]
    wall, cpu = time.perf_counter(), time.process_time()
    label = work(ground)
    np.savez(answer_file, label=label, wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu)


if __name__ == "__main__":
    main()
