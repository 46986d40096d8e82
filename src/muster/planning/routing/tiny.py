# SPDX-License-Identifier: Apache-2.0
"""The smallest problem that goes through the whole search, to have it loaded before time counts."""

from __future__ import annotations

import numpy as np

from muster.planning.routing.problem import MUST, NEVER, NONE, Depots, Fleet, Problem, Stops, Ways


def two_stops() -> Problem:
    """Return a problem of two stops and one vehicle."""

    def two(value: int) -> np.ndarray:
        return np.full(2, value, np.int64)

    def one(value: int) -> np.ndarray:
        return np.full(1, value, np.int64)

    none = np.full(2, NONE, np.int32)
    return Problem(
        stops=Stops(
            names=("1", "2"),
            x=np.asarray([1.0, 2.0]),
            y=np.zeros(2),
            demand=two(1),
            service=two(0),
            opens=two(0),
            closes=two(NEVER),
            skills=two(0),
            penalty=two(MUST),
            partner=none,
            picks=np.zeros(2, np.bool_),
        ),
        depots=Depots(("1",), np.zeros(1), np.zeros(1)),
        fleet=Fleet(
            names=("1",),
            depot=np.zeros(1, np.int32),
            end=np.zeros(1, np.int32),
            count=one(1),
            capacity=one(2),
            shift_start=one(0),
            shift_end=one(NEVER),
            most_stops=one(NEVER),
            most_length=one(NEVER),
            most_time=one(NEVER),
            fixed_cost=one(0),
            skills=one(0),
        ),
        ways=Ways(),
    )
