# SPDX-License-Identifier: Apache-2.0
"""Large neighbourhoods: some people's months are thrown away and planned anew together, by a dive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from muster.planning.rostering.diving import Dive, dive
from muster.planning.rostering.planner import Month, Planner
from muster.planning.rostering.rota import Rota

# The months kept for each person, the youngest last: a dive begins with them.
_KEPT = 30
_ROOT_ROUNDS = 60


@dataclass(slots=True)
class Pool:
    """Months that proved useful, by person."""

    months: dict[int, dict[bytes, Month]] = field(default_factory=dict)

    def take(self, months: list[tuple[int, Month]]) -> None:
        for person, month in months:
            self.keep(person, month)

    def keep(self, person: int, month: Month) -> None:
        own = self.months.setdefault(person, {})
        key = month.row.tobytes()
        own.pop(key, None)
        own[key] = month
        while len(own) > _KEPT:
            del own[next(iter(own))]


def improve(
    planner: Planner,
    rota: Rota,
    pool: Pool,
    *,
    rng: np.random.Generator,
    steps: int,
    enough: Callable[[int], bool],
    sizes: tuple[int, int] = (4, 16),
) -> Rota:
    """Re-plan groups of people until the steps are used up or `enough(cost)` says so."""
    people = sorted(rota.months)
    for _ in range(steps):
        if len(people) < 2 or enough(rota.cost):
            break
        size = min(len(people), int(rng.integers(*sizes)))
        group = sorted(people[at] for at in rng.permutation(len(people))[:size])
        base = rota.without(group)
        way = Dive(rounds=int(rng.integers(1, 5)), share=0.15, chance=float(rng.choice([0.0, 0.1, 0.3])))
        spent = partial(enough, rota.cost)
        months, _, useful = dive(
            planner,
            group,
            base,
            {person: [rota.months[person]] for person in group},
            way=way,
            rng=rng,
            enough=spent,
            root_rounds=_ROOT_ROUNDS,
        )
        if len(months) == len(group):
            changed = rota.with_months(months)
            if changed.cost <= rota.cost:
                rota = changed
        pool.take(useful)
    return rota
