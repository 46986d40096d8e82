# SPDX-License-Identifier: Apache-2.0
"""Matching what is offered with what is asked for: suggestions with reasons, and the act that joins the two.

A need of the register is a match too: help reaches those who do not ask.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.base.errors import Refusal
from muster.offers import services
from muster.offers.models import HelpMatch, HelpOffer
from muster.offers.queries import held_for, matches_for, seen_by, unfit_for, unfit_of, usable
from muster.offers.rules import Spot, fit
from muster.offers.services import category_of
from muster.offers.states import HOLDS
from muster.packs.pack import Pack
from muster.places.models import Grid
from muster.places.queries import sub_districts_of_grids
from muster.register.models import Need
from muster.requests.models import Request
from muster.requests.queries import seen_by as requests_seen_by
from muster.requests.states import OPEN, RequestStatus
from muster.storage.scoping import Scope
from muster.trail.services import record_event

# More than these are not compared; the most urgent and the longest waiting come first.
MOST_COMPARED = 2_000
SUGGESTED = 20
# A need that nobody asked about comes after what was asked for today.
NEED_RANK = 3


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request or a need that an offer fits to, and why."""

    request: Request | None
    need: Need | None
    reasons: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Usable:
    """An offer that fits to a request, and why."""

    offer: HelpOffer
    reasons: tuple[dict[str, Any], ...]


def wanted_for(offer: HelpOffer, *, scope: Scope, pack: Pack, at: datetime) -> list[Wanted]:
    """Open requests and standing needs within a scope that this offer helps with, best first."""
    category = category_of(pack, offer.category)
    near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
    rows = requests_seen_by(scope, near=near).filter(
        incident=offer.incident, category__in=category.helps, status__in=OPEN - {RequestStatus.DONE}
    )
    requests = list(rows.order_by("rank", "made_at")[:MOST_COMPARED])
    needs = _needs(offer, category.needs, scope)
    unfit = unfit_of(offer.id)
    taken = held_for(requests=[one.id for one in requests], needs=[one.id for one in needs])
    requests = [one for one in requests if one.id not in taken | unfit]
    needs = [one for one in needs if one.id not in taken]
    spots = _Spots([offer.grid, *(one.grid for one in requests), *(one.grid for one in needs)])
    mine = spots.of(offer.sub_district, offer.grid)
    found = []
    for request in requests:
        where = spots.of(request.sub_district, request.grid, request.lon, request.lat)
        order, why = fit(mine, where, rank=request.rank, waits_since=request.made_at, at=at)
        found.append((order, str(request.id), Wanted(request, None, why)))
    for need in needs:
        where = spots.of(need.sub_district, need.grid)
        order, why = fit(mine, where, rank=NEED_RANK, waits_since=need.seen_at or at, at=at)
        found.append((order, str(need.id), Wanted(None, need, why)))
    return [one for _, _, one in sorted(found, key=lambda each: each[:2])[:SUGGESTED]]


def _needs(offer: HelpOffer, kinds: Iterable[str], scope: Scope) -> list[Need]:
    rows = Need.objects.within(scope).filter(kind__in=list(kinds), ended_at__isnull=True)
    known = rows.filter(purpose__in=["daily", str(offer.incident)])
    return list(known.select_related("person").order_by("-severity", "seen_at", "id")[:MOST_COMPARED])


def offers_for(request: Request, *, scope: Scope, pack: Pack, at: datetime) -> list[Usable]:
    """Offers in sight that help with a request, nearest first; what is kept for it already or was seen not to
    fit is not proposed.
    """
    kinds = [one.code for one in pack.offer_categories if request.category in one.helps]
    near = {request.sub_district, *sub_districts_of_grids(scope.grids).values()}
    rows = usable(seen_by(scope, near=near), at=at).filter(incident=request.incident, category__in=kinds)
    known = unfit_for(request.id) | {one.offer_id for one in matches_for(request.id) if one.status in HOLDS}
    offers = [one for one in rows.order_by("made_at")[:MOST_COMPARED] if one.id not in known]
    spots = _Spots([request.grid, *(one.grid for one in offers)])
    where = spots.of(request.sub_district, request.grid, request.lon, request.lat)
    found = []
    for one in offers:
        mine = spots.of(one.sub_district, one.grid)
        order, why = fit(mine, where, rank=request.rank, waits_since=request.made_at, at=at)
        found.append((order, str(one.id), Usable(one, why)))
    return [one for _, _, one in sorted(found, key=lambda each: each[:2])[:SUGGESTED]]


class _Spots:
    """Middles of grids, in one statement."""

    def __init__(self, grids: Iterable[int | None]) -> None:
        rows = Grid.objects.filter(id__in={one for one in grids if one is not None})
        self._middle = {row[0]: (row[1], row[2]) for row in rows.values_list("id", "lon", "lat")}

    def of(
        self, sub_district: int, grid: int | None, lon: float | None = None, lat: float | None = None
    ) -> Spot:
        middle = self._middle.get(grid or 0, (None, None))
        if lon is None or lat is None:
            lon, lat = middle
        return Spot(sub_district, grid, lon, lat)


def match(
    offer: HelpOffer,
    *,
    request: uuid.UUID | None,
    need: uuid.UUID | None,
    quantity: int,
    scope: Scope,
    pack: Pack,
    by: uuid.UUID,
    at: datetime,
) -> HelpMatch:
    """Keeps a part of an offer for a request or a need in sight, and writes it down on both sides.

    Raises:
        Refusal: help_match_not_fitting, not_found, request_ended, and those of offers.services.reserve.
    """
    if (request is None) == (need is None):
        raise Refusal("help_match_not_fitting")
    category = category_of(pack, offer.category)
    reasons = _reasons(offer, request, need, category.helps, category.needs, scope=scope, at=at)
    with transaction.atomic():
        made = services.reserve(
            offer.id, request=request, need=need, quantity=quantity, reasons=reasons, by=by, at=at
        )
        if request is not None:
            record_event("Request", request, "help_reserved", at=at, actor=by, incident=offer.incident,
                         offer=offer.number, category=offer.category, quantity=quantity)  # fmt: skip
    return made


def _reasons(
    offer: HelpOffer,
    request: uuid.UUID | None,
    need: uuid.UUID | None,
    helps: tuple[str, ...],
    needs: tuple[str, ...],
    *,
    scope: Scope,
    at: datetime,
) -> tuple[dict[str, Any], ...]:
    if request is not None:
        near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
        row = requests_seen_by(scope, near=near).filter(id=request, incident=offer.incident).first()
        if row is None:
            raise Refusal("not_found")
        if row.status not in OPEN:
            raise Refusal("request_ended", status=row.status)
        if row.category not in helps:
            raise Refusal("help_match_not_fitting")
        spots = _Spots([offer.grid, row.grid])
        where = spots.of(row.sub_district, row.grid, row.lon, row.lat)
        rank, since = row.rank, row.made_at
    else:
        found = Need.objects.within(scope).filter(id=need, ended_at__isnull=True).first()
        if found is None:
            raise Refusal("not_found")
        if found.kind not in needs:
            raise Refusal("help_match_not_fitting")
        spots = _Spots([offer.grid, found.grid])
        where = spots.of(found.sub_district, found.grid)
        rank, since = NEED_RANK, found.seen_at or at
    return fit(spots.of(offer.sub_district, offer.grid), where, rank=rank, waits_since=since, at=at)[1]
