# SPDX-License-Identifier: Apache-2.0
"""Giving out one group of items: the work that can go to another process."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.budget import Budget
from muster.planning.allocating.problem import NO_LANE

# So many ways between looks at the clock: some tenths of a second.
_SLICE = 20_000


class Given(NamedTuple):
    """Packs by need and bin, and what one more pack in each bin would be worth (urgency times scale)."""

    need: Longs
    bin: Longs
    packs: Longs
    price: Longs


def settle_group(
    metres: Ints,
    capacity: Longs,
    first: Longs,
    urgency: Longs,
    scale: int,
    charge: Longs | None,
    ways: int,
    seconds: float,
) -> Given:
    """Give out the packs: the most urgent first, then on the shortest ways.

    `charge` is what a pack of each bin costs besides its way. When `ways` or `seconds` are spent, bins that
    have too many drop their least urgent packs.
    """
    from muster.planning.allocating import _flowing as flowing

    budget = Budget(seconds)
    bins, rows = metres.shape
    if not bins or not rows:
        nothing = np.zeros(0, np.int64)
        return Given(nothing, nothing, nothing, np.zeros(bins, np.int64))
    cost = metres.astype(np.int64) + (0 if charge is None else charge[:, None])
    cost[metres == NO_LANE] = flowing.FAR
    nearest = np.argmin(cost, axis=0).astype(np.int32)
    least = cost[nearest, np.arange(rows)]
    nearest[least >= flowing.FAR] = flowing.NONE
    worth = urgency * scale
    board = flowing.board_of(cost, first, worth, capacity)
    flowing.lay_out(board, nearest, _level(worth, first, least, int(capacity.sum()), int(flowing.FAR)))
    exact = False
    while not exact and ways > 0 and not budget.spent():
        exact = flowing.settle(board, min(ways, _SLICE))
        ways -= _SLICE
    if exact:
        price = flowing.true_prices(board)
    else:
        flowing.drop(board)
        price = np.maximum(0, board.price[bins] - board.price[:bins])
    at, need = np.nonzero(board.held)
    return Given(need, at, board.held[at, need].astype(np.int64), price)


def _level(worth: Longs, first: Longs, least: Longs, total: int, far: int) -> int:
    """Return the gain below which packs stay undelivered if stock were all in one place."""
    reached = np.repeat(least < far, np.diff(first))
    gain = (worth - np.repeat(least, np.diff(first)))[reached]
    gain = gain[gain > 0]
    if len(gain) <= total:
        return 0
    return int(np.partition(gain, len(gain) - total - 1)[len(gain) - total - 1])
