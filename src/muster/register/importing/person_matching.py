# SPDX-License-Identifier: Apache-2.0
"""Who of the register a line may be about: the same id number, the same phone and name, the same name and
door.

A blank never matches a blank. A contradiction (another id number, another day of birth) keeps two people
apart; they are shown as a pair, never made one.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F

from muster.register.importing.blind_indexes import id_number_indexes, phone_indexes
from muster.register.importing.bulk import keys_where_in, pairs_where_in
from muster.register.importing.crowds import Crowds
from muster.register.importing.name_keys import name_key
from muster.register.models import Person

_AT_ONCE = 400


@dataclass(frozen=True, slots=True)
class Likeness:
    """A known person and what makes him look like the one of the line."""

    person: Person
    reason: str


@dataclass(slots=True)
class LikePersons:
    """The persons of the register that some lines might be about, by what they share."""

    by_id_number: Mapping[bytes, list[Person]] = field(default_factory=dict)
    by_phone: Mapping[bytes, list[Person]] = field(default_factory=dict)
    by_door: Mapping[uuid.UUID, list[Person]] = field(default_factory=dict)
    _numbers: Mapping[str, bytes] = field(default_factory=dict)
    _phones: Mapping[str, bytes] = field(default_factory=dict)
    _names: dict[uuid.UUID, str | None] = field(default_factory=dict)
    _sorted: dict[tuple[str, Hashable], dict[str | None, list[Person]]] = field(default_factory=dict)

    @classmethod
    def load(
        cls, lines: Sequence[Mapping[str, str]], doors: Collection[uuid.UUID], crowds: Crowds
    ) -> LikePersons:
        numbers = id_number_indexes({values["id_number"] for values in lines if "id_number" in values})
        phones = phone_indexes({values["phone"] for values in lines if "phone" in values})
        names = {name_key(values["name"]) for values in lines if "name" in values}
        return cls(
            _grouped("id_number_index", numbers.values(), names, crowds),
            _grouped("phone_index", phones.values(), names, crowds),
            _grouped("dwelling_id", doors, names, crowds),
            numbers,
            phones,
        )

    def of(self, values: Mapping[str, str], door: uuid.UUID) -> list[Likeness]:
        """Everybody like this line, each once, the strongest reason first."""
        wanted = name_key(values["name"])
        alike = [Likeness(p, "same_id_number") for p in self._of_number(values)]
        alike += [Likeness(p, "same_phone") for p in self._called("phone", self.phone_index(values), wanted)]
        behind = self._called("door", door, wanted)
        alike += [Likeness(p, "same_name_same_door") for p in behind if p.left_at is None]
        once = {one.person.id: one for one in reversed(alike)}
        return [one for one in alike if once[one.person.id] is one]

    def _of_number(self, values: Mapping[str, str]) -> Sequence[Person]:
        return self.by_id_number.get(self.id_number_index(values) or b"", ())

    def _called(self, by: str, value: Hashable, name: str | None) -> Sequence[Person]:
        """The people of a phone or a door who are called so; sorted by name once."""
        if value is None:
            return ()
        people: Mapping[Any, list[Person]] = self.by_phone if by == "phone" else self.by_door
        if value not in people:
            return ()
        names = self._sorted.get((by, value))
        if names is None:
            names = self._sorted[by, value] = defaultdict(list)
            for person in people[value]:
                names[self.name(person)].append(person)
        return names.get(name, ())

    def id_number_index(self, values: Mapping[str, str]) -> bytes | None:
        return self._numbers.get(values.get("id_number", ""))

    def phone_index(self, values: Mapping[str, str]) -> bytes | None:
        return self._phones.get(values.get("phone", ""))

    def name(self, person: Person) -> str | None:
        if person.id not in self._names:
            self._names[person.id] = name_key(person.name)
        return self._names[person.id]


def contradict(values: Mapping[str, str], known: Mapping[str, str]) -> bool:
    """Whether two descriptions cannot be of one person. A blank contradicts nothing; a year agrees with its
    days.
    """
    for each in ("id_number", "birth_date"):
        one, other = values.get(each, ""), known.get(each, "")
        length = min(len(one), len(other)) if each == "birth_date" else None
        if one and other and one[:length] != other[:length]:
            return True
    return False


def persons_by(column: str, values: Collection[object]) -> Iterator[Person]:
    """Persons anywhere with one of these values, each with the path of its area as `area_path`."""
    yield from persons_with(keys_where_in(Person, column, values))


def persons_with(hits: Sequence[uuid.UUID]) -> Iterator[Person]:
    for start in range(0, len(hits), _AT_ONCE):
        rows = Person.objects.across(reason="import").filter(id__in=hits[start : start + _AT_ONCE])
        yield from rows.annotate(area_path=F("dwelling__building__area__path"))


def _grouped(
    column: str, values: Collection[object], names: Collection[str | None], crowds: Crowds
) -> dict[Any, list[Person]]:
    wanted = crowds.narrow(column, pairs_where_in(Person, column, values), names)
    found: dict[Any, list[Person]] = defaultdict(list)
    for person in persons_with(list(wanted)):
        if person.merged_into is not None:
            continue  # the record he was merged into speaks for him
        found[wanted[person.id]].append(person)
    return found
