# SPDX-License-Identifier: Apache-2.0
"""Teams with members, head, posts and zones; kept together in a placement; command units with an end."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from muster.base.errors import Refusal
from muster.flows.sunset import overlay_rows
from muster.responders.models import Responder
from muster.responders.placement.queries import seats_of
from muster.responders.teams import services
from muster.responders.teams.models import Team, TeamMember, TeamPlace
from muster.responders.teams.queries import members_of, places_of, teams_kept_together
from muster.responders.teams.services import TeamWords
from muster.trail.models import Event
from tests.support.placing import BY, on_the_map, ready_plan, vetted
from tests.support.town import AT, Town, make_town
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    world = make_world(doors=2, people=1)
    on_the_map(world)
    return world


def a_team(world: World, name: str = "工作队", **more: Any) -> Team:
    return services.make_team(
        world.streets[0], incident=world.incident, kind=more.pop("kind", "work"), by=BY, at=NOON,
        words=TeamWords(name, **more),
    )  # fmt: skip


def refused(work: Any, *args: Any, **more: Any) -> str:
    with pytest.raises(Refusal) as refusal:
        work(*args, **more)
    return refusal.value.code


def test_a_team_has_members_a_head_and_named_holders(world: World) -> None:
    (one, other) = vetted(world, count=2)
    team = a_team(world)

    assert services.add_members(team, [one.id, other.id, one.id], by=BY, at=NOON) == 2
    assert services.add_members(team, [one.id], by=BY, at=NOON) == 0
    services.set_head(team, one.id, by=BY, at=NOON)
    post = services.add_place(team, code="vanguard", place="东门", holder=other.id, by=BY, at=NOON)
    services.add_place(team, code="zone", place="3号楼到6号楼", by=BY, at=NOON)
    services.give_place(team, post.id, holder=one.id, by=BY, at=NOON)

    assert Team.objects.get(id=team.id).head == one.id
    assert [p.holder for p in places_of([team.id])] == [one.id, None]
    verbs = Event.objects.filter(entity="Team", entity_id=str(team.id)).values_list("verb", flat=True)
    assert sorted(verbs) == ["add_place", "add_place", "give_place", "head", "join", "join", "make"]


def test_who_leaves_gives_up_head_and_posts(world: World) -> None:
    (one,) = vetted(world)
    team = a_team(world)
    services.add_members(team, [one.id], by=BY, at=NOON)
    services.set_head(team, one.id, by=BY, at=NOON)
    services.add_place(team, code="model", place="西门", holder=one.id, by=BY, at=NOON)

    services.remove_member(team, one.id, by=BY, at=NOON)

    assert Team.objects.get(id=team.id).head is None
    assert TeamPlace.objects.get(team=team).holder is None
    assert members_of([team.id]).count() == 0


def test_an_ended_team_changes_no_more(world: World) -> None:
    (one,) = vetted(world)
    team = a_team(world)
    services.add_members(team, [one.id], by=BY, at=NOON)
    services.end_team(team, by=BY, at=NOON + timedelta(hours=1))

    assert TeamMember.objects.get(team=team).until is not None
    for work, args in (
        (services.add_members, ([one.id],)), (services.set_head, (one.id,)), (services.end_team, ()),
        (services.remove_member, (one.id,)),
    ):  # fmt: skip
        assert refused(work, team, *args, by=BY, at=NOON) == "team_ended"
    assert a_team(world).id != team.id


def test_what_cannot_be(world: World) -> None:
    (one, gone) = vetted(world, count=2)
    Responder.objects.across(reason="verify").filter(id=gone.id).update(status="RELEASED")
    team = a_team(world)

    assert refused(a_team, world) == "team_exists"
    assert refused(a_team, world, kind="pirates") == "team_kind_unknown"
    assert refused(a_team, world, name="  ") == "name_missing"
    assert refused(services.add_members, team, [gone.id], by=BY, at=NOON) == "team_person_left"
    assert refused(services.add_members, team, [uuid.uuid4()], by=BY, at=NOON) == "responder_unknown"
    assert refused(services.add_members, team, [one.id] * 501, by=BY, at=NOON) == "team_too_many"
    assert refused(services.set_head, team, one.id, by=BY, at=NOON) == "team_member_unknown"
    assert refused(services.add_place, team, code="x", place="东门", by=BY, at=NOON) == "team_place_unknown"
    services.add_place(team, code="zone", place="东门", by=BY, at=NOON)
    assert refused(services.add_place, team, code="zone", place="东门", by=BY, at=NOON) == "team_place_exists"
    assert members_of([team.id]).count() == 0


def test_a_team_that_is_kept_together_is_placed_together(world: World) -> None:
    spread = [one for number in range(2) for one in vetted(world, grid=number, count=2)]
    (first, second) = spread[0], spread[2]
    team = a_team(world, keeps_together=True)
    services.add_members(team, [first.id, second.id], by=BY, at=NOON)

    plan = ready_plan(world, world.streets[0])
    grids = {seat.responder: seat.grid for seat in seats_of(plan)}

    assert teams_kept_together(world.incident.id) == {first.id: str(team.id), second.id: str(team.id)}
    assert grids[first.id] == grids[second.id]


def test_teams_die_with_the_incident(world: World) -> None:
    told = {rows.model for rows in overlay_rows(world.incident.id).values()}

    assert {Team, TeamMember, TeamPlace} <= told


# ---- over the API


@pytest.fixture
def town() -> Any:
    with time_machine.travel(AT, tick=False):
        yield make_town()


def ask(method: str, path: str, headers: dict[str, str], body: Any = None) -> Any:
    data = json.dumps(body, default=str) if body is not None else ""
    client = Client(raise_request_exception=True)
    return client.generic(method, f"/api/v1{path}", data, content_type="application/json", headers=headers)


def test_people_of_another_street_cannot_be_taken_in(town: Town) -> None:
    here, there = town.here.placed, town.there.placed
    assert here is not None
    assert there is not None
    street = town.caller("street")

    answer = ask("POST", f"/teams/{here.team}/members", street, {"responders": [there.person]})

    assert (answer.status_code, answer.json()["code"]) == (404, "responder_unknown")
    assert ask("GET", f"/teams/{there.team}", street).status_code == 404


def test_a_command_unit_has_a_head_and_an_end_and_lapses_by_itself(town: Town) -> None:
    street, placed = town.caller("street"), town.here.placed
    assert placed is not None
    body = {
        "area": placed.area, "name": "临时党支部", "head_name": "演书记", "head_unit": "示例局",
        "members": ["演甲", " "], "starts_at": (AT - timedelta(hours=1)).isoformat(),
        "ends_at": (AT + timedelta(days=2)).isoformat(),
    }  # fmt: skip

    made = ask("POST", "/command-units", street, body).json()
    again = ask("POST", "/command-units", street, body).json()
    naive = ask("POST", "/command-units", street, {**body, "ends_at": "2022-09-05T08:00:00"})
    early = {**body, "name": "二", "ends_at": (AT - timedelta(days=1)).isoformat()}
    back = ask("POST", "/command-units", street, early)
    ended = ask("POST", f"/command-units/{made['id']}/end", street).json()
    twice = ask("POST", f"/command-units/{made['id']}/end", street).json()

    assert (made["stands"], made["members"], made["head_name"]) == (True, ["演甲"], "演书记")
    assert again["code"] == "command_unit_exists"
    assert naive.json()["code"] in {"moment_without_zone", "input_bad"}
    assert back.json()["code"] == "ends_before_start"
    assert ended["stands"] is False
    assert twice["code"] == "command_unit_over"
    with time_machine.travel(AT + timedelta(days=8), tick=False):
        items = ask("GET", "/command-units", street).json()["items"]
    assert {one["stands"] for one in items} == {False}
