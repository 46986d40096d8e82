# SPDX-License-Identifier: Apache-2.0
"""Special needs by age band, and those that follow from the household."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from muster.drill.city.draws import Draws
from muster.drill.city.families import Member

WOMEN_ONLY = {"pregnant"}
CARERS = (18, 60)  # the ages at which a member of the household looks after its children


class NeedTable:
    """For every year of age the needs that may occur and how often."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._alone_from = table.get("elder_alone_from", 200)
        self._delivered_days = table.get("newly_delivered_days", 0)
        self._hardship: Mapping[str, float] = table.get("migrant_hardship", {})
        self._home: Mapping[str, float] = table.get("household", {})
        self._by_age: dict[str, list[list[tuple[str, float]]]] = {"F": [], "M": []}
        bands = {k: v for k, v in table.items() if isinstance(v, list)}
        for sex, years in self._by_age.items():
            for year in range(121):
                years.append(
                    [
                        (need, row[2])
                        for need, rows in bands.items()
                        for row in rows
                        if row[0] <= year < row[1] and (sex == "F" or need not in WOMEN_ONLY)
                    ]
                )

    def household(
        self, members: Sequence[Member], mode: str, draws: Draws, *, registered: bool, living: int
    ) -> list[tuple[str, ...]]:
        """The needs of each member, in the members' order; `living` of them live here."""
        alone = living == 1 and mode not in {"dormitory", "care"}
        infant_age = min((m.age for m in members), default=99.0)
        shared = (
            [need for need, share in self._home.items() if draws.random() < share] if mode != "care" else []
        )
        cared_for = any(CARERS[0] <= m.age < CARERS[1] for m in members)
        needs = []
        for member in members:
            own = [
                need for need, share in self._by_age[member.sex][int(member.age)] if draws.random() < share
            ]
            if alone and member.age >= self._alone_from:
                own.append("elder_alone")
            if cared_for and "minor_alone" in own:
                own.remove("minor_alone")
            if self._is_mother(member, infant_age):
                own = [n for n in own if n != "pregnant"] + ["newly_delivered"]
            if not registered and 18 <= member.age < 60 and draws.random() < self._hardship.get(mode, 0.0):
                own.append("migrant_hardship")
            needs.append(tuple(own + shared))
            shared = []  # what the whole household needs stands with its first person
        return needs

    def _is_mother(self, member: Member, infant_age: float) -> bool:
        return (
            self._delivered_days > 0
            and infant_age * 365.2425 <= self._delivered_days
            and member.sex == "F"
            and member.relation in {"head", "spouse"}
            and 18 <= member.age - infant_age <= 45
        )
