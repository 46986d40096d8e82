# SPDX-License-Identifier: Apache-2.0
"""Pictures of requests: who asked adds them, who has the work sees them, and nobody else."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from muster.base.errors import Refusal
from muster.files.pictures import keep_picture, read_picture
from muster.packs import Pack
from muster.requests.models import Picture, Request, WorkItem
from muster.requests.rules import demand_open
from muster.requests.services import locked
from muster.trail.models import Event
from muster.trail.services import record_event

MOST_PICTURES = 6


def add_picture(
    request: uuid.UUID, raw: bytes, *, by: uuid.UUID | None, by_resident: bool = False, at: datetime
) -> Picture:
    """Keeps a picture with a request; the same one twice is kept once.

    Raises:
        Refusal: picture_too_large, picture_unreadable, pictures_enough (most), request_ended.
    """
    incident = Request.objects.across(reason="own").values_list("incident", flat=True).get(id=request)
    name = keep_picture(raw, incident=incident)
    with transaction.atomic():
        row = locked(request)
        demand_open(row.status)
        found = row.pictures.filter(sha256=name).first()
        if found is not None:
            return found
        if row.pictures.count() >= MOST_PICTURES:
            raise Refusal("pictures_enough", most=MOST_PICTURES)
        made: Picture = row.pictures.create(
            incident=row.incident, at=at, by=by, by_resident=by_resident, sha256=name
        )
        record_event("Request", row.id, "picture", at=at, actor=by, incident=row.incident, sha256=name)
    return made


def names_of(request: uuid.UUID) -> list[str]:
    """Hashes of the pictures that came with a request, the oldest first."""
    return list(
        Picture.objects.filter(request_id=request).order_by("at", "id").values_list("sha256", flat=True)
    )


def names_for_desk(request: Request, *, pack: Pack) -> list[str]:
    """What a desk may look at: nothing of a kind whose pictures are for the runner only."""
    return [] if is_for_runner(request, pack=pack) else names_of(request.id)


def is_for_runner(request: Request, *, pack: Pack) -> bool:
    """Whether what came with it, such as a prescription, is for who has taken it and nobody else.

    Judging it to be of another kind opens nothing: what it was at any time counts.
    """
    events = Event.objects.filter(entity="Request", entity_id=str(request.id), verb__in=["raise", "triage"])
    kinds = {request.category, *(facts.get("category") for facts in events.values_list("facts", flat=True))}
    return any(one.code in kinds and one.pictures_for_runner for one in pack.request_categories)


def open_at_desk(request: Request, name: str, *, pack: Pack) -> bytes:
    """As a desk sees it. Raises Refusal picture_for_runner, picture_not_here."""
    if is_for_runner(request, pack=pack) and request.pictures.filter(sha256=name).exists():
        raise Refusal("picture_for_runner")
    return open_picture(request, name)


def open_picture(request: Request, name: str) -> bytes:
    """The picture, if it belongs to this request or to work on it. Raises Refusal picture_not_here."""
    done = WorkItem.objects.across(reason="requests").filter(request_id=request.id, photo=name)
    if not name or not (request.pictures.filter(sha256=name).exists() or done.exists()):
        raise Refusal("picture_not_here")
    return read_picture(name, incident=request.incident)
