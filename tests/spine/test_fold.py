# SPDX-License-Identifier: Apache-2.0
"""From a phone's bytes through the journal to verdicts: signature, lease, revocation, actor and scope."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import msgspec
import pytest
from django.db import DataError

from muster.accounts.models import Device
from muster.accounts.services import enrol_device, make_enrol_code, revoke_device
from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry
from muster.drill.device import DeviceClient, _key_jwk, subject
from muster.flows import plain_outcomes, recording
from muster.intake.journal import JournalRow
from muster.storage.keys import keystore
from muster.sync.fold import fold_once, positions
from muster.sync.models import SiteReceipt
from muster.sync.pull import pull
from muster.sync.verify import verify_all
from muster.trail.models import BatchVerdict, Fact, Waiting
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


class Rows:
    """A journal in memory: fold only asks read_after."""

    def __init__(self) -> None:
        self.rows: list[JournalRow] = []

    def read_after(self, known: dict[int, int], limit: int, **_: Any) -> list[JournalRow]:
        return [r for r in self.rows if r.n > known.get(r.writer, 0)][:limit]


class Phone:
    """A phone whose batches go straight into the rows."""

    def __init__(self, world: World, rows: Rows) -> None:
        self.world, self.rows, self.numbers = world, rows, count(1)
        code, _ = make_enrol_code(
            incident=world.incident.id,
            grid=world.grids[0].id,
            worker=world.workers[0],
            by=world.head.id,
            at=NOON,
        )
        self.client = DeviceClient(web="", name="test phone", http=None)  # type: ignore[arg-type]
        device, self.lease, text = enrol_device(
            code=code,
            public_key=_key_jwk(self.client.key),
            name="test phone",
            sub_districts=[s.id for s in world.streets],
            grids=[world.grids[0].id],
            at=NOON,
        )
        self.client.lease = text
        self.client.enrolment = {"device": str(device.id), "actor": {"id": str(world.workers[0].id)}}

    def outcome(self, person: Any, outcome: str = "done", **changes: Any) -> dict[str, Any]:
        fact_id = self.client.record(
            "entry.outcome",
            subject(person.sub_district, person=person.id),
            {"round": str(self.world.round.id), "outcome": outcome},
            at=NOON + timedelta(minutes=1),
        )
        return {**self.client.outbox[fact_id], **changes}

    def post(
        self,
        *facts: dict[str, Any],
        at: Any = NOON + timedelta(minutes=2),
        tamper: Callable[[bytes], bytes] = lambda b: b,
        lease: str | None = None,
        device: uuid.UUID | None = None,
        signed_at: Any = None,
    ) -> None:
        body = self.client.batch(list(facts), at=signed_at or at)
        alg, _, signature = self.client.sign(body).partition("=")
        from muster.base.crypto.signing import unb64url

        body = tamper(body)
        self.rows.rows.append(
            JournalRow(
                writer=1,
                n=len(self.rows.rows) + 1,
                received_at=at,
                device=device or uuid.UUID(self.client.device),
                batch=new_id(),
                incident=self.world.incident.id,
                lease=lease or self.client.lease,
                alg=alg,
                signature=unb64url(signature),
                sha256=hashlib.sha256(body).digest(),
                body=body,
            )
        )


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


@pytest.fixture
def rows() -> Rows:
    return Rows()


@pytest.fixture
def phone(world: World, rows: Rows) -> Phone:
    return Phone(world, rows)


def fold(rows: Rows) -> list[tuple[str, str]]:
    while fold_once(rows, now=lambda: NOON + timedelta(minutes=3)).batches:  # type: ignore[arg-type]
        pass
    return list(Fact.objects.order_by("device", "seq").values_list("verdict", "code"))


def test_good_batch_is_applied_and_the_position_moves(world: World, rows: Rows, phone: Phone) -> None:
    phone.post(phone.outcome(world.persons[0]))

    assert fold(rows) == [("APPLIED", "")]
    assert positions() == {1: 1}
    assert LedgerEntry.objects.get(subject=world.persons[0].id).cls == "DONE"
    assert Device.objects.get(id=phone.client.device).facts_seen == 1
    assert verify_all() == []


def test_same_batch_again_changes_nothing(world: World, rows: Rows, phone: Phone) -> None:
    fact = phone.outcome(world.persons[0])
    phone.post(fact)
    phone.post(fact)

    assert fold(rows) == [("APPLIED", "")]
    assert positions() == {1: 2}


def test_tampered_body_is_quarantined(world: World, rows: Rows, phone: Phone) -> None:
    phone.post(phone.outcome(world.persons[0]), tamper=lambda body: body.replace(b'"done"', b'"away"'))

    assert fold(rows) == [("QUARANTINED", "bad_signature")]
    assert LedgerEntry.objects.get(subject=world.persons[0].id).cls == "OPEN"


def test_person_of_another_grid_is_out_of_scope(world: World, rows: Rows, phone: Phone) -> None:
    stranger = next(p for p in world.persons if p.grid == world.grids[1].id)
    phone.post(phone.outcome(stranger))

    assert fold(rows) == [("QUARANTINED", "out_of_scope")]


def test_actor_who_is_not_on_this_phone_is_quarantined(world: World, rows: Rows, phone: Phone) -> None:
    phone.post(phone.outcome(world.persons[0], actor=str(world.workers[1].id)))

    assert fold(rows) == [("QUARANTINED", "actor_not_on_device")]


def test_revoked_phone_keeps_what_was_before_and_quarantines_what_came_after(
    world: World, rows: Rows, phone: Phone
) -> None:
    before = phone.outcome(world.persons[0])
    after = phone.outcome(world.persons[1], occurred_at=(NOON + timedelta(minutes=30)).isoformat())
    revoke_device(
        Device.objects.get(id=phone.client.device), by=world.head.id, at=NOON + timedelta(minutes=10)
    )
    phone.post(before, after, at=NOON + timedelta(minutes=40))

    assert fold(rows) == [("APPLIED", ""), ("QUARANTINED", "lease_revoked")]


SLOW = timedelta(hours=2)


@pytest.mark.parametrize(
    ("clock", "verdict"),
    [
        (timedelta(0), ("QUARANTINED", "lease_revoked")),
        (timedelta(minutes=5), ("QUARANTINED", "lease_revoked")),
        (SLOW, ("FLAGGED", "clock_behind_revoked")),
        (timedelta(days=3), ("FLAGGED", "clock_behind_revoked")),
    ],
)
def test_slow_phone_that_records_after_it_was_taken_back_is_looked_at(
    world: World, rows: Rows, phone: Phone, clock: timedelta, verdict: tuple[str, str]
) -> None:
    """Its own word lies before the revocation where its clock is far enough behind; arrival gives it away."""
    taken_back, recorded, sent = (NOON + timedelta(minutes=m) for m in (10, 30, 40))
    fact = phone.outcome(world.persons[0], occurred_at=(recorded - clock).isoformat())
    revoke_device(Device.objects.get(id=phone.client.device), by=world.head.id, at=taken_back)

    phone.post(fact, at=sent, signed_at=sent - clock)

    assert fold(rows) == [verdict]
    assert LedgerEntry.objects.filter(cls="DONE").exists() == (verdict[0] == "FLAGGED")
    assert Waiting.objects.filter(code=verdict[1], resolved_at__isnull=True).count() == 1
    assert verify_all() == []


@pytest.mark.parametrize("clock", [timedelta(0), SLOW, -SLOW], ids=["right", "slow", "fast"])
def test_what_was_recorded_before_a_phone_was_taken_back_counts_whatever_its_clock(
    world: World, rows: Rows, phone: Phone, clock: timedelta
) -> None:
    fact = phone.outcome(world.persons[0], occurred_at=(NOON + timedelta(minutes=1)).isoformat())
    late = phone.outcome(world.persons[0], occurred_at=(NOON + timedelta(minutes=1) - clock).isoformat())
    revoke_device(phone.lease.device, by=world.head.id, at=NOON + timedelta(minutes=10))

    phone.post(late if clock >= timedelta(0) else fact, at=NOON + timedelta(minutes=40),
               signed_at=NOON + timedelta(minutes=40) - clock)  # fmt: skip

    assert fold(rows) == [("APPLIED", "")]


def test_file_that_was_long_on_its_way_counts_and_is_looked_at(
    world: World, rows: Rows, phone: Phone
) -> None:
    """Signed before, brought after: from here it looks like a slow clock. A site's receipt settles it."""
    first, second = phone.outcome(world.persons[0]), phone.outcome(world.persons[1])
    revoke_device(phone.lease.device, by=world.head.id, at=NOON + timedelta(hours=1))
    at, signed_at = NOON + timedelta(days=2), NOON + timedelta(minutes=2)
    phone.post(first, at=at, signed_at=signed_at)
    phone.post(second, at=at, signed_at=signed_at)
    of = {"batch": rows.rows[1].batch, "device": rows.rows[1].device, "sha256": rows.rows[1].sha256.hex()}
    SiteReceipt.objects.create(site=new_id(), count=1, received_at=signed_at, kept_at=at, **of)

    assert fold(rows) == [("FLAGGED", "clock_behind_revoked"), ("APPLIED", "")]
    assert LedgerEntry.objects.filter(cls="DONE").count() == 2


def test_lease_long_ended_is_quarantined(world: World, rows: Rows, phone: Phone) -> None:
    late = NOON + timedelta(days=5)
    phone.post(phone.outcome(world.persons[0], occurred_at=late.isoformat()), at=late)

    assert fold(rows) == [("QUARANTINED", "lease_expired")]


def test_forged_lease_and_unknown_device_are_quarantined(world: World, rows: Rows, phone: Phone) -> None:
    phone.post(phone.outcome(world.persons[0]), lease=phone.client.lease[:-8] + "AAAAAAAA")
    phone.post(phone.outcome(world.persons[1]), device=new_id())

    assert sorted(fold(rows)) == [("QUARANTINED", "device_unknown"), ("QUARANTINED", "lease_forged")]


def test_one_bad_fact_in_a_good_batch_is_held_and_the_rest_counts(
    world: World, rows: Rows, phone: Phone
) -> None:
    good = phone.outcome(world.persons[0])
    phone.post(good, {"v": 1, "seq": "many"}, phone.outcome(world.persons[1], kind="entry.dreamt"))

    assert sorted(fold(rows)) == [("APPLIED", ""), ("HELD", "bad_body"), ("HELD", "unknown_kind")]


def test_batch_that_cannot_be_opened_is_kept_by_its_position(world: World, rows: Rows, phone: Phone) -> None:
    phone.post(phone.outcome(world.persons[0]))
    rows.rows[0] = msgspec.structs.replace(rows.rows[0], body=None, fault="seal_broken")

    assert fold(rows) == []
    assert list(BatchVerdict.objects.values_list("writer", "position", "code")) == [(1, 1, "seal_broken")]
    assert positions() == {1: 1}


def test_pull_tells_rows_verdicts_and_then_only_what_changed(world: World, rows: Rows, phone: Phone) -> None:
    first = pull(phone.lease, since=None, at=NOON)
    phone.post(phone.outcome(world.persons[0]))
    fold(rows)
    second = pull(phone.lease, since=first["cursor"], at=NOON + timedelta(minutes=4))
    third = pull(phone.lease, since=second["cursor"], at=NOON + timedelta(minutes=5))

    assert (len(first["doors"]), len(first["persons"]), len(first["entries"])) == (2, 2, 2)
    assert {p["name"] for p in first["persons"]} == {"演1", "演2"}
    assert ([e["outcome"] for e in second["entries"]], len(second["persons"])) == (["done"], 0)
    assert [v["verdict"] for v in second["verdicts"]] == ["APPLIED"]
    assert (third["entries"], third["doors"]) == ([], [])


def test_moved_person_leaves_a_tombstone_in_the_old_grid(world: World, rows: Rows, phone: Phone) -> None:
    person, target = world.persons[0], world.dwellings[-1]
    before = pull(phone.lease, since=None, at=NOON)
    world.record(
        world.fact(
            "person.moved", person.id, to={"sub_district": target.sub_district, "dwelling": str(target.id)}
        )
    )

    after = pull(phone.lease, since=before["cursor"], at=NOON)

    gone = {(g["type"], g["id"]) for g in after["gone"]}
    assert gone == {("person", person.id), ("entry", person.id)}


def test_a_code_enrols_one_phone_and_answers_it_again(world: World) -> None:
    from muster.base.errors import Refusal

    code, _ = make_enrol_code(
        incident=world.incident.id,
        grid=world.grids[0].id,
        worker=world.workers[0],
        by=world.head.id,
        at=NOON,
    )
    mine, other = DeviceClient("", "a", None), DeviceClient("", "b", None)  # type: ignore[arg-type]
    where = {"sub_districts": [world.streets[0].id], "grids": [world.grids[0].id], "at": NOON}

    first, _, _ = enrol_device(code=code, public_key=_key_jwk(mine.key), name="a", **where)
    again, _, _ = enrol_device(code=code, public_key=_key_jwk(mine.key), name="a", **where)
    with pytest.raises(Refusal) as refused:
        enrol_device(code=code, public_key=_key_jwk(other.key), name="b", **where)

    assert first.id == again.id
    assert refused.value.code == "code_used"


def test_a_revoked_or_ended_lease_reads_nothing(world: World, phone: Phone) -> None:
    from muster.base.errors import Refusal

    with pytest.raises(Refusal) as ended:
        pull(phone.lease, since=None, at=NOON + timedelta(days=2))
    revoke_device(phone.lease.device, by=world.head.id, at=NOON)
    phone.lease.refresh_from_db()
    with pytest.raises(Refusal) as revoked:
        pull(phone.lease, since=None, at=NOON)

    assert (ended.value.code, revoked.value.code) == ("lease_expired", "lease_revoked")
    assert keystore().trusted_keys()


HOSTILE: dict[str, Callable[[dict[str, Any], World], None]] = {
    "NUL in a text": lambda f, w: f["body"].update(note="\0"),
    "NUL in a name of a source": lambda f, w: f.update(
        kind="person.found",
        subject={"sub_district": w.streets[0].id, "dwelling": str(w.dwellings[0].id)},
        body={"round": str(w.round.id), "person": str(new_id()), "name": "演", "source": "\0"},
    ),
    "NUL in a kind": lambda f, w: f.update(kind="entry\0"),
    "first hour of the calendar": lambda f, w: f.update(occurred_at="0001-01-01T00:00:00+14:00"),
    "last hour of the calendar": lambda f, w: f.update(occurred_at="9999-12-31T23:59:59-12:00"),
    "sub-district past all numbers": lambda f, w: f["subject"].update(sub_district=2**64),
    "number past all numbers": lambda f, w: f.update(seq=2**63),
    "negative number": lambda f, w: f.update(seq=-1),
    "kind as long as a book": lambda f, w: f.update(kind="k" * 10_000),
    "body that is a list": lambda f, w: f.update(body=[]),
    "answer of any size": lambda f, w: f["body"].update(answers={"q": [10**400]}),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_fact_is_kept_aside_and_its_neighbours_count(
    world: World, rows: Rows, phone: Phone, kind: str
) -> None:
    """One fact must never stop the journal: also not one that only the database would refuse."""
    good, bad = phone.outcome(world.persons[0]), phone.outcome(world.persons[1])
    HOSTILE[kind](bad, world)
    phone.post(good, bad)

    verdicts = fold(rows)

    assert verdicts.count(("APPLIED", "")) == 1
    assert len(verdicts) == 2
    assert {verdict for verdict, _ in verdicts} <= {"APPLIED", "HELD", "QUARANTINED", "FLAGGED"}
    assert positions() == {1: 1}
    assert LedgerEntry.objects.get(subject=world.persons[0].id).cls == "DONE"
    assert verify_all() == []


def test_fact_that_cannot_be_written_is_held_by_itself(
    world: World, rows: Rows, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else a database might refuse: the group is told again one by one, and the rest goes in."""
    facts = [phone.outcome(p) for p in world.persons[:2]]
    write = recording.fact_row

    def refuse_one(incoming: Any, *, ruling: Any, **told: Any) -> Any:
        if str(incoming.id) == facts[1]["id"] and ruling.counts:
            raise DataError("value out of range")
        return write(incoming, ruling=ruling, **told)

    def refuse_in_block(incoming: Any, *told: Any) -> Any:
        if str(incoming.id) == facts[1]["id"]:
            raise DataError("value out of range")
        return in_block(incoming, *told)

    in_block = plain_outcomes.PlainRow
    monkeypatch.setattr(recording, "fact_row", refuse_one)
    monkeypatch.setattr(plain_outcomes, "PlainRow", refuse_in_block)
    phone.post(*facts)

    assert sorted(fold(rows)) == [("APPLIED", ""), ("HELD", "bad_body")]
    assert positions() == {1: 1}
    assert verify_all() == []
