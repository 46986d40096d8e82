# SPDX-License-Identifier: Apache-2.0
"""Managers that refuse: no personal row is read before somebody said within which scope, or why across."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Count

from muster.places.models import Dwelling
from muster.register.models import DuplicatePair, Household, Need, Person
from muster.storage.scoping import Scope, ScopedManager, UnscopedQuery
from muster.storage.sealed import SealedField
from tests.support.world import World, make_world

pytestmark = pytest.mark.django_db
People = Any
READS: dict[str, Callable[[People], object]] = {
    "iterate": list,
    "first": lambda rows: rows.first(),
    "get": lambda rows: rows.get(birth_year=1),
    "count": lambda rows: rows.count(),
    "exists": lambda rows: rows.exists(),
    "aggregate": lambda rows: rows.aggregate(n=Count("id")),
    "iterator": lambda rows: list(rows.iterator()),
    "values": lambda rows: list(rows.values_list("id")),
    "in_bulk": lambda rows: rows.in_bulk(),
    "slice": lambda rows: rows[0],
    "bool": bool,
    "len": len,
    "update": lambda rows: rows.update(sex="F"),
    "delete": lambda rows: rows.delete(),
    "subquery": lambda rows: list(
        Household.objects.across(reason="verify").filter(dwelling__in=rows.values("dwelling"))
    ),
    "joined on the right": lambda rows: list(Person.objects.within(Scope(grids=frozenset({0}))) | rows),
    "joined on the left": lambda rows: list(rows | Person.objects.within(Scope(grids=frozenset({0})))),
    "cut with": lambda rows: list(rows & Person.objects.within(Scope(grids=frozenset({0})))),
    "union": lambda rows: list(Person.objects.within(Scope(grids=frozenset({0}))).union(rows)),
}


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


@pytest.mark.parametrize("read", READS)
def test_unscoped_read_is_refused(world: World, read: str) -> None:
    with pytest.raises(UnscopedQuery):
        READS[read](Person.objects.filter(lives_here=True))


@pytest.mark.parametrize("read", [name for name in READS if name not in {"get", "delete"}])
def test_scoped_read_is_answered(world: World, read: str) -> None:
    """Negative control: the same reads, said within a scope."""
    READS[read](Person.objects.within(Scope(everything=True)))


def test_grid_scope_sees_its_grid_only(world: World) -> None:
    mine = Person.objects.within(Scope(grids=frozenset({world.grids[0].id})))

    assert {p.grid for p in mine} == {world.grids[0].id}


def test_sub_district_scope_sees_its_grids(world: World) -> None:
    street = Person.objects.within(Scope(sub_districts=frozenset({world.streets[0].id})))

    assert {p.grid for p in street} == {world.grids[0].id, world.grids[1].id}


def test_empty_scope_sees_nobody(world: World) -> None:
    assert list(Person.objects.within(Scope())) == []
    assert not Scope().allows(sub_district=world.streets[0].id, grid=world.grids[0].id)


def test_across_needs_a_reason_of_the_list(world: World) -> None:
    with pytest.raises(ValueError, match="no reason"):
        Person.objects.across(reason="curiosity")


def test_every_register_of_people_has_the_refusing_manager() -> None:
    """A model with a sealed text and a grid is personal; the trail's facts have readers of their own."""
    personal = {
        model
        for model in apps.get_models()
        if model._meta.app_label in {"places", "register"}
        and any(isinstance(field, SealedField) for field in model._meta.get_fields())
        and any(field.name == "grid" for field in model._meta.get_fields())
    }

    assert personal >= {Dwelling, Person, Need}
    assert all(
        isinstance(model._default_manager, ScopedManager) for model in {*personal, Household, DuplicatePair}
    )
