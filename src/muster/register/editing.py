# SPDX-License-Identifier: Apache-2.0
"""Corrections of a person's fields: what rests on what, and the writing of one field."""

from __future__ import annotations

from muster.register.models import Person
from muster.register.names import name_key
from muster.register.services import phone_index


def value_of(person: Person, field: str) -> str:
    return (person.name if field == "name" else person.phone) or ""


def fits(field: str, stands: str, was: str, now: str) -> bool:
    """Whether a correction from `was` to `now` may be written over what stands there: it is what the
    corrector saw, or already what he says.
    """
    return _key(field, stands) in (_key(field, was), _key(field, now))


def _key(field: str, value: str) -> str:
    """What two writings of one value share."""
    if field == "name":
        return name_key(value) or ""
    return "".join(c for c in value if c.isdigit())


def change_person(person: Person, *, field: str, now: str, rev: int) -> None:
    """Writes one field; the version and the revision tell everybody else."""
    if field == "name":
        person.name = now
    else:
        person.phone = now or None
        person.phone_index = phone_index(now)
    person.version += 1
    person.rev = rev
    person.save(update_fields=["name", "phone", "phone_index", "version", "rev"])
