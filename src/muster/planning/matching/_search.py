# SPDX-License-Identifier: Apache-2.0
"""The cheapest posts of one person out of all posts of the city, found without listing them.

Cost plus price decides. A box of the tree is passed over when its lowest price plus the walk to its
edge cannot beat the best few found so far: the answer is exact.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Floats, Ints, Longs

# Kernels take and give whole numbers of Python and of numpy alike.
Whole: TypeAlias = int | np.signedinteger[Any]

FAR = np.int64(1 << 62)


class City(NamedTuple):
    """What never changes: people, posts, and how walking is counted. Prices are costs times `scale`."""

    x_m: Floats
    y_m: Floats
    skill_first: Longs  # person -> first entry in `skill`
    skill: Longs
    home: Longs  # grid or -1
    place: Longs  # row of `walk_m`
    reach_m: Longs  # longest walk of each person
    barred_first: Longs  # person -> first entry in `barred_grid`
    barred_grid: Longs
    post_grid: Longs
    post_skill: Longs
    post_x_m: Floats
    post_y_m: Floats
    unit_first: Longs  # post -> first unit
    unit_cost: Longs  # cost of leaving the unit unfilled, rising within a post
    home_post: Longs  # grid, skill -> post or -1
    walk_m: Ints  # place, grid -> metres; empty where straight lines count
    stretch: float  # walking metres per straight metre
    per_metre: float  # straight metres per unit of price
    bonus: int  # metres taken off in the own grid
    scale: int
    root: Longs
    span: Longs
    bounds: Floats
    leaf_of: Longs


class Found(NamedTuple):
    """The cheapest posts found, cheapest first."""

    post: Longs
    cost: Longs
    key: Longs


@njit(cache=True)
def make_found(room: Whole) -> Found:
    """Return room for so many posts."""
    return Found(np.empty(room, np.int64), np.empty(room, np.int64), np.empty(room, np.int64))


@njit(cache=True)
def walk(city: City, person: Whole, post: Whole) -> Whole:
    """Return the metres that a person walks to a post."""
    if city.walk_m.shape[0] > 0:
        return np.int64(city.walk_m[city.place[person], city.post_grid[post]])
    dx = city.x_m[person] - city.post_x_m[post]
    dy = city.y_m[person] - city.post_y_m[post]
    return np.int64(np.sqrt(dx * dx + dy * dy) * city.stretch + 0.5)


@njit(cache=True)
def _is_barred(city: City, person: Whole, grid: Whole) -> bool:
    for q in range(city.barred_first[person], city.barred_first[person + 1]):
        if city.barred_grid[q] == grid:
            return True
    return False


@njit(cache=True)
def _offer(
    city: City, person: Whole, post: Whole, cost: Whole, key: Whole, found: Found, count: Whole
) -> Whole:
    """Insert a post that is among the best found so far; return how many there are."""
    room = len(found.key)
    if _is_barred(city, person, city.post_grid[post]):
        return count
    at = count if count < room else room - 1
    while at > 0 and found.key[at - 1] > key:
        found.key[at] = found.key[at - 1]
        found.post[at] = found.post[at - 1]
        found.cost[at] = found.cost[at - 1]
        at -= 1
    found.key[at] = key
    found.post[at] = post
    found.cost[at] = cost
    return count + 1 if count < room else count


@njit(cache=True)
def _offer_run(
    city: City,
    price: Longs,
    person: Whole,
    first: Whole,
    last: Whole,
    found: Found,
    count: Whole,
    worst: Whole,
) -> Whole:
    """Offer a run of posts, those of the own grid left out; return how many are found."""
    room = len(found.key)
    home = city.home[person]
    reach = city.reach_m[person]
    by_table = city.walk_m.shape[0] > 0
    x, y = city.x_m[person], city.y_m[person]
    stretch, per_metre, scale = city.stretch, city.per_metre, city.scale
    for post in range(first, last):
        if by_table:
            metres = np.int64(city.walk_m[city.place[person], city.post_grid[post]])
        else:
            spare = worst - price[post]
            if spare <= 0:
                continue
            dx = x - city.post_x_m[post]
            dy = y - city.post_y_m[post]
            square = dx * dx + dy * dy
            # One metre of grace: rounding must never lose a post.
            near = np.float64(spare) * per_metre + 1.0
            if square >= near * near:
                continue
            metres = np.int64(np.sqrt(square) * stretch + 0.5)
        key = metres * scale + price[post]
        if key >= worst or metres > reach or city.post_grid[post] == home:
            continue
        count = _offer(city, person, post, metres, key, found, count)
        if count == room:
            worst = min(worst, found.key[room - 1])
    return count


@njit(cache=True)
def _offer_home(city: City, price: Longs, person: Whole, found: Found, count: Whole, worst: Whole) -> Whole:
    """Offer the posts of the person's own grid, where the bonus counts."""
    home = city.home[person]
    if home < 0:
        return count
    room = len(found.key)
    for q in range(city.skill_first[person], city.skill_first[person + 1]):
        post = city.home_post[home, city.skill[q]]
        if post < 0:
            continue
        metres = walk(city, person, post)
        if metres > city.reach_m[person]:
            continue
        cost = metres - city.bonus
        key = cost * city.scale + price[post]
        if key < worst and (count < room or key < found.key[room - 1]):
            count = _offer(city, person, post, cost, key, found, count)
    return count


@njit(cache=True)
def _box_key(city: City, lowest: Longs, x: float, y: float, box: Whole) -> Whole:
    """Return a key that no post in the box undercuts for a person at x, y."""
    if lowest[box] == FAR:
        return FAR
    dx = max(city.bounds[box, 0] - x, 0.0, x - city.bounds[box, 1])
    dy = max(city.bounds[box, 2] - y, 0.0, y - city.bounds[box, 3])
    return lowest[box] + np.int64(np.sqrt(dx * dx + dy * dy) * city.stretch) * city.scale


@njit(cache=True)
def best_posts(city: City, price: Longs, lowest: Longs, person: Whole, found: Found, worst: Whole) -> Whole:
    """Fill `found` with the cheapest posts of a person whose key is below `worst`; return how many."""
    room = len(found.key)
    count = _offer_home(city, price, person, found, 0, worst)
    if count == room:
        worst = min(worst, found.key[room - 1])
    by_table = city.walk_m.shape[0] > 0
    for q in range(city.skill_first[person], city.skill_first[person + 1]):
        root = city.root[city.skill[q]]
        if by_table:
            first, last = city.span[root, 0], city.span[root, 1]
            count = _offer_run(city, price, person, first, last, found, count, worst)
        else:
            boxes = city.root[city.skill[q] + 1] - root
            count = _climb(city, price, lowest, person, root, boxes, found, count, worst)
        if count == room:
            worst = min(worst, found.key[room - 1])
    return count


@njit(cache=True)
def _climb(
    city: City,
    price: Longs,
    lowest: Longs,
    person: Whole,
    root: Whole,
    boxes: Whole,
    found: Found,
    count: Whole,
    worst: Whole,
) -> Whole:
    """Go through the tree of one skill, the cheaper child first; return how many are found."""
    room = len(found.key)
    x, y = city.x_m[person], city.y_m[person]
    box_stack = np.empty(64, np.int64)
    key_stack = np.empty(64, np.int64)
    box_stack[0] = 0
    key_stack[0] = _box_key(city, lowest, x, y, root)
    top = 1
    while top > 0:
        top -= 1
        if key_stack[top] >= worst:
            continue
        box = box_stack[top]
        if 2 * box + 2 >= boxes:
            first, last = city.span[root + box, 0], city.span[root + box, 1]
            count = _offer_run(city, price, person, first, last, found, count, worst)
            if count == room:
                worst = min(worst, found.key[room - 1])
            continue
        near, far = 2 * box + 1, 2 * box + 2
        near_key = _box_key(city, lowest, x, y, root + near)
        far_key = _box_key(city, lowest, x, y, root + far)
        if far_key < near_key:
            near, far, near_key, far_key = far, near, far_key, near_key
        if far_key < worst:
            box_stack[top] = far
            key_stack[top] = far_key
            top += 1
        if near_key < worst:
            box_stack[top] = near
            key_stack[top] = near_key
            top += 1
    return count


@njit(cache=True)
def lowest_prices(city: City, price: Longs, lowest: Longs) -> None:
    """Fill `lowest` with the lowest price in each box."""
    for s in range(len(city.root) - 1):
        root = city.root[s]
        boxes = city.root[s + 1] - root
        for box in range(boxes - 1, -1, -1):
            low = FAR
            if 2 * box + 2 < boxes:
                low = min(lowest[root + 2 * box + 1], lowest[root + 2 * box + 2])
            else:
                for post in range(city.span[root + box, 0], city.span[root + box, 1]):
                    low = min(low, price[post])
            lowest[root + box] = low


@njit(cache=True)
def price_rose(city: City, price: Longs, lowest: Longs, skill: Whole, post: Whole, before: Whole) -> None:
    """Bring the boxes above a post up to date after its price rose from `before`."""
    box = city.leaf_of[post]
    root = city.root[skill]
    if lowest[box] < before:
        return
    low = FAR
    for q in range(city.span[box, 0], city.span[box, 1]):
        low = min(low, price[q])
    while lowest[box] != low:
        lowest[box] = low
        if box == root:
            return
        other = root + ((box - root - 1) ^ 1) + 1
        low = min(low, lowest[other])
        box = root + (box - root - 1) // 2


@njit(cache=True)
def seat_cost(city: City, person: Whole, post: Whole) -> Whole:
    """Return what a person in a post costs, unscaled."""
    metres = walk(city, person, post)
    return metres - city.bonus if city.home[person] == city.post_grid[post] else metres


@njit(cache=True)
def seat_costs(city: City, placed: Longs) -> Whole:
    """Return what all people in their posts cost together, unscaled."""
    total = np.int64(0)
    for person in range(len(placed)):
        if placed[person] >= 0:
            total += seat_cost(city, person, placed[person])
    return total
