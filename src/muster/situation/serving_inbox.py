# SPDX-License-Identifier: Apache-2.0
"""What waits for somebody about people who serve and what is given: orders, promises, hours, offers."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import F, Sum

from muster.offers.queries import seen_by as offers_seen_by
from muster.offers.states import OfferStatus
from muster.places.queries import sub_districts_of_grids
from muster.requests.models import TeamHelp
from muster.requests.queries import seen_by as requests_seen_by
from muster.responders.models import Responder
from muster.responders.placement.queries import plan_with_id
from muster.responders.placement.told import untold_seats
from muster.responders.reinforcement.models import OrderItem, OrderRoute, ReinforcementOrder
from muster.responders.reinforcement.queries import orders_within
from muster.responders.reinforcement.rules import levels_up
from muster.responders.reinforcement.states import OrderStatus
from muster.responders.rules import LONGEST_DUTY
from muster.responders.states import ResponderStatus
from muster.situation.inbox import item, named
from muster.storage.scoping import Scope

MOST = 50
# An order is its own area's and the next level's to approve; each time its clock runs out, one level more.
LEVELS_AT_FIRST = 1


def orders_to_approve(
    paths: Collection[str], *, user: uuid.UUID, incident: uuid.UUID, at: datetime
) -> list[dict[str, Any]]:
    """Orders that wait for this person's approval; nobody approves what he asked for himself."""
    rows = orders_within(paths).filter(incident=incident, status=OrderStatus.REQUESTED).exclude(asked_by=user)
    answer = []
    for row in rows.order_by("approve_by")[:MOST]:
        up = levels_up(row.approve_by, status=row.status, at=at)
        if _levels_between(row, paths) <= LEVELS_AT_FIRST + up:
            answer.append(
                item("order_to_approve", f"order-{row.id}", since=row.asked_at, due=row.approve_by,
                     link=f"/reinforcement?id={row.id}", action="approve_order", area=named(row.area))
            )  # fmt: skip
    return answer


def _levels_between(row: ReinforcementOrder, paths: Collection[str]) -> int:
    """How many levels the nearest of these areas stands above the order's own."""
    own = row.area_path.count("/")
    return min(own - path.count("/") for path in paths if row.area_path.startswith(path))


def people_asked_for(paths: Collection[str], *, incident: uuid.UUID, at: datetime) -> list[dict[str, Any]]:
    """One line for all orders that ask these areas for people and are short of them."""
    if not paths:
        return []
    mine = [
        route.order_id
        for route in OrderRoute.objects.filter(
            order__incident=incident, order__status__in=[OrderStatus.APPROVED, OrderStatus.FILLING],
            order__enough_at__isnull=True, declined_at__isnull=True,
        ).select_related("area")
        if any(route.area.path.startswith(path) for path in paths)
    ]  # fmt: skip
    short = OrderItem.objects.filter(order__in=mine, promised__lt=F("least")).select_related("order")
    first = short.order_by("order__fill_by").first()
    if first is None:
        return []
    people = short.aggregate(n=Sum(F("least") - F("promised")))["n"]
    return [
        item("people_asked_for", "people-asked", since=first.order.approved_at, due=first.order.fill_by,
             link=f"/reinforcement?id={first.order_id}", action="send_people", count=people)
    ]  # fmt: skip


def people_over_hours(scope: Scope, *, incident: uuid.UUID, at: datetime) -> list[dict[str, Any]]:
    rows = Responder.objects.within(scope).filter(
        incident=incident, status=ResponderStatus.ON_DUTY, on_duty_since__lte=at - LONGEST_DUTY
    )
    first = rows.order_by("on_duty_since").values_list("on_duty_since", flat=True).first()
    if first is None:
        return []
    return [
        item("people_over_hours", "hours", since=first + LONGEST_DUTY, link="/hours", action="relieve_people",
             count=rows.count())
    ]  # fmt: skip


def people_to_tell(scope: Scope, *, incident: uuid.UUID, at: datetime) -> list[dict[str, Any]]:
    """Whom no message reaches about his place, from when the first of them was placed or sent back."""
    rows = untold_seats(scope, incident=incident)
    first = rows.first()
    if first is None:
        return []
    plan = plan_with_id(first.plan)
    return [
        item("people_to_tell", "people-to-tell", since=plan.taken_back_at or plan.adopted_at or at,
             link="/placement/untold", action="tell_people", count=rows.count())
    ]  # fmt: skip


def offers_to_look_at(scope: Scope, *, incident: uuid.UUID, at: datetime) -> list[dict[str, Any]]:
    near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
    rows = offers_seen_by(scope, near=near).filter(incident=incident, status=OfferStatus.NEW, ends_at__gt=at)
    first = rows.order_by("made_at").only("id", "made_at").first()
    if first is None:
        return []
    return [
        item("offers_to_look_at", "offers-new", since=first.made_at, link=f"/offers?id={first.id}",
             action="look_at_offer", count=rows.count())
    ]  # fmt: skip


def teams_that_do_not_answer(scope: Scope, *, incident: uuid.UUID, at: datetime) -> list[dict[str, Any]]:
    """Problems that were passed to a team which has not answered in time."""
    near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
    rows = TeamHelp.objects.filter(
        incident=incident, taken_at__isnull=True, ended_at__isnull=True, answer_by__lt=at,
        request__in=requests_seen_by(scope, near=near).values("id"),
    )  # fmt: skip
    first = rows.order_by("answer_by").first()
    if first is None:
        return []
    return [
        item("team_late", "team-late", since=first.asked_at, due=first.answer_by,
             link=f"/requests?id={first.request_id}", action="ask_team", count=rows.count())
    ]  # fmt: skip
