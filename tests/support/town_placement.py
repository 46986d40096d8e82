# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about placement: a plan that is ready, one that was adopted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from muster.base.ids import new_id
from muster.places.services import form_command_unit
from muster.responders.models import Responder
from muster.responders.placement.models import PlacementGrid, PlacementPlan, PlacementSeat
from muster.responders.placement.reading import mark_of
from muster.responders.teams.services import TeamWords, add_members, add_place, make_team
from tests.support.placing import vetted
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Place

FIGURES: dict[str, Any] = {
    "people": 1, "placed": 1, "reserve": {}, "needed": 1, "filled": 1, "missing": 0, "held": 0, "own_grid": 1,
    "own_area": 1, "stay": 0, "moved": 0, "new": 1, "stood_down": 0, "worst": [], "gap": 0.0, "proved": True,
    "walk": {"mean": 0, "median": 0, "p90": 0, "largest": 0}, "walks": [1, 0, 0, 0, 0, 0, 0],
    "walk_edges": [200, 500, 1000, 2000, 3000, 5000], "dropped_pins": [],
}  # fmt: skip


@dataclass
class Placed:
    """ready: may be adopted. adopted: may be taken back. person: has a seat in both."""

    ready: uuid.UUID
    adopted: uuid.UUID
    person: uuid.UUID
    grid: int
    area: int
    team: uuid.UUID
    post: uuid.UUID
    unit: uuid.UUID

    @property
    def marks(self) -> set[str]:
        return {str(one) for one in (self.ready, self.adopted, self.person, self.team, self.post, self.unit)}


def place_people(world: World, place: Place) -> Placed:
    (one,) = vetted(world, grid=world.grids.index(place.grid), name="演安排")
    ready, adopted = (_plan(world, place, one, state) for state in ("READY", "ADOPTED"))
    by = world.head.id
    team = make_team(
        place.street, incident=world.incident, kind="work", words=TeamWords("工作队"), by=by, at=NOON
    )
    add_members(team, [one.id], by=by, at=NOON)
    post = add_place(team, code="vanguard", place="东门", holder=one.id, by=by, at=NOON)
    unit = form_command_unit(
        place.street, incident=world.incident.id, name="临时组", head_name="演组长", head_unit="", phone="",
        members=[], starts_at=NOON, ends_at=NOON + timedelta(days=7), by=by, at=NOON,
    )  # fmt: skip
    return Placed(ready.id, adopted.id, one.id, place.grid.id, place.street.id, team.id, post.id, unit.id)


def _plan(world: World, place: Place, one: Responder, state: str) -> PlacementPlan:
    by = {"adopted_at": NOON, "adopted_by": new_id()} if state == "ADOPTED" else {}
    plan = PlacementPlan.objects.create(
        incident=world.incident.id, area=place.street.id, area_path=place.street.path, state=state,
        made_at=NOON, figures=FIGURES, objective=1, bound=1, digest="0" * 64, **by,
    )  # fmt: skip
    line = {"helper": [1, 1, 0, "", 0, 0]}
    PlacementGrid.objects.create(plan=plan, grid=place.grid.id, number=0, needed=1, placed=1, lines=line)
    PlacementSeat.objects.create(
        plan=plan.id, incident=world.incident.id, sub_district=place.grid.sub_district, number=1,
        responder=one.id, grid=place.grid.id, post="helper", home_grid=place.grid.id, old_status="VETTED",
        mark=mark_of(("VETTED", None, place.grid.id, "", [], None, None, [])),
        state="PROPOSED" if state == "READY" else "ADOPTED",
    )  # fmt: skip
    return plan


def placement_asks(p: Placed) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> (method, path, body, lists)."""
    api = "/api/v1/placement/plans"
    ready, adopted, team = f"{api}/{p.ready}", f"{api}/{p.adopted}", f"/api/v1/teams/{p.team}"
    unit = {
        "area": p.area, "name": "临时二组", "head_name": "演组长", "starts_at": NOON.isoformat(),
        "ends_at": (NOON + timedelta(days=3)).isoformat(),
    }  # fmt: skip
    return {
        "placement_list": ("GET", api, None, True),
        "placement_propose": ("POST", api, {"area": p.area}, False),
        "placement_read": ("GET", ready, None, False),
        "placement_grids": ("GET", f"{ready}/grids", None, False),
        "placement_seats": ("GET", f"{ready}/seats", None, False),
        "placement_sheet": ("GET", f"{ready}/sheet", None, False),
        "placement_move": ("POST", f"{ready}/move", {"responder": p.person, "grid": None}, False),
        "placement_ban": ("POST", f"{ready}/ban", {"responder": p.person, "grid": p.grid}, False),
        "placement_free": ("POST", f"{ready}/free", {"responder": p.person}, False),
        "placement_again": ("POST", f"{ready}/again", None, False),
        "placement_preview": ("GET", f"{ready}/change", None, False),
        "placement_adopt": ("POST", f"{ready}/adopt", {"version": 1}, False),
        "placement_told": ("GET", f"{adopted}/told", None, False),
        "placement_untold": ("GET", "/api/v1/placement/untold", None, True),
        "placement_cards": ("GET", "/api/v1/placement/untold/cards", None, True),
        "placement_tell": ("POST", "/api/v1/placement/untold/told", {"seats": []}, True),
        "teams_list": ("GET", "/api/v1/teams", None, True),
        "teams_make": ("POST", "/api/v1/teams", {"area": p.area, "kind": "volunteer", "name": "新队"}, False),
        "teams_read": ("GET", team, None, False),
        "teams_join": ("POST", f"{team}/members", {"responders": [p.person]}, False),
        "teams_leave": ("DELETE", f"{team}/members/{p.person}", None, False),
        "teams_head": ("POST", f"{team}/head", {"responder": p.person}, False),
        "teams_add_place": ("POST", f"{team}/places", {"code": "model", "place": "西门"}, False),
        "teams_give_place": ("POST", f"{team}/places/{p.post}", {"holder": p.person}, False),
        "teams_end_place": ("DELETE", f"{team}/places/{p.post}", None, False),
        "teams_end": ("POST", f"{team}/end", None, False),
        "command_units_list": ("GET", "/api/v1/command-units", None, True),
        "command_units_form": ("POST", "/api/v1/command-units", unit, False),
        "command_units_end": ("POST", f"/api/v1/command-units/{p.unit}/end", None, False),
        "duty_read": ("GET", "/sync/v1/duty", None, False),
        "duty_here": ("POST", "/sync/v1/duty/here", {}, False),
        "duty_leaving": ("POST", "/sync/v1/duty/leaving", None, False),
        "duty_accept": ("POST", "/sync/v1/duty/accept", None, False),
        "duty_calendar": ("POST", "/sync/v1/duty/calendar", None, False),
        "placement_take_back": ("POST", f"{adopted}/take-back", {"version": 1}, False),
    }
