# SPDX-License-Identifier: Apache-2.0
"""A problem from below: a team is asked, takes it up or is late, solves it or sends it a level up."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.requests import steps
from muster.requests.models import Request, TeamHelp
from muster.requests.team_help import ask_team, end_help, help_of, is_late, take_up
from muster.responders.teams.models import Team
from muster.trail.models import Event
from tests.support.serving import ask
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
BY = uuid.UUID(int=3)
HOUR = timedelta(hours=1)


@pytest.fixture
def world() -> World:
    return make_world(frozen=False)


def team(world: World, name: str = "一线包抓组", **more: object) -> Team:
    return Team.objects.create(
        **{
            "incident": world.incident.id, "area": world.city.id, "area_path": world.city.path,
            "kind": "work", "name": name, "made_at": NOON, "starts_at": NOON, **more,
        }
    )  # fmt: skip


def fresh(row: Request) -> Request:
    return Request.objects.across(reason="own").get(id=row.id)  # type: ignore[no-any-return]


def test_asked_taken_up_and_solved(world: World) -> None:
    problem = ask(world, category="dispute", channel="WORKER").request
    one = ask_team(problem.id, team=team(world).id, by=BY, at=NOON)
    assert (is_late(one, at=NOON + HOUR), is_late(one, at=NOON + 3 * HOUR)) == (False, True)

    taken = take_up(problem.id, one.id, by=BY, at=NOON + HOUR)
    take_up(problem.id, one.id, by=BY, at=NOON + 2 * HOUR)
    assert not is_late(taken, at=NOON + 3 * HOUR)
    done = end_help(problem.id, one.id, is_solved=True, by=BY, at=NOON + 3 * HOUR)

    assert (done.taken_at, done.ended_at, done.is_solved) == (NOON + HOUR, NOON + 3 * HOUR, True)
    assert fresh(problem).escalation == 0
    told = Event.objects.filter(entity="Request", entity_id=str(problem.id)).order_by("at", "id")
    assert [e.verb for e in told] == ["raise", "ask_team", "team_takes_up", "team_solved"]
    with pytest.raises(Refusal, match="team_help_ended"):
        take_up(problem.id, one.id, by=BY, at=NOON)


def test_what_a_team_cannot_solve_goes_a_level_up(world: World) -> None:
    problem = ask(world, category="dispute").request
    one = ask_team(problem.id, team=team(world).id, by=BY, at=NOON)

    end_help(problem.id, one.id, is_solved=False, by=BY, at=NOON)

    assert fresh(problem).escalation == 1


def test_one_team_at_a_time_and_all_of_them_kept(world: World) -> None:
    problem = ask(world, category="dispute").request
    first, second = team(world), team(world, "工作队")
    ask_team(problem.id, team=first.id, by=BY, at=NOON)

    with pytest.raises(Refusal, match="team_helps_already"):
        ask_team(problem.id, team=first.id, by=BY, at=NOON)
    ask_team(problem.id, team=second.id, by=BY, at=NOON + HOUR)

    assert [(one.team, one.is_solved) for one in help_of([problem.id])] == [
        (first.id, False), (second.id, None),
    ]  # fmt: skip


def test_what_does_not_fit_is_refused(world: World) -> None:
    problem = ask(world, category="dispute").request
    over = team(world, "旧队", ends_at=NOON)

    for chosen, code in ((over.id, "team_help_over"), (new_id(), "team_unknown"),
                         (team(world, "别处", incident=new_id()).id, "team_help_over")):  # fmt: skip
        with pytest.raises(Refusal, match=code):
            ask_team(problem.id, team=chosen, by=BY, at=NOON)
    with pytest.raises(Refusal, match="team_help_unknown"):
        end_help(problem.id, new_id(), is_solved=True, by=BY, at=NOON)
    steps.withdraw(problem.id, by=None, at=NOON)
    with pytest.raises(Refusal, match="request_ended"):
        ask_team(problem.id, team=team(world).id, by=BY, at=NOON)
    assert TeamHelp.objects.count() == 0
