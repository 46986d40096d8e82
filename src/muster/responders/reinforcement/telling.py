# SPDX-License-Identifier: Apache-2.0
"""Who hears of reinforcement: areas that are asked, people who are sent; a number and a moment only.

Where somebody goes stands in no message: his unit knows, and whoever leads them shows the arrival code.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import F, Sum

from muster.notifications.queries import accounts_over
from muster.notifications.services import Telling, ToAccount, ToArea, ToPhone, notify_many
from muster.places.models import Area
from muster.responders.reinforcement.models import (
    DeployedPerson,
    Deployment,
    OrderItem,
    OrderRoute,
    ReinforcementOrder,
)

# Whoever may answer for an area: its own desk, or the nearest above.
DESKS = ("desk", "street", "district")
LEAST_DIGITS = 7


def asked(order: ReinforcementOrder, areas: Iterable[Area], *, at: datetime) -> None:
    """Each area that is asked hears how many are still wanted and until when it is asked to answer."""
    wanted = OrderItem.objects.filter(order=order, promised__lt=F("least"))
    count = wanted.aggregate(n=Sum(F("least") - F("promised")))["n"] or 0
    if not count or order.fill_by is None:
        return
    _tell(order, "people_asked", areas, {"count": count, "time": order.fill_by}, at=at)


def not_needed(order: ReinforcementOrder, *, at: datetime) -> None:
    """Whoever was asked and has not said no hears that nobody is needed any more."""
    routes = OrderRoute.objects.filter(order=order, declined_at__isnull=True).select_related("area")
    _tell(order, "people_not_needed", [one.area for one in routes], {"number": order.number}, at=at)


def _tell(
    order: ReinforcementOrder, template: str, areas: Iterable[Area], facts: dict[str, object], *, at: datetime
) -> None:
    told = []
    for area in areas:
        told.append(Telling(template, f"{order.id}|{area.id}", ToArea(area.path), facts))
        told += [
            Telling(template, f"{order.id}|{area.id}", ToAccount(desk), facts)
            for desk in accounts_over(area.path, roles=DESKS, at=at)
        ]
    notify_many(told, incident=order.incident, at=at)


def sent(row: Deployment, people: Iterable[DeployedPerson] = (), *, at: datetime) -> None:
    """Who leads and who stands on the list hears when it begins; the same number hears it once."""
    _tell_phones(row, "deployed", people, {"time": row.starts_at}, at=at)


def called_off(row: Deployment, *, at: datetime) -> None:
    people = DeployedPerson.objects.across(reason="reinforcement").filter(deployment=row)
    _tell_phones(row, "deployed_off", people, {}, at=at)


def _is_number(phone: str) -> bool:
    """A leader's number is typed freely: an extension, or a word, is no phone."""
    return sum(c.isdigit() for c in phone) >= LEAST_DIGITS


def _tell_phones(
    row: Deployment, template: str, people: Iterable[DeployedPerson], facts: dict[str, object], *,
    at: datetime,
) -> None:  # fmt: skip
    phones = [row.leader_phone or "", *(one.phone or "" for one in people)]
    told = [
        Telling(template, str(row.id), ToPhone(phone, row.sub_district), facts)
        for phone in phones
        if _is_number(phone)
    ]
    notify_many(told, incident=row.incident, at=at)
