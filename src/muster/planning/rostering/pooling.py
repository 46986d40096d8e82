# SPDX-License-Identifier: Apache-2.0
"""Duties that differ only in their post are planned as one, then people are told which post.

Ten gates of a neighbourhood with the same needs and the same people are one large duty: nothing is lost,
and the linear program has a tenth of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.rostering.problem import FREE, OFF, Problem


@dataclass(frozen=True, slots=True)
class Pooled:
    """The problem with pooled duties; `members[d]` are the duties that pooled duty d stands for."""

    problem: Problem
    members: list[list[int]]


def pooled(problem: Problem) -> Pooled:
    """Return the problem with like duties as one; a rota before binds people to posts, so none then."""
    table = problem.duties
    if problem.change_cost and (problem.previous != FREE).any():
        return Pooled(problem, [[duty] for duty in range(table.size)])
    able = _able(problem)
    groups: dict[tuple[object, ...], list[int]] = {}
    for duty in range(table.size):
        look = (
            int(table.shift[duty]),
            able[duty],
            table.under[:, duty].tobytes(),
            table.over[:, duty].tobytes(),
            table.must[:, duty].tobytes(),
        )
        groups.setdefault(look, []).append(duty)
    members = list(groups.values())
    if len(members) == table.size:
        return Pooled(problem, members)
    return Pooled(_with_pools(problem, members), members)


def _able(problem: Problem) -> list[bytes]:
    """Return by duty who can do it, as bytes that are equal for equal people."""
    people = problem.people
    owner = np.repeat(np.arange(people.size, dtype=np.int32), np.diff(people.first))
    order = np.argsort(people.duties, kind="stable")
    first = np.searchsorted(people.duties[order], np.arange(problem.duties.size + 1))
    return [owner[order[first[d] : first[d + 1]]].tobytes() for d in range(problem.duties.size)]


def _with_pools(problem: Problem, members: list[list[int]]) -> Problem:
    table, people = problem.duties, problem.people
    pool_of = np.zeros(table.size, np.int32)
    for pool, duties in enumerate(members):
        pool_of[duties] = pool
    one = np.array([duties[0] for duties in members], np.int64)
    own = [
        np.unique(pool_of[people.duties[people.first[p] : people.first[p + 1]]]) for p in range(people.size)
    ]
    need = np.stack([table.need[:, duties].sum(axis=1) for duties in members], axis=1)
    return replace(
        problem,
        duties=replace(
            table,
            post=table.post[one],
            shift=table.shift[one],
            kind=table.kind[one],
            need=need.astype(np.int32),
            under=table.under[:, one].copy(),
            over=table.over[:, one].copy(),
            must=table.must[:, one].copy(),
        ),
        people=replace(
            people,
            first=np.concatenate(([0], np.cumsum([len(row) for row in own]))).astype(np.int64),
            duties=np.concatenate([np.zeros(0, np.int32), *own]).astype(np.int32),
        ),
        previous=np.full(problem.previous.shape, FREE, np.int32),
        pins={key: OFF if duty == OFF else int(pool_of[duty]) for key, duty in problem.pins.items()},
    )


def told_apart(problem: Problem, pools: Pooled, rows: Ints) -> Ints:
    """Return the rows with real duties: what is pinned first, then where somebody stood before."""
    if pools.problem is problem:
        return rows
    table = np.full(rows.shape, OFF, np.int32)
    usual = np.full((problem.people.size, len(pools.members)), OFF, np.int64)
    for day in range(problem.days):
        left = problem.duties.need[day].astype(np.int64)
        for pool in np.unique(rows[:, day][rows[:, day] >= 0]):
            here = np.flatnonzero(rows[:, day] == pool)
            _place(problem, pools.members[pool], here, day, left, usual[:, pool], table)
    return table


def _place(
    problem: Problem, duties: list[int], here: Longs, day: int, left: Longs, usual: Longs, table: Ints
) -> None:
    waiting = []
    for person in here:
        pinned = problem.pins.get((int(person), day), FREE)
        if pinned >= 0:
            table[person, day] = pinned
            left[pinned] -= 1
        else:
            waiting.append(int(person))
    late = []
    for person in waiting:
        known = usual[person]
        if known >= 0 and left[known] > 0:
            table[person, day] = known
            left[known] -= 1
        else:
            late.append(person)
    open_duties = [duty for duty in duties for _ in range(max(0, int(left[duty])))]
    for at, person in enumerate(late):
        duty = open_duties[at] if at < len(open_duties) else duties[0]
        table[person, day] = duty
        left[duty] -= 1
    for person in here:
        usual[person] = table[person, day]
