# SPDX-License-Identifier: Apache-2.0
"""Writes of offers of help: taken in, looked at, parts of them reserved, given, returned; ended."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F, Max

from muster.base.codes import make_enrol_code
from muster.base.errors import Refusal
from muster.offers.models import MOST_QUANTITY, HelpMatch, HelpOffer, HelpUnfit
from muster.offers.queries import (
    NOWHERE,
    code_index,
    code_of_form,
    offer_of_form,
    offer_with_code,
    open_of_phone,
    phone_index,
)
from muster.offers.rules import (
    LONGEST_OFFER,
    demand_checks,
    demand_match_step,
    demand_step,
    is_usable,
    warnings_of,
)
from muster.offers.states import GiverKind, MatchStatus, OfferStatus
from muster.packs.pack import Pack
from muster.packs.schema import OfferCategory
from muster.trail.services import record_event

LONGEST_TEXT = 2000
USUAL_DAYS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Given:
    """What somebody says when he offers. Everything but the category may be missing."""

    category: str
    quantity: int = 1
    what: str = ""
    place: str = ""
    giver_kind: str = GiverKind.RESIDENT
    organisation: str = ""
    name: str = ""
    phone: str = ""
    language: str = "zh"
    starts_at: datetime | None = None
    ends_at: datetime | None = None


def category_of(pack: Pack, code: str) -> OfferCategory:
    """Raises Refusal("offer_category_unknown")."""
    found = next((one for one in pack.offer_categories if one.code == code), None)
    if found is None:
        raise Refusal("offer_category_unknown", category=code[:40])
    return found


def make_offer(
    given: Given,
    *,
    incident: uuid.UUID,
    pack: Pack,
    sub_district: int = NOWHERE,
    grid: int | None = None,
    by: uuid.UUID | None,
    at: datetime,
    form: str = "",
) -> tuple[HelpOffer, str]:
    """Takes an offer in and answers the code for who gives. Nothing is used before somebody looked at it.

    form: the number that the page gave to what is being sent: sent twice, it is one offer with one code.

    Raises:
        Refusal: offer_category_unknown, offer_giver_unknown, offer_quantity_bad, offer_time_bad,
        request_too_long, offer_without_contact.
    """
    category = category_of(pack, given.category)
    if given.giver_kind not in GiverKind.values:
        raise Refusal("offer_giver_unknown", kind=given.giver_kind[:20])
    if not 1 <= given.quantity <= MOST_QUANTITY:
        raise Refusal("offer_quantity_bad", most=MOST_QUANTITY)
    if max(len(given.what), len(given.place)) > LONGEST_TEXT:
        raise Refusal("request_too_long", most=LONGEST_TEXT)
    if not given.phone.strip() and by is None:
        raise Refusal("offer_without_contact")
    starts, ends = given.starts_at or at, given.ends_at or at + USUAL_DAYS
    if starts.tzinfo is None or ends.tzinfo is None or not at < ends or not starts < ends:
        raise Refusal("offer_time_bad", days=LONGEST_OFFER.days)
    if ends - at > LONGEST_OFFER:
        raise Refusal("offer_time_bad", days=LONGEST_OFFER.days)
    index = phone_index(given.phone)
    code = code_of_form(form) if form else make_enrol_code()
    sent = offer_of_form(form) if form else None
    if sent is not None and (sent.what or "", sent.category, sent.quantity, sent.phone or "") == (
        given.what.strip(), category.code, given.quantity, given.phone.strip()[:40]
    ):  # fmt: skip
        return sent, code
    if sent is not None:
        code = make_enrol_code()
    row = HelpOffer(
        incident=incident, purpose=str(incident), tracking_index=code_index(code), sub_district=sub_district,
        grid=grid, giver_kind=given.giver_kind, organisation=given.organisation.strip()[:120],
        category=category.code, what=given.what.strip(), place=given.place.strip(),
        name=given.name.strip()[:80], phone=given.phone.strip()[:40], phone_index=index,
        language=given.language[:8], quantity=given.quantity, left=given.quantity, starts_at=starts,
        ends_at=ends, made_at=at, made_by=by,
        warnings=warnings_of(
            text=f"{given.what} {given.place} {given.organisation}", phone=given.phone.strip(),
            organisation=given.organisation, giver_kind=given.giver_kind, quantity=given.quantity,
            open_of_phone=open_of_phone(index, incident=incident, at=at),
        ),
    )  # fmt: skip
    if not _number_and_write(row, by=by, at=at):
        # The other of two taps was quicker.
        return offer_with_code(code), code
    return row, code


def _number_and_write(row: HelpOffer, *, by: uuid.UUID | None, at: datetime) -> bool:
    """Gives the next number; two at once try again. False: this form is in already."""
    for _ in range(20):
        earlier = HelpOffer.objects.across(reason="count").filter(incident=row.incident)
        row.number = (earlier.aggregate(n=Max("number"))["n"] or 0) + 1
        try:
            with transaction.atomic():
                row.save(force_insert=True)
                record_event("HelpOffer", row.id, "offer", at=at, actor=by, incident=row.incident,
                             to_state=row.status, category=row.category, quantity=row.quantity,
                             warnings=row.warnings)  # fmt: skip
        except IntegrityError:
            rows = HelpOffer.objects.across(reason="own").filter(tracking_index=row.tracking_index)
            if rows.exclude(id=row.id).exists():
                return False
            continue
        return True
    raise Refusal("request_busy")


def locked(offer: uuid.UUID) -> HelpOffer:
    """The row, held until the transaction ends. Raises Refusal("help_offer_unknown")."""
    rows = HelpOffer.objects.across(reason="offers").select_for_update()
    row: HelpOffer | None = rows.filter(id=offer).first()
    if row is None:
        raise Refusal("help_offer_unknown")
    return row


def accept(
    offer: uuid.UUID, *, checks: Collection[str], pack: Pack, by: uuid.UUID, at: datetime
) -> HelpOffer:
    """Somebody looked at it and it is good to use. Money is only noted: it is never collected here.

    Raises:
        Refusal: help_offer_step, offer_check_unknown, offer_checks_missing, help_offer_over.
    """
    with transaction.atomic():
        row = locked(offer)
        category = category_of(pack, row.category)
        to = OfferStatus.NOTED if category.only_noted else OfferStatus.OPEN
        demand_step(row.status, to)
        demand_checks(checks, category, row.giver_kind)
        if row.ends_at <= at:
            raise Refusal("help_offer_over")
        before, row.status = row.status, to
        row.checks, row.vetted_by, row.vetted_at = sorted(set(checks)), by, at
        _keep(row, "accept", before, by=by, at=at, checks=row.checks)
    return row


def _keep(
    row: HelpOffer, verb: str, before: str, *, by: uuid.UUID | None, at: datetime, **facts: Any
) -> None:
    row.version += 1
    row.save()
    record_event("HelpOffer", row.id, verb, at=at, actor=by, incident=row.incident, from_state=before,
                 to_state=row.status, **facts)  # fmt: skip


def decline(offer: uuid.UUID, *, text: str, by: uuid.UUID, at: datetime) -> HelpOffer:
    """Not used, with thanks and a reason that the giver reads. What is promised to somebody stays promised.

    Raises Refusal help_offer_step, offer_decline_without_reason, help_offer_in_use.
    """
    if not text.strip():
        raise Refusal("offer_decline_without_reason")
    with transaction.atomic():
        row = locked(offer)
        demand_step(row.status, OfferStatus.DECLINED)
        _demand_nothing_reserved(row)
        before, row.status, row.answer = row.status, OfferStatus.DECLINED, text.strip()[:LONGEST_TEXT]
        _keep(row, "decline", before, by=by, at=at)
    return row


def withdraw(offer: uuid.UUID, *, by: uuid.UUID | None, at: datetime) -> HelpOffer:
    """Who offered it takes it back; never asked why. What was only reserved is free again for other help.

    Raises Refusal("help_offer_step").
    """
    with transaction.atomic():
        row = locked(offer)
        demand_step(row.status, OfferStatus.WITHDRAWN)
        for match in HelpMatch.objects.filter(offer=row, status=MatchStatus.RESERVED):
            _end_match(match, MatchStatus.CANCELLED, by=by, at=at)
        row.refresh_from_db(fields=["left"])
        before, row.status = row.status, OfferStatus.WITHDRAWN
        _keep(row, "withdraw", before, by=by, at=at)
    return row


def _demand_nothing_reserved(row: HelpOffer) -> None:
    if HelpMatch.objects.filter(offer=row, status=MatchStatus.RESERVED).exists():
        raise Refusal("help_offer_in_use")


def reserve(
    offer: uuid.UUID,
    *,
    request: uuid.UUID | None = None,
    need: uuid.UUID | None = None,
    quantity: int,
    reasons: Collection[dict[str, Any]] = (),
    by: uuid.UUID,
    at: datetime,
) -> HelpMatch:
    """So much of it is kept for one request or need. Two desks at once cannot promise the last one twice.

    Raises:
        Refusal: help_offer_not_usable, offer_quantity_bad, help_offer_too_little (with what is left),
        help_match_twice.
    """
    if not 1 <= quantity <= MOST_QUANTITY:
        raise Refusal("offer_quantity_bad", most=MOST_QUANTITY)
    try:
        with transaction.atomic():
            row = locked(offer)
            if row.status != OfferStatus.OPEN or row.ends_at <= at:
                raise Refusal("help_offer_not_usable")
            won = (
                HelpOffer.objects.across(reason="offers")
                .filter(id=offer, left__gte=quantity, status=OfferStatus.OPEN)
                .update(left=F("left") - quantity, version=F("version") + 1)
            )
            if not won:
                raise Refusal("help_offer_too_little", left=row.left)
            match = HelpMatch.objects.create(
                incident=row.incident, offer=row, request=request, need=need, quantity=quantity,
                reasons=list(reasons), made_by=by, made_at=at,
            )  # fmt: skip
            record_event("HelpOffer", row.id, "reserve", at=at, actor=by, incident=row.incident,
                         quantity=quantity, request=str(request or ""), need=str(need or ""))  # fmt: skip
    except IntegrityError:
        raise Refusal("help_match_twice") from None
    return match


def step_match(match: uuid.UUID, *, to: str, pack: Pack, by: uuid.UUID, at: datetime) -> HelpMatch:
    """GIVEN, RETURNED (of what is lent), CANCELLED.

    Raises:
        Refusal: help_match_unknown, help_match_step, help_match_not_lent.
    """
    with transaction.atomic():
        row = HelpMatch.objects.select_for_update().select_related("offer").filter(id=match).first()
        if row is None:
            raise Refusal("help_match_unknown")
        if to not in MatchStatus.values:
            raise Refusal("help_match_step", status=row.status, to=to[:20])
        demand_match_step(row.status, to)
        if to == MatchStatus.RETURNED and not category_of(pack, row.offer.category).is_lent:
            raise Refusal("help_match_not_lent")
        _end_match(row, to, by=by, at=at)
    return row


def _end_match(row: HelpMatch, to: str, *, by: uuid.UUID | None, at: datetime) -> None:
    before, row.status = row.status, to
    row.version += 1
    if to == MatchStatus.GIVEN:
        row.given_at = at
    else:
        row.ended_at = at
        HelpOffer.objects.across(reason="offers").filter(id=row.offer_id).update(
            left=F("left") + row.quantity, version=F("version") + 1
        )
    row.save()
    record_event("HelpOffer", row.offer_id, to.lower(), at=at, actor=by, incident=row.incident,
                 quantity=row.quantity, match=str(row.id), was=before)  # fmt: skip


def say_unfit(offer: uuid.UUID, *, request: uuid.UUID, by: uuid.UUID, at: datetime) -> None:
    """It does not help with this request; said twice it is said once."""
    with transaction.atomic():
        row = locked(offer)
        if HelpUnfit.objects.filter(offer=row, request=request).exists():
            return
        HelpUnfit.objects.create(incident=row.incident, offer=row, request=request, said_by=by, said_at=at)
        record_event("HelpOffer", row.id, "unfit", at=at, actor=by, incident=row.incident,
                     request=str(request))  # fmt: skip


def say_fits(offer: uuid.UUID, *, request: uuid.UUID, by: uuid.UUID, at: datetime) -> None:
    """After all it may help."""
    with transaction.atomic():
        row = locked(offer)
        if HelpUnfit.objects.filter(offer=row, request=request).delete()[0]:
            record_event("HelpOffer", row.id, "fits", at=at, actor=by, incident=row.incident,
                         request=str(request))  # fmt: skip


def usable_now(row: HelpOffer, *, at: datetime) -> bool:
    return is_usable(row.status, starts_at=row.starts_at, ends_at=row.ends_at, left=row.left, at=at)
