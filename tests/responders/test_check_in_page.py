# SPDX-License-Identifier: Apache-2.0
"""The check-in page: a minute on any phone, nothing doubled, nothing told to strangers, nothing lost."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import OperationalError
from django.http import HttpResponse
from django.test import Client

from muster.api.resident import helping, rush
from muster.api.resident.saying import words
from muster.responders import checking_in
from muster.responders.homes import forget_homes
from muster.responders.models import Responder, SecondCheckIn, Standing
from muster.responders.standing import change_status
from muster.trail.models import Event
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
# What helps where scripts run; the page does without either.
OWN_SCRIPTS = {'<script src="/help/map.js" defer>', '<script src="/send.js" defer>'}
SAID = {"name": "王小明", "phone": "13911112222", "birth_date": "1990"}


@pytest.fixture
def world() -> Iterator[World]:
    forget_homes()
    helping.forget_what_was_read()
    rush.check_ins.forget()
    rush.wrong_codes.forget()
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False, doors=2, people=1)


def post(path: str, follow: bool = False, **said: Any) -> HttpResponse:
    return Client(enforce_csrf_checks=True).post(path, said, follow=follow, headers={"Accept-Language": "zh"})


def form_number() -> str:
    return str(uuid.uuid4())


def check_in(**more: Any) -> str:
    answer = post("/help", **{**SAID, "form": form_number(), **more})
    assert answer.status_code == 303, answer.content.decode()
    found = re.fullmatch(r"/help/([0-9A-Z]{4}-[0-9A-Z]{4})\?(new=1|said=\w+)", answer["Location"])
    assert found is not None
    return found[1]


def page(path: str) -> str:
    answer = Client().get(path, headers={"Accept-Language": "zh"})
    assert answer.status_code == 200
    return answer.content.decode()


def rows() -> list[Responder]:
    return list(Responder.objects.across(reason="own").order_by("checked_in_at", "id"))


def only() -> Responder:
    (row,) = rows()
    return row


def vetted(row: Responder, **more: Any) -> Responder:
    row.vetted_at = NOON
    change_status(row, "VETTED", by=None, at=NOON, columns=("vetted_at",))
    return row


def serving(row: Responder, world: World) -> Responder:
    vetted(row).grid = world.grids[0].id
    change_status(row, "ASSIGNED", by=None, at=NOON, columns=("grid",))
    return row


@pytest.mark.parametrize("path", ["/help", "/help/find"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_pages_are_light_and_in_one_language(world: World, path: str, lang: str) -> None:
    shown = page(f"{path}?lang={lang}")

    assert len(shown.encode()) < 30_000
    assert set(re.findall(r"<script[^>]*>", shown)) <= OWN_SCRIPTS
    other = words()["help"]["en" if lang == "zh" else "zh"]
    assert other not in shown


def test_three_lines_are_enough(world: World) -> None:
    code = check_in()

    row = only()
    assert (row.name, row.phone, row.birth_year, row.status) == ("王小明", "13911112222", 1990, "REGISTERED")
    assert (row.channel, row.sub_district, row.home_grid) == ("WEB", 0, None)
    shown = page(f"/help/{code}")
    assert "已报到，等社区核对" in shown
    assert "139****2222" in shown
    assert "王小明" not in shown
    assert "13911112222" not in shown
    assert Event.objects.filter(entity="Responder", verb="check_in").count() == 1
    assert Standing.objects.across(reason="own").get().status == "REGISTERED"


def test_all_that_can_be_said_is_kept(world: World) -> None:
    check_in(
        community=str(world.communities[0].id), address="2号楼1单元101", skills=["medicine", "driving"],
        affiliations=["volunteer", "member"], organisation="示例单位", branch="第一支部",
        certificates="护士证，驾驶证",
        languages=["zh", "yue"], free_times=["weekend_morning"], limits="不能上夜班",
        cannot=["nights", "lifting"],
    )  # fmt: skip

    row = only()
    assert (row.home_grid, row.sub_district) == (world.grids[1].id, world.streets[0].id)
    assert (row.lon, row.lat) == (world.buildings[1].lon, world.buildings[1].lat)
    assert row.cannot == ["nights", "lifting"]
    assert (row.skills, row.languages, row.free_times) == (
        ["medicine", "driving"], ["zh", "yue"], ["weekend_morning"],
    )  # fmt: skip
    assert (row.affiliations, row.affiliation) == (["volunteer", "member"], "volunteer")
    assert (row.unit, row.branch, row.limits) == ("示例单位", "第一支部", "不能上夜班")
    assert row.certificates == [{"name": "护士证", "seen": False}, {"name": "驾驶证", "seen": False}]
    standing = Standing.objects.across(reason="own").get()
    assert (standing.affiliations, standing.area) == ("member,volunteer", world.communities[0].id)


@pytest.mark.parametrize("address", ["桥下面，红色帐篷", "9号楼1单元101", "2号楼", "", "x" * 200])
def test_address_that_fits_nowhere_leaves_the_community(world: World, address: str) -> None:
    check_in(community=str(world.communities[0].id), address=address)

    row = only()
    assert (row.home_area, row.sub_district) == (world.communities[0].id, world.streets[0].id)
    assert (row.home_text or "") == address


@pytest.mark.parametrize("community", ["999999", "-1", "x", "9" * 30, "%00"])
def test_unknown_community_is_taken_and_waits_for_a_desk(world: World, community: str) -> None:
    check_in(community=community)

    assert (only().home_area, only().sub_district) == (None, 0)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"name": ""}, "还没填"),
        ({"name": "😀😀"}, "不像姓名"),
        ({"name": "张" * 81}, "超过 80 个字"),
        ({"name": "张*三"}, "星号"),
        ({"phone": "123"}, "不像电话号码"),
        ({"phone": "12" * 2500}, "不像电话号码"),
        ({"birth_date": "2015"}, "未满 18 周岁"),
        ({"birth_date": "2004"}, "看不出是否已满 18 周岁"),
        ({"birth_date": "2004-09-03"}, "未满 18 周岁"),
        ({"birth_date": "1850"}, "120"),
        ({"birth_date": "昨天"}, "看不懂这个日期"),
        ({"skills": "flying"}, "不在可选范围内"),
        ({"limits": "x" * 5000}, "超过 500 个字"),
        ({"organisation": "x" * 5000}, "超过 120 个字"),
    ],
)
def test_wrong_field_is_told_beside_it_and_nothing_is_lost(world: World, wrong: Any, told: str) -> None:
    answer = post("/help", **{**SAID, "address": "三楼左边", "form": form_number(), **wrong})

    shown = answer.content.decode()
    assert answer.status_code == 422
    assert told in shown
    assert 'value="三楼左边"' in shown
    assert rows() == []


def test_mistakes_are_sentences_in_english_too(world: World) -> None:
    answer = Client().post("/help?lang=en", {"name": "😀", "phone": "12", "birth_date": "2015"})

    shown = answer.content.decode()
    assert "This does not look like a name. Give your name" in shown
    assert "This does not look like a phone number. Give one number" in shown
    assert "Nobody under 18 can sign up. Thank you" in shown


def test_somebody_of_eighteen_today_may_serve(world: World) -> None:
    check_in(birth_date="2004-09-02")

    assert only().birth_year == 2004


def test_script_in_a_name_is_text(world: World) -> None:
    answer = post("/help", **{**SAID, "name": "<script>alert(1)</script>王", "phone": "1"})

    assert "<script>" not in answer.content.decode()
    code = check_in(name="<b>王</b>", organisation='"><script>x</script>')
    assert "<script" not in page(f"/help/{code}")
    changing = page(f"/help/{code}/change")
    assert set(re.findall(r"<script[^>]*>", changing)) <= OWN_SCRIPTS


def test_same_form_twice_is_one_check_in_with_one_code(world: World) -> None:
    form = form_number()

    codes = {check_in(form=form) for _ in range(3)}
    again = check_in(form=form, phone="13911112223", skills=["driving"])

    assert codes == {again}
    assert (only().phone, only().skills) == ("13911112223", ["driving"])
    assert SecondCheckIn.objects.across(reason="own").count() == 0


def test_phone_of_another_changes_nothing_and_tells_nothing(world: World) -> None:
    code = check_in(organisation="甲单位")
    first = page(f"/help/{code}")

    second = check_in(name="冒名者", organisation="乙单位")

    assert (only().name, only().unit) == ("王小明", "甲单位")
    shown = page(f"/help/{second}")
    assert second != code
    assert re.sub(r"[0-9A-Z]{4}-[0-9A-Z]{4}|[王冒]\*[明者]", "", shown) == re.sub(
        r"[0-9A-Z]{4}-[0-9A-Z]{4}|[王冒]\*[明者]", "", first
    ), "nobody learns from the page whether a phone is known"
    assert Event.objects.filter(verb="second_check_in").count() == 1


def test_second_check_in_shows_the_place_it_named_as_a_first_one_would(world: World) -> None:
    check_in()
    second = check_in(name="别人", community=str(world.communities[0].id))

    assert "1社区" in page(f"/help/{second}")


def test_second_check_ins_of_one_phone_are_bounded(world: World) -> None:
    check_in()
    for _ in range(9):
        check_in(name="又一个")

    assert SecondCheckIn.objects.across(reason="own").count() == checking_in.MOST_SECONDS
    assert len(rows()) == 1


def test_typo_that_was_another_phone_is_mended_with_the_same_form(world: World) -> None:
    check_in(name="别人")
    form = form_number()

    first = check_in(form=form)
    then = check_in(form=form, phone="13911112229")

    assert first == then
    assert {row.phone for row in rows()} == {"13911112222", "13911112229"}


def test_phone_changed_into_a_known_one_waits_for_a_desk(world: World) -> None:
    check_in(name="别人")
    code = check_in(phone="13911112229")

    answer = post(f"/help/{code}/change", **SAID)

    assert answer.status_code == 303
    assert [row.name for row in rows()] == ["别人"]
    assert checking_in.second_values(SecondCheckIn.objects.across(reason="own").get())["name"] == "王小明"
    assert "已报到，等社区核对" in page(f"/help/{code}")


def test_change_keeps_what_was_vouched_for(world: World) -> None:
    code = check_in(skills=["driving"], organisation="甲单位")
    vetted(only())

    shown = page(f"/help/{code}/change")
    assert 'name="phone"' not in shown
    answer = post(
        f"/help/{code}/change", name="别人", phone="13100000000", skills=["medicine"], organisation=""
    )

    assert answer.status_code == 303
    assert (only().name, only().phone, only().skills, only().unit) == (
        "王小明", "13911112222", ["medicine"], "",
    )  # fmt: skip


def test_form_sent_again_after_vetting_does_not_change_who_it_is(world: World) -> None:
    form = form_number()
    check_in(form=form)
    vetted(only())

    answer = post("/help", **{**SAID, "form": form, "name": "别人"})

    assert answer.status_code == 422
    assert "审核以后" in answer.content.decode()
    assert only().name == "王小明"


def test_move_house_is_sealed_under_the_new_place(world: World) -> None:
    code = check_in(community=str(world.communities[0].id), address="1号楼1单元101")

    post(f"/help/{code}/change", **SAID, community=str(world.communities[1].id), address="1号楼1单元101")

    row = only()
    assert (row.home_grid, row.sub_district) == (world.grids[2].id, world.streets[1].id)
    assert (row.name, row.phone, row.home_text) == ("王小明", "13911112222", "1号楼1单元101")


@pytest.mark.parametrize("act", ["on_duty", "standby", "leave", "isolated", "back", "x", ""])
def test_who_is_not_vetted_takes_no_step(world: World, act: str) -> None:
    code = check_in()

    answer = post(f"/help/{code}", act=act)

    assert answer.status_code == 422
    assert only().status == "REGISTERED"


def test_duty_is_his_own_to_take_and_counts_to_the_minute(world: World) -> None:
    code = check_in()
    serving(only(), world)

    assert "记下了" in post(f"/help/{code}", follow=True, act="on_duty").content.decode()
    with time_machine.travel(NOON + timedelta(minutes=150), tick=False):
        assert "已服务 2 小时 30 分" in page(f"/help/{code}")
        post(f"/help/{code}", act="resting")
    assert (only().status, only().minutes_served) == ("RESTING", 150)


def test_leave_and_return(world: World) -> None:
    code = check_in()
    serving(only(), world)

    assert post(f"/help/{code}", act="leave", until="2021-01-01").status_code == 422
    assert post(f"/help/{code}", act="leave", until="明天").status_code == 422
    post(f"/help/{code}", act="leave", until="2022-09-10")
    assert (only().status, str(only().away_until)) == ("UNAVAILABLE", "2022-09-10")
    assert "请假到 2022-09-10" in page(f"/help/{code}")
    post(f"/help/{code}", act="back")
    assert (only().status, only().away_until) == ("STANDBY", None)


def test_who_never_had_a_place_comes_back_to_wait_for_one(world: World) -> None:
    code = check_in()
    vetted(only())

    post(f"/help/{code}", act="leave")
    post(f"/help/{code}", act="back")

    assert only().status == "VETTED"


def test_delete_me_leaves_a_number_and_no_person(world: World) -> None:
    code = check_in(community=str(world.communities[0].id), limits="不能上夜班", skills=["driving"])
    serving(only(), world)
    before = Standing.objects.across(reason="own").count()

    answer = post(f"/help/{code}", act="forget")

    row = only()
    assert "都删除了" in answer.content.decode()
    assert [row.name, row.phone, row.branch, row.limits, row.home_text, row.phone_index, row.lon] == [
        None
    ] * 7
    assert (row.status, row.skills, row.unit, row.birth_year) == ("RELEASED", [], "", None)
    assert Standing.objects.across(reason="own").count() == before + 1
    assert Client().get(f"/help/{code}").status_code == 422
    assert check_in() != code, "the phone is free again"


@pytest.mark.parametrize("code", ["ABCD-EFGH", "x", "%00", "'; DROP", "A" * 300])
def test_forged_code_learns_nothing(world: World, code: str) -> None:
    check_in()

    answer = Client().get(f"/help/{code}", headers={"Accept-Language": "zh"})

    assert answer.status_code in {404, 422}
    assert "139" not in answer.content.decode()


def test_guessing_codes_ends_while_checking_in_goes_on(world: World, monkeypatch: Any) -> None:
    code = check_in()
    for _ in range(rush.WRONG_CODES + 2):
        post("/help/find", code="ABCD-EFGH")

    answer = post("/help/find", code=code)

    assert answer.status_code == 422
    assert "太多了" in answer.content.decode()
    check_in(phone="13911112225")


def test_many_behind_one_address_are_all_taken(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(rush.check_ins, "most", 10)
    for number in range(15):
        check_in(phone=f"1391111{number:04d}")

    assert [row.is_suspect for row in rows()].count(True) == 5
    assert len(rows()) == 15


def test_field_that_people_do_not_see_marks_a_robot(world: World) -> None:
    check_in(website="http://spam")

    assert only().is_suspect


def test_crowded_house_keeps_what_was_typed(world: World, monkeypatch: Any) -> None:
    form = form_number()

    def locked(*_: Any, **__: Any) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patch:
        patch.setattr(checking_in, "_write_new", locked)
        answer = post("/help", **{**SAID, "form": form, "skills": ["driving"], "limits": "不能上夜班"})
    shown = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "10")
    for kept in ('value="王小明"', 'value="13911112222"', 'value="driving" checked', "不能上夜班", form):
        assert kept in shown
    check_in(form=form)
    assert len(rows()) == 1


def test_full_gate_says_when_to_come_again(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(rush, "gate", rush.Gate(1, 0.01))
    with rush.gate.entered():
        assert post("/help", **SAID).status_code == 503
    check_in()


def test_poster_of_a_community_chooses_it(world: World) -> None:
    shown = page(f"/help?community={world.communities[1].id}")

    assert f'<option value="{world.communities[1].id}" selected>' in shown


def test_home_page_leads_there(world: World) -> None:
    assert 'href="/help"' in page("/")
