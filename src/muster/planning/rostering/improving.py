# SPDX-License-Identifier: Apache-2.0
"""Large neighbourhoods: some people's months are thrown away and planned anew together, by a dive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from muster.planning.rostering.columns import Watch
from muster.planning.rostering.diving import Dive, dive
from muster.planning.rostering.planner import Month, Planner
from muster.planning.rostering.rota import Rota

# The months kept for each person, the youngest last: a dive begins with them.
_KEPT = 30
_ROOT_ROUNDS = 150
# Sizes of groups, from the first to before the second.
_QUICK, _LARGE = (8, 15), (12, 30)
_FAR = 1.15
# A dive goes on while the linear program costs no more than this above the rota.
_HOPE = 0.5


class CostWatch(Watch, Protocol):
    """A watch that also knows which cost cannot be bettered."""

    def enough(self, cost: int) -> bool: ...


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
    watch: CostWatch,
    bound: int = 0,
) -> Rota:
    """Re-plan groups of people until the steps are used up or the watch says that it is enough.

    Large groups and careful dives beat many hasty ones; while the cost is far above the bound, middling
    groups are quicker. Very small ones find nothing: whoever could fill a gap stands in another one.
    """
    people = sorted(rota.months)
    for _ in range(steps):
        if len(people) < 2 or watch.enough(rota.cost):
            break
        far = rota.cost > _FAR * bound
        size = min(len(people), int(rng.integers(*(_QUICK if far else _LARGE))))
        group = sorted(people[at] for at in rng.permutation(len(people))[:size])
        base = rota.without(group)
        way = Dive(chance=float(rng.choice([0.0, 0.1, 0.3])))
        months, _, useful = dive(
            planner,
            group,
            base,
            {person: [rota.months[person]] for person in group},
            way=way,
            rng=rng,
            watch=watch,
            root_rounds=_ROOT_ROUNDS,
            limit=rota.part_cost(group) + _HOPE,
        )
        if len(months) == len(group):
            changed = rota.with_months(months)
            if changed.cost <= rota.cost:
                rota = changed
        pool.take(useful)
    return rota
