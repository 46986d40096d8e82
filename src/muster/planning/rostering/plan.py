# SPDX-License-Identifier: Apache-2.0
"""A rota: by person and day a duty or a day off, who is missing where, and who has no lawful month."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Ints
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, PlanEnvelope, Status
from muster.planning.rostering.rota_files import rota_table

ENGINE = "rostering"
_FIELD_FORM = "curtois-qu"


@dataclass(frozen=True, slots=True)
class Shortage:
    """So many people are missing at a duty on a day; `must`: without them the rota is not lawful."""

    day: int
    duty: int
    missing: int
    must: bool


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`roster` is by person and day: an index into `duties` (post, shift, kind), or -1 for a day off.

    `unlawful` names the people for whom no month keeps their own rules; they have what was pinned, else
    days off.
    """

    people: tuple[str, ...]
    duties: tuple[tuple[str, str, str], ...]
    roster: Ints
    short: tuple[Shortage, ...]
    unlawful: tuple[str, ...]
    objective: int
    bound: int
    seed: int
    form: str = "muster"

    @property
    def status(self) -> Status:
        if self.unlawful or any(entry.must for entry in self.short):
            return Status.INFEASIBLE
        return Status.OPTIMAL if self.objective <= self.bound else Status.FEASIBLE

    def envelope(self) -> PlanEnvelope:
        solution: dict[str, Any] = {
            "form": self.form,
            "people": self.people,
            "duties": [list(duty) for duty in self.duties],
            "roster": self.roster,
            "short": [
                {"day": e.day, "duty": e.duty, "missing": e.missing, "must": e.must} for e in self.short
            ],
            "unlawful": self.unlawful,
        }
        return PlanEnvelope(ENGINE, self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        people, duties = tuple(fields.texts("people")), _duties(fields)
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadProblem(name, "", "planning.cure.integer", lowest=0, highest=1 << 53)
        short = tuple(
            Shortage(
                entry.integer("day"),
                entry.integer("duty", 0, max(0, len(duties) - 1)),
                entry.integer("missing", 1),
                entry.flag("must", otherwise=False),
            )
            for entry in fields.objects("short")
        )
        return cls(
            people=people,
            duties=duties,
            roster=_roster(fields, len(people), len(duties)),
            short=short,
            unlawful=tuple(fields.texts("unlawful")),
            objective=int(envelope.objective or 0),
            bound=int(envelope.bound or 0),
            seed=envelope.seed,
            form=fields.text("form", "muster"),
        )

    def days_of(self, row: int) -> list[str]:
        """Return the shift of each day of a person, empty for a day off."""
        return [self.duties[duty][1] if duty >= 0 else "" for duty in self.roster[row].tolist()]


def _duties(fields: Fields) -> tuple[tuple[str, str, str], ...]:
    duties = []
    for number, value in enumerate(fields.listed("duties")):
        if not (isinstance(value, list) and [type(part) for part in value] == [str, str, str]):
            raise BadProblem(f"duties[{number}]", fields.where, "planning.rostering.three_texts")
        duties.append((value[0], value[1], value[2]))
    return tuple(duties)


def _roster(fields: Fields, people: int, duties: int) -> Ints:
    rows = [
        Fields({f"roster[{number}]": row}, fields.where).integers(f"roster[{number}]", -1, duties - 1)
        for number, row in enumerate(fields.listed("roster"))
    ]
    if len(rows) != people or len({len(row) for row in rows}) > 1:
        raise BadProblem("roster", fields.where, "planning.cure.same_length", fields="people, roster")
    return np.asarray(rows, np.int32).reshape(people, -1)


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file, and beside it the rota as a table of text; returns the files written."""
    write_text(path, plan.envelope().to_json())
    if plan.form != _FIELD_FORM:
        return [path]
    beside = path.with_suffix(".roster.txt")
    write_text(beside, rota_table(plan.people, [plan.days_of(row) for row in range(len(plan.people))]))
    return [path, beside]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))
