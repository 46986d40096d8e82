# SPDX-License-Identifier: Apache-2.0
"""snapshot: many reads as of one moment, without keeping a writer waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def snapshot() -> Iterator[None]:
    """Everything read inside is of one moment; inside a transaction it is that transaction's view.

    Django's own atomic() would take SQLite's write lock at once (IMMEDIATE) and stop the fold.
    """
    if connection.in_atomic_block:
        yield
        return
    connection.ensure_connection()
    begin = (
        "BEGIN DEFERRED"
        if connection.vendor == "sqlite"
        else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    )
    with connection.cursor() as cursor:
        cursor.execute(begin)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
