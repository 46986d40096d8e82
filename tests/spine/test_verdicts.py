# SPDX-License-Identifier: Apache-2.0
"""Bad input, each kind with its verdict from the published list; the list is whole and has words."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import muster
from muster.accounts.models import Device
from muster.accounts.services import revoke_device
from muster.base.ids import new_id
from muster.base.messages import messages
from muster.campaigns.models import LedgerEntry
from muster.intake.answers import STATUS
from muster.sync import verdict_list
from muster.sync.verify import verify_all
from muster.trail.models import Fact, SecondCopy, Waiting
from tests.spine.test_fold import Phone, Rows, fold
from tests.support.world import NOON, World, make_world

SOURCES = Path(muster.__file__).parent
PUBLISHED = {reason.code: reason.verdict for reason in verdict_list.FACTS}
Act = Callable[[World, Phone], None]


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def phone(world: World, rows: Rows) -> Phone:
    return Phone(world, rows)


def one(**changes: Any) -> Act:
    """A sound fact with something changed before it is signed."""
    return lambda world, phone: phone.post(phone.outcome(world.persons[0], **changes))


def body(**changes: Any) -> Act:
    def act(world: World, phone: Phone) -> None:
        fact = phone.outcome(world.persons[0])
        phone.post({**fact, "body": {**fact["body"], **changes}})

    return act


def somebody(sub_district: int, person: uuid.UUID | None = None) -> dict[str, Any]:
    return {"sub_district": sub_district, "person": str(person or new_id())}


def forged_signature(world: World, phone: Phone) -> None:
    phone.post(phone.outcome(world.persons[0]), tamper=lambda text: text.replace(b'"done"', b'"away"'))


def signed_by_another(world: World, phone: Phone) -> None:
    other = Phone(world, phone.rows)
    phone.client.key = other.client.key
    phone.post(phone.outcome(world.persons[0]))


def batch_of_another_device(world: World, phone: Phone) -> None:
    phone.client.enrolment = {**phone.client.enrolment, "device": str(new_id())}
    real = uuid.UUID(str(phone.lease.device_id))
    phone.post(phone.outcome(world.persons[0]), device=real)


def lease_of_another_device(world: World, phone: Phone) -> None:
    phone.post(phone.outcome(world.persons[0]), lease=Phone(world, phone.rows).client.lease)


def expired(world: World, phone: Phone) -> None:
    late = NOON + timedelta(days=3)
    phone.post(phone.outcome(world.persons[0], occurred_at=late.isoformat()), at=late)


def revoked(world: World, phone: Phone) -> None:
    device = Device.objects.get(id=phone.client.device)
    revoke_device(device, by=world.head.id, at=NOON)
    phone.post(phone.outcome(world.persons[0]), at=NOON + timedelta(minutes=5))


BAD: dict[str, tuple[Act, str, str]] = {
    "time in the future": (one(occurred_at="2031-01-01T08:00:00+08:00"), "FLAGGED", "time_future"),
    "an hour ahead": (one(occurred_at=(NOON + timedelta(hours=1)).isoformat()), "FLAGGED", "time_future"),
    "1970": (one(occurred_at="1970-01-01T00:00:00+08:00"), "FLAGGED", "time_ancient"),
    "no time": (one(occurred_at="yesterday"), "HELD", "bad_body"),
    "time without a zone": (one(occurred_at="2022-09-02T12:00:00"), "HELD", "bad_body"),
    "unknown kind": (one(kind="entry.dreamt"), "HELD", "unknown_kind"),
    "unknown person": (
        lambda world, phone: phone.post(
            phone.outcome(world.persons[0], subject=somebody(world.persons[0].sub_district))
        ),
        "HELD",
        "unknown_subject",
    ),
    "unknown round": (body(round=str(uuid.uuid4())), "HELD", "unknown_round"),
    "unknown outcome": (body(outcome="vanished"), "HELD", "unknown_outcome"),
    "a field nobody knows": (body(mood="good"), "HELD", "bad_body"),
    "a note too long": (body(note="长" * 2001), "HELD", "bad_body"),
    "two subjects": (
        one(subject={"sub_district": 1, "person": str(uuid.uuid4()), "dwelling": str(uuid.uuid4())}),
        "HELD",
        "bad_body",
    ),
    "a version of tomorrow": (one(v=2), "HELD", "bad_body"),
    "forged signature": (forged_signature, "QUARANTINED", "bad_signature"),
    "signed by another phone": (signed_by_another, "QUARANTINED", "bad_signature"),
    "device in the batch is another": (batch_of_another_device, "QUARANTINED", "device_unknown"),
    "lease of another phone": (lease_of_another_device, "QUARANTINED", "lease_forged"),
    "expired lease": (expired, "QUARANTINED", "lease_expired"),
    "revoked lease": (revoked, "QUARANTINED", "lease_revoked"),
    "actor not on this phone": (one(actor=str(uuid.uuid4())), "QUARANTINED", "actor_not_on_device"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_has_its_verdict_and_its_neighbour_counts(
    world: World, rows: Rows, phone: Phone, name: str
) -> None:
    act, verdict, code = BAD[name]
    neighbour = Phone(world, rows)
    act(world, phone)
    neighbour.post(neighbour.outcome(world.persons[1]))

    verdicts = fold(rows)

    assert sorted(verdicts) == sorted([(verdict, code), ("APPLIED", "")])
    assert PUBLISHED[code] == verdict
    waits = verdict in ("HELD", "QUARANTINED")
    assert list(Waiting.objects.values_list("code", flat=True)) == [code], "each is put before a person"
    assert (LedgerEntry.objects.get(subject=world.persons[0].id).cls == "OPEN") is waits
    assert verify_all() == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("clock_off", "verdict"),
    [
        (timedelta(0), ("APPLIED", "")),
        (timedelta(hours=-3), ("APPLIED", "")),
        (timedelta(days=-40), ("FLAGGED", "time_ancient")),
        (timedelta(hours=2), ("FLAGGED", "time_future")),
        (timedelta(days=40), ("FLAGGED", "time_future")),
    ],
    ids=["right", "slow by hours", "slow by weeks", "fast by hours", "fast by weeks"],
)
@pytest.mark.parametrize("ended", ["revoked", "expired"])
def test_what_was_here_before_the_lease_ended_counts_whatever_the_phones_clock_said(
    world: World, rows: Rows, phone: Phone, clock_off: timedelta, verdict: tuple[str, str], ended: str
) -> None:
    said = (NOON + clock_off).isoformat()
    phone.post(phone.outcome(world.persons[0], occurred_at=said), at=NOON)
    if ended == "revoked":
        revoke_device(
            Device.objects.get(id=phone.client.device), by=world.head.id, at=NOON + timedelta(minutes=1)
        )
        late = NOON + timedelta(minutes=2)
    else:
        late = NOON + timedelta(days=3)
    phone.post(phone.outcome(world.persons[1], occurred_at=late.isoformat()), at=late)

    verdicts = fold(rows)

    assert sorted(verdicts) == sorted([verdict, ("QUARANTINED", f"lease_{ended}")])
    assert LedgerEntry.objects.get(subject=world.persons[0].id).cls == "DONE"
    assert LedgerEntry.objects.get(subject=world.persons[1].id).cls == "OPEN"
    assert verify_all() == []


@pytest.mark.django_db
def test_replayed_batch_with_another_body_is_kept_beside_the_first(
    world: World, rows: Rows, phone: Phone
) -> None:
    fact = phone.outcome(world.persons[0], "away")
    phone.post(fact)
    phone.post({**fact, "body": {**fact["body"], "outcome": "done"}})
    phone.post({**phone.outcome(world.persons[0]), "seq": fact["seq"]})

    verdicts = fold(rows)

    assert verdicts == [("APPLIED", "")]
    assert sorted(SecondCopy.objects.values_list("code", flat=True)) == ["body_differs", "seq_reused"]
    assert LedgerEntry.objects.get(subject=world.persons[0].id).outcome == "away"
    assert {PUBLISHED["body_differs"], PUBLISHED["seq_reused"]} == {"FLAGGED"}
    assert verify_all() == []


@pytest.mark.django_db
def test_held_fact_is_applied_by_itself_when_what_it_lacks_arrives(
    world: World, rows: Rows, phone: Phone
) -> None:
    person, door = new_id(), world.dwellings[0]
    found_id = phone.client.record(
        "person.found",
        {"sub_district": door.sub_district, "dwelling": str(door.id)},
        {"round": str(world.round.id), "person": str(person), "name": "演新"},
        at=NOON + timedelta(minutes=1),
    )
    visited = {**phone.outcome(world.persons[0]), "subject": somebody(door.sub_district, person)}
    phone.post(visited)

    assert fold(rows) == [("HELD", "unknown_subject")]

    phone.post(phone.client.outbox[found_id])

    assert sorted(fold(rows)) == [("APPLIED", ""), ("APPLIED", "")]
    assert not Waiting.objects.exists()
    assert LedgerEntry.objects.get(subject=person).outcome == "done"
    assert Fact.objects.get(id=visited["id"]).subject == person


def test_every_reason_in_the_code_is_published_under_its_verdict() -> None:
    used: set[tuple[str, str]] = set()
    for path in SOURCES.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for verdict, code in re.findall(r"\b(held|flagged|quarantined)\(\s*\"([a-z_]+)\"", text):
            used.add((code, verdict.upper()))
    used |= {("unknown_kind", "HELD"), ("after_close", "FLAGGED"), ("round_not_open", "FLAGGED")}

    assert used == set(PUBLISHED.items())


def test_every_published_reason_and_refusal_has_words_in_both_languages() -> None:
    known = messages()
    for code in [*PUBLISHED, *(reason.code for reason in verdict_list.BATCHES), *STATUS]:
        assert known[code].zh, code
        assert known[code].en, code
    assert [code for code in PUBLISHED if not (known[code].cure_zh and known[code].cure_en)] == []


def test_the_page_names_every_one_of_them() -> None:
    page = (SOURCES.parents[1] / "docs" / "reference" / "verdicts.md").read_text(encoding="utf-8")

    assert [code for code in [*PUBLISHED, *STATUS] if f"`{code}`" not in page] == []
