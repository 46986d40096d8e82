# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about placement: a plan that is ready, one that was adopted."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster.base.ids import new_id
from muster.responders.models import Responder
from muster.responders.placement.models import PlacementGrid, PlacementPlan, PlacementSeat
from muster.responders.placement.reading import mark_of
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

    @property
    def marks(self) -> set[str]:
        return {str(self.ready), str(self.adopted), str(self.person)}


def place_people(world: World, place: Place) -> Placed:
    (one,) = vetted(world, grid=world.grids.index(place.grid), name="演安排")
    ready, adopted = (_plan(world, place, one, state) for state in ("READY", "ADOPTED"))
    return Placed(ready.id, adopted.id, one.id, place.grid.id, place.street.id)


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
        mark=mark_of(("VETTED", None, place.grid.id, "", [], None, None)),
        state="PROPOSED" if state == "READY" else "ADOPTED",
    )  # fmt: skip
    return plan


def placement_asks(p: Placed) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> (method, path, body, lists)."""
    api = "/api/v1/placement/plans"
    ready, adopted = f"{api}/{p.ready}", f"{api}/{p.adopted}"
    return {
        "placement_list": ("GET", api, None, True),
        "placement_propose": ("POST", api, {"area": p.area}, False),
        "placement_read": ("GET", ready, None, False),
        "placement_grids": ("GET", f"{ready}/grids", None, False),
        "placement_seats": ("GET", f"{ready}/seats", None, False),
        "placement_move": ("POST", f"{ready}/move", {"responder": p.person, "grid": None}, False),
        "placement_ban": ("POST", f"{ready}/ban", {"responder": p.person, "grid": p.grid}, False),
        "placement_free": ("POST", f"{ready}/free", {"responder": p.person}, False),
        "placement_again": ("POST", f"{ready}/again", None, False),
        "placement_preview": ("GET", f"{ready}/change", None, False),
        "placement_adopt": ("POST", f"{ready}/adopt", {"version": 1}, False),
        "placement_take_back": ("POST", f"{adopted}/take-back", {"version": 1}, False),
    }
