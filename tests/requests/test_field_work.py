# SPDX-License-Identifier: Apache-2.0
"""What phones say later about work: nothing done at a door is lost, one has it, the others hear who."""

from __future__ import annotations

import itertools
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.flows.field_work import FieldWork
from muster.flows.recording import record_facts
from muster.requests import steps, work
from muster.requests.models import Note, Request, WorkItem
from muster.requests.queries import items_of
from muster.requests.states import ItemStatus, RequestStatus
from muster.requests.work import Asking
from muster.responders.models import Responder
from muster.sync.verify import verify_all
from muster.trail.incoming import Incoming
from muster.trail.models import Fact, Waiting
from tests.support.serving import ask, door, somebody_who_serves
from tests.support.world import NOON, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=3)


class Town:
    """A request at a door of the first grid, and two people with phones."""

    def __init__(self) -> None:
        self.world = make_world(frozen=False)
        self.one = somebody_who_serves(self.world, user=self.world.workers[0].id)
        self.two = somebody_who_serves(self.world, user=self.world.workers[1].id)
        self.request = ask(self.world, where=door(self.world)).request
        self.item = items_of([self.request.id])[0]

    def says(self, kind: str, *, who: int = 0, minutes: float = 1, item: uuid.UUID | None = None,
             **body: Any) -> Incoming:  # fmt: skip
        fact = self.world.fact(
            f"work.{kind}", self.request.id, "request", worker=who, minutes=minutes, received=LATER,
            sub_district=self.request.sub_district, item=item or self.item.id, **body,
        )  # fmt: skip
        fact.grids = frozenset({self.world.grids[0].id})
        return fact

    def record(self, *facts: Incoming, at: datetime = LATER) -> list[tuple[str, str]]:
        return [(r.verdict, r.code) for r in record_facts(facts, at=at)]

    def now(self) -> tuple[Request, WorkItem]:
        return (
            Request.objects.across(reason="requests").get(id=self.request.id),
            WorkItem.objects.across(reason="requests").get(id=self.item.id),
        )

    def notes(self) -> list[str]:
        rows = Note.objects.across(reason="requests").filter(request_id=self.request.id)
        return sorted(n.text or "" for n in rows)

    def load(self, who: Responder) -> int:
        found: int = Responder.objects.across(reason="own").get(id=who.id).open_jobs
        return found


@pytest.fixture
def town() -> Town:
    return Town()


APPLIED = ("APPLIED", "")


def test_a_whole_job_without_network_in_one_batch(town: Town) -> None:
    told = town.record(
        town.says("taken", minutes=1),
        town.says("arrived", minutes=5),
        town.says("noted", minutes=6, text="门铃坏了，请敲门"),
        town.says("done", minutes=20, outcome="SOLVED", note="药已送到", photo="a" * 64),
    )

    request, item = town.now()
    assert told == [APPLIED] * 4
    assert (request.status, item.status, item.responder) == ("DONE", ItemStatus.DONE, town.one.id)
    assert request.on_site_at == NOON + timedelta(minutes=5), "when it was, not when it was heard of"
    assert request.done_at == NOON + timedelta(minutes=20)
    assert (item.note, item.photo) == ("药已送到", "a" * 64)
    assert town.notes() == ["门铃坏了，请敲门"]
    assert town.load(town.one) == 0
    assert verify_all() == []


def test_said_twice_it_happened_once(town: Town) -> None:
    facts = [town.says("taken"), town.says("done", minutes=9, outcome="SOLVED")]
    town.record(*facts)

    assert town.record(*facts) == [("DUPLICATE", "")] * 2
    assert town.load(town.one) == 0
    assert len(items_of([town.request.id])) == 1


def test_second_who_took_it_hears_that_somebody_has_it(town: Town) -> None:
    town.record(town.says("taken", who=1))

    assert town.record(town.says("taken", who=0)) == [("FLAGGED", "work_taken")]
    assert town.now()[1].responder == town.two.id
    assert town.load(town.one) == 0


def test_what_another_did_at_the_door_stays_as_a_note(town: Town) -> None:
    work.accept(town.item.id, responder=town.two.id, at=NOON)

    told = town.record(town.says("done", outcome="SOLVED", note="我路过，已经送了"))

    assert told == [("FLAGGED", "work_taken")]
    assert town.now()[1].status == ItemStatus.ACCEPTED, "who has it says himself when it is done"
    assert town.notes() == ["我路过，已经送了"]


def test_after_the_end_the_words_are_kept_and_flagged(town: Town) -> None:
    work.accept(town.item.id, responder=town.one.id, at=NOON)
    steps.withdraw(town.request.id, by=None, at=NOON)

    assert town.record(town.says("done", outcome="SOLVED", note="见到本人，平安")) == [
        ("FLAGGED", "work_ended")
    ]
    assert town.now()[0].status == RequestStatus.WITHDRAWN
    assert town.notes() == ["见到本人，平安"]


def test_given_back_by_the_desk_and_done_all_the_same_counts(town: Town) -> None:
    work.accept(town.item.id, responder=town.one.id, at=NOON)
    work.release(town.item.id, responder=town.one.id, at=NOON)

    assert town.record(town.says("done", outcome="SOLVED")) == [APPLIED]
    assert town.now()[1].responder == town.one.id
    assert town.load(town.one) == 0


@pytest.mark.parametrize(
    "against", [{"open_jobs": 4}, {"status": "RESTING"}, {"on_duty_since": NOON - timedelta(hours=9)}]
)
def test_helping_oneself_keeps_to_the_caps_but_work_at_the_door_counts(
    town: Town, against: dict[str, Any]
) -> None:
    Responder.objects.across(reason="own").filter(id=town.one.id).update(**against)

    assert town.record(town.says("taken")) == [("FLAGGED", "work_not_for_you")]
    assert town.now()[1].status == ItemStatus.OPEN
    assert town.record(town.says("arrived", minutes=4)) == [APPLIED]


def test_skill_that_is_lacking(town: Town) -> None:
    WorkItem.objects.across(reason="requests").filter(id=town.item.id).update(needs_skill="nurse")

    assert town.record(town.says("taken")) == [("FLAGGED", "work_not_for_you")]


def test_partly_done_leaves_a_piece_open(town: Town) -> None:
    town.record(town.says("done", outcome="PARTLY", left_to_do="还差一盒药"))

    rows = items_of([town.request.id])
    assert [i.status for i in rows] == [ItemStatus.DONE, ItemStatus.OPEN]
    assert rows[1].what == "还差一盒药"
    assert town.now()[0].status == RequestStatus.TRIAGED


def test_of_two_holds_the_longer_stands_and_one_that_is_over_holds_nothing(town: Town) -> None:
    work.accept(town.item.id, responder=town.one.id, at=NOON)
    long, short = LATER + timedelta(days=2), LATER + timedelta(hours=2)

    told = town.record(
        town.says("held", reason="NO_SUPPLIES", until=long, minutes=2),
        town.says("held", reason="NOT_HOME", until=short, minutes=3),
    )

    assert told == [APPLIED] * 2
    assert town.now()[0].hold_until == long
    steps.resume(town.request.id, by=None, at=LATER)
    town.record(town.says("held", reason="NOT_HOME", until=NOON + timedelta(hours=1)))
    assert town.now()[0].status == RequestStatus.ACCEPTED


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("held", {"reason": "TIRED", "until": LATER}),
        ("held", {"reason": "NOT_HOME", "until": "tomorrow"}),
        ("done", {"outcome": "WONDERFUL"}),
        ("done", {"outcome": "SOLVED", "photo": "../../etc"}),
        ("noted", {"text": ""}),
        ("noted", {"text": "长" * 2001}),
    ],
)
def test_body_that_does_not_fit_is_held_in_sight(town: Town, kind: str, body: dict[str, Any]) -> None:
    assert town.record(town.says(kind, **body)) == [("HELD", "bad_body")]
    assert town.now()[1].status == ItemStatus.OPEN


def test_nobody_speaks_of_another_grids_work_unless_he_was_asked(town: Town) -> None:
    fact = town.says("done", outcome="SOLVED")
    fact.grids = frozenset({town.world.grids[3].id})
    assert town.record(fact) == [("QUARANTINED", "out_of_scope")]

    work.offer(town.item.id, [Asking(town.one.id)], by=None, at=LATER)
    asked = town.says("taken", minutes=170)
    asked.grids = frozenset({town.world.grids[3].id})
    assert town.record(asked) == [APPLIED]


def test_work_of_another_incident_or_of_no_request_is_not_touched(town: Town) -> None:
    stranger = town.says("done", outcome="SOLVED", item=uuid.uuid4())
    other = town.says("done", outcome="SOLVED")
    other.subject = uuid.uuid4()

    assert town.record(stranger, other) == [("HELD", "unknown_subject")] * 2
    assert Waiting.objects.count() == 2
    assert town.now()[1].status == ItemStatus.OPEN


def test_somebody_quicker_between_reading_and_writing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    read = FieldWork.read.__func__  # type: ignore[attr-defined]
    turns = itertools.count()

    def read_then_lose(cls: type[FieldWork], facts: list[Incoming]) -> FieldWork:
        found: FieldWork = read(cls, facts)
        if next(turns) == 0:
            work.accept(town.item.id, responder=town.two.id, at=NOON)
        return found

    monkeypatch.setattr(FieldWork, "read", classmethod(read_then_lose))

    assert town.record(town.says("taken")) == [("FLAGGED", "work_taken")]
    assert town.now()[1].responder == town.two.id
    assert Fact.objects.count() == 1


STORY = [
    ("taken", 0, {}), ("arrived", 0, {}), ("done", 0, {"outcome": "SOLVED", "note": "甲"}),
    ("taken", 1, {}), ("arrived", 1, {}), ("done", 1, {"outcome": "PARTLY", "note": "乙"}),
    ("noted", 1, {"text": "丙"}), ("held", 0, {"reason": "NOT_HOME", "until": LATER + timedelta(days=1)}),
]  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(order=st.permutations(range(len(STORY))), cuts=st.sets(st.integers(1, 7), max_size=4))
def test_in_any_order_and_any_batches_one_has_it_and_no_words_are_lost(
    order: list[int], cuts: set[int]
) -> None:
    with transaction.atomic():
        _in_any_order(order, cuts)
        transaction.set_rollback(True)


def _in_any_order(order: list[int], cuts: set[int]) -> None:
    town = Town()
    facts = [town.says(kind, who=who, minutes=n, **body) for n, (kind, who, body) in enumerate(STORY)]
    told: list[tuple[str, str]] = []
    bounds = [0, *sorted(cuts), len(STORY)]
    for start, end in itertools.pairwise(bounds):
        told += town.record(*[facts[n] for n in order[start:end]])

    _, item = town.now()
    assert {verdict for verdict, _ in told} <= {"APPLIED", "FLAGGED"}
    done_by = [w for w in (0, 1) if told[order.index(2 if w == 0 else 5)] == APPLIED]
    assert item.responder in (None, town.one.id, town.two.id)
    assert len(done_by) <= 1 or item.status != ItemStatus.DONE or item.outcome == "PARTLY"
    kept = {*town.notes(), *(i.note or "" for i in items_of([town.request.id]))}
    assert {"甲", "乙", "丙"} <= kept, "union of notes"
    assert town.load(town.one) + town.load(town.two) == sum(
        i.status in ("ACCEPTED", "ON_SITE") for i in items_of([town.request.id])
    )
    assert Fact.objects.filter(incident=town.world.incident.id).count() == len(STORY)
    assert verify_all() == []
