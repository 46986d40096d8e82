# SPDX-License-Identifier: Apache-2.0
"""Lists of people who serve: the validator of the check-in page, nobody twice, bad lines come back."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection

from muster.flows.import_undo import undo_import
from muster.register.exporting.filters import Filters
from muster.register.exporting.writing import Export, write_export
from muster.register.importing.batches import kept_rows, setting_for
from muster.register.importing.finding import Reach
from muster.register.importing.templates import template_bytes
from muster.responders.checking_in import check_in
from muster.responders.homes import home_in
from muster.responders.models import Responder, Standing
from muster.responders.standing import change_status
from tests.register.list_files import bring, csv_file, now, operator, table, take_in
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> Iterator[World]:
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False, doors=1, people=1)


def line(name: str = "王小明", phone: str = "13911110001", **more: Any) -> dict[str, Any]:
    return {"姓名": name, "手机": phone, "社区": "1社区", "楼栋": "1号楼", **more}


def people() -> list[Responder]:
    return list(Responder.objects.across(reason="own").order_by("phone_index"))


def faults(batch: Any) -> list[tuple[int, str, str]]:
    return [(row.number, one.field, one.code) for row in kept_rows(batch) for one in row.problems]


def test_whole_line_comes_in_and_counts(world: World) -> None:
    batch = bring("responders", line(
        出生日期="1990-05-01", 身份="党员、志愿者", 单位="示例单位", 所在支部="第一支部", 专长="驾驶,医护",
        证书="护士证", 语言="普通话、粤语", 可服务时间="周末上午", 备注="不能上夜班", 工号="A-1",
    ))  # fmt: skip

    (row,) = people()
    assert batch.incident == world.incident.id
    assert (row.name, row.phone, row.birth_year, row.external_id) == ("王小明", "13911110001", 1990, "A-1")
    assert (row.affiliations, row.skills, row.languages) == (
        ["member", "volunteer"], ["driving", "medicine"], ["zh", "yue"],
    )  # fmt: skip
    assert (row.home_grid, row.sub_district, row.lon) == (
        world.grids[0].id, world.streets[0].id, world.buildings[0].lon,
    )  # fmt: skip
    assert (row.status, row.channel, row.limits) == ("REGISTERED", "IMPORT", "不能上夜班")
    standing = Standing.objects.across(reason="own").get()
    assert (standing.status, standing.affiliations) == ("REGISTERED", "member,volunteer")


def test_same_list_again_adds_nobody(world: World) -> None:
    lines = [line(), line("李四", "", 工号="A-2"), line("赵五", "13911110003", 出生日期="1990-05-01")]
    bring("responders", *lines)

    again = bring("responders", *lines)

    assert len(people()) == 3
    assert (again.result.get("new", 0), again.result["same"]) == (0, 3)


def test_update_changes_what_is_said_and_moves_the_count(world: World) -> None:
    bring("responders", line(专长="驾驶"))

    kept = bring("responders", line(专长="医护", 楼栋="2号楼"))
    assert (people()[0].skills, kept.result["known"]) == (["driving"], 1)
    bring("responders", line(专长="医护", 社区="2社区", 楼栋="1号楼"), update_known=True)

    (row,) = people()
    assert (row.skills, row.home_grid, row.sub_district) == (
        ["medicine"], world.grids[2].id, world.streets[1].id,
    )  # fmt: skip
    assert (row.name, row.phone) == ("王小明", "13911110001")
    open_ = Standing.objects.across(reason="own").get(responder=row.id, until__isnull=True)
    assert open_.grid == world.grids[2].id


def test_bad_lines_come_back_with_field_and_cure_and_the_others_go_in(world: World) -> None:
    batch = bring(
        "responders",
        line(),
        line("😀", "13911110002"),
        line("李四", "123"),
        line("赵五", "13911110004", 出生日期="2015"),
        line("钱六", "13911110005", 专长="飞行"),
        line("孙七", ""),
        line("周八", "13911110007", 社区="没有的社区", 楼栋="9号楼"),
        line("吴九", "13911110001"),
        line("郑十", "13911110010", 社区="", 楼栋=""),
    )  # fmt: skip

    assert [row.name for row in people()] == ["王小明"]
    assert [(number, field) for number, field, _ in faults(batch)] == [
        (3, "name"), (4, "phone"), (5, "birth_date"), (6, "skills"), (7, "phone"), (8, "area"), (9, "name"),
        (10, "area"),
    ]  # fmt: skip
    for row in kept_rows(batch):
        assert all(one.text("zh") and one.text("en") for one in row.problems)


def test_house_that_is_not_known_leaves_the_community(world: World) -> None:
    bring("responders", line(楼栋="99号楼", 室号="101"))

    (row,) = people()
    assert (row.home_area, row.home_text) == (world.communities[0].id, "99号楼 101")


def test_vetted_list_is_vouched_for_by_who_brings_it(world: World) -> None:
    who = operator()
    take_in(
        "responders", csv_file(table(line(已审核="是"), line("李四", "13911110002", 已审核="否"))), who=who
    )

    rows = {row.name: row for row in people()}
    assert (rows["王小明"].status, rows["王小明"].vetted_by) == ("VETTED", who.id)
    assert (rows["李四"].status, rows["李四"].vetted_at) == ("REGISTERED", None)


def test_branch_is_refused_where_the_pack_does_not_ask(world: World) -> None:
    world.incident.pack = "flood"
    world.incident.save()

    batch = bring("responders", line(phone="+44 20 7946 0001", 支部="第一支部"))

    assert faults(batch)[0][1:] == ("branch", "responder_branch_not_asked")
    assert people() == []


def test_phone_and_number_of_two_people_come_back(world: World) -> None:
    bring("responders", line(工号="A-1"), line("李四", "13911110002", 工号="A-2"))

    batch = bring("responders", line(phone="13911110002", 工号="A-1"), update_known=True)

    assert faults(batch)[0][2] == "responder_numbers_differ"


def test_people_of_another_area_are_not_touched(world: World) -> None:
    bring("responders", line(社区="2社区"))
    mine = operator(Reach((world.communities[0].path,)))

    batch = take_in("responders", csv_file(table(line(专长="医护"))), who=mine, update_known=True)

    assert faults(batch)[0][2] == "responder_elsewhere"
    assert people()[0].skills == []


def test_who_checked_in_by_phone_is_known_to_the_list(world: World) -> None:
    said = {"name": "王小明", "phone": "13911110001", "birth_date": "1990"}
    check_in(said, home=home_in(world.communities[0], text=""), incident=world.incident.id, form="f", at=NOON)

    batch = bring("responders", line(单位="示例单位"), update_known=True)

    (row,) = people()
    assert (batch.result["changed"], row.unit, row.channel) == (1, "示例单位", "WEB")


def test_undo_takes_back_whom_nobody_has_vetted_since(world: World) -> None:
    batch = bring("responders", line(), line("李四", "13911110002"))
    kept = next(row for row in people() if row.name == "李四")
    kept.vetted_at = NOON
    change_status(kept, "VETTED", by=None, at=NOON, columns=("vetted_at",))

    done = undo_import(batch.id, by=None, now=now)

    assert [row.name for row in people()] == ["李四"]
    assert done.result["undo"]["stays_changed_since"] == 1
    assert set(Standing.objects.across(reason="own").values_list("responder", flat=True)) == {kept.id}


def export(who: Any = None) -> bytes:
    out = io.BytesIO()
    setting = setting_for(None, at=NOON)
    write_export(Export("responders", who or operator(), setting, "zh", Filters()), "csv", out, at=NOON)
    return out.getvalue()


def test_what_is_taken_out_can_come_in_again_and_changes_nothing(world: World) -> None:
    whole = line(出生日期="1990", 身份="党员、志愿者", 专长="驾驶,医护", 证书="护士证", 室号="101")
    bring("responders", whole, line("李四", "", 工号="A-2", 楼栋="99号楼"))

    raw = export()
    again = take_in("responders", raw, update_known=True)

    assert "党员、志愿者" in raw.decode("utf-8-sig")
    assert again.result.get("same") == 2, faults(again)
    edited = raw.decode("utf-8-sig").replace("护士证", "护士证，驾驶证")
    changed = take_in("responders", edited.encode(), update_known=True)
    assert changed.result["changed"] == 1, faults(changed)
    assert {len(row.certificates) for row in people()} == {0, 2}


def test_masked_list_tells_no_branch_no_limit_and_no_party(world: World) -> None:
    bring("responders", line(身份="党员、志愿者", 所在支部="第一支部", 备注="不能上夜班"))

    told = export(operator(full=False)).decode("utf-8-sig")

    assert "王*明" in told
    assert "志愿者" in told
    for secret in ("王小明", "13911110001", "党员", "第一支部", "夜班"):
        assert secret not in told


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_template_says_what_can_be_filled_in(world: World, lang: str, suffix: str) -> None:
    assert template_bytes("responders", suffix, setting=setting_for(None, at=NOON), lang=lang)


def test_a_chunk_asks_few_questions(world: World) -> None:
    from django.test.utils import CaptureQueriesContext

    def asked(count: int) -> int:
        lines = [line(f"王{n}", f"1391{count:03d}{n:04d}", 楼栋="没有") for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            take_in("responders", csv_file(table(*lines)), commit=False)
        return len(queries)

    few = asked(2)
    assert asked(60) <= few + 2
