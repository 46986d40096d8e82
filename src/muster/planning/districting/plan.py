# SPDX-License-Identifier: Apache-2.0
"""A division: for each level the names of its grids and the grid of each building; how even it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, PlanEnvelope, Status

ENGINE = "districting"
PPM = 1_000_000
# Plans of problems in this form also get their solution in the form of the field.
METIS = "metis"


@dataclass(frozen=True, slots=True, eq=False)
class GridLevel:
    """The grids of one level: `grid_of` holds for each building the number of its grid's name."""

    name: str
    grids: tuple[str, ...]
    grid_of: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Levels from the smallest to the largest.

    `worst_ppm` is the worst deviation of any grid from what it should weigh, in millionths, and `bound_ppm`
    is the least that any division of this ground can have.
    """

    levels: tuple[GridLevel, ...]
    seed: int
    worst_ppm: int
    bound_ppm: int
    form: str = ""

    def envelope(self) -> PlanEnvelope:
        levels = [
            {"name": level.name, "grids": list(level.grids), "grid_of": level.grid_of}
            for level in self.levels
        ]
        solution: dict[str, Any] = {"levels": levels}
        if self.form:
            solution["form"] = self.form
        status = Status.OPTIMAL if self.worst_ppm <= self.bound_ppm else Status.FEASIBLE
        return PlanEnvelope(ENGINE, status, self.worst_ppm, self.bound_ppm, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        levels = tuple(_level(level) for level in fields.objects("levels"))
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if not isinstance(value, int):
                raise BadProblem(name, "", "planning.cure.integer", lowest=0, highest=PPM)
        worst, least = int(envelope.objective or 0), int(envelope.bound or 0)
        return cls(levels, envelope.seed, worst, least, fields.text("form", ""))


def _level(fields: Fields) -> GridLevel:
    grids = tuple(str(name) for name in fields.listed("grids"))
    if len(set(grids)) < len(grids):
        raise BadProblem("grids", fields.where, "planning.districting.grid_twice")
    grid_of = fields.integers("grid_of", 0, max(0, len(grids) - 1))
    return GridLevel(fields.text("name"), grids, grid_of.astype(np.int32))


def deviation_ppm(weight: int, target: Fraction) -> int:
    """Return how far a weight is from its target, in millionths, rounded up."""
    off = abs(Fraction(weight) - target) / target * PPM
    return -(-off.numerator // off.denominator)


def worst_ppm(weights: Longs, target: Fraction) -> int:
    """Return the largest deviation of any of the weights."""
    if len(weights) == 0:
        return 0
    return max(deviation_ppm(int(weights.max()), target), deviation_ppm(int(weights.min()), target))


def moved_people(people: Longs, before: Mapping[int, str], after: GridLevel) -> int:
    """Return how many people live in buildings whose grid has another name than before."""
    return sum(
        int(people[building])
        for building, name in before.items()
        if after.grids[after.grid_of[building]] != name
    )


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file, and for METIS problems a partition file beside it; returns the files written."""
    write_text(path, plan.envelope().to_json())
    if plan.form != METIS:
        return [path]
    partition = path.with_suffix(".part")
    write_text(partition, "".join(f"{grid}\n" for grid in plan.levels[0].grid_of.tolist()))
    return [path, partition]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))
