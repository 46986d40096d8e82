# SPDX-License-Identifier: Apache-2.0
"""替家人求助: an elder lets a relative ask for him; service facts only, taken back at any time."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from muster.base.codes import make_enrol_code
from muster.base.errors import Refusal
from muster.requests.models import CareGrant, Request
from muster.requests.queries import code_index
from muster.requests.services import Where
from muster.requests.states import Channel
from muster.trail.services import record_event

LASTS = timedelta(days=90)


def give_care_grant(
    *,
    incident: uuid.UUID,
    where: Where,
    person: uuid.UUID | None,
    relative_name: str,
    relative_phone: str,
    through: str,
    by: uuid.UUID | None,
    at: datetime,
    origin: uuid.UUID | None = None,
) -> tuple[CareGrant, str]:
    """Returns the grant and the code for the relative, told once.

    Raises:
        Refusal: "care_grant_without_door" when the elder's door is not known.
    """
    if where.dwelling is None:
        raise Refusal("care_grant_without_door")
    code = make_enrol_code()
    grant = CareGrant(
        incident=incident, purpose=str(incident), sub_district=where.sub_district, grid=where.grid,
        dwelling=where.dwelling, person=person, origin=origin, code_index=code_index(code, what="care"),
        relative_name=relative_name.strip(), relative_phone=relative_phone.strip(), given_through=through,
        given_by=by, given_at=at, ends_at=at + LASTS,
    )  # fmt: skip
    with transaction.atomic():
        grant.save(force_insert=True)
        record_event("CareGrant", grant.id, "give", at=at, actor=by, incident=incident, grid=where.grid)
    return grant, code


def is_of_a_page(grant: CareGrant) -> bool:
    """Whether it was given with a tracking code alone, and nobody knows who lives behind that door."""
    return grant.given_through == Channel.WEB and grant.person is None


def seen_by_grant(grant: CareGrant, *, since: datetime) -> QuerySet[Request]:
    """What a relative may follow: all of the door where a desk gave the grant to who lives there; where it
    was given with a tracking code, what the same asker asked and what the relative asked himself.
    """
    rows: QuerySet[Request] = Request.objects.across(reason="own").filter(
        dwelling=grant.dwelling, incident=grant.incident, made_at__gt=since
    )
    if not is_of_a_page(grant):
        return rows
    first = Request.objects.across(reason="own").filter(id=grant.origin).first()
    same = Q(id=grant.origin) | Q(care_grant=grant.id)
    if first is not None and first.phone_index is not None:
        same |= Q(phone_index=first.phone_index)
    return rows.filter(same)


def given_by_asker(request: Request) -> QuerySet[CareGrant]:
    """The grants in force that who asked this gave with a tracking code of his."""
    own = Q(id=request.id)
    if request.phone_index is not None:
        own |= Q(phone_index=request.phone_index)
    asked = Request.objects.across(reason="own").filter(
        own, dwelling=request.dwelling, care_grant__isnull=True
    )
    grants: QuerySet[CareGrant] = CareGrant.objects.across(reason="own").filter(
        origin__in=asked.values("id"), revoked_at__isnull=True
    )
    return grants


def revoke_care_grant(grant: uuid.UUID, *, by: uuid.UUID | None, at: datetime) -> None:
    """Raises Refusal("care_grant_unknown")."""
    with transaction.atomic():
        changed = (
            CareGrant.objects.across(reason="own")
            .filter(id=grant, revoked_at__isnull=True)
            .update(revoked_at=at)
        )
        if not changed:
            raise Refusal("care_grant_unknown")
        record_event("CareGrant", grant, "revoke", at=at, actor=by)
