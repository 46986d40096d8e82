# SPDX-License-Identifier: Apache-2.0
"""Reinforcement at the desk (增援): what an area needs, orders, a second person's approval, promises."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.allowed import may
from muster.api.auth import AUTH, Caller, allow, language, operation
from muster.api.pages_of_rows import page_of
from muster.api.reinforcement_rows import (
    area_json,
    deployment_cards,
    order_cards,
    paths_of,
    timeline_of,
    why_not_over,
)
from muster.base.errors import Refusal
from muster.base.messages import text
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident, incident_with_id
from muster.places.models import Area
from muster.places.queries import area as area_with_id
from muster.responders.reinforcement import sending, services
from muster.responders.reinforcement.models import ReinforcementOrder
from muster.responders.reinforcement.queries import (
    fills_of,
    items_of,
    order_in_sight,
    order_within,
    orders_in_sight,
    routes_of,
)
from muster.responders.reinforcement.rules import Need, Wanted
from muster.responders.reinforcement.sending import Sent
from muster.responders.reinforcement.states import ORDER_ENDED, ORDER_OPEN, OrderStatus
from muster.situation.area_load import need_at

router = Router(tags=["reinforcement"], auth=AUTH)
LISTS = {"open": ORDER_OPEN, "ended": ORDER_ENDED, "to_approve": {OrderStatus.REQUESTED}}


class Item(Schema):
    skill: str = ""
    least: int
    most: int


class Order(Schema):
    area: int
    items: list[Item]
    starts_at: datetime
    ends_at: datetime
    reason: str = ""


class Routes(Schema):
    areas: list[int] = []


class Text(Schema):
    text: str = ""


class Filling(Schema):
    """A unit says how many it sends for an item; `giver` is the area that speaks for the unit."""

    item: uuid.UUID
    giver: int
    unit: str
    count: int
    affiliation: str = ""
    leader: str = ""
    leader_phone: str = ""


def incident_now(who: Caller) -> uuid.UUID:
    """Raises Refusal("no_incident")."""
    found = current_incident(who.at)
    if found is None:
        raise Refusal("no_incident")
    return found.id


@router.get("/reinforcement/need", operation_id="reinforcement_need")
@operation("reinforcement.need")
def need(request: HttpRequest, area: int) -> dict[str, Any]:
    """What lies on an area, how many it is short of, and who could give; every figure with its reason."""
    place = area_with_id(area)
    who, _ = allow(request, "reinforcement.need", path=place.path)
    found = need_at(place, incident=incident_now(who), at=who.at)
    lang = language(request, who.user)
    return {
        "as_of": who.at, "area": area_json(place), "load": found.load.to_json(),
        **need_json(found.need, lang),
        "givers": [{"area": area_json(one.area), "spare": one.spare} for one in found.givers],
    }  # fmt: skip


def need_json(found: Need, lang: str) -> dict[str, Any]:
    return {
        "wanted": found.wanted, "fit": found.fit, "short": found.short,
        "items": [{"skill": one.skill, "least": one.least, "most": one.most} for one in found.items],
        "reasons": [{**one, "text": text(one["code"], lang, **one["facts"])} for one in found.reasons],
    }  # fmt: skip


@router.get("/reinforcement/orders", operation_id="reinforcement_list")
@operation("reinforcement.list")
def list_orders(
    request: HttpRequest, status: str = "open", area: int | None = None, cursor: str = "", limit: int = 100
) -> dict[str, Any]:
    """Orders of the caller's areas and those that he is asked to send people for."""
    who, row = allow(request, "reinforcement.list")
    paths = paths_of(who, row)
    rows = orders_in_sight(paths)
    if status in LISTS:
        rows = rows.filter(status__in=LISTS[status])
    elif status != "all":
        rows = rows.filter(status=status[:20])
    if area is not None:
        rows = rows.filter(area_path__startswith=area_with_id(area).path)
    page, after = page_of(rows.order_by("id"), cursor, limit)
    return {"items": order_cards(page, who, paths), "next": after, "count": rows.count()}


@router.post("/reinforcement/orders", operation_id="reinforcement_ask")
@operation("reinforcement.ask")
def ask(request: HttpRequest, body: Order) -> dict[str, Any]:
    place = area_with_id(body.area)
    who, row = allow(request, "reinforcement.ask", path=place.path)
    incident = incident_now(who)
    pack = pack_of(incident_with_id(incident))
    found = need_at(place, incident=incident, at=who.at)
    made = services.ask_for_people(
        place, incident=incident, items=[Wanted(one.skill, one.least, one.most) for one in body.items],
        starts_at=body.starts_at, ends_at=body.ends_at, reason=body.reason,
        load={**found.load.to_json(), "short": found.need.short, "reasons": list(found.need.reasons)},
        skills={one.code for one in pack.skills}, by=who.user.id, at=who.at,
    )  # fmt: skip
    return order_cards([made], who, paths_of(who, row))[0]


@router.get("/reinforcement/orders/{order_id}", operation_id="reinforcement_read")
@operation("reinforcement.list")
def read_order(request: HttpRequest, order_id: uuid.UUID) -> dict[str, Any]:
    who, row = allow(request, "reinforcement.list")
    paths = paths_of(who, row)
    return order_page(order_in_sight(order_id, paths=paths), who, paths)


def order_page(found: ReinforcementOrder, who: Caller, paths: list[str]) -> dict[str, Any]:
    fills = fills_of([found.id])
    by_item: dict[uuid.UUID | None, list[Any]] = {}
    for one in fills:
        by_item.setdefault(one.item_id, []).append(one)
    sums = {
        item: {name: sum(getattr(one, name) for one in rows) for name in ("arrived", "engaged", "returned")}
        for item, rows in by_item.items()
    }
    none = {"arrived": 0, "engaged": 0, "returned": 0}
    lang = who.language
    approving = why_not_over(who, "reinforcement.approve", found.area_path)
    if approving is None and found.asked_by == who.user.id:
        approving = Refusal("order_own")
    return {
        **order_cards([found], who, paths)[0],
        "reason": found.reason or "", "answer": found.answer or "", "load": found.load,
        "reasons": [
            {**one, "text": text(one["code"], lang, **one["facts"])} for one in found.load.get("reasons", [])
        ],
        "order_items": [
            {
                "id": one.id, "skill": one.skill, "least": one.least, "most": one.most,
                "promised": one.promised, **sums.get(one.id, none),
            }
            for one in items_of([found.id])
        ],
        "routes": [
            {"area": area_json(one.area), "asked_at": one.asked_at, "declined_at": one.declined_at,
             "mine": any(one.area.path.startswith(path) for path in paths)}
            for one in routes_of([found.id])
        ],
        "fills": deployment_cards(fills),
        "approve": may(approving),
        "fill": may(why_not_over(who, "reinforcement.fill", None)),
        "timeline": timeline_of("ReinforcementOrder", found.id),
    }  # fmt: skip


def _stepped(request: HttpRequest, name: str, order_id: uuid.UUID) -> tuple[Caller, list[str], Any]:
    who, row = allow(request, name)
    paths = paths_of(who, row)
    return who, paths, order_within(order_id, paths=paths)


@router.post("/reinforcement/orders/{order_id}/approve", operation_id="reinforcement_approve")
@operation("reinforcement.approve")
def approve(request: HttpRequest, order_id: uuid.UUID, body: Routes) -> dict[str, Any]:
    """A second person agrees and says who is asked to send people."""
    who, paths, found = _stepped(request, "reinforcement.approve", order_id)
    services.approve(found.id, routes=_areas(body.areas, found.area), by=who.user.id, at=who.at)
    return _again(found, who, paths)


@router.post("/reinforcement/orders/{order_id}/route", operation_id="reinforcement_route")
@operation("reinforcement.approve")
def route(request: HttpRequest, order_id: uuid.UUID, body: Routes) -> dict[str, Any]:
    who, paths, found = _stepped(request, "reinforcement.approve", order_id)
    services.route(found.id, routes=_areas(body.areas, found.area), by=who.user.id, at=who.at)
    return _again(found, who, paths)


def _areas(ids: list[int], own: Area) -> list[Area]:
    """Anybody but the asking area and what lies below it. Raises Refusal area_unknown, order_route_own."""
    found = [area_with_id(one) for one in dict.fromkeys(ids[:200])]
    if any(one.path.startswith(own.path) for one in found):
        raise Refusal("order_route_own")
    return found


@router.post("/reinforcement/orders/{order_id}/refuse", operation_id="reinforcement_refuse")
@operation("reinforcement.approve")
def refuse(request: HttpRequest, order_id: uuid.UUID, body: Text) -> dict[str, Any]:
    who, paths, found = _stepped(request, "reinforcement.approve", order_id)
    services.end(found.id, to=OrderStatus.REFUSED, text=body.text, by=who.user.id, at=who.at)
    return _again(found, who, paths)


@router.post("/reinforcement/orders/{order_id}/cancel", operation_id="reinforcement_cancel")
@operation("reinforcement.ask")
def cancel(request: HttpRequest, order_id: uuid.UUID, body: Text) -> dict[str, Any]:
    who, paths, found = _stepped(request, "reinforcement.ask", order_id)
    services.end(found.id, to=OrderStatus.CANCELLED, text=body.text, by=who.user.id, at=who.at)
    return _again(found, who, paths)


@router.post("/reinforcement/orders/{order_id}/enough", operation_id="reinforcement_enough")
@operation("reinforcement.ask")
def enough(request: HttpRequest, order_id: uuid.UUID) -> dict[str, Any]:
    who, paths, found = _stepped(request, "reinforcement.ask", order_id)
    services.say_enough(found.id, by=who.user.id, at=who.at)
    return _again(found, who, paths)


@router.post("/reinforcement/orders/{order_id}/decline", operation_id="reinforcement_decline")
@operation("reinforcement.fill")
def decline(request: HttpRequest, order_id: uuid.UUID) -> dict[str, Any]:
    """An area that was asked says that it can send nobody."""
    who, row = allow(request, "reinforcement.fill")
    paths = paths_of(who, row)
    found = order_in_sight(order_id, paths=paths)
    services.decline_route(found.id, paths=paths, by=who.user.id, at=who.at)
    return _again(found, who, paths)


@router.post("/reinforcement/orders/{order_id}/fill", operation_id="reinforcement_fill")
@operation("reinforcement.fill")
def fill(request: HttpRequest, order_id: uuid.UUID, body: Filling) -> dict[str, Any]:
    who, row = allow(request, "reinforcement.fill")
    paths = paths_of(who, row)
    found = order_in_sight(order_id, paths=paths)
    if body.item not in {one.id for one in items_of([found.id])}:
        raise Refusal("order_unknown")
    sent = Sent(
        unit=body.unit, count=body.count, leader=body.leader, leader_phone=body.leader_phone,
        affiliation=known_affiliation(found.incident, body.affiliation),
    )  # fmt: skip
    made = sending.fill(
        body.item, sent, giver=area_with_id(body.giver), paths=paths, by=who.user.id, at=who.at
    )
    return {**_again(found, who, paths), "code": made.code, "deployment": made.id}


def known_affiliation(incident: uuid.UUID, code: str) -> str:
    """Raises Refusal("affiliation_unknown")."""
    pack = pack_of(incident_with_id(incident))
    if code and code not in {one.code for one in pack.affiliations}:
        raise Refusal("affiliation_unknown", affiliation=code[:40])
    return code


def _again(found: ReinforcementOrder, who: Caller, paths: list[str]) -> dict[str, Any]:
    found.refresh_from_db()
    return order_page(found, who, paths)
