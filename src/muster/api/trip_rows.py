# SPDX-License-Identifier: Apache-2.0
"""Trips as the API shows them: a line of the list, one with its hops, the sheet for who drives."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Any

from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id
from muster.packs import Pack
from muster.places.models import Dwelling, Grid
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.responders.models import Responder
from muster.responders.queries import responders_with_ids
from muster.trips.models import HospitalAsked, Trip, TripHop, TripSeries
from muster.trips.queries import booked_of, hops_of
from muster.trips.rhythm import next_days
from muster.trips.rules import is_missed
from muster.trips.series import pattern_of
from muster.trips.states import ENDED, WAY, SkipReason, TripStatus

# So many days of care that comes again are shown ahead.
NEXT_DAYS = 8


def lines(rows: Sequence[Trip], *, at: datetime) -> list[dict[str, Any]]:
    """What the list shows: who is masked, where to and why are not shown."""
    hops = hops_of([row.id for row in rows])
    grids = {g.id: g for g in Grid.objects.filter(id__in={row.grid for row in rows if row.grid})}
    drivers = responders_with_ids({row.driver for row in rows if row.driver})
    doors = _doors(row.dwelling for row in rows)
    return [
        _line(row, hops[row.id], grids.get(row.grid or 0), drivers, doors.get(row.dwelling, ""), at)
        for row in rows
    ]


def line(row: Trip, *, at: datetime) -> dict[str, Any]:
    return lines([row], at=at)[0]


def _doors(ids: Any) -> dict[uuid.UUID | None, str]:
    wanted = {one for one in ids if one is not None}
    rows = Dwelling.objects.across(reason="trips").filter(id__in=wanted)
    return dict(rows.values_list("id", "label"))


def _line(
    row: Trip,
    hops: Sequence[TripHop],
    grid: Grid | None,
    drivers: dict[uuid.UUID, Responder],
    door: str,
    at: datetime,
) -> dict[str, Any]:
    driver = drivers.get(row.driver) if row.driver else None
    is_open = row.status not in ENDED
    return {
        "id": row.id, "number": row.number, "status": row.status, "urgency": row.urgency, "kind": row.kind,
        "who": _masked(row.who), "door": door,
        "grid": {"id": grid.id, "name": grid.name, "name_en": grid.name_en} if grid else None,
        "transport": row.transport, "driver": driver.name or "" if driver else "",
        "be_there_at": row.be_there_at, "made_at": row.made_at, "ended_at": row.ended_at,
        "next_hop": row.next_hop, "next_due": row.next_due,
        "is_late": bool(is_open and row.next_due and row.next_due < at),
        "is_missed": row.missed_seen_at is None and is_missed(
            status=row.status, be_there_at=row.be_there_at, from_series=row.series_id is not None, at=at
        ),
        "again": row.series_id is not None, "request": row.request, "cancel_reason": row.cancel_reason,
        "hops": [hop_json(hop, at=at) for hop in hops], "version": row.version,
    }  # fmt: skip


def _masked(who: str | None) -> str:
    """Where nobody said a name the number of the request stands there: that is no secret."""
    return (who if who.startswith("#") else mask_name(who)) if who else ""


def hop_json(hop: TripHop, *, at: datetime) -> dict[str, Any]:
    is_open = hop.done_at is None and hop.skipped_at is None
    return {
        "code": hop.code, "due_at": hop.due_at, "done_at": hop.done_at, "skipped_at": hop.skipped_at,
        "skip_reason": hop.skip_reason, "is_late": is_open and hop.due_at < at,
    }  # fmt: skip


def asked_json(asked: Sequence[HospitalAsked]) -> list[dict[str, Any]]:
    return [
        {"id": a.id, "name": a.name or "", "who": a.who or "", "answer": a.answer, "asked_at": a.asked_at,
         "answered_at": a.answered_at}
        for a in asked
    ]  # fmt: skip


def service_words(pack: Pack, codes: Collection[str]) -> list[dict[str, str]]:
    return [{"zh": s.name.zh, "en": s.name.en} for s in pack.services if s.code in codes]


def sheet(row: Trip) -> dict[str, Any]:
    """What who drives needs, on paper or on his phone: whom, from where, to where, when, how. Never why,
    nor who said yes: a name of a ward says it too.
    """
    hops = {hop.code: hop for hop in hops_of([row.id])[row.id]}
    door = _doors([row.dwelling]).get(row.dwelling, "")
    pack = pack_of(incident_with_id(row.incident))
    return {
        "id": row.id, "number": row.number, "status": row.status, "urgency": row.urgency,
        "who": row.who or "", "phone": mask_phone(row.phone) if row.phone else None,
        "pick_up": row.pick_up or "", "door": door, "to_place": row.to_place or "",
        "transport": row.transport, "vehicle": row.vehicle or "",
        "services": service_words(pack, row.services),
        "be_there_at": row.be_there_at, "next_hop": row.next_hop, "next_due": row.next_due,
        "gate_told": bool(hops["GATE"].done_at),
        "hops": [
            {"code": code, "due_at": hops[code].due_at, "done_at": hops[code].done_at,
             "skipped_at": hops[code].skipped_at}
            for code in WAY
        ],
        "emergency": pack.emergency_numbers[0].number if pack.emergency_numbers else "",
    }  # fmt: skip


def series_lines(rows: Sequence[TripSeries], *, at: datetime) -> list[dict[str, Any]]:
    doors = _doors(row.dwelling for row in rows)
    booked = booked_of([row.id for row in rows], since=at.date())
    return [
        {
            "id": row.id, "kind": row.kind, "who": _masked(row.who),
            "door": doors.get(row.dwelling, ""), "grid": row.grid, "to_place": row.to_place or "",
            "every_days": row.every_days, "time_of_day": row.time_of_day.strftime("%H:%M"),
            "next_on": row.next_on, "lead_hours": row.lead_hours, "stay_minutes": row.stay_minutes,
            "transport": row.transport, "closed_days": row.closed_days, "stopped_at": row.stopped_at,
            "weekdays": row.weekdays, "until": row.until, "request": row.request,
            "days": _next_days(row, booked[row.id], today=at.date()),
            "from_need": row.need is not None and row.made_by is None, "version": row.version,
        }
        for row in rows
    ]  # fmt: skip


def _next_days(row: TripSeries, booked: Sequence[Trip], *, today: date) -> list[dict[str, Any]]:
    """What is booked, what comes after it and what was left out, by day. A day that moved is not shown."""
    shown: dict[date, dict[str, Any]] = {
        date.fromisoformat(day): {"day": day, "state": "SKIPPED", "trip": None} for day in row.skipped_days
    }
    coming = [] if row.stopped_at else next_days(pattern_of(row), row.next_on, count=NEXT_DAYS)
    shown |= {day: {"day": day, "state": "COMING", "trip": None} for day in coming}
    for trip in booked:
        if trip.planned_on is None or trip.cancel_reason == SkipReason.MOVED:
            continue
        state = "SKIPPED" if trip.status == TripStatus.CANCELLED else "BOOKED"
        shown[trip.planned_on] = {"day": trip.planned_on, "state": state, "trip": trip.id}
    return [shown[day] for day in sorted(shown) if day >= today][:NEXT_DAYS]
