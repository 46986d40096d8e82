# SPDX-License-Identifier: Apache-2.0
"""One scaling phase of the auction: free people bid for posts until each person has a place.

Cost scaling for the transportation problem (Bertsekas 1988; Goldberg and Kennedy 1995), with three
turns of our own: the arcs are never listed (a responder keeps the best few and asks the tree for more
when they no longer suffice), posts of one grid and skill are one object with one price, and being
left idle or being left unfilled are two sides of one node, the reserve.

All prices only rise within a phase and from phase to phase, therefore a list of the best few stays
right until its best entry costs more than the first entry that was left out (`limit`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.matching._search import (
    FAR,
    City,
    Found,
    Whole,
    best_posts,
    lowest_prices,
    make_found,
    price_rose,
)

IDLE = -1
FREE = -2


class Market(NamedTuple):
    """What changes while people bid."""

    price: Longs  # of each post
    reserve: Longs  # price of the reserve, [0]
    placed: Longs  # person -> post, IDLE or FREE
    held: Longs  # units of a post in `bids`, as a heap, lowest bid first
    unfilled: Longs  # units of a post that the reserve holds
    bids: Longs  # unit -> bid of the person who holds it
    holders: Longs  # unit -> person
    idle_bids: Longs  # heap
    idle_holders: Longs
    counts: Longs  # idle, unfilled, free, refills, bids
    free: Longs  # stack of people without a place
    option_post: Longs  # heap of posts by what it would cost the reserve to leave one more unit there
    option_key: Longs
    option_at: Longs
    list_post: Ints
    list_cost: Ints
    list_key: Longs  # cost plus price when the list was made: now it is that or more
    limit: Longs
    lowest: Longs


N_IDLE, N_UNFILLED, N_FREE, N_REFILLS, N_BIDS, N_OPTIONS = 0, 1, 2, 3, 4, 5


@njit(cache=True)
def _refill(city: City, market: Market, person: Whole, found: Found) -> None:
    """Look for the person's best few posts anew."""
    market.counts[N_REFILLS] += 1
    count = best_posts(city, market.price, market.lowest, person, found, FAR)
    room = len(found.key) - 1
    if room < market.list_post.shape[1]:
        market.list_key[person, room] = FAR
    for k in range(room):
        market.list_post[person, k] = found.post[k] if k < count else -1
        market.list_cost[person, k] = found.cost[k] if k < count else 0
        market.list_key[person, k] = found.key[k] if k < count else FAR
    market.limit[person] = found.key[room] if count > room else FAR


@njit(cache=True)
def _sift_up(bids: Longs, holders: Longs, at: Whole, base: Whole) -> None:
    bid, holder = bids[base + at], holders[base + at]
    while at > 0:
        above = (at - 1) // 2
        if bids[base + above] <= bid:
            break
        bids[base + at] = bids[base + above]
        holders[base + at] = holders[base + above]
        at = above
    bids[base + at] = bid
    holders[base + at] = holder


@njit(cache=True)
def _sift_down(bids: Longs, holders: Longs, at: Whole, base: Whole, count: Whole) -> None:
    bid, holder = bids[base + at], holders[base + at]
    while True:
        below = 2 * at + 1
        if below >= count:
            break
        if below + 1 < count and bids[base + below + 1] < bids[base + below]:
            below += 1
        if bids[base + below] >= bid:
            break
        bids[base + at] = bids[base + below]
        holders[base + at] = holders[base + below]
        at = below
    bids[base + at] = bid
    holders[base + at] = holder


@njit(cache=True)
def _option_swap(market: Market, at: Whole, other: Whole) -> None:
    posts, keys, where = market.option_post, market.option_key, market.option_at
    keys[at], keys[other] = keys[other], keys[at]
    posts[at], posts[other] = posts[other], posts[at]
    where[posts[at]], where[posts[other]] = at, other


@njit(cache=True)
def _option_up(market: Market, at: Whole) -> None:
    while at > 0 and market.option_key[(at - 1) // 2] > market.option_key[at]:
        _option_swap(market, at, (at - 1) // 2)
        at = (at - 1) // 2


@njit(cache=True)
def _option_down(market: Market, at: Whole) -> None:
    keys, count = market.option_key, market.counts[N_OPTIONS]
    while True:
        below = 2 * at + 1
        if below >= count:
            return
        if below + 1 < count and keys[below + 1] < keys[below]:
            below += 1
        if keys[below] >= keys[at]:
            return
        _option_swap(market, at, below)
        at = below


@njit(cache=True)
def _unit_key(city: City, market: Market, post: Whole, ahead: Whole) -> Whole:
    """Return what leaving one more unit of the post (after `ahead` others) would cost, or FAR."""
    unit = city.unit_first[post] + market.unfilled[post] + ahead
    if unit >= city.unit_first[post + 1]:
        return FAR
    return city.unit_cost[unit] * city.scale + market.price[post]


@njit(cache=True)
def _best_option(city: City, market: Market) -> Whole:
    """Return the lowest key among the reserve's options, after bringing the top of the heap up to date."""
    while market.counts[N_OPTIONS] > 0:
        post = market.option_post[0]
        key = _unit_key(city, market, post, 0)
        if key == market.option_key[0]:
            return key
        market.option_key[0] = key
        _option_down(market, 0)
    return FAR


@njit(cache=True)
def _free_person(market: Market, person: Whole) -> None:
    market.placed[person] = FREE
    market.free[market.counts[N_FREE]] = person
    market.counts[N_FREE] += 1


@njit(cache=True)
def _held_unit_bid(city: City, market: Market, post: Whole) -> Whole:
    """Return the bid behind the dearest unit that the reserve holds in the post, or FAR."""
    if market.unfilled[post] == 0:
        return FAR
    unit = city.unit_first[post] + market.unfilled[post] - 1
    return market.reserve[0] - city.unit_cost[unit] * city.scale


@njit(cache=True)
def _raise_price(city: City, market: Market, post: Whole) -> None:
    """A full post costs what its lowest holder bids."""
    low = _held_unit_bid(city, market, post)
    if market.held[post] > 0:
        low = min(low, market.bids[city.unit_first[post]])
    before = market.price[post]
    if low > before:
        market.price[post] = low
        price_rose(city, market.price, market.lowest, city.post_skill[post], post, before)


@njit(cache=True)
def _is_full(city: City, market: Market, post: Whole) -> bool:
    return market.held[post] + market.unfilled[post] >= city.unit_first[post + 1] - city.unit_first[post]


@njit(cache=True)
def _push_out_lowest(city: City, market: Market, post: Whole) -> bool:
    """Free one unit of a full post: its lowest bidder leaves. Return True when that was the reserve."""
    base = city.unit_first[post]
    unit_bid = _held_unit_bid(city, market, post)
    if market.held[post] > 0 and market.bids[base] <= unit_bid:
        _free_person(market, market.holders[base])
        market.held[post] -= 1
        last = market.held[post]
        market.bids[base] = market.bids[base + last]
        market.holders[base] = market.holders[base + last]
        if last > 0:
            _sift_down(market.bids, market.holders, 0, base, last)
        return False
    market.unfilled[post] -= 1
    market.counts[N_UNFILLED] -= 1
    at = market.option_at[post]
    market.option_key[at] = min(market.option_key[at], _unit_key(city, market, post, 0))
    _option_up(market, at)
    return True


@njit(cache=True)
def _settle_reserve(city: City, market: Market, eps: Whole) -> None:
    """Let the reserve give up people or take over units until it holds no more than it should."""
    people, units = len(market.placed), len(city.unit_cost)
    while market.counts[N_IDLE] - (people - units) - market.counts[N_UNFILLED] > 0:
        idle = market.counts[N_IDLE]
        idle_key = market.idle_bids[0] if idle > 0 else FAR
        unit_key = _best_option(city, market)
        if idle_key <= unit_key + eps:
            _free_person(market, market.idle_holders[0])
            idle -= 1
            market.counts[N_IDLE] = idle
            market.idle_bids[0] = market.idle_bids[idle]
            market.idle_holders[0] = market.idle_holders[idle]
            if idle > 0:
                _sift_down(market.idle_bids, market.idle_holders, 0, 0, idle)
            idle_key = market.idle_bids[0] if idle > 0 else FAR
            market.reserve[0] = max(market.reserve[0], min(idle_key, unit_key + eps))
        else:
            _leave_unit(city, market, idle_key, unit_key, eps)


@njit(cache=True)
def _leave_unit(city: City, market: Market, idle_key: Whole, unit_key: Whole, eps: Whole) -> None:
    """Let the reserve take over a unit of the post where that is cheapest."""
    post = market.option_post[0]
    full = _is_full(city, market, post)
    # How far the reserve may raise its price: not past its next best option.
    count = market.counts[N_OPTIONS]
    level = idle_key
    if count > 1:
        level = min(level, market.option_key[1] + eps)
    if count > 2:
        level = min(level, market.option_key[2] + eps)
    after = _unit_key(city, market, post, 1)
    if after < FAR:
        if full:
            base = city.unit_first[post]
            held = market.held[post]
            second = FAR
            if held > 1:
                second = market.bids[base + 1]
            if held > 2:
                second = min(second, market.bids[base + 2])
            if second < FAR:
                level = min(level, after - market.price[post] + max(second, market.price[post]) + eps)
        else:
            level = min(level, after + eps)
    if level >= FAR:
        level = unit_key + eps
    market.reserve[0] = max(market.reserve[0], level)
    if full:
        _push_out_lowest(city, market, post)
    market.unfilled[post] += 1
    market.counts[N_UNFILLED] += 1
    if _is_full(city, market, post):
        _raise_price(city, market, post)
    at = market.option_at[post]
    market.option_key[at] = _unit_key(city, market, post, 0)
    _option_down(market, at)


@njit(cache=True)
def _take_post(city: City, market: Market, person: Whole, post: Whole, bid: Whole) -> bool:
    """Seat a person in a post at a bid; the lowest bidder of a full post leaves it."""
    reserve_lost = False
    if _is_full(city, market, post):
        reserve_lost = _push_out_lowest(city, market, post)
    base = city.unit_first[post]
    at = market.held[post]
    market.bids[base + at] = bid
    market.holders[base + at] = person
    market.held[post] = at + 1
    _sift_up(market.bids, market.holders, at, base)
    market.placed[person] = post
    if _is_full(city, market, post):
        _raise_price(city, market, post)
    return reserve_lost


@njit(cache=True)
def _go_idle(market: Market, person: Whole, bid: Whole) -> None:
    at = market.counts[N_IDLE]
    market.idle_bids[at] = bid
    market.idle_holders[at] = person
    market.counts[N_IDLE] = at + 1
    _sift_up(market.idle_bids, market.idle_holders, at, 0)
    market.placed[person] = IDLE


@njit(cache=True)
def clear(city: City, market: Market) -> None:
    """Empty all posts; prices and lists stay. Everybody is free.

    The reserve keeps the units that are cheaper left than its price: there it is content in any case.
    """
    market.held[:] = 0
    market.unfilled[:] = 0
    market.counts[N_IDLE] = 0
    market.counts[N_UNFILLED] = 0
    market.counts[N_FREE] = 0
    people = len(market.placed)
    for person in range(people - 1, -1, -1):
        _free_person(market, person)
    posts = len(market.price)
    market.counts[N_OPTIONS] = posts
    for post in range(posts):
        while _unit_key(city, market, post, 0) < market.reserve[0]:
            market.unfilled[post] += 1
            market.counts[N_UNFILLED] += 1
        market.option_post[post] = post
        market.option_at[post] = post
        market.option_key[post] = _unit_key(city, market, post, 0)
    for at in range(posts // 2, -1, -1):
        _option_down(market, at)
    lowest_prices(city, market.price, market.lowest)


@njit(cache=True)
def bid(city: City, market: Market, eps: Whole, depth: Whole, most_bids: Whole) -> Whole:
    """Let free people bid until nobody is free or `most_bids` were made; return how many were made.

    `depth` is how many posts a person keeps in mind: few while prices leap, more when they crawl.
    """
    room = market.list_post.shape[1]
    found = make_found(min(depth, room) + 1)
    _settle_reserve(city, market, eps)
    made = 0
    while market.counts[N_FREE] > 0 and made < most_bids:
        made += 1
        market.counts[N_FREE] -= 1
        person = market.free[market.counts[N_FREE]]
        while True:
            best, second, post, cost = market.reserve[0], FAR, np.int64(IDLE), np.int64(0)
            for k in range(room):
                if market.list_key[person, k] >= second:
                    break
                p = np.int64(market.list_post[person, k])
                key = market.list_cost[person, k] * city.scale + market.price[p]
                if key < best:
                    second = best
                    best, post, cost = key, p, np.int64(market.list_cost[person, k])
                elif key < second:
                    second = key
            if best > market.limit[person]:
                _refill(city, market, person, found)
                continue
            if post >= 0 and market.unfilled[post] > 0 and _is_full(city, market, post):
                # The reserve's bids rise with its price; the post's price may lag behind them.
                before = market.price[post]
                _raise_price(city, market, post)
                if market.price[post] > before:
                    continue
            break
        second = min(second, market.limit[person])
        offer = second + eps if second < FAR else FAR
        if post == IDLE:
            _go_idle(market, person, offer)
            _settle_reserve(city, market, eps)
        elif _take_post(city, market, person, post, offer - cost * city.scale if offer < FAR else FAR):
            _settle_reserve(city, market, eps)
    market.counts[N_BIDS] += made
    return made
