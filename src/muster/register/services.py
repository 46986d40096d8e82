# SPDX-License-Identifier: Apache-2.0
"""Writes of the register: somebody found, somebody moved, a need seen."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from muster.base.crypto import blind_index
from muster.places.queries import DoorPlace
from muster.register.models import DuplicatePair, Household, Need, Person
from muster.register.names import name_key
from muster.storage.keys import keystore

INDEX_PURPOSE = "register"


def phone_index(phone: str | None) -> bytes | None:
    """The blind index of a phone number; None for a blank one, so that blanks never match each other."""
    digits = "".join(c for c in phone or "" if c.isdigit())
    return blind_index(keystore(), purpose=INDEX_PURPOSE + ":phone", value=digits) if digits else None


def id_number_index(number: str | None) -> bytes | None:
    clean = (number or "").strip().upper()
    return blind_index(keystore(), purpose=INDEX_PURPOSE + ":id", value=clean) if clean else None


def add_found_person(
    *,
    person: uuid.UUID,
    household: uuid.UUID | None,
    place: DoorPlace,
    name: str,
    phone: str,
    birth_year: int | None,
    source: str,
    purpose: str,
    rev: int,
) -> Person:
    """Somebody who was on no list joins the register, with where he was found and by whom it was said."""
    row = Person(
        id=person,
        sub_district=place.sub_district,
        grid=place.grid,
        dwelling_id=place.id,
        household_id=household,
        purpose=purpose,
        name=name,
        phone=phone or None,
        phone_index=phone_index(phone),
        birth_year=birth_year,
        listed=False,
        source=source,
        registered_here=False,
        rev=rev,
    )
    row.save(force_insert=True)
    return row


def add_found_household(*, household: uuid.UUID, place: DoorPlace, purpose: str, rev: int) -> Household:
    row = Household(
        id=household, sub_district=place.sub_district, grid=place.grid, dwelling_id=place.id, kind="found",
        purpose=purpose, listed=False, rev=rev,
    )  # fmt: skip
    row.save(force_insert=True)
    return row


def move_person(person: Person, *, to: DoorPlace | None, at: datetime, rev: int) -> None:
    """Moves somebody to another door, or out of the city. What is sealed is sealed anew under the new place's
    key.
    """
    if to is None:
        person.left_at, person.lives_here, person.rev = at, False, rev
        person.save(update_fields=["left_at", "lives_here", "rev"])
        return
    sealed = (person.name, person.phone, person.id_number, person.note)
    person.sub_district, person.grid, person.dwelling_id = to.sub_district, to.grid, to.id
    person.household_id, person.left_at, person.lives_here, person.rev = None, None, True, rev
    person.name, person.phone, person.id_number, person.note = sealed
    person.version += 1
    person.save()


def note_need(person: Person, *, kind: str, severity: int, note: str, at: datetime, purpose: str) -> None:
    """A need seen at the door; the same need seen again only renews its date."""
    changed = (
        Need.objects.across(reason="fold")
        .filter(person=person, kind=kind, ended_at__isnull=True)
        .update(seen_at=at)
    )
    if not changed:
        Need(
            sub_district=person.sub_district, grid=person.grid, person=person, kind=kind, severity=severity,
            note=note or None, seen_at=at, purpose=purpose,
        ).save(force_insert=True)  # fmt: skip


def suspect_duplicates(person: Person, *, at: datetime) -> None:
    """Somebody found who looks like somebody known: a pair for a person to judge. Nothing is merged.

    Same name behind the same door, or the same phone number in the same sub-district. Blank never matches
    blank.
    """
    known = Person.objects.across(reason="duplicates").filter(merged_into__isnull=True).exclude(id=person.id)
    behind = known.filter(dwelling_id=person.dwelling_id, left_at__isnull=True)
    name = name_key(person.name)
    pairs = [(other.id, "same_name_same_door") for other in behind if name and name_key(other.name) == name]
    if person.phone_index:
        same_phone = known.filter(phone_index=person.phone_index, sub_district=person.sub_district)
        pairs += [(other, "same_phone") for other in same_phone.values_list("id", flat=True)]
    add_pairs(person, pairs, at=at)


def add_pairs(person: Person, pairs: Iterable[tuple[uuid.UUID, str]], *, at: datetime) -> None:
    seen: set[uuid.UUID] = set()
    rows = []
    for other, reason in pairs:
        if other in seen:
            continue
        seen.add(other)
        first, second = sorted((person.id, other), key=lambda i: i.int)
        rows.append(
            DuplicatePair(
                sub_district=person.sub_district,
                grid=person.grid,
                first=first,
                second=second,
                reason=reason,
                found_at=at,
            )
        )
    DuplicatePair.objects.bulk_create(rows, ignore_conflicts=True)
