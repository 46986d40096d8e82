# SPDX-License-Identifier: Apache-2.0
"""A rota falls into pieces: people who share no duty with others, directly or through others, plan alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.rostering.problem import OFF, Problem


def pieces(problem: Problem) -> list[tuple[Longs, Longs]]:
    """Return people and duties of each piece; duties that nobody can do are in none."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    people, duties = problem.people, problem.duties.size
    owner = np.repeat(np.arange(people.size), np.diff(people.first))
    size = people.size + duties
    links = coo_array(
        (np.ones(len(owner), np.int8), (owner, people.size + people.duties)), shape=(size, size)
    )
    _, label = connected_components(links, directed=False)
    found = []
    order = np.argsort(label[: people.size], kind="stable")
    bounds = np.flatnonzero(np.diff(label[: people.size][order])) + 1
    by_duty: dict[int, list[int]] = {}
    for duty, name in enumerate(label[people.size :].tolist()):
        by_duty.setdefault(name, []).append(duty)
    for group in np.split(order, bounds) if people.size else []:
        own = by_duty.get(int(label[group[0]]), [])
        found.append((group.astype(np.int64), np.array(own, np.int64)))
    return found


def part(problem: Problem, people: Longs, duties: Longs) -> Problem:
    """Return the problem of some people and duties alone."""
    table, everybody = problem.duties, problem.people
    new_duty = np.full(table.size + 1, OFF, np.int32)
    new_duty[duties] = np.arange(len(duties), dtype=np.int32)
    own = [everybody.duties[everybody.first[p] : everybody.first[p + 1]] for p in people]
    new_person = {int(person): at for at, person in enumerate(people)}
    previous = problem.previous[people]
    return replace(
        problem,
        duties=replace(
            table,
            post=table.post[duties],
            shift=table.shift[duties],
            kind=table.kind[duties],
            need=table.need[:, duties].copy(),
            under=table.under[:, duties].copy(),
            over=table.over[:, duties].copy(),
            must=table.must[:, duties].copy(),
        ),
        people=replace(
            everybody,
            names=tuple(everybody.names[p] for p in people),
            first=np.concatenate(([0], np.cumsum([len(row) for row in own]))).astype(np.int64),
            duties=new_duty[np.concatenate([np.zeros(0, np.int32), *own])],
            **{
                name: getattr(everybody, name)[people]
                for name in (
                    "rest",
                    "min_minutes",
                    "max_minutes",
                    "max_week_minutes",
                    "max_on",
                    "min_on",
                    "min_off",
                    "max_weekends",
                    "before_shift",
                    "before_on",
                    "before_off",
                )
            },
        ),
        counters=replace(problem.counters, most=problem.counters.most[people]),
        wish=problem.wish[people],
        barred=problem.barred[people],
        # A duty known from before that is no longer one of theirs is a change in any case.
        previous=np.where(previous >= 0, _renamed(new_duty, previous), previous).astype(np.int32),
        pins={
            (new_person[person], day): OFF if duty == OFF else int(new_duty[duty])
            for (person, day), duty in problem.pins.items()
            if person in new_person
        },
    )


GONE = -3  # in a previous rota: a duty that is not in this piece


def _renamed(new_duty: np.ndarray, previous: np.ndarray) -> np.ndarray:
    names = new_duty[np.maximum(previous, 0)]
    return np.where(names == OFF, GONE, names)
