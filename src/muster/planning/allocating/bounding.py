# SPDX-License-Identifier: Apache-2.0
"""What prices of stock prove: more urgency than this cannot be met, and so much only with these metres.

If a pack in a bin has a price, everything delivered is worth at most all stock at its price, and for each
pack wanted what it is worth beyond the cheapest price at which it can be had. Prices are pairs: urgency
first, then metres. With limits that rows of stock share, prices are in millionths and metres are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.allocating.grouping import Group, groups
from muster.planning.allocating.problem import NO_LANE, Problem
from muster.planning.allocating.urgency import GUARANTEE

FINE = 1_000_000
# No pack is worth more, in millionths of urgency.
MOST_CHARGE = 2 * GUARANTEE * FINE
# More than any sum of prices or metres; a row without any way is offered nothing at this price.
_NEVER = np.int64(1) << np.int64(61)


class Prices(NamedTuple):
    """By bin of a group: urgency and metres of one more pack."""

    urgency: Longs
    metres: Longs


def split(price: Longs, scale: int) -> Prices:
    """Return prices in urgency times scale as pairs; the metres are nearest to nothing."""
    urgency = (price + scale // 2) // scale
    return Prices(urgency, price - urgency * scale)


def most_delivered(group: Group, prices: Prices) -> tuple[int, int]:
    """Return urgency that deliveries cannot exceed, and metres (negative) that go with exactly so much."""
    urgency, metres = (
        sum(int(c) * int(p) for c, p in zip(group.capacity, price, strict=True)) for price in prices
    )
    if not len(group.bins):
        return 0, 0
    way = group.metres.astype(np.int64) + prices.metres[:, None]
    wide = 2 * int(np.abs(way).max(initial=0)) + 1
    both = prices.urgency[:, None] * wide + way
    both[group.metres == NO_LANE] = _NEVER
    at = np.argmin(both, axis=0)
    rows = np.arange(len(group.rows))
    reached = both[at, rows] < _NEVER
    counts = np.diff(group.first)
    asked = np.repeat(np.where(reached, prices.urgency[at], _NEVER), counts)
    far = np.repeat(way[at, rows], counts)
    taken = (group.urgency > asked) | ((group.urgency == asked) & (far < 0))
    return (
        urgency + int((group.urgency[taken] - asked[taken]).sum()),
        metres - int(far[taken].sum()),
    )


def most_delivered_within(
    group: Group, price: Longs, charges: Sequence[tuple[Longs, int]]
) -> tuple[int, int]:
    """Return the same in millionths of urgency for prices in millionths, as whole and rest.

    `charges` has, for each limit, what a pack of each bin takes of it and the price of that.
    """
    if not len(group.bins):
        return 0, 0
    full = price.copy()
    for each, limit_price in charges:
        # Above the dearest pack a charge changes nothing, and products stay within 64 bits.
        fits = each <= MOST_CHARGE // max(1, limit_price)
        full += np.where(fits, each, 0) * limit_price + np.where(fits, 0, MOST_CHARGE)
    both = np.broadcast_to(full[:, None], group.metres.shape).copy()
    both[group.metres == NO_LANE] = _NEVER
    least = np.repeat(both.min(axis=0), np.diff(group.first))
    gain = np.maximum(0, group.urgency * FINE - least)
    whole, rest = int((gain // FINE).sum()), int((gain % FINE).sum())
    stock = sum(int(c) * int(p) for c, p in zip(group.capacity, price, strict=True))
    return whole + stock // FINE, rest + stock % FINE


def bound(problem: Problem) -> int:
    """Return a shortage (urgency of all packs missing) that no plan can be below."""
    from muster.planning.allocating.solving import solve

    return solve(problem, budget_s=1e9, seed=0).bound


def all_urgency(problem: Problem) -> int:
    """Return the urgency of everything that is missing."""
    return sum(int(group.urgency.sum()) for group in groups(problem))
