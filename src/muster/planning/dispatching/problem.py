# SPDX-License-Identifier: Apache-2.0
"""A dispatching problem: open requests, the people who could go, and what makes one better than another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning.contract import BadProblem

MOST_METRES = 10_000_000
# Traits are bits of one number.
MOST_TRAITS = 60
MOST_JOBS = 1_000


@dataclass(frozen=True, slots=True)
class Weights:
    """What things are worth, in metres of walking.

    Each job that a responder already has costs `load_m`; a responder of the request's own grid is worth
    `own_grid_m`; a request that nobody takes costs `unserved_m` times its urgency.
    """

    load_m: int = 150
    own_grid_m: int = 200
    unserved_m: int = 60_000


@dataclass(frozen=True, slots=True, eq=False)
class Responders:
    """One entry for each: where they are, the traits they have (bits), jobs they have and can have.

    `grid` is a number shared with the requests, -1 for none.
    """

    names: tuple[str, ...]
    x_m: Longs
    y_m: Longs
    traits: Longs
    load: Longs
    capacity: Longs
    grid: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """One entry for each: where, which traits a responder needs and must not have (bits), how urgent."""

    names: tuple[str, ...]
    x_m: Longs
    y_m: Longs
    needs: Longs
    avoids: Longs
    grid: Longs
    urgency: Longs

    @property
    def size(self) -> int:
        return len(self.names)


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """`declined` holds (request, responder) pairs that are not to be offered again.

    `pins` holds requests whom a person gave a responder: they stay. `traits` are the names of the bits.
    """

    responders: Responders
    requests: Requests
    traits: tuple[str, ...]
    weights: Weights = field(default_factory=Weights)
    walk_permille: int = 1_000
    declined: tuple[tuple[int, int], ...] = ()
    pins: Mapping[int, int] = field(default_factory=dict)

    def trait_names(self, bits: int) -> tuple[str, ...]:
        return tuple(name for bit, name in enumerate(self.traits) if bits >> bit & 1)

    def walk_m(self, request: int, responder: int) -> int:
        """Return the metres that a responder walks to a request."""
        east = int(self.responders.x_m[responder] - self.requests.x_m[request])
        north = int(self.responders.y_m[responder] - self.requests.y_m[request])
        return int(np.sqrt(np.float64(east * east + north * north)) * self.walk_permille * 0.001 + 0.5)

    def is_own_grid(self, request: int, responder: int) -> bool:
        grid = int(self.requests.grid[request])
        return grid >= 0 and grid == int(self.responders.grid[responder])

    def may_go(self, request: int, responder: int) -> bool:
        """Tell whether a responder has the traits that a request asks for, and none that it avoids."""
        has, needs = int(self.responders.traits[responder]), int(self.requests.needs[request])
        return has & needs == needs and not has & int(self.requests.avoids[request])


def pins(problem: Problem) -> dict[str, str]:
    """Return what a person fixed: request -> responder."""
    return {
        problem.requests.names[request]: problem.responders.names[responder]
        for request, responder in sorted(problem.pins.items())
    }


def require_lawful(problem: Problem) -> None:
    """Raise BadProblem when the parts of the problem contradict each other."""
    declined = set(problem.declined)
    left = problem.responders.capacity - problem.responders.load
    for request, responder in sorted(problem.pins.items()):
        where = f"pins.{problem.requests.names[request]}"
        name = problem.responders.names[responder]
        if not problem.may_go(request, responder):
            raise BadProblem("responder", where, "planning.dispatching.pin_traits", responder=name)
        if (request, responder) in declined:
            raise BadProblem("responder", where, "planning.dispatching.pin_declined", responder=name)
        left[responder] -= 1
        if left[responder] < 0:
            raise BadProblem("responder", where, "planning.dispatching.pin_full", responder=name)
