# SPDX-License-Identifier: Apache-2.0
"""Words: the outcome codes of the day's campaign kind, and how a phone fills the body of a record."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from muster.base.errors import Refusal
from muster.base.messages import text
from muster.drill.city.day import Day

EVERY_SECOND = 0.6


class Words:
    """What happened -> code of the campaign kind, with the note, proof and answers that the kind asks for."""

    def __init__(self, round_: Mapping[str, Any], day: Day, *, language: str) -> None:
        kind = round_["kind"]
        if kind["key"] not in day.outcomes:
            known = ", ".join(sorted(day.outcomes))
            raise Refusal("drill.day_key", scenario=day.scenario, key=f"outcomes.{kind['key']}", known=known)
        self.round: str = round_["id"]
        self.language = language
        self.codes = day.outcomes[kind["key"]]
        self.rules = {o["code"]: o for o in kind["outcomes"]}
        self.questions = kind.get("questions", [])

    def knows(self, happened: str) -> bool:
        return happened in self.codes

    def code(self, happened: str) -> str:
        return self.codes[happened]

    def class_of(self, happened: str) -> str:
        """The class that the phone shows at once: a word that needs a second visit is open until then."""
        rule = self.rules[self.codes[happened]]
        return "UNREACHED" if rule.get("evidence") == "second_visit" else str(rule["class"])

    def outcome(
        self,
        happened: str,
        *,
        door: str | None,
        people: int = 1,
        needs: tuple[str, ...] = (),
        rng: random.Random,
    ) -> dict[str, Any]:
        """The body of entry.outcome."""
        code = self.code(happened)
        body: dict[str, Any] = {"round": self.round, "outcome": code}
        if door is not None:
            body["door"] = door
        evidence = self.rules[code].get("evidence", "none")
        if evidence == "note":
            body["note"] = text(f"drill.note.{happened}", self.language)
        if evidence == "proof":
            body["evidence"] = {"kind": "proof", "ref": "drill"}
        answers = self._answers(code, people, needs, rng)
        if answers:
            body["answers"] = answers
        return body

    def _answers(self, code: str, people: int, needs: tuple[str, ...], rng: random.Random) -> dict[str, Any]:
        answers: dict[str, Any] = {}
        for question in self.questions:
            if code not in question.get("when", [code]):
                continue
            if not question.get("required") and rng.random() > EVERY_SECOND:
                continue
            match question["type"]:
                case "choice":
                    answers[question["key"]] = _choice([o["value"] for o in question["options"]], rng)
                case "number":
                    answers[question["key"]] = people
                case "bool":
                    answers[question["key"]] = (
                        "pets" in needs if question["key"] == "animals" else bool(needs)
                    )
        return answers


def _choice(values: list[str], rng: random.Random) -> str:
    """The first answer is the usual one."""
    return values[0] if rng.random() < EVERY_SECOND else rng.choice(values)
