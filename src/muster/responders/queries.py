# SPDX-License-Identifier: Apache-2.0
"""Reads of responders: who can be asked, who is behind an account."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q

from muster.base.errors import Refusal
from muster.responders.models import Responder
from muster.responders.rules import LONGEST_DUTY
from muster.responders.states import CAN_BE_ASKED


def responder_of_user(user: uuid.UUID, *, incident: uuid.UUID) -> Responder | None:
    return Responder.objects.across(reason="own").filter(user=user, incident=incident).first()


def responders_of_users(
    pairs: Collection[tuple[uuid.UUID, uuid.UUID]],
) -> dict[tuple[uuid.UUID, uuid.UUID], Responder]:
    """Pairs of incident and account, with who is behind each."""
    rows = Responder.objects.across(reason="own").filter(
        incident__in={incident for incident, _ in pairs}, user__in={user for _, user in pairs}
    )
    found = {(row.incident, row.user): row for row in rows if row.user is not None}
    return {pair: row for pair, row in found.items() if pair in pairs}


def responder_with_id(responder: uuid.UUID) -> Responder:
    """Raises Refusal("responder_unknown")."""
    found: Responder | None = Responder.objects.across(reason="own").filter(id=responder).first()
    if found is None:
        raise Refusal("responder_unknown", responder=str(responder))
    return found


def responders_with_ids(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Responder]:
    rows = Responder.objects.across(reason="own").filter(id__in=ids)
    return {row.id: row for row in rows}


@dataclass(frozen=True, slots=True)
class Free:
    """Somebody who may be asked for one more job: what choosing needs, and nothing sealed."""

    id: uuid.UUID
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    open_jobs: int
    most_jobs: int
    grid: int | None
    lon: float | None
    lat: float | None
    cannot: tuple[str, ...] = ()


def can_be_asked(incident: uuid.UUID, *, at: datetime, grids: Collection[int] | None = None) -> list[Free]:
    """People who serve now, are not due a rest and have room for one more job. grids: only those there."""
    rows = Responder.objects.across(reason="dispatch").filter(
        Q(on_duty_since__isnull=True) | Q(on_duty_since__gt=at - LONGEST_DUTY),
        incident=incident, status__in=CAN_BE_ASKED, open_jobs__lt=F("most_jobs"),
    )  # fmt: skip
    if grids is not None:
        rows = rows.filter(grid__in=grids)
    told = rows.order_by("id").values_list(
        "id", "skills", "languages", "cannot", "open_jobs", "most_jobs", "grid", "lon", "lat"
    )
    return [
        Free(pk, tuple(skills), tuple(languages), jobs, most, grid, lon, lat, tuple(cannot))
        for pk, skills, languages, cannot, jobs, most, grid, lon, lat in told
    ]
