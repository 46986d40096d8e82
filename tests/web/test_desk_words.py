# SPDX-License-Identifier: Apache-2.0
"""What the house may tell a desk has words there, in both languages: alarms, reasons, steps, facts."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muster.base.terms import terms
from muster.sync import verdict_list
from muster.trail.kinds import SUBJECT_TYPES
from tests.conftest import REPOSITORY

SOURCES = REPOSITORY / "src" / "muster"
LANGUAGES = ("zh", "en")
# Whose steps a desk shows -> where the words of these steps stand.
STEPS = {
    "Request": "requests.verb",
    "HelpOffer": "offers.verb",
    "ReinforcementOrder": "reinforcement.verb",
    "Deployment": "reinforcement.verb",
    "Responder": "people.verb",
}
# An order that is settled is told by the state that it came to.
TOLD_OTHERWISE = {("ReinforcementOrder", "settle")}


def calls(folder: Path, name: str) -> Iterator[ast.Call]:
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                yield node


def said(node: ast.expr | None) -> list[str]:
    """The words that an expression may stand for."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.IfExp):
        return said(node.body) + said(node.orelse)
    return []


def page_words(language: str) -> dict[str, Any]:
    path = REPOSITORY / "web" / "apps" / "desk" / "src" / "i18n" / f"{language}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def at(words: dict[str, Any], path: str) -> dict[str, Any]:
    for part in path.split("."):
        words = words[part]
    return words


def house_words(language: str) -> dict[str, Any]:
    path = REPOSITORY / "web" / "packages" / "ui" / f"messages.{language}.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


ALARMS = {kind for call in calls(SOURCES / "situation", "item") for kind in said(call.args[0])}
ACTIONS = {
    action
    for call in calls(SOURCES / "situation", "item")
    for keyword in call.keywords
    if keyword.arg == "action"
    for action in said(keyword.value)
}
TOLD = {
    (entity, verb)
    for call in calls(SOURCES, "record_event")
    if len(call.args) > 2
    for entity in said(call.args[0])
    for verb in said(call.args[2])
    if entity in STEPS
}


def test_sources_are_read() -> None:
    """A negative control: a reader that finds nothing would find nothing missing."""
    assert {"numbers_missing", "look_over_budget", "facts_held", "team_late"} <= ALARMS
    assert {"work_held", "ask_why_seen"} <= ACTIONS
    assert ("Request", "raise") in TOLD


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alarm_of_the_inbox_has_a_title_an_act_and_a_word_on_its_chip(language: str) -> None:
    house, chips = house_words(language), page_words(language)["inbox"]["kind"]

    assert [kind for kind in sorted(ALARMS) if f"inbox_{kind}" not in house] == []
    assert [action for action in sorted(ACTIONS) if f"action_{action}" not in house] == []
    assert [kind for kind in sorted(ALARMS) if kind not in chips] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_of_the_held_list_has_words_and_a_cure(language: str) -> None:
    house = house_words(language)
    codes = [reason.code for reason in (*verdict_list.FACTS, *verdict_list.BATCHES)]

    assert [code for code in codes if not house.get(code, {}).get("text")] == []
    assert [reason.code for reason in verdict_list.FACTS if not house[reason.code].get("cure")] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_flag_has_a_short_word_at_the_desk_and_one_for_who_recorded_it(language: str) -> None:
    flags = {reason.code for reason in verdict_list.FACTS if reason.verdict == "FLAGGED"}
    phone = REPOSITORY / "web" / "apps" / "field" / "src" / "i18n" / f"{language}.json"
    said = json.loads(phone.read_text(encoding="utf-8"))["messages"]["codes"]

    assert flags ^ page_words(language)["flags"]["short"].keys() == set()
    assert flags - said.keys() == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_that_a_timeline_shows_has_words(language: str) -> None:
    words = page_words(language)
    missing = [(e, v) for e, v in sorted(TOLD - TOLD_OTHERWISE) if v not in at(words, STEPS[e])]

    assert missing == []


def test_every_kind_of_fact_and_every_verdict_is_a_noun() -> None:
    named = [f"fact_kind_{kind.replace('.', '_')}" for kind in SUBJECT_TYPES]
    named += [f"verdict_{v}" for v in ("applied", "flagged", "held", "quarantined", "duplicate")]

    assert [noun for noun in named if noun not in terms()] == []
