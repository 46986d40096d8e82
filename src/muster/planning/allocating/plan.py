# SPDX-License-Identifier: Apache-2.0
"""An allocation: how many packs go from where to where, what guarantees lack, and prices that prove it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, PlanEnvelope, Status

ENGINE = "allocating"
_MOST = 1 << 53


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """What goes where: `item` is what the area asked for, `given` what it gets (the same, or a stand-in)."""

    area: tuple[str, ...]
    item: tuple[str, ...]
    source: tuple[str, ...]
    given: tuple[str, ...]
    packs: Longs
    units: Longs
    metres: Longs

    @property
    def size(self) -> int:
        return len(self.packs)


@dataclass(frozen=True, slots=True, eq=False)
class Unmet:
    """Guarantees that the stock does not allow: how many units are lacking."""

    area: tuple[str, ...]
    item: tuple[str, ...]
    units: Longs


@dataclass(frozen=True, slots=True, eq=False)
class StockPrices:
    """What one more pack of an item at a source would be worth: urgency, then metres.

    In whole numbers, or in millionths when `limit_price` has the price of each limit (then without metres).
    """

    source: tuple[str, ...]
    item: tuple[str, ...]
    urgency: Longs
    metres: Longs
    limit: tuple[str, ...]
    limit_price: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`objective` and `bound` are the urgency of all packs that are missing; metres count second.

    `metres_bound` is None when the metres are not proved to be the least.
    """

    lines: Lines
    unmet: Unmet
    prices: StockPrices
    objective: int
    bound: int
    metres: int
    metres_bound: int | None
    seed: int

    @property
    def status(self) -> Status:
        if len(self.unmet.units):
            return Status.INFEASIBLE
        exact = self.objective <= self.bound and self.metres_bound is not None
        return Status.OPTIMAL if exact and self.metres <= (self.metres_bound or 0) else Status.FEASIBLE

    def envelope(self) -> PlanEnvelope:
        lines, unmet, prices = self.lines, self.unmet, self.prices
        solution: dict[str, Any] = {
            "lines": {name: getattr(lines, name) for name in _LINES},
            "metres": self.metres,
            "metres_bound": self.metres_bound,
            "unmet": {"area": unmet.area, "item": unmet.item, "units": unmet.units},
            "prices": {name: getattr(prices, name) for name in _PRICES},
        }
        return PlanEnvelope(ENGINE, self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        lines, unmet, prices = (_columns(fields.inner(name)) for name in ("lines", "unmet", "prices"))
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadProblem(name, "", "planning.cure.integer", lowest=0, highest=_MOST)
        _require_names(lines, unmet, prices)
        return cls(
            lines=Lines(**lines),
            unmet=Unmet(**unmet),
            prices=StockPrices(**prices),
            objective=int(envelope.objective or 0),
            bound=int(envelope.bound or 0),
            metres=fields.integer("metres"),
            metres_bound=fields.integer("metres_bound") if fields.has("metres_bound") else None,
            seed=envelope.seed,
        )


_LINES = ("area", "item", "source", "given", "packs", "units", "metres")
_UNMET = ("area", "item", "units")
_PRICES = ("source", "item", "urgency", "metres", "limit", "limit_price")
_NUMBERS = {"packs", "units", "metres", "urgency", "limit_price"}


def _columns(fields: Fields) -> dict[str, Any]:
    """Return the columns of a table: whole numbers as arrays, names as texts."""
    return {
        name: fields.integers(name, -_MOST) if name in _NUMBERS else tuple(fields.texts(name))
        for name in fields.raw
    }


def _require_names(lines: dict[str, Any], unmet: dict[str, Any], prices: dict[str, Any]) -> None:
    tables = ((lines, _LINES, "lines"), (unmet, _UNMET, "unmet"), (prices, _PRICES, "prices"))
    for table, names, where in tables:
        for name in set(names) ^ set(table):
            cure = "planning.cure.present" if name in names else "planning.cure.known"
            raise BadProblem(name, f"solution.{where}", cure, name=name)
        limits = {"limit", "limit_price"}
        for part in (set(names) - limits, set(names) & limits):
            if len({len(table[name]) for name in part}) > 1:
                facts = ", ".join(name for name in names if name in part)
                raise BadProblem("", f"solution.{where}", "planning.cure.same_length", fields=facts)


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file; returns the files written."""
    write_text(path, plan.envelope().to_json())
    return [path]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))


def no_longs() -> Longs:
    return np.zeros(0, np.int64)
