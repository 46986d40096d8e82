# SPDX-License-Identifier: Apache-2.0
"""Many people behind one door or under one number: judged as anywhere else, at the price of a list."""

import pytest

from muster.register.importing import crowds, person_matching
from muster.register.importing.batches import kept_rows
from muster.register.importing.persons import Persons
from muster.register.models import DuplicatePair, Person
from tests.register.list_files import bring, id_number, somebody

pytestmark = pytest.mark.django_db
SHARED = "13900000009"


def a_dormitory(count: int) -> list[dict[str, str]]:
    """Everybody behind one door with one number; every fifth is called like somebody before."""
    return [
        somebody(f"工{'甲乙丙丁戊'[n % 5]}{'一二三四五六七八九十'[n // 5 % 10]}" if n % 5 else f"王{n % 3}小",
                 手机=SHARED, 身份证号=id_number(serial=100 + n))
        for n in range(count)
    ]  # fmt: skip


def judged(world, monkeypatch, many: int) -> tuple[object, ...]:
    monkeypatch.setattr(crowds, "MANY", many)
    monkeypatch.setattr(Persons, "chunk_rows", 7)
    lines = a_dormitory(60)
    first = bring("persons", *lines)
    again = bring("persons", *lines[:20])
    weak = bring("persons", *[{**line, "身份证号": ""} for line in lines[:6]])
    rows = [(r.number, r.verdict, r.reason, [p.code for p in r.problems]) for r in kept_rows(weak)]
    people = {p.id: p.id_number for p in Person.objects.across(reason="count").filter(source="import")}
    pairs = sorted(
        (*sorted(str(people.get(who)) for who in (pair.first, pair.second)), pair.reason)
        for pair in DuplicatePair.objects.across(reason="count")
    )
    return first.result, again.result, rows, len(pairs), pairs


@pytest.fixture
def everybody(world, monkeypatch):
    """The careful way, without a crowd: everybody is laid beside every line."""
    from django.db import transaction

    with transaction.atomic():
        found = judged(world, monkeypatch, 10**9)
        transaction.set_rollback(True)
    return found


def test_crowd_is_judged_as_everybody_one_by_one(world, monkeypatch, everybody):
    found = judged(world, monkeypatch, 3)

    assert found[:3] == everybody[:3]
    assert everybody[0] == {"new": 60, "added_person": 60}
    assert everybody[1] == {"same": 20}
    # Of those who are called alike, each is paired with some: the first ten of a crowd.
    assert set(found[4]) <= set(everybody[4])
    paired = [{one for pair in pairs for one in pair[:2]} for pairs in (found[4], everybody[4])]
    assert paired[0] == paired[1] != set()


def test_names_of_a_crowd_are_read_once(world, monkeypatch):
    monkeypatch.setattr(crowds, "MANY", 0)
    monkeypatch.setattr(Persons, "chunk_rows", 10)
    looked = []
    whole = person_matching.persons_with
    monkeypatch.setattr(person_matching, "persons_with", lambda ids: looked.append(len(ids)) or whole(ids))

    bring(
        "persons",
        *[
            somebody(f"工{'甲乙丙丁戊己庚辛壬癸'[n % 10]}{'一二三四五六七八九十'[n // 10]}")
            for n in range(100)
        ],
    )

    assert sum(looked) == 0  # nobody is called alike: nobody is looked at whole
    assert Person.objects.across(reason="count").filter(source="import").count() == 100
