# SPDX-License-Identifier: Apache-2.0
"""From fractional months to a rota: fix the months that the linear program likes best, price again, go on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning._kernel.budget import Budget
from muster.planning.rostering.columns import Column, Generation, Master, Prices, Watch, generate
from muster.planning.rostering.months import GRAIN
from muster.planning.rostering.planner import Month, Planner

_NEARLY_ONE = 0.999


# The parts of the time left that the root, and then the dive, may take.
_ROOT_SHARE = 0.35
_DIVE_SHARE = 0.5
# After this part of those still open was fixed, the linear program begins anew with theirs alone, and with so
# many months of each: what is fixed would only slow it.
_FRESH_SHARE = 0.1
_FRESH_MONTHS = 30


class Until:
    """A watch within a watch: it ends with the other one, or when its own seconds are over.

    What is begun may take all the time that the other one has left.
    """

    def __init__(self, watch: Watch, seconds: float) -> None:
        self._watch, self.own = watch, Budget(seconds)

    def spent(self) -> bool:
        return self.own.spent() or self._watch.spent()

    def left_s(self) -> float:
        return self._watch.left_s()


@dataclass(frozen=True, slots=True)
class Dive:
    """How a dive goes: rounds of pricing after each fixing, the share of people fixed at a time, chance."""

    rounds: int = 20
    share: float = 0.015
    chance: float = 0.0


def dive(
    planner: Planner,
    people: Sequence[int],
    base: Ints,
    pool: Mapping[int, Sequence[Month]],
    *,
    way: Dive,
    rng: np.random.Generator,
    watch: Watch,
    root_rounds: int,
    limit: float = math.inf,
    known: float = math.inf,
) -> tuple[dict[int, Month], Generation, list[tuple[int, Month]]]:
    """Return a month for each of the people, what the root's bound is, and the months that the root uses.

    `base` counts the staff of everybody else. The dive is given up (some people have no month then) when
    the linear program costs more than `limit`, or when it is enough, or when the bound shows
    that no months of theirs cost less than `known`.
    """
    master = Master(planner.problem, people, base)
    for person in people:
        for month in pool.get(person, ()):
            master.add(person, month)
    at_root = Until(watch, _ROOT_SHARE * watch.left_s())
    root, prices = generate(master, planner, people, base, rounds=root_rounds, watch=at_root)
    useful = [] if prices is None else master.used()
    chosen: dict[int, Month] = {}
    if -(-root.bound // GRAIN) >= known:
        return chosen, root, useful
    staffed = base.copy()
    open_people = list(people)
    diving = Until(watch, _DIVE_SHARE * watch.left_s())
    most = max(1, round(way.share * len(people)))
    paid = fixed = 0  # the own costs of months that the program no longer holds, and how many it holds
    while open_people and prices is not None and not watch.spent():
        began = diving.own.left_s()
        if prices.cost + paid / GRAIN > limit:
            return chosen, root, useful
        columns = _to_fix(master, chosen, way, rng, most)
        for column in columns:
            master.fix(column)
            chosen[column.person] = column.month
            _staff(staffed, column.month.row)
        fixed += len(columns)
        open_people = [person for person in open_people if person not in chosen]
        if open_people:
            if fixed >= _FRESH_SHARE * len(open_people):
                paid, fixed = paid + master.paid, 0
                master = _fresh(planner, master, open_people, staffed, prices)
            _, prices = generate(master, planner, open_people, staffed, rounds=way.rounds, watch=diving)
            # When time runs short, more people are fixed at a time.
            steps = diving.own.left_s() / max(1e-6, began - diving.own.left_s())
            most = max(most, math.ceil(len(open_people) / max(1.0, steps)))
    return chosen, root, useful


def _fresh(planner: Planner, old: Master, people: Sequence[int], staffed: Ints, prices: Prices) -> Master:
    """Return a linear program of those who are still open, with their most promising months."""
    master = Master(planner.problem, people, staffed)
    for person, months in old.cheapest(people, prices, _FRESH_MONTHS).items():
        for month in months:
            master.add(person, month)
    return master


def _staff(staffed: Ints, row: Ints) -> None:
    days = np.flatnonzero(row >= 0)
    staffed[days, row[days]] += 1


def _to_fix(
    master: Master, chosen: Mapping[int, Month], way: Dive, rng: np.random.Generator, most: int
) -> list[Column]:
    """Return the months to fix now: all that are whole already, or else the best few."""
    best: dict[int, tuple[float, Column]] = {}
    for column in master.columns:
        if column.person in chosen:
            continue
        value = column.variable.solution_value()
        if way.chance and value > 1e-4:
            value += way.chance * rng.random()
        if column.person not in best or value > best[column.person][0]:
            best[column.person] = value, column
    ranked = sorted(best.values(), key=lambda entry: (-entry[0], entry[1].person))
    whole = [column for value, column in ranked if value >= _NEARLY_ONE + way.chance]
    return whole or [column for _, column in ranked[:most]]
