# SPDX-License-Identifier: Apache-2.0
"""SealedField: text that lies encrypted in the database and opens only with a key kept outside it.

The row says under which key: its `purpose`, its `sub_district` and the field's class. The ciphertext is bound
to table, column and row, so that it cannot be carried to another row.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from muster.base.crypto import seal, seal_many, unseal, unseal_many
from muster.storage.keys import keystore


class Sealed(bytes):
    """Ciphertext as it lies in the database."""


def seal_context(table: str, column: str, row: object) -> bytes:
    """What a ciphertext is bound to."""
    return f"{table}|{column}|{row}".encode()


class SealedAttribute(DeferredAttribute):
    """Opens the ciphertext at the first look."""

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        value = super().__get__(instance, owner)
        if isinstance(value, Sealed):
            field = cast(SealedField, self.field)
            value = unseal(keystore(), value, context=field.context_of(instance))
            instance.__dict__[self.field.attname] = value
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        # Having __set__ makes this a data descriptor: without it the row's own dictionary would be read
        # first.
        instance.__dict__[self.field.attname] = value


class SealedField(models.BinaryField):  # type: ignore[type-arg]
    """A short or long text, sealed with AES-256-GCM.

    klass: the sensitivity class the key belongs to ("personal", "identity", "free_text", "journal").
    """

    descriptor_class = SealedAttribute

    def __init__(self, *, klass: str = "personal", **kwargs: Any) -> None:
        self.klass = klass
        kwargs.setdefault("null", True)
        kwargs.setdefault("blank", True)
        super().__init__(**kwargs)

    def deconstruct(self) -> tuple[str, str, Sequence[Any], dict[str, Any]]:
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "klass": self.klass}

    def context_of(self, instance: models.Model) -> bytes:
        return seal_context(instance._meta.db_table, str(self.column), instance.pk)

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Sealed | None:
        return None if value is None else Sealed(bytes(value))

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: FBT001 -- Django's signature
        value = model_instance.__dict__.get(self.attname)
        if value is None or value == "":
            return None
        if isinstance(value, Sealed):
            return value
        row = cast(Any, model_instance)
        return Sealed(
            seal(
                keystore(),
                str(value),
                purpose=row.purpose,
                sub_district=row.sub_district,
                klass=self.klass,
                context=self.context_of(model_instance),
            )
        )

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:  # noqa: FBT001, FBT002
        if value is not None and not isinstance(value, Sealed):
            raise TypeError(f"{self.name} is sealed: write it through its row, not by update() or a filter")
        return super().get_db_prep_value(value, connection, prepared)


def seal_rows(
    model: type[models.Model], name: str, rows: Sequence[models.Model], *, purpose: str, sub_district: int
) -> None:
    """Seals one field of many rows of one key at once, ready to be written; each has a text in it."""
    field = cast(SealedField, model._meta.get_field(name))
    pairs = [(str(row.__dict__[name]), field.context_of(row)) for row in rows]
    sealed = seal_many(keystore(), pairs, purpose=purpose, sub_district=sub_district, klass=field.klass)
    for row, one in zip(rows, sealed, strict=True):
        row.__dict__[name] = Sealed(one)


def reveal_column(
    model: type[models.Model], column: str, rows: Sequence[tuple[object, bytes | None]]
) -> list[str | None]:
    """Opens one sealed column of many rows at once.

    rows: (primary key, ciphertext or None) pairs; the answer keeps their order.
    """
    table = model._meta.db_table
    present = [(position, row) for position, row in enumerate(rows) if row[1] is not None]
    texts = unseal_many(
        keystore(), [(bytes(cast(bytes, row[1])), seal_context(table, column, row[0])) for _, row in present]
    )
    answer: list[str | None] = [None] * len(rows)
    for (position, _), text in zip(present, texts, strict=True):
        answer[position] = text
    return answer
