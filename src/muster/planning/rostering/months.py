# SPDX-License-Identifier: Apache-2.0
"""Contracts as automata: which shift may follow which, what is counted, what a count costs at the end.

People with the same rules share a contract. Counters whose limit is wide are left out at first (the month
that comes out mostly keeps them); `strict` tables hold them all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.rostering._months import NEVER, NO_STATE, Tables
from muster.planning.rostering.problem import NO_LIMIT, SATURDAY, SUNDAY, Problem

# A limit that leaves this many shifts of a kind is wide: most months keep it by themselves.
_WIDE = 6
# Nodes x counts: what one day of the search may have to tell apart.
_MOST_STATES = 10_000_000
GRAIN = 1000


@dataclass(frozen=True, slots=True)
class Digit:
    """One part of a count: how many values it has, how much each class adds, whether it stops at its top."""

    size: int
    adds: Longs
    stays_at_top: bool


@dataclass(frozen=True)
class Contract:
    """The rules that people share."""

    days: int
    first_weekday: int
    shifts: tuple[int, ...]  # those they can do, and the last one before the month
    minutes: tuple[int, ...]
    lag: tuple[tuple[int, ...], ...]  # between `shifts`
    min_minutes: int
    max_minutes: int
    max_week_minutes: int
    max_on: int
    min_on: int
    min_off: int
    max_weekends: int
    counter_most: tuple[int, ...]
    counter_members: tuple[tuple[bool, ...], ...]
    share: tuple[int, ...]
    weight: tuple[int, ...]

    @cached_property
    def weekends(self) -> int:
        weekdays = [(self.first_weekday + day) % 7 for day in range(self.days)]
        return weekdays.count(SATURDAY) + (weekdays[0] == SUNDAY)

    @cached_property
    def most_shifts(self) -> int:
        shortest = min(self.minutes, default=1)
        return min(self.days, self.max_minutes // shortest)

    def binding(self) -> list[int]:
        """Return the counters that can matter at all."""
        return [
            c
            for c, most in enumerate(self.counter_most)
            if any(self.counter_members[c])
            and (most < self.most_shifts or (self.weight[c] and self.share[c] < self.most_shifts))
        ]

    def wide(self) -> list[int]:
        """Return the binding counters that are left out at first."""
        return [c for c in self.binding() if not self.weight[c] and self.counter_most[c] > _WIDE]


class Automaton:
    """A contract's tables, with the classes of shifts that they do not tell apart."""

    def __init__(self, contract: Contract, tracked: Sequence[int]) -> None:
        self.contract = contract
        self.tracked = tuple(tracked)
        self.unit = math.gcd(*contract.minutes) if contract.minutes else 1
        self.members, self.class_of_shift = self._classes()
        widest = max((max(row) for row in contract.lag), default=1)
        self._longest_rest = max(1, contract.min_off, widest - 1)
        self.nodes: dict[tuple[int, int, int], int] = {}
        after, short, class_of = self._nodes()
        self.digits = self._digits()
        add, weekend, monday, lack, end = self._counts()
        self.states = len(after) * len(end)
        self.tables = Tables(after, short, class_of, add, weekend, monday, lack, end, self._most_left())

    def class_of(self, shifts: int) -> Ints:
        """Return the class of each shift of the problem, -1 for those that the contract does not know."""
        table = np.full(shifts, -1, np.int32)
        for at, shift in enumerate(self.contract.shifts):
            table[shift] = self.class_of_shift[at]
        return table

    def start(self, before_shift: int, before_on: int, before_off: int) -> int:
        """Return the node before the first day."""
        if before_shift < 0:
            return self.nodes[self._rest(-1, self._longest_rest)]
        k = self.class_of_shift[self.contract.shifts.index(before_shift)]
        if before_off:
            return self.nodes[self._rest(k, before_off)]
        return self.nodes[0, k, min(max(1, before_on), self._longest_row())]

    def _classes(self) -> tuple[list[int], list[int]]:
        """Return one shift of each class, and the class of each shift of the contract."""
        contract = self.contract
        seen: dict[tuple[object, ...], int] = {}
        members: list[int] = []
        class_of: list[int] = []
        for at in range(len(contract.shifts)):
            look = (
                contract.minutes[at],
                tuple(contract.counter_members[c][at] for c in self.tracked),
                contract.lag[at],
                tuple(row[at] for row in contract.lag),
            )
            if look not in seen:
                seen[look] = len(members)
                members.append(at)
            class_of.append(seen[look])
        return members, class_of

    def _lag(self, k: int, after: int) -> int:
        return self.contract.lag[self.members[k]][self.members[after]]

    def _longest_row(self) -> int:
        contract = self.contract
        return contract.max_on if contract.max_on < contract.days else max(1, contract.min_on)

    def _rest(self, k: int, length: int) -> tuple[int, int, int]:
        """Return the node of so many days off: the class before matters only while it forbids something."""
        length = min(length, self._longest_rest)
        if k >= 0 and all(self._lag(k, j) <= length + 1 for j in range(len(self.members))):
            k = -1
        return 1, k, length

    def _nodes(self) -> tuple[Ints, Ints, Ints]:
        contract, classes = self.contract, len(self.members)
        row, rest = self._longest_row(), self._longest_rest
        for k in range(classes):
            for length in range(1, row + 1):
                self.nodes[0, k, length] = len(self.nodes)
        for length in range(1, rest + 1):
            for k in range(-1, classes):
                self.nodes.setdefault(self._rest(k, length), len(self.nodes))
        after = np.full((len(self.nodes), classes + 1), NO_STATE, np.int32)
        short = np.zeros(len(self.nodes), np.int32)
        class_of = np.full(len(self.nodes), -1, np.int32)
        for (resting, k, length), node in self.nodes.items():
            if resting:
                after[node, classes] = self.nodes[self._rest(k, length + 1)]
            else:
                class_of[node] = k
                short[node] = length if length < contract.min_on else 0
                after[node, classes] = self.nodes[self._rest(k, 1)]
            for j in range(classes):
                if resting and length >= contract.min_off and (k < 0 or self._lag(k, j) <= length + 1):
                    after[node, j] = self.nodes[0, j, 1]
                elif not resting and self._lag(k, j) <= 1:
                    longer = length + 1
                    if longer > row and contract.max_on >= contract.days:
                        longer = row
                    after[node, j] = self.nodes.get((0, j, longer), NO_STATE)
        return after, short, class_of

    def _digits(self) -> list[Digit]:
        """Return minutes, minutes of the week, tracked counters, weekends: those that can matter."""
        contract = self.contract
        units = np.array([contract.minutes[at] // self.unit for at in self.members], np.int64)
        longest = max(contract.minutes, default=0)
        most, least = contract.max_minutes, contract.min_minutes
        one_week = contract.days <= 7 and contract.first_weekday + contract.days <= 7
        if one_week:
            most = min(most, contract.max_week_minutes)
        digits = []
        if most < contract.days * longest:
            digits.append(Digit(most // self.unit + 1, units, stays_at_top=False))
        else:
            digits.append(Digit(-(-least // self.unit) + 1, units, stays_at_top=True))
        if not one_week and contract.max_week_minutes < 7 * longest:
            digits.append(Digit(contract.max_week_minutes // self.unit + 1, units, stays_at_top=False))
        else:
            digits.append(Digit(1, units, stays_at_top=True))
        for c in self.tracked:
            adds = np.array([contract.counter_members[c][at] for at in self.members], np.int64)
            most_of = min(contract.counter_most[c], contract.most_shifts)
            digits.append(Digit(most_of + 1, adds, stays_at_top=False))
        ones = np.ones(len(self.members), np.int64)
        if contract.max_weekends < contract.weekends or contract.weight[-1]:
            top = min(contract.max_weekends, contract.weekends)
            digits.append(Digit(top + 1, ones, stays_at_top=False))
        else:
            digits.append(Digit(1, ones, stays_at_top=True))
        return digits

    def _counts(self) -> tuple[Ints, Ints, Ints, Ints, Longs]:
        contract, digits = self.contract, self.digits
        sizes = [digit.size for digit in digits]
        total = math.prod(sizes)
        states = total * len(self.nodes)
        if states > _MOST_STATES:
            raise BadProblem(
                "people", "", "planning.rostering.too_many_counts", states=states, limit=_MOST_STATES
            )
        strides = [math.prod(sizes[:at]) for at in range(len(sizes))]
        all_counts = np.arange(total, dtype=np.int64)
        value = [all_counts // stride % size for stride, size in zip(strides, sizes, strict=True)]
        add = np.full((total, len(self.members)), NO_STATE, np.int32)
        for k in range(len(self.members)):
            goal, good = all_counts.copy(), np.ones(total, bool)
            for at, digit in enumerate(digits[:-1]):
                raised = value[at] + digit.adds[k]
                good &= (raised < digit.size) | digit.stays_at_top
                goal += (np.minimum(raised, digit.size - 1) - value[at]) * strides[at]
            add[good, k] = goal[good]
        last = digits[-1]
        more = value[-1] + 1 < last.size
        weekend = np.where(more, all_counts + strides[-1], all_counts if last.stays_at_top else NO_STATE)
        monday = all_counts - value[1] * strides[1]
        lack = np.maximum(0, -(-contract.min_minutes // self.unit) - value[0])
        end = np.where(lack > 0, NEVER, 0).astype(np.int64)
        for at, c in [*enumerate(self.tracked, 2), (len(digits) - 1, len(contract.weight) - 1)]:
            if contract.weight[c] and contract.share[c] < NO_LIMIT:
                more_than = np.maximum(0, value[at] - contract.share[c])
                end += np.where(lack > 0, 0, contract.weight[c] * more_than * (more_than + 1) // 2 * GRAIN)
        return add, weekend.astype(np.int32), monday.astype(np.int32), lack.astype(np.int32), end

    def _most_left(self) -> Longs:
        """Return by number of days the most units that can be worked in them."""
        contract = self.contract
        longest = max(contract.minutes, default=0) // self.unit
        on, off = min(contract.max_on, contract.days), max(1, contract.min_off)
        cycle = on + off if contract.max_on < contract.days else contract.days + 1
        lengths = np.arange(contract.days + 1)
        whole, part = lengths // cycle, lengths % cycle
        return ((whole * on + np.minimum(part, on)) * longest).astype(np.int64)


def contract_of(problem: Problem, person: int) -> Contract:
    """Return the rules of a person; people with equal contracts share tables."""
    people, counters = problem.people, problem.counters
    own = people.duties[people.first[person] : people.first[person + 1]]
    before = int(people.before_shift[person])
    shifts = sorted({int(s) for s in problem.duties.shift[own]} | ({before} if before >= 0 else set()))
    lag = problem.shifts.lag[people.rest[person]]
    return Contract(
        days=problem.days,
        first_weekday=problem.first_weekday,
        shifts=tuple(shifts),
        minutes=tuple(int(problem.shifts.minutes[s]) for s in shifts),
        lag=tuple(tuple(int(lag[s, t]) for t in shifts) for s in shifts),
        min_minutes=int(people.min_minutes[person]),
        max_minutes=int(people.max_minutes[person]),
        max_week_minutes=int(people.max_week_minutes[person]),
        max_on=int(people.max_on[person]),
        min_on=int(people.min_on[person]),
        min_off=int(people.min_off[person]),
        max_weekends=int(people.max_weekends[person]),
        counter_most=tuple(int(most) for most in counters.most[person]),
        counter_members=tuple(tuple(bool(row[s]) for s in shifts) for row in counters.member),
        share=tuple(int(share) for share in counters.share),
        weight=tuple(int(weight) for weight in counters.weight),
    )


def open_days(problem: Problem) -> Bools:
    """Return by person, day and shift (the last: off) what unavailability and pins leave open."""
    shape = (problem.people.size, problem.days, problem.shifts.size + 1)
    table = np.ones(shape, bool)
    table[:, :, :-1] = ~problem.barred
    for (person, day), duty in problem.pins.items():
        table[person, day] = False
        table[person, day, problem.duties.shift[duty] if duty >= 0 else -1] = True
    return table
