# SPDX-License-Identifier: Apache-2.0
"""What was told before, asked for whole blocks of facts: numbers, ids, moments at a door, merges.

Ids go in and come out as hexadecimal digits (storage/raw_rows.py).
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from django.db import connection

from muster.storage.plain_reads import among, equal, plain, read_values
from muster.storage.raw_rows import raw_pairs, raw_rows
from muster.trail.models import Fact
from muster.trail.queries import COUNTING, MERGING

_HIGHEST = (
    f' SELECT told.device, coalesce((SELECT max(seq) FROM "{Fact._meta.db_table}" AS fact'
    " WHERE fact.device = told.device), 0) FROM told"
)


def highest_numbers(devices: Collection[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The highest number of each device that is here: what lies beyond it was never told under it."""
    if not devices:
        return {}
    marks = ",".join(["(%s)"] * len(devices))
    told = {plain(device): device for device in devices}
    with connection.cursor() as cursor:
        cursor.execute(f"WITH told(device) AS (VALUES {marks}){_HIGHEST}", list(told))
        return {told[device]: highest for device, highest in cursor.fetchall()}


def which_are_known(ids: Collection[str]) -> set[str]:
    """Of these ids those that somebody used before, whoever it was."""
    return {row[0] for row in raw_rows(Fact, ("id",), "id", ids)}


def units_judged_one(round_id: uuid.UUID, units: Collection[str]) -> set[str]:
    """Of these units those that turned out to be another, or another to be them."""
    merging = (equal("round", round_id), MERGING)
    if not units or not any(read_values(Fact, ("subject",), *merging, most=1)):
        return set()
    return {row[0] for row in raw_rows(Fact, ("subject",), "subject", units, *merging)}


def moments_told(round_id: uuid.UUID, visits: Collection[tuple[str, Any]]) -> set[str]:
    """Of these (door, moment) the doors where a fact of that very moment counts already."""
    asked = (equal("round", round_id), among("verdict", COUNTING))
    rows = raw_pairs(Fact, ("door",), ("door", "occurred_at"), visits, *asked)
    return {row[0] for row in rows}


__all__ = ["highest_numbers", "moments_told", "units_judged_one", "which_are_known"]
