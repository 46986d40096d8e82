# SPDX-License-Identifier: Apache-2.0
"""What the server says one may do before one presses; freezing a large roster in sight; wider lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.accounts import policy
from muster.accounts.services import add_user, grant_role
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.campaigns import services
from muster.campaigns.models import Certificate, Round, RoundGrid
from muster.campaigns.services import freeze_round, next_to_freeze, start_closing
from muster.sync.verify import verify_all
from muster.trail.models import Event
from tests.support.town import AT, Place, Town, bearer, make_town
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town()


def get(path: str, headers: dict[str, str]) -> Any:
    answer = Client().get(f"{API}{path}", headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(path: str, headers: dict[str, str], body: Any = None) -> Any:
    return Client().post(f"{API}{path}", body or {}, content_type="application/json", headers=headers)


def steps(round_: Round, headers: dict[str, str]) -> dict[str, str | None]:
    """step -> code of what forbids it; None: allowed."""
    told = get(f"/rounds/{round_.id}", headers)["steps"]
    return {one["step"]: None if one["may"] else one["why_not"]["code"] for one in told}


def desk_of(place: Place) -> dict[str, str]:
    user = add_user(username=f"desk-{new_id().hex}", name="社区")
    grant_role(user, role="desk", area=place.area.id, area_path=place.area.path, at=NOON)
    return bearer(user)


def done(town: Town, place: Place) -> None:
    entries = place.round, [p for p in town.world.persons if p.sub_district == place.area.sub_district]
    facts = [town.world.outcome(p, "done", round=str(entries[0].id)) for p in entries[1]]
    town.world.record(*facts)


def test_a_grid_head_is_told_that_the_steps_are_not_his(town: Town) -> None:
    head, desk = town.caller("grid_head"), desk_of(town.here)
    start_closing(town.here.round, by=None, at=AT)

    assert steps(town.here.round, head) == {"close": "role_may_not", "reopen": "role_may_not"}
    assert steps(town.here.round, desk) == {"close": "round_has_open_entries", "reopen": None}
    told = get(f"/rounds/{town.here.round.id}", head)["steps"][0]["why_not"]
    assert told["en"]
    assert told["zh"]


def test_who_sees_a_wider_round_is_told_who_may_run_it(town: Town) -> None:
    assert steps(town.world.round, desk_of(town.here)) == {"start-closing": "area_too_wide"}


@pytest.mark.parametrize("role", ["desk", "grid_head", "worker"])
def test_what_is_said_is_what_happens(town: Town, role: str) -> None:
    """Each step is tried: it is refused exactly where it was said that it would be."""
    headers = desk_of(town.here) if role == "desk" else town.caller(role)
    done(town, town.here)
    for round_ in (town.here.round, town.here.planned, town.world.round):
        for step, why in steps(round_, headers).items():
            answer = post(f"/rounds/{round_.id}/{step}", headers)
            assert (answer.status_code == 200) is (why is None), (step, why, answer.content)


def test_the_session_names_the_operations_of_the_table(town: Town) -> None:
    for role in ("grid_head", "worker", "command"):
        may = set(get("/session", {})["may"]) or None
        user = add_user(username=f"one-{role}", name=role)
        grant_role(user, role=role, area=town.here.street.id, area_path=town.here.street.path, at=NOON)
        client = Client()
        client.force_login(user)
        told = set(client.get(f"{API}/session").json()["may"])
        right = set()
        for name in policy.table():
            try:
                policy.row_for(name, {role})
            except Refusal:
                continue
            right.add(name)
        assert may is None
        assert told == right


def test_a_large_roster_is_frozen_by_the_worker_in_sight(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "FREEZE_AT_ONCE", 1)
    desk, planned = town.caller("street"), town.here.planned

    asked = post(f"/rounds/{planned.id}/freeze", desk).json()
    again = post(f"/rounds/{planned.id}/freeze", desk).json()
    waiting = next_to_freeze()

    assert (asked["status"], asked["freezing"]["done"], asked["freezing"]["total"]) == ("PLANNED", 0, 2)
    assert again["freezing"]["asked_at"] == asked["freezing"]["asked_at"]
    assert waiting == planned
    assert Event.objects.filter(entity="Round", entity_id=str(planned.id), verb="ask_freeze").count() == 1

    # The child falls after its first grid; what is done is shown, and the next one goes on there.
    class Fallen(RuntimeError): ...

    def fall(grid: int, total: int) -> None:
        raise Fallen

    with pytest.raises(Fallen):
        freeze_round(waiting, by=None, at=AT, progress=fall)
    halfway = get(f"/rounds/{planned.id}", desk)["freezing"]
    assert (halfway["done"], halfway["total"]) == (1, 2)
    assert halfway["units"] == RoundGrid.objects.get(round=planned.id).frozen
    freeze_round(Round.objects.get(id=planned.id), by=None, at=AT)
    assert get(f"/rounds/{planned.id}", desk)["freezing"] is None
    assert next_to_freeze() is None
    assert verify_all() == []


def test_two_that_freeze_at_once_count_nobody_twice(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = town.here.planned
    real = services._freeze_grid

    def overtaken(round_: Round, grid: Any) -> None:
        real(round_, grid)
        real(round_, grid)

    monkeypatch.setattr(services, "_freeze_grid", overtaken)
    freeze_round(planned, by=None, at=AT)

    assert RoundGrid.objects.filter(round=planned.id).count() == 2
    assert verify_all() == []


def test_a_signature_that_no_longer_holds_is_given_anew(town: Town) -> None:
    head, place = town.caller("grid_head"), town.here
    path = f"/rounds/{place.round.id}/grids/{place.grid.id}/certificate"
    done(town, place)
    start_closing(place.round, by=None, at=AT)
    first = post(path, head).json()
    twice = post(path, head)
    town.world.record(town.world.outcome(place.person, "done", round=str(place.round.id), minutes=5))
    stale = get(path, head)
    second = post(path, head).json()

    assert (first["state"], first["sign"]["may"], first["still_matches"]) == ("SIGNED", True, True)
    assert (twice.status_code, twice.json()["code"]) == (409, "certificate_exists")
    assert stale["still_matches"] is False
    assert second["still_matches"] is True
    assert Certificate.objects.filter(withdrawn_at__isnull=False).count() == 1
    assert get(path, town.caller("desk"))["sign"]["why_not"]["code"] == "role_may_not"


def test_certificates_and_inbox_name_places_in_english(town: Town) -> None:
    place = town.here
    type(place.grid).objects.filter(id=place.grid.id).update(name_en="Grid One")
    type(place.area).objects.filter(id=place.area.id).update(name_en="First Community")
    head = town.caller("grid_head")
    done(town, place)
    start_closing(place.round, by=None, at=AT)

    text = get(f"/rounds/{place.round.id}/grids/{place.grid.id}/certificate", head)["text"]
    titles = [
        i["title"] for i in get("/inbox", town.caller("desk"))["items"] if i["kind"] == "grid_to_certify"
    ]

    assert "Grid One" in text["en"]
    assert place.grid.name in text["zh"]
    assert any("Grid One" in one["en"] and place.grid.name in one["zh"] for one in titles)


def test_buildings_of_a_round_come_without_a_grid_page_by_page(town: Town) -> None:
    street, round_ = town.caller("street"), town.world.round
    path = f"/rounds/{round_.id}/buildings"

    whole = get(path, street)
    first = get(f"{path}?limit=1", street)
    second = get(f"{path}?limit=1&cursor={first['next']}", street)
    of_area = get(f"{path}?area={town.there.area.id}", street)

    assert whole["count"] == 2
    assert [one["id"] for one in first["items"] + second["items"]] == [one["id"] for one in whole["items"]]
    assert second["next"] is None
    assert of_area["items"] == []
    assert Client().get(f"{API}{path}?cursor=x", headers=street).json()["code"] == "cursor_bad"
    by_grid = get(f"{path}?grid={town.here.grid.id}", street)["items"]
    assert by_grid == [one for one in whole["items"] if one["grid"] == town.here.grid.id]


def test_more_grids_ask_no_more_statements(town: Town) -> None:
    def asked(place: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            get(f"/rounds/{town.world.round.id}/buildings{place}", town.callers["street"])
        return len(captured)

    town.callers["street"] = town.caller("street")
    asked("")
    assert asked("") <= asked(f"?grid={town.here.grid.id}") + 1


def test_doors_of_an_area(town: Town) -> None:
    street = town.caller("street")

    here = get(f"/register/dwellings?area={town.here.area.id}", street)
    there = get(f"/register/dwellings?area={town.there.area.id}", street)

    assert here["count"] == get("/register/dwellings", street)["count"] > 0
    assert there["count"] == 0
