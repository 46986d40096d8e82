# SPDX-License-Identifier: Apache-2.0
"""Counts first, names later: lists are read, differences shown, people ticked off become responders."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.incidents.packs import pack_of
from muster.places.models import Area
from muster.responders.checking_in import phone_index
from muster.responders.heads import head_counts
from muster.responders.models import Responder, Standing
from muster.responders.reinforcement import names, sending
from muster.responders.reinforcement.models import DeployedPerson, Deployment
from muster.responders.reinforcement.queries import deployed_heads, deployment_of_code, people_of
from muster.responders.reinforcement.sending import Sent
from muster.storage.scoping import Scope
from tests.support.serving import somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
BY = uuid.UUID(int=9)
DAY = timedelta(days=1)
LIST = """姓名\t电话\t专长
演王一\t13900000001\t驾驶
2. 演李二，13900000002
演赵三
"""


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def sent(world: World, count: int = 3, **more: str) -> Deployment:
    return sending.send_people(
        Sent("市水务局", count, **{"affiliation": "deployed_cadre", **more}), incident=world.incident.id,
        to=world.streets[0], giver=world.city, starts_at=NOON, ends_at=NOON + DAY, by=BY, at=NOON,
    )  # fmt: skip


def add(world: World, row: Deployment, text: str) -> names.Kept:
    return names.add_names(row.id, names.cells_of_text(text), pack=pack_of(world.incident), by=BY, at=NOON)


def test_a_pasted_list_is_read_line_by_line(world: World) -> None:
    row = sent(world)

    kept = add(world, row, LIST)

    people = people_of([row.id])
    assert (kept.added, kept.known, kept.faulty) == (3, 0, ())
    assert [(p.name, p.phone or "", p.skill) for p in people] == [
        ("演王一", "13900000001", "driving"), ("演李二", "13900000002", ""), ("演赵三", "", ""),
    ]  # fmt: skip
    again = add(world, row, LIST)
    assert (again.added, again.known) == (0, 3), "told twice, listed once"


def test_good_lines_go_in_and_bad_ones_say_why(world: World) -> None:
    row = sent(world)

    kept = add(
        world,
        row,
        "演王一,13900000001\n,13900000003\n演**,13900000004\n演丁,12\n演戊,,杂耍\n\n12345,13900000005",
    )

    assert kept.added == 1
    assert [(f.row, f.field, f.code) for f in kept.faulty] == [
        (2, "name", "names_without_name"), (3, "name", "names_bad_name"), (4, "phone", "phone_shape"),
        (5, "skill", "order_skill_unknown"), (7, "name", "names_without_name"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "code"), [("", "names_empty"), ("\n \n", "names_empty"), ("演\n" * 5_002, "names_too_many")]
)
def test_empty_and_endless_lists_are_refused(world: World, text: str, code: str) -> None:
    row = sent(world)

    with pytest.raises(Refusal, match=code):
        add(world, row, text)
    assert people_of([row.id]) == []


def test_a_spreadsheet_is_read_alike(world: World) -> None:
    row = sent(world)
    cells = names.cells_of_file("电话,姓名\n13900000001,演王一\n".encode("gb18030"))

    kept = names.add_names(row.id, cells, pack=pack_of(world.incident), by=BY, at=NOON)

    assert (kept.added, [p.phone for p in people_of([row.id])]) == (1, ["13900000001"])


def test_more_names_than_people_is_a_difference_and_no_fault(world: World) -> None:
    row = sent(world, 1)
    add(world, row, LIST)
    ids = [p.id for p in people_of([row.id])]

    after = names.tick_arrived(row.id, ids, by=BY, at=NOON)

    assert (after.promised, after.arrived, after.status) == (1, 3, "ARRIVED")
    with pytest.raises(Refusal, match="count_below_names"):
        sending.count_people(row.id, arrived=1, by=BY, at=NOON)


def test_who_arrives_serves_and_goes_home(world: World) -> None:
    row = sent(world)
    add(world, row, LIST)
    one, two, three = (p.id for p in people_of([row.id]))

    names.tick_arrived(row.id, [one, two], by=BY, at=NOON)
    names.tick_arrived(row.id, [one], by=BY, at=NOON + DAY)

    people = list(Responder.objects.across(reason="own").order_by("id"))
    assert [(p.name, p.status, p.affiliation, p.unit, p.skills, p.sub_district) for p in people] == [
        ("演王一", "VETTED", "deployed_cadre", "市水务局", ["driving"], world.streets[0].id),
        ("演李二", "VETTED", "deployed_cadre", "市水务局", [], world.streets[0].id),
    ]
    with pytest.raises(Refusal, match="deployed_person_not_here"):
        names.tick_returned(row.id, [three], by=BY, at=NOON)
    after = names.tick_returned(row.id, [one, two], by=BY, at=NOON + DAY)
    assert (after.status, after.returned) == ("RETURNED", 2)
    assert set(Responder.objects.across(reason="own").values_list("status", flat=True)) == {"RELEASED"}
    assert Standing.objects.across(reason="own").filter(until__isnull=True, status="RELEASED").count() == 2


def test_who_had_checked_in_himself_is_found_and_left_as_he_is(world: World) -> None:
    number = "13900000001"
    known = somebody_who_serves(world, name="演本人", phone=number, phone_index=phone_index(number))
    row = sent(world)
    add(world, row, "演王一,13900000001")
    (one,) = people_of([row.id])

    names.tick_arrived(row.id, [one.id], by=BY, at=NOON)
    names.tick_returned(row.id, [one.id], by=BY, at=NOON)

    after = Responder.objects.across(reason="own").get()
    assert (after.id, after.name, after.status) == (known.id, "演本人", "ON_DUTY")
    assert people_of([row.id])[0].responder == known.id


def test_people_of_another_list_are_unknown(world: World) -> None:
    row, other = sent(world), sent(world)
    add(world, other, "演王一")
    stranger = people_of([other.id])[0].id

    for ids in ([stranger], [new_id()], []):
        with pytest.raises(Refusal, match="deployed_person_unknown"):
            names.tick_arrived(row.id, ids, by=BY, at=NOON)


def test_who_came_without_a_name_stands_beside_the_counts_and_in_none(world: World) -> None:
    row = sent(world)
    add(world, row, LIST)
    sending.count_people(row.id, arrived=3, by=BY, at=NOON)
    names.tick_arrived(row.id, [people_of([row.id])[0].id], by=BY, at=NOON)
    street, other = world.streets[:2]

    def told(of: Area, scope: Scope) -> list[tuple[str, dict[str, int], dict[str, int]]]:
        found = head_counts(incident=world.incident.id, of=of, at=NOON, scope=scope)
        return [
            (one.area.name, {who: kinds["serving"] + kinds["vetted"] for who, kinds in one.by.items()},
             dict(one.unlisted))
            for one in found if one.area is not None and (one.by or one.unlisted)
        ]  # fmt: skip

    own, away = (Scope(sub_districts=frozenset({one.id})) for one in (street, other))
    here = [(street.name, {"deployed_cadre": 1}, {"deployed_cadre": 2})]
    district = Area.objects.get(id=street.parent_id)
    assert told(district, Scope(everything=True)) == here
    assert told(district, own) == here
    assert told(street, own) == [(street.name, {}, {"deployed_cadre": 2})]
    assert told(district, away) == []


def test_heads_of_any_moment_by_affiliation(world: World) -> None:
    row, other = sent(world), sent(world, 5, affiliation="volunteer")
    add(world, row, LIST)
    hour = timedelta(hours=1)
    sending.count_people(row.id, arrived=3, by=BY, at=NOON)
    names.tick_arrived(row.id, [people_of([row.id])[0].id], by=BY, at=NOON + hour)
    sending.count_people(other.id, arrived=5, by=BY, at=NOON + hour)
    sending.count_people(row.id, returned=3, by=BY, at=NOON + 3 * hour)

    def heads(hours: int, path: str = world.streets[0].path) -> dict[str, tuple[int, int]]:
        found = deployed_heads(world.incident.id, path=path, at=NOON + hours * hour)
        return {one.affiliation: (one.count, one.unlisted) for one in found}

    assert heads(-1) == {}
    assert heads(0) == {"deployed_cadre": (3, 3)}
    assert heads(2) == {"deployed_cadre": (3, 2), "volunteer": (5, 5)}
    assert heads(4) == {"volunteer": (5, 5)}
    assert heads(2, world.streets[1].path) == {}
    assert heads(2, world.city.path) == heads(2)


def test_the_leaders_code_opens_only_where_they_were_sent(world: World) -> None:
    row = sent(world)
    typed = str(row.code).lower().replace("-", " ")

    assert deployment_of_code(typed, paths=[world.streets[0].path]).id == row.id
    for code, path in ((str(row.code), world.streets[1].path), ("ABCD-EFGH", "/"), ("x", "/"), ("", "/")):
        with pytest.raises(Refusal, match="arrival_unknown"):
            deployment_of_code(code, paths=[path])


def test_names_lie_sealed(world: World) -> None:
    from django.db import connection

    row = sent(world, leader="演领队", leader_phone="13911112222")
    add(world, row, LIST)
    with connection.cursor() as cursor:
        for table in (DeployedPerson._meta.db_table, Deployment._meta.db_table):
            cursor.execute(f"SELECT * FROM {table}")
            told = repr(cursor.fetchall())
            assert not any(word in told or word.encode().hex() in told for word in ("演", "139"))
