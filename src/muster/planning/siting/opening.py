# SPDX-License-Identifier: Apache-2.0
"""Opening sites that have room for all: exchanges and kicks, in turn with prices that prove a bound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.budget import Budget
from muster.planning.contract import Progress, Step, report
from muster.planning.siting.answer import NOWHERE, Answer, Proof

if TYPE_CHECKING:
    from muster.planning.siting._swaps import Choice, Ground

# Kicks and steps in a turn: between two looks at the clock and the person who waits.
_KICKS = 25
_STEPS = 60


def open_sites(
    ground: Ground,
    proof: Proof,
    *,
    count: int | None,
    kicks: int,
    budget: Budget,
    seed: int,
    progress: Progress | None,
    begin_with: Ints | None = None,
) -> Answer:
    """Return the best sites found; `proof` holds what is proved. Raises Cancelled."""
    from muster.planning.siting import _swaps

    rng = np.random.default_rng(seed)
    sites = len(ground.open_cost)
    choice, best = _empty(ground), _empty(ground)
    choice.is_open[:] = _any_sites(ground, count, rng) if begin_with is None else begin_with
    cost = _improve(ground, choice, count, rng)
    _swaps.copy_choice(choice, best)
    turn_kicks = min(kicks, _KICKS)
    done = turn = 0
    while not budget.spent():
        report(progress, Step("open", done, kicks, cost, proof.bound))
        if proof.bound >= cost:
            break
        if not proof.is_stuck:
            proof.climb(ground, cost, _STEPS)
            choice.is_open[:] = proof.worth(ground).chosen
            found = _improve(ground, choice, count, rng)
            if found < cost:
                cost = found
                _swaps.copy_choice(choice, best)
            else:
                _swaps.copy_choice(best, choice)
        elif done >= kicks:
            break
        if done < kicks and sites:
            is_free = int(count is None)
            cost = int(_swaps.search_on(ground, choice, best, cost, is_free, turn_kicks, seed + 7919 * turn))
            done += turn_kicks
        turn += 1
    return Answer(best.is_open.astype(np.bool_), entries_at(ground, best.near), cost)


def _any_sites(ground: Ground, count: int | None, rng: np.random.Generator) -> Ints:
    """Return the pinned sites and random ones up to the count."""
    is_open = (ground.fixed == 1).astype(np.int32)
    if count is not None:
        free = np.flatnonzero(ground.fixed == 0)
        is_open[rng.permutation(free)[: count - int(is_open.sum())]] = 1
    return is_open


def _improve(ground: Ground, choice: Choice, count: int | None, rng: np.random.Generator) -> int:
    """Bring a choice of sites to where no exchange helps; return what it costs."""
    from muster.planning.siting import _swaps

    cost = int(_swaps.settle(ground, choice))
    sites = len(ground.open_cost)
    if not sites:
        return cost
    while True:
        waiting = _swaps.queue_all(ground, choice, rng.permutation(sites))
        fallen = int(_swaps.improve(ground, choice, waiting, int(count is None), 1 << 40))
        cost -= fallen
        if not fallen:
            return cost


def _empty(ground: Ground) -> Choice:
    from muster.planning.siting._swaps import Choice

    points, sites = len(ground.unserved), len(ground.open_cost)

    def zeros(size: int) -> Longs:
        return np.zeros(size, np.int64)

    return Choice(
        is_open=np.zeros(sites, np.int32),
        near=zeros(points),
        near_cost=zeros(points),
        second=zeros(points),
        second_cost=zeros(points),
        loss=zeros(sites),
        change=zeros(sites),
        touched=zeros(sites),
        waiting=np.zeros(sites, np.int32),
        queue=zeros(sites + 1),
    )


def entries_at(ground: Ground, site: Longs) -> Longs:
    """Return for each point the entry where it walks to a site, NOWHERE where that is none."""
    points = len(site)
    owner = np.repeat(np.arange(points), np.diff(ground.first))
    entry = np.flatnonzero(ground.candidate == site[owner])
    at = np.full(points, NOWHERE, np.int64)
    at[owner[entry]] = entry
    return at
