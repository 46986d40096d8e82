# SPDX-License-Identifier: Apache-2.0
"""A rota problem: shifts, duties (a shift at a post for one kind of person), people with their rules.

A month is the row of one person: for each day a duty or a day off. Each person works at most once a day, and
a shift belongs to the day on which it begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning.contract import BadProblem

OFF = -1
FREE = -2  # in pins and in a previous rota: nothing is said about this day
MOST_COST = 1_000_000
MOST_DAYS = 400
MOST_PEOPLE = 200_000
# People x days x (shifts + 1): what the tables of wishes take in memory.
MOST_CELLS = 100_000_000
NO_LIMIT = 1 << 40
SATURDAY, SUNDAY = 5, 6


@dataclass(frozen=True, slots=True, eq=False)
class Shifts:
    """Shifts by name; `lag` is by rest rule, earlier and later shift: how many days lie between at least.

    1: the later one may begin on the next day; 2: there is a day off between them.
    """

    names: tuple[str, ...]
    minutes: Longs
    lag: Ints

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Duties:
    """What a person can be put to; `need`, `under` and `over` are by day and duty.

    Each missing person costs `under`, each one too many `over`; where `must` is set, a rota with somebody
    missing is not lawful.
    """

    posts: tuple[str, ...]
    kinds: tuple[str, ...]
    post: Ints
    shift: Ints
    kind: Ints
    need: Ints
    under: Longs
    over: Longs
    must: Bools

    @property
    def size(self) -> int:
        return len(self.post)


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """People and their rules; limits that do not bind are NO_LIMIT.

    `duties` from `first[p]` to before `first[p + 1]` are what person p can do. `before_*` is what came
    before the first day: the last shift (-1: nothing is known and nothing binds), how many days in a row
    up to it, and how many days off since.
    """

    names: tuple[str, ...]
    first: Longs
    duties: Ints
    rest: Ints  # which rest rule, an index into Shifts.lag
    min_minutes: Longs
    max_minutes: Longs
    max_week_minutes: Longs
    max_on: Longs
    min_on: Longs
    min_off: Longs
    max_weekends: Longs
    before_shift: Ints
    before_on: Longs
    before_off: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Counters:
    """Kinds of shifts that are counted (nights; in Curtois-Qu files each shift): most, fair share, its cost.

    A person with n more than the share costs weight * n * (n + 1) / 2. The last entry of `share` and
    `weight` is for weekends.
    """

    names: tuple[str, ...]
    member: Bools  # counter x shift
    most: Longs  # person x counter
    share: Longs  # counters and weekends
    weight: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """`wish` is by person, day and shift (the last: off): what it costs. `barred` is by person, day, shift.

    `previous` is a rota that people know already (duty, OFF or FREE): each day that differs costs
    `change_cost`. `pins` is what a person fixed: (person, day) -> duty or OFF.
    """

    days: int
    first_weekday: int
    shifts: Shifts
    duties: Duties
    people: People
    counters: Counters
    wish: Ints
    barred: Bools
    previous: Ints
    change_cost: int = 0
    pins: Mapping[tuple[int, int], int] = field(default_factory=dict)
    form: str = "muster"

    def weekday(self, day: int) -> int:
        return (self.first_weekday + day) % 7

    def duty_name(self, duty: int) -> tuple[str, str, str]:
        """Return post, shift and kind."""
        table = self.duties
        return (
            table.posts[table.post[duty]],
            self.shifts.names[table.shift[duty]],
            table.kinds[table.kind[duty]],
        )


def pins(problem: Problem) -> dict[tuple[str, int], tuple[str, str, str] | None]:
    """Return what a person fixed: (person, day) -> post, shift and kind, or None for a day off."""
    return {
        (problem.people.names[person], day): None if duty == OFF else problem.duty_name(duty)
        for (person, day), duty in sorted(problem.pins.items())
    }


def require_size(people: int, days: int, shifts: int) -> None:
    """Raise BadProblem when the tables of the problem would not fit."""
    if people > MOST_PEOPLE:
        raise BadProblem("people", "", "planning.rostering.too_many_people", people=people, limit=MOST_PEOPLE)
    cells = people * days * (shifts + 1)
    if cells > MOST_CELLS:
        raise BadProblem("people", "", "planning.rostering.too_large", cells=cells, limit=MOST_CELLS)


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the pins contradict who can do what."""
    people = problem.people
    for (person, day), duty in sorted(problem.pins.items()):
        if duty == OFF:
            continue
        where = f"pins.{people.names[person]}"
        own = people.duties[people.first[person] : people.first[person + 1]]
        at = int(np.searchsorted(own, duty))
        if at >= len(own) or own[at] != duty:
            post, shift, kind = problem.duty_name(duty)
            raise BadProblem(
                "kind", where, "planning.rostering.pin_unable", day=day, post=post, shift=shift, kind=kind
            )
        if problem.barred[person, day, problem.duties.shift[duty]]:
            raise BadProblem("day", where, "planning.rostering.pin_unavailable", day=day)
