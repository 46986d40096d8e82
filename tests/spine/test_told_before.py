# SPDX-License-Identifier: Apache-2.0
"""What was told before, by another phone or at the very moment: the state is that of the whole set of facts,
and finding it out is a look into an index, however long the history.
"""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from muster.base.ids import new_id
from muster.campaigns import facts as campaign_facts
from muster.campaigns.models import DoorEntry, LedgerEntry
from muster.flows import recording
from muster.sync.verify import verify_all
from muster.trail.queries import doors_visited_at, known_facts, units_merged
from tests.spine.test_fold import Phone, Rows, fold
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=2)


def tell_twice(world: World) -> None:
    """The same fact from two phones, then another one at the same door and moment; each in its own fold."""
    rows = Rows()
    first, second = Phone(world, rows), Phone(world, rows)
    fact = first.outcome(world.persons[0], "no_answer")
    neighbour = second.outcome(world.persons[1], "no_answer")
    for phone, told in ((first, fact), (second, {**fact, "seq": 7}), (second, neighbour)):
        phone.post(told)
        fold(rows)


def test_the_same_fact_from_two_phones_is_one_fact_and_one_visit(world: World) -> None:
    tell_twice(world)

    entry = LedgerEntry.objects.get(subject=world.persons[0].id)
    assert (entry.attempts, entry.facts) == (1, 1)
    assert DoorEntry.objects.get(subject=entry.origin_dwelling).attempts == 1
    assert verify_all() == []


@pytest.mark.parametrize("blind", ["ids", "moments"])
def test_a_house_that_does_not_look_counts_them_twice(
    world: World, monkeypatch: pytest.MonkeyPatch, blind: str
) -> None:
    """Negative control: verify sees it."""
    if blind == "ids":
        monkeypatch.setattr(recording, "known_facts", lambda facts: [])
    else:
        monkeypatch.setattr(campaign_facts, "doors_visited_at", lambda *told, **more: set())

    tell_twice(world)

    assert verify_all() != []


def test_looking_costs_an_index_look_for_each(world: World) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("its planner goes by the size of the table")
    asked: list[tuple[str, Any]] = []

    def listen(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        known_facts([world.outcome(world.persons[0], "done")])
        doors_visited_at(world.round.id, visits={(new_id(), NOON)})
        units_merged(world.round.id, units={new_id()})

    plans = []
    with connection.cursor() as cursor:
        for sql, params in asked:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
            plans.append(" ".join(str(row[3]) for row in cursor.fetchall()))
    indexes = ("id=?", "device=? AND seq=?", "fact_at_door (round=? AND door=? AND occurred_at=?)")
    for plan, index in zip(plans, (*indexes, "fact_of_merging"), strict=True):
        assert index in plan
        assert "SCAN trail_fact" not in plan
