# SPDX-License-Identifier: Apache-2.0
"""Tours divided into parts that are worked on side by side, along other lines in each round.

A part has tours that lie together, some unused vehicles and the stops left out nearby. It is a ground of its
own with nothing of the rest, so that it can be sent to another process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs

if TYPE_CHECKING:
    from muster.planning.routing._ground import Ground

_STOPS_IN_A_PART = 500
_TOURS_IN_A_PART = 12
# A part gets so many unused vehicles of a kind, and an eighth of its tours more.
_SPARE = 3


class Layout(NamedTuple):
    """Tours as lists: tour k of `vehicle[k]` has the stops `first[k]` to before `first[k + 1]`."""

    vehicle: Longs
    first: Longs
    stops: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some tours on a ground of their own, with the numbers that stops and vehicles have in the whole."""

    ground: Ground
    layout: Layout
    stops: Longs
    vehicles: Longs

    def in_whole(self, layout: Layout) -> Layout:
        return Layout(self.vehicles[layout.vehicle], layout.first, self.stops[layout.stops])


def parts_for(ground: Ground, layout: Layout) -> int:
    """Return into how many parts the tours are divided."""
    tours = len(layout.vehicle)
    if ground.stops == 0 or np.ptp(ground.xy, axis=0).max() == 0:
        return 1  # nobody knows what lies together
    return max(1, min(ground.stops // _STOPS_IN_A_PART, tours // _TOURS_IN_A_PART))


def joined(layouts: list[Layout]) -> Layout:
    """Return the tours of all parts as one layout, in the order of the vehicles."""
    vehicle = np.concatenate([one.vehicle for one in layouts])
    sizes = np.concatenate([np.diff(one.first) for one in layouts])
    stops = np.concatenate([one.stops for one in layouts])
    begins = np.cumsum(sizes) - sizes
    order = np.argsort(vehicle, kind="stable")
    first = np.concatenate(([0], np.cumsum(sizes[order]))).astype(np.int64)
    at = np.repeat(begins[order] - first[:-1], sizes[order]) + np.arange(len(stops))
    return Layout(vehicle[order], first, stops[at])


def divided(ground: Ground, layout: Layout, count: int, draw: np.random.Generator, turn: int) -> list[Part]:
    """Divide the tours into parts: by direction from the middle, or by halving the plane, in turns."""
    from muster.planning.routing import _ground

    n = ground.stops
    vehicle, first = layout.vehicle, layout.first
    busy = np.zeros(ground.vehicles, bool)
    busy[vehicle] = True
    # A vehicle with something fixed belongs to a part also while it has no stops.
    alone = np.flatnonzero(_fixed_vehicles(ground) & ~busy)
    middles = _middles(ground, layout, alone)
    group = np.zeros(len(middles), np.int64) if count == 1 else _groups(middles, count, draw, turn)
    part_of_vehicle = np.full(ground.vehicles, -1, np.int64)
    part_of_vehicle[np.concatenate((vehicle, alone))] = group
    part_of_stop = np.full(n, -1, np.int64)
    part_of_stop[layout.stops] = np.repeat(group[: len(vehicle)], np.diff(first))
    _share_left_out(ground, part_of_stop, part_of_vehicle, count)
    busy[alone] = True
    spare = np.flatnonzero(~busy)
    kinds = ground.vehicle[:, _ground.KIND]
    tours = np.bincount(group, minlength=count)
    for kind in range(len(ground.kinds)):
        own = spare[kinds[spare] == kind]
        most = np.minimum(-(-len(own) // count), _SPARE + tours // 8)
        for part in range(count):
            part_of_vehicle[own[part::count][: int(most[part])]] = part
    return [
        _part(
            ground,
            layout,
            group,
            part,
            np.flatnonzero(part_of_stop == part),
            np.flatnonzero(part_of_vehicle == part),
        )
        for part in range(count)
    ]


def _fixed_vehicles(ground: Ground) -> np.ndarray:
    from muster.planning.routing import _ground

    wanted = np.zeros(len(ground.kinds), bool)
    only = ground.node[: ground.stops, _ground.ONLY]
    wanted[only[only >= 0]] = True
    wanted |= ground.kinds[:, _ground.ALWAYS] > 0
    return wanted[ground.vehicle[:, _ground.KIND]]


def _middles(ground: Ground, layout: Layout, alone: Longs) -> Floats:
    sizes = np.diff(layout.first)
    sums = (
        np.add.reduceat(ground.xy[layout.stops], layout.first[:-1], axis=0)
        if len(sizes)
        else np.zeros((0, 2))
    )
    return np.concatenate((sums / sizes[:, None], ground.xy[ground.stops + alone]))


def _groups(middles: Floats, count: int, draw: np.random.Generator, turn: int) -> Longs:
    group = np.zeros(len(middles), np.int64)
    if turn % 2 == 0:
        centre = middles.mean(axis=0)
        angle = np.arctan2(middles[:, 1] - centre[1], middles[:, 0] - centre[0])
        order = np.argsort(np.mod(angle + draw.uniform(0, 2 * np.pi), 2 * np.pi), kind="stable")
        # Slices of a large city are too thin; rings and slices would not lie together.
        if count <= 8:
            for number, members in enumerate(np.array_split(order, count)):
                group[members] = number
            return group
    pending = [(np.arange(len(middles)), 0, count)]
    while pending:
        members, low, many = pending.pop()
        if many == 1:
            group[members] = low
            continue
        turned = draw.uniform(0, np.pi)
        along = middles[members] @ np.array([np.cos(turned), np.sin(turned)])
        members = members[np.argsort(along, kind="stable")]
        half = many // 2
        cut = len(members) * half // many
        pending += [(members[:cut], low, half), (members[cut:], low + half, many - half)]
    return group


def _share_left_out(ground: Ground, part_of_stop: Longs, part_of_vehicle: Longs, count: int) -> None:
    """Give stops left out to the part of a near stop, of their vehicle, or of their partner."""
    from muster.planning.routing import _ground

    kinds = ground.vehicle[:, _ground.KIND]
    for stop in np.flatnonzero(part_of_stop < 0).tolist():
        if part_of_stop[stop] >= 0:
            continue
        only, partner = int(ground.node[stop, _ground.ONLY]), int(ground.node[stop, _ground.PARTNER])
        near = ground.near[stop][ground.near[stop] >= 0]
        parts = part_of_stop[near]
        parts = parts[parts >= 0]
        part = int(parts[0]) if len(parts) else stop % count
        if only >= 0:
            part = int(part_of_vehicle[np.flatnonzero(kinds == only)[0]])
        part_of_stop[stop] = part
        if partner >= 0:
            part_of_stop[partner] = part


def _part(ground: Ground, layout: Layout, group: Longs, part: int, stops: Longs, vehicles: Longs) -> Part:
    from muster.planning.routing import _ground

    n, many = len(stops), len(vehicles)
    rows = np.concatenate((stops, ground.stops + vehicles, ground.stops + ground.vehicles + vehicles))
    node = ground.node[rows]
    local = np.full(ground.stops + 1, -1, np.int64)
    local[stops] = np.arange(n)
    node[:, _ground.PARTNER] = local[node[:, _ground.PARTNER]]
    kinds = ground.kinds.copy()
    own = ground.vehicle[vehicles, _ground.KIND]
    kinds[:, _ground.FIRST] = np.searchsorted(own, np.arange(len(kinds)))
    near = local[ground.near[stops]]
    order = np.argsort(near < 0, axis=1, kind="stable")
    table, time_table = ground.table, ground.time_table
    if ground.metric == _ground.LISTED and n < ground.stops:
        places = node[:, _ground.PLACE]
        used = np.unique(places[places >= 0])
        table, time_table = table[np.ix_(used, used)], time_table[np.ix_(used, used)]
        node[:, _ground.PLACE] = np.where(places >= 0, np.searchsorted(used, places), -1)
    mine = np.flatnonzero(group[: len(layout.vehicle)] == part)
    pieces = [layout.stops[layout.first[k] : layout.first[k + 1]] for k in mine]
    listed = local[np.concatenate(pieces)] if pieces else np.zeros(0, np.int64)
    first = np.concatenate(([0], np.cumsum([len(piece) for piece in pieces]))).astype(np.int64)
    return Part(
        ground=ground._replace(
            xy=ground.xy[rows],
            node=node,
            vehicle=ground.vehicle[vehicles],
            kinds=kinds,
            near=np.take_along_axis(near, order, axis=1).astype(np.int32),
            near_leg=np.take_along_axis(ground.near_leg[stops], order, axis=1),
            table=table,
            time_table=time_table,
            stops=n,
            vehicles=many,
        ),
        layout=Layout(np.searchsorted(vehicles, layout.vehicle[mine]).astype(np.int64), first, listed),
        stops=stops,
        vehicles=vehicles,
    )
