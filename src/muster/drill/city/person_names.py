# SPDX-License-Identifier: Apache-2.0
"""Names of made-up persons, built from parts by sex and year of birth; families share a name where due."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from muster.drill.city.draws import Draws, Table
from muster.drill.city.families import Member


class NameGiver(Protocol):
    """Names the members of a household; gives the languages that come with the names."""

    def household(self, members: Sequence[Member], births: Sequence[int], draws: Draws) -> list[str]: ...

    def tongue(self, name: str) -> str | None: ...


def name_giver(pools: Mapping[str, Any], mix: Mapping[str, float]) -> NameGiver:
    return EnglishNames(pools, mix) if "origins" in pools else ChineseNames(pools, mix)


class ChineseNames:
    """Family name and a given name of one or two characters; some names of other peoples."""

    def __init__(self, pools: Mapping[str, Any], mix: Mapping[str, float]) -> None:
        self._surnames: Table[str] = Table(pools["surnames"])
        self._compound: Sequence[str] = pools["surname_parts"]["compound"]
        self._eras = [row["from"] for row in pools["given"]]
        self._given: Sequence[Mapping[str, Any]] = pools["given"]
        self._rare: Sequence[str] = pools["given_rare"]["parts"]
        self._minorities = Table({k: row["weight"] for k, row in enumerate(pools["minority"])})
        self._minority = pools["minority"]
        self._foreign = pools["foreign"]
        self._mix = mix
        self._tongues: dict[str, str] = {}

    def household(self, members: Sequence[Member], births: Sequence[int], draws: Draws) -> list[str]:
        self._tongues.clear()
        share = draws.random()
        if share < self._mix["foreign"]:
            return [self._foreigner(m, draws) for m in members]
        if share < self._mix["foreign"] + self._mix["minority"]:
            people = self._minority[draws.weighted(self._minorities)]
            return [self._of_people(people, m, draws) for m in members]
        family = {"a": self._surname(draws), "b": self._surname(draws)}
        return [
            (family.get(m.line) or self._surname(draws)) + self._given_name(m.sex, born, draws)
            for m, born in zip(members, births, strict=True)
        ]

    def tongue(self, name: str) -> str | None:
        return self._tongues.get(name)

    def _surname(self, draws: Draws) -> str:
        if draws.chance(self._mix["compound_surname"]):
            return str(draws.pick(self._compound))
        return draws.weighted(self._surnames)

    def _given_name(self, sex: str, born: int, draws: Draws) -> str:
        # Fashions overlap: a few years to either side.
        era = self._given[max(0, bisect_right(self._eras, born + draws.between(-4, 4)) - 1)]
        parts = era[sex]
        if draws.chance(self._mix["rare_given"]):
            rare = draws.pick(self._rare)
            return rare if draws.chance(0.4) else f"{draws.pick(parts['first'])}{rare}"
        if draws.chance(0.16):
            return str(draws.pick(parts["single"]))
        return f"{draws.pick(parts['first'])}{draws.pick(parts['second'])}"

    def _of_people(self, people: Mapping[str, Any], member: Member, draws: Draws) -> str:
        own = str(draws.pick(people[member.sex]["first"]) + draws.pick(people[member.sex]["second"]))
        if people["joined"]:
            own += people["joined"] + draws.pick(people["M"]["first"]) + draws.pick(people["M"]["second"])
        self._tongues[own] = people["language"]
        return own

    def _foreigner(self, member: Member, draws: Draws) -> str:
        name = f"{draws.pick(self._foreign['last'])} {draws.pick(self._foreign[member.sex])}"
        self._tongues[name] = "english"
        return name


class EnglishNames:
    """Names of several origins; families share the family name, some of them keep two."""

    def __init__(self, pools: Mapping[str, Any], mix: Mapping[str, float]) -> None:
        self._origins = Table({key: row["weight"] for key, row in pools["origins"].items()})
        self._pools = pools["origins"]
        self._mix = mix
        self._language: str | None = None

    def household(self, members: Sequence[Member], births: Sequence[int], draws: Draws) -> list[str]:
        origin = self._pools[draws.weighted(self._origins)]
        self._language = origin.get("language")
        family = {"a": self._last(origin, draws)}
        other = self._last(self._pools[draws.weighted(self._origins)], draws)
        family["b"] = other if draws.chance(self._mix["keeps_name"]) else family["a"]
        if draws.chance(self._mix["double_name"]) and family["a"] != other:
            family["a"] = family["b"] = f"{family['a']}-{other}"
        return [
            f"{self._first(origin, m, born, draws)} {family.get(m.line) or self._last(origin, draws)}".strip()
            for m, born in zip(members, births, strict=True)
        ]

    def tongue(self, name: str) -> str | None:
        del name
        return self._language

    @staticmethod
    def _last(origin: Mapping[str, Any], draws: Draws) -> str:
        return str(draws.pick(origin["last"]))

    @staticmethod
    def _first(origin: Mapping[str, Any], member: Member, born: int, draws: Draws) -> str:
        elders = origin.get(f"{member.sex}_elder")
        return str(draws.pick(elders if elders and born < 1965 else origin[member.sex]))
