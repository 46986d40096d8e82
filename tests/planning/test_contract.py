# SPDX-License-Identifier: Apache-2.0
"""What all engines share: envelopes, canonical JSON, progress, texts, files, fan-out."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from muster.planning import engines
from muster.planning._kernel import files
from muster.planning._kernel.budget import Budget
from muster.planning._kernel.fanning import in_order
from muster.planning._kernel.reading import Fields
from muster.planning._kernel.words import say, texts
from muster.planning.contract import (
    BadProblem,
    Cancelled,
    PlanEnvelope,
    Status,
    Step,
    canonical_json,
    relative_gap,
    report,
)


def envelope(**changes):
    facts = {
        "engine": "network",
        "status": Status.FEASIBLE,
        "objective": 10,
        "bound": 8,
        "seed": 3,
        "solution": {"b": np.arange(3), "a": (1.0, 2.5)},
    }
    return PlanEnvelope(**(facts | changes))


def test_envelope_is_the_same_bytes_again_after_reading():
    text = envelope().to_json()

    assert PlanEnvelope.from_json(text).to_json() == text
    assert '"solution":{"a":[1,2.5],"b":[0,1,2]}' in text
    assert json.loads(text)["gap"] == 0.2


@pytest.mark.parametrize(
    ("objective", "bound", "gap"),
    [(None, 1, None), (1, None, None), (0, 0, 0), (10, 10, 0), (3, 2, 0.333333), (-4, -5, 0.25)],
)
def test_gap_is_relative_to_the_objective(objective, bound, gap):
    assert relative_gap(objective, bound) == gap


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object()])
def test_what_has_no_place_in_a_file_is_a_bug(value):
    with pytest.raises((ValueError, TypeError)):
        canonical_json({"x": value})


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("{", ""),
        ("[]", ""),
        ("{}", "engine"),
        (envelope().to_json().replace("FEASIBLE", "GOOD"), "status"),
        (re.sub(r'"solution":\{.*?\}', '"solution":5', envelope().to_json()), "solution"),
    ],
)
def test_text_that_is_no_envelope_is_refused(text, field):
    with pytest.raises(BadProblem) as refused:
        PlanEnvelope.from_json(text)

    assert refused.value.field == field


def test_progress_that_answers_false_cancels():
    report(None, Step("x", 1, 2))
    report(lambda step: None, Step("x", 1, 2))

    with pytest.raises(Cancelled):
        report(lambda step: False, Step("x", 1, 2))


def test_every_text_asks_for_the_same_facts_in_both_languages():
    for code, entry in texts().items():
        assert set(re.findall(r"{(\w+)}", entry["zh"])) == set(re.findall(r"{(\w+)}", entry["en"])), code


def test_every_code_in_the_engines_has_a_text():
    source = Path(engines.__file__).parent
    used = {
        code
        for path in source.rglob("*.py")
        for code in re.findall(r'"(planning\.[a-z_.]+)"', path.read_text(encoding="utf-8"))
        if not code.startswith("planning.cure.positive_integer")
    }

    assert {code for code in used if code not in texts()} == set()


def test_bad_problem_says_where_and_what_to_do():
    problem = BadProblem("dm[3]", "edges", "planning.cure.integer", lowest=1, highest=9)

    assert str(problem) == "edges, dm[3]: a whole number from 1 to 9 is expected here"
    assert problem.in_words(say(problem.cure, problem.facts, language="zh")).startswith("edges, dm[3]: 这里")


def test_unknown_engine_is_refused():
    with pytest.raises(BadProblem, match="districting"):
        engines.load("astrology")


@pytest.mark.parametrize("value", [True, 1.0, "1", -1, 11, 10**30, None, [], [1]])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(BadProblem):
        Fields({"x": value}).integer("x", 0, 10)
    with pytest.raises(BadProblem):
        Fields({"x": [1, value]}).integers("x", 0, 10)


def test_fields_take_what_is_there_and_what_is_meant_otherwise():
    fields = Fields({"n": 3, "r": 2.5, "t": "x", "l": [], "many": [1, 2]})

    assert fields.integer("n") == 3
    assert fields.integer("m", otherwise=7) == 7
    assert fields.number("r", 0, 3) == 2.5
    assert fields.number("q", 0, 3, otherwise=1.0) == 1.0
    assert fields.text("t") == "x"
    assert fields.text("u", "y") == "y"
    assert fields.integers("l").tolist() == []
    assert fields.integers("many").tolist() == [1, 2]


def test_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "plan.json"
    files.write_text(path, "old")
    monkeypatch.setattr(Path, "replace", lambda *a: (_ for _ in ()).throw(OSError("full")))

    with pytest.raises(OSError, match="full"):
        files.write_text(path, "new")

    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["plan.json"]


def test_file_over_the_limit_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "big.json"
    path.write_text("{}" + " " * 100)
    monkeypatch.setattr(files, "MAX_BYTES", 50)

    with pytest.raises(BadProblem, match="too big"):
        files.read_json(path)


def test_answers_come_in_the_order_of_the_jobs():
    jobs = [(i,) for i in range(40)]

    with ThreadPoolExecutor(3) as pool:
        assert list(in_order(lambda i: i * i, jobs, executor=pool)) == [i * i for i in range(40)]
    assert list(in_order(lambda i: i * i, jobs, executor=None)) == [i * i for i in range(40)]


def test_iterator_closed_early_drops_the_rest():
    begun = []

    answers = in_order(begun.append, [(i,) for i in range(1000)], executor=None)
    next(answers)
    answers.close()

    assert len(begun) < 100


def test_budget_runs_out():
    assert Budget(0).spent()
    assert not Budget(100).spent()
    assert Budget(100, started=-1000.0).left_s() == 0


@pytest.mark.parametrize(("value", "place"), [(["a"], "w[0]"), ([["a"], [1]], "w[1]"), ([[None]], "w[0]")])
def test_what_is_no_list_of_words_is_refused_with_its_row(value, place):
    with pytest.raises(BadProblem) as refused:
        Fields({"w": value}).word_lists("w")

    assert refused.value.field == place


def test_a_blank_word_passes_only_where_it_may():
    fields = Fields({"w": [["a", ""], []]})

    assert fields.word_lists("w") == [["a", ""], []]
    with pytest.raises(BadProblem) as refused:
        fields.word_lists("w", blank=False)
    assert refused.value.field == "w[0]"
