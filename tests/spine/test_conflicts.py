# SPDX-License-Identifier: Apache-2.0
"""Two people correct one person: different fields merge, the same field shows both values to somebody."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

import pytest

from muster.accounts.models import Device
from muster.base.errors import Refusal
from muster.flows.conflicts import conflict_of, take_other
from muster.register.models import Person
from muster.register.services import phone_index
from muster.trail.incoming import Incoming
from muster.trail.models import Waiting
from tests.spine.test_any_order import rolled_back
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
PHONES = {0: "手机甲", 1: "手机乙"}


@pytest.fixture
def world() -> World:
    return make_world(doors=1, people=1)


def stands(world: World) -> Person:
    found: Person = Person.objects.across(reason="pull").get(id=world.persons[0].id)
    return found


def correction(world: World, field: str, was: str, now: str, *, worker: int, seq: int = 1) -> Incoming:
    """By one of two workers on their own phones."""
    device, _ = Device.objects.get_or_create(
        id=uuid.UUID(int=worker + 1), defaults={"kind": "FIELD", "name": PHONES[worker], "enrolled_at": NOON}
    )
    return world.fact(
        "person.changed", world.persons[0].id, worker=worker, device=device.id, seq=seq, minutes=worker,
        field=field, was=was, now=now, base=1,
    )  # fmt: skip


def said(world: World, *facts: Incoming) -> list[tuple[str, str]]:
    return [(ruling.verdict, ruling.code) for ruling in world.record(*facts)]


@pytest.mark.parametrize("together", [True, False])
def test_different_fields_merge(world: World, together: bool) -> None:
    before = stands(world)
    name = correction(world, "name", before.name or "", "演改名", worker=0)
    phone = correction(world, "phone", before.phone or "", "13900001111", worker=1)

    rulings = said(world, name, phone) if together else said(world, name) + said(world, phone)

    assert rulings == [("APPLIED", "")] * 2
    after = stands(world)
    assert (after.name, after.phone) == ("演改名", "13900001111")
    assert after.phone_index == phone_index("13900001111")
    assert (after.version, after.rev > before.rev) == (before.version + 2, True)


@pytest.mark.parametrize("together", [True, False])
def test_same_field_keeps_both_values_and_says_who_when_where(world: World, together: bool) -> None:
    old = stands(world).phone or ""
    one = correction(world, "phone", old, "13900001111", worker=0)
    other = correction(world, "phone", old, "13900002222", worker=1)

    rulings = said(world, one, other) if together else said(world, one) + said(world, other)

    assert rulings == [("APPLIED", ""), ("QUARANTINED", "field_conflict")]
    assert stands(world).phone == "13900001111"
    told = conflict_of(Waiting.objects.get())
    assert told["was"] == old
    values: dict[str, Any] = {key: told[key] for key in ("current", "other")}
    assert values["current"] == {
        "value": "13900001111", "who": "网格员0", "at": one.occurred_at, "where": "手机甲",
    }  # fmt: skip
    assert values["other"] == {
        "value": "13900002222", "who": "网格员1", "at": other.occurred_at, "where": "手机乙",
    }  # fmt: skip


def test_the_one_who_chooses_may_take_the_other_and_only_once(world: World) -> None:
    old = stands(world).phone or ""
    said(world, correction(world, "phone", old, "13900001111", worker=0))
    said(world, correction(world, "phone", old, "13900002222", worker=1))
    waiting = Waiting.objects.get()

    take_other(waiting, by=world.head.id, at=NOON)

    assert stands(world).phone == "13900002222"
    with pytest.raises(Refusal):
        take_other(waiting, by=world.head.id, at=NOON)
    # Whose word it now is can be told at the next conflict.
    said(world, correction(world, "phone", old, "13900003333", worker=0, seq=2))
    assert conflict_of(Waiting.objects.get(resolved_at__isnull=True))["current"]["who"] == "网格员1"


def test_saying_the_same_as_somebody_else_is_no_conflict(world: World) -> None:
    old = stands(world).phone or ""
    first = correction(world, "phone", old, "139 0000 1111", worker=0)
    second = correction(world, "phone", old, "13900001111", worker=1)

    assert said(world, first, second) == [("APPLIED", "")] * 2


def test_in_every_order_one_value_stands_and_no_other_is_lost() -> None:
    """Three corrections of one field, in all six orders: one applied, two kept in sight, none overwritten."""
    for order in itertools.permutations(range(3)):
        with rolled_back():
            world = make_world(doors=1, people=1)
            old = stands(world).phone or ""
            made = [
                correction(world, "phone", old, f"1390000{n}{n}{n}{n}", worker=n % 2, seq=n + 1)
                for n in range(3)
            ]
            rulings = said(world, *(made[n] for n in order))
            assert sorted(rulings) == [("APPLIED", ""), *[("QUARANTINED", "field_conflict")] * 2]
            assert stands(world).phone == f"1390000{order[0]}{order[0]}{order[0]}{order[0]}"
            assert Waiting.objects.count() == 2


def test_person_of_another_grid_is_out_of_scope(world: World) -> None:
    fact = correction(world, "phone", "", "13900001111", worker=0)
    fact.grids = frozenset({world.grids[1].id})

    assert said(world, fact) == [("QUARANTINED", "out_of_scope")]
    with pytest.raises(Refusal):
        conflict_of(Waiting.objects.get())
