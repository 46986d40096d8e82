# SPDX-License-Identifier: Apache-2.0
"""Crowd: many people who share one door or one phone number: a dormitory, or the number of a whole community.

Laying every line over everybody behind such a door would take the square of their number. Of a crowd only the
names are read, each once, and then only those who are called as a line is.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any

from muster.register.importing.name_keys import name_key
from muster.register.models import Person
from muster.storage.sealed import reveal_column

MANY = 200
MOST_PAIRS = 10
_AT_ONCE = 400


@dataclass(slots=True)
class Crowd:
    """The people of one door or number by the key of their name. known: ids as the database has them."""

    known: set[Hashable] = field(default_factory=set)
    by_name: dict[str | None, list[uuid.UUID]] = field(default_factory=lambda: defaultdict(list))

    def called(self, names: Collection[str | None]) -> list[uuid.UUID]:
        return [id_ for name in names for id_ in self.by_name.get(name, ())[:MOST_PAIRS]]

    def meet(self, ids: Iterable[Hashable]) -> None:
        """Read the names of those who are new here."""
        new = [id_ for id_ in ids if id_ not in self.known]
        for start in range(0, len(new), _AT_ONCE):
            some = [_id(raw) for raw in new[start : start + _AT_ONCE]]
            rows = list(Person.objects.across(reason="import").filter(id__in=some).values_list("id", "name"))
            for (id_, _), said in zip(rows, reveal_column(Person, "name", rows), strict=True):
                self.by_name[name_key(said)].append(id_)
        self.known.update(new)


def _id(raw: object) -> uuid.UUID:
    found: uuid.UUID = Person._meta.pk.to_python(raw)
    return found


class Crowds:
    """column and value -> crowd, for the time of one list."""

    def __init__(self) -> None:
        self._crowds: dict[tuple[str, Hashable], Crowd] = {}

    def narrow(
        self, column: str, hits: Collection[tuple[Any, Any]], names: Collection[str | None]
    ) -> dict[uuid.UUID, Any]:
        """Of the people with a value, those to look at, with it: everybody, or of a crowd those called like a
        line.

        hits: (id as the database has it, value).
        """
        together: dict[Hashable, list[Any]] = defaultdict(list)
        for id_, value in hits:
            together[value].append(id_)
        wanted: dict[uuid.UUID, Any] = {}
        for value, ids in together.items():
            if len(ids) <= MANY:
                wanted |= {_id(raw): value for raw in ids}
                continue
            crowd = self._crowds.setdefault((column, value), Crowd())
            crowd.meet(ids)
            wanted |= dict.fromkeys(crowd.called(names), value)
        return wanted
