# SPDX-License-Identifier: Apache-2.0
"""Phones: enrolment, pull, the list of devices, taking a phone's leases back; and what is held."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from muster.accounts.models import Device, Lease
from muster.accounts.queries import last_heard, unsent_estimate
from muster.accounts.services import enrol_device, find_code, note_pull, revoke_device
from muster.api.auth import AUTH, Caller, allow, caller, operation
from muster.base.clock import now
from muster.base.codes import read_lease
from muster.base.errors import Refusal
from muster.flows.conflicts import CODE as CONFLICT
from muster.flows.conflicts import conflict_of, take_other
from muster.flows.recording import release_waiting
from muster.flows.sheet_differences import (
    both_sides,
    difference_with_id,
    differences_in_sight,
    leave_as_it_stands,
    take_the_other,
)
from muster.incidents.models import Incident
from muster.places.models import Area, Grid
from muster.places.posts import take_worker_posts
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grids_below
from muster.responders.services import responder_for_worker
from muster.sheets.models import SheetDifference
from muster.storage.keys import keystore
from muster.sync.pull import incident_json, pull
from muster.sync.site.adopting import adopt_lease
from muster.sync.site.standing import carrier_keys, may_lend_until
from muster.trail.models import Verdict, Waiting
from muster.trail.queries import facts_with_keys
from muster.trail.services import record_disclosures, record_event

router = Router(tags=["devices"])
sync_router = Router(tags=["sync"])


class Enrol(Schema):
    code: str
    public_key: dict[str, Any]
    name: str = ""


@router.post("/devices/enrol", auth=None, operation_id="devices_enrol")
@operation("session.read")
def enrol(request: HttpRequest, body: Enrol) -> dict[str, Any]:
    """A phone joins with the code that its worker got from the grid's head."""
    at = now()
    code = find_code(body.code)
    grid = grid_with_id(code.grid)
    grids = small_grids_below(grid)
    device, lease, text = enrol_device(
        code=body.code,
        public_key=body.public_key,
        name=body.name,
        sub_districts=_sub_districts(grid),
        grids=grids,
        at=at,
        until=may_lend_until(at=at),
    )
    incident = Incident.objects.get(id=lease.incident)
    take_worker_posts(grids, holder=lease.actor, incident=incident, since=code.made_at, at=at)
    responder_for_worker(
        incident=lease.incident, user=lease.actor_id, name=lease.actor.name, sub_district=grid.sub_district,
        grid=grids[0] if grids else grid.id, at=at,
    )  # fmt: skip
    record_event(
        "Device", device.id, "enrol", at=at, actor=lease.actor_id, incident=lease.incident, grid=grid.id
    )
    return {
        "device": device.id, "lease": text, "lease_until": lease.expires_at,
        "intake": settings.ENVIRONMENT.intake_origin,
        "server_keys": [{"kid": k.kid, "jwk": k.jwk} for k in keystore().trusted_keys()],
        "carriers": carrier_keys(),
        "incident": incident_json(incident),
        "grids": grids, "sub_districts": lease.sub_districts,
        "actor": {"id": lease.actor_id, "name": lease.actor.name, "role": "worker"},
    }  # fmt: skip


def _sub_districts(grid: Grid) -> list[int]:
    """The worker's own sub-district and its neighbours under the same parent: somebody he serves may come
    from there.
    """
    own = Area.objects.filter(id=grid.sub_district).first()
    if own is None:
        return [grid.sub_district]
    return sorted(
        Area.objects.filter(parent_id=own.parent_id, sub_district__isnull=False).values_list("id", flat=True)
    )


@sync_router.get("/pull", auth=None, operation_id="sync_pull", include_in_schema=True)
@operation("session.read")
def pull_changes(request: HttpRequest, since: str = "") -> dict[str, Any]:
    """What changed in my grids; the lease is the key."""
    at, lease = now(), lease_of(request)
    told = _told_number(request.headers.get("Muster-Seq", ""))
    try:
        page = pull(lease, since=since or None, at=at)
    except Refusal as refusal:
        # Whoever hears this forgets the list: from now on nothing of the grid is on that phone.
        note_pull(lease.device, told_seq=told, at=at, wiped=refusal.code == "lease_revoked")
        raise
    note_pull(lease.device, told_seq=told, at=at)
    return page


def _told_number(header: str) -> int | None:
    """The last number that the phone has given; nothing where it says none, or nonsense."""
    return int(header) if header.isascii() and header.isdigit() and len(header) < 16 else None


def lease_of(request: HttpRequest) -> Lease:
    """Raises Refusal lease_malformed, lease_forged, lease_unknown."""
    header = request.headers.get("Authorization", "")
    if not header.startswith("Bearer "):
        raise Refusal("not_signed_in")
    claims = read_lease(header.removeprefix("Bearer "), keystore().trusted_keys())
    lease = Lease.objects.select_related("device", "actor").filter(id=claims.id, device=claims.device).first()
    if lease is None and claims.instance != keystore().instance_key().instance:
        lease = adopt_lease(claims, at=now())
    if lease is None:
        raise Refusal("lease_revoked")
    return lease


@router.get("/devices", auth=AUTH, operation_id="devices_list")
@operation("devices.list")
def list_devices(request: HttpRequest, area: int | None = None) -> dict[str, Any]:
    who, row = allow(request, "devices.list")
    scope = who.scope(row)
    path = area_with_id(area).path if area is not None else None
    grids = {g.id: g for g in Grid.objects.select_related("area").all()}
    items: dict[uuid.UUID, dict[str, Any]] = {}
    for lease in Lease.objects.select_related("device", "actor").order_by("-issued_at")[:20_000]:
        mine = [
            grids[g]
            for g in lease.grids
            if g in grids and scope.allows(sub_district=grids[g].sub_district, grid=g)
        ]
        if not mine or lease.device_id in items or (path and not mine[0].area.path.startswith(path)):
            continue
        device = lease.device
        items[device.id] = {
            "id": device.id,
            "name": device.name,
            "kind": device.kind,
            "actor": lease.actor.name,
            "grids": [{"id": g.id, "name": g.name, "name_en": g.name_en} for g in mine],
            "enrolled_at": device.enrolled_at,
            "last_contact_at": last_heard(device),
            "facts_seen": device.facts_seen,
            "last_seq": device.last_seq,
            "unsent_estimate": unsent_estimate(device),
            "told_seq": device.told_seq,
            "lease_until": lease.expires_at,
            "revoked_at": device.revoked_at,
            "wiped_at": device.wiped_at,
        }
    return {"items": list(items.values()), "next": None, "count": len(items)}


@router.post("/devices/{device_id}/revoke", auth=AUTH, operation_id="devices_revoke")
@operation("devices.revoke")
def revoke(request: HttpRequest, device_id: uuid.UUID) -> dict[str, Any]:
    device = Device.objects.filter(id=device_id, kind="FIELD").first()
    lease = Lease.objects.filter(device=device_id).order_by("-issued_at").first()
    if device is None or lease is None:
        raise Refusal("not_found")
    who, _ = allow(request, "devices.revoke", grid=grid_with_id(lease.grids[0]))
    revoke_device(device, by=who.user.id, at=who.at)
    record_event("Device", device.id, "revoke", at=who.at, actor=who.user.id, incident=lease.incident)
    return {"ok": True}


@router.get("/held", auth=AUTH, operation_id="held_list")
@operation("held.list")
def list_held(request: HttpRequest, area: int | None = None, all: bool = False) -> dict[str, Any]:
    """What is kept and not applied, with its reason; a person works it. What counts is under flags."""
    who, row = allow(request, "held.list")
    scope = who.scope(row)
    rows = Waiting.objects.exclude(verdict=Verdict.FLAGGED).order_by("-since")
    if not all:
        rows = rows.filter(resolved_at__isnull=True)
    visible = [w for w in rows[:2000] if scope.allows(sub_district=w.sub_district, grid=w.grid)]
    devices = {d.id: d for d in Device.objects.filter(id__in={w.device for w in visible})}
    items = [
        {
            "id": w.fact,
            "kind": w.kind,
            "verdict": w.verdict,
            "code": w.code,
            "since": w.since,
            "grid": w.grid,
            "round": w.round,
            "device": {"id": w.device, "name": devices[w.device].name if w.device in devices else ""},
            "seq": w.seq,
            "resolved_at": w.resolved_at,
            "resolution": w.resolution,
        }
        for w in visible
    ]
    items += differences_in_sight(scope, all_of_them=all)
    return {"items": items, "next": None, "count": len(items)}


@router.get("/held/{fact_id}/conflict", auth=AUTH, operation_id="held_conflict")
@operation("held.resolve")
def read_conflict(request: HttpRequest, fact_id: uuid.UUID) -> dict[str, Any]:
    """Both values of a field that two people corrected: who, when, on which device. Looking is recorded."""
    difference = _difference(request, fact_id)
    if difference is not None:
        return both_sides(difference)
    who, waiting = _waiting(request, fact_id)
    told = conflict_of(waiting)
    record_disclosures(
        [told["person"]], actor=who.user.id, role="desk", operation="held.conflict", fields=told["field"],
        at=who.at, grid=waiting.grid,
    )  # fmt: skip
    return told


class Resolve(Schema):
    action: str = "retry"


def _waiting(request: HttpRequest, fact_id: uuid.UUID) -> tuple[Caller, Waiting]:
    """Raises Refusal("not_found") alike for what does not wait and what lies outside."""
    waiting = Waiting.objects.filter(fact=fact_id, resolved_at__isnull=True).first()
    if waiting is None:
        raise Refusal("not_found")
    who, row = allow(request, "held.resolve")
    if not who.scope(row).allows(sub_district=waiting.sub_district, grid=waiting.grid):
        raise Refusal("not_found")
    return who, waiting


def _difference(request: HttpRequest, one: uuid.UUID) -> SheetDifference | None:
    """Two words about one line of a sheet; both count until somebody has looked."""
    who, row = allow(request, "held.resolve")
    found = difference_with_id(one, scope=who.scope(row))
    if found is not None:
        record_disclosures(
            [found.subject], actor=who.user.id, role=who.role_for(row), operation="held.conflict",
            fields="outcome", at=who.at, grid=found.grid,
        )  # fmt: skip
    return found


@router.post("/held/{fact_id}/resolve", auth=AUTH, operation_id="held_resolve")
@operation("held.resolve")
def resolve(request: HttpRequest, fact_id: uuid.UUID, body: Resolve) -> dict[str, Any]:
    """retry: try to apply again. take: of two values of a field, the one set aside. dismiss: somebody looked
    and lets it rest; it stays kept.
    """
    difference = _difference(request, fact_id)
    if difference is not None and body.action in {"take", "dismiss"}:
        decide = take_the_other if body.action == "take" else leave_as_it_stands
        decide(difference, by=caller(request).user.id, at=caller(request).at)
        return {"verdict": Verdict.APPLIED, "code": ""}
    who, waiting = _waiting(request, fact_id)
    if body.action == "take" and waiting.code == CONFLICT:
        take_other(waiting, by=who.user.id, at=who.at)
        return {"verdict": Verdict.APPLIED, "code": ""}
    if body.action == "retry" and waiting.verdict == Verdict.HELD:
        rulings = release_waiting(facts_with_keys([(waiting.device, waiting.seq)]), at=who.at)
        return {"verdict": rulings[0].verdict, "code": rulings[0].code}
    if body.action != "dismiss":
        raise Refusal("held_cannot_retry", code=waiting.code)
    Waiting.objects.filter(device=waiting.device, seq=waiting.seq).update(
        resolved_at=who.at, resolved_by=who.user.id, resolution="dismissed"
    )
    record_event(
        "Fact",
        fact_id,
        "dismiss",
        at=who.at,
        actor=who.user.id,
        incident=waiting.incident,
        reason=waiting.code,
    )
    return {"verdict": waiting.verdict, "code": waiting.code}
