# SPDX-License-Identifier: Apache-2.0
"""Extending a state by new facts gives what settling the whole set gives, wherever it gives an answer."""

import json
import random
import uuid
from datetime import timedelta

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from muster.campaigns import extending
from muster.campaigns.extending import extend_door, extend_entry
from muster.campaigns.models import DoorEntry, LedgerEntry
from muster.campaigns.rules import SeenFact, outcome_rules, settle_door, settle_entry
from muster.storage.plain_reads import array_text, equal, read_rows
from muster.trail.fact_rows import COLUMNS
from muster.trail.models import Fact
from tests.support.world import KIND, NOON, make_world

RULES = outcome_rules(KIND)
HOME = uuid.UUID(int=1)
WORKERS = [uuid.UUID(int=n) for n in (11, 12)]
VALUES = {
    "entry.outcome": [*RULES, "gone"], "contact.tried": ["reached", "not_reached"], "note.written": [""],
    "door.state": ["SEEN", "VACANT", "NO_ANSWER", "REFUSED"], "person.moved": [""], "fact.undone": [""],
}  # fmt: skip


def a_story(dice: random.Random) -> list[SeenFact]:
    facts: list[SeenFact] = []
    for n in range(dice.randint(1, 9)):
        kind = dice.choice(["entry.outcome"] * 5 + list(VALUES))
        ref = dice.choice(facts).id if kind == "fact.undone" and facts else None
        at = NOON + timedelta(minutes=dice.randint(0, 4))
        facts.append(
            SeenFact(uuid.UUID(int=100 + dice.randint(0, 40) * 20 + n), kind, dice.choice(VALUES[kind]),
                     dice.choice(WORKERS), at, ref, HOME, dice.random() < 0.1)
        )  # fmt: skip
    return facts


def split(seed: int) -> tuple[list[SeenFact], list[SeenFact]]:
    """What is kept, and what is new: nothing of it may have been told before."""
    dice = random.Random(seed)
    facts = a_story(dice)
    dice.shuffle(facts)
    cut = dice.randint(0, len(facts) - 1)
    kept, new = facts[:cut], facts[cut:]
    # An undo counts only once its fact does: none that is kept can speak of one that is new.
    ids = {fact.id for fact in kept}
    return [f for f in kept if f.kind != "fact.undone" or f.ref in ids], new


@given(seed=st.integers(0, 2**32))
def test_extended_entry_is_the_settled_one(seed: int) -> None:
    kept, new = split(seed)
    origin = "FROZEN" if seed % 5 else "ADDED"

    def settled(facts: list[SeenFact]):  # type: ignore[no-untyped-def]
        return settle_entry(RULES, origin=origin, origin_dwelling=HOME, facts=facts)

    state = extend_entry(RULES, settled(kept), origin=origin, facts=new)

    assert state is None or state == settled(kept + new)


@given(seed=st.integers(0, 2**32))
def test_extended_door_is_the_settled_one(seed: int) -> None:
    kept, new = split(seed)
    new = [f for f in new if f.occurred_at not in {k.occurred_at for k in kept}]

    found = extend_door(RULES, settle_door(RULES, kept), new)

    assert found is None or found == settle_door(RULES, kept + new)


def test_nearly_every_plain_visit_is_answered() -> None:
    """An answer that never comes would be right, too, and of no use."""
    before = settle_entry(RULES, origin="FROZEN", origin_dwelling=HOME, facts=[])
    visits = [
        SeenFact(uuid.UUID(int=n), "entry.outcome", "done", WORKERS[0], NOON, None, HOME) for n in (1, 2, 3)
    ]

    assert extend_entry(RULES, before, origin="FROZEN", facts=visits) is not None
    assert extend_door(RULES, settle_door(RULES, []), visits) is not None


def test_an_undo_taken_for_a_visit_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: if undos were thought to add, the states would differ for some of the stories."""
    monkeypatch.setattr(extending, "ADDING", extending.ADDING | {"fact.undone", "person.moved"})
    wrong = 0
    for seed in range(300):
        kept, new = split(seed)
        before = settle_entry(RULES, origin="FROZEN", origin_dwelling=HOME, facts=kept)
        whole = settle_entry(RULES, origin="FROZEN", origin_dwelling=HOME, facts=kept + new)
        wrong += extend_entry(RULES, before, origin="FROZEN", facts=new) not in (None, whole)

    assert wrong > 10


@pytest.mark.django_db
def test_rows_read_plainly_are_those_of_the_orm() -> None:
    world = make_world(doors=1, people=1)
    world.record(world.outcome(world.persons[0], "done"))

    for model in (LedgerEntry, DoorEntry):
        names = [f.attname for f in model._meta.concrete_fields]
        told = sorted(
            ([getattr(row, n) for n in names] for row in read_rows(model, equal("round", world.round.id))),
            key=str,
        )
        assert told == sorted(([getattr(row, n) for n in names] for row in model.objects.all()), key=str)


@pytest.mark.django_db
def test_values_in_an_array_are_those_that_were_put_in() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL has arrays")
    texts = ['a"b', "a\\b", "", "NULL", "{1,2}", "中 文", None, "a,b", "it's %s"]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT %s::text[], %s::uuid[], %s::timestamptz[], %s::bigint[]",
            [array_text(texts), array_text([HOME, None]), array_text([NOON]), array_text([-1, 2**60])],
        )
        assert cursor.fetchone() == (texts, [HOME, None], [NOON], [-1, 2**60])
        told = {"why": 'a"b\\ 中'}
        arrays = [[True, None, False], [0.1, -2.5], [b"\x00\xff"], [Jsonb(told), None]]
        cursor.execute(
            "SELECT %s::boolean[], %s::float8[], %s::bytea[], %s::jsonb[]",
            [array_text(one) for one in arrays],
        )
        *plain, said = cursor.fetchone()
        assert plain == arrays[:3]
        assert [json.loads(one) if one else None for one in said] == [told, None]


def test_fact_rows_have_the_columns_of_their_table() -> None:
    assert list(COLUMNS) == [field.column for field in Fact._meta.concrete_fields if field.column]
