# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about people who serve: one who waits for a yes, one who serves."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster.base.ids import new_id
from muster.responders.checking_in import check_in
from muster.responders.homes import Home
from muster.responders.models import SecondCheckIn
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Place


@dataclass
class CheckedIn:
    """waiting: checked in, with a second check-in of the same phone."""

    waiting: uuid.UUID
    second: uuid.UUID

    @property
    def marks(self) -> set[str]:
        return {str(self.waiting), str(self.second)}


def check_somebody_in(world: World, place: Place) -> CheckedIn:
    house = place.building
    home = Home(
        house.sub_district, house.area_id, place.grid.id, house.lon, house.lat, text=place.dwelling.label
    )
    said = {"name": "报到甲", "phone": f"1370000{place.grid.id % 10000:04d}", "birth_date": "1990"}
    first, second = (
        check_in(said, home=home, incident=world.incident.id, form=str(new_id()), at=NOON) for _ in range(2)
    )
    assert first.responder is not None
    assert second.second is not None
    assert SecondCheckIn.objects.across(reason="own").filter(responder=first.responder).exists()
    return CheckedIn(first.responder, second.second)


def people_asks(people: CheckedIn) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> (method, path, body, lists)."""
    api, one = "/api/v1/responders", f"/api/v1/responders/{people.waiting}"
    return {
        "responders_list": ("GET", api, None, True),
        "responders_heads": ("GET", f"{api}/heads", None, True),
        "responders_read": ("GET", one, None, False),
        "responders_reveal": ("POST", f"{one}/reveal", {"field": "phone", "purpose": "call"}, False),
        "responders_accept": ("POST", f"{one}/accept", {}, False),
        "responders_accept_many": ("POST", f"{api}/accept", {"ids": []}, True),
        "responders_certificates": ("POST", f"{one}/certificates", {"seen": []}, False),
        "responders_decline": ("POST", f"{one}/decline", {"reason": "ENOUGH"}, False),
        "responders_second": ("POST", f"{one}/seconds/{people.second}", {"take_over": False}, False),
        "responders_step": ("POST", f"{one}/step", {"to": "UNAVAILABLE"}, False),
    }  # fmt: skip
