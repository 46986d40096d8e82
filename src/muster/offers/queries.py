# SPDX-License-Identifier: Apache-2.0
"""Reads of offers of help: in sight of a desk, behind a giver's code, what of them is where."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime

from django.db.models import Q, QuerySet

from muster.base.codes import code_of_bytes, normalise_enrol_code
from muster.base.crypto import blind_index
from muster.base.errors import Refusal
from muster.offers.models import HelpMatch, HelpOffer, HelpUnfit
from muster.offers.states import ENDED, HOLDS, OfferStatus
from muster.storage.keys import keystore
from muster.storage.scoping import Scope

PURPOSE = "offers"
NOWHERE = 0


def code_index(code: str) -> bytes:
    return blind_index(keystore(), purpose=f"{PURPOSE}:tracking", value=code)


def code_of_form(form: str) -> str:
    """The code that a form's own number leads to; nobody can tell it without our key."""
    return code_of_bytes(blind_index(keystore(), purpose=f"{PURPOSE}:form", value=form))


def offer_of_form(form: str) -> HelpOffer | None:
    """What a form became that was sent before."""
    index = code_index(code_of_form(form))
    found: HelpOffer | None = HelpOffer.objects.across(reason="own").filter(tracking_index=index).first()
    return found


def phone_index(phone: str) -> bytes | None:
    digits = "".join(c for c in phone if c.isdigit())
    return blind_index(keystore(), purpose=f"{PURPOSE}:phone", value=digits) if digits else None


def seen_by(scope: Scope, *, near: Collection[int] = ()) -> QuerySet[HelpOffer]:
    """Offers within a scope, and those of the sub-districts around it that stand in no grid: a street's rice
    is for all its communities.
    """
    rows: QuerySet[HelpOffer] = HelpOffer.objects.across(reason="offers")
    if scope.everything:
        return rows
    if scope.is_empty:
        return rows.none()
    unplaced = Q(grid__isnull=True, sub_district__in={NOWHERE, *near, *scope.sub_districts})
    return rows.filter(Q(sub_district__in=scope.sub_districts) | Q(grid__in=scope.grids) | unplaced)


def usable(rows: QuerySet[HelpOffer], *, at: datetime) -> QuerySet[HelpOffer]:
    return rows.filter(status=OfferStatus.OPEN, left__gt=0, ends_at__gt=at)


def offer_with_code(code: str) -> HelpOffer:
    """Raises Refusal("help_code_unknown")."""
    try:
        spelled = normalise_enrol_code(code)
    except Refusal:
        raise Refusal("help_code_unknown") from None
    rows = HelpOffer.objects.across(reason="own").filter(tracking_index=code_index(spelled))
    found: HelpOffer | None = rows.first()
    if found is None:
        raise Refusal("help_code_unknown")
    return found


def open_of_phone(index: bytes | None, *, incident: uuid.UUID, at: datetime) -> int:
    if index is None:
        return 0
    rows = HelpOffer.objects.across(reason="count").filter(
        incident=incident, phone_index=index, ends_at__gt=at
    )
    return rows.exclude(status__in=ENDED).count()


def matches_of(offers: Collection[uuid.UUID]) -> list[HelpMatch]:
    return list(HelpMatch.objects.filter(offer__in=offers).order_by("made_at", "id"))


def matches_for(request: uuid.UUID) -> list[HelpMatch]:
    """What is kept for a request, was given, or was kept once."""
    rows = HelpMatch.objects.filter(request=request).select_related("offer")
    return list(rows.order_by("made_at", "id"))


def unfit_for(request: uuid.UUID) -> set[uuid.UUID]:
    """Offers that a desk has seen not to help with a request."""
    return set(HelpUnfit.objects.filter(request=request).values_list("offer", flat=True))


def unfit_of(offer: uuid.UUID) -> set[uuid.UUID]:
    """Requests that a desk has seen an offer not to help with."""
    return set(HelpUnfit.objects.filter(offer=offer).values_list("request", flat=True))


def held_for(*, requests: Collection[uuid.UUID] = (), needs: Collection[uuid.UUID] = ()) -> set[uuid.UUID]:
    """Which of these requests and needs have help reserved or given already."""
    rows = HelpMatch.objects.filter(Q(request__in=requests) | Q(need__in=needs), status__in=HOLDS)
    return {one for pair in rows.values_list("request", "need") for one in pair if one is not None}
