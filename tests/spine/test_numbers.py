# SPDX-License-Identifier: Apache-2.0
"""Each device numbers its facts: a number that never came is seen, alarmed, and forgotten when it comes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from muster.accounts.models import Device
from muster.situation.inbox import inbox_items
from muster.storage.scoping import Scope
from muster.sync import contact
from muster.trail.models import NumberWatch
from muster.trail.queries import OVERTAKEN, missing_ranges, numbers_missing
from tests.spine.test_fold import Phone, Rows, fold
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
EVERYWHERE = Scope(everything=True)


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def phone(world: World, rows: Rows) -> Phone:
    return Phone(world, rows)


def watch() -> tuple[int, int, int]:
    row = NumberWatch.objects.get()
    return row.whole_upto, row.highest, row.missing


def test_numbers_in_any_order_leave_no_gap(world: World, rows: Rows, phone: Phone) -> None:
    facts = [phone.outcome(world.persons[0]) for _ in range(6)]
    phone.post(*facts[3:])
    phone.post(*facts[:3])
    phone.post(*facts)

    fold(rows)

    assert watch() == (6, 6, 0)
    assert numbers_missing(at=NOON + timedelta(days=1)) == []
    device = Device.objects.get(id=phone.client.device)
    assert (device.facts_seen, device.last_seq) == (6, 6)  # told twice, seen once


def test_a_gap_is_seen_alarmed_after_a_while_and_closed_by_what_was_missing(
    world: World, rows: Rows, phone: Phone
) -> None:
    facts = [phone.outcome(world.persons[0]) for _ in range(8)]
    phone.post(*facts[:2], *facts[3:5], *facts[7:])
    fold(rows)
    noticed = NOON + timedelta(minutes=2)

    assert watch() == (2, 8, 3)
    assert missing_ranges(NumberWatch.objects.get().device) == [(3, 3), (6, 7)]
    assert numbers_missing(at=noticed + OVERTAKEN / 2) == []
    (item,) = [i for i in inbox_items(EVERYWHERE, at=noticed + OVERTAKEN) if i["kind"] == "numbers_missing"]
    assert (item["count"], item["facts"]["devices"], item["since"]) == (3, 1, noticed)
    nowhere = inbox_items(Scope(), at=noticed + OVERTAKEN)
    assert [i for i in nowhere if i["kind"] == "numbers_missing"] == []

    phone.post(facts[2], *facts[5:7], at=noticed + timedelta(hours=1))
    fold(rows)

    assert watch() == (8, 8, 0)
    assert numbers_missing(at=noticed + timedelta(days=1)) == []


def test_duplicates_do_not_fill_a_gap(world: World, rows: Rows, phone: Phone) -> None:
    first, _, third = (phone.outcome(world.persons[0]) for _ in range(3))
    for _ in range(3):
        phone.post(first, third)

    fold(rows)

    assert watch() == (1, 3, 1)


def test_a_long_series_is_counted_in_steps(
    world: World, rows: Rows, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact, "_AT_ONCE", 3)
    facts = [phone.outcome(world.persons[0]) for _ in range(11)]
    phone.post(*facts[:7], *facts[8:])

    fold(rows)

    assert watch() == (7, 11, 1)


def test_counting_facts_instead_of_numbers_would_be_found_out(world: World, rows: Rows, phone: Phone) -> None:
    """Negative control: highest number minus facts told, as a careless count has it, hides the gap."""
    first, _, third = (phone.outcome(world.persons[0]) for _ in range(3))
    phone.post(first, third)
    phone.post(first, third)

    told = sum(len(batch) for batch in ([first, third], [first, third]))
    fold(rows)

    assert max(0, 3 - told) == 0
    assert watch()[2] == 1
