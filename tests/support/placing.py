# SPDX-License-Identifier: Apache-2.0
"""People to be placed, in the small made-up place of `world`."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from muster.base.ids import new_id
from muster.flows import placement as flow
from muster.flows.placement import ask_adopt, ask_take_back, carry_on
from muster.places.models import Area, Grid
from muster.responders.models import Responder
from muster.responders.placement.models import PlacementPlan
from muster.responders.placement.services import queue_plan
from tests.support.world import NOON, World

BY = uuid.UUID(int=7)
LATER = NOON + timedelta(hours=1)


def on_the_map(world: World) -> None:
    """Grids some hundred metres apart."""
    for number, grid in enumerate(world.grids):
        Grid.objects.filter(id=grid.id).update(lon=110 + number * 0.004, lat=35.0)


def vetted(world: World, *, grid: int | None = 0, count: int = 1, **more: Any) -> list[Responder]:
    """People who have been vetted and wait for a place; they live in a grid of the world."""
    home = world.grids[grid] if grid is not None else None
    rows = []
    for number in range(count):
        told = {
            "status": "VETTED", "home_grid": home.id if home else None, "skills": [], "languages": ["zh"],
            "sub_district": (home or world.grids[0]).sub_district, "name": f"测试员{number}", **more,
        }  # fmt: skip
        row = Responder(
            incident=world.incident.id, purpose=str(world.incident.id), status_since=NOON, checked_in_at=NOON,
            vetted_at=NOON, vetted_by=new_id(), **told,
        )  # fmt: skip
        row.save(force_insert=True)
        rows.append(row)
    return rows


def ready_plan(world: World, area: Area | None = None, **more: Any) -> PlacementPlan:
    """A plan that was asked for and solved."""
    plan = queue_plan(area or world.city, incident=world.incident, by=BY, at=NOON, **more)
    return carry_on(plan.id, at=NOON)


def adopted(plan: PlacementPlan, area: Area | None = None, **more: Any) -> PlacementPlan:
    area = area or Area.objects.get(id=plan.area)
    ask_adopt(plan, area=area, version=plan.version, by=BY, at=LATER, **more)
    return carry_on(plan.id, at=LATER)


@contextmanager
def killed_at_the_second_write(plan: PlacementPlan, area: Area, *, seats: int) -> Iterator[None]:
    """An adoption in writes of so many seats each that is killed before its second; then it may go on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow, "SEATS_PER_WRITE", seats)
        real, written = flow._write, []

        def fall(*args: Any, **more: Any) -> None:
            if written:
                raise KeyboardInterrupt
            written.append(1)
            real(*args, **more)

        ask_adopt(plan, area=area, version=plan.version, by=BY, at=LATER)
        patch.setattr(flow, "_write", fall)
        with pytest.raises(KeyboardInterrupt):
            carry_on(plan.id, at=LATER)
        patch.setattr(flow, "_write", real)
        yield


def taken_back(plan: PlacementPlan) -> PlacementPlan:
    ask_take_back(plan, version=plan.version, by=BY, at=LATER + timedelta(hours=1))
    return carry_on(plan.id, at=LATER)


def person(row: Responder) -> Responder:
    found: Responder = Responder.objects.across(reason="verify").get(id=row.id)
    return found
