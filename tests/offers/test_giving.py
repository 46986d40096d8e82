# SPDX-License-Identifier: Apache-2.0
"""Offers of help: taken in, looked at, matched with what is asked for; nothing is given twice."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import close_old_connections, connection
from hypothesis import given as drawn
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.flows.offer_matching import match, offers_for, wanted_for
from muster.flows.sunset import overlay_rows
from muster.offers import services
from muster.offers.models import HelpMatch, HelpOffer
from muster.offers.queries import offer_with_code, seen_by
from muster.offers.rules import Spot, checks_needed, fit, metres_between, warnings_of
from muster.offers.services import Given, category_of
from muster.packs import Pack
from muster.register.models import Need
from muster.requests import steps
from muster.storage.scoping import Scope
from muster.trail.models import Event
from tests.support.serving import ask, door, pack
from tests.support.world import NOON, World, make_world

DAY = timedelta(days=1)
BY = uuid.UUID(int=5)
EVERYWHERE = Scope(everything=True)


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def offered(world: World, *, grid: int | None = 0, at: datetime = NOON, **said: Any) -> HelpOffer:
    place = world.grids[grid] if grid is not None else None
    row, _ = services.make_offer(
        Given(**{"category": "food", "quantity": 5, "phone": "13911110000", **said}),
        incident=world.incident.id, pack=pack(world),
        sub_district=place.sub_district if place else world.streets[0].id, grid=place.id if place else None,
        by=None, at=at,
    )  # fmt: skip
    return row


def accepted(world: World, **said: Any) -> HelpOffer:
    row = offered(world, **said)
    checks = checks_needed(category_of(pack(world), row.category), row.giver_kind)
    return services.accept(row.id, checks=checks, pack=pack(world), by=BY, at=NOON)


def give(
    world: World, offer: HelpOffer, request: uuid.UUID | None, quantity: int = 1, **more: Any
) -> HelpMatch:
    return match(
        offer, request=request, need=more.pop("need", None), quantity=quantity,
        scope=more.pop("scope", EVERYWHERE), pack=pack(world), by=BY, at=more.pop("at", NOON),
    )  # fmt: skip


def left(row: HelpOffer) -> int:
    return HelpOffer.objects.across(reason="own").get(id=row.id).left  # type: ignore[no-any-return]


@pytest.mark.django_db
def test_one_way_to_the_end(world: World) -> None:
    request = ask(world, category="food").request
    offer = accepted(world)
    (first,) = wanted_for(offer, scope=EVERYWHERE, pack=pack(world), at=NOON)
    assert first.request is not None
    assert first.request.id == request.id

    made = give(world, offer, request.id, 2)
    assert (left(offer), made.status) == (3, "RESERVED")
    assert wanted_for(offer, scope=EVERYWHERE, pack=pack(world), at=NOON) == [], (
        "what is helped waits no more"
    )
    done = services.step_match(made.id, to="GIVEN", pack=pack(world), by=BY, at=NOON)

    assert (done.status, left(offer)) == ("GIVEN", 3)
    with pytest.raises(Refusal, match="help_match_not_lent"):
        services.step_match(made.id, to="RETURNED", pack=pack(world), by=BY, at=NOON)
    assert (
        Event.objects.filter(entity="Request", entity_id=str(request.id), verb="help_reserved").count() == 1
    )


@pytest.mark.django_db
def test_nothing_is_used_before_somebody_looked_at_it(world: World) -> None:
    request = ask(world, category="medical").request
    offer = offered(world, category="car", giver_kind="EMPLOYER", organisation="演运输公司", quantity=1)

    with pytest.raises(Refusal, match="help_offer_not_usable"):
        give(world, offer, request.id)
    for checks in ([], ["CALLED_BACK"], ["CALLED_BACK", "IDENTITY_SEEN"]):
        with pytest.raises(Refusal, match="offer_checks_missing"):
            services.accept(offer.id, checks=checks, pack=pack(world), by=BY, at=NOON)
    with pytest.raises(Refusal, match="offer_check_unknown"):
        services.accept(offer.id, checks=["LIKED"], pack=pack(world), by=BY, at=NOON)
    services.accept(
        offer.id,
        checks=["CALLED_BACK", "IDENTITY_SEEN", "ORGANISATION_KNOWN"],
        pack=pack(world),
        by=BY,
        at=NOON,
    )
    assert give(world, offer, request.id).status == "RESERVED"


@pytest.mark.django_db
def test_what_is_lent_comes_back_and_helps_again(world: World) -> None:
    one = ask(world, category="hardship").request
    two = ask(world, category="hardship", where=door(world, 1)).request
    room = accepted(world, category="room", giver_kind="LANDLORD", quantity=1)
    made = give(world, room, one.id)

    with pytest.raises(Refusal, match="help_offer_too_little"):
        give(world, room, two.id)
    services.step_match(made.id, to="GIVEN", pack=pack(world), by=BY, at=NOON)
    services.step_match(made.id, to="RETURNED", pack=pack(world), by=BY, at=NOON + DAY)

    assert give(world, room, two.id, at=NOON + DAY).status == "RESERVED"
    with pytest.raises(Refusal, match="help_match_step"):
        services.step_match(made.id, to="CANCELLED", pack=pack(world), by=BY, at=NOON)


@pytest.mark.django_db
def test_money_is_noted_and_goes_to_nobody(world: World) -> None:
    request = ask(world, category="hardship").request

    noted = accepted(world, category="money", quantity=1000)

    assert noted.status == "NOTED"
    assert wanted_for(noted, scope=EVERYWHERE, pack=pack(world), at=NOON) == []
    with pytest.raises(Refusal, match="help_match_not_fitting"):
        give(world, noted, request.id)


@pytest.mark.django_db
def test_offers_end_by_themselves(world: World) -> None:
    request = ask(world).request
    offer = accepted(world, ends_at=NOON + DAY)

    assert [one.offer.id for one in _usable(world, request.id, NOON)] == [offer.id]
    assert _usable(world, request.id, NOON + 2 * DAY) == []
    with pytest.raises(Refusal, match="help_offer_not_usable"):
        give(world, offer, request.id, at=NOON + 2 * DAY)
    late = offered(world, ends_at=NOON + DAY)
    with pytest.raises(Refusal, match="help_offer_over"):
        services.accept(late.id, checks=["CALLED_BACK"], pack=pack(world), by=BY, at=NOON + 2 * DAY)


def _usable(world: World, request: uuid.UUID, at: datetime) -> list[Any]:
    from muster.requests.queries import request_with_id

    return offers_for(request_with_id(request), scope=EVERYWHERE, pack=pack(world), at=at)


@pytest.mark.django_db
def test_taken_back_or_declined_with_thanks(world: World) -> None:
    request = ask(world).request
    offer = accepted(world)
    made = give(world, offer, request.id, 2)

    with pytest.raises(Refusal, match="help_offer_in_use"):
        services.decline(offer.id, text="够了，谢谢", by=BY, at=NOON)
    services.withdraw(offer.id, by=None, at=NOON)

    assert HelpMatch.objects.get(id=made.id).status == "CANCELLED"
    assert left(offer) == 5
    with pytest.raises(Refusal, match="help_offer_step"):
        services.withdraw(offer.id, by=None, at=NOON)
    other = offered(world)
    with pytest.raises(Refusal, match="offer_decline_without_reason"):
        services.decline(other.id, text="  ", by=BY, at=NOON)
    assert services.decline(other.id, text="够了，谢谢", by=BY, at=NOON).answer == "够了，谢谢"


@pytest.mark.django_db
def test_a_need_that_nobody_spoke_of_is_helped_after_what_was_asked_for(world: World) -> None:
    person = world.persons[0]
    need = Need.objects.create(
        sub_district=person.sub_district,
        grid=person.grid,
        person=person,
        kind="migrant_hardship",
        seen_at=NOON - DAY,
    )
    request = ask(world, category="food", where=door(world, 6)).request
    offer = accepted(world)

    found = wanted_for(offer, scope=EVERYWHERE, pack=pack(world), at=NOON)

    assert [(w.request and w.request.id, w.need and w.need.id) for w in found] == [
        (request.id, None),
        (None, need.id),
    ]
    give(world, offer, None, need=need.id)
    with pytest.raises(Refusal, match="help_match_twice"):
        give(world, offer, None, need=need.id)


@pytest.mark.django_db
def test_what_does_not_fit_or_lies_elsewhere_is_not_matched(world: World) -> None:
    offer = accepted(world)
    repair = ask(world, category="repair").request
    far = ask(world, category="food", where=door(world, 12)).request
    done = ask(world, category="food", where=door(world, 1)).request
    steps.withdraw(done.id, by=None, at=NOON)
    here = Scope(sub_districts=frozenset({world.streets[0].id}))

    for request, scope, code in (
        (repair.id, EVERYWHERE, "help_match_not_fitting"),
        (far.id, here, "not_found"),
        (new_id(), here, "not_found"),
        (done.id, here, "request_ended"),
        (None, here, "help_match_not_fitting"),
    ):
        with pytest.raises(Refusal, match=code):
            give(world, offer, request, scope=scope)
    assert (left(offer), HelpMatch.objects.count()) == (5, 0)


@pytest.mark.django_db
def test_lives_come_first_then_the_nearest(world: World) -> None:
    near = ask(world, category="food").request
    far = ask(world, category="food", where=door(world, 12)).request
    life = ask(world, category="hardship", where=door(world, 13), urgency="LIFE").request
    offer = accepted(world)

    found = wanted_for(offer, scope=EVERYWHERE, pack=pack(world), at=NOON + timedelta(hours=3))

    assert [w.request.id for w in found if w.request] == [life.id, near.id, far.id]
    assert [one["code"] for one in found[0].reasons] == ["match_life", "match_waits"]
    assert [one["code"] for one in found[1].reasons] == ["match_same_grid", "match_waits"]
    assert found[1].reasons[1]["facts"] == {"hours": 3}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"category": "gold"}, "offer_category_unknown"),
        ({"category": ""}, "offer_category_unknown"),
        ({"quantity": 0}, "offer_quantity_bad"),
        ({"quantity": 100_001}, "offer_quantity_bad"),
        ({"giver_kind": "KING"}, "offer_giver_unknown"),
        ({"what": "米" * 2001}, "request_too_long"),
        ({"phone": " "}, "offer_without_contact"),
        ({"ends_at": NOON - DAY}, "offer_time_bad"),
        ({"ends_at": NOON + 181 * DAY}, "offer_time_bad"),
        ({"starts_at": NOON + 3 * DAY, "ends_at": NOON + 2 * DAY}, "offer_time_bad"),
        ({"ends_at": (NOON + DAY).replace(tzinfo=None)}, "offer_time_bad"),
    ],
)
def test_unfitting_offers_are_refused_whole(world: World, said: dict[str, Any], code: str) -> None:
    with pytest.raises(Refusal, match=code):
        offered(world, **said)
    assert HelpOffer.objects.across(reason="count").count() == 0


def test_what_smells_of_fraud_is_marked_and_not_refused() -> None:
    usual = {"text": "十袋米", "phone": "139", "organisation": "", "giver_kind": "RESIDENT", "quantity": 10,
             "open_of_phone": 0}  # fmt: skip

    def marked(**more: Any) -> list[str]:
        return warnings_of(**{**usual, **more})

    assert marked() == []
    assert marked(text="先交押金") == ["warn_asks_for_money"]
    assert marked(text="see https://x.example") == ["warn_asks_for_money"]
    assert marked(phone="") == ["warn_no_phone"]
    assert marked(giver_kind="CHARITY") == ["warn_organisation_unnamed"]
    assert marked(quantity=5000, open_of_phone=3) == ["warn_many_offers", "warn_very_much"]


@pytest.mark.django_db
def test_who_gives_comes_back_with_the_code_only(world: World) -> None:
    row, code = services.make_offer(
        Given("food", phone="13911110000"), incident=world.incident.id, pack=pack(world), by=None, at=NOON
    )

    assert offer_with_code(code.lower().replace("-", "")).id == row.id
    for wrong in ("AAAA-AAAA", "", "x" * 300):
        with pytest.raises(Refusal, match="help_code_unknown"):
            offer_with_code(wrong)


@pytest.mark.django_db
def test_each_desk_sees_its_own_and_what_its_street_was_offered(world: World) -> None:
    mine, other, of_street = offered(world), offered(world, grid=2), offered(world, grid=None)
    desk = Scope(grids=frozenset({world.grids[0].id}))

    seen = set(seen_by(desk, near={world.streets[0].id}).values_list("id", flat=True))

    assert seen == {mine.id, of_street.id}
    assert other.id in seen_by(Scope(sub_districts=frozenset({world.streets[1].id}))).values_list(
        "id", flat=True
    )
    assert list(seen_by(Scope())) == []


@pytest.mark.django_db
def test_offers_die_with_their_incident(world: World) -> None:
    give(world, accepted(world), ask(world).request.id)

    rows = overlay_rows(world.incident.id)

    assert (rows["help_offers"].count(), rows["help_matches"].count()) == (1, 1)


def race(world: World, *, naive: bool) -> list[str]:
    """Eight desks keep the last two for eight requests at the same moment."""
    offer = accepted(world, quantity=2)
    barrier, answers = threading.Barrier(8), []

    def go(request: uuid.UUID) -> None:
        try:
            seen = left(offer)
            barrier.wait(30)
            try:
                if naive:
                    answers.append("won" if seen else "help_offer_too_little")
                    return
                services.reserve(offer.id, request=request, quantity=1, by=BY, at=NOON)
                answers.append("won")
            except Refusal as refusal:
                answers.append(refusal.code)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(new_id(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    close_old_connections()
    return answers


@pytest.mark.django_db(transaction=True)
def test_desks_at_once_never_give_the_last_one_twice() -> None:
    answers = race(make_world(frozen=False), naive=False)

    assert sorted(answers) == ["help_offer_too_little"] * 6 + ["won"] * 2
    assert HelpMatch.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_looking_before_giving_would_give_it_eight_times() -> None:
    """Negative control."""
    assert race(make_world(frozen=False), naive=True) == ["won"] * 8


spots = st.builds(
    Spot, st.integers(1, 3), st.one_of(st.none(), st.integers(1, 5)), st.floats(103, 105), st.floats(30, 31)
)


@drawn(spots, spots, st.integers(0, 3))
def test_fit_is_alike_both_ways_and_says_why(one: Spot, other: Spot, rank: int) -> None:
    since = NOON - timedelta(hours=2)
    order, reasons = fit(one, other, rank=rank, waits_since=since, at=NOON)

    assert order == fit(other, one, rank=rank, waits_since=since, at=NOON)[0]
    assert order[0] == rank
    assert reasons[-1]["code"] == "match_waits"
    metres = metres_between(one, other)
    assert metres is not None
    assert metres >= 0


def test_every_pack_can_be_given_to() -> None:
    from muster import packs

    for name in ("epidemic-zh", "flood", "winter-week"):
        one: Pack = packs.load(name)
        assert any(category.only_noted for category in one.offer_categories)
        assert all(category.helps or category.only_noted for category in one.offer_categories)
