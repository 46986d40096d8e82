# SPDX-License-Identifier: Apache-2.0
"""Requests are taken in: none is refused for being one of many, repeats are linked, life keeps its clock."""

from datetime import timedelta

import pytest

from muster.base.codes import normalise_enrol_code
from muster.base.errors import Refusal
from muster.requests import services, steps
from muster.requests.models import Note, Request, WorkItem
from muster.requests.queries import NOWHERE, request_with_code, seen_by, waiting_before
from muster.requests.services import Where
from muster.requests.states import RequestStatus, Urgency
from muster.storage.scoping import Scope
from muster.trail.models import Event
from tests.support.serving import ask, door, pack
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def test_request_has_number_code_clock_and_one_item(world: World) -> None:
    taken = ask(world, text="家里没米了", phone="13800000001", name="张三")

    row = request_with_code(normalise_enrol_code(taken.code.lower()))
    assert (row.id, row.number, row.status, row.urgency) == (taken.request.id, 1, "NEW", "NORMAL")
    assert row.respond_by == NOON + timedelta(minutes=60)
    assert row.finish_by == NOON + timedelta(minutes=1440)
    assert (row.text, row.name, row.phone) == ("家里没米了", "张三", "13800000001")
    assert WorkItem.objects.across(reason="requests").filter(request=row).count() == 1
    assert waiting_before(row) == 1


def test_words_phone_and_name_lie_sealed(world: World) -> None:
    from django.db import connection

    ask(world, text="糖尿病的药没了", phone="13800000001", name="张三", place="三楼左手")
    with connection.cursor() as cursor:
        cursor.execute("SELECT text, place, name, phone, tracking_index, phone_index FROM requests_request")
        told = b"".join(bytes(cell) for cell in cursor.fetchone())

    for secret in ("糖尿病", "13800000001", "张三", "三楼"):
        assert secret.encode() not in told


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"category": "", "text": "  "}, "request_empty"),
        ({"text": "长" * 2001}, "request_too_long"),
        ({"category": "no_such"}, "request_category_unknown"),
        ({"urgency": "VERY"}, "request_urgency_unknown"),
    ],
)
def test_what_cannot_be_a_request_is_told_so(world: World, said: dict[str, str], code: str) -> None:
    with pytest.raises(Refusal) as refusal:
        ask(world, **said)

    assert refusal.value.code == code
    assert Request.objects.across(reason="count").count() == 0


def test_one_sentence_without_kind_or_door_is_enough(world: World) -> None:
    taken = ask(world, category="", text="有人吗", where=Where())

    assert (taken.request.category, taken.request.sub_district) == ("other", NOWHERE)
    assert taken.request.id in set(
        seen_by(Scope(grids=frozenset({world.grids[0].id}))).values_list("id", flat=True)
    )


def test_repeat_is_linked_and_raises_urgency(world: World) -> None:
    first = ask(world, category="food", text="没菜了")
    second = ask(world, category="food", text="还没来", at=NOON + timedelta(hours=2))

    main = Request.objects.across(reason="requests").get(id=first.request.id)
    assert (second.repeat_of, second.request.status) == (first.request.id, RequestStatus.LINKED)
    assert (main.repeats, main.urgency) == (1, Urgency.URGENT)
    assert main.respond_by == NOON + timedelta(minutes=60), "a clock never moves away"
    assert main.finish_by == NOON + timedelta(hours=10)


def test_another_kind_another_door_or_a_day_later_is_no_repeat(world: World) -> None:
    ask(world, category="food")

    assert ask(world, category="medicine").repeat_of is None
    assert ask(world, category="food", where=door(world, 1)).repeat_of is None
    assert ask(world, category="food", at=NOON + timedelta(hours=25)).repeat_of is None


def test_blank_phones_and_unknown_doors_never_match_each_other(world: World) -> None:
    ask(world, where=Where())

    assert ask(world, where=Where()).repeat_of is None


def test_life_keeps_a_clock_of_its_own_although_somebody_asked_before(world: World) -> None:
    first = ask(world, category="medical")
    second = ask(world, category="medical", urgency="LIFE", at=NOON + timedelta(minutes=1))

    assert second.request.status == RequestStatus.NEW
    assert second.request.linked_to == first.request.id
    assert second.request.respond_by == NOON + timedelta(minutes=4)
    assert second.request.escalation == 1
    assert Request.objects.across(reason="requests").get(id=first.request.id).urgency == Urgency.LIFE


def test_many_of_one_phone_are_all_kept_and_a_person_is_asked_to_look(world: World) -> None:
    kinds = ("food", "medicine", "care", "repair", "question")
    taken = [ask(world, category=kind, phone="13800000009") for kind in kinds]
    life = ask(world, category="hardship", urgency="LIFE", phone="13800000009")

    assert Request.objects.across(reason="count").count() == 6
    assert [t.request.is_spam for t in taken] == [False, False, False, True, True]
    assert not life.request.is_spam
    assert all(t.request.status == RequestStatus.NEW for t in taken)


def test_life_waits_before_urgent_before_normal(world: World) -> None:
    normal = ask(world, category="food", where=door(world, 0))
    urgent = ask(world, category="medicine", where=door(world, 1), at=NOON + timedelta(minutes=5))
    life = ask(
        world, category="medical", urgency="LIFE", where=door(world, 2), at=NOON + timedelta(minutes=9)
    )

    assert [waiting_before(t.request) for t in (life, urgent, normal)] == [1, 2, 3]


def test_triage_sets_urgency_and_writes_both_down(world: World) -> None:
    taken = ask(world, category="food", urgency="URGENT")

    row = services.triage(taken.request.id, pack=pack(world), by=world.head.id, at=NOON, urgency="NORMAL")

    event = Event.objects.get(entity="Request", verb="triage")
    assert (row.status, row.urgency) == (RequestStatus.TRIAGED, Urgency.NORMAL)
    assert (event.facts["was"], event.facts["urgency"]) == ("URGENT", "NORMAL")


def test_door_found_later_moves_the_seals_with_it(world: World) -> None:
    taken = ask(world, category="", text="我在三号楼", phone="13800000001", where=Where())
    steps.add_note(taken.request, text="楼下有人等", by=None, by_resident=True, at=NOON)

    services.place(taken.request.id, where=door(world), by=world.head.id, at=NOON)

    row = Request.objects.across(reason="requests").get(id=taken.request.id)
    note = Note.objects.across(reason="requests").get()
    assert (row.sub_district, row.dwelling) == (world.dwellings[0].sub_district, world.dwellings[0].id)
    assert (row.text, row.phone, note.text) == ("我在三号楼", "13800000001", "楼下有人等")
    assert note.sub_district == row.sub_district


def test_wrong_code_finds_nothing(world: World) -> None:
    ask(world)

    with pytest.raises(Refusal, match="tracking_unknown"):
        request_with_code("ABCD-EFGH")


def test_numbers_are_one_after_the_other(world: World) -> None:
    assert [ask(world, where=door(world, n)).request.number for n in range(3)] == [1, 2, 3]
