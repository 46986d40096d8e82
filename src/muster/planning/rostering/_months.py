# SPDX-License-Identifier: Apache-2.0
"""The cheapest lawful month of one person, by dynamic programming over days.

A state is a node (which class of shift, how many days in a row; or how many days off) and a count (minutes,
nights, weekends so far, packed into one number). Only states that can be reached are looked at.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Bools, Ints, Longs

Whole: TypeAlias = int | np.signedinteger[Any]
NEVER = np.int64(1) << np.int64(60)
NO_STATE = -1


class Tables(NamedTuple):
    """What one contract allows; `after[node, k]` is the node after a shift of class k, the last k: a day off.

    `short[node]` is the length of a row of days that may not end yet, 0 where it may. `add`, `weekend` and
    `monday` lead from count to count. `lack` is how many minutes (in units) are still to be worked, `end`
    what the count costs at the end of the month, `most_left[n]` the most units in n days.
    """

    after: Ints
    short: Ints
    class_of: Ints  # node -> class, -1: a day off
    add: Ints
    weekend: Ints
    monday: Ints
    lack: Ints
    end: Longs
    most_left: Longs


class Space(NamedTuple):
    """Room for the search, used again and again.

    `place` is where a state stands among those reached on its day. `trail` and `before` hold, day after day,
    the states reached and the place of the state that each came from.
    """

    here: Longs
    there: Longs
    place: Ints
    trail: Ints
    before: Ints


NO_ROOM = -NEVER


def make_space(states: int, reached: int) -> Space:
    return Space(
        np.full(states, NEVER, np.int64),
        np.full(states, NEVER, np.int64),
        np.zeros(states, np.int32),
        np.zeros(reached, np.int32),
        np.zeros(reached, np.int32),
    )


@njit(cache=True, nogil=True)
def best_month(
    tables: Tables,
    cost: Longs,
    start: Whole,
    fresh: bool,  # noqa: FBT001  # numba takes no keywords cheaply
    first_weekday: Whole,
    space: Space,
    month: Ints,
) -> Whole:
    """Write the class of each day into `month` (-1: off) and return the cost, NEVER when none is lawful.

    Returns NO_ROOM, with the space as it was, when more states are reached than the trail can hold.
    """
    days, off = cost.shape[0], cost.shape[1] - 1
    counts = tables.end.shape[0]
    here, there = space.here, space.there
    trail, before, place = space.trail, space.before, space.place
    room = trail.shape[0]
    first = np.zeros(days + 2, np.int64)
    trail[0] = start * counts
    first[1] = 1
    here[start * counts] = 0
    for day in range(days):
        weekday = (first_weekday + day) % 7
        left = tables.most_left[days - 1 - day]
        fresh_row = day if fresh else -1
        low, high = first[day], first[day + 1]
        reached = high
        for i in range(low, high):
            state = trail[i]
            value = here[state]
            here[state] = NEVER
            node, count = state // counts, state % counts
            if weekday == 0:
                count = tables.monday[count]
            resting = tables.class_of[node] < 0
            for k in range(off + 1):
                price = cost[day, k]
                follower = tables.after[node, k]
                if price >= NEVER or follower == NO_STATE:
                    continue
                total = count
                if k < off:
                    total = tables.add[count, k]
                    if total == NO_STATE:
                        continue
                    if weekday == 5 or (weekday == 6 and (resting or day == 0)):
                        total = tables.weekend[total]
                        if total == NO_STATE:
                            continue
                elif tables.short[node] > 0 and tables.short[node] != fresh_row:
                    continue
                if tables.lack[total] > left:
                    continue
                goal = follower * counts + total
                if there[goal] >= NEVER:
                    if reached == room:
                        for other in range(i + 1, high):
                            here[trail[other]] = NEVER
                        for other in range(high, reached):
                            there[trail[other]] = NEVER
                        return NO_ROOM
                    trail[reached] = goal
                    place[goal] = reached
                    reached += 1
                elif there[goal] <= value + price:
                    continue
                there[goal] = value + price
                before[place[goal]] = i
        here, there = there, here
        first[day + 2] = reached
    best, last = NEVER, np.int64(NO_STATE)
    for i in range(first[days], first[days + 1]):
        state = trail[i]
        end = tables.end[state % counts]
        if end < NEVER and here[state] + end < best:
            best, last = here[state] + end, np.int64(i)
        here[state] = NEVER
    if last == NO_STATE:
        return NEVER
    for day in range(days - 1, -1, -1):
        month[day] = tables.class_of[trail[last] // counts]
        last = np.int64(before[last])
    return best


@njit(cache=True, nogil=True)
def price_days(
    margin: Longs,
    wish: Ints,
    open_days: Bools,
    duties: Ints,
    shift_of: Ints,
    class_of: Ints,
    previous: Ints,
    pinned: Ints,
    change: Whole,
    grain: Whole,
    cost: Longs,
    choice: Ints,
) -> None:
    """Fill `cost` (day x class, the last: off) and `choice`, the duty that is cheapest in each class.

    `margin` is what one more person at a duty costs, in grains; `open_days` is by day and shift (the
    last: off).
    """
    days, off = margin.shape[0], cost.shape[1] - 1
    no_shift = wish.shape[1] - 1
    for day in range(days):
        for k in range(off + 1):
            cost[day, k] = NEVER
            choice[day, k] = -1
        known = previous[day]
        if open_days[day, no_shift]:
            price = np.int64(wish[day, no_shift])
            if known not in (-2, -1):
                price += change
            cost[day, off] = price * grain
        for duty in duties:
            shift = shift_of[duty]
            if not open_days[day, shift] or (pinned[day] >= 0 and pinned[day] != duty):
                continue
            k = class_of[shift]
            price = np.int64(wish[day, shift])
            if known != -2 and known != duty:
                price += change
            price = price * grain + margin[day, duty]
            if price < cost[day, k]:
                cost[day, k] = price
                choice[day, k] = duty


@njit(cache=True, nogil=True)
def margin_at(
    staffed: Ints, need: Ints, under: Longs, over: Longs, day: Whole, duty: Whole, grain: Whole
) -> Whole:
    """Return what one more person at a duty costs on top of those who are there."""
    if staffed[day, duty] < need[day, duty]:
        return -under[day, duty] * grain
    return over[day, duty] * grain


@njit(cache=True, nogil=True)
def all_margins(staffed: Ints, need: Ints, under: Longs, over: Longs, grain: Whole, margin: Longs) -> None:
    for day in range(need.shape[0]):
        for duty in range(need.shape[1]):
            margin[day, duty] = margin_at(staffed, need, under, over, day, duty, grain)


@njit(cache=True, nogil=True)
def put_month(
    row: Ints,
    people: Whole,
    staffed: Ints,
    need: Ints,
    under: Longs,
    over: Longs,
    grain: Whole,
    margin: Longs,
) -> None:
    """Add a month to the staff (people 1) or take it away (-1), and mend the margins."""
    for day in range(row.shape[0]):
        duty = row[day]
        if duty >= 0:
            staffed[day, duty] += people
            margin[day, duty] = margin_at(staffed, need, under, over, day, duty, grain)


@njit(cache=True, nogil=True)
def month_margin(row: Ints, margin: Longs) -> Whole:
    """Return what the duties of a month cost at these margins."""
    total = np.int64(0)
    for day in range(row.shape[0]):
        if row[day] >= 0:
            total += margin[day, row[day]]
    return total
