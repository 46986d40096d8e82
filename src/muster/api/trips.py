# SPDX-License-Identifier: Apache-2.0
"""Trips to care at the desk: the list by clock, one trip, every hop by one key."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any, Protocol

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import AwareDatetime

from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.request_rows import one_in_sight as request_in_sight
from muster.api.trip_rows import asked_json, line, lines, sheet
from muster.base.errors import Refusal
from muster.flows import medical_trip
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grid_ids
from muster.register.models import Person
from muster.register.phones import mask_phone
from muster.requests.placing import place_of_door, place_of_text
from muster.requests.queries import request_with_id
from muster.trail.models import Event
from muster.trail.reveals import record_reveal
from muster.trail.services import record_disclosures
from muster.trips import services
from muster.trips.models import Trip
from muster.trips.queries import asked_of, late, missed, seen_by
from muster.trips.services import Going
from muster.trips.states import ENDED

router = Router(tags=["trips"], auth=AUTH)
MOST = 500
PURPOSES = {"visit", "call", "verify", "request", "emergency"}


class NewTrip(Schema):
    """Who is enough. `place`: words of a door; `person` or `dwelling` or `request`: of the ledger."""

    who: str = ""
    to_place: str = ""
    place: str = ""
    phone: str = ""
    why: str = ""
    urgency: str = "NORMAL"
    transport: str = "VEHICLE"
    be_there_at: AwareDatetime | None = None
    travel_minutes: int = 40
    stay_minutes: int = 120
    comes_back: bool = True
    has_left: bool = False
    grid: int | None = None
    dwelling: uuid.UUID | None = None
    person: uuid.UUID | None = None
    request: uuid.UUID | None = None


class Done(Schema):
    happened_at: AwareDatetime | None = None


class Reason(Schema):
    reason: str


class Hospital(Schema):
    name: str


class HospitalSaid(Schema):
    answer: str
    who: str = ""


class Driving(Schema):
    transport: str = "VEHICLE"
    vehicle: str = ""
    driver: uuid.UUID | None = None


class Change(Schema):
    be_there_at: AwareDatetime | None = None
    to_place: str | None = None
    urgency: str | None = None


class Purpose(Schema):
    purpose: str


def _one(request: HttpRequest, name: str, trip_id: uuid.UUID) -> tuple[Caller, Trip]:
    """Raises Refusal("not_found") for what lies out of sight."""
    who, row = allow(request, name)
    found = seen_by(who.scope(row)).filter(id=trip_id).first()
    if found is None:
        raise Refusal("not_found")
    return who, found


@router.get("/trips", operation_id="trips_list")
@operation("trips.list")
def list_trips(
    request: HttpRequest,
    status: str = "open",
    area: int | None = None,
    of_request: uuid.UUID | None = None,
) -> dict[str, Any]:
    """By the clock of the next hop. status: open, late, missed, ended, all. of_request: what came of one."""
    who, row = allow(request, "trips.list")
    rows = seen_by(who.scope(row))
    if of_request is not None:
        rows = rows.filter(request=of_request)
    if area is not None:
        rows = rows.filter(grid__in=small_grid_ids(area_with_id(area).path))
    counts = {
        "open": rows.exclude(status__in=ENDED).count(),
        "late": late(rows, at=who.at).count(),
        "missed": missed(rows, at=who.at).count(),
    }
    if status == "late":
        rows = late(rows, at=who.at)
    elif status == "missed":
        rows = missed(rows, at=who.at)
    elif status == "ended":
        rows = rows.filter(status__in=ENDED).order_by("-ended_at")
    elif status != "all":
        rows = rows.exclude(status__in=ENDED)
    ordered = rows if status == "ended" else rows.order_by("next_due", "number")
    page = list(ordered[:MOST])
    return {"items": lines(page, at=who.at), "next": None, "count": rows.count(), "counts": counts}


@router.post("/trips", operation_id="trips_ask")
@operation("trips.work")
def ask(request: HttpRequest, body: NewTrip) -> dict[str, Any]:
    """Writes a trip down; who has left already has left, and the papers follow."""
    who, row = allow(request, "trips.work", grid=grid_with_id(body.grid) if body.grid is not None else None)
    going = Going(
        who=body.who, to_place=body.to_place, pick_up=body.place, phone=body.phone, why=body.why,
        urgency=body.urgency, transport=body.transport, be_there_at=body.be_there_at,
        travel_minutes=body.travel_minutes, stay_minutes=body.stay_minutes, comes_back=body.comes_back,
        has_left=body.has_left,
    )  # fmt: skip
    if body.request is not None:
        _, asked = request_in_sight(request, "requests.read", body.request)
        made = medical_trip.trip_for_request(asked.id, going, grid=body.grid, by=who.user.id, at=who.at)
        return line(made, at=who.at)
    incident, home, person = begins_at(who, row, body)
    if person is not None:
        going = replace(going, who=body.who or person.name or "", phone=body.phone or person.phone or "")
    made = services.ask_trip(going, incident=incident, home=home, by=who.user.id, at=who.at)
    return line(made, at=who.at)


class Beginning(Protocol):
    """What a form says of where somebody is fetched."""

    place: str
    grid: int | None
    dwelling: uuid.UUID | None
    person: uuid.UUID | None


def begins_at(who: Caller, row: Any, body: Beginning) -> tuple[uuid.UUID, services.Home, Person | None]:
    """The incident, where it begins, and the person of the ledger if one is named."""
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("no_incident")
    scope = who.scope(row)
    if body.person is not None:
        person = Person.objects.within(scope).filter(id=body.person).first()
        if person is None:
            raise Refusal("not_found")
        return incident.id, medical_trip.home_of(person), person
    if body.dwelling is not None:
        where = place_of_door(body.dwelling, scope=scope)
    else:
        where = place_of_text(body.place, scope=scope, form=pack_of(incident).address.form, grid=body.grid)
    return incident.id, medical_trip.home_at(where), None


@router.get("/trips/{trip_id}", operation_id="trips_read")
@operation("trips.read")
def read(request: HttpRequest, trip_id: uuid.UUID) -> dict[str, Any]:
    who, row = _one(request, "trips.read", trip_id)
    record_disclosures(
        [row.person], actor=who.user.id, role=next(iter(sorted(who.roles)), "none"), operation="trips.read",
        fields="who,pick_up,to_place,why", at=who.at, grid=row.grid,
    )  # fmt: skip
    events = Event.objects.filter(entity="Trip", entity_id=str(row.id)).order_by("at", "id")[:200]
    return {
        **line(row, at=who.at),
        "who": row.who or "", "phone": mask_phone(row.phone) if row.phone else None,
        "pick_up": row.pick_up or "", "to_place": row.to_place or "", "why": row.why or "",
        "vehicle": row.vehicle or "", "driver_id": row.driver, "travel_minutes": row.travel_minutes,
        "stay_minutes": row.stay_minutes, "asked": asked_json(asked_of(row.id)),
        "request_number": request_with_id(row.request).number if row.request else None,
        "timeline": [{"at": e.at, "verb": e.verb, "reason": e.reason, "to": e.to_state} for e in events],
    }  # fmt: skip


@router.get("/trips/{trip_id}/sheet", operation_id="trips_sheet")
@operation("trips.read")
def read_sheet(request: HttpRequest, trip_id: uuid.UUID) -> dict[str, Any]:
    """What who drives gets on paper: never why."""
    who, row = _one(request, "trips.read", trip_id)
    record_disclosures(
        [row.person], actor=who.user.id, role=next(iter(sorted(who.roles)), "none"), operation="trips.sheet",
        fields="who,pick_up,to_place", at=who.at, grid=row.grid,
    )  # fmt: skip
    return sheet(row)


@router.post("/trips/{trip_id}/reveal", operation_id="trips_reveal")
@operation("trips.reveal")
def reveal(request: HttpRequest, trip_id: uuid.UUID, body: Purpose) -> dict[str, Any]:
    who, row = _one(request, "trips.reveal", trip_id)
    if body.purpose not in PURPOSES:
        raise Refusal("purpose_unknown_choice", purpose=body.purpose[:20])
    record_reveal(
        row.person or row.id, field="phone", actor=who.user.id, role=next(iter(sorted(who.roles)), "none"),
        operation="trips.reveal", at=who.at, grid=row.grid, purpose=body.purpose,
    )  # fmt: skip
    return {"field": "phone", "value": row.phone}


@router.post("/trips/{trip_id}/hops/{code}/done", operation_id="trips_hop_done")
@operation("trips.work")
def hop_done(request: HttpRequest, trip_id: uuid.UUID, code: str, body: Done) -> dict[str, Any]:
    """It happened, now or a little while ago. No hop waits for another."""
    who, row = _one(request, "trips.work", trip_id)
    done = services.mark_hop(row.id, hop=code, by=who.user.id, at=who.at, happened_at=body.happened_at)
    return line(done, at=who.at)


@router.post("/trips/{trip_id}/hops/{code}/skip", operation_id="trips_hop_skip")
@operation("trips.work")
def hop_skip(request: HttpRequest, trip_id: uuid.UUID, code: str, body: Reason) -> dict[str, Any]:
    who, row = _one(request, "trips.work", trip_id)
    return line(services.skip_hop(row.id, hop=code, reason=body.reason, by=who.user.id, at=who.at), at=who.at)


@router.post("/trips/{trip_id}/hops/{code}/undo", operation_id="trips_hop_undo")
@operation("trips.work")
def hop_undo(request: HttpRequest, trip_id: uuid.UUID, code: str) -> dict[str, Any]:
    who, row = _one(request, "trips.work", trip_id)
    return line(services.unmark_hop(row.id, hop=code, by=who.user.id, at=who.at), at=who.at)


@router.post("/trips/{trip_id}/hospitals", operation_id="trips_hospital")
@operation("trips.work")
def ask_hospital(request: HttpRequest, trip_id: uuid.UUID, body: Hospital) -> dict[str, Any]:
    who, row = _one(request, "trips.work", trip_id)
    asked = services.ask_hospital(row.id, name=body.name, by=who.user.id, at=who.at)
    return {"id": asked.id}


@router.post("/trips/{trip_id}/hospitals/{asked_id}/answer", operation_id="trips_hospital_answer")
@operation("trips.work")
def answer_hospital(
    request: HttpRequest, trip_id: uuid.UUID, asked_id: uuid.UUID, body: HospitalSaid
) -> dict[str, Any]:
    who, row = _one(request, "trips.work", trip_id)
    done = services.answer_hospital(
        asked_id, trip=row.id, answer=body.answer, who=body.who, by=who.user.id, at=who.at
    )
    return line(done, at=who.at)


@router.get("/trips/{trip_id}/drivers", operation_id="trips_drivers")
@operation("trips.work")
def drivers(request: HttpRequest, trip_id: uuid.UUID) -> dict[str, Any]:
    """Who drives and may be asked now, the nearest first."""
    who, row = _one(request, "trips.work", trip_id)
    found = medical_trip.drivers_near(row, at=who.at)
    items = [
        {
            "id": one.id, "name": one.name or "", "same_grid": one.grid == row.grid,
            "drives": medical_trip.drives(one),
        }
        for one in found
    ]  # fmt: skip
    return {"items": items, "next": None, "count": len(items)}


@router.post("/trips/{trip_id}/transport", operation_id="trips_transport")
@operation("trips.work")
def transport(request: HttpRequest, trip_id: uuid.UUID, body: Driving) -> dict[str, Any]:
    """Who drives, in what; whoever drives is told."""
    who, row = _one(request, "trips.work", trip_id)
    done = medical_trip.send_driver(
        row.id, transport=body.transport, vehicle=body.vehicle, driver=body.driver, by=who.user.id, at=who.at
    )
    return line(done, at=who.at)


@router.post("/trips/{trip_id}/change", operation_id="trips_change")
@operation("trips.work")
def change(request: HttpRequest, trip_id: uuid.UUID, body: Change) -> dict[str, Any]:
    who, row = _one(request, "trips.work", trip_id)
    done = services.change_trip(
        row.id, be_there_at=body.be_there_at, to_place=body.to_place, urgency=body.urgency, by=who.user.id,
        at=who.at,
    )  # fmt: skip
    return line(done, at=who.at)


@router.post("/trips/{trip_id}/cancel", operation_id="trips_cancel")
@operation("trips.work")
def cancel(request: HttpRequest, trip_id: uuid.UUID, body: Reason) -> dict[str, Any]:
    who, row = _one(request, "trips.work", trip_id)
    return line(medical_trip.call_off(row.id, reason=body.reason, by=who.user.id, at=who.at), at=who.at)


@router.post("/trips/{trip_id}/saw-missed", operation_id="trips_saw_missed")
@operation("trips.work")
def saw_missed(request: HttpRequest, trip_id: uuid.UUID) -> dict[str, Any]:
    who, row = _one(request, "trips.work", trip_id)
    return line(services.saw_missed(row.id, by=who.user.id, at=who.at), at=who.at)
