# SPDX-License-Identifier: Apache-2.0
"""The shape that every planning engine shares: plan envelope, progress, violation, reason, bad problem.

An engine is a pure function (problem, seed) -> plan. What it says to people is a message code with
facts, never a sentence in one language; the texts stand in the `messages.toml` beside the engine.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, Self, TypeAlias

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
Number: TypeAlias = int | float
Facts: TypeAlias = Mapping[str, Json]


class Status(StrEnum):
    """What is known about a plan: proved best, good and lawful, or no lawful plan was found."""

    OPTIMAL = "OPTIMAL"
    FEASIBLE = "FEASIBLE"
    INFEASIBLE = "INFEASIBLE"


class Cancelled(Exception):  # noqa: N818  # it is an answer to a person's wish, not an error
    """The person who asked for the plan called it off; nothing was changed."""


class BadProblem(ValueError):  # noqa: N818  # the contract's name, read by the command line
    """A problem that cannot be planned as it stands: which field, where, and what would cure it.

    `cure` is a message code (`planning.cure.positive_integer`), `facts` fill its text.
    """

    def __init__(self, field: str, where: str, cure: str, **facts: Any) -> None:
        self.field = field
        self.where = where
        self.cure = cure
        self.facts = facts
        super().__init__(field, where, cure)

    def __str__(self) -> str:
        from muster.planning._kernel.words import say

        return self.in_words(say(self.cure, self.facts, language="en"))

    def in_words(self, cure_text: str) -> str:
        place = ", ".join(part for part in (self.where, self.field) if part)
        return f"{place}: {cure_text}" if place else cure_text


class OutOfTime(BadProblem):
    """The seconds ended before there was any lawful plan, and nobody has proved that there is none."""

    def __init__(self, cure: str, *, seconds: float, **facts: Any) -> None:
        super().__init__("seconds", "", cure, seconds=round(seconds, 2), **facts)


@dataclass(frozen=True, slots=True)
class Violation:
    """One hard rule that a plan breaks: the rule's name, where, and the figures that show it."""

    rule: str
    where: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the plan is as it is, as a message code and its facts."""

    code: str
    facts: Facts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """How far an engine has come; `objective` and `bound` are the best known so far, if any."""

    stage: str
    done: int
    total: int
    objective: Number | None = None
    bound: Number | None = None


class Progress(Protocol):
    """Called now and then with a Step; returning False (or raising Cancelled) ends the work."""

    def __call__(self, step: Step, /) -> bool | None: ...


def report(progress: Progress | None, step: Step) -> None:
    """Tell `progress` about the step; raises Cancelled when the answer is False."""
    if progress is not None and progress(step) is False:
        raise Cancelled(step.stage)


@dataclass(frozen=True, slots=True)
class PlanEnvelope:
    """A plan as it is written to a file: figures that all engines have, and the engine's own solution.

    `objective` and `bound` are None when no plan or no bound is known. `gap` is
    |objective - bound| / max(1, |objective|), rounded to six decimals.
    """

    engine: str
    status: Status
    objective: Number | None
    bound: Number | None
    seed: int
    solution: Mapping[str, Any]
    gap: Number | None = None

    def __post_init__(self) -> None:
        if self.gap is None:
            object.__setattr__(self, "gap", relative_gap(self.objective, self.bound))

    def to_json(self) -> str:
        """Return canonical JSON: the same plan is always the same bytes."""
        return canonical_json(
            {
                "engine": self.engine,
                "status": str(self.status),
                "objective": self.objective,
                "bound": self.bound,
                "gap": self.gap,
                "seed": self.seed,
                "solution": self.solution,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read an envelope; raises BadProblem when it is not one."""
        try:
            raw = json.loads(text)
        except ValueError as error:
            raise BadProblem("", "", "planning.cure.valid_json", detail=str(error)) from error
        if not isinstance(raw, dict):
            raise BadProblem("", "", "planning.cure.object")
        for name in ("engine", "status", "objective", "bound", "gap", "seed", "solution"):
            if name not in raw:
                raise BadProblem(name, "", "planning.cure.present")
        if raw["status"] not in set(Status):
            raise BadProblem("status", "", "planning.cure.one_of", allowed=", ".join(Status))
        if not isinstance(raw["solution"], dict):
            raise BadProblem("solution", "", "planning.cure.object")
        return cls(
            engine=raw["engine"],
            status=Status(raw["status"]),
            objective=raw["objective"],
            bound=raw["bound"],
            gap=raw["gap"],
            seed=raw["seed"],
            solution=raw["solution"],
        )


class Plan(Protocol):
    """What `solve` returns: the engine's own frozen dataclass, which can stand in an envelope."""

    def envelope(self) -> PlanEnvelope: ...


class Engine(Protocol):
    """What the package `muster.planning.<engine>` exports, beside its own `Problem` and `Plan`."""

    def solve(
        self,
        problem: Any,
        *,
        budget_s: float,
        seed: int,
        executor: Executor | None = None,
        progress: Progress | None = None,
    ) -> Plan: ...
    def check(self, problem: Any, plan: Any) -> list[Violation]: ...
    def bound(self, problem: Any) -> Number: ...
    def explain(self, problem: Any, plan: Any) -> Sequence[Reason]: ...
    def read_problem(self, path: Path) -> Any: ...
    def write_plan(self, plan: Any, path: Path) -> list[Path]: ...
    def read_plan(self, path: Path) -> Plan: ...
    def schema(self) -> dict[str, Any]: ...


def relative_gap(objective: Number | None, bound: Number | None) -> Number | None:
    """Return |objective - bound| / max(1, |objective|) to six decimals; a whole number stays an int."""
    if objective is None or bound is None:
        return None
    gap = round(abs(objective - bound) / max(1, abs(objective)), 6)
    return int(gap) if gap == int(gap) else gap


def canonical_json(value: Any) -> str:
    """Return `value` as JSON with sorted keys, no spaces, ints where ints do, and a final newline.

    numpy arrays and scalars are taken as lists and numbers; NaN and infinity are refused.
    """
    plain = _plain(value)
    return (
        json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"
    )


def _plain(value: Any) -> Json:
    if value is None or isinstance(value, bool | str | int):
        # StrEnum and IntEnum are str and int too; json writes their value
        return value
    if isinstance(value, float):
        return int(value) if math.isfinite(value) and value.is_integer() else value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):  # numpy, without importing it
        return _plain(value.tolist())
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in a plan file")
