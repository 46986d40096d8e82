# SPDX-License-Identifier: Apache-2.0
"""People who serve as the API shows them: cards of a list, one person with all that happened."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any

from muster.accounts.models import User
from muster.accounts.policy import row_for
from muster.api.auth import Caller
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.packs import Pack
from muster.places.models import Area, Grid
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.responders.checking_in import second_values
from muster.responders.duty import minutes_served
from muster.responders.models import Responder, SecondCheckIn
from muster.responders.placement.queries import placing_events
from muster.responders.sight import doubles_of, seen_by
from muster.responders.standing import affiliations_of
from muster.responders.states import ResponderStatus
from muster.trail.models import Event

MOST_OF_TIMELINE = 200


def role_of(who: Caller) -> str:
    return next(iter(sorted(who.roles)), "none")


def cards(rows: Sequence[Responder], who: Caller, *, among: Any, pack: Pack) -> list[dict[str, Any]]:
    grids = {g.id: g for g in Grid.objects.filter(
        id__in={i for row in rows for i in (row.grid, row.home_grid) if i is not None}
    ).select_related("area").defer("geometry", "area__geometry")}  # fmt: skip
    areas = {a.id: a for a in Area.objects.filter(id__in={r.home_area for r in rows if r.home_area})}
    doubles = doubles_of([row for row in rows if row.status == ResponderStatus.REGISTERED], among=among)
    seconds = set(
        SecondCheckIn.objects.across(reason="own")
        .filter(responder__in=[row.id for row in rows], decided_at__isnull=True)
        .values_list("responder", flat=True)
    )
    return [_card(row, who, grids, areas, pack=pack, doubles=doubles.get(row.id, []),
                  has_second=row.id in seconds) for row in rows]  # fmt: skip


def _card(
    row: Responder,
    who: Caller,
    grids: dict[int, Grid],
    areas: dict[int, Area],
    *,
    pack: Pack,
    doubles: Sequence[uuid.UUID],
    has_second: bool,
) -> dict[str, Any]:
    home = grids.get(row.home_grid or 0)
    area = home.area if home else areas.get(row.home_area or 0)
    return {
        "id": row.id, "status": row.status, "since": row.status_since, "checked_in_at": row.checked_in_at,
        "channel": row.channel, "version": row.version,
        "name": mask_name(row.name) if row.name else "",
        "phone": mask_phone(row.phone) if row.phone else None,
        "grid": place_json(grids.get(row.grid or 0)), "home_grid": place_json(home),
        "home_area": place_json(area),
        "unit": row.unit, "affiliations": _shown_affiliations(row, who, pack),
        "skills": row.skills, "languages": row.languages, "free_times": row.free_times,
        "certificates": row.certificates, "minutes": minutes_served(row, at=who.at),
        "on_duty_since": row.on_duty_since, "away_until": row.away_until, "open_jobs": row.open_jobs,
        "is_suspect": row.is_suspect, "age_known": row.birth_year is not None,
        "declined_reason": row.declined_reason, "doubles": list(doubles), "has_second": has_second,
    }  # fmt: skip


VETTERS = frozenset({"desk", "street"})


def _shown_affiliations(row: Responder, who: Caller, pack: Pack) -> list[str]:
    """A sensitive one is for those who vet, and nobody else."""
    sensitive = {one.code for one in pack.affiliations if one.sensitive}
    if who.roles & VETTERS:
        sensitive = set()
    return [code for code in affiliations_of(row) if code not in sensitive]


def place_json(one: Area | Grid | None) -> dict[str, Any] | None:
    return {"id": one.id, "name": one.name, "name_en": one.name_en} if one is not None else None


def whole(row: Responder, who: Caller) -> dict[str, Any]:
    """One person, as the page of one shows him; every answer to a change is this."""
    row.refresh_from_db()
    incident = Incident.objects.get(id=row.incident)
    allowed = _seen_by_caller(who, incident)
    seconds = SecondCheckIn.objects.across(reason="own").filter(responder=row, decided_at__isnull=True)
    (card,) = cards([row], who, among=allowed, pack=pack_of(incident))
    doubles = Responder.objects.across(reason="own").filter(id__in=card["doubles"])
    return {
        **card,
        "cannot": row.cannot, "post": row.post, "duty": row.duty,
        "external_id": row.external_id, "birth_year": row.birth_year,
        "has_branch": bool(row.__dict__.get("branch")), "has_limits": bool(row.__dict__.get("limits")),
        "has_home_text": bool(row.__dict__.get("home_text")),
        "vetted_at": row.vetted_at, "vetted_by": _names([row.vetted_by]).get(row.vetted_by, ""),
        "seconds": [_second(one, row) for one in seconds.order_by("at")],
        "like": [
            {"id": one.id, "name": mask_name(one.name), "phone": mask_phone(one.phone), "unit": one.unit,
             "status": one.status}
            for one in doubles
        ],
        "timeline": _timeline(row),
    }  # fmt: skip


def _seen_by_caller(who: Caller, incident: Incident) -> Any:
    return seen_by(who.scope(row_for("responders.read", who.roles)), incident=incident.id)


def _second(one: SecondCheckIn, first: Responder) -> dict[str, Any]:
    """What differs, without telling more than lists do."""
    said = second_values(one)
    return {
        "id": one.id, "at": one.at, "name": mask_name(said.get("name", "")),
        "same_name": said.get("name") == first.name, "unit": said.get("organisation", ""),
        "skills": [code for code in said.get("skills", "").split(",") if code],
    }  # fmt: skip


def _timeline(row: Responder) -> list[dict[str, Any]]:
    events = list(
        Event.objects.filter(entity="Responder", entity_id=str(row.id)).order_by("-at", "-id")[
            :MOST_OF_TIMELINE
        ]
    )
    events = sorted([*events, *placing_events(row)], key=lambda e: (e.at, e.id), reverse=True)
    events = events[:MOST_OF_TIMELINE]
    users = _names({e.actor for e in events})
    told = [
        {
            "at": e.at,
            "verb": e.verb,
            "by": users.get(e.actor, ""),
            "from": e.from_state,
            "to": e.to_state,
            "reason": e.reason,
            "heard": e.facts.get("heard"),
        }
        for e in events
    ]
    if not any(e.verb == "check_in" for e in events):
        told.append(
            {
                "at": row.checked_in_at,
                "verb": "check_in",
                "by": "",
                "from": "",
                "to": "",
                "reason": "",
                "heard": None,
            }
        )
    return told


def _names(users: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    return dict(User.objects.filter(id__in=[u for u in users if u is not None]).values_list("id", "name"))
