# SPDX-License-Identifier: Apache-2.0
"""People who serve and people who ask, in the small made-up place of `world`."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from muster.base.ids import new_id
from muster.incidents.packs import pack_of
from muster.packs import Pack
from muster.places.models import Dwelling
from muster.requests.services import Asked, Taken, Where, raise_request
from muster.responders.models import Responder
from tests.support.world import NOON, World


def pack(world: World) -> Pack:
    return pack_of(world.incident)


def somebody_who_serves(world: World, *, grid: int = 0, **more: Any) -> Responder:
    home = world.grids[grid]
    row = Responder(
        incident=world.incident.id,
        purpose=str(world.incident.id),
        user=more.pop("user", new_id()),
        sub_district=home.sub_district,
        grid=home.id,
        home_grid=home.id,
        name=more.pop("name", "测试员甲"),
        skills=more.pop("skills", []),
        languages=more.pop("languages", ["zh"]),
        status=more.pop("status", "ON_DUTY"),
        status_since=NOON,
        checked_in_at=more.pop("checked_in_at", NOON),
        vetted_at=NOON,
        vetted_by=new_id(),
        **more,
    )
    row.save(force_insert=True)
    return row


def door(world: World, number: int = 0) -> Where:
    dwelling: Dwelling = world.dwellings[number]
    return Where(
        sub_district=dwelling.sub_district,
        grid=dwelling.grid,
        building=dwelling.building_id,
        dwelling=dwelling.id,
    )


def ask(
    world: World,
    *,
    where: Where | None = None,
    at: datetime = NOON,
    channel: str = "WEB",
    by: uuid.UUID | None = None,
    **said: Any,
) -> Taken:
    said.setdefault("category", "food")
    return raise_request(
        Asked(**said),
        incident=world.incident.id,
        pack=pack(world),
        where=where if where is not None else door(world),
        channel=channel,
        by=by,
        at=at,
    )
