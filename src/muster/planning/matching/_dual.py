# SPDX-License-Identifier: Apache-2.0
"""What prices prove, and a quick seat for people whom a broken-off auction left without one."""

from __future__ import annotations

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Longs
from muster.planning.matching._search import (
    FAR,
    City,
    Whole,
    best_posts,
    lowest_prices,
    make_found,
    price_rose,
)


@njit(cache=True, nogil=True)
def least_keys(
    city: City, price: Longs, lowest: Longs, reserve: Whole, first: Whole, last: Whole
) -> tuple[Whole, Whole]:
    """Return the sum of what people pay at least at these prices, as whole scales and a rest.

    A person pays the lowest cost plus price over all posts of the city, or the reserve's price.
    """
    whole, rest = np.int64(0), np.int64(0)
    found = make_found(1)
    for person in range(first, last):
        key = reserve
        if best_posts(city, price, lowest, person, found, reserve) > 0:
            key = found.key[0]
        paid = key - reserve
        whole += paid // city.scale
        rest += paid % city.scale
    return whole, rest


@njit(cache=True, nogil=True)
def least_units(city: City, price: Longs, reserve: Whole) -> tuple[Whole, Whole]:
    """Return what leaving units unfilled costs at least, less what the prices are worth, as above."""
    whole, rest = np.int64(0), np.int64(0)
    for post in range(len(price)):
        relative = price[post] - reserve
        for unit in range(city.unit_first[post], city.unit_first[post + 1]):
            worth = min(np.int64(0), city.unit_cost[unit] * city.scale + relative) - relative
            whole += worth // city.scale
            rest += worth % city.scale
    return whole, rest


@njit(cache=True, nogil=True)
def seat_rest(city: City, placed: Longs, room: Longs, price: Longs, lowest: Longs) -> None:
    """Give people without a seat the nearest post that still has room; who finds none stays idle (-1).

    `price` and `lowest` are working space.
    """
    full = FAR // 4
    for post in range(len(room)):
        price[post] = 0 if room[post] > 0 else full
    lowest_prices(city, price, lowest)
    found = make_found(1)
    for person in range(len(placed)):
        if placed[person] >= 0:
            continue
        placed[person] = -1
        if best_posts(city, price, lowest, person, found, full) == 0:
            continue
        post = found.post[0]
        if room[post] == 0:
            continue  # of the own grid: it is found however full, for what it is worth
        # The units still empty are the cheapest of the post; a seat fills the dearest of them.
        if found.cost[0] >= city.unit_cost[city.unit_first[post] + room[post] - 1]:
            continue
        placed[person] = post
        room[post] -= 1
        if room[post] == 0:
            price[post] = full
            price_rose(city, price, lowest, city.post_skill[post], post, 0)
