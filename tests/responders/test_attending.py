# SPDX-License-Identifier: Apache-2.0
"""What phones say later about coming and going: at its own moment, in any order, as the post then was."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from muster.base.ids import new_id
from muster.flows import arriving
from muster.flows.recording import record_facts
from muster.requests import work
from muster.requests.queries import items_of
from muster.responders.models import Responder, Standing
from muster.responders.standing import change_status, standings
from muster.sync.verify import verify_all
from muster.trail.incoming import Incoming
from muster.trail.models import Event, Fact
from tests.support.serving import ask, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
LATER = NOON + timedelta(hours=9)
BY = new_id()
APPLIED = ("APPLIED", "")
NOT_YOURS, CHANGED = ("FLAGGED", "duty_not_yours"), ("FLAGGED", "duty_changed_since")


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


class Post:
    """Somebody with a place and a phone that was without a network."""

    def __init__(self, status: str = "ASSIGNED") -> None:
        self.world: World = make_world(frozen=False, doors=1, people=1)
        self.me = self.world.workers[0].id
        self.one = somebody_who_serves(self.world, user=self.me, status=status)
        Standing.objects.bulk_create(standings([self.one]))

    def says(self, step: str, minutes: float, **more: Any) -> Incoming:
        more.setdefault("grid", self.world.grids[0].id)
        fact = self.world.fact(
            "duty.step", more.pop("subject", self.me), "responder", minutes=minutes,
            worker=more.pop("worker", 0), received=more.pop("received", LATER),
            sub_district=self.world.streets[0].id, step=step, **more,
        )  # fmt: skip
        fact.grids = frozenset({self.world.grids[1].id})
        return fact

    def record(self, *facts: Incoming) -> list[tuple[str, str]]:
        return [(r.verdict, r.code) for r in record_facts(facts, at=LATER)]

    def now(self) -> Responder:
        return Responder.objects.across(reason="own").get(id=self.one.id)  # type: ignore[no-any-return]

    def desk(self, to: str, minutes: float, **columns: Any) -> None:
        row = self.now()
        for name, value in columns.items():
            setattr(row, name, value)
        change_status(row, to, by=BY, at=at(minutes), columns=tuple(columns))

    def line(self) -> list[tuple[str, int, int | None]]:
        """What stands on his line, times in minutes, without what lasted no time."""
        rows = Standing.objects.across(reason="own").filter(responder=self.one.id).order_by("since", "until")
        told: list[tuple[str, int, int | None]] = []
        for row in rows:
            since = round((row.since - NOON).total_seconds() / 60)
            until = round((row.until - NOON).total_seconds() / 60) if row.until else None
            if since == until:
                continue
            if told and told[-1][0] == row.status and told[-1][2] == since:
                since = told.pop()[1]
            told.append((row.status, since, until))
        return told

    def hours(self) -> tuple[str, int, int | None]:
        row = self.now()
        on = round((row.on_duty_since - NOON).total_seconds() / 60) if row.on_duty_since else None
        return row.status, row.minutes_served, on


@pytest.fixture
def post() -> Post:
    return Post()


def test_a_day_without_network_in_one_batch_counts_once(post: Post) -> None:
    facts = [post.says("HERE", 5), post.says("LEAVING", 245), post.says("HERE", 300)]

    assert post.record(*facts) == [APPLIED] * 3
    assert post.record(*facts) == [("DUPLICATE", "")] * 3
    assert post.hours() == ("ON_DUTY", 240, 300)
    assert post.line() == [
        ("ASSIGNED", 0, 5),
        ("ON_DUTY", 5, 245),
        ("RESTING", 245, 300),
        ("ON_DUTY", 300, None),
    ]
    assert set(Fact.objects.values_list("subject_type", "value")) == {
        ("responder", "HERE"), ("responder", "LEAVING")
    }  # fmt: skip
    told = [(e.verb, e.at, e.facts["heard"]) for e in Event.objects.filter(entity="Responder").order_by("at")]
    assert told[0] == ("arrive", at(5), LATER.isoformat()), "when it was recorded, and when it came in"
    assert verify_all() == []


@pytest.mark.parametrize("order", itertools.permutations(range(4)))
def test_in_whatever_order_they_are_heard_of_the_day_is_the_same(order: tuple[int, ...]) -> None:
    post = Post()
    facts = [post.says("HERE", 10), post.says("LEAVING", 40), post.says("HERE", 60), post.says("HERE", 20)]

    for n in order:
        assert post.record(facts[n]) == [APPLIED]

    assert post.line() == [
        ("ASSIGNED", 0, 10),
        ("ON_DUTY", 10, 40),
        ("RESTING", 40, 60),
        ("ON_DUTY", 60, None),
    ]
    assert post.hours() == ("ON_DUTY", 30, 60)


@pytest.mark.parametrize("seed", range(6))
def test_in_any_order_and_cut_minutes_and_line_stay_together(seed: int) -> None:
    """A slow oracle: the words sorted by time, each holding until the next."""
    rng, post = random.Random(seed), Post()
    times = rng.sample(range(1, 400), 7)
    steps = {t: rng.choice(["HERE", "LEAVING"]) for t in times}
    facts = {t: post.says(steps[t], t) for t in times}
    left = list(times)
    while left:
        cut = rng.randint(1, len(left))
        post.record(*(facts[t] for t in left[:cut]))
        left = left[cut:]

    served, began = 0, None
    for t in sorted(times):
        if began is not None and steps[t] == "LEAVING":
            served, began = served + t - began, None
        elif began is None and steps[t] == "HERE":
            began = t
    assert post.hours()[1:] == (served, began)


def test_the_desk_was_between_and_its_word_stands(post: Post) -> None:
    post.desk("STANDBY", 30)

    assert post.record(post.says("HERE", 10)) == [CHANGED]
    assert post.hours() == ("STANDBY", 20, None)
    assert post.record(post.says("HERE", 40)) == [APPLIED]
    assert post.hours() == ("ON_DUTY", 20, 40)


def test_who_came_after_his_place_was_taken_back_is_kept_and_looked_at(post: Post) -> None:
    post.desk("VETTED", 30, grid=None)

    assert post.record(post.says("HERE", 40)) == [NOT_YOURS]
    assert post.hours() == ("VETTED", 0, None)
    assert post.record(post.says("HERE", 20)) == [CHANGED], "then it was still his"
    assert post.hours() == ("VETTED", 10, None)
    assert post.record(post.says("LEAVING", 50)) == [APPLIED], "nothing speaks against going home"
    assert post.now().status == "VETTED"


def test_who_was_moved_meanwhile_stood_at_a_post_not_his(post: Post) -> None:
    post.desk("ASSIGNED", 30, grid=post.world.grids[3].id)

    assert post.record(post.says("HERE", 40)) == [NOT_YOURS]
    assert post.record(post.says("HERE", 40, grid=post.world.grids[3].id)) == [APPLIED]
    assert post.now().status == "ON_DUTY"


def test_the_code_of_the_post_shows_it_and_a_wrong_one_is_looked_at(post: Post) -> None:
    code = arriving.post_code(post.world.grids[0].id, incident=post.world.incident.id)

    assert post.record(post.says("HERE", 5, code="ABCD-EFGH")) == [("FLAGGED", "duty_code_wrong")]
    assert post.now().status == "ON_DUTY"
    assert not Event.objects.filter(verb="arrival_shown").exists()
    assert post.record(post.says("HERE", 6, code=f" {code.lower()} ")) == [APPLIED]
    assert Event.objects.filter(verb="arrival_shown").count() == 1


def test_everybody_speaks_for_himself_only(post: Post) -> None:
    other = post.world.workers[1].id

    assert post.record(post.says("HERE", 5, worker=1)) == [("QUARANTINED", "out_of_scope")]
    assert post.record(post.says("HERE", 5, subject=other)) == [("QUARANTINED", "out_of_scope")]
    assert post.record(post.says("HERE", 5, worker=1, subject=other)) == [("HELD", "unknown_subject")]
    assert post.record(post.says("GONE", 5)) == [("HELD", "bad_body")]
    assert post.now().status == "ASSIGNED"


@pytest.mark.parametrize("status", ["REGISTERED", "ISOLATED", "UNAVAILABLE", "RELEASED", "DECLINED"])
def test_who_has_no_duty_now_does_not_come_by_himself(status: str) -> None:
    post = Post(status)

    assert post.record(post.says("HERE", 5), post.says("LEAVING", 9)) == [NOT_YOURS, APPLIED]
    assert post.hours() == (status, 0, None)


def test_clocks_that_are_wrong_are_bounded_by_when_it_was_heard(post: Post) -> None:
    assert post.record(post.says("HERE", 600)) == [("FLAGGED", "time_future")]
    assert post.now().on_duty_since == LATER
    assert post.record(post.says("HERE", -60 * 24 * 400)) == [NOT_YOURS], "before he checked in"


def test_leaving_hands_on_what_was_not_begun_when_it_is_heard() -> None:
    post = Post("ON_DUTY")
    items = [items_of([ask(post.world, category=kind).request.id])[0].id for kind in ("food", "repair")]
    for item in items:
        work.accept(item, responder=post.one.id, at=NOON)
    work.arrive(items[1], responder=post.one.id, at=NOON)

    assert post.record(post.says("LEAVING", 30)) == [APPLIED]

    assert post.now().status == "RESTING"
    kept = {i.id: i.responder for i in items_of([i.request_id for i in map(_item, items)])}
    assert kept == {items[0]: None, items[1]: post.one.id}
    assert post.now().open_jobs == 1


def test_leaving_told_after_coming_again_takes_nothing_away() -> None:
    post = Post("ON_DUTY")
    item = items_of([ask(post.world).request.id])[0].id
    work.accept(item, responder=post.one.id, at=NOON)
    post.record(post.says("LEAVING", 30), post.says("HERE", 60))

    assert post.hours() == ("ON_DUTY", 30, 60)
    assert _item(item).responder == post.one.id


def test_who_came_without_network_may_take_work_in_the_same_breath() -> None:
    post = Post("RESTING")
    asked = ask(post.world).request
    item = items_of([asked.id])[0].id
    taken = post.world.fact(
        "work.taken", asked.id, "request", minutes=8, received=LATER, item=str(item),
        sub_district=post.world.streets[0].id,
    )  # fmt: skip

    assert post.record(post.says("HERE", 5), taken) == [APPLIED, APPLIED]
    assert _item(item).responder == post.one.id


def _item(item: Any) -> Any:
    from muster.requests.queries import item_with_id

    return item_with_id(item)
