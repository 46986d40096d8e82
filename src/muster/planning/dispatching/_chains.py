# SPDX-License-Identifier: Apache-2.0
"""Many requests at once: each new one finds the cheapest chain of changes among those already given out.

Shortest augmenting paths (Jonker and Volgenant 1987) over people found by the pyramid when they are
needed. A person who can take several jobs is several places, each later one dearer by the load. Prices of
places prove at the end that no other way of giving out costs less.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Longs
from muster.planning.dispatching._pyramid import (
    FAR,
    GRID,
    LOAD,
    LOAD_M,
    OWN_GRID_M,
    Index,
    Whole,
    X,
    Y,
    nearest,
    walk,
)

NOBODY = -1


class Surge(NamedTuple):
    """Requests, places, and who stands in the list of each request."""

    x: Longs
    y: Longs
    needs: Longs
    avoids: Longs
    grid: Longs
    unserved: Longs  # what leaving the request costs
    declined_first: Longs
    declined: Longs
    place_first: Longs  # person -> first place
    owner: Longs  # place -> person
    price: Longs  # of each place
    holder: Longs  # place -> request or NOBODY
    given: Longs  # request -> place or NOBODY
    list_who: Longs
    list_score: Longs
    list_count: Longs
    limit: Longs  # request -> score that nobody outside its list is below


class Search(NamedTuple):
    """Working space of one shortest path. Nodes are places, then requests left, then requests to look on.

    `heap` holds nodes by `far`, nearest first; `slot` is where a node stands in it, -1 when it does not.
    """

    heap: Longs
    slot: Longs
    far: Longs
    seen: Longs  # node -> number of the search that reached it
    came_by: Longs  # place -> request that would move there
    start: Longs  # request -> way to it, less what it pays now
    looked: Longs  # request -> people looked at in this search
    settled: Longs
    found: Longs


@njit(cache=True)
def _rise(search: Search, at: Whole) -> None:
    heap, slot, far = search.heap, search.slot, search.far
    node = heap[at]
    while at > 0 and far[heap[(at - 1) >> 1]] > far[node]:
        above = (at - 1) >> 1
        heap[at] = heap[above]
        slot[heap[at]] = at
        at = above
    heap[at] = node
    slot[node] = at


@njit(cache=True)
def _take_nearest(search: Search, count: Whole) -> Whole:
    """Remove the nearest node from the heap and return it."""
    heap, slot, far = search.heap, search.slot, search.far
    nearest_node = heap[0]
    slot[nearest_node] = -1
    node = heap[count - 1]
    if count == 1:
        return nearest_node
    at, last = 0, count - 1
    while True:
        below = 2 * at + 1
        if below >= last:
            break
        if below + 1 < last and far[heap[below + 1]] < far[heap[below]]:
            below += 1
        if far[heap[below]] >= far[node]:
            break
        heap[at] = heap[below]
        slot[heap[at]] = at
        at = below
    heap[at] = node
    slot[node] = at
    return nearest_node


@njit(cache=True)
def _bring(search: Search, count: Whole, number: Whole, node: Whole, length: Whole) -> Whole:
    """Offer a way to a node; return how many nodes the heap holds."""
    if search.seen[node] == number:
        if length >= search.far[node]:
            return count
        search.far[node] = length
        _rise(search, search.slot[node])
        return count
    search.seen[node] = number
    search.far[node] = length
    search.heap[count] = node
    _rise(search, count)
    return count + 1


@njit(cache=True)
def _look(index: Index, surge: Surge, request: Whole, found: Longs) -> Whole:
    """Search the city for the best people for a request; return how many were found."""
    declined = surge.declined[surge.declined_first[request] : surge.declined_first[request + 1]]
    return nearest(
        index.people,
        index.head,
        index.traits,
        index.shape,
        surge.x[request],
        surge.y[request],
        surge.needs[request],
        surge.avoids[request],
        surge.grid[request],
        declined,
        found,
    )


@njit(cache=True)
def _make_list(index: Index, surge: Surge, request: Whole, found: Longs) -> None:
    """Note the best people for a request, and the score that nobody else is below."""
    room = surge.list_who.shape[1]
    count = _look(index, surge, request, found[: room + 1])
    surge.limit[request] = found[room, 0] if count > room else FAR
    surge.list_count[request] = min(count, room)
    for k in range(min(count, room)):
        surge.list_score[request, k] = found[k, 0]
        surge.list_who[request, k] = found[k, 1]


@njit(cache=True)
def _reach(
    surge: Surge,
    search: Search,
    count: Whole,
    number: Whole,
    request: Whole,
    who: Whole,
    way: Whole,
    load_m: Whole,
) -> Whole:
    """Offer all places of a person; `way` is the way so far plus the person's score for the request."""
    first = surge.place_first[who]
    for place in range(first, surge.place_first[who + 1]):
        length = way + load_m * (place - first) + surge.price[place]
        if search.seen[place] != number or length < search.far[place]:
            search.came_by[place] = request
            count = _bring(search, count, number, place, length)
    return count


@njit(cache=True)
def _set_out(
    index: Index, surge: Surge, search: Search, count: Whole, number: Whole, request: Whole, start: Whole
) -> Whole:
    """Offer a request everybody in its list, being left, and looking on behind the list."""
    places, requests = len(surge.owner), len(surge.x)
    search.start[request] = start
    search.looked[request] = surge.list_who.shape[1]
    for k in range(surge.list_count[request]):
        way = start + surge.list_score[request, k]
        who = surge.list_who[request, k]
        count = _reach(surge, search, count, number, request, who, way, index.shape[LOAD_M])
    count = _bring(search, count, number, places + request, start + surge.unserved[request])
    if surge.limit[request] < surge.unserved[request]:
        node = places + requests + request
        count = _bring(search, count, number, node, start + surge.limit[request])
    return count


@njit(cache=True)
def _look_on(
    index: Index, surge: Surge, search: Search, count: Whole, number: Whole, request: Whole
) -> Whole:
    """Offer a request four times as many people as were looked at in this search."""
    places, requests, people = len(surge.owner), len(surge.x), len(index.people)
    room = min(4 * search.looked[request], people)
    look = np.empty((room, 2), np.int64)
    found = _look(index, surge, request, look)
    start = search.start[request]
    for k in range(found):
        count = _reach(
            surge, search, count, number, request, look[k, 1], start + look[k, 0], index.shape[LOAD_M]
        )
    search.looked[request] = room
    node = places + requests + request
    search.seen[node] = 0
    if found == room and room < people and look[room - 1, 0] < surge.unserved[request]:
        count = _bring(search, count, number, node, start + look[room - 1, 0])
    return count


@njit(cache=True)
def paid(index: Index, surge: Surge, request: Whole) -> Whole:
    """Return what a request that was given out pays: its score there, the load, the price of the place."""
    place = surge.given[request]
    who = surge.owner[place]
    person, shape = index.people[who], index.shape
    score = walk(shape, person[X] - surge.x[request], person[Y] - surge.y[request])
    score += shape[LOAD_M] * (person[LOAD] + place - surge.place_first[who])
    if surge.grid[request] >= 0 and person[GRID] == surge.grid[request]:
        score -= shape[OWN_GRID_M]
    return score + surge.price[place]


@njit(cache=True)
def give_out(index: Index, surge: Surge, search: Search, first: Whole, last: Whole) -> None:
    """Give out the requests from `first` to before `last`, changing earlier ones where that is cheaper."""
    places, requests = len(surge.owner), len(surge.x)
    for request in range(first, last):
        _make_list(index, surge, request, search.found)
        number = request + 1
        settled = 0
        count = _set_out(index, surge, search, 0, number, request, 0)
        while True:
            node = _take_nearest(search, count)
            count -= 1
            way = search.far[node]
            if node >= places + requests:
                count = _look_on(index, surge, search, count, number, node - places - requests)
                continue
            if node >= places or surge.holder[node] == NOBODY:
                break
            search.settled[settled] = node
            settled += 1
            holder = surge.holder[node]
            start = way - paid(index, surge, holder)
            count = _set_out(index, surge, search, count, number, holder, start)
        for k in range(settled):
            place = search.settled[k]
            surge.price[place] += way - search.far[place]
        _move_along(surge, search, request, node)


@njit(cache=True)
def _move_along(surge: Surge, search: Search, request: Whole, node: Whole) -> None:
    """Carry out the chain that ends with a free place, or with a request that is left."""
    place = node
    if node >= len(surge.owner):
        left = node - len(surge.owner)
        place = surge.given[left]
        surge.given[left] = NOBODY
        if left == request:
            return
    while True:
        mover = search.came_by[place]
        before = surge.given[mover]
        surge.given[mover] = place
        surge.holder[place] = mover
        if mover == request:
            return
        place = before
