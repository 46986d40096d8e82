# SPDX-License-Identifier: Apache-2.0
"""A batch plan: site, slot and call time of each unit, and what forces the peak that remains."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, PlanEnvelope, Status

ENGINE = "batching"


@dataclass(frozen=True, slots=True, eq=False)
class Batches:
    """Who comes to a site in a slot: people, the first call, and the walk from the site along their doors.

    The walk follows the order of the calls, in straight lines.
    """

    site: tuple[str, ...]
    slot: tuple[str, ...]
    people: Longs
    begins_min: Longs
    route_m: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """By unit: its site, its slot, the minute when it is called, its place in the order of the batch.

    `objective` and `bound` are people at a lane at the peak, in thousandths. `bottleneck` names the cells
    (site, slot) that force the bound, or a single unit that is too large.
    """

    units: tuple[str, ...]
    site_of: tuple[str, ...]
    slot_of: tuple[str, ...]
    call_min: Longs
    order: Longs
    walk_m: Longs
    bottleneck: tuple[tuple[str, str], ...]
    bottleneck_unit: str
    batches: Batches
    objective: int
    bound: int
    seed: int

    @property
    def status(self) -> Status:
        return Status.OPTIMAL if self.objective <= self.bound else Status.FEASIBLE

    def envelope(self) -> PlanEnvelope:
        solution: dict[str, Any] = {
            "units": self.units,
            "site_of": self.site_of,
            "slot_of": self.slot_of,
            "call_min": self.call_min,
            "order": self.order,
            "walk_m": self.walk_m,
            "bottleneck": [list(cell) for cell in self.bottleneck],
            "batches": {name: getattr(self.batches, name) for name in _BATCHES},
        }
        if self.bottleneck_unit:
            solution["bottleneck_unit"] = self.bottleneck_unit
        return PlanEnvelope(ENGINE, self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        texts = {name: tuple(fields.texts(name)) for name in ("units", "site_of", "slot_of")}
        numbers = {name: fields.integers(name) for name in ("call_min", "order", "walk_m")}
        if len({len(column) for column in (*texts.values(), *numbers.values())}) > 1:
            names = ", ".join((*texts, *numbers))
            raise BadProblem("units", fields.where, "planning.cure.same_length", fields=names)
        cells = []
        for number, cell in enumerate(fields.listed("bottleneck")):
            if not (isinstance(cell, list) and [type(name) for name in cell] == [str, str]):
                raise BadProblem(f"bottleneck[{number}]", fields.where, "planning.cure.text")
            cells.append((cell[0], cell[1]))
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadProblem(name, "", "planning.cure.integer", lowest=0, highest=1 << 53)
        return cls(
            units=texts["units"],
            site_of=texts["site_of"],
            slot_of=texts["slot_of"],
            call_min=numbers["call_min"],
            order=numbers["order"],
            walk_m=numbers["walk_m"],
            bottleneck=tuple(cells),
            bottleneck_unit=fields.text("bottleneck_unit", ""),
            batches=_batches(fields.inner("batches")),
            objective=int(envelope.objective or 0),
            bound=int(envelope.bound or 0),
            seed=envelope.seed,
        )


_BATCHES = ("site", "slot", "people", "begins_min", "route_m")


def _batches(fields: Fields) -> Batches:
    site, slot = tuple(fields.texts("site")), tuple(fields.texts("slot"))
    people, begins_min, route_m = (fields.integers(name) for name in _BATCHES[2:])
    if len({len(column) for column in (site, slot, people, begins_min, route_m)}) > 1:
        names = ", ".join(_BATCHES)
        raise BadProblem("batches", fields.where, "planning.cure.same_length", fields=names)
    return Batches(site, slot, people, begins_min, route_m)


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file; returns the files written."""
    write_text(path, plan.envelope().to_json())
    return [path]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))


def cells_of(plan: Plan, site_numbers: dict[str, int], slot_numbers: dict[str, int]) -> Longs:
    """Return the cell of each unit of the plan; raises KeyError for unknown names."""
    width = len(slot_numbers)
    return np.asarray(
        [
            site_numbers[site] * width + slot_numbers[slot]
            for site, slot in zip(plan.site_of, plan.slot_of, strict=True)
        ],
        np.int64,
    )
