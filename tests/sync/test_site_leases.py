# SPDX-License-Identifier: Apache-2.0
"""Leases between houses: a site's word counts at the city as far as it was given, and no further."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from muster.accounts.models import Device, Lease
from muster.accounts.services import revoke_device
from muster.base import codes
from muster.base.crypto import SigningKey
from muster.base.crypto.signing import ed25519_jwk, key_id
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.drill.device import _key_jwk
from muster.intake.receipts import make_receipt
from muster.responders.models import Responder
from muster.storage.keys import forget_keystore, keystore
from muster.sync.fold import fold_once
from muster.sync.models import HomeCity, Site
from muster.sync.pull import Cursor, pull
from muster.sync.site.adopting import adopt_lease
from muster.sync.site.calling import make_call, read_call
from muster.sync.site.city_side import hear_word, news_for, revoke_site
from muster.sync.site.standing import may_lend_until
from muster.sync.site.telling import HeldReceipt, NewDevice, Word
from muster.trail.models import Fact
from tests.spine.test_fold import Phone, Rows
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


@pytest.fixture
def rows() -> Rows:
    return Rows()


def a_key() -> SigningKey:
    private = Ed25519PrivateKey.generate()
    jwk = ed25519_jwk(private.public_key())
    return SigningKey(new_id(), key_id(jwk), jwk, private)


@pytest.fixture
def site_key(world: World) -> Iterator[SigningKey]:
    """The key of a site that this city certified for the first grid."""
    key = a_key()
    certificate = keystore().certify(key.jwk, instance=key.instance, at=NOON)
    keystore().trust(key.jwk, certificate=certificate)
    Site.objects.create(
        id=key.instance, name="东沟", incident=world.incident.id, grids=[world.grids[0].id],
        sub_districts=[s.id for s in world.streets], kid=key.kid, certificate=certificate, prepared_at=NOON,
        until=NOON + timedelta(days=7),
    )  # fmt: skip
    yield key
    forget_keystore()


def stranger(world: World, rows: Rows, house: SigningKey, /, **claims: Any) -> Phone:
    """A phone that joined at the site: the city has never heard of it."""
    phone = Phone(world, rows)
    Lease.objects.all().delete()
    Device.objects.filter(id=phone.client.device).delete()
    lease = codes.Lease(
        id=new_id(), instance=house.instance, device=uuid.UUID(phone.client.device), actor=str(new_id()),
        incident=world.incident.id, areas=(), grids=(world.grids[0].id,), issued_at=NOON,
        expires_at=NOON + timedelta(hours=24), epoch=1, key=_key_jwk(phone.client.key),
    )  # fmt: skip
    lease = replace(lease, **claims)
    phone.client.lease = codes.make_lease(house, lease)
    phone.client.enrolment["actor"] = {"id": lease.actor}
    return phone


def fold(rows: Rows, at: datetime = NOON + timedelta(hours=1)) -> list[tuple[str, str]]:
    fold_once(rows, now=lambda: at)  # type: ignore[arg-type]
    return list(Fact.objects.order_by("seq").values_list("verdict", "code"))


def test_a_phone_that_joined_at_the_site_is_known_with_its_first_batch(
    world: World, rows: Rows, site_key: SigningKey
) -> None:
    phone = stranger(world, rows, site_key)
    phone.post(phone.outcome(world.persons[0]))

    assert fold(rows) == [("APPLIED", "")]
    device = Device.objects.get(id=phone.client.device)
    assert device.public_key == _key_jwk(phone.client.key)


def test_who_joined_at_the_site_comes_and_goes_at_the_city_too(
    world: World, rows: Rows, site_key: SigningKey
) -> None:
    """The second hop: the same facts, with nothing but the lease to say who he is."""
    phone = stranger(world, rows, site_key)
    me = {"sub_district": world.streets[0].id, "responder": phone.client.enrolment["actor"]["id"]}
    for step, minutes in (("LEAVING", 30), ("HERE", 50)):
        said = {"step": step, "grid": world.grids[0].id}
        phone.client.record("duty.step", me, said, at=NOON + timedelta(minutes=minutes))
    first, second = phone.client.outbox.values()
    for fact in (second, first):
        phone.post(fact, at=NOON + timedelta(hours=1))

    assert fold(rows) == [("APPLIED", ""), ("APPLIED", "")]
    (one,) = Responder.objects.across(reason="own")
    assert not one.name
    word = Word(
        v=1, waiting=0,
        devices=[
            NewDevice(
                id=uuid.UUID(phone.client.device), name="p", public_key=_key_jwk(phone.client.key),
                actor=uuid.UUID(me["responder"]), actor_name="演站",
                grids=[world.grids[0].id], enrolled_at=NOON,
            )
        ],
    )  # fmt: skip
    hear_word(Site.objects.get(), word, at=NOON + timedelta(hours=2))
    one.refresh_from_db()
    assert one.name == "演站"
    assert (one.status, one.minutes_served, one.grid) == ("ON_DUTY", 30, world.grids[0].id)
    assert str(one.user) == phone.client.enrolment["actor"]["id"]


def test_a_key_that_was_not_certified_is_set_aside(world: World, rows: Rows, site_key: SigningKey) -> None:
    phone = stranger(world, rows, a_key())
    phone.post(phone.outcome(world.persons[0]))

    assert fold(rows) == [("QUARANTINED", "lease_forged")]
    assert not Device.objects.filter(id=phone.client.device).exists()


def test_a_trusted_key_without_a_site_lends_nothing(world: World, rows: Rows, site_key: SigningKey) -> None:
    Site.objects.all().delete()
    phone = stranger(world, rows, site_key)
    phone.post(phone.outcome(world.persons[0]))

    assert [verdict for verdict, _ in fold(rows)] == ["QUARANTINED"]


@pytest.mark.parametrize(
    "claims",
    [
        {"grids": (10**9,)},
        {"incident": uuid.uuid4()},
        {"issued_at": NOON + timedelta(days=7)},
        {"key": None},
        {"actor": "nobody"},
    ],
    ids=["other grids", "another incident", "after its end", "no key", "no actor"],
)
def test_a_site_cannot_lend_what_it_was_not_given(
    world: World, rows: Rows, site_key: SigningKey, claims: dict[str, Any]
) -> None:
    phone = stranger(world, rows, site_key, **claims)
    phone.post(phone.outcome(world.persons[0]))

    assert [verdict for verdict, _ in fold(rows)] == ["QUARANTINED"]


def test_a_site_speaks_of_its_own_grids_only(world: World, rows: Rows, site_key: SigningKey) -> None:
    phone = stranger(world, rows, site_key, grids=(world.grids[0].id, world.grids[1].id))
    elsewhere = next(p for p in world.persons if p.grid == world.grids[1].id)
    phone.post(phone.outcome(elsewhere))

    assert fold(rows) == [("QUARANTINED", "out_of_scope")]


def test_a_known_device_is_not_taken_over_with_another_key(
    world: World, rows: Rows, site_key: SigningKey
) -> None:
    known = Phone(world, rows)
    thief = a_key()
    lease = codes.read_lease(known.client.lease, keystore().trusted_keys())
    forged = replace(lease, id=new_id(), instance=site_key.instance, key=thief.jwk)

    assert adopt_lease(forged, at=NOON) is None
    assert adopt_lease(replace(forged, key=_key_jwk(known.client.key)), at=NOON) is not None


def test_a_lease_renewed_at_the_site_carries_a_phone_of_the_city(
    world: World, rows: Rows, site_key: SigningKey
) -> None:
    phone = Phone(world, rows)
    lease = codes.read_lease(phone.client.lease, keystore().trusted_keys())
    later = replace(
        lease, id=new_id(), instance=site_key.instance, issued_at=NOON + timedelta(days=2),
        expires_at=NOON + timedelta(days=3), epoch=2,
    )  # fmt: skip
    phone.client.lease = codes.make_lease(site_key, later)
    phone.post(phone.outcome(world.persons[0]))

    assert fold(rows) == [("APPLIED", "")]


def test_a_phone_that_was_taken_back_is_not_brought_back_by_a_site(
    world: World, rows: Rows, site_key: SigningKey
) -> None:
    phone = Phone(world, rows)
    revoke_device(Device.objects.get(id=phone.client.device), by=world.head.id, at=NOON)
    lease = codes.read_lease(phone.client.lease, keystore().trusted_keys())
    phone.client.lease = codes.make_lease(site_key, replace(lease, id=new_id(), instance=site_key.instance))
    phone.post(phone.outcome(world.persons[0]))

    assert fold(rows) == [("QUARANTINED", "lease_revoked")]


def test_what_a_site_recorded_before_it_was_taken_back_counts_and_the_rest_is_set_aside(
    world: World, rows: Rows, site_key: SigningKey
) -> None:
    phone = stranger(world, rows, site_key)
    phone.post(phone.outcome(world.persons[0]))
    assert fold(rows) == [("APPLIED", "")]
    revoke_site(Site.objects.get(), by=world.head.id, at=NOON + timedelta(minutes=30))
    early = phone.outcome(world.persons[0], "away")
    late = phone.outcome(world.persons[0], occurred_at=(NOON + timedelta(minutes=40)).isoformat())
    phone.post(early, late, at=NOON + timedelta(minutes=45))

    assert fold(rows)[1:] == [("APPLIED", ""), ("QUARANTINED", "lease_revoked")]


@pytest.fixture
def home(world: World) -> HomeCity:
    """This house is a site of a city elsewhere."""
    return HomeCity.objects.create(
        id=new_id(), site=keystore().instance_key().instance, name="东沟", incident=world.incident.id,
        grids=[world.grids[0].id], sub_districts=[s.id for s in world.streets], web="https://a.test",
        intake="https://a.test:8001", opened_at=NOON, until=NOON + timedelta(days=7),
    )  # fmt: skip


def test_a_site_renews_leases_for_days_and_ends_with_its_own(
    world: World, rows: Rows, home: HomeCity
) -> None:
    phone = Phone(world, rows)
    lease = phone.lease
    for hours in range(12, 7 * 24, 12):
        at = NOON + timedelta(hours=hours)
        told = pull(lease, since=None, at=at)
        assert told["lease_until"] > at
        assert told["lease_until"] <= home.until
        lease = Lease.objects.select_related("device", "actor").order_by("-issued_at").first()

    with pytest.raises(Refusal) as refusal:
        pull(lease, since=None, at=home.until)
    assert refusal.value.code == "lease_expired"
    with pytest.raises(Refusal, match="site_over"):
        may_lend_until(at=home.until)


def test_a_cursor_of_another_house_asks_anew(world: World, rows: Rows) -> None:
    phone = Phone(world, rows)
    told = pull(phone.lease, since=None, at=NOON)
    assert pull(phone.lease, since=told["cursor"], at=NOON)["persons"] == []

    grids = Cursor.read(told["cursor"], house=keystore().instance_key().kid).grids
    elsewhere = Cursor("another", grids, None).write()

    again = pull(phone.lease, since=elsewhere, at=NOON)
    assert again["full"]
    assert len(again["persons"]) == len(told["persons"]) > 0


def test_a_call_is_believed_from_a_certified_key_to_this_city_and_lately(
    world: World, site_key: SigningKey
) -> None:
    own = keystore().instance_key().instance
    keys = keystore().trusted_keys()

    def heard(call: str, *, at: datetime = NOON) -> uuid.UUID | str:
        try:
            return read_call(call, keys=keys, own={own}, at=at)
        except Refusal as refusal:
            return refusal.code

    call = make_call(site_key, city=own, at=NOON)
    assert heard(call) == site_key.instance
    assert heard(call, at=NOON + timedelta(days=3)) == "site_unknown"
    assert heard(make_call(site_key, city=new_id(), at=NOON)) == "site_unknown"
    assert heard(make_call(a_key(), city=own, at=NOON)) == "site_unknown"
    assert heard(call[:-8] + "AAAAAAAA") == "site_unknown"
    assert heard("Bearer x") == "site_unknown"
    assert heard("") == "not_signed_in"


def test_the_citys_news_is_told_once_and_only_of_the_sites_grids(
    world: World, rows: Rows, site_key: SigningKey
) -> None:
    site = Site.objects.get()
    start = {"at": NOON.isoformat(), "grids": {str(world.grids[0].id): 0}, "accounts": []}
    first = news_for(site, start, at=NOON)
    here, there = (next(p for p in world.persons if p.grid == g.id) for g in world.grids[:2])
    world.clock = NOON + timedelta(hours=1)
    world.record(world.outcome(here, "done"), world.outcome(there, "away"))

    news = news_for(site, first.cursor, at=NOON + timedelta(hours=2))

    assert {row["subject"] for row in news.stock["trail.fact"]} == {str(here.id)}
    assert news.stock.get("campaigns.roundgrid", []) == []
    later = news_for(site, news.cursor, at=NOON + timedelta(hours=9))
    assert "register.person" not in later.stock
    with pytest.raises(Refusal, match="cursor_bad"):
        news_for(site, {"at": "yesterday"}, at=NOON)


def test_a_word_keeps_receipts_that_hold_and_drops_the_rest(world: World, site_key: SigningKey) -> None:
    site = Site.objects.get()
    made = make_receipt(
        site_key, batch=new_id(), device=new_id(), sha256=b"x" * 32, received_at=NOON, count=3
    )  # fmt: skip
    good = HeldReceipt(made.batch, made.device, made.sha256, made.received_at, 3, made.signature)
    forged = HeldReceipt(new_id(), made.device, made.sha256, made.received_at, 3, made.signature)

    assert hear_word(site, Word(1, 2, NOON, [], [good, forged]), at=NOON) == 1
    assert hear_word(site, Word(1, 0, None, [], [good]), at=NOON) == 0
    site.refresh_from_db()
    assert (site.waiting, site.heard_at) == (0, NOON)
