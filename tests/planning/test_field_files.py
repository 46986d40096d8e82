# SPDX-License-Identifier: Apache-2.0
"""The field's own files as they come from other hands: other line ends, blanks, and faults of every kind."""

from dataclasses import fields

import numpy as np
import pytest

from muster.planning import engines
from muster.planning.contract import BadProblem

COVER = "".join(f"{day},{shift},1,100,1\n" for day in range(14) for shift in "EL")
FILES = {
    "a.vrp": (
        "routing",
        (
            "NAME : a\nCOMMENT : it\nTYPE : CVRP\nDIMENSION : 4\nEDGE_WEIGHT_TYPE : EUC_2D\nCAPACITY : 10\n"
            "NODE_COORD_SECTION\n1 0 0\n2 0 10\n3 10 0\n4 10 10\nDEMAND_SECTION\n1 0\n2 3\n3 4\n4 5\n"
            "DEPOT_SECTION\n1\n-1\nEOF\n"
        ),
    ),
    "windows.vrp": (
        "routing",
        (
            "NAME : w\nTYPE : VRPTW\nDIMENSION : 3\nVEHICLES : 2\nCAPACITY : 10\nEDGE_WEIGHT_TYPE : EUC_2D\n"
            "NODE_COORD_SECTION\n1 0 0\n2 0 10\n3 10 0\nDEMAND_SECTION\n1 0\n2 3\n3 4\nTIME_WINDOW_SECTION\n"
            "1 0 1000\n2 0 100\n3 0 100\nSERVICE_TIME_SECTION\n1 0\n2 10\n3 10\nDEPOT_SECTION\n1\n-1\nEOF\n"
        ),
    ),
    "median.txt": ("siting", "4 3 1\n1 2 5\n2 3 5\n3 4 9\n"),
    "table.txt": ("siting", "2 3\n10 12\n100 120\n3 4 5\n1 2\n3 4\n5 6\n"),
    "rota.txt": (
        "rostering",
        "# made up\nSECTION_HORIZON\n14\n\nSECTION_SHIFTS\nE,480,\nL,480,E\n\nSECTION_STAFF\n"
        "A,E=14|L=14,4320,3360,5,2,2,1\nB,E=14|L=0,4320,3360,5,2,2,1\n\nSECTION_DAYS_OFF\nA,0\nB,5\n\n"
        "SECTION_SHIFT_ON_REQUESTS\nA,2,E,2\n\nSECTION_SHIFT_OFF_REQUESTS\nB,12,E,1\n\nSECTION_COVER\n"
        + COVER,
    ),
    "flow.min": (
        "matching",
        "c it\np min 4 5\nn 1 4\nn 4 -4\na 1 2 0 4 2\na 1 3 0 2 2\na 2 3 0 2 1\na 2 4 0 3 3\na 3 4 1 5 1\n",
    ),
    "map.graph": ("districting", "% made up\n4 3 011 1\n1 2 5\n1 1 5 3 5\n1 2 5 4 5\n1 3 5\n"),
}
SAME = {
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "a byte order mark": lambda text: "\ufeff" + text,
    "tabs": lambda text: text.replace(" ", "\t"),
    "blanks at the ends": lambda text: text.replace("\n", "  \t\n"),
    "blanks in front": lambda text: "".join(f"  {line}\n" for line in text.splitlines()),
    "blank lines at the end": lambda text: text + "\n \n\n",
    "blank lines at the beginning": lambda text: "\n\n" + text,
    "no last line end": lambda text: text.rstrip("\n"),
    "no EOF": lambda text: text.replace("EOF\n", ""),
    "tight colons": lambda text: text.replace(" : ", ":"),
    "small keywords": lambda text: "".join(
        line.lower() if line[:1].isalpha() and "," not in line else line for line in text.splitlines(True)
    ),
}
FAULTS = {
    "nothing": lambda text: "",
    "a third of it": lambda text: text[: len(text) // 3],
    "a word for a number": lambda text: text.replace(" 5", " five", 1).replace(",480", ",many", 1),
    "a number below zero": lambda text: text.replace(" 5\n", " -5\n", 1).replace(",480", ",-480", 1),
    "no number": lambda text: text.replace(" 5\n", " nan\n", 1).replace(",480", ",nan", 1),
    "a number of 400 digits": lambda text: text.replace(" 5\n", f" {'5' * 400}\n", 1).replace(
        ",480", ",4" + "0" * 400, 1
    ),
    "one line too many": lambda text: text.replace("EOF\n", "") + "9 9 9 9\n",
    "a picture": lambda text: "\x89PNG\r\n\x1a\n\x00\x00",
}


def read(tmp_path, name, text):
    (tmp_path / name).write_bytes(text.encode())
    return engines.load_problem(FILES[name][0], tmp_path / name)


def same(one, other):
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if hasattr(one, "__dataclass_fields__"):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.parametrize("change", SAME)
@pytest.mark.parametrize("name", FILES)
def test_same_problem_however_it_is_written(tmp_path, name, change):
    text = FILES[name][1]

    assert same(read(tmp_path, name, text), read(tmp_path, name, SAME[change](text)))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", FILES)
def test_fault_is_refused_in_words(tmp_path, name, fault):
    spoilt = FAULTS[fault](FILES[name][1])
    if name == "windows.vrp" and spoilt == FILES[name][1]:
        spoilt = spoilt.replace("2 10\n", f"2 {fault}\n", 1)

    with pytest.raises(BadProblem) as refused:
        read(tmp_path, name, spoilt)

    assert str(refused.value)
    assert len(str(refused.value)) < 600


@pytest.mark.parametrize("name", ["a.vrp", "windows.vrp"])
def test_keyword_given_twice_is_refused_with_its_line(tmp_path, name):
    text = FILES[name][1].replace("CAPACITY : 10\n", "CAPACITY : 10\nCAPACITY : 20\n")

    with pytest.raises(BadProblem) as refused:
        read(tmp_path, name, text)

    assert refused.value.field == "CAPACITY"
    assert refused.value.where.startswith(f"{name}:")
