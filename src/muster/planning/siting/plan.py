# SPDX-License-Identifier: Apache-2.0
"""A siting plan: which candidates open, where each point goes, who is left without a site and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Longs
from muster.planning._kernel.files import read_envelope, write_text
from muster.planning._kernel.reading import Fields, whole_number
from muster.planning.contract import BadProblem, Number, PlanEnvelope, Status

ENGINE = "siting"
PROOFS = ("prices", "search")
# Why a point has no site: no candidate within its walk, none open when it can come, none of those opens now,
# no room, or (where leaving people out has a price) going there would cost more.
REASONS = ("too_far", "closed_hours", "no_site", "no_room", "too_dear")


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """By point: the site it goes to, None where `unserved` says why not.

    `shares` are (point, site, people) of points that go to several sites; `site_of` is then the largest.
    `prices` prove the bound when `proof` is "prices": what each point would pay at most, in units of
    1 / `price_scale`. A proof by "search" cannot be looked over again.
    """

    opened: tuple[str, ...]
    points: tuple[str, ...]
    site_of: tuple[str | None, ...]
    shares: tuple[tuple[str, str, int], ...]
    unserved: tuple[tuple[str, str], ...]
    prices: Longs
    price_scale: int
    proof: str
    status: Status
    objective: Number
    bound: Number | None
    seed: int

    def envelope(self) -> PlanEnvelope:
        solution: dict[str, Any] = {
            "open": self.opened,
            "points": self.points,
            "site_of": self.site_of,
            "unserved": [list(entry) for entry in self.unserved],
            "proof": self.proof,
        }
        if self.shares:
            solution["shares"] = [list(share) for share in self.shares]
        if len(self.prices):
            solution |= {"prices": self.prices, "price_scale": self.price_scale}
        return PlanEnvelope(ENGINE, self.status, self.objective, self.bound, self.seed, solution)

    @classmethod
    def from_envelope(cls, envelope: PlanEnvelope) -> Plan:
        """Read the engine's part of an envelope; raises BadProblem."""
        fields = Fields(envelope.solution, "solution")
        points, site_of = tuple(fields.texts("points")), fields.listed("site_of")
        if len(points) != len(site_of):
            raise BadProblem("site_of", fields.where, "planning.cure.same_length", fields="points, site_of")
        for number, name in enumerate(site_of):
            if name is not None and not isinstance(name, str):
                raise BadProblem(f"site_of[{number}]", fields.where, "planning.cure.text")
        scale = fields.integer("price_scale", 1, 1 << 20, 1)
        prices = fields.integers("prices", -(1 << 62), 1 << 62) if fields.has("prices") else np.zeros(0)
        for name, value in (("objective", envelope.objective), ("bound", envelope.bound)):
            if isinstance(value, bool) or not isinstance(value, int | float | None):
                raise BadProblem(name, "", "planning.cure.number", lowest=0, highest=1 << 53)
        if envelope.objective is None:
            raise BadProblem("objective", "", "planning.cure.present")
        return cls(
            opened=tuple(fields.texts("open")),
            points=points,
            site_of=tuple(site_of),
            shares=_shares(fields),
            unserved=_unserved(fields),
            prices=prices.astype(np.int64),
            price_scale=scale,
            proof=fields.chosen("proof", PROOFS, PROOFS[0]),
            status=envelope.status,
            objective=envelope.objective,
            bound=envelope.bound,
            seed=envelope.seed,
        )


def _unserved(fields: Fields) -> tuple[tuple[str, str], ...]:
    entries = []
    for number, entry in enumerate(fields.listed("unserved")):
        where = f"unserved[{number}]"
        if not (isinstance(entry, list) and [type(part) for part in entry] == [str, str]):
            raise BadProblem(where, fields.where, "planning.cure.text")
        if entry[1] not in REASONS:
            raise BadProblem(where, fields.where, "planning.cure.one_of", allowed=", ".join(REASONS))
        entries.append((entry[0], entry[1]))
    return tuple(entries)


def _shares(fields: Fields) -> tuple[tuple[str, str, int], ...]:
    if not fields.has("shares"):
        return ()
    shares = []
    for number, share in enumerate(fields.listed("shares")):
        where = f"shares[{number}]"
        if not (isinstance(share, list) and [type(part) for part in share[:2]] == [str, str]):
            raise BadProblem(where, fields.where, "planning.cure.text")
        people = share[2] if len(share) == 3 else None
        shares.append((share[0], share[1], whole_number(people, where, fields.where, 1, 1 << 53)))
    return tuple(shares)


def write_plan(plan: Plan, path: Path) -> list[Path]:
    """Write the plan file; returns the files written."""
    write_text(path, plan.envelope().to_json())
    return [path]


def read_plan(path: Path) -> Plan:
    """Read a plan file of this engine; raises BadProblem."""
    return Plan.from_envelope(read_envelope(path, engine=ENGINE))
