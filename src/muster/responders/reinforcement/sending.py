# SPDX-License-Identifier: Apache-2.0
"""Writes of deployments: a unit says how many, they arrive, serve and go home. Counts are said, not added:
the same count told twice is the same count.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from muster.base.codes import make_enrol_code
from muster.base.errors import Refusal
from muster.places.models import Area
from muster.responders.reinforcement import telling
from muster.responders.reinforcement.models import (
    MOST_PEOPLE,
    DeployedPerson,
    Deployment,
    OrderItem,
    OrderRoute,
)
from muster.responders.reinforcement.queries import code_index
from muster.responders.reinforcement.rules import deployment_status
from muster.responders.reinforcement.services import counts_of, demand_stay, locked, settle
from muster.responders.reinforcement.states import (
    DEPLOYMENT_ENDED,
    ORDER_FILLABLE,
    DeploymentStatus,
)
from muster.trail.services import record_event


@dataclass(frozen=True, slots=True)
class Sent:
    """What a unit says when it sends people."""

    unit: str
    count: int
    affiliation: str = ""
    skill: str = ""
    leader: str = ""
    leader_phone: str = ""


def send_people(
    sent: Sent,
    *,
    incident: uuid.UUID,
    to: Area,
    giver: Area,
    starts_at: datetime,
    ends_at: datetime,
    by: uuid.UUID,
    at: datetime,
) -> Deployment:
    """A unit sends people to an area without having been asked by an order.

    Raises:
        Refusal: unit_missing, count_bad, stay_bad.
    """
    demand_sent(sent)
    demand_stay(starts_at, ends_at, at=at)
    with transaction.atomic():
        return _write(
            sent, None, incident=incident, to=to, giver=giver, stay=(starts_at, ends_at), by=by, at=at
        )


def fill(
    item: uuid.UUID, sent: Sent, *, giver: Area, paths: Collection[str], by: uuid.UUID, at: datetime
) -> Deployment:
    """A unit answers an item of an order. Two units at once cannot promise more than is asked for together.

    paths: what the caller may speak for; `giver` lies there, and the order was routed to it or above it.

    Raises:
        Refusal: unit_missing, count_bad, order_not_open, order_not_routed, order_overfilled (with the rest).
    """
    demand_sent(sent)
    with transaction.atomic():
        row = OrderItem.objects.select_related("order").filter(id=item).first()
        if row is None:
            raise Refusal("order_unknown")
        order = locked(row.order_id)
        if order.status not in ORDER_FILLABLE or order.enough_at is not None:
            raise Refusal("order_not_open", status=order.status)
        routed = OrderRoute.objects.filter(order=order).select_related("area")
        if not any(giver.path.startswith(one.area.path) for one in routed) or not any(
            giver.path.startswith(path) for path in paths
        ):
            raise Refusal("order_not_routed")
        reserve(row.id, sent.count)
        made = _write(
            sent, row, incident=order.incident, to=order.area, giver=giver,
            stay=(order.starts_at, order.ends_at), by=by, at=at,
        )  # fmt: skip
        settle(order, by=by, at=at)
    return made


def reserve(item: uuid.UUID, count: int) -> None:
    """Takes so many places of an item, if they are still free. Raises Refusal("order_overfilled")."""
    won = OrderItem.objects.filter(id=item, promised__lte=F("most") - count).update(
        promised=F("promised") + count
    )
    if not won:
        now = OrderItem.objects.get(id=item)
        raise Refusal("order_overfilled", left=now.most - now.promised, count=count)


def demand_sent(sent: Sent) -> None:
    if not sent.unit.strip() or len(sent.unit) > 120:
        raise Refusal("unit_missing")
    if not 1 <= sent.count <= MOST_PEOPLE:
        raise Refusal("count_bad", most=MOST_PEOPLE)


def _write(
    sent: Sent,
    item: OrderItem | None,
    *,
    incident: uuid.UUID,
    to: Area,
    giver: Area,
    stay: tuple[datetime, datetime],
    by: uuid.UUID,
    at: datetime,
) -> Deployment:
    code = make_enrol_code()
    row = Deployment(
        incident=incident, purpose=str(incident), item=item, area=to, area_path=to.path,
        sub_district=to.sub_district or 0, giver=giver, giver_path=giver.path, unit=sent.unit.strip(),
        affiliation=sent.affiliation, skill=item.skill if item else sent.skill, promised=sent.count,
        starts_at=stay[0], ends_at=stay[1], leader=sent.leader.strip()[:80],
        leader_phone=sent.leader_phone.strip()[:40], code=code, code_index=code_index(code), made_by=by,
        made_at=at,
    )  # fmt: skip
    row.save(force_insert=True)
    record_event("Deployment", row.id, "promise", at=at, actor=by, incident=incident, to_state=row.status,
                 area=to.id, giver=giver.id, people=sent.count)  # fmt: skip
    telling.sent(row, at=at)
    return row


def _locked(deployment: uuid.UUID) -> Deployment:
    rows = Deployment.objects.across(reason="reinforcement").select_for_update(of=("self",))
    row: Deployment | None = rows.select_related("item").filter(id=deployment).first()
    if row is None:
        raise Refusal("deployment_unknown")
    return row


def count_people(
    deployment: uuid.UUID,
    *,
    arrived: int | None = None,
    engaged: int | None = None,
    returned: int | None = None,
    by: uuid.UUID,
    at: datetime,
) -> Deployment:
    """Somebody counted: so many are here, serve, have gone home. More than were promised is written down too.

    Raises:
        Refusal: deployment_ended, count_bad, count_below_names, count_too_many.
    """
    with transaction.atomic():
        row = _locked(deployment)
        if row.status == DeploymentStatus.CANCELLED:
            raise Refusal("deployment_ended", status=row.status)
        before = row.status
        told = {"arrived": arrived, "engaged": engaged, "returned": returned}
        for name, value in told.items():
            if value is None:
                continue
            if not 0 <= value <= MOST_PEOPLE:
                raise Refusal("count_bad", most=MOST_PEOPLE)
            setattr(row, name, value)
        names = DeployedPerson.objects.across(reason="reinforcement").filter(deployment=row)
        if row.arrived < names.filter(arrived_at__isnull=False).count():
            raise Refusal("count_below_names")
        # Who goes home no longer serves; who serves or left was here.
        if row.engaged > row.arrived or row.returned > row.arrived:
            raise Refusal("count_too_many", arrived=row.arrived)
        settle_deployment(row, before=before, verb="count", by=by, at=at)
    return row


def settle_deployment(row: Deployment, *, before: str, verb: str, by: uuid.UUID | None, at: datetime) -> None:
    """Sets state and times from the counts, and the order's state after it; the row is held by the caller."""
    row.status = deployment_status(counts_of(row))
    row.arrived_at = (row.arrived_at or at) if row.arrived else None
    row.engaged_at = (row.engaged_at or at) if row.engaged else None
    row.returned_at = (row.returned_at or at) if row.status == DeploymentStatus.RETURNED else None
    row.version += 1
    row.save()
    record_event("Deployment", row.id, verb, at=at, actor=by, incident=row.incident, from_state=before,
                 to_state=row.status, arrived=row.arrived, engaged=row.engaged,
                 returned=row.returned)  # fmt: skip
    if row.item is not None:
        settle(locked(row.item.order_id), by=by, at=at)


def take_back(deployment: uuid.UUID, *, by: uuid.UUID, at: datetime) -> Deployment:
    """The unit cannot send them after all; the places are free again for others.

    Raises Refusal deployment_ended, order_people_here.
    """
    with transaction.atomic():
        row = _locked(deployment)
        if row.status in DEPLOYMENT_ENDED:
            raise Refusal("deployment_ended", status=row.status)
        if row.arrived:
            raise Refusal("order_people_here")
        before, row.status = row.status, DeploymentStatus.CANCELLED
        row.version += 1
        row.save()
        record_event("Deployment", row.id, "take_back", at=at, actor=by, incident=row.incident,
                     from_state=before, to_state=row.status)  # fmt: skip
        telling.called_off(row, at=at)
        if row.item is not None:
            OrderItem.objects.filter(id=row.item.id).update(promised=F("promised") - row.promised)
            settle(locked(row.item.order_id), by=by, at=at)
    return row
