# SPDX-License-Identifier: Apache-2.0
"""Campaign kinds, campaigns, planning a round."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, allow, operation
from muster.api.rounds import full_round_json, touches
from muster.base.errors import Refusal
from muster.campaigns.models import Campaign, CampaignKind
from muster.campaigns.services import save_kind, start_campaign
from muster.incidents.packs import pack_of
from muster.incidents.services import current_incident
from muster.places.queries import area as area_with_id

router = Router(tags=["campaigns"], auth=AUTH)


class KindIn(Schema):
    key: str
    definition: dict[str, Any]


class CampaignIn(Schema):
    name: str
    kind: str
    area: int


@router.get("/campaign-kinds", operation_id="kinds_list")
@operation("kinds.read")
def list_kinds(request: HttpRequest) -> dict[str, Any]:
    """Kinds made at desks (their newest version) and those of the pack."""
    who, _ = allow(request, "kinds.read")
    incident = current_incident(who.at)
    newest: dict[str, dict[str, Any]] = {}
    if incident is not None:
        for kind in pack_of(incident).campaign_kinds:
            newest[kind.key] = {"from": "pack", **pack_of(incident).campaign_kind_json(kind.key)}
        for row in CampaignKind.objects.filter(incident=incident.id).order_by("version"):
            newest[row.key] = {
                "from": "desk" if row.made_by else "pack",
                **row.definition,
                "id": row.id,
                "made_at": row.made_at,
            }
    return {"items": list(newest.values()), "next": None, "count": len(newest)}


@router.post("/campaign-kinds", operation_id="kinds_save")
@operation("kinds.write")
def add_kind(request: HttpRequest, body: KindIn) -> dict[str, Any]:
    """A new kind, or a new version of one: on phones at their next pull, old answers stay valid."""
    who, _ = allow(request, "kinds.write")
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("incident_unknown")
    if not body.key.replace("_", "").isalnum() or not body.key.isascii() or len(body.key) > 40:
        raise Refusal("kind_bad", why="key")
    kind = save_kind(
        key=body.key, definition=body.definition, incident=incident.id, by=who.user.id, at=who.at
    )
    return {"id": kind.id, "from": "desk", **kind.definition}


@router.put("/campaign-kinds/{key}", operation_id="kinds_update")
@operation("kinds.write")
def update_kind(request: HttpRequest, key: str, body: KindIn) -> dict[str, Any]:
    return add_kind(request, KindIn(key=key, definition=body.definition))


@router.get("/campaigns", operation_id="campaigns_list")
@operation("campaigns.read")
def list_campaigns(request: HttpRequest) -> dict[str, Any]:
    who, _ = allow(request, "campaigns.read")
    rows = Campaign.objects.select_related("kind").prefetch_related("rounds__campaign__kind").order_by("-id")
    items = [
        {
            "id": c.id,
            "name": c.name,
            "kind": c.kind.key,
            "kind_name": c.kind.definition["name"],
            "unit": c.kind.definition["unit"],
            "area": c.area,
            "made_at": c.made_at,
            "rounds": [full_round_json(r) for r in c.rounds.all()],
        }
        for c in rows
        if touches(c, who)
    ]
    return {"items": items, "next": None, "count": len(items)}


@router.post("/campaigns", operation_id="campaigns_start")
@operation("campaigns.write")
def add_campaign(request: HttpRequest, body: CampaignIn) -> dict[str, Any]:
    area = area_with_id(body.area)
    who, _ = allow(request, "campaigns.write", path=area.path)
    incident = current_incident(who.at)
    if incident is None:
        raise Refusal("incident_unknown")
    if not body.name.strip():
        raise Refusal("name_missing", field="name")
    kind = CampaignKind.objects.filter(incident=incident.id, key=body.kind).order_by("-version").first()
    if kind is None:
        try:
            definition = pack_of(incident).campaign_kind_json(body.kind)
        except LookupError as error:
            raise Refusal("kind_unknown", kind=body.kind) from error
        kind = save_kind(key=body.kind, definition=definition, incident=incident.id, by=None, at=who.at)
    made = start_campaign(
        incident=incident.id, name=body.name.strip()[:120], kind=kind, area=area, by=who.user.id, at=who.at
    )
    return {"id": made.id, "name": made.name, "kind": kind.key, "area": area.id, "rounds": []}
