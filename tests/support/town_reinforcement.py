# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about reinforcement: an order to approve, one to fill, a unit that is here."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile

from muster.base.ids import new_id
from muster.incidents.packs import pack_of
from muster.responders.reinforcement import names, sending, services
from muster.responders.reinforcement.models import OrderItem
from muster.responders.reinforcement.queries import people_of
from muster.responders.reinforcement.rules import Wanted
from muster.responders.reinforcement.sending import Sent
from tests.support.serving import somebody_who_serves
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Ask, Place

DAY = timedelta(days=1)


@dataclass
class Reinforced:
    """asked: waits for approval. open: may be filled. here: a unit, with one not ticked off."""

    area: int
    giver: int
    asked: uuid.UUID
    open: uuid.UUID
    item: uuid.UUID
    here: uuid.UUID
    coming: uuid.UUID
    code: str
    person: uuid.UUID
    gone: uuid.UUID
    weary: uuid.UUID

    @property
    def marks(self) -> set[str]:
        return {
            str(self.asked),
            str(self.open),
            str(self.item),
            str(self.here),
            str(self.coming),
            str(self.weary),
        }


def reinforce(world: World, place: Place) -> Reinforced:
    asker, approver, sender = new_id(), new_id(), new_id()
    orders = [
        services.ask_for_people(
            place.area, incident=world.incident.id, items=[Wanted("", 2, 9)], starts_at=NOON,
            ends_at=NOON + DAY, reason="人手不够", load={}, skills=(), by=asker, at=NOON,
        )
        for _ in range(2)
    ]  # fmt: skip
    services.approve(orders[1].id, routes=[place.street], by=approver, at=NOON)
    item = OrderItem.objects.get(order=orders[1])
    here, coming = (
        sending.fill(
            item.id, Sent("市水务局", 2), giver=place.street, paths=[place.street.path], by=sender, at=NOON
        )
        for _ in range(2)
    )
    pack = pack_of(world.incident)
    names.add_names(here.id, [["演甲", "13900000001"], ["演乙", ""]], pack=pack, by=sender, at=NOON)
    weary = somebody_who_serves(
        world, grid=world.grids.index(place.grid), on_duty_since=NOON - timedelta(hours=9)
    )
    one, two = people_of([here.id])
    names.tick_arrived(here.id, [two.id], by=approver, at=NOON)
    return Reinforced(
        place.area.id, place.street.id, orders[0].id, orders[1].id, item.id, here.id, coming.id,
        str(here.code), one.id, two.id, weary.id,
    )  # fmt: skip


def reinforcement_asks(r: Reinforced) -> dict[str, Ask]:
    """operation id -> a request about this place."""
    from tests.support.town import Ask

    told = _asks(r)
    file = Ask("POST", f"/api/v1/deployments/{r.here}/names/file", files=a_list_of_names)
    return {
        **{name: Ask(method, path, body, lists=lists) for name, (method, path, body, lists) in told.items()},
        "deployments_names_file": file,
    }


def _asks(r: Reinforced) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> (method, path, body, lists)."""
    orders, sent = "/api/v1/reinforcement/orders", "/api/v1/deployments"
    stay = {"starts_at": "2022-09-02T05:00:00Z", "ends_at": "2022-09-03T05:00:00Z"}
    order = {"area": r.area, "items": [{"least": 1, "most": 2}], **stay}
    filling = {"item": r.item, "giver": r.giver, "unit": "市园林局", "count": 1}
    sending_ = {"area": r.area, "giver": r.giver, "unit": "市园林局", "count": 3, **stay}
    routes = {"areas": [r.giver]}
    return {
        "reinforcement_need": ("GET", f"/api/v1/reinforcement/need?area={r.area}", None, False),
        "reinforcement_list": ("GET", orders, None, True),
        "reinforcement_ask": ("POST", orders, order, False),
        "reinforcement_read": ("GET", f"{orders}/{r.open}", None, False),
        "reinforcement_approve": ("POST", f"{orders}/{r.asked}/approve", routes, False),
        "reinforcement_route": ("POST", f"{orders}/{r.open}/route", routes, False),
        "reinforcement_refuse": ("POST", f"{orders}/{r.asked}/refuse", {"text": "已另行安排"}, False),
        "reinforcement_cancel": ("POST", f"{orders}/{r.asked}/cancel", {"text": "不需要了"}, False),
        "reinforcement_enough": ("POST", f"{orders}/{r.open}/enough", None, False),
        "reinforcement_decline": ("POST", f"{orders}/{r.open}/decline", None, False),
        "reinforcement_fill": ("POST", f"{orders}/{r.open}/fill", filling, False),
        "deployments_list": ("GET", sent, None, True),
        "deployments_send": ("POST", sent, sending_, False),
        "deployments_find": ("POST", f"{sent}/find", {"code": r.code}, True),
        "deployments_heads": ("GET", f"{sent}/heads?area={r.area}", None, False),
        "deployments_read": ("GET", f"{sent}/{r.here}", None, False),
        "deployments_count": ("POST", f"{sent}/{r.here}/count", {"arrived": 2, "engaged": 1}, False),
        "deployments_arrive": ("POST", f"{sent}/{r.here}/arrive", {"people": [r.person]}, False),
        "deployments_return": ("POST", f"{sent}/{r.here}/return", {"people": [r.gone]}, False),
        "deployments_names": ("POST", f"{sent}/{r.here}/names", {"text": "演丙"}, False),
        "deployments_take_back": ("POST", f"{sent}/{r.coming}/take-back", None, False),
        "hours_list": ("GET", "/api/v1/hours", None, True),
        "hours_relieve": ("POST", f"/api/v1/hours/{r.weary}/relieve", {}, False),
        "deployments_reveal": ("POST", f"{sent}/{r.here}/reveal", {"purpose": "call"}, False),
    }  # fmt: skip


def a_list_of_names() -> dict[str, Any]:
    return {"file": SimpleUploadedFile("names.csv", "姓名\n演新\n".encode(), content_type="text/csv")}
