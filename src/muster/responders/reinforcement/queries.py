# SPDX-License-Identifier: Apache-2.0
"""Reads of reinforcement: orders and deployments in sight, who is here at a time, what a code opens."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from muster.base.codes import normalise_enrol_code
from muster.base.crypto import blind_index
from muster.base.errors import Refusal
from muster.responders.reinforcement.models import (
    DeployedPerson,
    Deployment,
    OrderItem,
    OrderRoute,
    ReinforcementOrder,
)
from muster.responders.reinforcement.states import DeploymentStatus
from muster.storage.keys import keystore

PURPOSE = "reinforcement"


def code_index(code: str) -> bytes:
    return blind_index(keystore(), purpose=f"{PURPOSE}:arrival", value=code)


def _below(paths: Iterable[str], column: str) -> Q:
    found = Q(pk__in=[])
    for path in sorted(set(paths)):
        found |= Q(**{f"{column}__startswith": path})
    return found


def orders_within(paths: Iterable[str]) -> QuerySet[ReinforcementOrder]:
    """Orders of these areas and those below."""
    return ReinforcementOrder.objects.filter(_below(paths, "area_path")).select_related("area")


def orders_in_sight(paths: Collection[str]) -> QuerySet[ReinforcementOrder]:
    """Orders of these areas, and those that they are asked to send people for."""
    asked = OrderRoute.objects.filter(_below(paths, "area__path")).values("order")
    rows = ReinforcementOrder.objects.filter(_below(paths, "area_path") | Q(id__in=asked))
    return rows.select_related("area")


def order_in_sight(order: uuid.UUID, *, paths: Collection[str]) -> ReinforcementOrder:
    """Raises Refusal("not_found")."""
    found = orders_in_sight(paths).filter(id=order).first()
    if found is None:
        raise Refusal("not_found")
    return found


def order_within(order: uuid.UUID, *, paths: Collection[str]) -> ReinforcementOrder:
    """Raises Refusal("not_found")."""
    found = orders_within(paths).filter(id=order).first()
    if found is None:
        raise Refusal("not_found")
    return found


def items_of(orders: Collection[uuid.UUID]) -> list[OrderItem]:
    return list(OrderItem.objects.filter(order__in=orders).order_by("order", "skill"))


def routes_of(orders: Collection[uuid.UUID]) -> list[OrderRoute]:
    rows = OrderRoute.objects.filter(order__in=orders).select_related("area")
    return list(rows.order_by("order", "area__code"))


def deployments_in_sight(paths: Collection[str]) -> QuerySet[Deployment]:
    """What came to these areas, and what they sent."""
    rows = Deployment.objects.across(reason="reinforcement")
    found: QuerySet[Deployment] = rows.filter(_below(paths, "area_path") | _below(paths, "giver_path"))
    return found.select_related("area", "giver", "item", "item__order")


def fills_of(orders: Collection[uuid.UUID]) -> list[Deployment]:
    rows = Deployment.objects.across(reason="reinforcement").filter(item__order__in=orders)
    return list(rows.select_related("area", "giver", "item").order_by("made_at", "id"))


def deployment_in_sight(deployment: uuid.UUID, *, paths: Collection[str]) -> Deployment:
    """Raises Refusal("not_found")."""
    found = deployments_in_sight(paths).filter(id=deployment).first()
    if found is None:
        raise Refusal("not_found")
    return found


def deployment_received(deployment: uuid.UUID, *, paths: Collection[str]) -> Deployment:
    """A deployment to one of these areas. Raises Refusal("not_found")."""
    rows = Deployment.objects.across(reason="reinforcement").filter(_below(paths, "area_path"))
    found: Deployment | None = rows.select_related("area", "giver").filter(id=deployment).first()
    if found is None:
        raise Refusal("not_found")
    return found


def deployment_of_code(code: str, *, paths: Collection[str]) -> Deployment:
    """The deployment whose leader shows this code, if it was sent here. Raises Refusal("arrival_unknown")."""
    try:
        spelled = normalise_enrol_code(code)
    except Refusal:
        raise Refusal("arrival_unknown") from None
    rows = Deployment.objects.across(reason="reinforcement").filter(_below(paths, "area_path"))
    found: Deployment | None = (
        rows.select_related("area", "giver").filter(code_index=code_index(spelled)).first()
    )
    if found is None:
        raise Refusal("arrival_unknown")
    return found


def people_of(deployments: Collection[uuid.UUID]) -> list[DeployedPerson]:
    rows = DeployedPerson.objects.across(reason="reinforcement").filter(deployment__in=deployments)
    return list(rows.order_by("id"))


@dataclass(frozen=True, slots=True)
class Heads:
    """People of one affiliation that units sent to an area, and are there.

    `listed` of them are responders of the area by name, and stand among those already; `unlisted` do not.
    """

    area: int
    affiliation: str
    count: int
    listed: int

    @property
    def unlisted(self) -> int:
        return max(0, self.count - self.listed)


def deployed_heads(incident: uuid.UUID, *, path: str, at: datetime) -> list[Heads]:
    """Who was sent to this area or below and was there at that time, by area and affiliation.

    To add these to counts of responders, add `unlisted` only: who is on a list is a responder too.
    """
    rows = Deployment.objects.across(reason="count").filter(
        incident=incident, area_path__startswith=path, arrived_at__lte=at
    )
    here = rows.filter(Q(returned_at__isnull=True) | Q(returned_at__gt=at)).exclude(
        status=DeploymentStatus.CANCELLED
    )
    found = list(here.values_list("id", "area_id", "affiliation", "arrived", "returned", "returned_at"))
    listed: dict[uuid.UUID, int] = {}
    names = DeployedPerson.objects.across(reason="count").filter(
        deployment__in=[row[0] for row in found], responder__isnull=False, arrived_at__lte=at
    )
    for deployment in names.filter(Q(returned_at__isnull=True) | Q(returned_at__gt=at)).values_list(
        "deployment_id", flat=True
    ):
        listed[deployment] = listed.get(deployment, 0) + 1
    sums: dict[tuple[int, str], tuple[int, int]] = {}
    for deployment, area, affiliation, arrived, returned, returned_at in found:
        # Once all had gone home, how many had gone before is no longer known: they count until then.
        there = arrived if returned_at is not None else arrived - returned
        count, named = sums.get((area, affiliation), (0, 0))
        sums[area, affiliation] = (count + there, named + min(there, listed.get(deployment, 0)))
    return [Heads(*key, *value) for key, value in sorted(sums.items())]


def coming_to(incident: uuid.UUID, *, paths: Collection[str]) -> list[tuple[str, int]]:
    """(area path, people promised and not here yet) of each deployment under way."""
    rows = Deployment.objects.across(reason="count").filter(
        _below(paths, "area_path"), incident=incident, status=DeploymentStatus.PROMISED
    )
    return list(rows.values_list("area_path", "promised"))


def orders_of_deployments(rows: Iterable[Deployment]) -> dict[uuid.UUID, int]:
    """deployment -> number of the order that it answers."""
    return {row.id: row.item.order.number for row in rows if row.item is not None}
