# SPDX-License-Identifier: Apache-2.0
"""Offers of help beside a request: what fits and why, what is kept for it, what was seen not to fit."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from ninja import Router

from muster.api.auth import AUTH, Caller, language, operation
from muster.api.offers import in_sight, offer_cards
from muster.api.request_rows import one_in_sight
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.flows.offer_matching import offers_for
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.offers import services
from muster.offers.queries import matches_for, unfit_for
from muster.offers.services import category_of
from muster.requests.models import Request
from muster.requests.states import OPEN
from muster.storage.scoping import Scope

router = Router(tags=["offers"], auth=AUTH)
# Of an offer beside one request only how near it is speaks for it.
NEARNESS = frozenset({"match_same_grid", "match_near", "match_same_street"})


def _both(request: HttpRequest, request_id: uuid.UUID) -> tuple[Caller, Scope, Any, Request]:
    who, scope, rows = in_sight(request, "offers.match")
    _, asked = one_in_sight(request, "requests.read", request_id)
    return who, scope, rows, asked


def _shown(request: HttpRequest, who: Caller, scope: Scope, rows: Any, asked: Request) -> dict[str, Any]:
    pack = pack_of(incident_with_id(asked.incident))
    fitting = offers_for(asked, scope=scope, pack=pack, at=who.at) if asked.status in OPEN else []
    kept, unfit = matches_for(asked.id), unfit_for(asked.id)
    visible = {one.id: one for one in rows.filter(id__in=unfit | {match.offer_id for match in kept})}
    told = {
        card["id"]: card for card in offer_cards([*(one.offer for one in fitting), *visible.values()], who)
    }
    lang = language(request, who.user)
    return {
        "items": [
            {
                "offer": told[one.offer.id],
                "reasons": [
                    {"code": why["code"], "text": text(why["code"], lang, **why["facts"])}
                    for why in one.reasons
                    if why["code"] in NEARNESS
                ],
            }
            for one in fitting
        ],
        "next": None,
        "count": len(fitting),
        # Of what lies elsewhere it is seen that something is kept, not from whom.
        "kept": [
            {
                "id": one.id, "quantity": one.quantity, "status": one.status, "made_at": one.made_at,
                "category": one.offer.category, "offer": told.get(one.offer_id),
                "is_lent": category_of(pack, one.offer.category).is_lent,
            }
            for one in kept
        ],
        "unfit": [told[one] for one in sorted(unfit & set(told), key=str)],
    }  # fmt: skip


@router.get("/requests/{request_id}/help", operation_id="request_help")
@operation("offers.match")
def read(request: HttpRequest, request_id: uuid.UUID) -> dict[str, Any]:
    """Offers that help with it, the nearest first, each with its reason; nothing is done by this."""
    return _shown(request, *_both(request, request_id))


@router.post("/requests/{request_id}/help/{offer_id}/unfit", operation_id="request_help_unfit")
@operation("offers.match")
def unfit(request: HttpRequest, request_id: uuid.UUID, offer_id: uuid.UUID) -> dict[str, Any]:
    """It does not help with this one: it is not proposed for it any more."""
    return _judged(request, request_id, offer_id, services.say_unfit)


@router.post("/requests/{request_id}/help/{offer_id}/fits", operation_id="request_help_fits")
@operation("offers.match")
def fits(request: HttpRequest, request_id: uuid.UUID, offer_id: uuid.UUID) -> dict[str, Any]:
    """After all it may help with it."""
    return _judged(request, request_id, offer_id, services.say_fits)


def _judged(
    request: HttpRequest, request_id: uuid.UUID, offer: uuid.UUID, say: Callable[..., object]
) -> dict[str, Any]:
    who, scope, rows, asked = _both(request, request_id)
    if not rows.filter(id=offer, incident=asked.incident).exists():
        raise Refusal("not_found")
    say(offer, request=asked.id, by=who.user.id, at=who.at)
    return _shown(request, who, scope, rows, asked)
