# SPDX-License-Identifier: Apache-2.0
"""Writes of responders: jobs taken and given back."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction
from django.db.models import F

from muster.base.errors import Refusal
from muster.responders.models import Responder
from muster.responders.queries import responder_of_user
from muster.responders.standing import standings
from muster.responders.states import ResponderStatus


def take_job(responder: uuid.UUID) -> None:
    """Counts one more job, never above the cap: two at once cannot slip through.

    Raises:
        Refusal: "responder_full".
    """
    changed = (
        Responder.objects.across(reason="own")
        .filter(id=responder, open_jobs__lt=F("most_jobs"))
        .update(open_jobs=F("open_jobs") + 1)
    )
    if not changed:
        raise Refusal("responder_full")


def count_job(responder: uuid.UUID) -> None:
    """One more job that somebody has begun by himself, above the cap if need be."""
    Responder.objects.across(reason="own").filter(id=responder).update(open_jobs=F("open_jobs") + 1)


def give_job_back(responder: uuid.UUID) -> None:
    Responder.objects.across(reason="own").filter(id=responder, open_jobs__gt=0).update(
        open_jobs=F("open_jobs") - 1
    )


def name_worker(user: uuid.UUID, *, incident: uuid.UUID, name: str) -> None:
    """Who served before anybody here had heard his name gets it; a known name stays."""
    row = responder_of_user(user, incident=incident)
    if row is not None and not row.name and name:
        row.name = name
        row.save(update_fields=["name"])


def responder_for_worker(
    *, incident: uuid.UUID, user: uuid.UUID, name: str, sub_district: int, grid: int, at: datetime
) -> Responder:
    """The row of somebody whom a grid's head enrolled: he serves there, and may be asked."""
    found = responder_of_user(user, incident=incident)
    if found is not None:
        return found
    row = Responder(
        incident=incident, purpose=str(incident), user=user, sub_district=sub_district, grid=grid,
        home_grid=grid, name=name, affiliation="grid_worker", status=ResponderStatus.ON_DUTY, status_since=at,
        checked_in_at=at, channel="WORKER", vetted_at=at, vetted_by=user,
    )  # fmt: skip
    (standing,) = standings([row])
    with transaction.atomic():
        row.save(force_insert=True)
        standing.save(force_insert=True)
    return row
