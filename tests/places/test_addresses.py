# SPDX-License-Identifier: Apache-2.0
"""Doors as people write them: the shared vectors, and what must hold for any writing."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.places.addresses import FORMS, LONGEST, VERSION, floor_of, read_door
from muster.places.writing import identifier, read_number

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "addresses.json").read_text(encoding="utf-8"))
FIGURES = "〇一二三四五六七八九"


def cases(part: str, key: str = "raw") -> list:
    return [pytest.param(vector, id=repr(vector[key])) for vector in VECTORS[part]]


def in_chinese(value: int) -> str:
    """Write a number with ranks: the oracle of the reader."""
    if value < 10:
        return FIGURES[value]
    spoken, zero = "", False
    for rank, word in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        figure, value = divmod(value, rank)
        if figure:
            spoken += ("零" if zero else "") + FIGURES[figure] + word
            zero = False
        elif spoken:
            zero = True
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


def test_vectors_are_of_this_version():
    assert VECTORS["version"] == VERSION


@pytest.mark.parametrize("vector", cases("number"))
def test_number_as_in_vectors(vector):
    assert read_number(vector["raw"]) == vector["value"]


def test_number_with_ranks_and_figure_by_figure_are_the_same():
    for value in range(10_000):
        assert read_number(in_chinese(value)) == value
        assert read_number("".join(FIGURES[int(figure)] for figure in str(value))) == value


@pytest.mark.parametrize("vector", cases("floor", "room"))
def test_floor_as_in_vectors(vector):
    assert floor_of(vector["room"]) == vector["floor"]


@pytest.mark.parametrize("vector", cases("door"))
def test_door_as_in_vectors(vector):
    door = read_door(vector["raw"], form=vector["form"])
    fields = ("place", "building", "unit", "floor", "room", "key")

    assert (door and {field: getattr(door, field) for field in fields}) == vector["door"]


doors = st.tuples(
    st.integers(min_value=1, max_value=99),
    st.integers(min_value=1, max_value=9),
    st.integers(min_value=1, max_value=33),
    st.integers(min_value=1, max_value=4),
)


@given(doors)
def test_door_written_in_many_ways_is_one_door(door):
    building, unit, floor, side = door
    room = f"{floor}{side:02d}"
    ways = [
        f"{building}号楼{unit}单元{room}",
        f"{building}-{unit}-{room}",
        f"{building}栋{unit}单元{room}室",
        f" {building}号楼 {unit}单元 {room} ",
        f"{building:02d}幢{unit}门{floor:02d}{side:02d}",
        f"{in_chinese(building)}号楼{in_chinese(unit)}单元{room}",
        f"{building}#{unit}-{room}",
        f"{building}号楼{unit}单元{floor}层{side:02d}室",
    ]

    keys = {read_door(way).key for way in ways}

    assert keys == {f"|{building}|{unit}||{room}"}
    assert {read_door(way).floor for way in ways} == {floor}


@given(doors, doors)
def test_doors_that_differ_have_different_keys(one, other):
    keys = {read_door(f"{b}号楼{u}单元{f}{s:02d}").key for b, u, f, s in (one, other)}

    assert len(keys) == (1 if one == other else 2)


@given(st.text(max_size=30) | st.text(alphabet="3号楼2单元501栋座-#层室东甲BF附柳巷 ", max_size=20))
def test_any_text_is_read_or_left(raw):
    for form in FORMS:
        door = read_door(raw, form=form)

        assert door is None or door.building or door.unit or door.room


@pytest.mark.parametrize(
    "raw", ["号" * 50_000, "3-" * 50_000, "1 " * 50_000, "东" * LONGEST, "第1" * 100, "flat 1 " * 28]
)
def test_hostile_text_is_left_at_once(raw):
    started = time.perf_counter()

    for form in FORMS:
        read_door(raw, form=form)

    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("raw", [None, "", "-", "无", "不详", "N/A", "0000000", "99999999", " '' "])
def test_identifier_of_blank_is_none(raw):
    assert identifier(raw) is None


def test_identifier_keeps_what_identifies():
    assert identifier(" '9901０1 ") == "990101"
