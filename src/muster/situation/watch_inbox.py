# SPDX-License-Identifier: Apache-2.0
"""Alarms of the trail that somebody must look into: a look past the budget, a record that came twice."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from muster.accounts.models import Grant, User
from muster.places.queries import scope_of
from muster.situation.inbox import item
from muster.storage.scoping import Scope
from muster.trail.models import Event, SecondCopy
from muster.trail.reveals import ALARM

SHOWN_FOR = timedelta(hours=24)


def looks_over_budget(scope: Scope, *, reader: uuid.UUID, at: datetime) -> list[dict[str, Any]]:
    """Colleagues who saw more in full than their budget; nobody is asked to look into himself."""
    alarms = Event.objects.filter(entity="User", verb=ALARM, at__gt=at - SHOWN_FOR).order_by("at")
    first: dict[uuid.UUID, datetime] = {}
    for actor, told_at in alarms.exclude(actor=reader).values_list("actor", "at")[:2_000]:
        if actor is not None:
            first.setdefault(actor, told_at)
    if not first:
        return []
    held: dict[tuple[str, int | None], list[uuid.UUID]] = {}
    grants = Grant.objects.filter(user_id__in=first)
    for user, path, grid in grants.values_list("user_id", "area_path", "grid"):
        held.setdefault((path if grid is None else "", grid), []).append(user)
    near = {
        user
        for (path, grid), users in held.items()
        if _meets(scope, scope_of([path] if path else [], [] if grid is None else [grid]))
        for user in users
    }
    mine = [user for user in first if user in near]
    names = dict(User.objects.filter(id__in=mine).values_list("id", "name"))
    return [
        item("look_over_budget", f"look-{user}", since=first[user], link="/register",
             action="ask_why_seen", name=names[user])
        for user in mine
    ]  # fmt: skip


def _meets(mine: Scope, theirs: Scope) -> bool:
    if mine.everything:
        return True
    return bool(mine.sub_districts & theirs.sub_districts or mine.grids & theirs.grids)


def records_that_differ(scope: Scope, *, at: datetime) -> list[dict[str, Any]]:
    """One number, two contents: a phone at fault, or somebody who tampers. Both are kept."""
    rows = [
        row
        for row in SecondCopy.objects.filter(received_at__gt=at - SHOWN_FOR)
        .order_by("received_at")
        .values_list("device", "sub_district", "received_at")[:2_000]
        if scope.allows(sub_district=row[1], grid=None)
    ]
    if not rows:
        return []
    return [
        item("records_differ", "records-differ", since=rows[0][2], link="/devices", action="check_phone",
             count=len(rows), devices=len({device for device, _, _ in rows}))
    ]  # fmt: skip
