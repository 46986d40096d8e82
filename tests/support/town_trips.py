# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about trips, messages and channels: one of each, one that the phone drives."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import date, time
from typing import TYPE_CHECKING, Any

from muster.accounts.models import Lease
from muster.notifications.channels import open_channel
from muster.responders.queries import responder_of_user
from muster.trips import services
from muster.trips.series import Rhythm, start_series
from muster.trips.services import Going, Home
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Place

NOWHERE = "http://127.0.0.1:9/in"
SECRET = "only-for-the-drill-0001"


@dataclass
class Journeys:
    """trip: waits. driven: the phone's holder drives it. asked: a hospital that has not answered."""

    trip: uuid.UUID
    driven: uuid.UUID
    asked: uuid.UUID
    series: uuid.UUID
    channel: uuid.UUID
    area: int
    grid: int

    @property
    def marks(self) -> set[str]:
        return {str(one) for one in (self.trip, self.driven, self.asked, self.series, self.channel)}


def travel(world: World, place: Place) -> Journeys:
    """After `serve`: the phone's holder serves by then."""
    home = Home(place.grid.sub_district, place.grid.id, place.dwelling.id, None, place.person.id)
    by = world.head.id
    trips = [
        services.ask_trip(Going(who="演乘"), incident=world.incident.id, home=home, by=by, at=NOON)
        for _ in range(2)
    ]
    asked = services.ask_hospital(trips[0].id, name="一医院", by=by, at=NOON)
    lease = Lease.objects.get(device=place.device)
    holder = responder_of_user(lease.actor_id, incident=world.incident.id)
    assert holder is not None
    services.set_transport(trips[1].id, transport="VEHICLE", driver=holder.id, by=by, at=NOON)
    series = start_series(
        incident=world.incident.id, home=home, kind="visit", who="演乘", by=by, at=NOON,
        rhythm=Rhythm(7, time(9), date(2022, 9, 20)),
    )  # fmt: skip
    channel = open_channel(
        incident=world.incident, area=place.street.id, area_path=place.street.path, kind="WEBHOOK",
        name="值班群", address=NOWHERE, secret=SECRET, by=by, at=NOON,
    )  # fmt: skip
    return Journeys(trips[0].id, trips[1].id, asked.id, series.id, channel.id, place.street.id, place.grid.id)


def trip_asks(j: Journeys) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> (method, path, body, lists)."""
    api = "/api/v1"
    trip, series, channel = (
        f"{api}/trips/{j.trip}",
        f"{api}/trip-series/{j.series}",
        f"{api}/channels/{j.channel}",
    )
    new = {"area": j.area, "kind": "WEBHOOK", "name": "群", "address": NOWHERE, "secret": SECRET}
    again = {"who": "演乘", "every_days": 2, "time_of_day": "08:00", "first_on": "2022-09-20", "grid": j.grid}
    return {
        "trips_list": ("GET", f"{api}/trips", None, True),
        "trips_ask": ("POST", f"{api}/trips", {"who": "演乘", "grid": j.grid}, False),
        "trips_read": ("GET", trip, None, False),
        "trips_sheet": ("GET", f"{trip}/sheet", None, False),
        "trips_reveal": ("POST", f"{trip}/reveal", {"purpose": "call"}, False),
        "trips_hop_done": ("POST", f"{trip}/hops/LEFT/done", {}, False),
        "trips_hop_skip": ("POST", f"{trip}/hops/GATE/skip", {"reason": "NOT_NEEDED"}, False),
        "trips_hop_undo": ("POST", f"{trip}/hops/GATE/undo", None, False),
        "trips_hospital": ("POST", f"{trip}/hospitals", {"name": "二医院"}, False),
        "trips_hospital_answer": ("POST", f"{trip}/hospitals/{j.asked}/answer", {"answer": "NO"}, False),
        "trips_drivers": ("GET", f"{trip}/drivers", None, False),
        "trips_transport": ("POST", f"{trip}/transport", {"vehicle": "社区的车"}, False),
        "trips_change": ("POST", f"{trip}/change", {"urgency": "URGENT"}, False),
        "trips_cancel": ("POST", f"{trip}/cancel", {"reason": "NOT_WANTED"}, False),
        "trips_saw_missed": ("POST", f"{trip}/saw-missed", None, False),
        "series_list": ("GET", f"{api}/trip-series", None, True),
        "series_start": ("POST", f"{api}/trip-series", again, False),
        # Days of a calendar, with nothing of anybody's in them: told as a list.
        "series_days": ("POST", f"{api}/trip-series/days", again, True),
        "series_skip": ("POST", f"{series}/skip", {"day": "2022-09-20"}, False),
        "series_keep": ("POST", f"{series}/keep", {"day": "2022-09-20"}, False),
        "series_closed_day": ("POST", f"{series}/closed-day", {"day": "2022-09-20"}, False),
        "series_stop": ("POST", f"{series}/stop", None, False),
        "channels_list": ("GET", f"{api}/channels", None, True),
        "channels_open": ("POST", f"{api}/channels", new, False),
        "channels_try": ("POST", f"{channel}/try", None, False),
        "channels_close": ("DELETE", channel, None, False),
        "messages_list": ("GET", f"{api}/messages", None, True),
        "messages_read": ("POST", f"{api}/messages/read", {}, True),
        "phone_messages": ("GET", "/sync/v1/messages", None, False),
        "phone_messages_read": ("POST", "/sync/v1/messages/read", {}, False),
        "driving_list": ("GET", "/sync/v1/trips", None, False),
        "driving_hop": ("POST", f"/sync/v1/trips/{j.driven}/hops/LEFT", None, False),
    }
