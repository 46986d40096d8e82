# SPDX-License-Identifier: Apache-2.0
"""Names, phones and documents: the shared vectors, and what must hold for any text."""

import json
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.places.writing import is_blank
from muster.register import id_documents, names, phones
from muster.register.id_documents import check_digit, mask_id_number, read_gb11643, read_id_number
from muster.register.names import clean_name, mask_name, name_key, search_keys
from muster.register.phones import PhonePlan, mask_phone, read_phone

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "names.json").read_text(encoding="utf-8"))
ON = date(2022, 9, 2)


def raws(part: str, key: str = "raw") -> list:
    return [pytest.param(vector, id=repr(vector[key])) for vector in VECTORS[part]]


def answer(call) -> dict:
    try:
        return {"result": call()}
    except Refusal as refusal:
        return {"refusal": refusal.code}


def expected(vector: dict) -> dict:
    return {key: vector[key] for key in ("result", "refusal") if key in vector}


def test_vectors_are_of_this_version():
    assert VECTORS["version"] == names.VERSION == phones.VERSION == id_documents.VERSION


@pytest.mark.parametrize("vector", raws("blank"))
def test_blank_as_in_vectors(vector):
    assert is_blank(vector["raw"]) == vector["blank"]


@pytest.mark.parametrize("vector", raws("name"))
def test_name_as_in_vectors(vector):
    raw = vector["raw"]

    assert (clean_name(raw), name_key(raw), mask_name(raw)) == (
        vector["clean"],
        vector["key"],
        vector["mask"],
    )


@pytest.mark.parametrize("vector", raws("phone"))
def test_phone_as_in_vectors(vector):
    plan = PhonePlan(**vector["plan"])

    assert answer(lambda: read_phone(vector["raw"], plan=plan)) == expected(vector)


@pytest.mark.parametrize("vector", raws("phone_mask", "number"))
def test_phone_mask_as_in_vectors(vector):
    assert mask_phone(vector["number"]) == vector["mask"]


@pytest.mark.parametrize("vector", raws("id_number"))
def test_id_number_as_in_vectors(vector):
    def read():
        found = read_id_number(
            vector["raw"], validator=vector["validator"], on=date.fromisoformat(vector["on"])
        )
        if found is None:
            return None
        born = found.birth_date.isoformat() if found.birth_date else None
        return {"number": found.number, "birth_date": born, "sex": found.sex}

    assert answer(read) == expected(vector)


@pytest.mark.parametrize("vector", raws("id_number_mask", "number"))
def test_id_number_mask_as_in_vectors(vector):
    assert mask_id_number(vector["number"]) == vector["mask"]


@given(st.text(max_size=30))
def test_name_cleaned_twice_is_cleaned_once(raw):
    once = clean_name(raw)

    assert clean_name(once) in (once, None)
    assert name_key(once) == name_key(raw) or clean_name(once) is None


@given(st.text(alphabet="张王李赵小三丽华强欧阳司马𠮷", min_size=2, max_size=6))
def test_mask_of_chinese_name_shows_at_most_its_ends(name):
    masked = mask_name(name)

    assert len(masked) == len(name)
    assert masked[0] == name[0]
    assert set(masked[1:-1]) <= {"*"}
    assert masked != name


@given(st.lists(st.text(alphabet="abcdefgh", min_size=1, max_size=9), min_size=1, max_size=4))
def test_mask_of_name_in_words_shows_first_letters_only(words):
    masked = mask_name(" ".join(words))

    assert masked == " ".join(f"{word[0]}***" for word in words)


def test_mask_of_names_that_differ_in_the_middle_is_the_same():
    assert mask_name("张小三") == mask_name("张大三") == "张*三"


@given(
    st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    st.sampled_from(["{}", "+86 {}", "0086{}", " {} ", "'{}", "{}.0"]),
)
def test_phone_written_in_any_way_is_one_number(number, form):
    if len(set(number)) > 1:
        assert read_phone(form.format(number)) == number


@given(st.text(max_size=30))
def test_phone_reads_or_refuses_any_text(raw):
    result = answer(lambda: read_phone(raw))

    assert result.get("refusal", "phone_").startswith("phone_")
    number = result.get("result")
    assert number is None or answer(lambda: read_phone(number)) == {"result": number}


@pytest.mark.parametrize("raw", ["1" * 100_000 + "2", "12 " * 50_000, "1e" * 50_000, "-" * 100_000 + "1"])
def test_hostile_text_is_no_phone_number_at_once(raw):
    started = time.perf_counter()

    assert answer(lambda: read_phone(raw)) == {"refusal": "phone_shape"}
    assert "refusal" in answer(lambda: read_gb11643(raw, on=ON))
    assert time.perf_counter() - started < 2


def id_numbers():
    days = st.dates(min_value=date(1930, 1, 1), max_value=ON)
    return st.builds(
        lambda day, serial: f"990101{day:%Y%m%d}{serial:03d}", days, st.integers(min_value=0, max_value=999)
    ).map(lambda first: first + check_digit(first))


@given(id_numbers())
def test_id_number_says_birth_date_and_sex(number):
    read = read_gb11643(number, on=ON)

    assert read.birth_date == date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    assert read.sex == ("M" if int(number[16]) % 2 else "F")


@given(id_numbers(), st.integers(min_value=0, max_value=17), st.integers(min_value=1, max_value=9))
def test_id_number_with_one_wrong_figure_is_refused(number, place, change):
    if number[place] == "X":
        return
    wrong = number[:place] + str((int(number[place]) + change) % 10) + number[place + 1 :]

    with pytest.raises(Refusal):
        read_gb11643(wrong, on=ON)


@given(id_numbers(), st.integers(min_value=0, max_value=15))
def test_id_number_with_two_figures_swapped_is_refused(number, place):
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]
    if swapped == number:
        return

    with pytest.raises(Refusal):
        read_gb11643(swapped, on=ON)


def test_refusals_hold_no_personal_figure():
    with pytest.raises(Refusal) as phone:
        read_phone("13800005678/13900001234")
    with pytest.raises(Refusal) as number:
        read_gb11643("990101194902300029", on=ON)

    assert not any(char.isdigit() for char in f"{phone.value}{number.value.facts}")


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("张小三", ("zxs", "zhangxiaosan")),
        ("单小平", ("sxp", "shanxiaoping", "dxp", "danxiaoping")),
        ("尉迟恭", ("ycg", "yuchigong")),
        ("吕方", ("lf", "lvfang")),
        ("阿依古丽·买买提", ("ayglmmt", "ayigulimaimaiti")),
        ("Mary Smith", ("ms", "marysmith")),
        ("José O’Neil", ("jo", "joseoneil")),
        ("Mary 张", ("mz", "maryzhang")),
        ("无", ()),
        ("", ()),
        (None, ()),
    ],
)
def test_search_keys_of_name(name, keys):
    found = search_keys(name)

    assert found == keys
