# SPDX-License-Identifier: Apache-2.0
"""Whoever holds the pen holds it briefly: nothing is decided inside a transaction, and few facts go into one.

The figure (a desk's p99 while facts are folded) is in benchmarks/desk_while_folding.py; here is its cause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from muster.campaigns import extending, rules
from muster.campaigns import facts as campaign_facts
from muster.flows import plain_outcomes, recording
from muster.storage.writes import ROWS_PER_WRITE
from muster.sync.verify import verify_all
from muster.trail.models import Fact
from tests.support.world import World, make_world

pytestmark = pytest.mark.django_db(transaction=True)


class Watch:
    """Counts what is decided inside a transaction, and how many facts each one writes."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.outside = 0
        self.facts_per_write: list[int] = []

    def over(self, name: str, decide: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*args: Any, **kwargs: Any) -> Any:
            if connection.in_atomic_block:
                self.inside.append(name)
            else:
                self.outside += 1
            return decide(*args, **kwargs)

        return watched


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    watch = Watch()
    monkeypatch.setattr(campaign_facts, "settle_entry", watch.over("settle_entry", rules.settle_entry))
    monkeypatch.setattr(campaign_facts, "settle_door", watch.over("settle_door", rules.settle_door))
    monkeypatch.setattr(campaign_facts, "extend_entry", watch.over("extend_entry", extending.extend_entry))
    monkeypatch.setattr(campaign_facts, "extend_door", watch.over("extend_door", extending.extend_door))
    monkeypatch.setattr(recording, "fact_row", watch.over("fact_row", recording.fact_row))
    block = plain_outcomes.PlainLedger
    monkeypatch.setattr(block, "extend", watch.over("extend_block", block.extend))
    monkeypatch.setattr(plain_outcomes, "PlainRow", watch.over("plain_row", plain_outcomes.PlainRow))
    write = recording._write

    def counted(chunk: recording.Chunk) -> None:
        before = Fact.objects.count()
        write(chunk)
        watch.facts_per_write.append(Fact.objects.count() - before)

    monkeypatch.setattr(recording, "_write", counted)
    return watch


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


def many(world: World, count: int) -> list[Any]:
    return [world.outcome(world.persons[n % len(world.persons)], "away", minutes=n) for n in range(count)]


def test_nothing_is_settled_or_sealed_while_the_pen_is_held(world: World, watch: Watch) -> None:
    world.record(*many(world, 20), world.fact("door.state", world.dwellings[0].id, "dwelling", state="SEEN"))

    assert watch.inside == []
    assert watch.outside >= 20


def test_a_transaction_takes_a_bounded_number_of_facts(world: World, watch: Watch) -> None:
    world.record(*many(world, 2 * ROWS_PER_WRITE + 1))

    assert watch.facts_per_write == [ROWS_PER_WRITE, ROWS_PER_WRITE, 1]
    assert ROWS_PER_WRITE <= 500
    assert watch.inside == []


def test_the_pen_is_laid_down_between_two_writes(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[bool] = []
    monkeypatch.setattr(recording, "pause_between_writes", lambda: pauses.append(connection.in_atomic_block))

    world.record(*many(world, ROWS_PER_WRITE + 1))

    assert pauses == [False]


def test_deciding_inside_the_transaction_would_be_seen(
    world: World, watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the careless way, rules inside the transaction."""
    decide = recording.decide

    @contextmanager
    def held() -> Iterator[None]:
        with transaction.atomic():
            yield

    def careless(*args: Any, **kwargs: Any) -> recording.Chunk:
        with held():
            return decide(*args, **kwargs)

    monkeypatch.setattr(recording, "decide", careless)

    undone = world.outcome(world.persons[0], "done")
    world.record(undone)
    world.record(world.fact("fact.undone", world.persons[0].id, fact=str(undone.id)))
    world.record(world.fact("door.state", world.dwellings[0].id, "dwelling", state="SEEN", minutes=1))

    fact_by_fact = {"extend_entry", "extend_door", "settle_entry", "settle_door", "fact_row"}
    assert set(watch.inside) == fact_by_fact | {"extend_block", "plain_row"}


def test_who_lost_the_race_reads_and_settles_anew(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else writes the same entry between our reading and our writing: nobody's fact is lost."""
    person, decide, tries = world.persons[0], recording.decide, []

    def overtaken(*args: Any, **kwargs: Any) -> recording.Chunk:
        chunk = decide(*args, **kwargs)
        tries.append(chunk)
        if len(tries) == 1:
            with monkeypatch.context() as other:
                other.setattr(recording, "decide", decide)
                world.record(world.outcome(person, "away", minutes=1, worker=1))
        return chunk

    monkeypatch.setattr(recording, "decide", overtaken)
    world.record(world.outcome(person, "done", minutes=2))

    assert len(tries) == 2
    assert Fact.objects.filter(subject=person.id, verdict="APPLIED").count() == 2
    assert verify_all() == []
