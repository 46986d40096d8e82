# SPDX-License-Identifier: Apache-2.0
"""A day from its data: what workers find out is true, and what the ledger says of it is complete."""

from __future__ import annotations

from collections import defaultdict

import pytest

from muster.campaigns.models import LedgerEntry
from muster.campaigns.states import EntryClass
from muster.places.models import Dwelling
from tests.drill.day_checks import CHECKS, standing
from tests.drill.played import acts, crew_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("check", CHECKS)
def test_day_whole(check, epidemic_day):
    check(epidemic_day)


def test_day_met_only_who_is_there(epidemic_day):
    for fact in standing(epidemic_day):
        if fact.kind == "entry.outcome" and fact.body["outcome"] == "REGISTERED":
            assert fact.subject in epidemic_day.truth.people(fact.body["door"]) or fact.subject not in set(
                epidemic_day.truth.ids.values()
            )


def test_day_unlisted_who_could_be_met_are_mostly_found(epidemic_day):
    """The list misses people on purpose; workers who got an answer find nine in ten of them."""
    truth = epidemic_day.truth
    found = {s.body["person"] for s in standing(epidemic_day) if s.kind == "person.found"}
    answered = {
        s.door for s in standing(epidemic_day) if s.kind == "door.state" and s.body["state"] == "SEEN"
    }
    unlisted = {truth.ids[key] for key in epidemic_day.city.truth.unlisted_persons}
    to_find = {i for door in answered for i in truth.people(door) if i in unlisted}

    assert len(to_find) > 20
    assert len(found & to_find) >= 0.8 * len(to_find)


def test_day_doors_found_exist_and_are_visited(epidemic_day):
    doors = {s.subject for s in epidemic_day.spoken if s.kind == "door.found"}
    kept = Dwelling.objects.across(reason="count").filter(id__in=doors).count()

    assert kept == len(doors) > 0
    assert doors <= {d.id for c in epidemic_day.crews for d in c.notebook.doors.values()}


def test_day_refusal_explained_only_by_a_second_worker(epidemic_day):
    said: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for fact in standing(epidemic_day):
        if fact.kind == "entry.outcome" and fact.body["outcome"] == "DECLINED":
            said[fact.subject].add(fact.worker)
    entries = {str(e.subject): e for e in LedgerEntry.objects.filter(round=epidemic_day.demo["round"])}

    assert said
    for subject, workers in said.items():
        entry = entries[subject]
        if entry.outcome == "DECLINED":
            assert (entry.cls == EntryClass.EXPLAINED) == (len(workers) > 1)


def test_day_has_all_that_days_have(epidemic_day):
    events = epidemic_day.events
    for what in ("found", "silent", "refused", "moved_out", "door_found", "undone"):
        assert events[what] > 0, what


def test_day_same_seed_same_day(epidemic_day):
    def one_day(seed: str) -> list[tuple[float, int, str, list[str]]]:
        grid, told = next(iter(epidemic_day.first_pulls.items()))
        crew = crew_of(epidemic_day.demo, epidemic_day.truth, grid, told, seed=seed)
        return [(c, w.number, d.id, [s.kind for s in v.said]) for c, w, d, v in acts(crew, 6 * 3600)]

    assert one_day("a") == one_day("a")
    assert one_day("a") != one_day("b")


def test_day_two_workers_share_a_grid_and_meet_no_door_at_once(epidemic_day):
    grid, told = next(iter(epidemic_day.first_pulls.items()))
    crew = crew_of(epidemic_day.demo, epidemic_day.truth, grid, told, seed="shares")

    first = {d: w.number for _, w, door, _ in acts(crew, 3 * 3600) for d in [door.id]}

    assert set(first.values()) == {w.number for w in crew.workers}
    assert 2 <= len(crew.workers) <= 3


def test_day_building_kept_free_is_left_alone_until_its_hour(epidemic_day):
    grid, told = next(iter(epidemic_day.first_pulls.items()))
    crew = crew_of(epidemic_day.demo, epidemic_day.truth, grid, told, seed="free")
    building = crew.workers[0].todo and crew.notebook.doors[crew.workers[0].todo[0]].building
    for worker in crew.workers:
        worker.todo.clear()
    crew.share_out(keep_free={building: 3 * 3600})

    visits = [(clock, door.building) for clock, _, door, _ in acts(crew, 12 * 3600)]

    assert not [c for c, b in visits if b == building and c < 3 * 3600]
    assert [c for c, b in visits if b == building and c >= 3 * 3600]
