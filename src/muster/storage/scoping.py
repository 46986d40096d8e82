# SPDX-License-Identifier: Apache-2.0
"""Managers that refuse: personal rows are read within a Scope, or across scopes for a named reason, or not at
all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from django.db import models

REASONS = frozenset(
    {
        "fold",
        "freeze",
        "import",
        "verify",
        "regrid",
        "export",
        "sunset",
        "pull",
        "load",
        "duplicates",
        "count",
        "own",
        "dispatch",
        "placement",
        "reinforcement",
        "requests",
        "offers",
        "site",
        "messages",
        "sheets",
        "trips",
    }
)


class UnscopedQuery(RuntimeError):  # noqa: N818 -- says what was asked for
    """Somebody asked for personal rows without saying within which scope."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see: everything, or whole sub-districts, or single grids (surrogate ids)."""

    everything: bool = False
    sub_districts: frozenset[int] = frozenset()
    grids: frozenset[int] = frozenset()

    @property
    def is_empty(self) -> bool:
        return not (self.everything or self.sub_districts or self.grids)

    def allows(self, *, sub_district: int | None, grid: int | None) -> bool:
        return self.everything or sub_district in self.sub_districts or grid in self.grids

    def condition(self) -> models.Q:
        if self.everything:
            return models.Q()
        if self.is_empty:
            return models.Q(pk__in=[])
        return models.Q(sub_district__in=self.sub_districts) | models.Q(grid__in=self.grids)


class ScopedQuerySet(models.QuerySet[Any]):
    """Refuses to be evaluated until within() or across() was called."""

    _scope_said = False

    def within(self, scope: Scope) -> Self:
        chosen = self.filter(scope.condition())
        chosen._scope_said = True
        return chosen

    def across(self, *, reason: str) -> Self:
        if reason not in REASONS:
            raise ValueError(
                f"{reason!r} is no reason to read across scopes; add it to storage.scoping.REASONS"
            )
        chosen = self._chain()  # type: ignore[attr-defined]
        chosen._scope_said = True
        return chosen  # type: ignore[no-any-return]

    def _clone(self) -> Self:
        clone = super()._clone()  # type: ignore[misc]
        clone._scope_said = self._scope_said
        return clone  # type: ignore[no-any-return]

    def _demand_scope(self) -> None:
        if not self._scope_said:
            raise UnscopedQuery(f"{self.model.__name__}: say within(scope) or across(reason=…)")

    def _fetch_all(self) -> None:
        self._demand_scope()
        super()._fetch_all()

    def count(self) -> int:
        self._demand_scope()
        return super().count()

    def exists(self) -> bool:
        self._demand_scope()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._demand_scope()
        return super().aggregate(*args, **kwargs)

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().iterator(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._demand_scope()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._demand_scope()
        return super().delete()

    def _merge_sanity_check(self, other: Any) -> None:
        # Django asks this before it joins two querysets with | or &: neither may smuggle the other out.
        self._demand_scope()
        other._demand_scope()
        super()._merge_sanity_check(other)  # type: ignore[misc]

    def _combinator_query(self, combinator: str, *others: Any, **kwargs: Any) -> Self:
        for one in (self, *others):
            one._demand_scope()
        return super()._combinator_query(combinator, *others, **kwargs)  # type: ignore[misc,no-any-return]

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        self._demand_scope()
        return super().resolve_expression(*args, **kwargs)


ScopedManager = models.Manager.from_queryset(ScopedQuerySet)
