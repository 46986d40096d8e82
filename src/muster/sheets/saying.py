# SPDX-License-Identifier: Apache-2.0
"""The words of sheets in one language, and times as they stand on paper."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from muster.base.messages import fill

_HERE = Path(__file__).parent


@cache
def words() -> dict[str, dict[str, str]]:
    return tomllib.loads((_HERE / "words.toml").read_text(encoding="utf-8"))


@cache
def secret_words(lang: str) -> list[str]:
    found: list[str] = tomllib.loads((_HERE / "secret_words.toml").read_text(encoding="utf-8"))[lang]
    return found


class PaperWords(Mapping[str, str]):
    """The words of one language; `say` fills in facts."""

    def __init__(self, lang: str) -> None:
        self.lang = lang if lang in ("zh", "en") else "zh"

    def __getitem__(self, key: str) -> str:
        return words()[key][self.lang]

    def __iter__(self) -> Iterator[str]:
        return iter(words())

    def __len__(self) -> int:
        return len(words())

    def say(self, key: str, **facts: object) -> str:
        return fill(self[key], facts)

    def of(self, both: Mapping[str, Any]) -> str:
        """One of a text in two languages."""
        return str(both.get(self.lang) or both.get("zh") or "")


def paper_time(moment: datetime, zone: str) -> str:
    """2022-09-02 18:05 in the incident's zone: paper is read on another day too."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")
