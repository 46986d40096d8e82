# SPDX-License-Identifier: Apache-2.0
"""Certificates and closing: what stands in the way, what is signed, and whether it still stands."""

from __future__ import annotations

import pytest

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.campaigns import services
from muster.campaigns.certificates import (
    Draft,
    certify_round,
    draft_certificate,
    sign_certificate,
    still_matches,
    withdraw_certificate,
)
from muster.campaigns.models import Certificate, LedgerEntry, RoundGrid
from muster.campaigns.states import RoundStatus
from muster.storage.writes import LostRace
from muster.trail.models import Event
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
WHO = {"by": None, "at": NOON}


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


def draft(world: World, grid: int = 0) -> Draft:
    chosen = world.grids[grid]
    return draft_certificate(
        world.round, chosen.id, grid_name=chosen.name, time_zone="Asia/Shanghai", phone="", at=NOON
    )


def sign(world: World, grid: int = 0, *, reservations: str = "", of: Draft | None = None) -> Certificate:
    return sign_certificate(
        world.round,
        world.grids[grid].id,
        draft=of or draft(world, grid),
        by=world.head.id,
        name=world.head.name,
        reservations=reservations,
        at=NOON,
    )


def finish(world: World, *grids: int) -> None:
    """Everybody of these grids (all of them if none is named) is done."""
    wanted = {world.grids[g].id for g in grids or range(len(world.grids))}
    world.record(*(world.outcome(p, "done") for p in world.persons if p.grid in wanted))


def code_of(act: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(Refusal) as refusal:
        act(*args, **kwargs)  # type: ignore[operator]
    return refusal.value.code


def test_open_round_with_open_entries_has_both_obstacles(world: World) -> None:
    assert draft(world).obstacles == ("grid_has_open_entries", "round_not_closing")


def test_who_was_not_reached_stands_in_the_way(world: World) -> None:
    finish(world)
    services.start_closing(world.round, **WHO)
    ready = draft(world).obstacles
    found = new_id()
    world.record(world.fact("person.found", world.dwellings[0].id, "dwelling", person=str(found), name="演新",
                            outcome="no_answer"))  # fmt: skip

    assert (ready, draft(world).obstacles) == ((), ("grid_has_open_entries",))


def test_an_arranged_visit_does_not_stand_in_the_way(world: World) -> None:
    """Who is to be visited was met; what is still to be done for him has a list of its own."""
    finish(world, 1, 2, 3)
    world.record(*(world.outcome(p, "arranged") for p in world.persons[:2]))
    services.start_closing(world.round, **WHO)

    assert (draft(world).obstacles, draft(world).figures["arranged"]) == ((), 2)


def test_an_equation_that_does_not_hold_is_never_signed(world: World) -> None:
    finish(world)
    services.start_closing(world.round, **WHO)
    RoundGrid.objects.filter(grid=world.grids[0].id).update(frozen=99)

    assert draft(world).obstacles == ("equation_broken",)
    assert code_of(sign, world) == "equation_broken"


def test_signature_says_figures_text_and_reservations(world: World) -> None:
    finish(world)
    services.start_closing(world.round, **WHO)

    signed = sign(world, reservations="3 楼有人夜里才回")

    assert signed.text_zh == "截至 2022-09-02 12:00，1-1网格 在册 2。"
    assert (signed.figures["roster"], signed.figures["done"], signed.figures["doors_never"]) == (2, 2, 0)
    assert (signed.reservations, signed.signed_name) == ("3 楼有人夜里才回", "网格长甲")
    assert Event.objects.filter(entity="Certificate", verb="sign", facts__reserved=True).count() == 1
    assert still_matches(signed)


def test_a_grid_is_signed_once_until_it_is_withdrawn(world: World) -> None:
    finish(world)
    services.start_closing(world.round, **WHO)
    first = sign(world)

    assert code_of(sign, world) == "certificate_exists"
    withdraw_certificate(first, by=world.head.id, at=NOON)
    assert code_of(withdraw_certificate, first, by=world.head.id, at=NOON) == "certificate_already_withdrawn"
    assert sign(world).id != first.id
    assert Certificate.objects.count() == 2


@pytest.mark.parametrize("what", ["outcome", "door", "found"])
def test_a_later_fact_makes_the_ledger_differ_from_what_was_signed(world: World, what: str) -> None:
    finish(world)
    services.start_closing(world.round, **WHO)
    signed, elsewhere = sign(world), sign(world, 1)
    door = world.dwellings[0].id
    facts = {
        "outcome": world.outcome(world.persons[0], "done", minutes=9),
        "door": world.fact("door.state", door, "dwelling", state="VACANT", minutes=9),
        "found": world.fact("person.found", door, "dwelling", person=str(new_id()), name="演新", minutes=9),
    }

    world.record(facts[what])

    assert not still_matches(signed)
    assert still_matches(elsewhere)


def test_a_fact_that_changes_nothing_leaves_the_signature_standing(world: World) -> None:
    """Negative control: the hash is over what the ledger says, not over how often it was said."""
    finish(world)
    services.start_closing(world.round, **WHO)
    signed = sign(world)

    world.record(
        world.outcome(world.persons[0], "away", minutes=-5),
        world.fact("note.written", world.persons[0].id, text="ok"),
    )

    assert still_matches(signed)


def test_what_was_drafted_before_another_fact_came_is_not_signed(world: World) -> None:
    finish(world)
    services.start_closing(world.round, **WHO)
    early = draft(world)
    world.record(world.outcome(world.persons[0], "done", minutes=9))

    with pytest.raises(LostRace):
        sign(world, of=early)
    assert not Certificate.objects.exists()


def test_a_round_with_open_entries_is_not_closed(world: World) -> None:
    finish(world, 0)
    services.start_closing(world.round, **WHO)

    with pytest.raises(Refusal) as refusal:
        services.close_round(world.round, **WHO)

    assert (refusal.value.code, refusal.value.facts["open"]) == ("round_has_open_entries", 6)
    world.round.refresh_from_db()
    assert world.round.status == RoundStatus.CLOSING


def test_a_round_whose_equation_is_broken_is_not_closed(world: World) -> None:
    finish(world)
    services.start_closing(world.round, **WHO)
    RoundGrid.objects.filter(grid=world.grids[2].id).update(moved_in=1)

    with pytest.raises(Refusal) as refusal:
        services.close_round(world.round, **WHO)

    assert (refusal.value.code, refusal.value.facts["grids"]) == ("equation_broken", [world.grids[2].id])


def test_a_round_is_certified_when_every_grid_is(world: World) -> None:
    finish(world)
    services.close_round(services.start_closing(world.round, **WHO), **WHO)
    for grid in range(3):
        sign(world, grid)

    missing = code_of(certify_round, world.round, **WHO)
    sign(world, 3)

    assert missing == "grids_not_certified"
    assert certify_round(world.round, **WHO).status == RoundStatus.CERTIFIED
    assert code_of(services.reopen_round, world.round, **WHO) == "round_not_ready"


@pytest.mark.parametrize(
    ("step", "from_status"),
    [
        ("open_round", "OPEN"),
        ("start_closing", "ROSTER_FROZEN"),
        ("close_round", "OPEN"),
        ("freeze_round", "OPEN"),
    ],
)
def test_a_step_out_of_turn_is_refused(world: World, step: str, from_status: str) -> None:
    finish(world)
    world.round.status = from_status
    type(world.round).objects.filter(id=world.round.id).update(status=from_status)

    assert code_of(getattr(services, step), world.round, **WHO) == "round_not_ready"


def test_two_desks_cannot_both_take_the_same_step(world: World) -> None:
    stale = type(world.round).objects.get(id=world.round.id)
    services.start_closing(world.round, **WHO)

    assert code_of(services.start_closing, stale, **WHO) == "round_changed_meanwhile"


def test_a_fact_after_the_close_is_kept_applied_and_flagged(world: World) -> None:
    finish(world)
    services.close_round(services.start_closing(world.round, **WHO), **WHO)

    (ruling,) = world.record(world.outcome(world.persons[0], "done", minutes=9))

    assert (ruling.verdict, ruling.code) == ("FLAGGED", "after_close")
    assert LedgerEntry.objects.get(subject=world.persons[0].id).fact is not None
