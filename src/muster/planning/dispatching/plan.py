# SPDX-License-Identifier: Apache-2.0
"""A dispatch: the responder of each request, and prices of people's time that prove how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, PlanEnvelope, Status

ENGINE = "dispatching"


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`responder_of` is by request, -1 where nobody goes. `prices` has a price in metres for each further job
    of a responder, in order, for those who are sought after; everybody else's time is free of charge.
    """

    requests: tuple[str, ...]
    responders: tuple[str, ...]
    responder_of: Longs
    prices: Mapping[int, list[int]]
    objective: int
    bound: int
    seed: int

    @property
    def status(self) -> Status:
        return Status.OPTIMAL if self.objective <= self.bound else Status.FEASIBLE

    def envelope(self) -> PlanEnvelope:
        solution = {
            "requests": self.requests,
            "responder_of": [
                self.responders[who] if who >= 0 else None for who in self.responder_of.tolist()
            ],
            "prices": {self.responders[who]: price for who, price in self.prices.items()},
        }
        return PlanEnvelope(ENGINE, self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        requests, chosen = fields.listed("requests"), fields.listed("responder_of")
        prices = fields.inner("prices")
        if len(requests) != len(chosen):
            names = "requests, responder_of"
            raise BadProblem("responder_of", "solution", "planning.cure.same_length", fields=names)
        for number, name in enumerate((*requests, *chosen)):
            if not isinstance(name, str) and not (name is None and number >= len(requests)):
                raise BadProblem("requests", "solution", "planning.cure.text")
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadProblem(name, "", "planning.cure.integer", lowest=-(1 << 53), highest=1 << 53)
        responders = tuple(sorted({name for name in chosen if name} | set(prices.raw)))
        number_of = {name: number for number, name in enumerate(responders)}
        return cls(
            requests=tuple(requests),
            responders=responders,
            responder_of=np.asarray([number_of[name] if name else -1 for name in chosen], np.int64),
            prices={number_of[name]: prices.integers(name).tolist() for name in sorted(prices.raw)},
            objective=int(envelope.objective or 0),
            bound=int(envelope.bound or 0),
            seed=envelope.seed,
        )


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file; returns the files written."""
    write_text(path, plan.envelope().to_json())
    return [path]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))
