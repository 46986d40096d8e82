# SPDX-License-Identifier: Apache-2.0
"""A matching: each responder's grid and skill, and the prices of the posts that prove how good it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem, PlanEnvelope, Status
from muster.planning.matching.problem import Problem

ENGINE = "matching"


@dataclass(frozen=True, slots=True, eq=False)
class Prices:
    """The price of each post, in metres times `scale`: the certificate of the bound.

    Nobody's walk plus a post's price can be cheaper than what the bound counts for that person; so the
    bound holds whatever the plan, and anybody can recompute it over all pairs.
    """

    scale: int
    price: Longs


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """`grid_of` and `skill_of` are by responder (-1: in reserve); `names` are the problem's own."""

    responders: tuple[str, ...]
    grids: tuple[str, ...]
    skills: tuple[str, ...]
    grid_of: Ints
    skill_of: Ints
    post_grid: Ints
    post_skill: Ints
    prices: Prices
    objective: int
    bound: int
    seed: int

    @property
    def status(self) -> Status:
        return Status.OPTIMAL if self.objective <= self.bound else Status.FEASIBLE

    def envelope(self) -> PlanEnvelope:
        solution = {
            "responders": self.responders,
            "grid_of": _named(self.grid_of, self.grids),
            "skill_of": _named(self.skill_of, self.skills),
            "prices": {
                "scale": self.prices.scale,
                "grid": _named(self.post_grid, self.grids),
                "skill": _named(self.post_skill, self.skills),
                "price": self.prices.price,
            },
        }
        return PlanEnvelope(ENGINE, self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        names = fields.texts("responders", blank=False)
        grid_names = fields.texts("grid_of", blank=False, empty=True)
        skill_names = fields.texts("skill_of", blank=False, empty=True)
        prices = fields.inner("prices")
        post_grid, post_skill = prices.texts("grid", blank=False), prices.texts("skill", blank=False)
        price = prices.integers("price", -(1 << 53), 1 << 53)
        _require_length(fields, "responders, grid_of, skill_of", names, grid_names, skill_names)
        _require_length(prices, "grid, skill, price", post_grid, post_skill, price)
        grids = tuple(sorted({name for name in (*grid_names, *post_grid) if name}))
        skills = tuple(sorted({name for name in (*skill_names, *post_skill) if name}))
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if isinstance(value, bool) or not isinstance(value, int):
                raise BadProblem(name, "", "planning.cure.integer", lowest=-(1 << 53), highest=1 << 53)
        return cls(
            responders=tuple(str(name) for name in names),
            grids=grids,
            skills=skills,
            grid_of=_numbered(grid_names, grids),
            skill_of=_numbered(skill_names, skills),
            post_grid=_numbered(post_grid, grids),
            post_skill=_numbered(post_skill, skills),
            prices=Prices(prices.integer("scale", 1), price),
            objective=int(envelope.objective or 0),
            bound=int(envelope.bound or 0),
            seed=envelope.seed,
        )


def aligned(plan: Plan, problem: Problem) -> tuple[Ints, Ints]:
    """Return the grid and skill of each responder of the problem, -1 where the plan has none known."""
    if (
        plan.responders == problem.responders
        and plan.grids == problem.grids
        and plan.skills == problem.skills
    ):
        return plan.grid_of, plan.skill_of
    grid_at = _translation(plan.grids, problem.grids)
    skill_at = _translation(plan.skills, problem.skills)
    number_of = {name: number for number, name in enumerate(plan.responders)}
    rows = np.asarray([number_of.get(name, -1) for name in problem.responders], np.int64)
    known = rows >= 0
    grid_of, skill_of = np.full(problem.size, -1, np.int32), np.full(problem.size, -1, np.int32)
    grid_of[known] = grid_at[plan.grid_of[rows[known]]]
    skill_of[known] = skill_at[plan.skill_of[rows[known]]]
    return grid_of, skill_of


def aligned_prices(plan: Plan, problem: Problem) -> tuple[Longs, Longs]:
    """Return, for each post of the problem, its number in the plan (-1: new) and its price there (or 0)."""
    grid_at = {name: number for number, name in enumerate(plan.grids)}
    skill_at = {name: number for number, name in enumerate(plan.skills)}
    pairs = zip(plan.post_grid.tolist(), plan.post_skill.tolist(), strict=True)
    number_of = {pair: number for number, pair in enumerate(pairs)}
    posts = zip(problem.posts.grid.tolist(), problem.posts.skill.tolist(), strict=True)
    found = np.asarray(
        [
            number_of.get((grid_at.get(problem.grids[g], -1), skill_at.get(problem.skills[s], -1)), -1)
            for g, s in posts
        ],
        np.int64,
    )
    price = np.zeros(len(found), np.int64)
    price[found >= 0] = plan.prices.price[found[found >= 0]]
    return found, price


def _translation(old: tuple[str, ...], new: tuple[str, ...]) -> Ints:
    """Return old number -> new number, with a last entry so that -1 stays -1."""
    number_of = {name: number for number, name in enumerate(new)}
    return np.asarray([*(number_of.get(name, -1) for name in old), -1], np.int32)


def _named(numbers: Ints, names: tuple[str, ...]) -> list[str | None]:
    return [names[number] if number >= 0 else None for number in numbers.tolist()]


def _numbered(names: list[Any], known: tuple[str, ...]) -> Ints:
    number_of = {name: number for number, name in enumerate(known)}
    return np.asarray([number_of[name] if name else -1 for name in names], np.int32)


def _require_length(fields: Fields, names: str, *columns: Any) -> None:
    if len({len(column) for column in columns}) > 1:
        raise BadProblem(
            names.split(",", maxsplit=1)[0], fields.where, "planning.cure.same_length", fields=names
        )


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file; returns the files written."""
    write_text(path, plan.envelope().to_json())
    return [path]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))
