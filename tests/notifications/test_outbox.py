# SPDX-License-Identifier: Apache-2.0
"""The outbox: once, in time, merged, capped, quiet at night, nobody off duty paged, nothing lost."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import close_old_connections
from hypothesis import given
from hypothesis import strategies as st

from muster.base.ids import new_id
from muster.notifications import rules
from muster.notifications.models import Message
from muster.notifications.queries import told_to
from muster.notifications.rules import MOST_TRIES, Waiting, judge, quiet_end
from muster.notifications.senders import NotSent, Outgoing
from muster.notifications.services import (
    Telling,
    ToAccount,
    ToArea,
    ToPhone,
    ToResponder,
    mark_read,
    notify_many,
)
from muster.notifications.states import Delivery, Fault, Priority
from tests.notifications.conftest import Outbox
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
PHONE = ToPhone("138 0000 0001")
NIGHT = NOON.replace(hour=15)  # 23:00 there


class Broken:
    """A gateway that is down."""

    def __init__(self, times: int = 10**6) -> None:
        self.times, self.asked = times, 0

    def send(self, one: Outgoing, phone: str) -> None:
        self.asked += 1
        if self.asked <= self.times:
            raise NotSent


def test_a_phone_gets_one_line_and_the_number_is_sealed_until_then(outbox: Outbox) -> None:
    outbox.tell("request_accepted", PHONE, facts={"number": 4827})

    row = Message.objects.across(reason="messages").get()
    assert b"138" not in bytes(row.__dict__["phone"])
    assert "138" not in row.target + row.key
    assert outbox.deliver().sent == 1
    (line,) = outbox.lines()
    assert line["to"] == "138 0000 0001"
    assert "4827" in line["text"]
    assert outbox.states() == [(Delivery.SENT, "")]
    assert (outbox.folder / f"{outbox.world.incident.id}.jsonl").stat().st_mode & 0o077 == 0


def test_the_same_is_not_told_twice(outbox: Outbox) -> None:
    made = [outbox.tell("request_accepted", PHONE, facts={"number": 1}) for _ in range(3)]
    other = outbox.tell("request_accepted", PHONE, key="2", facts={"number": 2})

    outbox.deliver()

    assert (made, other) == ([1, 0, 0], 1)
    assert len(outbox.lines()) == 2
    assert outbox.deliver(hours=2).sent == 0


def test_many_at_once_and_nobody_at_all(outbox: Outbox) -> None:
    people = [Telling("placement_adopted", "plan-1", ToAccount(new_id())) for _ in range(1200)]

    assert notify_many(people + people[:5], incident=outbox.world.incident.id, at=NOON) == 1200
    assert notify_many([], incident=outbox.world.incident.id, at=NOON) == 0
    assert outbox.tell("request_accepted", ToPhone(""), facts={"number": 1}) == 0
    assert outbox.tell("head_missing", ToArea(outbox.world.city.path), facts={"count": 2}) == 0


def test_who_is_off_duty_is_not_paged_and_reads_it_later(outbox: Outbox) -> None:
    helper, account = new_id(), new_id()
    outbox.off_duty = {helper}
    for priority in (Priority.NORMAL, Priority.LIFE):
        outbox.tell("request_offered", ToResponder(helper, account, "13800000002"), key=str(priority),
                    facts={"time": NOON + timedelta(hours=1)}, priority=priority)  # fmt: skip

    outbox.deliver()

    assert outbox.lines() == []
    assert sorted(outbox.states()) == [(Delivery.FAILED, Fault.OFF_DUTY)] * 2 + [(Delivery.SENT, "")] * 2
    assert len(told_to(account=account, responder=None, at=outbox.at)) == 2


def test_who_is_on_duty_is_paged(outbox: Outbox) -> None:
    """Negative control."""
    outbox.tell("request_offered", ToResponder(new_id(), None, "13800000002"), facts={"time": NOON})

    assert outbox.deliver().sent == 1


def test_it_is_quiet_at_night_except_for_a_life(outbox: Outbox) -> None:
    outbox.at = NIGHT
    outbox.tell("request_accepted", PHONE, facts={"number": 1})
    outbox.tell("request_accepted", PHONE, key="2", facts={"number": 2}, priority=Priority.LIFE)

    assert outbox.deliver().sent == 1
    assert [line["text"].count("2") > 0 for line in outbox.lines()] == [True]
    assert outbox.deliver(hours=7, minutes=59).sent == 0
    assert outbox.deliver(minutes=2).sent == 1


def test_several_are_told_as_one(outbox: Outbox) -> None:
    to = ToResponder(new_id(), None, "13800000003")
    for n in range(3):
        outbox.tell("request_offered", to, key=str(n), facts={"time": NOON})
    outbox.tell("request_offered", to, key="life", facts={"time": NOON}, priority=Priority.LIFE)

    report = outbox.deliver()

    assert (report.sent, report.merged) == (2, 2)
    texts = [line["text"] for line in outbox.lines()]
    assert "3" in texts[1]
    assert "三" not in texts[0]
    merged = Message.objects.across(reason="messages").filter(status=Delivery.MERGED)
    assert merged.count() == 2
    assert all(row.told_in for row in merged)


def test_counts_add_up_when_they_are_merged(outbox: Outbox) -> None:
    for n in (2, 5):
        outbox.tell("request_expired", PHONE, key=str(n), facts={"count": n})

    outbox.deliver()

    assert "7" in outbox.lines()[0]["text"]


def test_a_phone_hears_so_much_in_an_hour_and_the_rest_later(outbox: Outbox) -> None:
    cap = rules.CAPS["SMS"]
    for n in range(cap + 3):
        outbox.tell("request_accepted", PHONE, key=str(n), facts={"number": n})
    outbox.tell("request_accepted", ToPhone("13900000000"), key="x", facts={"number": 99})

    assert outbox.deliver().sent == cap + 1
    assert outbox.deliver(minutes=30).sent == 0
    assert outbox.deliver(minutes=31).sent == 3
    assert len(outbox.lines()) == cap + 4


def test_a_gateway_that_is_down_is_tried_again_and_then_given_up(outbox: Outbox) -> None:
    outbox.tell("request_accepted", PHONE, facts={"number": 1})
    down = Broken()

    for _ in range(40):
        outbox.deliver(sms=down, minutes=10)

    assert down.asked == MOST_TRIES
    assert outbox.states() == [(Delivery.FAILED, Fault.UNREACHABLE)]


def test_a_gateway_that_comes_back_gets_it_once(outbox: Outbox) -> None:
    outbox.tell("request_accepted", PHONE, facts={"number": 1})
    down = Broken(times=2)

    for _ in range(5):
        outbox.deliver(sms=down, minutes=10)

    assert down.asked == 3
    assert outbox.states() == [(Delivery.SENT, "")]


def test_a_bug_in_one_message_does_not_hold_up_the_next(outbox: Outbox) -> None:
    class Odd:
        told: list[str] = []

        def send(self, one: Outgoing, phone: str) -> None:
            if not self.told and phone.startswith("1"):
                self.told.append("bug")
                raise RuntimeError
            self.told.append(one.text)

    outbox.tell("request_accepted", PHONE, facts={"number": 1})
    outbox.tell("request_accepted", ToPhone("13900000000"), key="2", facts={"number": 2})

    report = outbox.deliver(sms=Odd())

    assert (report.sent, report.waiting) == (1, 1)


def test_killed_while_sending_it_goes_out_again_with_the_same_key(outbox: Outbox) -> None:
    class Killed:
        def __init__(self) -> None:
            self.keys: list[str] = []

        def send(self, one: Outgoing, phone: str) -> None:
            self.keys.append(one.key)
            if len(self.keys) == 1:
                raise KeyboardInterrupt

    outbox.tell("request_accepted", PHONE, facts={"number": 1})
    gateway = Killed()
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver(sms=gateway)

    assert outbox.states() == [(Delivery.QUEUED, "")]
    assert outbox.deliver(sms=gateway, minutes=1).sent == 0  # still claimed by who died
    assert outbox.deliver(sms=gateway, minutes=2).sent == 1
    assert len(gateway.keys) == 2
    assert len(set(gateway.keys)) == 1


def test_what_is_over_is_not_told(outbox: Outbox) -> None:
    outbox.tell("request_accepted", PHONE, facts={"number": 1}, expires_at=NOON + timedelta(minutes=5))

    outbox.deliver(minutes=6)

    assert outbox.lines() == []
    assert outbox.states() == [(Delivery.FAILED, Fault.EXPIRED)]


def test_reading_it_is_the_acknowledgement_of_its_reader_only(outbox: Outbox) -> None:
    account = new_id()
    outbox.tell("request_escalated", ToAccount(account), facts={"number": 7})
    (row,) = told_to(account=account, responder=None, at=NOON)

    assert mark_read(account=new_id(), responder=None, at=NOON, only=[row.id]) == 0
    assert mark_read(account=account, responder=None, at=NOON, only=[new_id()]) == 0
    assert mark_read(account=account, responder=None, at=NOON) == 1
    assert mark_read(account=account, responder=None, at=NOON) == 0

    assert outbox.states() == [(Delivery.ACK, "")]


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_it_once(outbox: Outbox) -> None:
    for n in range(8):
        outbox.tell("request_accepted", ToPhone(f"1380000010{n}"), key=str(n), facts={"number": n})
    start = threading.Barrier(3)

    def run() -> None:
        start.wait()
        try:
            outbox.deliver()
        finally:
            close_old_connections()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    keys = [line["key"] for line in outbox.lines()]
    assert len(keys) == len(set(keys)) == 8


@given(
    st.datetimes(min_value=datetime(2022, 1, 1), max_value=datetime(2022, 12, 31)),  # noqa: DTZ001
    st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
)
def test_quiet_always_ends_within_nine_hours_by_day(naive: datetime, zone: str) -> None:
    at = naive.replace(tzinfo=NOON.tzinfo)

    end = quiet_end(at, zone=zone)

    if end is not None:
        assert at < end <= at + timedelta(hours=10)
        assert quiet_end(end, zone=zone) is None


@given(st.integers(0, 30), st.booleans(), st.sampled_from(list(Priority)), st.integers(0, 23), st.booleans())
def test_a_life_waits_for_nothing_and_nobody_off_duty_is_ever_paged(
    sent: int, off: bool, priority: int, hour: int, pages: bool
) -> None:
    at = NOON.replace(hour=hour)
    told: dict[str, Any] = {
        "zone": "Asia/Shanghai",
        "is_off_duty": off,
        "sent_lately": sent,
        "cap_free_at": None,
    }

    ruling = judge(Waiting("SMS", priority, pages, at + timedelta(hours=1)), **told, at=at)

    if off and pages:
        assert ruling.fault == Fault.OFF_DUTY
    elif priority == Priority.LIFE:
        assert ruling.sends
    assert not (ruling.fault and ruling.wait_until)
    assert ruling.wait_until is None or ruling.wait_until > at


def test_first_of_a_city_told_at_once_is_found_without_sorting_the_city(outbox: Outbox) -> None:
    """By the index, in turn: a hundred at a time, however many wait."""
    from django.db import connection

    if connection.vendor != "sqlite":
        pytest.skip("the plan of a small table says nothing there")
    rows = Message.objects.across(reason="messages").filter(status="QUEUED", next_at__lte=outbox.at)

    plan = rows.order_by("priority", "next_at", "id")[:100].explain()

    assert "message_in_turn" in plan
    assert "TEMP B-TREE" not in plan
