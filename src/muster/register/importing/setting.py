# SPDX-License-Identifier: Apache-2.0
"""Setting: what an import takes from the pack and the day. Option: one choice of a column with its words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from muster.base.terms import term
from muster.packs import Pack
from muster.packs.schema import PhonePlan

HOUSEHOLD_KINDS = ("family", "collective", "rental")


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: the code that is kept, the words that are shown and understood."""

    code: str
    zh: str
    en: str

    def word(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


@dataclass(frozen=True)
class Setting:
    """The pack's forms and words on a day."""

    pack: Pack
    today: date

    @property
    def phone_plan(self) -> PhonePlan:
        return self.pack.phones

    @cached_property
    def levels(self) -> tuple[Option, ...]:
        return tuple(Option(level.key, level.name.zh, level.name.en) for level in self.pack.areas.levels)

    @cached_property
    def needs(self) -> tuple[Option, ...]:
        return tuple(Option(need.code, need.name.zh, need.name.en) for need in self.pack.needs)

    @cached_property
    def affiliations(self) -> tuple[Option, ...]:
        """Who somebody can be. Sensitive ones only where the pack asks for them."""
        asked = self.pack.asks_sensitive_affiliation
        known = (one for one in self.pack.affiliations if asked or not one.sensitive)
        return tuple(Option(one.code, one.name.zh, one.name.en) for one in known)

    @cached_property
    def skills(self) -> tuple[Option, ...]:
        return tuple(Option(skill.code, skill.name.zh, skill.name.en) for skill in self.pack.skills)

    @cached_property
    def strains(self) -> tuple[Option, ...]:
        return tuple(Option(one.code, one.name.zh, one.name.en) for one in self.pack.strains)

    @cached_property
    def documents(self) -> tuple[Option, ...]:
        return tuple(Option(one.code, one.name.zh, one.name.en) for one in self.pack.id_documents)


SEXES = (
    Option("F", term("sex_female"), term("sex_female", "en")),
    Option("M", term("sex_male"), term("sex_male", "en")),
)
YES_NO = (Option("yes", "是", "yes"), Option("no", "否", "no"))
DATUMS = (
    Option("wgs84", "WGS-84", "WGS-84"),
    Option("gcj02", "GCJ-02", "GCJ-02"),
    Option("bd09", "BD-09", "BD-09"),
)


def household_kinds(_setting: Setting) -> tuple[Option, ...]:
    return tuple(
        Option(kind, term(f"household_kind_{kind}"), term(f"household_kind_{kind}", "en"))
        for kind in HOUSEHOLD_KINDS
    )
