# SPDX-License-Identifier: Apache-2.0
"""Any order, any repetition, any cut into batches: the same ledger, and the equation holds after every
step.
"""

import random
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.base.ids import new_id
from muster.campaigns import facts as campaign_facts
from muster.campaigns.models import DoorEntry, LedgerEntry, RoundGrid
from muster.sync.verify import verify_all
from muster.trail.incoming import Incoming
from muster.trail.models import Waiting
from tests.support.world import World, make_world

pytestmark = pytest.mark.django_db


@contextmanager
def rolled_back() -> Iterator[None]:
    """Whatever happens inside leaves no trace, so that Hypothesis can begin again."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def story(world: World, rng: random.Random) -> list[Incoming]:
    """A plausible hour: visits, findings, moves, undos, silences; each fact may speak of what another one
    adds.
    """
    facts: list[Incoming] = []
    outcomes = ["done", "arranged", "away", "no_answer", "refused"]
    for minute in range(14):
        person = rng.choice(world.persons)
        roll = rng.random()
        worker = rng.randrange(3)
        if roll < 0.5:
            facts.append(world.outcome(person, rng.choice(outcomes), minutes=minute, worker=worker))
        elif roll < 0.62:
            new, door = new_id(), rng.choice(world.dwellings)
            found = world.fact(
                "person.found", door.id, "dwelling", person=str(new), name=f"演新{minute}", minutes=minute
            )
            facts.append(found)
            facts.append(
                world.fact(
                    "entry.outcome", new, sub_district=door.sub_district, outcome="done", minutes=minute + 0.5
                )
            )
            if rng.random() < 0.3:
                facts.append(
                    world.fact("fact.undone", door.id, "dwelling", fact=str(found.id), minutes=minute + 0.7)
                )
        elif roll < 0.75:
            to = rng.choice([None, *world.dwellings])
            target = {"sub_district": to.sub_district, "dwelling": str(to.id)} if to else None
            facts.append(world.fact("person.moved", person.id, to=target, minutes=minute, worker=worker))
        elif roll < 0.85:
            door = rng.choice(world.dwellings)
            state = rng.choice(["SEEN", "VACANT", "NO_ANSWER", "REFUSED"])
            facts.append(world.fact("door.state", door.id, "dwelling", state=state, minutes=minute))
        elif facts:
            said = rng.choice(facts)
            facts.append(
                world.fact(
                    "fact.undone",
                    said.subject,
                    said.subject_type,
                    fact=str(said.id),
                    minutes=minute,
                    sub_district=said.sub_district,
                    worker=[w.id for w in world.workers].index(said.actor),
                )
            )
    return facts


def picture(world: World) -> tuple[object, ...]:
    """Everything that must not depend on the order of arrival."""
    entries = LedgerEntry.objects.order_by("subject").values_list(
        "subject", "origin", "origin_grid", "grid", "dwelling", "cls", "outcome", "at", "fact", "attempts"
    )
    doors = DoorEntry.objects.order_by("subject").values_list("subject", "state", "at", "fact", "attempts")
    accounts = RoundGrid.objects.order_by("grid").values_list(
        "grid", "frozen", "added", "moved_in", "moved_out", "n_open", "n_done", "n_arranged", "n_explained",
        "n_unreached", "doors", "doors_seen", "doors_vacant", "doors_no_answer", "doors_refused",
    )  # fmt: skip
    return list(entries), list(doors), list(accounts), Waiting.objects.count()


def fresh(fact: Incoming) -> Incoming:
    """The fact as it would come over the wire again."""
    return Incoming(
        device=fact.device,
        seq=fact.seq,
        id=fact.id,
        incident=fact.incident,
        kind=fact.kind,
        actor=fact.actor,
        occurred_at=fact.occurred_at,
        received_at=fact.received_at,
        sub_district=fact.sub_district,
        subject=fact.subject,
        subject_type=fact.subject_type,
        raw_body=fact.raw_body,
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9), order=st.randoms(use_true_random=False))
def test_any_order_gives_the_same_ledger(db: None, seed: int, order: random.Random) -> None:
    with rolled_back():
        world = make_world(doors=3, people=1)
        facts = story(world, random.Random(seed))
        sids = [fact.sub_district for fact in facts]
        with rolled_back():
            for fact in facts:
                world.record(fresh(fact))
            straight = picture(world)
            assert verify_all() == []
        shuffled = [fresh(fact) for fact in facts] + [fresh(f) for f in facts if order.random() < 0.3]
        for fact, sid in zip(shuffled, sids, strict=False):
            fact.sub_district = sid
        order.shuffle(shuffled)
        while shuffled:
            size = order.randint(1, 6)
            world.record(*shuffled[:size])
            del shuffled[:size]
            assert verify_all() == []
        assert picture(world) == straight


def test_a_broken_account_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: without the account of additions the equation must not close, and verify must
    say so.
    """
    world = make_world(doors=2, people=1)
    monkeypatch.setattr(campaign_facts.Accounts, "add", lambda self, entry: None)

    world.record(
        world.fact("person.found", world.dwellings[0].id, "dwelling", person=str(new_id()), name="演新")
    )

    assert {breach.check for breach in verify_all()} == {"counters_equal_recount", "equation_closes"}


def test_a_tampered_entry_is_seen() -> None:
    """Negative control: an entry changed past its facts does not equal settle of its facts."""
    world = make_world(doors=2, people=1)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_ledgerentry SET cls = 'DONE' WHERE origin_grid = %s", [world.grids[0].id]
        )

    assert {breach.check for breach in verify_all()} == {"entries_equal_settle", "counters_equal_recount"}
