# SPDX-License-Identifier: Apache-2.0
"""A plan of routes: who visits which stops in which order and when, and which stops are left out and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, Json, PlanEnvelope, Status

ENGINE = "routing"


@dataclass(frozen=True, slots=True)
class Route:
    """The stops of one vehicle in order; `begins` is when service begins at each of them."""

    vehicle: str
    stops: tuple[str, ...]
    begins: tuple[int, ...]
    start: int
    end: int
    length: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A stop that no vehicle visits, and why: a message code with facts."""

    stop: str
    code: str
    facts: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Plan:
    """`objective` is lengths, fixed costs of vehicles used and penalties of stops left out.

    Stops that have to be served and are left out make a plan INFEASIBLE; they cost nothing. `divisor` is how
    many units are one of the file's (10 where its distances have one decimal).
    """

    routes: tuple[Route, ...]
    left_out: tuple[LeftOut, ...]
    status: Status
    objective: int
    bound: int
    seed: int
    divisor: int = 1
    field_form: bool = False

    def envelope(self) -> PlanEnvelope:
        solution: dict[str, Any] = {
            "routes": [
                {
                    "vehicle": route.vehicle,
                    "stops": route.stops,
                    "begins": route.begins,
                    "start": route.start,
                    "end": route.end,
                    "length": route.length,
                }
                for route in self.routes
            ],
            "left_out": [
                {"stop": left.stop, "code": left.code, "facts": left.facts} for left in self.left_out
            ],
            "units_per_one": self.divisor,
        }
        if self.field_form:
            solution["form"] = "vrplib"
        return PlanEnvelope(ENGINE, self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadProblem(name, "", "planning.cure.integer", lowest=0, highest=1 << 53)
        return cls(
            routes=tuple(_route(one) for one in fields.objects("routes")),
            left_out=tuple(_left_out(one) for one in fields.objects("left_out")),
            status=envelope.status,
            objective=int(envelope.objective or 0),
            bound=int(envelope.bound or 0),
            seed=envelope.seed,
            divisor=fields.integer("units_per_one", 1, 1000, 1),
            field_form=fields.text("form", "") == "vrplib",
        )


def _route(one: Fields) -> Route:
    stops = one.listed("stops")
    for number, stop in enumerate(stops):
        if not isinstance(stop, str):
            raise BadProblem(f"stops[{number}]", one.where, "planning.cure.text")
    begins = one.integers("begins")
    if len(begins) != len(stops):
        raise BadProblem("begins", one.where, "planning.cure.same_length", fields="stops, begins")
    return Route(
        vehicle=one.text("vehicle"),
        stops=tuple(stops),
        begins=tuple(begins.tolist()),
        start=one.integer("start"),
        end=one.integer("end"),
        length=one.integer("length"),
    )


def _left_out(one: Fields) -> LeftOut:
    return LeftOut(one.text("stop"), one.text("code"), dict(one.inner("facts").raw))


def solution_text(plan: Plan) -> str:
    """Return the plan in the form of the field: a line for each route, then the cost."""
    lines = [f"Route #{number}: {' '.join(route.stops)}" for number, route in enumerate(plan.routes, start=1)]
    cost, rest = divmod(plan.objective, plan.divisor)
    lines.append(f"Cost {cost}" if plan.divisor == 1 else f"Cost {cost}.{rest}")
    return "\n".join(lines) + "\n"


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file, and for a file of the field a `.sol` beside it; returns the files written."""
    write_text(path, plan.envelope().to_json())
    if not plan.field_form:
        return [path]
    beside = path.with_suffix(".sol") if path.suffix != ".sol" else path.with_name(f"{path.name}.sol")
    write_text(beside, solution_text(plan))
    return [path, beside]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))
