# SPDX-License-Identifier: Apache-2.0
"""Lists of persons: good rows in, bad rows back, known people recognised and never merged silently."""

import pytest

from muster.register.importing.batches import kept_rows
from muster.register.importing.finding import Reach
from muster.register.models import DuplicatePair, Household, Person
from tests.register.list_files import bring, id_number, operator, somebody

pytestmark = pytest.mark.django_db


def persons():
    return Person.objects.across(reason="count")


def codes(batch) -> dict[int, list[str]]:
    """line -> what is wrong with it."""
    return {row.number: [p.code for p in row.problems] for row in kept_rows(batch) if row.problems}


def test_good_rows_go_in_behind_their_doors(world):
    before = persons().count()

    batch = bring("persons", somebody("王小明", 手机="13900000001"), somebody("李小红", room="201"))

    assert batch.state == "COMMITTED"
    made = persons().filter(source="import")
    assert sorted(p.name for p in made) == ["李小红", "王小明"]
    assert persons().count() == before + 2
    assert {p.grid for p in made} == {world.grids[0].id}
    assert {p.dwelling_id for p in made} == {world.dwellings[0].id, world.dwellings[1].id}


def test_phones_of_the_grid_hear_of_new_persons(world):
    revision = world.grids[0].revision

    bring("persons", somebody("王小明"))

    world.grids[0].refresh_from_db()
    assert world.grids[0].revision == revision + 1
    assert persons().get(source="import").rev == revision + 1


def test_bad_rows_come_back_and_good_rows_stay_in(world):
    batch = bring(
        "persons",
        somebody("王小明", 手机="12345"),
        somebody("李小红", room="999"),
        somebody("", room="201"),
        somebody("赵六", room="301"),
        somebody("钱七", building="9号楼"),
    )

    assert codes(batch) == {
        2: ["phone_shape"],
        3: ["import_door_unknown"],
        4: ["import_cell_missing"],
        6: ["import_building_unknown"],
    }
    assert [p.name for p in persons().filter(source="import")] == ["赵六"]
    assert batch.result["bad"] == 4


def test_one_address_column_serves_as_well_as_three(world):
    batch = bring("persons", {"姓名": "王小明", "社区": "2社区", "住址": "１栋一单元301室"})

    assert codes(batch) == {}
    assert persons().get(source="import").dwelling_id == world.dwellings[10].id


def test_number_of_a_building_in_two_communities_asks_which(world):
    batch = bring(
        "persons", {"姓名": "王小明", "地址": "1号楼1单元301"}, {"姓名": "李红", "地址": "看不懂的地方"}
    )

    assert codes(batch) == {2: ["import_building_ambiguous"], 3: ["address_unreadable"]}


def test_missing_doors_are_made_when_asked_for(world):
    batch = bring(
        "persons", somebody("王小明", room="999"), somebody("王小红", room="999"), create_doors=True
    )

    assert codes(batch) == {}
    assert batch.result["added_dwelling"] == 1
    made = persons().filter(source="import").select_related("dwelling")
    assert {p.dwelling.label for p in made} == {"1号楼1单元999"}
    assert {p.dwelling.floor for p in made} == {9}


def test_persons_of_one_door_share_its_household(world):
    bring("persons", somebody("王小明", room="999"), somebody("王小红", room="999"), create_doors=True)
    bring("persons", somebody("王小刚", room="999"))

    made = persons().filter(source="import")
    assert len({p.household_id for p in made}) == 1
    assert made[0].household_id is not None


def test_household_codes_keep_households_apart(world):
    bring("persons", somebody("王一", 户编号="A"), somebody("王二", 户编号="B"), somebody("王三", 户编号="A"))

    homes = {p.name: p.household_id for p in persons().filter(source="import")}
    assert homes["王一"] == homes["王三"] != homes["王二"]
    assert Household.objects.across(reason="count").filter(code="A").count() == 1


def test_citizens_number_gives_day_of_birth_and_sex(world):
    bring("persons", somebody("王小明", 身份证号=id_number(born="19591231", serial=124)))

    made = persons().get(source="import")
    assert (made.birth_date.isoformat(), made.birth_year, made.sex) == ("1959-12-31", 1959, "F")


def test_what_contradicts_the_number_comes_back(world):
    number = id_number(born="19591231", serial=124)

    batch = bring(
        "persons",
        somebody("王小明", 身份证号=number, 出生日期="1960-12-31"),
        somebody("王小红", 身份证号=number, 性别="男"),
        somebody("王小刚", 身份证号=number[:-1] + ("0" if number[-1] != "0" else "1")),
    )

    assert codes(batch) == {
        2: ["import_birth_date_differs"],
        3: ["import_sex_differs"],
        4: ["id_number_check"],
    }


# ---- known people ----


def test_same_list_twice_adds_nobody(world):
    lines = [
        somebody("王小明", 手机="13900000001"),
        somebody("李小红", 身份证号=id_number()),
        somebody("赵六"),
    ]
    bring("persons", *lines)
    before = persons().count()

    batch = bring("persons", *lines)

    assert persons().count() == before
    assert batch.result["same"] == 3
    assert codes(batch) == {}


def test_known_person_is_left_alone_unless_an_update_was_chosen(world):
    bring("persons", somebody("王小明", 身份证号=id_number()))

    skipped = bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000001"))
    assert persons().get(source="import").phone is None
    assert skipped.result["known"] == 1
    assert [(r.reason, r.here) for r in kept_rows(skipped)] == [("same_id_number", {"phone": ""})]

    updated = bring(
        "persons", somebody("王小明", 身份证号=id_number(), 手机="13900000001"), update_known=True
    )
    person = persons().get(source="import")
    assert person.phone == "13900000001"
    assert person.version == 2
    assert updated.result["changed_person"] == 1
    assert updated.result["cells_changed"] == 1


def test_blank_cells_change_nothing(world):
    bring("persons", somebody("王小明", 身份证号=id_number(), 手机="13900000001", 备注="三楼"))

    batch = bring("persons", somebody("王小明", 身份证号=id_number(), 手机="", 备注=""), update_known=True)

    person = persons().get(source="import")
    assert (person.phone, person.note) == ("13900000001", "三楼")
    assert batch.result["same"] == 1


def test_blank_identifiers_never_match_each_other(world):
    batch = bring(
        "persons",
        somebody("王一", 手机="", 身份证号=""),
        somebody("王二", 手机="无", 身份证号="不详"),
        somebody("王三", 手机="-", 身份证号="000000000000000000"),
    )

    assert codes(batch) == {}
    assert persons().filter(source="import").count() == 3
    assert not DuplicatePair.objects.across(reason="count").exists()


def test_number_of_somebody_else_is_not_written_over(world):
    bring("persons", somebody("王小明", 身份证号=id_number()))

    batch = bring("persons", somebody("李大红", 身份证号=id_number()), update_known=True)

    assert codes(batch) == {2: ["import_id_number_of_another"]}
    assert persons().get(source="import").name == "王小明"


def test_same_name_same_door_with_another_number_is_a_pair_to_look_at(world):
    bring("persons", somebody("王小明", 身份证号=id_number()))

    batch = bring("persons", somebody("王小明", 身份证号=id_number(born="20100101")))

    assert codes(batch) == {}
    assert persons().filter(source="import").count() == 2
    assert [p.reason for p in DuplicatePair.objects.across(reason="count")] == ["same_name_same_door"]


def test_known_person_behind_another_door_comes_back(world):
    bring("persons", somebody("王小明", 身份证号=id_number()))

    batch = bring("persons", somebody("王小明", 身份证号=id_number(), room="201"), update_known=True)

    assert codes(batch) == {2: ["import_person_elsewhere"]}


def test_registered_and_actual_home_of_one_person_are_two_rows_and_a_pair(world):
    batch = bring(
        "persons",
        somebody("王小明", 身份证号=id_number(), 现住在此="否"),
        somebody("王小明", 身份证号=id_number(), room="201", 户籍在此="否", 现住在此="是"),
    )

    assert codes(batch) == {}
    assert persons().filter(source="import").count() == 2
    assert [p.reason for p in DuplicatePair.objects.across(reason="count")] == ["same_id_number"]


def test_two_lines_much_alike_are_both_added_and_shown_as_a_pair(world):
    batch = bring(
        "persons",
        somebody("王小明", 身份证号=id_number()),
        somebody("王小明", 身份证号=id_number(born="20100101")),
    )

    assert codes(batch) == {}
    assert [(row.number, row.reason) for row in kept_rows(batch)] == [(3, "same_name_same_door")]
    (pair,) = DuplicatePair.objects.across(reason="count")
    assert {pair.first, pair.second} == {p.id for p in persons().filter(source="import")}


def test_person_known_outside_the_reach_is_added_and_paired(world):
    bring("persons", somebody("王小明", community="2社区", 身份证号=id_number()))
    here = operator(Reach((world.communities[0].path,)))

    batch = bring("persons", somebody("王小明", 身份证号=id_number()), who=here)

    assert codes(batch) == {}
    assert [p.reason for p in DuplicatePair.objects.across(reason="count")] == ["same_id_number"]


def test_doors_outside_the_reach_are_not_known(world):
    here = operator(Reach((world.communities[0].path,)))

    batch = bring("persons", somebody("王小明", community="2社区"), who=here)

    assert codes(batch) == {2: ["import_area_unknown"]}


# ---- twice in one file ----


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ({"身份证号": id_number()}, {"身份证号": id_number()}, "same_id_number"),
        ({"手机": "13900000001"}, {"手机": "+86 139-0000-0001", "room": "201"}, "same_phone"),
        ({}, {}, "same_name_same_door"),
    ],
)
def test_second_line_about_one_person_comes_back_with_the_first_lines_number(world, first, second, reason):
    batch = bring("persons", somebody("王小明", **first), somebody("王 小明", **second))

    (row,) = kept_rows(batch)
    assert (row.number, row.verdict, row.reason) == (3, "duplicate", reason)
    assert row.problems[0].facts == {"row": 2}
    assert persons().filter(source="import").count() == 1


def test_line_after_a_bad_one_is_no_duplicate_of_it(world):
    batch = bring("persons", somebody("王小明", 手机="1"), somebody("王小明"))

    assert codes(batch) == {2: ["phone_shape"]}
    assert persons().filter(source="import").count() == 1


def test_family_that_shares_a_phone_is_no_duplicate(world):
    batch = bring("persons", somebody("王小明", 手机="13900000001"), somebody("王小红", 手机="13900000001"))

    assert codes(batch) == {}
    assert persons().filter(source="import").count() == 2


def test_same_list_from_two_desks_in_one_moment_adds_nobody_twice(world):
    """The second list was checked before the first was written."""
    lines = [somebody("王小明", 身份证号=id_number())]
    second = bring("persons", *lines, commit=False)
    bring("persons", *lines)

    from muster.register.importing.committing import commit_batch
    from tests.register.list_files import now

    assert second.counts["new"] == 1
    assert commit_batch(second.id, now=now).result["same"] == 1
    assert persons().filter(source="import").count() == 1


def test_rows_for_one_incident_are_sealed_for_it(world):
    bring("persons", somebody("王小明"), incident=world.incident.id)

    person = persons().get(source="import")
    assert person.purpose == str(world.incident.id)
    assert person.household.purpose == "daily"  # it lived there before
    assert person.name == "王小明"
