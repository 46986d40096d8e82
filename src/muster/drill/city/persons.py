# SPDX-License-Identifier: Apache-2.0
"""Members of households become persons: birth date, name, numbers, languages, needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from muster.drill.city.draws import Draws
from muster.drill.city.families import Member
from muster.drill.city.model import Person
from muster.drill.city.needs import NeedTable
from muster.drill.city.numbers import PERSONS_PER_COMMUNITY, IdNumbers, drama_number, mobile
from muster.drill.city.person_names import name_giver
from muster.drill.city.residents import Group
from muster.drill.city.scenario import Scenario

YEAR = 365.2425


@dataclass(slots=True)
class Register:
    """The counters of one community: identity numbers and the serial of the next person."""

    index: int
    ids: IdNumbers
    serial: int = 0


class PersonMaker:
    """Makes the persons of a scenario."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self._seed = seed
        self._scenario = scenario.name
        self._as_of = scenario.as_of
        self._names = name_giver(scenario.name_pools, scenario.table["names_mix"])
        self._needs = NeedTable(scenario.table["needs"])
        self._contacts: Mapping[str, Any] = scenario.table["contacts"]
        self._languages: Mapping[str, Any] = scenario.table["languages"]
        self._others = list(self._languages.get("others", {}).items())
        self._chinese = scenario.table["numbers"] == "zh"

    def household(
        self, key: str, person_key: str, group: Group, register: Register, draws: Draws
    ) -> list[Person]:
        """The persons of one household, in order; `person_key` is what their keys begin with."""
        members = group.members
        if group.traveller is not None:
            return [self._traveller(key, person_key, group, register)]
        births = [self._birth(m, draws) for m in members]
        names = self._names.household(members, [b.year for b in births], draws)
        living = len(members) - len(group.away_members)
        needs = self._needs.household(members, group.mode, draws, registered=group.registered, living=living)
        phones = self._phones(members, register, draws)
        hometown = None if group.registered else draws.below(160)
        persons = []
        for k, member in enumerate(members):
            number, born = self._number(births[k], member, hometown, register, draws)
            persons.append(
                Person(
                    key=f"{person_key}{register.serial:05d}",
                    household_key=key,
                    name=names[k],
                    sex=member.sex,
                    birth_date=born,
                    relation=member.relation,
                    phone=phones[k],
                    id_number=number,
                    registered_here=group.registered,
                    lives_here=k not in group.away_members,
                    needs=needs[k],
                    languages=self._spoken(names[k], member.age, draws),
                    listed=group.listed and k not in group.unlisted_members,
                )
            )
            register.serial += 1
        return persons

    def _birth(self, member: Member, draws: Draws) -> date:
        del draws
        return self._as_of - timedelta(days=int(member.age * YEAR))

    def _number(
        self, born: date, member: Member, hometown: int | None, register: Register, draws: Draws
    ) -> tuple[str | None, date]:
        if not self._chinese:
            return None, born
        missing = self._contacts["id_missing"]
        if draws.random() < (missing["infant"] if member.age < 1 else missing["adult"]):
            return None, born
        return register.ids.give(born, member.sex, hometown)

    def _phones(self, members: Sequence[Member], register: Register, draws: Draws) -> list[str | None]:
        """Own numbers; some children and elders are listed under the number of a relative."""
        shares = self._contacts["phone_share"]
        phones: list[str | None] = []
        for k, member in enumerate(members):
            age = member.age
            band = "child" if age < 12 else "teen" if age < 18 else "adult" if age < 70 else "elder"
            own = draws.random() < shares[band]
            phones.append(self._own_number(register, k, draws) if own else None)
        relative = next((p for p in phones if p is not None), None)
        if relative is not None:
            share = self._contacts["family_phone_share"]
            related = [m.relation not in {"roommate", "resident"} for m in members]
            phones = [
                relative if p is None and related[k] and draws.random() < share else p
                for k, p in enumerate(phones)
            ]
        return phones

    def _own_number(self, register: Register, place: int, draws: Draws) -> str:
        if self._chinese:
            return mobile(register.index, register.serial + place)
        return drama_number(draws.below(1000))

    def _spoken(self, name: str, age: float, draws: Draws) -> tuple[str, ...]:
        table = self._languages
        spoken = [table["main"]]
        tongue = self._names.tongue(name)
        if tongue is not None and tongue != table["main"]:
            spoken.append(tongue)
            if draws.chance(table.get("tongue_only", 0.08)):
                return (tongue,)
            return tuple(spoken)
        local = table.get("local")
        if local is not None:
            band = "child" if age < 18 else "adult" if age < 60 else "elder"
            if draws.random() < local[band]:
                spoken.append(local["code"])
                if band == "elder" and draws.random() < table["elder_only_local"]:
                    return (local["code"],)
        for code, share in self._others:
            if draws.random() < share:
                spoken.append(code)
        return tuple(spoken)

    def _traveller(self, key: str, person_key: str, group: Group, register: Register) -> Person:
        """A person whom two communities know: the same on both lists, from a stream of their own."""
        assert group.traveller is not None
        first, number = group.traveller
        draws = Draws(self._seed, self._scenario, "traveller", first, number)
        sex = "F" if draws.chance(0.5) else "M"
        member = Member("head", sex, 20.0 + 9 * number + draws.within(0, 8))
        born = self._birth(member, draws)
        (name,) = self._names.household([member], [born.year], draws)
        if self._chinese:
            ids = IdNumbers("790000", 0, first)
            id_text: str | None = ids.traveller(born, sex, number)
            phone = mobile(first, PERSONS_PER_COMMUNITY - 1 - number)
        else:
            id_text, phone = None, drama_number(draws.below(1000))
        person = Person(
            key=f"{person_key}{register.serial:05d}",
            household_key=key,
            name=name,
            sex=sex,
            birth_date=born,
            relation="head",
            phone=phone,
            id_number=id_text,
            registered_here=False,
            lives_here=True,
            needs=(),
            languages=(self._languages["main"],),
            listed=group.listed,
        )
        register.serial += 1
        return person
