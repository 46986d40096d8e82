# SPDX-License-Identifier: Apache-2.0
"""Passing on: nothing is lost, nothing counts before the city's receipt, nobody waits behind a bad batch."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from muster.accounts.models import Device
from muster.accounts.services import house_device
from muster.base.codes import read_lease
from muster.base.crypto import verify
from muster.base.ids import new_id
from muster.intake.journal import JournalRow
from muster.intake.receipts import make_receipt
from muster.storage.keys import keystore
from muster.sync.fold import fold_once
from muster.sync.models import HomeCity, Passage, Site, StuckBatch
from muster.sync.site import passing as passing_module
from muster.sync.site.adopting import adopt_lease
from muster.sync.site.desk_records import DeskRecords
from muster.sync.site.pace import LONGEST, Pace
from muster.sync.site.passing import Passing, by_rank, kept_positions
from muster.sync.site.telling import News, Word
from muster.sync.site.uplink import Cut, Refused, Uplink
from muster.trail.models import Fact
from tests.spine.test_fold import Rows
from tests.support.world import NOON, make_world

pytestmark = pytest.mark.django_db
INCIDENT = new_id()


class Journal(Rows):
    """What a site's front door has kept, in memory."""

    def add(self, device: uuid.UUID, *, writer: int = 1, **other: Any) -> JournalRow:
        n = 1 + sum(1 for row in self.rows if row.writer == writer)
        body = msgspec.json.encode({"device": device, "batch": new_id(), "facts": [{"n": n}]})
        row = JournalRow(
            writer=writer, n=n, received_at=NOON + timedelta(minutes=n), device=device, batch=new_id(),
            incident=INCIDENT, lease=f"lease-{device}", alg="ES256", signature=b"s" * 64,
            sha256=hashlib.sha256(body).digest(), body=other.get("body", body), fault=other.get("fault"),
        )  # fmt: skip
        self.rows.append(row)
        return row

    def heads(self) -> dict[int, int]:
        return {w: max(r.n for r in self.rows if r.writer == w) for w in {r.writer for r in self.rows}}


class City:
    """The far end: what it has, when it is cut off, what it refuses."""

    def __init__(self) -> None:
        self.has: list[uuid.UUID] = []
        self.words: list[Word] = []
        self.cut_after: int | None = None
        self.refuses: dict[uuid.UUID, str] = {}
        self.knows_us = True

    def send_batch(self, row: JournalRow) -> None:
        if self.cut_after is not None and len(self.has) >= self.cut_after:
            raise Cut("line_cut")
        if row.batch in self.refuses:
            raise Refused(self.refuses[row.batch])
        self.has.append(row.batch)

    def say(self, word: Word) -> None:
        if self.cut_after == 0:
            raise Cut("line_cut")
        if not self.knows_us:
            raise Refused("site_unknown")
        self.words.append(word)

    def ask_news(self, cursor: dict[str, Any]) -> News:
        raise NotImplementedError


@pytest.fixture
def home(db: None) -> HomeCity:
    return HomeCity.objects.create(
        id=new_id(), site=keystore().instance_key().instance, name="东沟", incident=INCIDENT,
        web="https://a.test:8000", intake="https://a.test:8001", opened_at=NOON,
        until=NOON + timedelta(days=7),
    )  # fmt: skip


@pytest.fixture
def journal() -> Journal:
    journal = Journal()
    for _ in range(6):
        device = new_id()
        for _ in range(5):
            journal.add(device)
    for _ in range(7):
        journal.add(device, writer=2)
    return journal


def passing(journal: Journal, city: City) -> Passing:
    return Passing(journal, city, key=keystore().instance_key())  # type: ignore[arg-type]


def drain(journal: Journal, city: City) -> Any:
    return passing(journal, city).drain(now=lambda: NOON)


def test_all_is_passed_once_and_each_with_our_own_receipt(home: HomeCity, journal: Journal) -> None:
    city = City()

    told = drain(journal, city)

    assert (told.passed, told.waiting) == (37, 0)
    assert sorted(city.has) == sorted(row.batch for row in journal.rows)
    assert {r.batch for w in city.words for r in w.receipts} == set(city.has)
    home.refresh_from_db()
    assert (home.passed_batches, home.passed_facts, home.waiting) == (37, 37, 0)
    assert drain(journal, city).passed == 0
    assert len(city.has) == 37


@pytest.mark.parametrize("cut_after", [0, 1, 7, 36])
def test_a_line_that_is_cut_anywhere_loses_nothing(home: HomeCity, journal: Journal, cut_after: int) -> None:
    city = City()
    city.cut_after = cut_after
    told = drain(journal, city)
    assert told.trouble == "line_cut"
    assert told.waiting >= 37 - cut_after
    home.refresh_from_db()
    assert home.waiting_since == journal.rows[0].received_at if cut_after == 0 else home.waiting_since

    city.cut_after = None
    assert drain(journal, city).waiting == 0
    assert set(city.has) == {row.batch for row in journal.rows}


def test_a_forwarder_that_marks_before_the_answer_loses_batches(
    home: HomeCity, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: the same cut line, and a mark that does not wait for the receipt."""
    marked = passing_module._mark
    monkeypatch.setattr(
        passing_module, "_mark", lambda rows, _, passed: marked(rows, {(r.writer, r.n) for r in rows}, passed)
    )
    city = City()
    city.cut_after = 3
    drain(journal, city)
    city.cut_after = None
    drain(journal, city)

    assert len(set(city.has)) < 37


def test_one_refused_batch_stays_in_sight_and_holds_nobody(home: HomeCity, journal: Journal) -> None:
    city = City()
    bad = journal.rows[3]
    city.refuses[bad.batch] = "lease_unknown"

    told = drain(journal, city)

    assert told.waiting == 1
    assert len(city.has) == 36
    stuck = StuckBatch.objects.get()
    assert (stuck.batch, stuck.code) == (bad.batch, "lease_unknown")
    assert kept_positions({1: 30, 2: 7}) == {1: 3, 2: 7}

    # The city learns; later the batch is offered again.
    city.refuses.clear()
    passing(journal, city).turn(at=NOON + timedelta(minutes=11))
    assert bad.batch in city.has
    assert not StuckBatch.objects.exists()
    assert kept_positions({1: 30, 2: 7}) == {1: 30, 2: 7}


def test_a_batch_that_cannot_be_opened_here_is_stuck_not_skipped(home: HomeCity) -> None:
    journal = Journal()
    journal.add(new_id(), body=None, fault="key_destroyed")
    journal.add(new_id())

    assert drain(journal, City()).waiting == 1
    assert StuckBatch.objects.get().code == "key_destroyed"


def test_a_city_that_does_not_know_us_still_gets_what_its_phones_signed(
    home: HomeCity, journal: Journal
) -> None:
    city = City()
    city.knows_us = False

    told = drain(journal, city)

    assert told.trouble == "site_unknown"
    assert len(city.has) == 37


def test_nothing_is_archived_before_it_was_passed_on(home: HomeCity, journal: Journal) -> None:
    assert kept_positions({1: 30, 2: 7}) == {1: 0, 2: 0}
    Passage.objects.create(writer=1, position=12)
    assert kept_positions({1: 30, 2: 7}) == {1: 12, 2: 0}
    HomeCity.objects.all().delete()
    assert kept_positions({1: 30, 2: 7}) == {1: 30, 2: 7}


def test_each_phone_is_heard_once_before_anybody_twice(journal: Journal) -> None:
    ordered = list(by_rank(journal.rows))

    assert len({row.device for row in ordered[:6]}) == 6
    assert sorted((r.writer, r.n) for r in ordered) == sorted((r.writer, r.n) for r in journal.rows)


def test_waits_grow_are_spread_and_never_shorter_than_asked() -> None:
    pace = Pace(chance=lambda: 0.5)
    waits = [pace.wait() for _ in range(12)]
    assert waits == sorted(waits)
    assert waits[-1] <= LONGEST
    assert pace.wait(asked=600) >= 600
    pace.went_well()
    assert pace.wait() == waits[0]
    assert len({round(Pace().wait(), 6) for _ in range(20)}) > 15


def uplink(home: HomeCity, answer: Any) -> Uplink:
    own = keystore().instance_key()
    return Uplink(
        home, key=own, city_keys=[own.jwk], now=lambda: NOON, transport=httpx.MockTransport(answer)
    )  # fmt: skip


def receipt_for(row: JournalRow, **other: Any) -> dict[str, Any]:
    made = make_receipt(
        keystore().instance_key(), batch=row.batch, device=row.device, sha256=row.sha256,
        received_at=NOON, count=1,
    )  # fmt: skip
    return {**msgspec.to_builtins(made), **other}


def test_the_same_bytes_go_out_and_the_citys_receipt_is_read(home: HomeCity, journal: Journal) -> None:
    row = journal.rows[0]
    seen: list[httpx.Request] = []

    def city(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=receipt_for(row))

    home.address = "203.0.113.9"
    uplink(home, city).send_batch(row)

    assert seen[0].content == row.body
    assert seen[0].headers["Authorization"] == f"Bearer {row.lease}"
    assert seen[0].headers["Host"] == "a.test:8001"
    assert seen[0].url.host == "203.0.113.9"
    assert seen[0].extensions["sni_hostname"] == "a.test"


@pytest.mark.parametrize(
    "answer",
    [
        lambda row: httpx.Response(200, text="<html>Welcome to our Wi-Fi"),
        lambda row: httpx.Response(200, json=receipt_for(row, sha256="0" * 64)),
        lambda row: httpx.Response(200, json=receipt_for(row, signature="A" * 86)),
        lambda row: httpx.Response(302, headers={"Location": "https://login.test"}),
        lambda row: httpx.Response(400, text="<html>"),
        lambda row: httpx.Response(502),
        lambda row: httpx.Response(503, headers={"Retry-After": "40"}),
    ],
    ids=["portal", "other bytes", "unsigned", "redirect", "html 400", "502", "503"],
)
def test_an_answer_that_is_not_the_citys_counts_for_nothing(
    home: HomeCity, journal: Journal, answer: Any
) -> None:
    row = journal.rows[0]
    with pytest.raises(Cut) as cut:
        uplink(home, lambda _: answer(row)).send_batch(row)

    assert cut.value.wait in (0.0, 40.0)


def test_what_the_citys_door_refuses_by_name_is_refused(home: HomeCity, journal: Journal) -> None:
    with pytest.raises(Refused) as refused:
        uplink(home, lambda _: httpx.Response(401, json={"code": "lease_unknown"})).send_batch(
            journal.rows[0]
        )

    assert refused.value.code == "lease_unknown"


def test_what_the_sites_own_desk_recorded_comes_too_and_counts_at_the_city(db: None) -> None:
    """The same database stands for both houses: what the desk's batch says is known there by its id."""
    world = make_world(doors=2, people=1)
    own = keystore().instance_key()
    home = HomeCity.objects.create(
        id=new_id(), site=own.instance, name="东沟", incident=world.incident.id,
        grids=[world.grids[0].id], web="https://a.test", intake="https://a.test", opened_at=NOON,
        until=NOON + timedelta(days=7),
    )  # fmt: skip
    desk = house_device()
    for number, person in enumerate(world.persons[:2], 1):
        world.record(world.outcome(person, "done", device=desk.id, seq=number, worker=number))
    records = DeskRecords(key=own)

    made = records.next_batch(home, at=NOON)
    assert made is not None
    row, facts = made
    assert len(facts) == 2
    assert verify("Ed25519", own.jwk, row.body or b"", row.signature)
    records.passed(facts)
    assert records.next_batch(home, at=NOON) is None
    assert DeskRecords(key=own).next_batch(home, at=NOON) is not None  # again after a restart, harmlessly

    # At a city that knows the site and has none of this.
    HomeCity.objects.all().delete()
    Fact.objects.all().delete()
    Device.objects.filter(id=desk.id).delete()
    Site.objects.create(
        id=own.instance, name="东沟", incident=world.incident.id, grids=[world.grids[0].id],
        sub_districts=[s.id for s in world.streets], kid=own.kid, certificate=b"", prepared_at=NOON,
        until=NOON + timedelta(days=7),
    )  # fmt: skip
    claims = read_lease(row.lease, keystore().trusted_keys())
    assert adopt_lease(claims, at=NOON) is not None
    assert Device.objects.get(id=desk.id).kind == "SITE"
    city = Rows()
    city.rows.append(msgspec.structs.replace(row, writer=1, n=1))
    fold_once(city, now=lambda: NOON)  # type: ignore[arg-type]
    assert list(Fact.objects.values_list("verdict", flat=True)) == ["APPLIED", "APPLIED"]
