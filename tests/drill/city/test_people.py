# SPDX-License-Identifier: Apache-2.0
"""The people: believable households, names, ages and needs; numbers that look right and are nobody's."""

import re
from collections import Counter, defaultdict
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.drill.city.draws import Draws, Table
from muster.drill.city.families import SHAPES
from muster.drill.city.numbers import IdNumbers, check_digit, drama_number, id_number, mobile


def age(person, as_of):
    return (as_of - person.birth_date).days / 365.2425


def members(city):
    homes = defaultdict(list)
    for person in city.persons:
        if person.lives_here:
            homes[person.household_key].append(person)
    return homes


def share(count, whole):
    return count / whole


# Identity numbers and telephones


def gb_11643_remainder(number):
    """The check of the standard, told another way: the weighted sum of all eighteen is 1 modulo 11."""
    values = [10 if c == "X" else int(c) for c in number]
    return sum(value * pow(2, 17 - place, 11) for place, value in enumerate(values)) % 11


def test_id_numbers_are_right_and_of_no_assigned_province(district):
    numbers = [p for p in district.persons if p.id_number]

    assert share(len(numbers), len(district.persons)) > 0.98
    for person in numbers:
        number = person.id_number
        assert re.fullmatch(r"79\d{15}[\dX]", number)
        assert gb_11643_remainder(number) == 1
        assert number[6:14] == f"{person.birth_date:%Y%m%d}"
        assert int(number[16]) % 2 == (1 if person.sex == "M" else 0)


def test_wrong_check_digit_is_seen():
    number = id_number("790101", date(1990, 5, 17), "F", 3)
    wrong = number[:-1] + ("0" if number[-1] != "0" else "1")

    assert gb_11643_remainder(number) == 1
    assert gb_11643_remainder(wrong) != 1


@pytest.mark.parametrize(("first", "digit"), [("11010519491231002", "X"), ("44052418800101001", "4")])
def test_check_digit_of_the_standards_own_examples(first, digit):
    assert check_digit(first) == digit


def test_no_id_number_twice_but_for_persons_on_two_lists(district):
    counts = Counter(p.id_number for p in district.persons if p.id_number)
    twice = {number for number, count in counts.items() if count > 1}
    deliberate = {key for key, _ in district.truth.elsewhere_listed}
    on_two = {p.id_number for p in district.persons if p.key in deliberate}

    assert twice == on_two
    assert twice
    assert max(counts.values()) == 2


@given(indices=st.sets(st.integers(0, 5_145), min_size=2, max_size=2), number=st.integers(0, 10**6))
def test_communities_never_share_an_identity_number(indices, number):
    born = date(1987, 3, 4)
    given_by = []
    for index in sorted(indices):
        ids = IdNumbers(f"7901{index // 166:02d}000000", index % 166, index)
        mine = [ids.give(born, "F", number)[0] for _ in range(4)] + [
            ids.give(born, "F", None)[0] for _ in range(4)
        ]
        mine += [ids.traveller(born, "F", number)]
        assert len(set(mine)) == 9
        given_by.append(set(mine))

    assert not given_by[0] & given_by[1]


def test_mobile_numbers_have_the_right_shape_and_an_unused_prefix(district):
    phones = {p.phone for p in district.persons if p.phone}

    assert phones
    assert all(re.fullmatch(r"1[3-9]\d{9}", phone) and phone.startswith("160") for phone in phones)


@given(st.sets(st.tuples(st.integers(0, 5_145), st.integers(0, 16_383)), min_size=2, max_size=40))
def test_mobile_numbers_never_meet(places):
    assert len({mobile(*place) for place in places}) == len(places)


def test_town_uses_numbers_kept_for_drama_and_no_identity_numbers(town):
    assert all(re.fullmatch(r"07700 900\d{3}", p.phone) for p in town.persons if p.phone)
    assert all(p.id_number is None for p in town.persons)
    assert drama_number(1_007) == "07700 900007"


def test_a_shared_phone_stays_in_the_household(district):
    holders = defaultdict(set)
    for person in district.persons:
        if person.phone:
            holders[person.phone].add(person.household_key)
    travellers = {p.phone for p in district.persons if p.key in dict(district.truth.elsewhere_listed)}

    assert {phone for phone, homes in holders.items() if len(homes) > 1} <= travellers


# Households


def test_parents_are_18_to_45_years_older_than_children(city):
    for household in members(city).values():
        ages = defaultdict(list)
        for person in household:
            ages[person.relation].append(age(person, city.as_of))
        parents = ages["head"] + ages["spouse"]
        assert all(17.9 <= p - c <= 45.1 for p in parents for c in ages["child"])
        assert all(17.9 <= p - h <= 45.1 for p in ages["parent"] for h in ages["head"])
        assert all(p - g >= 36 for p in parents for g in ages["grandchild"])


def test_shapes_of_households_hold_for_every_draw():
    draws = Draws(1, "shapes")
    for name, shape in SHAPES.items():
        for _ in range(300):
            household = shape(draws)
            assert household, name
            assert all(0 <= m.age <= 101.01 for m in household), name
            assert all(m.age >= 15 for m in household if m.relation in {"head", "spouse"}), name
            parents = [m.age for m in household if m.relation in {"head", "spouse"}]
            children = [m.age for m in household if m.relation == "child"]
            assert all(17.9 <= p - c <= 45.1 for p in parents for c in children), name


def test_children_bear_the_family_name_of_a_parent(district):
    kept = total = 0
    for household in members(district).values():
        parents = [p.name[0] for p in household if p.relation in {"head", "spouse"}]
        for person in household:
            if person.relation == "child" and len(parents) > 1 and "·" not in person.name:
                total += 1
                kept += person.name[0] in parents
    assert total > 1_000
    assert kept / total > 0.97


def test_living_alone_and_old_is_a_need(district):
    homes = members(district)
    alone = {
        p.key
        for household in homes.values()
        for p in household
        if len(household) == 1 and age(p, district.as_of) >= 65.1
    }
    told = {p.key for p in district.persons if "elder_alone" in p.needs}

    assert len(alone) > 300
    assert alone <= told


def test_newly_delivered_mothers_have_an_infant(district):
    homes = members(district)
    for person in district.persons:
        if "newly_delivered" in person.needs:
            ages = [age(p, district.as_of) for p in homes[person.household_key] if p.key != person.key]
            assert person.sex == "F"
            assert min(ages) < 0.6


def test_ages_form_a_pyramid_of_today(district):
    ages = [age(p, district.as_of) for p in district.persons]
    whole = len(ages)

    assert 0.09 < share(sum(a < 15 for a in ages), whole) < 0.19
    assert 0.58 < share(sum(15 <= a < 60 for a in ages), whole) < 0.75
    assert 0.13 < share(sum(a >= 60 for a in ages), whole) < 0.25
    assert share(sum(a >= 80 for a in ages), whole) < 0.05
    assert 0.45 < share(sum(p.sex == "F" for p in district.persons), whole) < 0.54


def test_households_are_of_the_usual_size(district):
    sizes = Counter(len(household) for household in members(district).values())
    whole = sum(sizes.values())

    assert 2.2 < sum(size * count for size, count in sizes.items()) / whole < 2.8
    assert sizes[1] / whole < 0.40
    assert max(sizes) <= 8


NEED_BOUNDS = {
    "elder_alone": (0.010, 0.035),
    "disabled": (0.012, 0.040),
    "pregnant": (0.0025, 0.009),
    "newly_delivered": (0.001, 0.006),
    "chronic": (0.02, 0.08),
    "dialysis": (0.0002, 0.0015),
    "dementia": (0.002, 0.009),
    "psychiatric": (0.0015, 0.006),
    "mobility": (0.005, 0.020),
    "migrant_hardship": (0.0005, 0.008),
    "minor_alone": (0.0001, 0.003),
}


def test_needs_come_at_believable_rates(district):
    counts = Counter(need for p in district.persons for need in p.needs)

    assert set(counts) == set(NEED_BOUNDS)
    for need, (low, high) in NEED_BOUNDS.items():
        assert low < counts[need] / len(district.persons) < high, need


def test_needs_of_the_town_fit_leaving_a_flood(town):
    counts = Counter(need for p in town.persons for need in p.needs)
    homes = sum(1 for _ in members(town))

    assert {"no_car", "oxygen", "wheelchair", "hearing", "infant", "pets", "elder_alone", "mobility"} <= set(
        counts
    )
    assert 0.12 < counts["no_car"] / homes < 0.28
    assert 0.28 < counts["pets"] / homes < 0.46
    assert all(age(p, town.as_of) < 1.01 for p in town.persons if "infant" in p.needs)


# Names and languages


def test_names_have_long_ones_rare_characters_and_foreign_letters(district):
    names = [p.name for p in district.persons]

    assert any("·" in name for name in names)
    assert any(len(name) >= 6 for name in names)
    assert any(ord(c) > 0xFFFF for name in names for c in name)
    assert any(name.isascii() for name in names)
    assert 0.05 < share(sum(name.startswith("王") for name in names), len(names)) < 0.12
    assert share(sum(2 <= len(name) <= 3 for name in names), len(names)) > 0.9


def test_given_names_follow_the_decade(district):
    old = Counter(c for p in district.persons if p.birth_date.year < 1950 for c in p.name[1:])
    young = Counter(c for p in district.persons if p.birth_date.year > 2015 for c in p.name[1:])

    assert old["梓"] == old["涵"] == 0
    assert young["梓"] > 0
    assert old["桂"] > 10 * max(1, young["桂"])


def test_town_has_names_of_several_origins(town):
    names = " ".join(p.name for p in town.persons)

    assert all(part in names for part in ("O'", "Singh", "ł"))
    assert "-" in names
    assert any(" " not in p.name for p in town.persons)


def test_languages_are_codes(city):
    spoken = Counter(code for p in city.persons for code in p.languages)

    assert all(re.fullmatch(r"[a-z_]+", code) for code in spoken)
    assert all(p.languages for p in city.persons)
    assert spoken.most_common(1)[0][0] == ("mandarin" if city.scenario == "epidemic-zh" else "english")
    assert len(spoken) >= 5


# Draws


def test_draws_of_a_stream_do_not_depend_on_other_streams():
    alone = [Draws(1, "b", 2).random() for _ in range(1)]
    Draws(1, "a", 2).random()

    assert [Draws(1, "b", 2).random()] == alone
    assert Draws(1, "a", 2).random() != Draws(1, "b", 2).random()


def test_draws_never_change_between_releases():
    draws = Draws(42, "pinned")

    assert [draws.below(1000) for _ in range(4)] == PINNED


PINNED = [193, 828, 427, 840]


def test_table_draws_by_weight():
    draws = Draws(3, "table")
    table = Table({"often": 9.0, "seldom": 1.0})

    counts = Counter(draws.weighted(table) for _ in range(5_000))

    assert 0.87 < counts["often"] / 5_000 < 0.93


def test_shuffled_keeps_all():
    assert sorted(Draws(1, "s").shuffled(range(50))) == list(range(50))
