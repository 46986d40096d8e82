# SPDX-License-Identifier: Apache-2.0
"""Reads of the register, always within a scope or for a named reason."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection

from muster.register.models import Household, Need, Person


def persons_with_ids(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Person]:
    if not ids:
        return {}
    return {p.id: p for p in Person.objects.across(reason="fold").filter(id__in=ids)}


def households_with_ids(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Household]:
    if not ids:
        return {}
    return {h.id: h for h in Household.objects.across(reason="fold").filter(id__in=ids)}


def roster_persons(grid: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """(person, dwelling) of everybody who lives in a grid by the list."""
    rows = Person.objects.across(reason="freeze").filter(grid=grid, lives_here=True, left_at__isnull=True)
    return list(rows.values_list("id", "dwelling_id"))


def roster_households(grid: int) -> list[tuple[uuid.UUID, uuid.UUID]]:
    rows = Household.objects.across(reason="freeze").filter(grid=grid, left_at__isnull=True)
    return list(rows.values_list("id", "dwelling_id"))


def open_needs(persons: Collection[uuid.UUID], *, reason: str = "pull") -> dict[uuid.UUID, list[str]]:
    """person -> kinds of the needs that are open."""
    needs: dict[uuid.UUID, list[str]] = defaultdict(list)
    if persons:
        rows = Need.objects.across(reason=reason).filter(person_id__in=persons, ended_at__isnull=True)
        for person, kind in rows.values_list("person_id", "kind").order_by("kind"):
            needs[person].append(kind)
    return needs
