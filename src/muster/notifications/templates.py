# SPDX-License-Identifier: Apache-2.0
"""Templates: what can be told, which facts it may carry, whether it calls somebody to work."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import msgspec

from muster.base.messages import text


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """slots: the only facts it may carry. lives: minutes for which it is worth telling."""

    slots: tuple[str, ...]
    lives: int
    pages: bool = False
    merges: bool = False
    link: str = ""


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9


def _is_time(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)", value))


def _is_date(value: object) -> bool:
    return isinstance(value, str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", value))


# The closed list: whatever leaves the house in a message is a number or a moment, never a word.
SLOTS: Mapping[str, Callable[[object], bool]] = {
    "count": _is_count,
    "number": _is_count,
    "minutes": _is_count,
    "time": _is_time,
    "date": _is_date,
}


@cache
def templates() -> Mapping[str, Template]:
    """By name. Raises ValueError for a template that asks for a slot outside the closed list."""
    raw = (resources.files("muster.notifications") / "templates.toml").read_text(encoding="utf-8")
    found = {name: msgspec.convert(table, Template) for name, table in tomllib.loads(raw).items()}
    for name, template in found.items():
        if unknown := set(template.slots) - set(SLOTS):
            raise ValueError(f"templates.toml: {name} asks for {sorted(unknown)}")
    return found


def demand_facts(template: str, facts: Mapping[str, object]) -> None:
    """Raises ValueError (a bug) for a fact that the template does not carry, or that is no number or time."""
    slots = templates()[template].slots
    if set(facts) != set(slots):
        raise ValueError(f"{template} carries {sorted(slots)}, not {sorted(facts)}")
    for name, value in facts.items():
        if not SLOTS[name](value):
            raise ValueError(f"{template}: {name} is no plain {name}")


def code(template: str, *, many: bool = False) -> str:
    return f"tell.{template}_many" if many else f"tell.{template}"


def words(template: str, facts: Mapping[str, object], language: str, *, zone: str, many: int = 0) -> str:
    """The sentence, in the reader's language and the incident's time."""
    lang = language if language in ("zh", "en") else "en"
    if many > 1:
        return text(code(template, many=True), lang, count=many)
    return text(code(template), lang, **{name: _shown(name, v, lang, zone) for name, v in facts.items()})


def _shown(name: str, value: object, lang: str, zone: str) -> object:
    if name == "time" and isinstance(value, str):
        moment = datetime.fromisoformat(value).astimezone(ZoneInfo(zone))
        day = f"{moment.month}月{moment.day}日" if lang == "zh" else f"{moment.day} {moment:%b}"
        return f"{day} {moment:%H:%M}"
    if name == "date" and isinstance(value, str):
        day_ = date.fromisoformat(value)
        return f"{day_.month}月{day_.day}日" if lang == "zh" else f"{day_.day} {day_:%b}"
    return value
