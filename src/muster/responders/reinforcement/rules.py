# SPDX-License-Identifier: Apache-2.0
"""What an area needs, given its load; what an order and a deployment are, given their counts. All pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from muster.base.errors import Refusal
from muster.responders.reinforcement.states import ORDER_ENDED, ORDER_STEPS, DeploymentStatus, OrderStatus

# What one person can do in a day, as a starting point that a desk may change in the order itself.
DOORS_A_DAY = 40
REQUESTS_A_DAY = 12
PEOPLE_FOR_ONE = 300
APPROVE_WITHIN = timedelta(minutes=30)
FILL_WITHIN = timedelta(hours=2)
LONGEST_STAY = timedelta(days=60)
MOST_ITEMS = 20


@dataclass(frozen=True, slots=True)
class Load:
    """What lies on an area now. `coming`: promised and not here yet; `skills`: open work by skill."""

    grids: int = 0
    people: int = 0
    doors_left: int = 0
    entries_left: int = 0
    open_requests: int = 0
    late_requests: int = 0
    serving: int = 0
    tired: int = 0
    coming: int = 0
    skills: Mapping[str, int] = field(default_factory=dict)
    skilled: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class Wanted:
    """So many more with this skill; an empty skill means anybody."""

    skill: str
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Need:
    """How many are needed and there; `reasons` are message codes with the figures that were used."""

    wanted: int
    fit: int
    short: int
    spare: int
    items: tuple[Wanted, ...]
    reasons: tuple[dict[str, Any], ...]


def need_of(load: Load) -> Need:
    """People for a day's doors and requests, at least one for so many inhabitants; minus who is fit."""
    for_doors = math.ceil(load.doors_left / DOORS_A_DAY)
    for_requests = math.ceil(load.open_requests / REQUESTS_A_DAY)
    floor = math.ceil(load.people / PEOPLE_FOR_ONE)
    wanted = max(for_doors + for_requests, floor)
    fit = max(0, load.serving - load.tired)
    short = max(0, wanted - fit - load.coming)
    skilled = _by_skill(load)
    # Somebody with a skill is somebody too: the rest is what the skilled do not make up for.
    rest = max(0, short - sum(one.least for one in skilled))
    items = (*skilled, *([Wanted("", rest, rest + math.ceil(rest / 5))] if rest else []))
    facts: list[tuple[str, dict[str, Any], bool]] = [
        ("need_doors", {"doors": load.doors_left, "each": DOORS_A_DAY, "people": for_doors}, bool(for_doors)),
        (
            "need_requests",
            {"requests": load.open_requests, "each": REQUESTS_A_DAY, "people": for_requests},
            bool(for_requests),
        ),
        (
            "need_floor",
            {"inhabitants": load.people, "each": PEOPLE_FOR_ONE, "people": floor},
            floor > for_doors + for_requests,
        ),
        ("need_serving", {"people": load.serving, "tired": load.tired}, True),
        ("need_coming", {"people": load.coming}, bool(load.coming)),
        ("need_late", {"requests": load.late_requests}, bool(load.late_requests)),
        ("need_short", {"people": short}, bool(short)),
        ("need_enough", {"people": max(0, fit + load.coming - wanted)}, not short),
    ]
    reasons = tuple({"code": code, "facts": said} for code, said, is_said in facts if is_said)
    return Need(wanted, fit, short, max(0, fit - wanted), items, reasons)


def _by_skill(load: Load) -> list[Wanted]:
    found = []
    for skill, count in sorted(load.skills.items()):
        people = math.ceil(count / REQUESTS_A_DAY) - load.skilled.get(skill, 0)
        if skill and people > 0:
            found.append(Wanted(skill, people, people + 1))
    return found


@dataclass(frozen=True, slots=True)
class Counts:
    """One deployment's people."""

    promised: int
    arrived: int
    engaged: int
    returned: int
    cancelled: bool = False

    @property
    def here(self) -> int:
        return self.arrived - self.returned


def deployment_status(counts: Counts) -> str:
    if counts.cancelled:
        return DeploymentStatus.CANCELLED
    if counts.arrived and counts.returned >= counts.arrived:
        return DeploymentStatus.RETURNED
    if counts.engaged:
        return DeploymentStatus.ENGAGED
    return DeploymentStatus.ARRIVED if counts.arrived else DeploymentStatus.PROMISED


def order_status(
    items: Collection[tuple[int, Sequence[Counts]]], *, enough: bool, status: str = OrderStatus.APPROVED
) -> str:
    """What an approved order is: items as (least, its fills). Once somebody said "enough", what was promised
    takes the place of the least.

    An order that was never filled stays APPROVED, also when every unit that promised took it back.
    """
    if status in {OrderStatus.REQUESTED, OrderStatus.CANCELLED, OrderStatus.REFUSED}:
        return status
    live = [[one for one in fills if not one.cancelled] for _, fills in items]
    flat = [one for fills in live for one in fills]
    if not flat:
        return OrderStatus.APPROVED
    if all(one.arrived and one.here <= 0 for one in flat):
        return OrderStatus.RETURNED
    asked = [
        min(least, sum(one.promised for one in fills)) if enough else least
        for (least, _), fills in zip(items, live, strict=True)
    ]
    if all(sum(c.engaged for c in fills) >= n for n, fills in zip(asked, live, strict=True)):
        return OrderStatus.ENGAGED
    if all(sum(c.arrived for c in fills) >= n for n, fills in zip(asked, live, strict=True)):
        return OrderStatus.ARRIVED
    return OrderStatus.FILLING


def demand_step(status: str, to: str) -> None:
    """Raises Refusal("order_step")."""
    if to not in ORDER_STEPS[status]:
        raise Refusal("order_step", status=status, to=to)


def due_at(status: str, *, approve_by: datetime, fill_by: datetime | None) -> datetime | None:
    """The clock that runs; None once nobody is waited for."""
    if status == OrderStatus.REQUESTED:
        return approve_by
    return fill_by if status in {OrderStatus.APPROVED, OrderStatus.FILLING} else None


def levels_up(due: datetime | None, *, status: str, at: datetime) -> int:
    """How many levels above an order is seen as late: one for each time its clock ran out, at most three."""
    if due is None or at <= due or status in ORDER_ENDED:
        return 0
    within = APPROVE_WITHIN if status == OrderStatus.REQUESTED else FILL_WITHIN
    return min(3, 1 + int((at - due) / within))
