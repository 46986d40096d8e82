# SPDX-License-Identifier: Apache-2.0
"""Which sites to open and who goes where when sites have limits: points are seated whole.

Points move and change places while that costs less; sites open, close and change over, and all is undone
when it does not pay. On the way sites may be above their limits at a fee for each person too many, which
rises while that happens and falls while it does not. Only seats without overload are kept as an answer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.siting._swaps import NONE, Ground, Whole

COST, OPEN, OVER, FEE = range(4)
# Typed, as NONE is.
_NOTHING, _OPENED = np.int64(0), np.int64(1)


class Seats(NamedTuple):
    """Where each point is seated; chains link the points of a site; the log undoes a trial."""

    people: Longs
    capacity: Longs
    is_open: Ints
    at: Longs  # point -> entry or NONE
    load: Longs
    head: Longs  # site -> first point
    after: Longs
    before: Longs
    cost: Longs  # the whole cost, sites open, people too many, the fee for each of those
    log_what: Longs  # point, or NONE - site
    log_old: Longs
    log_size: Longs  # [0]
    scratch: Longs
    key: Longs


@njit(cache=True, nogil=True)
def cost_at(ground: Ground, seats: Seats, point: Whole) -> Whole:
    """Return what a point costs where it is."""
    at = seats.at[point]
    return ground.unserved[point] if at == NONE else ground.cost[at]


@njit(cache=True, nogil=True)
def _over_change(seats: Seats, site: Whole, people: Whole) -> Whole:
    """Return by how many people a site would be more above its limit."""
    load, capacity = seats.load[site], seats.capacity[site]
    return max(load + people - capacity, 0) - max(load - capacity, 0)


@njit(cache=True, nogil=True)
def worth(seats: Seats) -> Whole:
    """Return the cost with the fee for people too many."""
    return seats.cost[COST] + seats.cost[FEE] * seats.cost[OVER]


@njit(cache=True, nogil=True)
def _link(ground: Ground, seats: Seats, point: Whole, entry: Whole) -> None:
    seats.at[point] = entry
    if entry == NONE:
        return
    site = np.int64(ground.candidate[entry])
    head = seats.head[site]
    seats.after[point] = head
    seats.before[point] = NONE
    if head != NONE:
        seats.before[head] = point
    seats.head[site] = point
    seats.cost[OVER] += _over_change(seats, site, seats.people[point])
    seats.load[site] += seats.people[point]


@njit(cache=True, nogil=True)
def _unlink(ground: Ground, seats: Seats, point: Whole) -> None:
    entry = seats.at[point]
    if entry == NONE:
        return
    site = np.int64(ground.candidate[entry])
    after, before = seats.after[point], seats.before[point]
    if before == NONE:
        seats.head[site] = after
    else:
        seats.after[before] = after
    if after != NONE:
        seats.before[after] = before
    seats.cost[OVER] += _over_change(seats, site, -seats.people[point])
    seats.load[site] -= seats.people[point]


@njit(cache=True, nogil=True)
def _log(seats: Seats, what: Whole, old: Whole) -> None:
    size = seats.log_size[0]
    seats.log_what[size] = what
    seats.log_old[size] = old
    seats.log_size[0] = size + 1


@njit(cache=True, nogil=True)
def seat(ground: Ground, seats: Seats, point: Whole, entry: Whole) -> None:
    """Seat a point at one of its entries, or nowhere (NONE)."""
    _log(seats, point, seats.at[point])
    seats.cost[COST] -= cost_at(ground, seats, point)
    _unlink(ground, seats, point)
    _link(ground, seats, point, entry)
    seats.cost[COST] += cost_at(ground, seats, point)


@njit(cache=True, nogil=True)
def _set_open(ground: Ground, seats: Seats, site: Whole, state: Whole) -> None:
    _log(seats, NONE - 1 - site, np.int64(seats.is_open[site]))
    change = state - seats.is_open[site]
    seats.is_open[site] = state
    seats.cost[COST] += change * ground.open_cost[site]
    seats.cost[OPEN] += change


@njit(cache=True, nogil=True)
def undo(ground: Ground, seats: Seats, size: Whole) -> None:
    """Take back everything that was logged after the log had this size."""
    while seats.log_size[0] > size:
        k = seats.log_size[0] - 1
        what, old = seats.log_what[k], seats.log_old[k]
        if what >= 0:
            seats.cost[COST] -= cost_at(ground, seats, what)
            _unlink(ground, seats, what)
            _link(ground, seats, what, old)
            seats.cost[COST] += cost_at(ground, seats, what)
        else:
            site = NONE - 1 - what
            change = old - seats.is_open[site]
            seats.is_open[site] = old
            seats.cost[COST] += change * ground.open_cost[site]
            seats.cost[OPEN] += change
        seats.log_size[0] = k


@njit(cache=True, nogil=True)
def _best_entry(ground: Ground, seats: Seats, point: Whole) -> Whole:
    """Return the entry of a point that is cheapest with the fee, or NONE."""
    best, best_cost = np.int64(NONE), ground.unserved[point]
    people, fee = seats.people[point], seats.cost[FEE]
    for entry in range(ground.first[point], ground.first[point + 1]):
        if ground.cost[entry] >= best_cost:
            break
        site = np.int64(ground.candidate[entry])
        if seats.is_open[site]:
            cost = ground.cost[entry] + fee * _over_change(seats, site, people)
            if cost < best_cost:
                best, best_cost = np.int64(entry), cost
    return best


@njit(cache=True, nogil=True)
def _entry_at(ground: Ground, point: Whole, site: Whole) -> Whole:
    for entry in range(ground.first[point], ground.first[point + 1]):
        if ground.candidate[entry] == site:
            return np.int64(entry)
    return np.int64(NONE)


@njit(cache=True, nogil=True)
def better_seat(ground: Ground, seats: Seats, point: Whole) -> bool:
    """Seat a point cheaper: at another site, also by sending one of its points on or changing places."""
    if seats.log_size[0] > len(seats.log_what) - 3 * len(seats.at) - 8:
        return False  # no room left to note what would have to be undone
    now = cost_at(ground, seats, point)
    people, fee = seats.people[point], seats.cost[FEE]
    here = np.int64(NONE)
    relief = np.int64(0)
    if seats.at[point] != NONE:
        here = np.int64(ground.candidate[seats.at[point]])
        relief = fee * _over_change(seats, here, -people)
    best_change, best_entry = np.int64(0), np.int64(NONE)
    leaves = seats.at[point] != NONE and ground.unserved[point] - now + relief < 0
    if leaves:
        best_change = ground.unserved[point] - now + relief
    best_other, best_other_entry = np.int64(NONE), np.int64(NONE)
    for entry in range(ground.first[point], ground.first[point + 1]):
        gain = ground.cost[entry] - now
        if gain + relief >= best_change:
            break
        site = np.int64(ground.candidate[entry])
        if seats.is_open[site] == 0 or site == here:
            continue
        crowding = fee * _over_change(seats, site, people)
        if gain + relief + crowding < best_change:
            best_change, best_entry, best_other = gain + relief + crowding, np.int64(entry), np.int64(NONE)
        if crowding == 0:
            continue
        other = seats.head[site]
        while other != NONE:
            size = seats.people[other]
            other_now = ground.cost[seats.at[other]]
            left = gain + fee * _over_change(seats, site, people - size)
            for on in range(ground.first[other], ground.first[other + 1]):
                change = left + ground.cost[on] - other_now
                if change + relief >= best_change:
                    break
                third = np.int64(ground.candidate[on])
                if third == site or seats.is_open[third] == 0:
                    continue
                if third == here:
                    change += fee * _over_change(seats, here, size - people)
                else:
                    change += relief + fee * _over_change(seats, third, size)
                if change < best_change:
                    best_change, best_entry = change, np.int64(entry)
                    best_other, best_other_entry = other, np.int64(on)
            other = seats.after[other]
    if best_entry == NONE:
        if leaves:
            seat(ground, seats, point, NONE)
        return leaves
    if best_other != NONE:
        seat(ground, seats, best_other, best_other_entry)
    seat(ground, seats, point, best_entry)
    return True


@njit(cache=True, nogil=True)
def descend(ground: Ground, seats: Seats, points: Longs, sweeps: Whole) -> None:
    """Give points better seats until a sweep over them finds none."""
    for _ in range(sweeps):
        moved = 0
        for point in points:
            moved += better_seat(ground, seats, point)
        if moved == 0:
            return


@njit(cache=True, nogil=True)
def _sort_by_key(scratch: Longs, key: Longs, count: Whole) -> None:
    """Sort the first entries of `scratch` by their keys, the lowest first."""
    order = np.argsort(key[:count], kind="mergesort")
    sorted_scratch = scratch[:count][order]
    for k in range(count):
        scratch[k] = sorted_scratch[k]


@njit(cache=True, nogil=True)
def close(ground: Ground, seats: Seats, site: Whole) -> Whole:
    """Close a site and seat its points elsewhere, the largest first; return how many were moved."""
    _set_open(ground, seats, site, _NOTHING)
    count = np.int64(0)
    point = seats.head[site]
    while point != NONE:
        seats.scratch[count] = point
        seats.key[count] = -seats.people[point]
        count += 1
        point = seats.after[point]
    _sort_by_key(seats.scratch, seats.key, count)
    for k in range(count):
        point = seats.scratch[k]
        seat(ground, seats, point, _best_entry(ground, seats, point))
    return count


@njit(cache=True, nogil=True)
def open_site(ground: Ground, seats: Seats, site: Whole) -> Whole:
    """Open a site and seat there whom it saves most for their number; return how many came."""
    _set_open(ground, seats, site, _OPENED)
    count = np.int64(0)
    for k in range(ground.of_first[site], ground.of_first[site + 1]):
        point = np.int64(ground.point[k])
        saving = cost_at(ground, seats, point) - ground.point_cost[k]
        if seats.at[point] != NONE:
            here = np.int64(ground.candidate[seats.at[point]])
            saving -= seats.cost[FEE] * _over_change(seats, here, -seats.people[point])
        if saving > 0 and seats.people[point] <= seats.capacity[site]:
            seats.scratch[count] = point
            seats.key[count] = -saving // max(1, seats.people[point])
            count += 1
    _sort_by_key(seats.scratch, seats.key, count)
    came = 0
    for k in range(count):
        point = seats.scratch[k]
        if seats.load[site] + seats.people[point] <= seats.capacity[site]:
            seat(ground, seats, point, _entry_at(ground, point, site))
            seats.scratch[came] = point
            came += 1
    return came


@njit(cache=True, nogil=True)
def _polish(ground: Ground, seats: Seats, site: Whole) -> None:
    """Give better seats to those who could walk to a site."""
    for k in range(ground.of_first[site], ground.of_first[site + 1]):
        better_seat(ground, seats, np.int64(ground.point[k]))


@njit(cache=True, nogil=True)
def try_change(ground: Ground, seats: Seats, out: Whole, site: Whole) -> bool:
    """Close `out` and open `site` (either may be NONE) if that pays; tell whether it did."""
    mark, before = seats.log_size[0], worth(seats)
    if site != NONE:
        open_site(ground, seats, site)
    if out != NONE:
        close(ground, seats, out)
        _polish(ground, seats, out)
    if site != NONE:
        _polish(ground, seats, site)
    if worth(seats) < before:
        return True
    undo(ground, seats, mark)
    return False


@njit(cache=True, nogil=True)
def _random_closed(ground: Ground, seats: Seats, near: Whole) -> Whole:
    """Return a closed candidate that shares a point with a site, at random; NONE when none was found."""
    width = ground.of_first[near + 1] - ground.of_first[near]
    for _ in range(24):
        if width == 0:
            return np.int64(NONE)
        point = np.int64(ground.point[ground.of_first[near] + np.random.randint(width)])
        entries = ground.first[point + 1] - ground.first[point]
        site = np.int64(ground.candidate[ground.first[point] + np.random.randint(entries)])
        if seats.is_open[site] == 0 and ground.fixed[site] == 0:
            return np.int64(site)
    return np.int64(NONE)


@njit(cache=True, nogil=True)
def _change_over(ground: Ground, seats: Seats, tries: Whole, is_free: Whole) -> None:
    """Try random openings, closings and exchanges of sites; those stay that pay."""
    sites = len(seats.is_open)
    for _ in range(tries):
        if seats.log_size[0] > len(seats.log_what) - 5 * len(seats.at) - 16:
            return
        site = np.int64(np.random.randint(sites))
        if ground.fixed[site] != 0:
            continue
        if seats.is_open[site] == 0:
            if is_free:
                try_change(ground, seats, NONE, site)
        elif is_free and np.random.randint(3) == 0:
            try_change(ground, seats, site, NONE)
        else:
            other = _random_closed(ground, seats, site)
            if other != NONE:
                try_change(ground, seats, site, other)


@njit(cache=True, nogil=True)
def _kick_site(ground: Ground, seats: Seats, is_free: Whole) -> None:
    """Change one site over whatever it costs."""
    site = np.int64(np.random.randint(len(seats.is_open)))
    if ground.fixed[site] != 0:
        return
    if seats.is_open[site] == 0:
        if is_free:
            open_site(ground, seats, site)
            _polish(ground, seats, site)
        return
    other = _random_closed(ground, seats, site)
    if other != NONE and (not is_free or np.random.randint(4) > 0):
        open_site(ground, seats, other)
        close(ground, seats, site)
        _polish(ground, seats, other)
        _polish(ground, seats, site)
    elif is_free and seats.cost[OPEN] > 1:
        close(ground, seats, site)
        _polish(ground, seats, site)


@njit(cache=True, nogil=True)
def _mix(ground: Ground, seats: Seats, most: Whole) -> None:
    """Take many points of a few neighbouring sites away and seat them anew, the larger ones mostly first."""
    start = np.random.randint(len(seats.at))
    count, wanted = 0, 2 + np.random.randint(3)
    for entry in range(ground.first[start], ground.first[start + 1]):
        site = np.int64(ground.candidate[entry])
        if seats.is_open[site] == 0 or np.random.randint(4) == 0:
            continue
        point = seats.head[site]
        while point != NONE and count < most:
            if np.random.randint(2) == 0:
                seats.scratch[count] = point
                seats.key[count] = -np.int64((seats.people[point] + 1) * 1000 * np.random.random())
                count += 1
            point = seats.after[point]
        wanted -= 1
        if wanted == 0:
            break
    for k in range(count):
        seat(ground, seats, seats.scratch[k], NONE)
    _sort_by_key(seats.scratch, seats.key, count)
    for k in range(count):
        point = seats.scratch[k]
        seat(ground, seats, point, _best_entry(ground, seats, point))


@njit(cache=True, nogil=True)
def _settle_touched(ground: Ground, seats: Seats, sweeps: Whole, neighbours: Whole) -> None:
    """Give better seats to those at the sites where something changed, until nothing changes."""
    done = 0
    for _ in range(sweeps):
        size = seats.log_size[0]
        if size == done:
            return
        for k in range(done, size):
            what = seats.log_what[k]
            if what < 0 or seats.at[what] == NONE:
                continue
            better_seat(ground, seats, what)
            if seats.at[what] == NONE:
                continue
            point = seats.head[ground.candidate[seats.at[what]]]
            looked = 0
            while point != NONE and looked < neighbours:
                after = seats.after[point]
                better_seat(ground, seats, point)
                point = after
                looked += 1
        done = size


@njit(cache=True, nogil=True)
def copy_seats(source: Seats, ground: Ground, target: Seats) -> None:
    """Make `target` what `source` is."""
    target.is_open[:] = source.is_open
    target.at[:] = source.at
    target.load[:] = source.load
    target.head[:] = source.head
    target.after[:] = source.after
    target.before[:] = source.before
    target.cost[:] = source.cost
    target.log_size[0] = 0


@njit(cache=True, nogil=True)
def begin(ground: Ground, seats: Seats, order: Longs, wish: Longs) -> None:
    """Seat everybody anew, in this order: at the entry they wish for if there is room, or at what is open."""
    seats.load[:] = 0
    seats.head[:] = NONE
    seats.at[:] = NONE
    seats.cost[:FEE] = 0
    seats.log_size[0] = 0
    for site in range(len(seats.is_open)):
        if seats.is_open[site]:
            seats.cost[COST] += ground.open_cost[site]
            seats.cost[OPEN] += 1
    for point in range(len(seats.at)):
        seats.cost[COST] += ground.unserved[point]
    for point in order:
        entry = wish[point]
        if entry != NONE and _over_change(seats, np.int64(ground.candidate[entry]), seats.people[point]) == 0:
            seats.log_size[0] = 0
            seat(ground, seats, point, entry)
    for point in order:
        if seats.at[point] == NONE:
            seats.log_size[0] = 0
            seat(ground, seats, point, _best_entry(ground, seats, point))
    seats.log_size[0] = 0


@njit(cache=True, nogil=True)
def search_on(
    ground: Ground,
    seats: Seats,
    best: Seats,
    is_free: Whole,
    rounds: Whole,
    tries: Whole,
    seed: Whole,
) -> None:
    """Mix points and change sites so many times; `best` holds the best seats without overload."""
    np.random.seed(seed)
    is_large = len(seats.at) > 4_000
    most = min(80, len(seats.at))
    for _ in range(rounds):
        seats.log_size[0] = 0
        before, was_clean = worth(seats), seats.cost[OVER] == 0
        if np.random.randint(3) > 0:
            _mix(ground, seats, most)
        else:
            _kick_site(ground, seats, is_free)
        _settle_touched(ground, seats, 4, 2 if is_large else 64)
        _change_over(ground, seats, tries, is_free)
        is_clean = seats.cost[OVER] == 0
        change = worth(seats) - before
        if change > 0 or (is_large and was_clean and not is_clean):
            undo(ground, seats, _NOTHING)
        elif is_clean and not is_large and (seats.cost[COST] < best.cost[COST] or best.cost[OVER] > 0):
            copy_seats(seats, ground, best)
        # The fee follows how often the search is within all limits.
        fee = seats.cost[FEE]
        seats.cost[FEE] = (
            max(fee - fee // 16 - (fee < 16), 1) if is_clean else min(fee + fee // 12 + 1, 1 << 40)
        )
    if seats.cost[OVER] == 0 and (seats.cost[COST] < best.cost[COST] or best.cost[OVER] > 0):
        copy_seats(seats, ground, best)
    seats.log_size[0] = 0
