# SPDX-License-Identifier: Apache-2.0
"""Areas, grids, posts and enrol codes."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from typing import Any

import segno
from django.conf import settings
from django.db.models import Count
from django.http import HttpRequest
from ninja import Router, Schema

from muster.accounts.models import Device, EnrolCode, Lease
from muster.api.asked import searched
from muster.api.auth import AUTH, actor_id, allow, operation
from muster.base.errors import Refusal
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.models import Area, Building, Dwelling, Grid, GridPost
from muster.places.queries import area as area_with_id
from muster.places.queries import breadcrumb, children_of
from muster.places.queries import grid as grid_with_id
from muster.places.services import appoint, issue_enrol_code, relieve
from muster.register.models import Household, Person
from muster.storage.scoping import Scope

router = Router(tags=["places"], auth=AUTH)


class PostIn(Schema):
    type: str
    name: str
    phone: str = ""
    title: str = ""
    duty: str = ""
    user: uuid.UUID | None = None


class EnrolIn(Schema):
    worker_name: str = ""


def area_json(area: Area, children: int | None = None) -> dict[str, Any]:
    return {
        "id": area.id,
        "code": area.code,
        "name": area.name,
        "name_en": area.name_en,
        "level": area.level,
        "kind": area.kind,
        "parent": area.parent_id,
        "path": area.path,
        "sub_district": area.sub_district,
        "children_count": children,
    }


@router.get("/areas", operation_id="areas_list")
@operation("areas.list")
def list_areas(request: HttpRequest, parent: str = "root") -> dict[str, Any]:
    allow(request, "areas.list")
    if parent != "root" and not (parent.isascii() and parent.isdigit() and len(parent) < 19):
        raise Refusal("area_unknown", area=parent[:40])
    rows = list(children_of(None if parent == "root" else int(parent)).annotate(n=Count("children")))
    return {"items": [area_json(a, a.n) for a in rows], "next": None, "count": len(rows)}


@router.get("/areas/{area_id}", operation_id="areas_read")
@operation("areas.read")
def read_area(request: HttpRequest, area_id: int) -> dict[str, Any]:
    allow(request, "areas.read")
    area = area_with_id(area_id)
    return {**area_json(area, area.children.count()), "breadcrumb": [area_json(a) for a in breadcrumb(area)]}


@router.get("/grids", operation_id="grids_list")
@operation("grids.list")
def list_grids(
    request: HttpRequest, area: int | None = None, level: str = "SMALL", q: str = ""
) -> dict[str, Any]:
    who, row = allow(request, "grids.list")
    scope = who.scope(row)
    rows = Grid.objects.filter(status="ACTIVE").select_related("area").order_by("code")
    if level:
        rows = rows.filter(level=level)
    if area is not None:
        rows = rows.filter(area__path__startswith=area_with_id(area).path)
    if q := searched(q):
        rows = rows.filter(name__icontains=q) | rows.filter(code__icontains=q)
    grids = [g for g in rows if _in_scope(g, scope)]
    return {"items": grids_json(grids), "next": None, "count": len(grids)}


def _in_scope(grid: Grid, scope: Scope) -> bool:
    return scope.allows(sub_district=grid.sub_district, grid=grid.id) or (
        grid.level != "SMALL"
        and bool(scope.grids)
        and Grid.objects.filter(parent=grid, id__in=scope.grids).exists()
    )


def grids_json(grids: Sequence[Grid]) -> list[dict[str, Any]]:
    """Grids with their counts and heads, in a fixed number of statements."""
    ids = [g.id for g in grids]
    small = {g.id: [g.id] for g in grids if g.level == "SMALL"}
    for g in grids:
        if g.level != "SMALL":
            small[g.id] = list(
                Grid.objects.filter(parent=g, level="SMALL", status="ACTIVE").values_list("id", flat=True)
            ) or list(
                Grid.objects.filter(parent__parent=g, level="SMALL", status="ACTIVE").values_list(
                    "id", flat=True
                )
            )
    below = {s for part in small.values() for s in part}
    people = _count(
        Person.objects.across(reason="count").filter(grid__in=below, left_at__isnull=True, lives_here=True)
    )
    households = _count(Household.objects.across(reason="count").filter(grid__in=below, left_at__isnull=True))
    dwellings = _count(Dwelling.objects.across(reason="count").filter(grid__in=below, status="ACTIVE"))
    buildings = _count(Building.objects.filter(grid__in=below))
    posts: dict[int, list[GridPost]] = {}
    for post in GridPost.objects.filter(grid_id__in=ids, until__isnull=True).order_by("type", "since"):
        posts.setdefault(post.grid_id, []).append(post)
    return [
        {
            "id": g.id,
            "code": g.code,
            "name": g.name,
            "name_en": g.name_en,
            "level": g.level,
            "parent": g.parent_id,
            "area": {"id": g.area_id, "name": g.area.name, "name_en": g.area.name_en},
            "sub_district": g.sub_district,
            "population": sum(people[s] for s in small[g.id]),
            "households": sum(households[s] for s in small[g.id]),
            "dwellings": sum(dwellings[s] for s in small[g.id]),
            "buildings": sum(buildings[s] for s in small[g.id]),
            "head": next(
                ({"name": p.holder_name, "phone": p.phone} for p in posts.get(g.id, []) if p.type == "head"),
                None,
            ),
            "posts": [post_json(p) for p in posts.get(g.id, [])],
            "revision": g.revision,
            "centre": [g.lon, g.lat] if g.lon is not None else None,
        }
        for g in grids
    ]


def _count(rows: Any) -> Counter[int]:
    return Counter(dict(rows.values_list("grid").annotate(n=Count("id"))))


def post_json(post: GridPost) -> dict[str, Any]:
    return {
        "id": post.id, "type": post.type, "title": post.title, "duty": post.duty, "name": post.holder_name,
        "phone": post.phone, "since": post.since, "holder": post.holder,
    }  # fmt: skip


@router.get("/grids/{grid_id}", operation_id="grids_read")
@operation("grids.read")
def read_grid(request: HttpRequest, grid_id: int) -> dict[str, Any]:
    grid = grid_with_id(grid_id)
    allow(request, "grids.read", grid=grid)
    codes = EnrolCode.objects.filter(grid=grid.id).select_related("worker").order_by("-made_at")[:20]
    leases = (
        Lease.objects.filter(device__in=Device.objects.filter(kind="FIELD"))
        .select_related("device", "actor")
        .order_by("-issued_at")
    )
    devices: dict[uuid.UUID, dict[str, Any]] = {}
    for lease in leases:
        if grid.id in lease.grids and lease.device_id not in devices:
            devices[lease.device_id] = {
                "id": lease.device_id, "name": lease.device.name, "actor": lease.actor.name,
                "last_contact_at": lease.device.last_contact_at, "revoked_at": lease.device.revoked_at,
            }  # fmt: skip
    return {
        **grids_json([grid])[0],
        "enrol_codes": [
            {
                "id": c.id,
                "worker": c.worker.name,
                "made_at": c.made_at,
                "expires_at": c.expires_at,
                "used_at": c.used_at,
            }
            for c in codes
        ],
        "devices": list(devices.values()),
    }


@router.post("/grids/{grid_id}/posts", operation_id="grids_appoint")
@operation("grids.staff")
def add_post(request: HttpRequest, grid_id: int, body: PostIn) -> dict[str, Any]:
    grid = grid_with_id(grid_id)
    who, _ = allow(request, "grids.staff", grid=grid)
    incident = current_incident(who.at)
    known = {p.type: p for p in pack_of(incident).posts} if incident else {}
    if known and body.type not in known:
        raise Refusal("post_type_unknown", type=body.type)
    if not body.name.strip():
        raise Refusal("name_missing", field="name")
    default = known.get(body.type)
    title = body.title or (
        default.name.zh if default and who.language == "zh" else default.name.en if default else ""
    )
    duty = body.duty or (
        default.duty.zh if default and who.language == "zh" else default.duty.en if default else ""
    )
    post = appoint(
        grid,
        type=body.type,
        name=body.name.strip()[:80],
        phone=body.phone[:40],
        title=title,
        duty=duty,
        holder=body.user,
        by=who.user.id,
        at=who.at,
    )
    return post_json(post)


@router.delete("/grids/{grid_id}/posts/{post_id}", operation_id="grids_relieve")
@operation("grids.staff")
def end_post(request: HttpRequest, grid_id: int, post_id: uuid.UUID) -> dict[str, Any]:
    grid = grid_with_id(grid_id)
    who, _ = allow(request, "grids.staff", grid=grid)
    post = GridPost.objects.filter(id=post_id, grid=grid).first()
    if post is None:
        raise Refusal("not_found")
    relieve(post, by=who.user.id, at=who.at)
    return {"ok": True}


@router.post("/grids/{grid_id}/enrol-codes", operation_id="grids_enrol")
@operation("grids.enrol")
def add_enrol_code(request: HttpRequest, grid_id: int, body: EnrolIn) -> dict[str, Any]:
    """A code and its QR for one worker's phone; the worker becomes known by the name given here."""
    grid = grid_with_id(grid_id)
    who, _ = allow(request, "grids.enrol", grid=grid)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("incident_unknown")
    code, row = issue_enrol_code(
        grid, incident=incident.id, worker_name=body.worker_name, by=actor_id(request), at=who.at
    )
    url = f"{settings.ENVIRONMENT.web_origin}/field/?code={code}"
    image = segno.make(url, error="m").svg_inline(scale=4, border=2)
    return {
        "code": code,
        "url": url,
        "qr_svg": image,
        "expires_at": row.expires_at,
        "grid": grid.id,
        "worker": row.worker.name,
    }
