# SPDX-License-Identifier: Apache-2.0
"""Rows of tables as plain JSON and back: sealed texts are opened here and sealed anew with the reader's keys.

Nouns: shelf (the rows of one table, by the table's name), stock (all shelves of a bundle or of some news).
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, cast

from django.apps import apps
from django.db import models

from muster.base.errors import Refusal
from muster.register.models import Person
from muster.register.services import id_number_index, phone_index
from muster.storage.many_rows import Insert
from muster.storage.sealed import SealedField

Row = dict[str, Any]
Stock = dict[str, list[Row]]
ROWS_AT_ONCE = 500


def shelf_of(model: type[models.Model]) -> str:
    return model._meta.label_lower


def add_rows(stock: Stock, rows: Iterable[models.Model], *, model: type[models.Model]) -> None:
    """Lays rows on their shelf, each once."""
    shelf = stock.setdefault(shelf_of(model), [])
    shelf += [told_row(row) for row in rows]


def told_row(row: models.Model) -> Row:
    return {field.attname: _told(getattr(row, field.attname)) for field in _fields(type(row))}


def read_rows(stock: Stock, model: type[models.Model]) -> list[models.Model]:
    """The rows of a table, not saved yet. Refusal bundle_unreadable for what is no row of it."""
    fields = _fields(model)
    try:
        return [_read(model, fields, told) for told in stock.get(shelf_of(model), [])]
    except (KeyError, TypeError, ValueError, AttributeError, models.ObjectDoesNotExist) as error:
        raise Refusal("bundle_unreadable", path=shelf_of(model)) from error
    except Exception as error:
        if type(error).__name__ == "ValidationError":
            raise Refusal("bundle_unreadable", path=shelf_of(model)) from error
        raise


def insert_rows(model: type[models.Model], rows: Sequence[models.Model]) -> int:
    for first in range(0, len(rows), ROWS_AT_ONCE):
        Insert(model, rows[first : first + ROWS_AT_ONCE]).execute()
    return len(rows)


def put_rows(model: type[models.Model], rows: Sequence[models.Model], *, columns: Sequence[str]) -> int:
    """Adds what is not here; of what is here writes these columns, none of them: leaves it as it is."""
    manager = cast(Any, model)._base_manager
    key = [field.name for field in model._meta.pk_fields]
    for first in range(0, len(rows), ROWS_AT_ONCE):
        part = list(rows[first : first + ROWS_AT_ONCE])
        if columns:
            manager.bulk_create(part, update_conflicts=True, update_fields=list(columns), unique_fields=key)
        else:
            manager.bulk_create(part, ignore_conflicts=True)
    return len(rows)


def model_of(shelf: str) -> type[models.Model]:
    return apps.get_model(shelf)


def _fields(model: type[models.Model]) -> list[Any]:
    return [cast(Any, field) for field in model._meta.concrete_fields if field.column]


def _told(value: object) -> object:
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview | bytearray):
        return base64.b64encode(bytes(value)).decode()
    return value


def _read(model: type[models.Model], fields: Sequence[Any], told: Row) -> models.Model:
    row = model(**{field.attname: _value(field, told[field.attname]) for field in fields})
    if isinstance(row, Person):
        # Blind indexes are made with a house's own key: the city's say nothing here.
        row.phone_index = phone_index(told["phone"])
        row.id_number_index = id_number_index(told["id_number"])
    return row


def _value(field: Any, told: object) -> object:
    if told is None or isinstance(field, SealedField | models.JSONField):
        return told
    if isinstance(field, models.BinaryField):
        return base64.b64decode(str(told), validate=True)
    if isinstance(field, models.ForeignKey):
        field = field.target_field
    return field.to_python(told)
