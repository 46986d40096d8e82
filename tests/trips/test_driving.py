# SPDX-License-Identifier: Apache-2.0
"""What drivers say later: steps at their own moments, also of a trip that was called off or given away."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from muster.base.ids import new_id
from muster.flows import medical_trip
from muster.flows.recording import record_facts
from muster.responders.models import Responder
from muster.sync.verify import verify_all
from muster.trail.incoming import Incoming
from muster.trail.models import Fact
from muster.trips import services
from muster.trips.models import Trip, TripHop
from muster.trips.services import Going
from tests.support.serving import somebody_who_serves
from tests.support.world import NOON, make_world

pytestmark = pytest.mark.django_db
BY = new_id()
LATER = NOON + timedelta(hours=6)
APPLIED, WAS_OFF, NOT_YOURS = ("APPLIED", ""), ("FLAGGED", "trip_was_off"), ("FLAGGED", "trip_not_yours")
WAY = ("LEFT", "ARRIVED", "WAY_BACK", "HOME")


class Town:
    """A trip that the first of two drives."""

    def __init__(self) -> None:
        self.world = make_world(frozen=False, doors=1, people=1)
        self.one = somebody_who_serves(self.world, user=self.world.workers[0].id)
        self.two = somebody_who_serves(self.world, user=self.world.workers[1].id)
        home = medical_trip.home_of(self.world.persons[0])
        trip = services.ask_trip(
            Going("演甲"), incident=self.world.incident.id, home=home, by=BY, at=NOON - timedelta(hours=2)
        )
        self.trip = trip.id
        self.give_to(self.one, minutes=-60)

    def give_to(self, who: Responder | None, *, minutes: float) -> None:
        services.set_transport(
            self.trip, transport="VEHICLE", driver=who.id if who else None, by=BY,
            at=NOON + timedelta(minutes=minutes),
        )  # fmt: skip

    def says(self, hop: str, *, who: int = 0, minutes: float = 1, **more: Any) -> Incoming:
        fact = self.world.fact(
            "trip.step", more.pop("trip", self.trip), "trip", worker=who, minutes=minutes, received=LATER,
            sub_district=more.pop("sub_district", 0), hop=hop, **more,
        )  # fmt: skip
        fact.grids = frozenset({self.world.grids[1].id})
        return fact

    def record(self, *facts: Incoming) -> list[tuple[str, str]]:
        return [(r.verdict, r.code) for r in record_facts(facts, at=LATER)]

    def now(self) -> Trip:
        return Trip.objects.across(reason="trips").get(id=self.trip)  # type: ignore[no-any-return]

    def moments(self) -> list[int | None]:
        rows = {hop.code: hop.done_at for hop in TripHop.objects.filter(trip=self.trip)}
        return [round((at - NOON).total_seconds() / 60) if (at := rows[code]) else None for code in WAY]


@pytest.fixture
def town() -> Town:
    return Town()


def test_a_whole_trip_without_network_in_one_batch(town: Town) -> None:
    facts = [town.says(hop, minutes=30 * n) for n, hop in enumerate(WAY, 1)]

    assert town.record(*facts) == [APPLIED] * 4
    assert town.record(*facts) == [("DUPLICATE", "")] * 4
    assert (town.now().status, town.moments()) == ("HOME", [30, 60, 90, 120])
    assert set(Fact.objects.values_list("subject_type", flat=True)) == {"trip"}
    assert verify_all() == []


@pytest.mark.parametrize("order", itertools.permutations(range(3)))
def test_in_whatever_order_they_are_heard_of_the_earlier_moment_stands(
    town: Town, order: tuple[int, ...]
) -> None:
    facts = [town.says("LEFT", minutes=30), town.says("ARRIVED", minutes=50), town.says("LEFT", minutes=20)]
    services.mark_hop(town.trip, hop="LEFT", by=BY, at=NOON + timedelta(minutes=45))

    for n in order:
        town.record(facts[n])

    assert (town.now().status, town.moments()) == ("THERE", [20, 50, None, None])


def test_who_left_with_a_trip_that_was_called_off_is_away_and_hears_it(town: Town) -> None:
    services.cancel_trip(town.trip, reason="NOT_WANTED", by=BY, at=NOON)

    assert town.record(town.says("LEFT", minutes=10)) == [WAS_OFF]
    assert (town.now().status, town.moments()[0]) == ("AWAY", 10)


def test_given_to_somebody_else_what_was_before_counts_and_what_came_after_is_kept(town: Town) -> None:
    town.give_to(town.two, minutes=30)

    told = town.record(town.says("LEFT", minutes=20), town.says("ARRIVED", minutes=40))

    assert told == [NOT_YOURS, NOT_YOURS]
    assert (town.now().status, town.moments()) == ("AWAY", [20, None, None, None])
    assert town.record(town.says("ARRIVED", who=1, minutes=50)) == [APPLIED]
    town.give_to(None, minutes=55)
    assert town.record(town.says("WAY_BACK", who=1, minutes=54)) == [NOT_YOURS]
    assert town.moments() == [20, 50, 54, None]


def test_given_back_it_is_his_again(town: Town) -> None:
    town.give_to(town.two, minutes=10)
    town.give_to(town.one, minutes=20)

    assert town.record(town.says("LEFT", minutes=30)) == [APPLIED]


def test_who_never_drove_it_says_nothing_of_it(town: Town) -> None:
    assert town.record(town.says("LEFT", who=1)) == [("QUARANTINED", "out_of_scope")]
    assert town.record(town.says("LEFT", trip=new_id())) == [("HELD", "unknown_subject")]
    assert town.record(town.says("GATE")) == [("HELD", "bad_body")]
    assert (town.now().status, town.moments()) == ("PLANNED", [None] * 4)
