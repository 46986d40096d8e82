# SPDX-License-Identifier: Apache-2.0
"""Writes of reinforcement orders: asked for, approved by a second person, routed, ended."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Max

from muster.base.errors import Refusal
from muster.places.models import Area
from muster.responders.reinforcement import telling
from muster.responders.reinforcement.models import (
    MOST_PEOPLE,
    Deployment,
    OrderItem,
    OrderRoute,
    ReinforcementOrder,
)
from muster.responders.reinforcement.rules import (
    APPROVE_WITHIN,
    FILL_WITHIN,
    LONGEST_STAY,
    MOST_ITEMS,
    Counts,
    Wanted,
    demand_step,
    order_status,
)
from muster.responders.reinforcement.states import (
    DEPLOYMENT_ENDED,
    ORDER_FILLABLE,
    DeploymentStatus,
    OrderStatus,
)
from muster.trail.services import record_event

LONGEST_TEXT = 2000


def ask_for_people(
    area: Area,
    *,
    incident: uuid.UUID,
    items: Sequence[Wanted],
    starts_at: datetime,
    ends_at: datetime,
    reason: str,
    load: dict[str, Any],
    skills: Collection[str],
    by: uuid.UUID,
    at: datetime,
) -> ReinforcementOrder:
    """An area asks. Somebody else approves; until then no unit is asked.

    Raises:
        Refusal: order_without_items, order_item_bad, order_skill_unknown, order_skill_twice, stay_bad,
        request_too_long.
    """
    demand_items(items, skills=skills)
    demand_stay(starts_at, ends_at, at=at)
    if len(reason) > LONGEST_TEXT:
        raise Refusal("request_too_long", most=LONGEST_TEXT)
    order = ReinforcementOrder(
        incident=incident, purpose=str(incident), area=area, area_path=area.path,
        sub_district=area.sub_district or 0, reason=reason.strip(), load=load, starts_at=starts_at,
        ends_at=ends_at, asked_by=by, asked_at=at, approve_by=at + APPROVE_WITHIN,
    )  # fmt: skip
    for _ in range(20):
        top = ReinforcementOrder.objects.filter(incident=incident).aggregate(n=Max("number"))["n"]
        order.number = (top or 0) + 1
        try:
            with transaction.atomic():
                order.save(force_insert=True)
                OrderItem.objects.bulk_create(
                    OrderItem(order=order, skill=one.skill, least=one.least, most=one.most) for one in items
                )
                record_event(
                    "ReinforcementOrder", order.id, "ask", at=at, actor=by, incident=incident,
                    to_state=order.status, area=area.id, people=sum(one.least for one in items),
                )  # fmt: skip
        except IntegrityError:
            continue
        return order
    raise Refusal("request_busy")


def demand_items(items: Sequence[Wanted], *, skills: Collection[str]) -> None:
    if not 1 <= len(items) <= MOST_ITEMS:
        raise Refusal("order_without_items", most=MOST_ITEMS)
    seen: set[str] = set()
    for number, one in enumerate(items, start=1):
        if not 1 <= one.least <= one.most <= MOST_PEOPLE:
            raise Refusal("order_item_bad", row=number, most=MOST_PEOPLE)
        if one.skill and one.skill not in skills:
            raise Refusal("order_skill_unknown", row=number, skill=one.skill[:40])
        if one.skill in seen:
            raise Refusal("order_skill_twice", row=number)
        seen.add(one.skill)


def demand_stay(starts_at: datetime, ends_at: datetime, *, at: datetime) -> None:
    """Raises Refusal("stay_bad"): no time zone, ends before it starts or in the past, or is far too long."""
    fits = starts_at.tzinfo is not None and ends_at.tzinfo is not None
    if not fits or not starts_at < ends_at or ends_at <= at or ends_at - starts_at > LONGEST_STAY:
        raise Refusal("stay_bad", days=LONGEST_STAY.days)


def locked(order: uuid.UUID) -> ReinforcementOrder:
    """The row, held until the transaction ends. Raises Refusal("order_unknown")."""
    row = ReinforcementOrder.objects.select_for_update().filter(id=order).first()
    if row is None:
        raise Refusal("order_unknown")
    return row


def keep(row: ReinforcementOrder) -> None:
    row.version += 1
    row.save()


def approve(order: uuid.UUID, *, routes: Iterable[Area], by: uuid.UUID, at: datetime) -> ReinforcementOrder:
    """A second person agrees, and says which areas are asked to send people.

    Raises:
        Refusal: order_own, order_step, order_without_routes.
    """
    asked = list(routes)
    with transaction.atomic():
        row = locked(order)
        if row.asked_by == by:
            raise Refusal("order_own")
        demand_step(row.status, OrderStatus.APPROVED)
        if not asked:
            raise Refusal("order_without_routes")
        before = row.status
        row.status, row.approved_by, row.approved_at = OrderStatus.APPROVED, by, at
        row.fill_by = at + FILL_WITHIN
        keep(row)
        _route(row, asked, at=at)
        record_event(
            "ReinforcementOrder", row.id, "approve", at=at, actor=by, incident=row.incident,
            from_state=before, to_state=row.status, routes=[area.id for area in asked],
        )  # fmt: skip
        telling.asked(row, asked, at=at)
    return row


def _route(row: ReinforcementOrder, areas: Iterable[Area], *, at: datetime) -> None:
    OrderRoute.objects.bulk_create(
        (OrderRoute(order=row, area=area, asked_at=at) for area in areas), ignore_conflicts=True
    )


def route(order: uuid.UUID, *, routes: Iterable[Area], by: uuid.UUID, at: datetime) -> ReinforcementOrder:
    """More areas are asked. Raises Refusal order_not_open, order_without_routes."""
    asked = list(routes)
    with transaction.atomic():
        row = locked(order)
        if row.status not in ORDER_FILLABLE:
            raise Refusal("order_not_open", status=row.status)
        if not asked:
            raise Refusal("order_without_routes")
        _route(row, asked, at=at)
        record_event("ReinforcementOrder", row.id, "route", at=at, actor=by, incident=row.incident,
                     routes=[area.id for area in asked])  # fmt: skip
        telling.asked(row, asked, at=at)
    return row


def decline_route(order: uuid.UUID, *, paths: Collection[str], by: uuid.UUID, at: datetime) -> None:
    """An area that was asked cannot send anybody. Raises Refusal("not_found") where it was not asked."""
    with transaction.atomic():
        row = locked(order)
        mine = [
            one
            for one in OrderRoute.objects.filter(order=row).select_related("area")
            if any(one.area.path.startswith(path) for path in paths)
        ]
        if not mine:
            raise Refusal("not_found")
        OrderRoute.objects.filter(id__in=[one.pk for one in mine]).update(declined_at=at)
        record_event("ReinforcementOrder", row.id, "decline", at=at, actor=by, incident=row.incident,
                     areas=[one.area_id for one in mine])  # fmt: skip


def end(order: uuid.UUID, *, to: str, text: str, by: uuid.UUID, at: datetime) -> ReinforcementOrder:
    """Refused by who would approve it, or cancelled by who asked: always with a reason.

    People who are already here are not sent away by this: they are counted out when they go.

    Raises:
        Refusal: order_end_without_reason, order_step, order_people_here.
    """
    if not text.strip():
        raise Refusal("order_end_without_reason")
    with transaction.atomic():
        row = locked(order)
        demand_step(row.status, to)
        fills = Deployment.objects.across(reason="reinforcement").filter(item__order=row)
        if any(one.arrived > one.returned for one in fills):
            raise Refusal("order_people_here")
        before = row.status
        row.status, row.answer, row.ended_at = to, text.strip()[:LONGEST_TEXT], at
        keep(row)
        unarrived = [one for one in fills if one.arrived == 0 and one.status not in DEPLOYMENT_ENDED]
        fills.filter(arrived=0).update(status=DeploymentStatus.CANCELLED)
        record_event("ReinforcementOrder", row.id, to.lower(), at=at, actor=by, incident=row.incident,
                     from_state=before, to_state=to)  # fmt: skip
        telling.not_needed(row, at=at)
        for one in unarrived:
            telling.called_off(one, at=at)
    return row


def say_enough(order: uuid.UUID, *, by: uuid.UUID, at: datetime) -> ReinforcementOrder:
    """Fewer than asked for will do: the order waits for who was promised, and for nobody else.

    Raises Refusal("order_not_open").
    """
    with transaction.atomic():
        row = locked(order)
        if row.status not in ORDER_FILLABLE:
            raise Refusal("order_not_open", status=row.status)
        row.enough_at = row.enough_at or at
        record_event("ReinforcementOrder", row.id, "enough", at=at, actor=by, incident=row.incident)
        settle(row, by=by, at=at)
    return row


def settle(row: ReinforcementOrder, *, by: uuid.UUID | None, at: datetime) -> None:
    """Sets the state that follows from the deployments; the row is held by the caller."""
    fills: dict[uuid.UUID, list[Counts]] = {}
    for one in Deployment.objects.across(reason="reinforcement").filter(item__order=row):
        if one.item_id is not None:
            fills.setdefault(one.item_id, []).append(counts_of(one))
    items = [(item.least, fills.get(item.id, [])) for item in OrderItem.objects.filter(order=row)]
    before = row.status
    row.status = order_status(items, enough=row.enough_at is not None, status=row.status)
    if row.status == OrderStatus.RETURNED:
        row.ended_at = at
    keep(row)
    if row.status != before:
        record_event("ReinforcementOrder", row.id, "settle", at=at, actor=by, incident=row.incident,
                     from_state=before, to_state=row.status)  # fmt: skip


def counts_of(one: Deployment) -> Counts:
    return Counts(
        one.promised, one.arrived, one.engaged, one.returned, one.status == DeploymentStatus.CANCELLED
    )
