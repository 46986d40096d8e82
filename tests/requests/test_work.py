# SPDX-License-Identifier: Apache-2.0
"""Offers, acceptance, doing, and the answer to "is it solved?"."""

import threading
import uuid
from datetime import timedelta

import pytest
from django.db import close_old_connections, connection

from muster.base.errors import Refusal
from muster.requests import steps, work
from muster.requests.models import Offer, Request, WorkItem
from muster.requests.queries import items_of, jobs_of, offers_to, pool_of
from muster.requests.states import ItemStatus, OfferStatus, RequestStatus
from muster.requests.work import Asking
from muster.responders.models import Responder
from tests.support.serving import ask, door, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def item_of(request: Request) -> WorkItem:
    return items_of([request.id])[-1]


def fresh(request: Request) -> Request:
    return Request.objects.across(reason="requests").get(id=request.id)  # type: ignore[no-any-return]


def test_one_way_to_the_end(world: World) -> None:
    helper = somebody_who_serves(world)
    request = ask(world, category="medicine").request
    item = item_of(request)

    work.offer(item.id, [Asking(helper.id, walk_m=120)], by=world.head.id, at=NOON)
    assert fresh(request).status == RequestStatus.DISPATCHED
    assert [o.item_id for o in offers_to(helper.id, at=NOON)] == [item.id]
    work.accept(item.id, responder=helper.id, at=NOON + timedelta(minutes=2))
    assert fresh(request).status == RequestStatus.ACCEPTED
    work.arrive(item.id, responder=helper.id, at=NOON + timedelta(minutes=9))
    assert fresh(request).status == RequestStatus.ON_SITE
    work.finish(item.id, responder=helper.id, outcome="SOLVED", at=NOON + timedelta(minutes=20))
    assert fresh(request).status == RequestStatus.DONE
    steps.answer_solved(request.id, result="SOLVED", by=None, by_resident=True, at=NOON + timedelta(hours=1))

    row = fresh(request)
    assert (row.status, row.solved) == (RequestStatus.CONFIRMED, True)
    assert Responder.objects.across(reason="own").get(id=helper.id).open_jobs == 0
    assert jobs_of(helper.id) == []


def test_offer_lapses_by_itself_and_the_item_waits_again(world: World) -> None:
    helper = somebody_who_serves(world)
    request = ask(world, category="food").request
    item = item_of(request)
    work.offer(item.id, [Asking(helper.id)], by=None, at=NOON)
    later = NOON + timedelta(minutes=61)

    assert offers_to(helper.id, at=later) == [], "what has lapsed is no offer, before any clock ran"
    assert work.lapse_all(world.incident.id, at=later) == [item.id]
    assert fresh(request).status == RequestStatus.TRIAGED
    assert Offer.objects.get().status == OfferStatus.EXPIRED


def test_decline_needs_a_reason_and_asks_the_next(world: World) -> None:
    one, two = somebody_who_serves(world), somebody_who_serves(world)
    request = ask(world).request
    item = item_of(request)
    work.offer(item.id, [Asking(one.id), Asking(two.id)], by=None, at=NOON)

    with pytest.raises(Refusal, match="decline_reason_unknown"):
        work.decline(item.id, responder=one.id, reason="", at=NOON)
    work.decline(item.id, responder=one.id, reason="TOO_FAR", at=NOON)
    assert fresh(request).status == RequestStatus.DISPATCHED
    work.decline(item.id, responder=two.id, reason="BUSY", at=NOON)
    assert fresh(request).status == RequestStatus.TRIAGED
    with pytest.raises(Refusal, match="offer_over"):
        work.decline(item.id, responder=two.id, reason="BUSY", at=NOON)


def test_second_who_accepts_is_told_who_has_it(world: World) -> None:
    one, two = somebody_who_serves(world), somebody_who_serves(world)
    item = item_of(ask(world).request)
    work.offer(item.id, [Asking(one.id), Asking(two.id)], by=None, at=NOON)

    work.accept(item.id, responder=two.id, at=NOON)
    with pytest.raises(Refusal) as refusal:
        work.accept(item.id, responder=one.id, at=NOON)
    work.accept(item.id, responder=two.id, at=NOON)

    assert (refusal.value.code, refusal.value.facts["responder"]) == ("item_taken", str(two.id))
    assert dict(Offer.objects.values_list("responder", "status")) == {two.id: "ACCEPTED", one.id: "LOST"}
    assert Responder.objects.across(reason="own").get(id=two.id).open_jobs == 1, "told twice, counted once"


def test_cap_rest_and_skill_hold(world: World) -> None:
    full = somebody_who_serves(world, most_jobs=1)
    tired = somebody_who_serves(world, on_duty_since=NOON - timedelta(hours=9))
    away = somebody_who_serves(world, status="RESTING")
    items = [item_of(ask(world, where=door(world, n)).request) for n in range(2)]
    special = item_of(ask(world, category="medicine", where=door(world, 3), needs_skill="medicine").request)

    work.accept(items[0].id, responder=full.id, at=NOON)
    for responder, item, code in (
        (full, items[1], "responder_full"),
        (tired, items[1], "responder_needs_rest"),
        (away, items[1], "responder_not_free"),
        (full, special, "item_needs_skill"),
    ):
        with pytest.raises(Refusal, match=code):
            work.accept(item.id, responder=responder.id, at=NOON)
    assert WorkItem.objects.across(reason="own").get(id=items[1].id).status == ItemStatus.OPEN


def test_pool_shows_what_is_free_and_fits(world: World) -> None:
    helper = somebody_who_serves(world, skills=["repairs"])
    free = item_of(ask(world).request)
    item_of(ask(world, category="medicine", where=door(world, 1), needs_skill="medicine").request)
    fits = item_of(ask(world, category="repair", where=door(world, 2), needs_skill="repairs").request)

    pool = pool_of([world.grids[0].id], skills=helper.skills)

    assert [i.id for i in pool] == [fits.id, free.id], "urgent before normal"
    work.accept(fits.id, responder=helper.id, at=NOON)
    assert [i.id for i in pool_of([world.grids[0].id], skills=helper.skills)] == [free.id]


def test_partly_done_leaves_the_rest_open(world: World) -> None:
    helper = somebody_who_serves(world)
    request = ask(world).request
    item = item_of(request)
    work.accept(item.id, responder=helper.id, at=NOON)

    work.finish(item.id, responder=helper.id, outcome="PARTLY", left_to_do="还差一桶水", at=NOON)

    assert fresh(request).status == RequestStatus.TRIAGED
    assert [(i.status, i.what or "") for i in items_of([request.id])] == [
        ("DONE", ""),
        ("OPEN", "还差一桶水"),
    ]


def test_release_gives_it_back(world: World) -> None:
    helper = somebody_who_serves(world)
    request = ask(world).request
    item = item_of(request)
    work.accept(item.id, responder=helper.id, at=NOON)

    work.release(item.id, responder=helper.id, at=NOON)

    assert fresh(request).status == RequestStatus.TRIAGED
    assert Responder.objects.across(reason="own").get(id=helper.id).open_jobs == 0
    with pytest.raises(Refusal, match="item_not_yours"):
        work.finish(item.id, responder=helper.id, outcome="SOLVED", at=NOON)


def done(world: World) -> Request:
    helper = somebody_who_serves(world)
    request = ask(world).request
    item = item_of(request)
    work.accept(item.id, responder=helper.id, at=NOON)
    work.finish(item.id, responder=helper.id, outcome="SOLVED", at=NOON)
    return request


def answer(request: Request, result: str, *, minutes: int = 0, by_resident: bool = False) -> Request:
    return steps.answer_solved(
        request.id, result=result, by=None, by_resident=by_resident, at=NOON + timedelta(minutes=minutes)
    )


def test_three_unanswered_calls_end_as_not_reached_never_as_confirmed(world: World) -> None:
    request = done(world)

    states = [answer(request, "NO_ANSWER", minutes=n).status for n in range(3)]

    assert states == [RequestStatus.DONE, RequestStatus.DONE, RequestStatus.CLOSED_UNREACHED]
    assert fresh(request).solved is None
    assert answer(request, "SOLVED", by_resident=True).status == RequestStatus.CONFIRMED


def test_no_beats_yes_and_opens_again_for_somebody_else(world: World) -> None:
    request = done(world)
    answer(request, "SOLVED")

    row = answer(request, "NOT_SOLVED", by_resident=True)

    assert (row.status, row.solved, row.reopened, row.escalation) == (RequestStatus.TRIAGED, False, 1, 1)
    assert [i.status for i in items_of([request.id])] == [ItemStatus.DONE, ItemStatus.OPEN]


def test_answer_before_it_is_done_is_refused(world: World) -> None:
    request = ask(world).request

    with pytest.raises(Refusal, match="request_not_done"):
        answer(request, "SOLVED", by_resident=True)


def test_withdrawn_frees_who_was_on_the_way(world: World) -> None:
    helper = somebody_who_serves(world)
    request = ask(world).request
    item = item_of(request)
    work.accept(item.id, responder=helper.id, at=NOON)

    steps.withdraw(request.id, by=None, at=NOON)

    assert fresh(request).status == RequestStatus.WITHDRAWN
    assert Responder.objects.across(reason="own").get(id=helper.id).open_jobs == 0
    with pytest.raises(Refusal, match="item_gone"):
        work.accept(item.id, responder=somebody_who_serves(world).id, at=NOON)


def test_refusal_takes_two_and_never_meets_a_life(world: World) -> None:
    request = ask(world).request
    life = ask(world, category="medical", urgency="LIFE", where=door(world, 1)).request
    one, two = uuid.uuid4(), uuid.uuid4()

    with pytest.raises(Refusal, match="refusal_needs_two"):
        steps.refuse(request.id, reason="今天没有车", by=one, approved_by=one, at=NOON)
    with pytest.raises(Refusal, match="refusal_without_reason"):
        steps.refuse(request.id, reason=" ", by=one, approved_by=two, at=NOON)
    with pytest.raises(Refusal, match="request_life_not_refused"):
        steps.refuse(life.id, reason="今天没有车", by=one, approved_by=two, at=NOON)
    row = steps.refuse(request.id, reason="今天没有车", by=one, approved_by=two, at=NOON)
    assert (row.status, row.refused_text) == (RequestStatus.REFUSED, "今天没有车")


def test_hold_says_why_and_until_and_the_longer_one_stands(world: World) -> None:
    request = ask(world).request
    hour = timedelta(hours=1)

    steps.hold(request.id, reason="NO_SUPPLIES", until=NOON + 3 * hour, by=None, at=NOON)
    row = steps.hold(request.id, reason="NOT_HOME", until=NOON + hour, by=None, at=NOON)

    assert (row.status, row.hold_until) == (RequestStatus.ON_HOLD, NOON + 3 * hour)
    with pytest.raises(Refusal, match="hold_until_bad"):
        steps.hold(request.id, reason="NOT_HOME", until=NOON, by=None, at=NOON)
    assert steps.resume(request.id, by=None, at=NOON).status == RequestStatus.TRIAGED


def test_links_never_make_a_chain(world: World) -> None:
    a, b, c = (ask(world, where=door(world, n)).request for n in range(3))

    steps.link(a.id, to=b.id, by=world.head.id, at=NOON)
    steps.link(b.id, to=c.id, by=world.head.id, at=NOON)

    assert {fresh(a).linked_to, fresh(b).linked_to} == {c.id}
    with pytest.raises(Refusal, match="link_to_linked"):
        steps.link(c.id, to=a.id, by=world.head.id, at=NOON)
    with pytest.raises(Refusal, match="link_to_itself"):
        steps.link(c.id, to=c.id, by=world.head.id, at=NOON)


def race(world: World, ways: int, *, hands: int = 25) -> tuple[list[str], WorkItem]:
    """So many people accept one item, `hands` of them at the same moment, each hand on its own connection."""
    people = [somebody_who_serves(world).id for _ in range(ways)]
    item = item_of(ask(world).request)
    start = threading.Barrier(hands)
    answers: list[str] = []

    def go(mine: list[uuid.UUID]) -> None:
        try:
            start.wait(30)
            for responder in mine:
                try:
                    work.accept(item.id, responder=responder, at=NOON)
                    answers.append("won")
                except Refusal as refusal:
                    answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(people[n::hands],)) for n in range(hands)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    close_old_connections()
    return answers, WorkItem.objects.across(reason="own").get(id=item.id)


@pytest.mark.django_db(transaction=True)
def test_a_hundred_accept_and_one_wins() -> None:
    world = make_world(frozen=False)

    answers, item = race(world, 100)

    assert sorted(answers) == ["item_taken"] * 99 + ["won"]
    assert Responder.objects.across(reason="own").filter(open_jobs=1).count() == 1
    assert Responder.objects.across(reason="own").get(open_jobs=1).id == item.responder


@pytest.mark.django_db(transaction=True)
def test_without_the_condition_many_would_win(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: the same race where acceptance first looks and then writes."""
    world = make_world(frozen=False)

    looked = threading.Barrier(8)

    def careless(item: uuid.UUID, *, responder: uuid.UUID, at: object, by: object = None) -> WorkItem:
        row = WorkItem.objects.across(reason="own").get(id=item)
        looked.wait(30)
        if row.status not in ("OPEN", "OFFERED"):
            raise Refusal("item_taken")
        WorkItem.objects.across(reason="own").filter(id=item).update(status="ACCEPTED", responder=responder)
        return row  # type: ignore[no-any-return]

    monkeypatch.setattr(work, "accept", careless)
    answers, _ = race(world, 8, hands=8)

    assert answers == ["won"] * 8
