# SPDX-License-Identifier: Apache-2.0
"""One table of who may do what (policy.toml), default deny.

An *operation* is what an endpoint or command does; a *row* says which roles may do it, in which relation to
the thing, and which set of fields they see.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from importlib import resources

from muster.base.errors import Refusal


@dataclass(frozen=True, slots=True)
class Row:
    roles: frozenset[str]
    relation: str
    fields: str


@lru_cache(maxsize=1)
def roles() -> dict[str, dict[str, str]]:
    return tomllib.loads((resources.files("muster.accounts") / "roles.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def table() -> dict[str, tuple[Row, ...]]:
    """operation -> rows; raises ValueError for a role, relation or field set that nobody knows."""
    raw = tomllib.loads((resources.files("muster.accounts") / "policy.toml").read_text(encoding="utf-8"))
    known = set(roles()) | {"*"}
    answer: dict[str, tuple[Row, ...]] = {}
    for group in raw.values():
        for operation, rows in group.items():
            parsed = tuple(Row(frozenset(row["roles"]), row["relation"], row["fields"]) for row in rows)
            for row in parsed:
                if not row.roles <= known or row.relation not in {"own", "none"}:
                    raise ValueError(f"policy.toml: {operation} names an unknown role or relation")
                if row.fields not in {"full", "masked", "counts"}:
                    raise ValueError(f"policy.toml: {operation} names an unknown field set")
            answer[operation] = parsed
    return answer


@dataclass(frozen=True, slots=True)
class RevealBudget:
    """fields: what counts. never_refused_for: purposes for which somebody over budget is only told of."""

    fields: frozenset[str]
    never_refused_for: frozenset[str]
    within: timedelta
    others: int
    roles: Mapping[str, int]

    def of(self, role: str) -> int:
        return self.roles.get(role, self.others)


@lru_cache(maxsize=1)
def reveal_budget() -> RevealBudget:
    """budgets.toml; raises ValueError for a role that nobody knows or a budget that is none."""
    text = (resources.files("muster.accounts") / "budgets.toml").read_text(encoding="utf-8")
    raw = tomllib.loads(text)["reveals"]
    unknown = set(raw["roles"]) - set(roles())
    if unknown or any(budget < 1 for budget in (*raw["roles"].values(), raw["others"], raw["within_hours"])):
        raise ValueError(f"budgets.toml: unknown roles {sorted(unknown)} or a budget below 1")
    return RevealBudget(
        frozenset(raw["fields"]),
        frozenset(raw["never_refused_for"]),
        timedelta(hours=raw["within_hours"]),
        raw["others"],
        raw["roles"],
    )


def row_for(operation: str, held_roles: Iterable[str]) -> Row:
    """The row that lets one of these roles do the operation.

    Raises:
        Refusal: "not_allowed" when no row names any of the roles, or the operation has no row at all.
    """
    held = set(held_roles)
    for row in table().get(operation, ()):
        if "*" in row.roles or row.roles & held:
            return row
    raise Refusal("not_allowed", operation=operation)
