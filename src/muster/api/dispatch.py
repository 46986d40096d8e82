# SPDX-License-Identifier: Apache-2.0
"""Dispatch at the desk (派单): whom to ask and why, asking, many at once."""

from __future__ import annotations

import uuid
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, language, operation
from muster.api.request_map import centres_of_grids
from muster.api.request_rows import card, in_sight, one_in_sight, person_json
from muster.base.errors import Refusal
from muster.base.messages import messages, text
from muster.requests import work
from muster.requests.models import WorkItem
from muster.requests.plans import BATCH_FROM, Suggested, free_items, match_all, suggest
from muster.requests.queries import item_with_id, items_of
from muster.requests.states import ITEM_FREE, WAITING
from muster.requests.work import Asking

router = Router(tags=["requests"], auth=AUTH)
MOST_AT_ONCE = 20_000


class Offering(Schema):
    """Whom to ask; empty: the first suggestion."""

    responders: list[uuid.UUID] = []
    item: uuid.UUID | None = None


@router.get("/requests/{request_id}/suggestions", operation_id="requests_suggest")
@operation("requests.dispatch")
def suggestions(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    """The best people for what is still free in this request, each with reasons in the reader's language."""
    who, row = one_in_sight(request, "requests.dispatch", request_id)
    item = _free_item(row.id)
    found = suggest(item, at=who.at) if item is not None else []
    centres = centres_of_grids([one.responder for one in found])
    lang = language(request, who.user)
    items = [{**_suggestion_json(one, lang), "at": centres.get(one.responder.grid)} for one in found]
    return {"item": item.id if item else None, "items": items, "next": None, "count": len(items)}


@router.post("/requests/{request_id}/offer", operation_id="requests_offer")
@operation("requests.dispatch")
def offer(request: HttpRequest, request_id: uuid.UUID, body: Offering) -> dict[str, Any]:
    """Asks one or several; with nobody named, the first who is suggested."""
    who, row = one_in_sight(request, "requests.dispatch", request_id)
    item = item_with_id(body.item) if body.item else _free_item(row.id)
    if item is None or item.request_id != row.id:
        raise Refusal("item_unknown")
    found = {one.responder.id: one for one in suggest(item, at=who.at, count=10)}
    chosen = body.responders[:10] or list(found)[:1]
    if not chosen:
        raise Refusal("nobody_to_ask")
    asking = [_asking(one, found.get(one)) for one in chosen]
    made = work.offer(item.id, asking, by=who.user.id, at=who.at)
    row.refresh_from_db()
    return {**card(row, who), "offers": [{"id": o.id, "responder": o.responder} for o in made]}


def _asking(responder: uuid.UUID, found: Suggested | None) -> Asking:
    if found is None:
        return Asking(responder)
    return Asking(responder, walk_m=found.walk_m, reasons=found.reasons)


@router.post("/requests/match", operation_id="requests_match")
@operation("requests.dispatch")
def match(request: HttpRequest) -> dict[str, Any]:
    """A proposal for all that waits in sight, all at once; nothing is offered until somebody says so."""
    who, rows = in_sight(request, "requests.dispatch")
    # Nobody is sent to a place that nobody knows: what has no place yet waits for a person to find the door.
    known = rows.exclude(grid__isnull=True, lon__isnull=True)
    waiting = known.filter(status__in=WAITING).order_by("rank", "respond_by")
    ids = list(waiting.values_list("id", flat=True)[:MOST_AT_ONCE])
    lines = match_all(free_items(ids), at=who.at)
    return {
        "items": [
            {
                "item": line.item.id, "request": line.item.request_id, "number": line.item.request.number,
                "responder": person_json(line.responder), "walk_m": line.walk_m,
            }
            for line in lines
        ],
        "next": None, "count": len(lines), "waiting": len(ids), "worth_it": len(ids) >= BATCH_FROM,
    }  # fmt: skip


class Line(Schema):
    item: uuid.UUID
    responder: uuid.UUID


class Adopt(Schema):
    lines: list[Line]


@router.post("/requests/match/adopt", operation_id="requests_match_adopt")
@operation("requests.dispatch")
def adopt(request: HttpRequest, body: Adopt) -> dict[str, Any]:
    """Offers each line of a proposal; a line that somebody was quicker on is told, the rest goes out."""
    who, rows = in_sight(request, "requests.dispatch")
    lines = body.lines[:MOST_AT_ONCE]
    mine = set(
        WorkItem.objects.across(reason="dispatch")
        .filter(id__in=[line.item for line in lines], request__in=rows)
        .values_list("id", flat=True)
    )
    offered, missed = 0, []
    for line in lines:
        try:
            if line.item not in mine:
                raise Refusal("item_unknown")
            with transaction.atomic():
                work.offer(line.item, [Asking(line.responder)], by=who.user.id, at=who.at)
            offered += 1
        except Refusal as refusal:
            missed.append({"item": line.item, "code": refusal.code})
    return {"offered": offered, "missed": missed}


def _free_item(request: uuid.UUID) -> WorkItem | None:
    free = [item for item in items_of([request]) if item.status in ITEM_FREE]
    return item_with_id(free[0].id) if free else None


def _suggestion_json(one: Suggested, lang: str) -> dict[str, Any]:
    known = messages()
    return {
        "responder": person_json(one.responder), "walk_m": one.walk_m,
        "reasons": [
            {**reason, "text": text(reason["code"], lang, **reason["facts"])}
            for reason in one.reasons
            if reason["code"] in known
        ],
    }  # fmt: skip
