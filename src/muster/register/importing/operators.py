# SPDX-License-Identifier: Apache-2.0
"""Operator: who brings a list in or takes one out, where, and what he may see of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import datetime

from muster.accounts.models import Grant, User
from muster.accounts.policy import Row, row_for
from muster.accounts.queries import grants_in_force
from muster.places.models import Grid
from muster.places.queries import small_grids_below
from muster.register.importing.finding import Reach

IMPORT, EXPORT = "register.import", "register.export"


@dataclass(frozen=True)
class Operator:
    """role: the one that lets him. full: sees names and numbers whole."""

    id: uuid.UUID
    name: str
    role: str
    reach: Reach = field(default_factory=Reach)
    full: bool = True
    language: str = "zh"

    def may_see(self, paths: list[str], grids: list[int]) -> bool:
        """Whether a list that was brought in with this reach lies within his own."""
        inside = all(self.reach.covers(path) for path in paths)
        return (
            inside
            and all("/" in self.reach.paths or grid in self.reach.grids for grid in grids)
            and bool(paths or grids)
        )


def operator_by_policy(user: User, operation: str, *, at: datetime, language: str = "") -> Operator:
    """What the policy lets this user do with lists now. Raises Refusal("not_allowed")."""
    grants = grants_in_force(user, at=at)
    row = row_for(operation, {grant.role for grant in grants})
    chosen = [grant for grant in grants if grant.role in row.roles]
    return Operator(
        user.id,
        user.get_full_name(),
        chosen[0].role,
        _reach(chosen),
        _sees_full(row),
        language or user.language,
    )


def console_operator(user: User, *, language: str) -> Operator:
    """Whoever holds the machine holds its keys: the console reaches everything, and is named in the trail."""
    return Operator(user.id, user.get_full_name(), "console", Reach(), full=True, language=language)


def _reach(grants: list[Grant]) -> Reach:
    paths = {grant.area_path for grant in grants if grant.area_path}
    grids: set[int] = set()
    for grid in Grid.objects.filter(id__in=[grant.grid for grant in grants if grant.grid is not None]):
        grids |= set(small_grids_below(grid))
    return Reach(tuple(sorted(paths)), frozenset(grids))


def _sees_full(row: Row) -> bool:
    return row.fields == "full"
