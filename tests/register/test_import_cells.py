# SPDX-License-Identifier: Apache-2.0
"""Cells: one form for each value, a refusal with a cure for what cannot be."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.base import messages
from muster.base.errors import Refusal
from muster.packs import load
from muster.register.importing import readers
from muster.register.importing.blind_indexes import id_number_indexes, phone_indexes
from muster.register.importing.columns import map_columns
from muster.register.importing.door_keys import building_key, room_key, unit_key
from muster.register.importing.forms import FORMS, PERSONS
from muster.register.importing.round_trip import merge, read_row_id, write_row_id
from muster.register.importing.rows import Verdict, plain_cell, read_rows, sample_cells
from muster.register.importing.setting import Setting
from muster.register.services import id_number_index, phone_index
from tests.register.list_files import id_number

SETTING = Setting(load("epidemic-zh"), date(2022, 9, 2))
KEY = b"k" * 32


def column(kind: str, key: str):
    return FORMS[kind].by_key[key]


def read(kind: str, key: str, text: str) -> str:
    return column(kind, key).read(text, SETTING)


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("name", " 王 小明 ", "王小明"),
        ("name", "阿依古丽·买买提", "阿依古丽·买买提"),
        ("name", "无", ""),
        ("phone", "+86 139 0000 0001", "13900000001"),
        ("phone", "1.39E+10", "phone_rounded"),
        ("phone", "138****0001", "import_value_masked"),
        ("name", "张*三", "import_value_masked"),
        ("name", "13900000001", "import_name_without_letters"),
        ("id_number", id_number(born="19800501"), id_number(born="19800501")),
        ("id_number", id_number(born="19800501").lower(), id_number(born="19800501")),
        ("id_number", "1.10105E+17", "id_number_rounded"),
        ("id_number", "110105198005011", "id_number_15_digits"),
        ("id_number", "1101051980050112", "id_number_length"),
        ("id_number", id_number(born="19800230"), "id_number_date"),
        ("id_number", id_number(born="20230101"), "id_number_date"),
        ("id_number", "E12345678", "E12345678"),
        ("id_number", "H12345678", "H12345678"),
        ("id_number", "****1234", "import_value_masked"),
        ("birth_date", "1980-5-1", "1980-05-01"),
        ("birth_date", "1980年5月1日", "1980-05-01"),
        ("birth_date", "1980.05.01", "1980-05-01"),
        ("birth_date", "19800501", "1980-05-01"),
        ("birth_date", "1980-05-01 00:00:00", "1980-05-01"),
        ("birth_date", "1980", "1980"),
        ("birth_date", "01/05/1980", "import_date_unreadable"),
        ("birth_date", "32874", "1990-01-01"),  # a day as a spreadsheet counts it
        ("birth_date", "32874.0", "1990-01-01"),
        ("birth_date", "19805", "import_date_unreadable"),  # that, or May 1980
        ("birth_date", "60000", "import_date_in_future"),
        ("birth_date", "３２８７４", "1990-01-01"),
        ("birth_date", "一九八〇年五月一日", "1980-05-01"),
        ("birth_date", "二○○一年十二月三十一日", "2001-12-31"),
        ("birth_date", "一九八〇年五月", "1980"),
        ("birth_date", "1980年5月", "1980"),  # a month alone is kept as its year
        ("birth_date", "1980.05", "1980"),
        ("birth_date", "1980-13", "import_date_unreadable"),
        ("birth_date", "198005", "import_date_unreadable"),  # that, or 5 August of a year 19
        ("birth_date", "１９８０年５月１日", "1980-05-01"),
        ("birth_date", "1980-02-30", "import_date_impossible"),
        ("birth_date", "2022-09-03", "import_date_in_future"),
        ("birth_date", "2022-09-02", "2022-09-02"),
        ("birth_date", "1880-01-01", "import_date_too_old"),
        ("birth_date", "2099", "import_date_in_future"),
        ("sex", "女", "F"),
        ("sex", "Male", "M"),
        ("sex", "M", "M"),
        ("sex", "未说明", "import_not_on_the_list"),
        ("registered_here", "否", "no"),
        ("registered_here", "无", "no"),
        ("registered_here", "√", "yes"),
        ("registered_here", "也许", "import_not_yes_or_no"),
        ("languages", "zh、en，zh", "zh,en"),
        ("room", "x" * 25, "import_text_too_long"),
    ],
)
def test_persons_cell(key, text, value):
    if not value.startswith(("import_", "id_number_", "phone_")):
        assert read("persons", key, text) == value
        return
    with pytest.raises(Refusal) as refused:
        read("persons", key, text)
    assert refused.value.code == value
    for lang in ("zh", "en"):
        assert messages.text(value, lang, **refused.value.facts)


@pytest.mark.parametrize(
    ("kind", "key", "text", "value"),
    [
        ("buildings", "floors", "18层", "18"),
        ("buildings", "floors", "6.0", "6"),
        ("buildings", "floors", "0", None),
        ("buildings", "floors", "很高", None),
        ("buildings", "lon", "110.123456", "110.123456"),
        ("buildings", "lon", "190", None),
        ("buildings", "lat", "1e1", None),
        ("dwellings", "floor", "-1", "-1"),
        ("needs", "severity", "4", None),
        ("needs", "kind", "独居老人", "elder_alone"),
        ("areas", "level", "street", "sub_district"),
    ],
)
def test_other_cells(kind, key, text, value):
    if value is not None:
        assert read(kind, key, text) == value
    else:
        with pytest.raises(Refusal):
            read(kind, key, text)


def value_or_sentence(each, text: str) -> str:
    try:
        return each.read(text, SETTING)
    except Refusal as refusal:
        return messages.text(refusal.code, "zh", **refusal.facts)


@given(text=st.text(max_size=40))
def test_any_text_in_any_cell_is_read_or_refused(text):
    for form in FORMS.values():
        for each in form.columns:
            assert isinstance(value_or_sentence(each, text), str)


@given(text=st.text(min_size=1, max_size=30))
def test_what_was_read_reads_the_same_again(text):
    for key in ("name", "phone", "birth_date", "sex", "room", "languages"):
        try:
            once = read("persons", key, text)
        except Refusal:
            continue
        assert not once or read("persons", key, once) == once


# ---- doors ----


@pytest.mark.parametrize("text", ["3号楼", "３栋", "3#", "三号楼", "3", "03号楼", " 3 幢 "])
def test_one_building_in_many_writings(text):
    assert building_key(text, "cn").key == "3"


@pytest.mark.parametrize(
    ("text", "place", "key"),
    [
        ("桂苑小区3号楼", "桂苑小区", "3"),
        ("柳巷47号", "", "柳巷47号"),
        ("福寿公寓", "", "福寿公寓"),
        ("A座", "", "a"),
    ],
)
def test_building_with_its_place(text, place, key):
    assert building_key(text, "cn") == (place, key)


def test_building_on_a_street_of_another_form():
    assert (
        building_key("12 Mill Ln", "street").key
        == building_key("12 Mill Lane", "street").key
        == "12 mill lane"
    )


@pytest.mark.parametrize("text", ["501室", "0501", "５０１", "501号", "501房"])
def test_one_room_in_many_writings(text):
    assert room_key(text) == "501"


@pytest.mark.parametrize("text", ["2单元", "二单元", "02", "2门", "第2单元"])
def test_one_stairwell_in_many_writings(text):
    assert unit_key(text) == "2"


# ---- lines ----


def lines(*rows, headers=("姓名", "手机", "楼栋", "系统编号")):
    columns = map_columns(list(headers), PERSONS.names, header_row=0)
    return list(
        read_rows(iter(map(list, rows)), form=PERSONS, columns=columns, setting=SETTING, first_number=2)
    )


def test_lines_blank_ones_and_hashtags_are_passed_over_and_numbers_go_on():
    rows = lines(["#contact+name", "#contact+phone"], ["", " "], ["王小明", "", "1号楼"])

    assert [(row.number, row.values) for row in rows] == [(4, {"name": "王小明", "building": "1号楼"})]


def test_lines_shorter_than_the_header_are_filled_with_blanks():
    (row,) = lines(["王小明"])

    assert [(p.field, p.code) for p in row.problems] == [("building", "import_cell_missing")]


@pytest.mark.parametrize("place", [0, 1])
def test_lines_sample_of_the_template_is_nobody(place):
    sample = sample_cells(PERSONS, SETTING, place)
    headers = [each.header("zh" if place == 0 else "en") for each in PERSONS.columns]
    cells = [sample[each.key] for each in PERSONS.columns]

    (row,) = lines([*cells, "示例"], headers=(*headers, "系统编号"))
    assert row.verdict == Verdict.SAMPLE

    (somebody,) = lines(["王小明", *cells[1:], "示例"], headers=(*headers, "系统编号"))
    assert somebody.verdict == Verdict.NEW
    assert somebody.row_id == ""


@pytest.mark.parametrize(
    ("cell", "text"), [("'+44 20", "+44 20"), ("'=1", "=1"), ("O'Neill", "O'Neill"), ("''", "''")]
)
def test_apostrophe_of_a_written_list_is_taken_off(cell, text):
    assert plain_cell(cell) == text


# ---- row ids ----

FIELDS = ("name", "phone", "note")


def test_row_id_says_what_was_exported():
    text = write_row_id("7", FIELDS, {"name": "王小明"}, key=KEY)

    base = read_row_id(text, FIELDS, key=KEY)

    assert base.id == "7"
    assert base.said("name", "王小明", key=KEY)
    assert base.said("phone", "", key=KEY)
    assert not base.said("name", "王小红", key=KEY)


@pytest.mark.parametrize("change", ["8", "", ".x", "7.AAAA.BBBB"])
def test_row_id_that_was_altered_is_refused(change):
    text = write_row_id("7", FIELDS, {"name": "王小明"}, key=KEY)
    altered = change if change.count(".") == 2 or not change else change + text[1:]

    with pytest.raises(Refusal, match="import_row_id_bad"):
        read_row_id(altered, FIELDS, key=KEY)


@given(
    base=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from("甲乙丙")),
    here=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from("甲乙丙")),
    coming=st.dictionaries(st.sampled_from(FIELDS), st.sampled_from("甲乙丙")),
)
def test_merge_loses_no_edit_of_either_side(base, here, coming):
    row_id = read_row_id(write_row_id("7", FIELDS, base, key=KEY), FIELDS, key=KEY)

    merged = merge(coming, here, FIELDS, base=row_id, key=KEY)

    for field in FIELDS:
        was, live, new = base.get(field, ""), here.get(field, ""), coming.get(field, "")
        edited_here, edited_there = live != was, new not in ("", was)
        if edited_here and edited_there and live != new:
            assert field in merged.conflicts
        elif edited_there and live != new:
            assert merged.changes[field] == (live, new)
        else:
            assert field not in merged.changes
            assert field not in merged.conflicts


def test_readers_of_the_flood_pack_know_no_citizens_number():
    flood = Setting(load("flood"), date(2022, 9, 2))

    assert readers.id_number("AB123456", flood) == "AB123456"
    assert readers.phone("07700 900123", flood).startswith("+")


# ---- indexes ----


@given(said=st.sets(st.text(alphabet="0123456789abcXx +-", max_size=12), max_size=5))
def test_indexes_of_many_are_those_of_one_by_one(said):
    assert phone_indexes(said) == {text: index for text in said if (index := phone_index(text))}
    assert id_number_indexes(said) == {text: index for text in said if (index := id_number_index(text))}
