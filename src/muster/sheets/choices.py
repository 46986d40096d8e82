# SPDX-License-Identifier: Apache-2.0
"""The outcomes that a line may have, each with the key that stands for it on paper and keyboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.campaigns.states import DoorState
from muster.places.writing import fold
from muster.sheets.saying import words

KEYS = "123456789ABCDEFGHJKMNPQRSTUVWXYZ"
DOOR_STATES = (DoorState.SEEN, DoorState.VACANT, DoorState.NO_ANSWER, DoorState.REFUSED)


@dataclass(frozen=True, slots=True)
class Choice:
    """One outcome. cls: the class it puts an entry into; blank for the state of a door."""

    key: str
    code: str
    zh: str
    en: str
    cls: str = ""
    evidence: str = "none"

    def word(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


def outcome_choices(definition: Mapping[str, Any]) -> list[Choice]:
    """The outcomes of a campaign kind in its order; more than there are keys have none."""
    return [
        Choice(KEYS[at] if at < len(KEYS) else "", str(raw["code"]), str(raw["name"]["zh"]),
               str(raw["name"]["en"]), str(raw["class"]), str(raw.get("evidence", "none")))
        for at, raw in enumerate(definition["outcomes"])
    ]  # fmt: skip


def door_choices() -> list[Choice]:
    """What can be said of a door with nobody on the list behind it."""
    return [
        Choice(KEYS[at], state.value, words()[state.value]["zh"], words()[state.value]["en"])
        for at, state in enumerate(DOOR_STATES)
    ]


def choice_named(text: str, choices: Sequence[Choice]) -> Choice | None:
    """By its code, its word in either language, or its key."""
    said = _plain(text)
    for choice in choices:
        if said in (_plain(choice.code), _plain(choice.zh), _plain(choice.en), choice.key.lower() or None):
            return choice
    return None


def word_of(code: str, choices: Sequence[Choice], lang: str) -> str:
    return next((choice.word(lang) for choice in choices if choice.code == code), code)


def _plain(text: str) -> str:
    return fold(text).lower().replace(" ", "").strip("。.,，")
