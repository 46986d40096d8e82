# SPDX-License-Identifier: Apache-2.0
"""Reads of teams: those of an area, their members and places, what somebody belongs to."""

from __future__ import annotations

import uuid
from collections.abc import Collection
from typing import Any

from muster.base.errors import Refusal
from muster.responders.teams.models import Team, TeamMember, TeamPlace


def team_with_id(team: uuid.UUID) -> Team:
    """Raises Refusal("team_unknown")."""
    found = Team.objects.filter(id=team).first()
    if found is None:
        raise Refusal("team_unknown", team=str(team))
    return found


def teams_kept_together(incident: uuid.UUID) -> dict[uuid.UUID, str]:
    """Responder -> team, for teams that are to be placed together; who is in two goes with the older one."""
    rows = TeamMember.objects.filter(
        incident=incident, until__isnull=True, team__ends_at__isnull=True, team__keeps_together=True
    )
    found: dict[uuid.UUID, str] = {}
    for responder, team in rows.order_by("team__made_at", "since").values_list("responder", "team_id"):
        found.setdefault(responder, str(team))
    return found


def members_of(teams: Collection[uuid.UUID]) -> Any:
    return TeamMember.objects.filter(team__in=teams, until__isnull=True).order_by("since", "id")


def places_of(teams: Collection[uuid.UUID]) -> Any:
    return TeamPlace.objects.filter(team__in=teams, until__isnull=True).order_by("code", "place")


def teams_of_person(responder: uuid.UUID) -> Any:
    return Team.objects.filter(
        members__responder=responder, members__until__isnull=True, ends_at__isnull=True
    ).order_by("made_at")
