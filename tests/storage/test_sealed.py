# SPDX-License-Identifier: Apache-2.0
"""SealedField: what lies in the database is unreadable and opens only in its own row."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.db import connection

from muster.base.crypto import KeyDestroyed
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.places.queries import door_places
from muster.register.models import Person
from muster.register.services import move_person
from muster.storage.keys import keystore
from muster.storage.sealed import Sealed, SealedField, reveal_column
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
SEALED_TEXTS = {"Person": {"name", "phone", "id_number", "note"}, "Dwelling": {"address"}, "Fact": {"body"}}


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


def cipher(person: Person, column: str = "name") -> bytes:
    """The column as it lies in the database."""
    rows = Person.objects.across(reason="verify").filter(id=person.id)
    return bytes(rows.values_list(column, flat=True).get())


def carry(value: bytes, *, to: Person, column: str = "name") -> Person:
    """Writes ciphertext into a row past the ORM, and answers the row as it is read afterwards."""
    key = to.id.hex if connection.vendor == "sqlite" else to.id
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE register_person SET {column} = %s WHERE id = %s", [value, key])
    return Person.objects.across(reason="verify").get(id=to.id)


def test_personal_texts_are_sealed_fields() -> None:
    for name, fields in SEALED_TEXTS.items():
        model = next(m for m in apps.get_models() if m.__name__ == name)
        sealed = {f.name for f in model._meta.get_fields() if isinstance(f, SealedField)}
        assert fields <= sealed


def test_text_at_rest_is_ciphertext(world: World) -> None:
    person = world.persons[0]

    assert "演".encode() not in cipher(person)
    assert b"1380000" not in cipher(person, "phone")
    assert Person.objects.across(reason="verify").get(id=person.id).name == "演1"


def test_the_same_text_is_sealed_differently_each_time(world: World) -> None:
    person = world.persons[0]
    before = cipher(person)
    person.save()

    assert cipher(person) != before
    assert Person.objects.across(reason="verify").get(id=person.id).name == "演1"


def test_ciphertext_carried_to_another_row_does_not_open(world: World) -> None:
    astray = carry(cipher(world.persons[0]), to=world.persons[1])

    with pytest.raises(Refusal) as refusal:
        _ = astray.name

    assert refusal.value.code == "seal_broken"


def test_ciphertext_written_back_to_its_own_row_opens(world: World) -> None:
    """Negative control: what fails above is the other row, not the way the bytes were written."""
    assert carry(cipher(world.persons[0]), to=world.persons[0]).name == "演1"


def test_ciphertext_carried_to_another_column_does_not_open(world: World) -> None:
    astray = carry(cipher(world.persons[0], "phone"), to=world.persons[0], column="name")

    with pytest.raises(Refusal):
        _ = astray.name


def test_altered_ciphertext_does_not_open(world: World) -> None:
    value = bytearray(cipher(world.persons[0]))
    value[-1] ^= 1

    with pytest.raises(Refusal):
        _ = carry(bytes(value), to=world.persons[0]).name


def test_blank_lies_as_null(world: World) -> None:
    person = world.persons[0]
    person.note = ""
    person.save()

    assert Person.objects.across(reason="verify").filter(id=person.id, note__isnull=True).exists()


def test_filter_and_update_by_text_are_refused(world: World) -> None:
    people = Person.objects.across(reason="verify")

    with pytest.raises(TypeError, match="sealed"):
        people.filter(name="演1").count()
    with pytest.raises(TypeError, match="sealed"):
        people.filter(id=world.persons[0].id).update(name="演1")


def test_a_column_of_many_rows_opens_in_their_order(world: World) -> None:
    rows = list(Person.objects.across(reason="verify").order_by("-id").values_list("id", "name"))

    told = reveal_column(Person, "name", [*rows, (new_id(), None)])

    assert told == [*(p.name for p in reversed(world.persons)), None]
    assert all(isinstance(value, Sealed) for _, value in rows)


def test_who_moves_is_sealed_under_the_new_place(world: World) -> None:
    """Destroying the keys of the old sub-district must not lose somebody who has left it."""
    person, target = world.persons[0], world.dwellings[-1]
    person.purpose = str(new_id())
    person.save()
    stays = Person(
        sub_district=person.sub_district, grid=person.grid, dwelling_id=person.dwelling_id,
        purpose=person.purpose, name="演留",
    )  # fmt: skip
    stays.save(force_insert=True)

    move_person(person, to=door_places([target.id])[target.id], at=NOON, rev=1)
    keystore().destroy(purpose=person.purpose, sub_district=world.streets[0].id)

    people = Person.objects.across(reason="verify")
    assert people.get(id=person.id).name == "演1"
    with pytest.raises(KeyDestroyed):
        _ = people.get(id=stays.id).name
