# SPDX-License-Identifier: Apache-2.0
"""Reads of requests: the queue, one request, what may be repeated, what a phone works on."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from muster.base.codes import code_of_bytes
from muster.base.crypto import blind_index
from muster.base.errors import Refusal
from muster.places.writing import fold
from muster.register.phones import read_phone
from muster.requests.models import CareGrant, Offer, Request, WorkItem
from muster.requests.rules import REPEAT_WITHIN, Earlier
from muster.requests.states import ENDED, ITEM_FREE, ITEM_TAKEN, WAITING, OfferStatus
from muster.storage.keys import keystore
from muster.storage.scoping import Scope

PURPOSE = "requests"
# A request whose place nobody knows yet belongs to no sub-district; every desk sees it until it has one.
NOWHERE = 0
SHORTEST_PHONE = 7


def code_index(code: str, *, what: str) -> bytes:
    """The blind index of a code that people hold: `what` is "tracking" or "care"."""
    return blind_index(keystore(), purpose=f"{PURPOSE}:{what}", value=code)


def code_of_form(form: str) -> str:
    """The tracking code that a form's own number leads to; nobody can tell it without our key."""
    return code_of_bytes(blind_index(keystore(), purpose=f"{PURPOSE}:form", value=form))


def phone_index(phone: str | None) -> bytes | None:
    """However it is written, one number has one index. Too few figures name nobody: two strangers who both
    typed "1" have nothing in common.
    """
    digits = _figures(phone or "")
    if len(digits) < SHORTEST_PHONE:
        return None
    return blind_index(keystore(), purpose=f"{PURPOSE}:phone", value=digits)


def _figures(phone: str) -> str:
    try:
        phone = read_phone(phone) or ""
    except Refusal:
        # Written in a way of another country, or with a slip in it: it is kept, and compared as it stands.
        phone = fold(phone)
    return "".join(c for c in phone if c.isdecimal())


def seen_by(scope: Scope, *, near: Collection[int] = (), areas: Any = ()) -> QuerySet[Request]:
    """Requests within a scope, what was passed to it, and those without a door yet around it.

    near: the sub-districts of the scope's grids; their unplaced requests wait for a desk to find the door.
    areas: the areas of the scope; what another desk passed to one of them is theirs to work on.
    """
    rows = Request.objects.across(reason="requests")
    if scope.everything:
        return rows
    if scope.is_empty:
        return rows.none()
    unplaced = Q(grid__isnull=True, sub_district__in={NOWHERE, *near, *scope.sub_districts})
    mine = Q(sub_district__in=scope.sub_districts) | Q(grid__in=scope.grids)
    return rows.filter(mine | unplaced | Q(held_by_area__in=areas))


def request_with_id(request: uuid.UUID) -> Request:
    """Raises Refusal("request_unknown")."""
    found: Request | None = Request.objects.across(reason="requests").filter(id=request).first()
    if found is None:
        raise Refusal("request_unknown")
    return found


def request_with_code(code: str) -> Request:
    """The request of a tracking code, already in its one spelling. Raises Refusal("tracking_unknown")."""
    rows = Request.objects.across(reason="own").filter(tracking_index=code_index(code, what="tracking"))
    found: Request | None = rows.first()
    if found is None:
        raise Refusal("tracking_unknown")
    return found


def row_of_form(form: str) -> Request | None:
    """What a form became that was sent before."""
    index = code_index(code_of_form(form), what="tracking")
    found: Request | None = Request.objects.across(reason="own").filter(tracking_index=index).first()
    return found


def is_same_asker(request: Request, main: Request) -> bool:
    """Whether who asked again is who asked first: the same request, or the same number to call."""
    return request.id == main.id or (
        request.phone_index is not None and request.phone_index == main.phone_index
    )


def main_request(request: Request) -> Request:
    """The request that stands for this one, where it was linked to another."""
    if request.linked_to is None or request.status != "LINKED":
        return request
    return Request.objects.across(reason="own").filter(id=request.linked_to).first() or request


def item_with_id(item: uuid.UUID) -> WorkItem:
    """Raises Refusal("item_unknown")."""
    found: WorkItem | None = (
        WorkItem.objects.across(reason="requests").select_related("request").filter(id=item).first()
    )
    if found is None:
        raise Refusal("item_unknown")
    return found


def items_with_ids(ids: Collection[uuid.UUID]) -> list[WorkItem]:
    return list(WorkItem.objects.across(reason="requests").select_related("request").filter(id__in=ids))


def asked_of(
    items: Collection[uuid.UUID], responders: Collection[uuid.UUID]
) -> frozenset[tuple[uuid.UUID, uuid.UUID]]:
    """Pairs of an item and somebody who was ever asked whether he would."""
    rows = Offer.objects.filter(item_id__in=items, responder__in=responders)
    return frozenset(rows.values_list("item_id", "responder"))


def items_of(requests: Collection[uuid.UUID]) -> list[WorkItem]:
    rows = WorkItem.objects.across(reason="requests").filter(request_id__in=requests)
    return list(rows.order_by("made_at", "id"))


def earlier_open(
    *, incident: uuid.UUID, dwelling: uuid.UUID | None, phone: bytes | None, at: datetime
) -> list[Earlier]:
    """Open requests of the last day of the same door or phone."""
    same = Q(pk__in=[])
    if dwelling is not None:
        same |= Q(dwelling=dwelling)
    if phone is not None:
        same |= Q(phone_index=phone)
    rows = (
        Request.objects.across(reason="requests")
        .filter(same, incident=incident, made_at__gt=at - REPEAT_WITHIN)
        .exclude(status__in=ENDED)
    )
    return [
        Earlier(row.id, row.category, row.dwelling, row.phone_index, row.made_at, row.place or "")
        for row in rows
    ]


def waiting_before(request: Request) -> int:
    """The place in the queue of those who wait for somebody in the same sub-district."""
    rows = Request.objects.across(reason="count").filter(
        incident=request.incident, sub_district=request.sub_district, status__in=WAITING
    )
    earlier = rows.filter(
        Q(rank__lt=request.rank)
        | Q(rank=request.rank, respond_by__lt=request.respond_by)
        | Q(rank=request.rank, respond_by=request.respond_by, number__lt=request.number)
    )
    return 1 + earlier.count()


def offers_to(responder: uuid.UUID, *, at: datetime) -> list[Offer]:
    """Offers that still stand for somebody; what has lapsed is no offer, whether or not a clock has run."""
    rows = Offer.objects.filter(responder=responder, status=OfferStatus.OFFERED, lease_until__gt=at)
    return list(rows.select_related("item", "item__request").order_by("lease_until"))


def jobs_of(responder: uuid.UUID) -> list[WorkItem]:
    rows = WorkItem.objects.across(reason="own").filter(responder=responder, status__in=ITEM_TAKEN)
    return list(rows.select_related("request").order_by("accepted_at"))


def pool_of(grids: Collection[int], *, skills: Collection[str]) -> list[WorkItem]:
    """What somebody of these grids may take for himself: free, and asking for no skill he lacks."""
    rows = WorkItem.objects.across(reason="own").filter(
        grid__in=grids, status__in=ITEM_FREE, request__status__in=WAITING
    )
    rows = rows.filter(needs_skill__in=["", *skills])
    return list(rows.select_related("request").order_by("request__rank", "request__respond_by")[:100])


def care_grant_of_code(code: str, *, at: datetime) -> CareGrant:
    """The grant behind a relative's code. Raises Refusal("care_grant_unknown"), also once revoked."""
    rows = CareGrant.objects.across(reason="own").filter(
        code_index=code_index(code, what="care"), revoked_at__isnull=True, ends_at__gt=at
    )
    found: CareGrant | None = rows.first()
    if found is None:
        raise Refusal("care_grant_unknown")
    return found
