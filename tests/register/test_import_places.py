# SPDX-License-Identifier: Apache-2.0
"""Lists of areas, buildings, dwellings, households and needs."""

import pytest

from muster.places.models import Area, Building, Compound, Dwelling
from muster.register.importing.batches import kept_rows
from muster.register.importing.datums import bd09_of_gcj02, gcj02_of, to_wgs84
from muster.register.importing.finding import Reach
from muster.register.models import Household, Need
from tests.register.list_files import bring, id_number, operator, somebody

pytestmark = pytest.mark.django_db


def codes(batch) -> dict[int, list[str]]:
    return {row.number: [p.code for p in row.problems] for row in kept_rows(batch) if row.problems}


def area(code: str, name: str, level: str, parent: str = "", **more):
    return {"代码": code, "名称": name, "层级": level, "上级代码": parent, **more}


# ---- areas ----


def test_areas_children_may_stand_before_their_parents():
    batch = bring(
        "areas",
        area("990101001001", "桥西社区", "社区", "990101001"),
        area("990101001", "柳岸街道", "街道", "9901"),
        area("9901", "青槐区", "区县", "99"),
        area("99", "青槐市", "市"),
    )

    assert codes(batch) == {}
    leaf = Area.objects.get(code="990101001001")
    street = Area.objects.get(code="990101001")
    assert leaf.sub_district == street.sub_district == street.id
    assert leaf.path.endswith(f"/{street.id}/{leaf.id}/")
    assert Area.objects.get(code="99").sub_district is None


def test_areas_without_a_place_in_the_tree_come_back():
    bring("areas", area("99", "青槐市", "市"))

    batch = bring(
        "areas",
        area("1", "甲", "街道", "no-such"),
        area("2", "乙", "区县"),
        area("3", "丙", "市", "99"),
        area("4", "丁", "星系", "99"),
        area("99", "青槐市", "区县", "99"),
    )

    assert codes(batch) == {
        2: ["import_parent_unknown"],
        3: ["import_area_without_parent"],
        4: ["import_parent_not_above"],
        5: ["import_not_on_the_list"],
        6: ["import_area_moved"],
    }


def test_areas_known_one_is_renamed_only_by_an_update():
    bring("areas", area("99", "青槐市", "市"))

    bring("areas", area("99", "新槐市", "市"))
    assert Area.objects.get(code="99").name == "青槐市"

    bring("areas", area("99", "新槐市", "市"), update_known=True)
    assert Area.objects.get(code="99").name == "新槐市"


def test_areas_below_a_place_outside_the_reach_are_refused(world):
    here = operator(Reach((world.communities[0].path,)))

    batch = bring("areas", area("990199", "甲", "社区", world.streets[1].code), who=here)

    assert codes(batch) == {2: ["import_parent_unknown"]}


# ---- buildings ----


def test_buildings_go_into_compounds_and_grids(world):
    batch = bring(
        "buildings",
        {"社区": "1社区", "小区": "桂苑", "楼栋名称": "7号楼", "层数": "18层", "单元数": "2", "网格": "G11"},
        {"社区": "1社区", "小区": "桂苑", "楼栋名称": "8号楼"},
    )

    assert codes(batch) == {}
    assert batch.result["added_compound"] == 1
    made = Building.objects.get(name="7号楼")
    assert (made.floors, made.units, made.grid, made.compound.name) == (18, 2, world.grids[0].id, "桂苑")
    assert made.sub_district == world.streets[0].id
    assert Building.objects.get(name="8号楼").grid is None


def test_buildings_mistakes_are_named(world):
    batch = bring(
        "buildings",
        {"社区": "9社区", "楼栋名称": "1号楼"},
        {"社区": "青槐市", "楼栋名称": "1号楼"},
        {"社区": "1社区", "楼栋名称": "7号楼", "网格": "G21"},
        {"社区": "1社区", "楼栋名称": "8号楼", "经度": "110.1"},
        {"社区": "1社区", "楼栋名称": "9号楼", "经度": "35", "纬度": "110.1"},
        {"社区": "1社区", "楼栋名称": "1号楼", "网格": "G12"},
    )

    assert codes(batch) == {
        2: ["import_area_unknown"],
        3: ["import_area_too_high"],
        4: ["import_grid_unknown"],
        5: ["import_cell_missing"],
        6: ["import_degrees_outside"],
        7: ["import_grid_by_plan"],
    }


def test_buildings_of_one_number_in_two_compounds_are_two(world):
    batch = bring(
        "buildings",
        {"社区": "1社区", "小区": "桂苑", "楼栋名称": "7号楼", "楼栋编号": "g7"},
        {"社区": "1社区", "小区": "柳苑", "楼栋名称": "7栋", "楼栋编号": "l7"},
        {"社区": "1社区", "小区": "柳苑", "楼栋名称": "７号楼", "楼栋编号": "x7"},
    )

    assert codes(batch) == {4: ["import_twice"]}
    assert Compound.objects.count() == 2


def test_buildings_coordinates_are_kept_in_wgs84(world):
    lon, lat = gcj02_of(110.5, 35.5)

    bring(
        "buildings",
        {"社区": "1社区", "楼栋名称": "7号楼", "经度": lon, "纬度": lat, "坐标系": "GCJ-02"},
        {"社区": "1社区", "楼栋名称": "8号楼", "经度": 110.5, "纬度": 35.5},
    )

    shifted, plain = Building.objects.get(name="7号楼"), Building.objects.get(name="8号楼")
    assert (shifted.lon, shifted.lat) == pytest.approx((110.5, 35.5), abs=1e-7)
    assert (plain.lon, plain.lat) == (110.5, 35.5)


def test_datums_shift_is_taken_back_and_ends_at_the_border():
    shifted = bd09_of_gcj02(*gcj02_of(104.06, 30.67))

    assert to_wgs84(*shifted, datum="bd09") == pytest.approx((104.06, 30.67), abs=1e-7)
    east, north = gcj02_of(116.3909, 39.9073)
    assert (east - 116.3909, north - 39.9073) == pytest.approx((0.0062, 0.0014), abs=2e-4)  # 550 m in Beijing
    assert to_wgs84(1.25, 51.5, datum="gcj02") == (1.25, 51.5)


# ---- dwellings and households ----


def test_dwellings_are_added_with_floor_label_and_order(world):
    batch = bring(
        "dwellings",
        {"社区": "1社区", "楼栋": "1号楼", "单元": "2单元", "室号": "１２０３室"},
        {"社区": "1社区", "楼栋": "1号楼", "单元": "1", "室号": "101"},
    )

    assert batch.result == {"added_dwelling": 1, "new": 1, "same": 1}
    made = Dwelling.objects.across(reason="count").get(room="1203")
    assert (made.unit, made.floor, made.label, made.grid) == ("2", 12, "1号楼2单元1203", world.grids[0].id)
    assert made.walk_order > Dwelling.objects.across(reason="count").get(id=world.dwellings[0].id).walk_order


def test_dwellings_without_a_room_come_back(world):
    batch = bring("dwellings", {"社区": "1社区", "楼栋": "1号楼", "单元": "2", "室号": ""})

    assert codes(batch) == {2: ["import_cell_missing"]}


def test_dwellings_update_changes_what_is_said(world):
    line = {
        "社区": "1社区",
        "楼栋": "1号楼",
        "单元": "1",
        "室号": "101",
        "类型": "住宅",
        "地址": "柳巷1号101",
    }

    bring("dwellings", line, update_known=True)

    door = Dwelling.objects.across(reason="count").get(id=world.dwellings[0].id)
    assert (door.kind, door.address) == ("住宅", "柳巷1号101")


def test_households_are_known_by_door_and_code(world):
    line = {"社区": "1社区", "楼栋": "1号楼", "单元": "1", "室号": "101"}
    first = bring("households", {**line, "户编号": "A", "户类型": "集体户"}, {**line, "户编号": "B"})
    again = bring("households", {**line, "户编号": "A", "户类型": "出租户"}, update_known=True)

    assert first.result["added_household"] == 2
    assert again.result["changed_household"] == 1
    assert Household.objects.across(reason="count").get(code="A").kind == "rental"
    ambiguous = bring("households", line)
    assert codes(ambiguous) == {2: ["import_household_ambiguous"]}


# ---- needs ----


def test_needs_find_their_person_by_number_phone_or_door(world):
    bring(
        "persons",
        somebody("王一", 身份证号=id_number()),
        somebody("王二", 手机="13900000002"),
        somebody("王三", room="201"),
    )

    batch = bring(
        "needs",
        {
            "姓名": "王一",
            "身份证号": id_number(),
            "需求类型": "独居老人",
            "程度": "2",
            "核实日期": "2022-08-01",
        },
        {"姓名": "王二", "手机": "139 0000 0002", "需求类型": "残疾人", "备注": "轮椅"},
        {**somebody("王三", room="201"), "需求类型": "elder_alone"},
        {"姓名": "无此人", "手机": "13900000009", "需求类型": "残疾人"},
        {"姓名": "王一", "身份证号": id_number(), "需求类型": "会飞"},
    )

    assert codes(batch) == {5: ["import_person_unknown"], 6: ["import_not_on_the_list"]}
    needs = {n.person.name: n for n in Need.objects.across(reason="count").select_related("person")}
    assert needs["王一"].severity == 2
    assert needs["王二"].note == "轮椅"
    assert needs["王三"].kind == "elder_alone"


def test_needs_of_two_people_alike_ask_which(world):
    bring(
        "persons",
        somebody("王一", 身份证号=id_number()),
        somebody("王一", 身份证号=id_number(born="20100101")),
    )

    batch = bring("needs", {**somebody("王一"), "需求类型": "残疾人"})

    assert codes(batch) == {2: ["import_person_ambiguous"]}


def test_needs_known_one_is_updated_not_doubled(world):
    bring("persons", somebody("王一", 身份证号=id_number()))
    line = {"姓名": "王一", "身份证号": id_number(), "需求类型": "残疾人"}
    bring("needs", {**line, "程度": "1"})

    batch = bring("needs", {**line, "程度": "3"}, update_known=True)

    assert batch.result["changed_need"] == 1
    assert [n.severity for n in Need.objects.across(reason="count")] == [3]


def test_needs_make_the_phones_hear_of_the_person(world):
    bring("persons", somebody("王一", 身份证号=id_number()))
    world.grids[0].refresh_from_db()
    revision = world.grids[0].revision

    bring("needs", {"姓名": "王一", "身份证号": id_number(), "需求类型": "残疾人"})

    person = Need.objects.across(reason="count").get().person
    assert person.rev == revision + 1
