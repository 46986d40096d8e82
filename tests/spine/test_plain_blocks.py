# SPDX-License-Identifier: Apache-2.0
"""Plain outcomes settled in blocks, and all facts one by one: the same verdicts and tables to the byte.

The same random stream, plain and awkward mixed, repeated, out of order, cut anyhow, goes both ways.
"""

from __future__ import annotations

import dataclasses
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import models, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry, Round, RoundGrid
from muster.campaigns.plain_ledger import PlainLedger
from muster.campaigns.rules import MOST_COUNTED
from muster.flows import plain_outcomes, recording
from muster.flows.plain_outcomes import PlainOutcomes
from muster.storage.writes import ROWS_PER_WRITE
from muster.sync.verify import verify_all
from muster.trail.incoming import Incoming, Ruling, flagged, quarantined
from muster.trail.models import Fact, Waiting
from tests.spine.test_any_order import rolled_back, story
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
OUTCOMES = ["done", "arranged", "away", "no_answer", "refused"]
Stream = list[list[Incoming]]


class Stranger:
    """Makes the awkward facts of an evening, which the plain way must leave alone."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice, self.told = world, dice, list[Incoming]()
        self.elsewhere = [new_id(), new_id()]

    def fact(self) -> Incoming:
        make = self.dice.choice([self.plain] * 6 + [self.odd, self.same_moment, self.again, self.undone])
        fact = make()
        self.told.append(fact)
        return fact

    def plain(self, **more: Any) -> Incoming:
        person = more.pop("person", None) or self.dice.choice(self.world.persons)
        more.setdefault("minutes", self.dice.randint(0, 30))
        more.setdefault("worker", self.dice.randrange(3))
        code = more.pop("outcome", None) or self.dice.choice(OUTCOMES)
        return self.world.outcome(person, code, **more)

    def odd(self) -> Incoming:
        world, dice = self.world, self.dice
        person, door = dice.choice(world.persons), dice.choice(world.dwellings)
        return dice.choice([
            lambda: self.plain(outcome="unheard_of"),
            lambda: self.plain(round=uuid.UUID(int=dice.randint(1, 2))),
            lambda: self.plain(via=dice.choice(["phone", "desk", "elsewhere"])),
            lambda: self.plain(door=str(dice.choice([door.id, new_id()]))),
            lambda: self.plain(received=NOON - timedelta(days=1)),
            lambda: self.plain(received=NOON + timedelta(days=60)),
            lambda: self.plain(sub_district=dice.choice(world.streets).id),
            lambda: self.plain(answers={"n": dice.randint(0, 3)}, note="演练"),
            lambda: self.plain(unknown="x"),
            lambda: self.plain(device=dice.choice(self.elsewhere), seq=dice.randint(1, 9)),
            lambda: world.outcome(dice.choice(world.persons), "done", id=self._known_id()),
            lambda: world.fact("entry.outcome", new_id(), outcome="done"),
            lambda: world.fact("contact.tried", person.id, channel="phone", reached=False, minutes=3),
            lambda: world.fact("note.written", person.id, text="演练", minutes=4),
            lambda: world.fact("need.seen", person.id, kind="medicine", minutes=4),
            lambda: world.fact("door.state", door.id, "dwelling", state="VACANT", minutes=dice.randint(0, 9)),
            lambda: dataclasses.replace(self.plain(), grids=frozenset({world.grids[0].id})),
            lambda: dataclasses.replace(self.plain(), ruling=quarantined("lease_expired")),
            lambda: dataclasses.replace(self.plain(), doubt=flagged("clock_behind_revoked")),
            lambda: dataclasses.replace(self.plain(), incident=new_id()),
            lambda: dataclasses.replace(self.plain(), from_desk=True),
        ])()  # fmt: skip

    def same_moment(self) -> Incoming:
        """Two at one door at the same time: one visit."""
        return self.plain(minutes=self.dice.choice([1, 2]), person=self.world.persons[self.dice.randrange(2)])

    def again(self) -> Incoming:
        if not self.told:
            return self.plain()
        known = dataclasses.replace(self.dice.choice(self.told))
        roll = self.dice.random()
        if roll < 0.4:
            return known
        changed = dataclasses.replace(self.plain(), body_hash=b"")
        if roll < 0.7:
            return dataclasses.replace(changed, id=known.id, seq=known.seq)
        return dataclasses.replace(changed, seq=known.seq)

    def undone(self) -> Incoming:
        said = self.dice.choice(self.told) if self.told else self.plain()
        return self.world.fact(
            "fact.undone", said.subject, said.subject_type, fact=str(said.id), minutes=40,
            sub_district=said.sub_district, worker=self.dice.randrange(3),
        )  # fmt: skip

    def _known_id(self) -> uuid.UUID:
        return self.dice.choice(self.told).id if self.told else new_id()


def a_stream(world: World, seed: int) -> Stream:
    """Chunks of facts as they might come in on an evening."""
    dice = random.Random(seed)
    stranger = Stranger(world, dice)
    facts = [stranger.fact() for _ in range(dice.randint(4, 26))]
    if dice.random() < 0.5:
        facts += story(world, dice)
    facts += [dataclasses.replace(f) for f in facts if dice.random() < 0.15]
    if dice.random() < 0.6:
        dice.shuffle(facts)
    chunks = []
    while facts:
        size = dice.randint(1, 12)
        chunks.append(facts[:size])
        del facts[:size]
    return chunks


def tables() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of ours, sealed columns opened. Ids that a row gives itself by chance are left out."""
    found = {}
    for model in apps.get_models():
        if not model.__module__.startswith("muster."):
            continue
        names = [f.attname for f in model._meta.concrete_fields if f.column and not _by_chance(f)]
        rows = [tuple(_said(getattr(row, name)) for name in names) for row in model._base_manager.all()]
        found[model.__name__] = sorted(rows, key=repr)
    return found


def _said(value: Any) -> Any:
    return bytes(value) if isinstance(value, memoryview) else value


def _by_chance(field: Any) -> bool:
    return bool(field.primary_key) and (isinstance(field, models.AutoField | models.BigAutoField)
                                        or field.default is new_id)  # fmt: skip


@contextmanager
def folding(*, in_blocks: bool) -> Iterator[None]:
    before = recording.IN_BLOCKS
    recording.IN_BLOCKS = in_blocks
    try:
        yield
    finally:
        recording.IN_BLOCKS = before


def fold(
    world: World, stream: Stream, *, in_blocks: bool, proven: bool = True
) -> tuple[list[Ruling], dict[str, Any]]:
    """The verdicts and every table after it; no trace is left."""
    rulings: list[Ruling] = []
    with folding(in_blocks=in_blocks), rolled_back():
        for chunk in stream:
            rulings += world.record(*(dataclasses.replace(fact) for fact in chunk))
        assert not proven or verify_all() == []
        return rulings, tables()


def differences(world: World, stream: Stream, *, proven: bool = True) -> list[str]:
    """What the two ways do not have in common; a race that the plain way lost with itself is one too."""
    decide, lost = recording.decide, list[str]()

    def watched(*args: Any, **kwargs: Any) -> recording.Chunk:
        if not kwargs.get("in_blocks", True):
            lost.append("race")
        return decide(*args, **kwargs)

    with pytest.MonkeyPatch.context() as watch:
        watch.setattr(recording, "decide", watched)
        (told, block), (also, each) = (
            fold(world, stream, in_blocks=way, proven=proven) for way in (True, False)
        )
    return lost + [name for name in each if block[name] != each[name]] + (["verdicts"] * (told != also))


def prepared(seed: int) -> tuple[World, Stream]:
    """A round and its evening; some rounds are closed already."""
    world = make_world(doors=3, people=2)
    if seed % 7 == 0:
        Round.objects.filter(id=world.round.id).update(status="CLOSED")
    return world, a_stream(world, seed)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_both_ways_give_the_same_tables(db: None, seed: int) -> None:
    with rolled_back():
        world, stream = prepared(seed)

        assert differences(world, stream) == []


def test_what_is_told_twice_at_once_or_far_too_often_is_the_same_both_ways() -> None:
    world = make_world(doors=2, people=1)
    person = world.persons[0]
    facts = [world.outcome(person, OUTCOMES[n % 5], minutes=n % 97) for n in range(2 * ROWS_PER_WRITE)]

    assert differences(world, [facts]) == []


def test_who_was_told_of_as_often_as_can_be_counted_is_the_same_both_ways() -> None:
    world = make_world(doors=2, people=1)
    LedgerEntry.objects.update(facts=MOST_COUNTED - 9, attempts=MOST_COUNTED - 5)
    facts = [world.outcome(world.persons[0], "away", minutes=n) for n in range(12)]

    assert differences(world, [facts], proven=False) == []


def _last_wins(self: PlainLedger, told: Any) -> None:
    for one in told:
        entry = self.entries[one.subject]
        entry.best, entry.told = one, entry.told + 1


_place = plain_outcomes._place


def _anywhere(ledger: Any, one: Any, *more: Any) -> bool:
    one.fact.grids = None
    return _place(ledger, one, *more)


def _taken_back_again(world: World) -> Stream:
    new, door = new_id(), world.dwellings[0]
    found = world.fact("person.found", door.id, "dwelling", person=str(new), name="演新")
    undo = world.fact("fact.undone", door.id, "dwelling", fact=str(found.id), minutes=1)
    told = world.fact("entry.outcome", new, sub_district=door.sub_district, outcome="done", minutes=2)
    return [[found], [undo], [told]]


def _done(world: World, n: int = 0, outcome: str = "done", **more: Any) -> Incoming:
    return world.outcome(world.persons[n], outcome, **more)


def _told_elsewhere(world: World) -> Stream:
    first = _done(world)
    return [[first], [_done(world, id=first.id, device=new_id(), seq=1, minutes=1)]]


# A question of the classifier; what stands in its place when it is not asked; and where that shows.
LEFT_OUT: dict[str, tuple[Any, str, Any, Callable[[World], Stream]]] = {
    "what others touch": (
        PlainOutcomes, "give_back", lambda *_: False,
        lambda w: [[w.fact("note.written", w.persons[0].id, text="演"), _done(w)]],
    ),
    "the same moment": (
        plain_outcomes, "moments_told", lambda *_: set(),
        lambda w: [[_done(w, 0, minutes=1)], [_done(w, 1, minutes=1)]],
    ),
    "does it extend": (PlainLedger, "fits", lambda *_: True, _taken_back_again),
    "a second witness": (
        PlainLedger, "rule_of", lambda self, code: self.rules.get(code),
        lambda w: [[_done(w, outcome="refused")]],
    ),
    "an id of somebody else's": (plain_outcomes, "which_are_known", lambda _: set(), _told_elsewhere),
    "a number used twice": (
        plain_outcomes, "highest_numbers", lambda devices: dict.fromkeys(devices, -1),
        lambda w: [[_done(w, seq=1)], [_done(w, seq=1, minutes=1)]],
    ),
    "where the lease may speak of": (
        plain_outcomes, "_place", _anywhere,
        lambda w: [[dataclasses.replace(_done(w), grids=frozenset({w.grids[-1].id}))]],
    ),
    "rank": (
        PlainLedger, "extend", _last_wins, lambda w: [[_done(w), _done(w, outcome="away", minutes=1)]],
    ),
    "accounts": (PlainLedger, "account", lambda *_: None, lambda w: [[_done(w)]]),
}  # fmt: skip


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_question_left_out_is_seen(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Negative controls: with each question of the classifier asked nothing differs, without it something."""
    world = make_world(doors=1, people=2)
    place, member, instead, stream = LEFT_OUT[name]
    told = stream(world)
    assert differences(world, told) == []
    monkeypatch.setattr(place, member, instead)

    try:
        with transaction.atomic():
            seen = differences(world, told)
    except (AssertionError, KeyError) as breach:
        seen = [str(breach)]

    assert seen


def test_a_plain_evening_needs_no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the figures would be those of the other way, and the comparison would compare it with itself."""
    world, ways = make_world(doors=3, people=2), Counter[str]()
    each = recording._decide_each

    def counted(numbered: list[Any], *args: Any, **kwargs: Any) -> recording.Chunk:
        ways.update({"each": len(numbered)})
        return each(numbered, *args, **kwargs)

    monkeypatch.setattr(recording, "_decide_each", counted)
    facts = [world.outcome(p, o, minutes=n) for n, p in enumerate(world.persons) for o in OUTCOMES[:4]]
    world.record(*facts)

    assert ways["each"] == 0
    assert Fact.objects.filter(verdict="APPLIED").count() == len(facts)
    assert verify_all() == []


def test_one_awkward_fact_takes_its_neighbours_only_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world(doors=3, people=2)
    sizes: list[int] = []
    each = recording._decide_each

    def counted(numbered: list[Any], *args: Any, **kwargs: Any) -> recording.Chunk:
        sizes.append(len(numbered))
        return each(numbered, *args, **kwargs)

    monkeypatch.setattr(recording, "_decide_each", counted)
    facts = [world.outcome(person, "done", minutes=n) for n, person in enumerate(world.persons)]
    undo = world.fact("fact.undone", facts[0].subject, fact=str(facts[0].id), minutes=50)

    world.record(*facts, undo)

    # The undo, what it takes back, and whoever else lives behind that door.
    assert sizes == [3]
    assert LedgerEntry.objects.filter(cls="DONE").count() == len(facts) - 1
    assert verify_all() == []


def test_undo_that_came_before_its_plain_fact_finds_it() -> None:
    world = make_world(doors=2, people=1)
    fact = world.outcome(world.persons[0], "done")
    world.record(world.fact("fact.undone", fact.subject, fact=str(fact.id), minutes=1))
    assert Waiting.objects.count() == 1

    world.record(fact)

    assert Waiting.objects.count() == 0
    assert not LedgerEntry.objects.filter(cls="DONE").exists()
    assert sum(RoundGrid.objects.values_list("n_done", flat=True)) == 0
    assert verify_all() == []
