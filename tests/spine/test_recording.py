# SPDX-License-Identifier: Apache-2.0
"""Facts become ledger: verdicts, the equation, findings, moves, undo, and any order of arrival."""

import pytest

from muster.base.ids import new_id
from muster.campaigns.models import DoorEntry, LedgerEntry, RoundGrid
from muster.campaigns.queries import counted_classes
from muster.campaigns.services import written_side
from muster.flows import recording
from muster.register.models import DuplicatePair, Person
from muster.storage.writes import LostRace
from muster.sync.verify import verify_all
from muster.trail.models import Fact, Verdict, Waiting
from tests.support.world import World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world()


def balance(world: World) -> dict[int, tuple[int, int]]:
    return {
        a.grid: (sum(counted_classes(a).values()), written_side(a))
        for a in RoundGrid.objects.filter(round=world.round.id)
    }


def assert_balanced(world: World) -> None:
    assert all(counted == written for counted, written in balance(world).values())
    assert verify_all() == []


def test_freeze_puts_everybody_and_every_door_on_the_roster(world: World) -> None:
    accounts = list(RoundGrid.objects.all())

    assert [a.frozen for a in accounts] == [8, 8, 8, 8]
    assert [a.doors for a in accounts] == [4, 4, 4, 4]
    assert_balanced(world)


def test_outcome_settles_entry_door_and_account(world: World) -> None:
    person = world.persons[0]

    (ruling,) = world.record(world.outcome(person, "done"))

    entry = LedgerEntry.objects.get(subject=person.id)
    door = DoorEntry.objects.get(subject=person.dwelling_id)
    account = RoundGrid.objects.get(grid=person.grid)
    assert ruling.verdict == Verdict.APPLIED
    assert (entry.cls, entry.outcome, door.state) == ("DONE", "done", "SEEN")
    assert (account.n_done, account.n_open, account.doors_seen, account.outcomes) == (1, 7, 1, {"done": 1})
    assert_balanced(world)


def test_same_fact_twice_is_a_duplicate_and_another_body_is_flagged(world: World) -> None:
    fact = world.outcome(world.persons[0], "done", seq=7)
    other = world.outcome(world.persons[0], "away", seq=7, id=fact.id)
    reused = world.outcome(world.persons[1], "away", seq=7)

    rulings = world.record(fact) + world.record(fact) + world.record(other) + world.record(reused)

    assert [(r.verdict, r.code) for r in rulings] == [
        ("APPLIED", ""),
        ("DUPLICATE", ""),
        ("FLAGGED", "body_differs"),
        ("FLAGGED", "seq_reused"),
    ]
    assert Fact.objects.count() == 1
    assert_balanced(world)


def test_done_beats_all_and_otherwise_the_latest_counts(world: World) -> None:
    person = world.persons[0]

    world.record(world.outcome(person, "away", minutes=5), world.outcome(person, "no_answer", minutes=1))
    first = LedgerEntry.objects.get(subject=person.id).outcome
    world.record(world.outcome(person, "done", minutes=0))

    assert (first, LedgerEntry.objects.get(subject=person.id).outcome) == ("away", "done")
    assert_balanced(world)


def test_refusal_is_explained_only_when_a_second_person_has_been_there(world: World) -> None:
    person = world.persons[0]

    world.record(
        world.outcome(person, "refused", worker=0), world.outcome(person, "refused", worker=0, minutes=3)
    )
    alone = LedgerEntry.objects.get(subject=person.id).cls
    world.record(world.outcome(person, "refused", worker=1, minutes=60))

    assert (alone, LedgerEntry.objects.get(subject=person.id).cls) == ("UNREACHED", "EXPLAINED")
    assert_balanced(world)


def test_found_person_joins_register_roster_and_account(world: World) -> None:
    door, new = world.dwellings[0], new_id()

    (ruling,) = world.record(
        world.fact(
            "person.found", door.id, "dwelling", person=str(new), name="演新", birth_year=1990, outcome="done"
        )
    )

    entry = LedgerEntry.objects.get(subject=new)
    account = RoundGrid.objects.get(grid=door.grid)
    person = Person.objects.across(reason="verify").get(id=new)
    assert ruling.verdict == Verdict.APPLIED
    assert (entry.origin, entry.cls, account.added, account.frozen) == ("ADDED", "DONE", 1, 8)
    assert (person.name, person.listed) == ("演新", False)
    assert_balanced(world)


def test_found_person_who_looks_like_somebody_known_makes_a_pair_to_judge(world: World) -> None:
    known = world.persons[0]

    world.record(
        world.fact("person.found", known.dwelling_id, "dwelling", person=str(new_id()), name=" 演１ "),
        world.fact("person.found", world.dwellings[1].id, "dwelling", person=str(new_id()), name="演空"),
    )

    assert list(DuplicatePair.objects.across(reason="verify").values_list("reason", flat=True)) == [
        "same_name_same_door"
    ]
    assert_balanced(world)


def test_outcome_before_its_finding_is_held_and_then_applied(world: World) -> None:
    door, new = world.dwellings[0], new_id()
    early = world.fact("entry.outcome", new, sub_district=door.sub_district, outcome="done", minutes=2)

    (first,) = world.record(early)
    world.record(world.fact("person.found", door.id, "dwelling", person=str(new), name="演新"))

    assert (first.verdict, first.code) == ("HELD", "unknown_subject")
    assert LedgerEntry.objects.get(subject=new).cls == "DONE"
    assert Waiting.objects.count() == 0
    assert Fact.objects.get(id=early.id).verdict == Verdict.APPLIED
    assert_balanced(world)


def test_found_door_joins_doors_and_its_people_follow(world: World) -> None:
    building, door, person = world.buildings[0], new_id(), new_id()

    rulings = world.record(
        world.fact("person.found", door, "dwelling", person=str(person), name="演隔间"),
        world.fact("door.found", door, "dwelling", building=str(building.id), unit="1", room="101A"),
    )

    assert [r.verdict for r in rulings] == ["APPLIED", "APPLIED"]
    assert RoundGrid.objects.get(grid=building.grid).doors == 5
    assert LedgerEntry.objects.get(subject=person).grid == building.grid
    assert_balanced(world)


def test_move_between_grids_moves_the_entry_and_both_accounts(world: World) -> None:
    person, target = world.persons[0], world.dwellings[-1]

    world.record(
        world.outcome(person, "done"),
        world.fact(
            "person.moved",
            person.id,
            to={"sub_district": target.sub_district, "dwelling": str(target.id)},
            minutes=1,
        ),
    )

    moved = Person.objects.across(reason="verify").get(id=person.id)
    old, new = RoundGrid.objects.get(grid=person.grid), RoundGrid.objects.get(grid=target.grid)
    assert (old.moved_out, new.moved_in, new.n_done) == (1, 1, 1)
    assert (moved.dwelling_id, moved.sub_district, moved.name) == (target.id, target.sub_district, "演1")
    assert_balanced(world)


def test_move_out_of_the_city_leaves_the_roster_and_undo_brings_back(world: World) -> None:
    person = world.persons[0]
    away = world.fact("person.moved", person.id, to=None)

    world.record(away)
    gone = RoundGrid.objects.get(grid=person.grid)
    world.record(world.fact("fact.undone", person.id, fact=str(away.id), minutes=2))
    back = RoundGrid.objects.get(grid=person.grid)

    assert (gone.moved_out, written_side(gone)) == (1, 7)
    assert (back.moved_out, written_side(back)) == (0, 8)
    assert Person.objects.across(reason="verify").get(id=person.id).left_at is None
    assert_balanced(world)


def test_undo_takes_an_outcome_back_also_when_it_comes_first(world: World) -> None:
    person = world.persons[0]
    said = world.outcome(person, "done")
    undo = world.fact("fact.undone", person.id, fact=str(said.id), minutes=1)

    (early,) = world.record(undo)
    world.record(said)

    assert (early.verdict, early.code) == ("HELD", "undone_fact_unknown")
    assert LedgerEntry.objects.get(subject=person.id).cls == "OPEN"
    assert_balanced(world)


def test_undo_beside_a_held_fact_waits_with_it(world: World) -> None:
    door, new = world.dwellings[0], new_id()
    said = world.fact("entry.outcome", new, sub_district=door.sub_district, outcome="done")
    undo = world.fact("fact.undone", new, sub_district=door.sub_district, fact=str(said.id), minutes=1)

    together = world.record(said, undo)
    world.record(world.fact("person.found", door.id, "dwelling", person=str(new), name="演新", minutes=2))

    assert [(r.verdict, r.code) for r in together] == [
        ("HELD", "unknown_subject"),
        ("HELD", "undone_fact_unknown"),
    ]
    assert (LedgerEntry.objects.get(subject=new).cls, Waiting.objects.count()) == ("OPEN", 0)
    assert DoorEntry.objects.get(subject=door.id).attempts == 1
    assert_balanced(world)


def test_undo_by_somebody_else_changes_nothing(world: World) -> None:
    person = world.persons[0]
    said = world.outcome(person, "done")

    world.record(said, world.fact("fact.undone", person.id, fact=str(said.id), worker=1, minutes=1))

    assert LedgerEntry.objects.get(subject=person.id).cls == "DONE"


def test_finding_taken_back_stays_on_the_roster_explained(world: World) -> None:
    door, new = world.dwellings[0], new_id()
    found = world.fact("person.found", door.id, "dwelling", person=str(new), name="演错")

    world.record(found, world.fact("fact.undone", door.id, "dwelling", fact=str(found.id), minutes=1))

    entry = LedgerEntry.objects.get(subject=new)
    assert (entry.cls, entry.outcome) == ("EXPLAINED", "added_in_error")
    assert_balanced(world)


@pytest.mark.parametrize(
    ("change", "verdict", "code"),
    [
        ({"outcome": "unheard_of"}, "HELD", "unknown_outcome"),
        ({"outcome": "done", "surplus": 1}, "HELD", "bad_body"),
        ({"round": str(new_id()), "outcome": "done"}, "HELD", "unknown_round"),
        ({"outcome": "done", "minutes": 60 * 24 * 3}, "FLAGGED", "time_future"),
        ({"outcome": "done", "minutes": -60 * 24 * 400}, "FLAGGED", "time_ancient"),
    ],
)
def test_bad_fact_is_kept_with_its_reason(world: World, change: dict, verdict: str, code: str) -> None:
    (ruling,) = world.record(world.fact("entry.outcome", world.persons[0].id, received=world.clock, **change))

    assert (ruling.verdict, ruling.code) == (verdict, code)
    assert Fact.objects.count() == 1
    assert list(Waiting.objects.values_list("verdict", "code")) == [(verdict, code)]
    assert_balanced(world)


def test_who_crossed_a_border_is_recorded_under_his_new_door_and_keeps_his_key(world: World) -> None:
    person, target = world.persons[0], world.dwellings[-1]
    old, new = person.sub_district, target.sub_district
    world.record(world.fact("person.moved", person.id, to={"sub_district": new, "dwelling": str(target.id)}))

    (ruling,) = world.record(world.outcome(person, "done", sub_district=new, minutes=5))

    entry = LedgerEntry.objects.get(subject=person.id)
    account = RoundGrid.objects.get(grid=target.grid)
    assert (ruling.verdict, old == new) == (Verdict.APPLIED, False)
    assert (entry.cls, entry.sub_district, entry.grid) == ("DONE", old, target.grid)
    assert (account.guests_from, account.n_done) == ([old], 1)
    assert_balanced(world)


def test_chunk_that_keeps_losing_its_race_is_halved_until_it_gets_through(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    decide = recording.decide

    def crowded(facts, **options):  # type: ignore[no-untyped-def]
        sizes.append(len(facts))
        if len(facts) > 2:
            raise LostRace("somebody else was faster")
        return decide(facts, **options)

    monkeypatch.setattr(recording, "decide", crowded)

    rulings = world.record(*(world.outcome(person, "done") for person in world.persons[:5]))

    assert [r.verdict for r in rulings] == ["APPLIED"] * 5
    assert max(sizes) == 5
    assert_balanced(world)
