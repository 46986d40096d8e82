# SPDX-License-Identifier: Apache-2.0
"""The words of the resident's pages in one language, and times as people say them."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from muster.base.messages import fill

LANGUAGES = ("zh", "en")


@cache
def words() -> dict[str, dict[str, str]]:
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))


class Said(Mapping[str, str]):
    """The sentences of one language by their short word; `say` fills in facts."""

    def __init__(self, lang: str) -> None:
        self.lang = lang if lang in LANGUAGES else "zh"

    def __getitem__(self, key: str) -> str:
        return words()[key][self.lang]

    def __iter__(self) -> Iterator[str]:
        return iter(words())

    def __len__(self) -> int:
        return len(words())

    def say(self, key: str, **facts: object) -> str:
        return fill(self[key], facts)


def clock_time(moment: datetime, zone: str, *, now: datetime, said: Said) -> str:
    """18:05 today; with the day on another one: 9月3日 08:00, 08:00, 3 Sep."""
    here, today = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    time = here.strftime("%H:%M")
    if here.date() == today.date():
        return time
    day = f"{here.month}月{here.day}日" if said.lang == "zh" else f"{here.day} {here.strftime('%b')}"
    return said.say("times", date=day, time=time)
