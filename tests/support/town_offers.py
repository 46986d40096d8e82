# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about offers of help: one to look at, one that is kept for a request."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from muster.base.ids import new_id
from muster.offers import services
from muster.offers.services import Given
from muster.requests.placing import where_is
from muster.requests.team_help import ask_team
from muster.responders.teams.models import Team
from tests.support.serving import ask, pack
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Ask, Place


@dataclass
class Offered:
    """new: nobody looked at it. open: a part of it is kept. help: of a team with a problem."""

    grid: int
    new: uuid.UUID
    open: uuid.UUID
    match: uuid.UUID
    request: uuid.UUID
    problem: uuid.UUID
    team: uuid.UUID
    help: uuid.UUID

    @property
    def marks(self) -> set[str]:
        return {str(self.new), str(self.open), str(self.match)}


def offer_help(world: World, place: Place) -> Offered:
    by = new_id()
    new, good = (
        services.make_offer(
            Given("goods", 5, phone="13911110000"), incident=world.incident.id, pack=pack(world),
            sub_district=place.grid.sub_district, grid=place.grid.id, by=None, at=NOON,
        )[0]
        for _ in range(2)
    )  # fmt: skip
    services.accept(good.id, checks=["CALLED_BACK"], pack=pack(world), by=by, at=NOON)
    first, second = (
        ask(world, category=kind, where=where_is(place.dwelling), phone="").request
        for kind in ("hardship", "care")
    )
    kept = services.reserve(good.id, request=first.id, quantity=1, by=by, at=NOON)
    problem = ask(world, category="dispute", where=where_is(place.dwelling), phone="").request
    groups = [
        Team.objects.create(
            incident=world.incident.id,
            area=place.street.id,
            area_path=place.street.path,
            kind="work",
            name=name,
            made_at=NOON,
            starts_at=NOON,
        )
        for name in ("一线包抓一组", "一线包抓二组")
    ]
    asked = ask_team(problem.id, team=groups[0].id, by=by, at=NOON)
    return Offered(place.grid.id, new.id, good.id, kept.id, second.id, problem.id, groups[1].id, asked.id)


def offer_asks(o: Offered) -> dict[str, Ask]:
    """operation id -> a request about this place."""
    from tests.support.town import Ask

    api, new, good = "/api/v1/offers", f"/api/v1/offers/{o.new}", f"/api/v1/offers/{o.open}"
    problem = f"/api/v1/requests/{o.problem}/team-help"
    return {
        "requests_team_help": Ask("GET", problem),
        "requests_ask_team": Ask("POST", problem, {"team": o.team}),
        "requests_team_step": Ask("POST", f"{problem}/{o.help}", {"to": "TAKEN_UP"}),
        "request_help": Ask("GET", f"/api/v1/requests/{o.request}/help"),
        "request_help_unfit": Ask("POST", f"/api/v1/requests/{o.request}/help/{o.open}/unfit"),
        "request_help_fits": Ask("POST", f"/api/v1/requests/{o.request}/help/{o.open}/fits"),
        "offers_list": Ask("GET", f"{api}?status=all", lists=True),
        "offers_make": Ask("POST", api, {"category": "food", "grid": o.grid}),
        "offers_read": Ask("GET", good),
        "offers_suggest": Ask("GET", f"{good}/suggestions"),
        "offers_accept": Ask("POST", f"{new}/accept", {"checks": ["CALLED_BACK"]}),
        "offers_decline": Ask("POST", f"{new}/decline", {"text": "够了，谢谢"}),
        "offers_withdraw": Ask("POST", f"{new}/withdraw"),
        "offers_match": Ask("POST", f"{good}/match", {"request": o.request, "quantity": 1}),
        "offers_match_step": Ask("POST", f"{good}/matches/{o.match}", {"to": "GIVEN"}),
        "offers_reveal": Ask("POST", f"{new}/reveal", {"field": "phone", "purpose": "call"}),
    }
