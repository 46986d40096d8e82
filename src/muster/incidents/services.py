# SPDX-License-Identifier: Apache-2.0
"""Writes and reads of incidents. Whether one is in force is computed when asked, never left to a clock
job.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from muster.base.errors import Refusal
from muster.incidents.models import Incident, Mode
from muster.trail.services import record_event


def declare_incident(
    *,
    name: str,
    kind: str,
    pack: str,
    area: int | None,
    starts_at: datetime,
    ends_at: datetime,
    is_drill: bool,
    time_zone: str,
    declared_by: str = "",
    legal_basis: str = "",
    phone: str = "",
    mode: str = Mode.EMERGENCY,
    by: uuid.UUID | None,
    at: datetime,
) -> Incident:
    """Declares an incident: emergency powers need a declaring body and a document, unless it is a drill."""
    if ends_at <= starts_at:
        raise Refusal("ends_before_start", field="ends_at")
    if mode == Mode.EMERGENCY and not is_drill and not (declared_by and legal_basis):
        raise Refusal("incident_without_basis")
    incident = Incident.objects.create(
        name=name,
        kind=kind,
        pack=pack,
        mode=mode,
        area=area,
        starts_at=starts_at,
        ends_at=ends_at,
        is_drill=is_drill,
        time_zone=time_zone,
        declared_by=declared_by,
        legal_basis=legal_basis,
        phone=phone,
    )
    record_event(
        "Incident",
        incident.id,
        "declare",
        at=at,
        actor=by,
        incident=incident.id,
        to_state=mode,
        drill=is_drill,
    )
    return incident


def is_in_force(incident: Incident, *, at: datetime) -> bool:
    return incident.mode != Mode.CLOSED and incident.starts_at <= at < incident.ends_at


def current_incident(at: datetime) -> Incident | None:
    """The incident in force, the newest where there are several; else the newest that there was."""
    newest_first = list(Incident.objects.order_by("-starts_at"))
    in_force = (incident for incident in newest_first if is_in_force(incident, at=at))
    return next(in_force, newest_first[0] if newest_first else None)


def incident_with_id(incident_id: uuid.UUID) -> Incident:
    """Raises Refusal("incident_unknown")."""
    found = Incident.objects.filter(id=incident_id).first()
    if found is None:
        raise Refusal("incident_unknown", incident=str(incident_id))
    return found
