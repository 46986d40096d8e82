# SPDX-License-Identifier: Apache-2.0
"""Two records are judged to be one person, or not: nobody drops out, the equation holds, undo restores."""

import random
import uuid
from datetime import timedelta
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry, RoundGrid
from muster.campaigns.services import close_round, freeze_round, open_round, plan_round, start_closing
from muster.flows import merging
from muster.flows.merging import merge_pair, part_pair, undo_judgement
from muster.register.models import DuplicatePair, Household, Need, PairState, Person
from muster.register.services import add_pairs, note_need
from muster.sync.verify import verify_all
from muster.trail.models import Event, Fact
from tests.spine.test_any_order import picture, rolled_back
from tests.support.world import World, make_world

pytestmark = pytest.mark.django_db
BY = uuid.UUID(int=7)


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


def pair_of(world: World, first: uuid.UUID, second: uuid.UUID) -> DuplicatePair:
    add_pairs(record(first), [(second, "same_phone")], at=world.clock)
    low, high = sorted((first, second), key=lambda i: i.int)
    return DuplicatePair.objects.across(reason="verify").get(first=low, second=high)


def record(person: uuid.UUID) -> Person:
    return Person.objects.across(reason="verify").get(id=person)


def entry(person: uuid.UUID) -> LedgerEntry:
    return LedgerEntry.objects.get(subject=person)


TICK = count(30)


def merge(world: World, pair: DuplicatePair, keep: uuid.UUID) -> DuplicatePair:
    merge_pair(pair, survivor=keep, why="papers", by=BY, at=world.clock + timedelta(minutes=next(TICK)))
    return DuplicatePair.objects.across(reason="verify").get(id=pair.id)


def undo(world: World, pair: DuplicatePair) -> None:
    pair = DuplicatePair.objects.across(reason="verify").get(id=pair.id)
    undo_judgement(pair, by=BY, at=world.clock + timedelta(minutes=next(TICK)))


def register_picture() -> list[object]:
    people = Person.objects.across(reason="verify").order_by("id")
    rows = [
        (p.id, p.name, p.phone, p.id_number, p.birth_year, p.dwelling_id, p.household_id, p.left_at,
         p.lives_here, p.merged_into, p.sub_district)
        for p in people
    ]  # fmt: skip
    homes = list(Household.objects.across(reason="verify").order_by("id").values_list("id", "left_at"))
    needs = [(n.id, n.person_id, n.note) for n in Need.objects.across(reason="verify").order_by("id")]
    return [rows, homes, needs]


def test_what_was_done_for_the_other_counts_for_the_survivor(world: World) -> None:
    keep, other = world.persons[0], world.persons[1]
    world.record(world.outcome(other, "done"))

    merge(world, pair_of(world, keep.id, other.id), keep.id)

    assert (entry(keep.id).cls, entry(keep.id).outcome) == ("DONE", "done")
    assert (entry(other.id).cls, entry(other.id).outcome) == ("EXPLAINED", "merged")
    assert record(other.id).merged_into == keep.id
    assert record(other.id).left_at is not None
    assert verify_all() == []


def test_a_phone_that_reports_the_other_late_still_serves_the_survivor(world: World) -> None:
    keep, other = world.persons[0], world.persons[1]
    merge(world, pair_of(world, keep.id, other.id), keep.id)

    (ruling,) = world.record(world.outcome(other, "done", minutes=50))
    world.record(
        world.fact("need.seen", other.id, kind="dialysis", round=None, minutes=51),
        world.fact("person.moved", other.id, to=None, minutes=52),
    )

    assert ruling.verdict == "APPLIED"
    assert (entry(keep.id).cls, entry(other.id).outcome) == ("DONE", "merged")
    assert [n.person_id for n in Need.objects.across(reason="verify")] == [keep.id]
    assert record(other.id).merged_into == keep.id
    assert verify_all() == []


def test_a_pair_across_two_sub_districts_is_settled_in_both(world: World) -> None:
    keep, other = world.persons[0], world.persons[-1]
    world.record(
        world.outcome(other, "away"), world.fact("contact.tried", keep.id, channel="phone", reached=False)
    )

    pair = merge(world, pair_of(world, keep.id, other.id), keep.id)

    assert keep.sub_district != other.sub_district
    assert (entry(keep.id).outcome, entry(keep.id).attempts) == ("away", 2)
    assert entry(other.id).outcome == "merged"
    assert verify_all() == []
    undo(world, pair)
    assert (entry(keep.id).cls, entry(other.id).outcome) == ("OPEN", "away")
    assert verify_all() == []


def test_a_found_person_who_was_known_leaves_what_the_list_lacked(world: World) -> None:
    """Somebody found on the day joins the standing record; what the incident learned stays the incident's."""
    keep, found = world.persons[0], new_id()
    world.record(world.fact("person.found", keep.dwelling_id, "dwelling", person=str(found), name=keep.name,
                            phone="13900000000", outcome="done", needs=["dialysis"]))  # fmt: skip
    pair = DuplicatePair.objects.across(reason="verify").get()

    with pytest.raises(Refusal) as refusal:
        merge(world, pair, found)
    merge(world, pair, keep.id)

    assert refusal.value.code == "merge_keep_the_standing"
    assert (record(keep.id).phone, record(keep.id).purpose) == (keep.phone, "daily")
    assert entry(keep.id).cls == "DONE"
    assert RoundGrid.objects.get(grid=keep.grid).added == 1
    assert [n.person_id for n in Need.objects.across(reason="verify")] == [keep.id]
    assert verify_all() == []


def test_blank_cells_are_filled_and_blank_again_after_undo(world: World) -> None:
    keep, other = world.persons[0], world.persons[1]
    keep.phone, keep.phone_index, keep.birth_year = None, None, None
    keep.save()
    note_need(other, kind="dialysis", severity=2, note="周三透析", at=world.clock, purpose="daily")
    before = register_picture()

    pair = merge(world, pair_of(world, keep.id, other.id), keep.id)
    merged = record(keep.id)
    undo(world, pair)

    assert (merged.phone, bytes(merged.phone_index), merged.birth_year) == (
        other.phone,
        other.phone_index,
        1980,
    )
    assert register_picture() == before
    assert Person.objects.across(reason="verify").filter(phone_index=other.phone_index).count() == 1


def test_an_emptied_household_is_one_with_the_survivors() -> None:
    world = make_world(unit="household", doors=2, people=1)
    keep, other = world.persons[0], world.persons[1]
    world.record(world.fact("entry.outcome", other.household_id, "household", outcome="done"))
    before = register_picture()

    pair = merge(world, pair_of(world, keep.id, other.id), keep.id)

    assert entry(keep.household_id).cls == "DONE"
    assert entry(other.household_id).outcome == "merged"
    assert Household.objects.across(reason="verify").get(id=other.household_id).left_at is not None
    assert verify_all() == []
    undo(world, pair)
    assert register_picture() == before
    assert entry(keep.household_id).cls == "OPEN"
    assert verify_all() == []


def test_a_survivor_on_no_roster_joins_it_so_that_nobody_drops_out(world: World) -> None:
    """He came into the register after the freeze; his double was found on the day and is on the roster."""
    keep = Person.objects.create(
        sub_district=world.streets[0].id, grid=world.grids[0].id, dwelling=world.dwellings[0], name="演后来"
    )
    other = world.persons[0]

    merge(world, pair_of(world, keep.id, other.id), keep.id)

    assert (entry(keep.id).origin, entry(keep.id).cls, entry(other.id).outcome) == ("ADDED", "OPEN", "merged")
    assert RoundGrid.objects.get(grid=keep.grid).added == 1
    assert verify_all() == []


def test_where_the_survivor_lives_outside_the_round_what_was_done_still_counts(world: World) -> None:
    keep, other = world.persons[-1], world.persons[0]
    LedgerEntry.objects.all().delete()
    RoundGrid.objects.all().delete()
    here = plan_round(world.round.campaign, name="一号街道", at=world.clock, by=None)
    here.area, here.area_path = world.streets[0].id, world.streets[0].path
    here.save()
    world.round.delete()
    world.round = open_round(freeze_round(here, by=None, at=world.clock), by=None, at=world.clock)
    world.record(world.outcome(other, "done"))

    merge(world, pair_of(world, keep.id, other.id), keep.id)

    assert entry(other.id).cls == "DONE"
    assert not LedgerEntry.objects.filter(subject=keep.id).exists()
    assert verify_all() == []


def test_a_chain_of_merges_carries_all_that_was_done(world: World) -> None:
    first, second, third = (p.id for p in world.persons[:3])
    world.record(world.outcome(world.persons[0], "done"))
    one = merge(world, pair_of(world, first, second), second)

    pair_of(world, first, third)
    merge(world, pair_of(world, second, third), third)
    world.record(world.outcome(world.persons[0], "away", minutes=55))

    assert [entry(i).outcome for i in (first, second, third)] == ["merged", "merged", "done"]
    assert verify_all() == []
    with pytest.raises(Refusal) as refusal:
        undo(world, one)
    assert refusal.value.code == "merge_built_on"


def test_whom_the_other_was_like_the_survivor_is_like(world: World) -> None:
    first, second, third = (p.id for p in world.persons[:3])
    rest = pair_of(world, second, third)

    pair = merge(world, pair_of(world, first, second), first)

    states = {frozenset((p.first, p.second)): p.status for p in DuplicatePair.objects.across(reason="verify")}
    assert states[frozenset((second, third))] == PairState.CARRIED
    assert states[frozenset((first, third))] == PairState.OPEN
    undo(world, pair)
    assert DuplicatePair.objects.across(reason="verify").get(id=rest.id).status == PairState.OPEN
    assert DuplicatePair.objects.across(reason="verify").count() == 2


def test_a_judgement_is_kept_with_who_when_and_why_and_made_once(world: World) -> None:
    pair = pair_of(world, world.persons[0].id, world.persons[1].id)

    part_pair(pair, why="relatives", by=BY, at=world.clock)
    judged = DuplicatePair.objects.across(reason="verify").get(id=pair.id)
    with pytest.raises(Refusal) as late:
        merge_pair(pair, survivor=pair.first, why="papers", by=BY, at=world.clock)

    assert (judged.status, judged.why, judged.decided_by) == ("NOT_DUPLICATE", "relatives", BY)
    assert late.value.code == "pair_decided"
    assert entry(pair.first).cls == entry(pair.second).cls == "OPEN"
    undo(world, judged)
    told = (
        Event.objects.filter(entity="DuplicatePair").order_by("id").values_list("verb", "reason", "to_state")
    )
    assert list(told) == [("part", "relatives", "NOT_DUPLICATE"), ("undo", "", "OPEN")]


def test_a_judgement_without_a_reason_or_with_a_stranger_is_refused(world: World) -> None:
    pair = pair_of(world, world.persons[0].id, world.persons[1].id)

    for survivor, why in ((pair.first, ""), (pair.first, "relatives"), (world.persons[2].id, "papers")):
        with pytest.raises(Refusal):
            merge_pair(pair, survivor=survivor, why=why, by=BY, at=world.clock)

    assert DuplicatePair.objects.across(reason="verify").get(id=pair.id).status == "OPEN"


def test_what_stands_in_a_closed_round_is_not_taken_back(world: World) -> None:
    keep, other = world.persons[0], world.persons[1]
    world.record(*(world.outcome(p, "done") for p in world.persons))
    pair = merge(world, pair_of(world, keep.id, other.id), keep.id)
    close_round(start_closing(world.round, by=None, at=world.clock), by=None, at=world.clock)

    with pytest.raises(Refusal) as refusal:
        undo(world, pair)

    assert refusal.value.code == "merge_round_closed"


def test_a_closed_round_stays_as_it_was_closed(world: World) -> None:
    keep, other = world.persons[0], world.persons[1]
    world.record(*(world.outcome(p, "done") for p in world.persons))
    close_round(start_closing(world.round, by=None, at=world.clock), by=None, at=world.clock)

    merge(world, pair_of(world, keep.id, other.id), keep.id)

    assert (entry(keep.id).cls, entry(other.id).cls) == ("DONE", "DONE")
    assert verify_all() == []


def test_nobody_but_the_house_says_that_two_are_one(world: World) -> None:
    keep, other = world.persons[0], world.persons[1]
    forged = world.fact("entry.merged", other.id, into=str(keep.id), home=keep.sub_district)
    from_a_desk = world.fact("entry.took_in", keep.id, other=str(other.id))
    from_a_desk.from_desk = True

    rulings = world.record(forged, from_a_desk)
    pair = merge(world, pair_of(world, keep.id, other.id), keep.id)
    said = Fact.objects.get(kind="entry.merged", verdict="APPLIED")
    world.record(world.fact("fact.undone", other.id, fact=str(said.id), minutes=59))

    assert {(r.verdict, r.code) for r in rulings} == {("QUARANTINED", "out_of_scope")}
    assert entry(other.id).outcome == "merged"
    assert pair.status == "MERGED"
    assert verify_all() == []


def test_without_the_ledgers_side_somebody_would_drop_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Negative control: a merge that forgets the roster leaves somebody whom no phone shows any more."""
    keep, other = world.persons[0], world.persons[1]
    monkeypatch.setattr(merging, "_facts_of_merge", lambda units, grids: [])

    merge(world, pair_of(world, keep.id, other.id), keep.id)

    left = LedgerEntry.objects.filter(cls="OPEN").values_list("subject", flat=True)
    assert record(other.id).left_at is not None
    assert other.id in set(left)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**9))
def test_the_equation_holds_after_every_judgement_and_undo(db: None, seed: int) -> None:
    """Merges, undos and visits in any mixture; undoing all of it leaves the ledger of the visits alone."""
    rng = random.Random(seed)
    with rolled_back():
        world = make_world(doors=2, people=1)
        merged: list[DuplicatePair] = []
        for step in range(10):
            roll = rng.random()
            first, second = rng.sample(world.persons, 2)
            if roll < 0.5:
                outcome = rng.choice(["done", "away", "no_answer", "refused"])
                world.record(world.outcome(first, outcome, minutes=step, worker=rng.randrange(3)))
            elif roll < 0.8 or not merged:
                try:
                    pair = pair_of(world, first.id, second.id)
                    merged.append(merge(world, pair, first.id))
                except Refusal:
                    continue
            else:
                undo(world, merged.pop())
            assert verify_all() == []
        while merged:
            undo(world, merged.pop())
            assert verify_all() == []
        straight = picture(world)
        facts = Fact.objects.filter(kind="entry.outcome").order_by("seq")
        said = [(f.subject, f.value, f.occurred_at, f.actor) for f in facts]
    with rolled_back():
        plain = make_world(doors=2, people=1)
        twin = {old.id: new for old, new in zip(world.persons, plain.persons, strict=True)}
        for subject, value, at, actor in said:
            minutes = (at - plain.clock).total_seconds() / 60
            worker = [w.id for w in world.workers].index(actor)
            plain.record(plain.outcome(twin[subject], value, minutes=minutes, worker=worker))
        states = {e[0]: e[5:7] for e in straight[0]}
        assert {twin[i].id: s for i, s in states.items()} == {e[0]: e[5:7] for e in picture(plain)[0]}
