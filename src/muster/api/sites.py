# SPDX-License-Identifier: Apache-2.0
"""Sites at the desk: at the city which there are and what they hold; at a site what waits to be passed on."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router

from muster.api.auth import AUTH, allow, operation
from muster.base.errors import Refusal
from muster.offers.models import HelpOffer
from muster.places.models import Grid
from muster.register.import_models import ImportBatch
from muster.requests.models import Picture, Request, WorkItem
from muster.responders.models import Responder
from muster.sheets.models import SheetPicture
from muster.storage.scoping import Scope
from muster.sync.models import HomeCity, OtherVerdict, Site, SiteReceipt, StuckBatch
from muster.sync.site.city_side import revoke_site
from muster.sync.site.progress import progress_of
from muster.sync.site.standing import home_city
from muster.trips.models import Trip

router = Router(tags=["devices"])
SHOWN = 100


@router.get("/sites", auth=AUTH, operation_id="sites_list")
@operation("sites.list")
def list_sites(request: HttpRequest) -> dict[str, Any]:
    """The sites of my grids; and, where this house is a site itself, how it stands with its city."""
    who, row = allow(request, "sites.list")
    scope = who.scope(row)
    homes = dict(Grid.objects.values_list("id", "sub_district"))
    items = [
        _told(site) for site in Site.objects.order_by("-prepared_at")[:500] if _seen(site, scope, homes, any)
    ]
    home = home_city()
    return {
        "items": items,
        "next": None,
        "count": len(items),
        "home": (progress_of(home) | _in_question(scope, homes) | {"stays": _what_stays(home)})
        if home is not None
        else None,
    }


def _what_stays(home: HomeCity) -> dict[str, int]:
    """What was recorded here and is not passed on, by its sort: the city is to be told in another way."""
    here = {"incident": home.incident}
    since = home.opened_at
    papers = SheetPicture.objects.filter(**here, at__gte=since).count()
    done = (
        WorkItem.objects.across(reason="site").filter(**here, ended_at__gte=since).exclude(photo="").count()
    )
    people = Responder.objects.across(reason="site").filter(**here, checked_in_at__gte=since)
    return {
        "requests": Request.objects.across(reason="site").filter(**here, made_at__gte=since).count(),
        "trips": Trip.objects.across(reason="site").filter(**here, made_at__gte=since).count(),
        # Whose phone joined here is told to the city; who only checked in on a page is not.
        "people": people.exclude(channel="WORKER").count(),
        "pictures": Picture.objects.filter(**here, at__gte=since).count() + papers + done,
        "offers": HelpOffer.objects.across(reason="site").filter(**here, made_at__gte=since).count(),
        "imports": ImportBatch.objects.filter(**here, committed_at__gte=since).count(),
    }


def _seen(site: Site, scope: Scope, homes: dict[int, int], how: Any) -> bool:
    return bool(how(scope.allows(sub_district=homes.get(g), grid=g) for g in site.grids))


def _told(site: Site) -> dict[str, Any]:
    return {
        "id": site.id,
        "name": site.name,
        "grids": len(site.grids),
        "prepared_at": site.prepared_at,
        "until": site.until,
        "heard_at": site.heard_at,
        "waiting": site.waiting,
        "waiting_since": site.waiting_since,
        "batches": SiteReceipt.objects.filter(site=site.id).count(),
        "revoked_at": site.revoked_at,
    }


def _in_question(scope: Scope, homes: dict[int, int]) -> dict[str, Any]:
    """What a person at the site should look at: refused at the city's door, or judged otherwise there."""
    others = OtherVerdict.objects.order_by("-since")[:SHOWN]
    seen = [o for o in others if scope.allows(sub_district=homes.get(o.grid or 0), grid=o.grid)]
    return {
        "others": [
            {"fact": o.fact, "verdict": o.verdict, "code": o.code, "since": o.since, "grid": o.grid}
            for o in seen
        ],
        "stuck_batches": [
            {"batch": s.batch, "device": s.device, "code": s.code, "since": s.since, "tried_at": s.tried_at}
            for s in StuckBatch.objects.order_by("since")[:SHOWN]
        ],
    }


@router.post("/sites/{site_id}/revoke", auth=AUTH, operation_id="sites_revoke")
@operation("sites.revoke")
def revoke(request: HttpRequest, site_id: uuid.UUID) -> dict[str, Any]:
    """Takes a site's word back; only somebody whose area holds all of its grids."""
    who, row = allow(request, "sites.revoke")
    site = Site.objects.filter(id=site_id).first()
    homes = dict(Grid.objects.values_list("id", "sub_district"))
    if site is None or not _seen(site, who.scope(row), homes, all):
        raise Refusal("not_found")
    revoke_site(site, by=who.user.id, at=who.at)
    return {"ok": True}
