# SPDX-License-Identifier: Apache-2.0
"""Names of streets, areas and compounds, from the pools of a scenario. A name depends on numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from muster.drill.city.scenario import StreetNames

DIGITS_ZH = "一二三四五六七八九十"


def street_names(pools: Mapping[str, Any]) -> StreetNames:
    if pools.get("places", {}).get("road_kinds"):
        return _EnglishStreets(pools["places"])
    return _ChineseStreets(pools["places"]["road"])


@dataclass(frozen=True)
class _ChineseStreets:
    pool: Sequence[str]

    def _named(self, place: int, kind: str) -> str:
        turn, rest = divmod(place * 17 % (len(self.pool) * 11), len(self.pool))
        stem = self.pool[(rest * 7 + place) % len(self.pool)]
        return f"{stem}{DIGITS_ZH[turn % 10] if turn else ''}{kind}"

    def column(self, line: int, klass: str) -> str:
        return self._named(2 * line, "大街" if klass == "primary" else "街")

    def row(self, line: int, klass: str) -> str:
        return self._named(2 * line + 1, "大道" if klass == "primary" else "路")

    def inner(self, index: int, number: int) -> str:
        stem = self.pool[(index * 5 + number * 13 + 3) % len(self.pool)]
        return f"{stem}{DIGITS_ZH[index % 7]}{'巷' if number >= 5 else '支路'}"


@dataclass(frozen=True)
class _EnglishStreets:
    places: Mapping[str, Any]

    def _named(self, place: int, kinds: Sequence[str]) -> str:
        stems = self.places["road"]
        return f"{stems[(place * 7) % len(stems)]} {kinds[(place // 3) % len(kinds)]}"

    def column(self, line: int, klass: str) -> str:
        del klass
        return self._named(2 * line, self.places["main_kinds"])

    def row(self, line: int, klass: str) -> str:
        del klass
        return self._named(2 * line + 1, self.places["main_kinds"])

    def inner(self, index: int, number: int) -> str:
        return self._named(index * 11 + number + 101, self.places["road_kinds"])


def pair(pool: Sequence[Sequence[str]], number: int) -> tuple[str, str]:
    """The number-th pair of a pool; later rounds carry a number so that names stay apart."""
    turn, place = divmod(number, len(pool))
    zh, en = pool[place]
    if turn == 0:
        return zh, en
    return f"{zh}{DIGITS_ZH[(turn - 1) % 10]}", f"{en} {turn + 1}"


def community_name(pools: Mapping[str, Any], street: int, place: int) -> tuple[str, str]:
    """A community's name, unlike all others of its street."""
    places = pools["places"]
    if "block" in places:
        zh, en = places["block"][(place * 5 + street * 3) % len(places["block"])]
        return zh, en
    front, back = places["front"], places["back"]
    a, a_en = front[(place * 7 + street * 11) % len(front)]
    b, b_en = back[(place + street + place // len(front)) % len(back)]
    return f"{a}{b}", f"{a_en} {b_en}"
