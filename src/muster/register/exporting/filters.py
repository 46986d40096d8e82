# SPDX-License-Identifier: Apache-2.0
"""Filters: what a screen shows, so that what is taken out is what was seen."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
from django.db.models import Q

from muster.base.errors import Refusal
from muster.places.models import Area, Grid
from muster.places.queries import scope_of, small_grids_below
from muster.register.importing.operators import Operator
from muster.register.models import Need
from muster.register.search import find_persons

_MOST_FOUND = 100_000


class Filters(msgspec.Struct, frozen=True):
    """The filters of the register's screens; blank ones do not narrow."""

    area: int | None = None
    grid: int | None = None
    building: uuid.UUID | None = None
    q: str = ""
    need: str = ""


def place_condition(
    filters: Filters, operator: Operator, *, area_path: str, grid: str, building: str = ""
) -> Q:
    """The rows of the operator's reach that the filters of place let through. Raises Refusal("not_found")."""
    condition = operator.reach.condition(area_path, grid)
    if filters.area is not None:
        area = Area.objects.filter(id=filters.area).first()
        if area is None:
            raise Refusal("not_found")
        condition &= Q(**{f"{area_path}__startswith": area.path})
    if filters.grid is not None:
        known = Grid.objects.filter(id=filters.grid).first()
        if known is None:
            raise Refusal("not_found")
        condition &= Q(**{f"{grid}__in": small_grids_below(known)})
    if filters.building is not None and building:
        condition &= Q(**{building: filters.building})
    return condition


def person_condition(filters: Filters, operator: Operator) -> Q:
    """Persons behind these doors, by name or number, with a need."""
    condition = place_condition(
        filters,
        operator,
        area_path="dwelling__building__area__path",
        grid="grid",
        building="dwelling__building",
    )
    if filters.q.strip():
        scope = scope_of(operator.reach.paths, operator.reach.grids)
        condition &= Q(id__in=find_persons(filters.q, scope=scope, grid=filters.grid, limit=_MOST_FOUND))
    if filters.need:
        with_need: Any = Need.objects.across(reason="export").filter(kind=filters.need, ended_at__isnull=True)
        condition &= Q(id__in=with_need.values("person_id"))
    return condition
