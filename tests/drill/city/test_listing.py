# SPDX-License-Identifier: Apache-2.0
"""The imported list and the truth: where they part, by how much, and that neither contradicts itself."""

import re
import time
from collections import Counter

from muster.drill.city import generate
from muster.drill.city.scenario import load_scenario


def homes(city):
    return {h.key: h for h in city.households}


def test_about_one_and_a_half_percent_are_not_on_the_list(city):
    share = len(city.truth.unlisted_persons) / len(city.persons)

    assert 0.008 < share < 0.022


def test_more_are_missing_in_the_urban_village(district):
    kind = {b.key: b.kind for b in district.buildings}
    where = {d.key: kind[d.building_key] for d in district.dwellings}
    home = homes(district)
    counts = Counter(
        (where[home[p.household_key].dwelling_key] == "self_built", p.listed) for p in district.persons
    )

    in_village = counts[True, False] / (counts[True, False] + counts[True, True])
    elsewhere = counts[False, False] / (counts[False, False] + counts[False, True])

    assert in_village > 2 * elsewhere


def test_list_holds_only_what_is_listed(city):
    listed = city.listed

    assert all(row.listed for row in (*listed.dwellings, *listed.households, *listed.persons))
    assert {p.key for p in city.persons if not p.listed} == set(city.truth.unlisted_persons)
    assert {d.key for d in city.dwellings if not d.listed} == set(city.truth.unlisted_dwellings)


def test_listed_rows_hang_together(city):
    doors = {d.key for d in city.listed.dwellings}
    households = {h.key: h for h in city.listed.households}

    assert all(h.dwelling_key in doors for h in households.values())
    assert all(p.household_key in households for p in city.listed.persons)


def test_occupied_means_that_somebody_is_behind_the_door(city):
    behind = city.behind_doors

    assert {d.key for d in city.dwellings if d.occupied_truth} == set(behind)


def test_listed_as_occupied_means_that_a_listed_household_is_there(city):
    told = {h.dwelling_key for h in city.listed.households}

    assert {d.key for d in city.dwellings if d.listed_occupied} == told


def test_vacant_homes_that_the_list_shows_as_occupied(city):
    wrong = {d.key for d in city.dwellings if d.listed_occupied and not d.occupied_truth}

    assert wrong == set(city.truth.vacant_listed)
    assert wrong


def test_homes_that_the_list_shows_as_empty_may_be_lived_in(city):
    assert any(d.listed and d.occupied_truth and not d.listed_occupied for d in city.dwellings)


def test_vacant_share_is_believable(city):
    vacant = sum(not d.occupied_truth for d in city.dwellings) / len(city.dwellings)

    assert 0.04 < vacant < 0.20


def test_everybody_is_behind_one_door_at_most(city):
    seen = Counter(p.key for people in city.behind_doors.values() for p in people)
    moves = {m.person_key: m for m in city.truth.moves}

    assert set(seen.values()) == {1}
    for person in city.persons:
        gone = person.key in moves and moves[person.key].to_dwelling is None
        assert (person.key in seen) == (person.lives_here and not gone)


def test_moves_lead_to_doors_of_the_city(city):
    doors = {d.key: d for d in city.dwellings}
    persons = {p.key: p for p in city.persons}
    home = homes(city)
    within = [m for m in city.truth.moves if m.to_dwelling]

    assert within
    assert any(not m.to_dwelling and not m.to_community for m in city.truth.moves)
    for move in within:
        assert doors[move.to_dwelling].listed_occupied is False
        assert home[persons[move.person_key].household_key].dwelling_key != move.to_dwelling
    assert all(persons[m.person_key].listed or not homes for m in within)


def test_person_who_went_to_the_next_community_is_found_there(district):
    persons = {p.key: p for p in district.persons}
    codes = {c.area.code for c in district.communities}
    went = {persons[m.person_key].id_number: m.to_community for m in district.truth.moves if m.to_community}

    assert went
    assert set(went.values()) <= codes
    found = {persons[key].id_number: key for key, _ in district.truth.elsewhere_listed}
    assert set(found) == set(went)
    for number, key in found.items():
        assert key.startswith(went[number])
    listed_there = {persons[key].listed for key in found.values()}
    assert listed_there == {True, False}


def test_divided_rooms_are_doors_that_no_list_has(district):
    divided = [d for d in district.dwellings if d.kind == "divided_room"]

    assert divided
    assert not any(d.listed for d in divided)
    assert all(d.occupied_truth for d in divided)
    assert all(re.search(r"\d{3}-2室$", d.address_text) for d in divided)


def test_registered_elsewhere_is_common_among_tenants_and_rare_among_owners(district):
    home = homes(district)
    counts = Counter((home[p.household_key].kind, p.registered_here) for p in district.persons)

    assert counts["rental", False] > 3 * counts["rental", True]
    assert counts["family", True] > 3 * counts["family", False]


def test_some_are_registered_here_and_live_elsewhere(district):
    away = [p for p in district.persons if p.registered_here and not p.lives_here]

    assert 0.006 < len(away) / len(district.persons) < 0.03
    assert all(p.listed for p in away)
    assert not {p.key for p in away} & {m.person_key for m in district.truth.moves}


# Doors and addresses

FORMS = {
    "flat": r"\S+\d+号(楼\d+单元\d{3,4}|\d楼\d室)",
    "house": r"\S+\d+栋[A-H]?",
    "room": r"\S+巷(\d+支巷)?\d+号\d{3}室",
    "owner_home": r"\S+巷(\d+支巷)?\d+号101室",
    "divided_room": r"\S+巷(\d+支巷)?\d+号\d{3}-2室",
    "dormitory_room": r"\S+\d+号宿舍楼\d{3}室",
}


def test_chinese_doors_are_written_as_people_write_them(district):
    for dwelling in district.dwellings:
        assert re.fullmatch(FORMS[dwelling.kind], dwelling.address_text), dwelling.address_text


def test_english_doors_are_written_as_people_write_them(town):
    forms = r"(Flat \d+, |Room \d+, [\w ]+, )?\d+ [A-Z]\w+ [A-Z]\w+|Pitch \d+, [\w ]+"
    for dwelling in town.dwellings:
        assert re.fullmatch(forms, dwelling.address_text), dwelling.address_text


def test_no_two_doors_of_a_community_have_the_same_address(city):
    for community in city.communities:
        twice = [a for a, n in Counter(d.address_text for d in community.dwellings).items() if n > 1]
        assert twice == []


def test_floor_fits_the_building_and_the_room_number(district):
    floors = {b.key: b.floors for b in district.buildings}
    for dwelling in district.dwellings:
        assert 1 <= dwelling.floor <= floors[dwelling.building_key]
        if dwelling.kind in {"flat", "room"} and len(dwelling.room) in {3, 4}:
            assert int(dwelling.room) // 100 == dwelling.floor


def test_owner_lives_in_some_self_built_houses(district):
    houses = sum(b.kind == "self_built" for b in district.buildings)
    owners = sum(d.kind == "owner_home" for d in district.dwellings)

    assert 0.3 < owners / houses <= 1.0


def test_thirty_thousand_people_take_no_more_than_three_seconds():
    load_scenario("epidemic-zh")
    start = time.process_time()

    generate("epidemic-zh", people=30_000, seed=5)

    assert time.process_time() - start < 3.0
