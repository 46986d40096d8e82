# SPDX-License-Identifier: Apache-2.0
"""Writes of teams: made, joined and left, headed; posts and zones given to a member; ended."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id, is_in_force
from muster.places.models import Area
from muster.responders.models import Responder
from muster.responders.states import SERVING, ResponderStatus
from muster.responders.teams.models import Team, TeamMember, TeamPlace
from muster.trail.services import record_event

# Who may be in a team: somebody who was vetted and has not left.
CAN_JOIN = SERVING | {ResponderStatus.VETTED}
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class TeamWords:
    """What a team is called, and whether its people are placed together."""

    name: str
    name_en: str = ""
    keeps_together: bool = False


def make_team(
    area: Area, *, incident: Incident, kind: str, words: TeamWords, by: uuid.UUID, at: datetime
) -> Team:
    """Makes a team of an area, of a kind that the pack knows.

    Raises:
        Refusal: placement_incident_over, team_kind_unknown, name_missing, team_exists.
    """
    if not is_in_force(incident, at=at):
        raise Refusal("placement_incident_over", incident=incident.name)
    if kind not in {one.code for one in pack_of(incident).team_kinds}:
        raise Refusal("team_kind_unknown", kind=kind[:40])
    name = words.name.strip()[:80]
    if not name:
        raise Refusal("name_missing", field="name")
    try:
        with transaction.atomic():
            team = Team.objects.create(
                incident=incident.id, area=area.id, area_path=area.path, kind=kind, name=name,
                name_en=words.name_en.strip()[:80], keeps_together=words.keeps_together, made_at=at,
                starts_at=at,
            )  # fmt: skip
            _tell(team, "make", by=by, at=at, kind=kind, area=area.id)
    except IntegrityError as error:
        raise Refusal("team_exists", name=name) from error
    return team


def add_members(team: Team, responders: Sequence[uuid.UUID], *, by: uuid.UUID, at: datetime) -> int:
    """Lets people join. Who is in the team already stays as he is. Answers how many are new.

    Raises:
        Refusal: team_ended, team_too_many, responder_unknown, team_person_left.
    """
    if len(responders) > MOST_AT_ONCE:
        raise Refusal("team_too_many", most=MOST_AT_ONCE)
    with transaction.atomic():
        _demand_open(team)
        known = {
            row.id: row
            for row in Responder.objects.across(reason="placement")
            .filter(id__in=responders, incident=team.incident)
            .only("id", "status")
        }
        for one in responders:
            if one not in known:
                raise Refusal("responder_unknown", responder=str(one))
            if known[one].status not in CAN_JOIN:
                raise Refusal("team_person_left", status=known[one].status)
        inside = set(_members(team).filter(responder__in=responders).values_list("responder", flat=True))
        new = [one for one in dict.fromkeys(responders) if one not in inside]
        TeamMember.objects.bulk_create(
            TeamMember(team=team, incident=team.incident, responder=one, since=at) for one in new
        )
        for one in new:
            _tell(team, "join", by=by, at=at, responder=str(one))
    return len(new)


def remove_member(team: Team, responder: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    """Somebody leaves; posts and zones that he held stand open, and so does the head's place.

    Raises:
        Refusal: team_ended, team_member_unknown.
    """
    with transaction.atomic():
        _demand_open(team)
        if not _members(team).filter(responder=responder).update(until=at):
            raise Refusal("team_member_unknown")
        Team.objects.filter(id=team.id, head=responder).update(head=None)
        TeamPlace.objects.filter(team=team, holder=responder, until__isnull=True).update(holder=None)
        _tell(team, "leave", by=by, at=at, responder=str(responder))


def set_head(team: Team, responder: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    """Raises Refusal team_ended, team_member_unknown."""
    with transaction.atomic():
        _demand_open(team)
        _demand_member(team, responder)
        Team.objects.filter(id=team.id).update(head=responder)
        _tell(team, "head", by=by, at=at, responder=str(responder))


def add_place(
    team: Team, *, code: str, place: str, duty: str = "", grid: int | None = None,
    holder: uuid.UUID | None = None, by: uuid.UUID, at: datetime,
) -> TeamPlace:  # fmt: skip
    """A post or a zone of the team, with its duty: the pack's, unless somebody writes a better one.

    Raises:
        Refusal: team_ended, team_place_unknown, name_missing, team_place_exists, team_member_unknown.
    """
    pack = pack_of(incident_with_id(team.incident))
    known = {one.code: one for one in pack.team_posts}
    if code not in known:
        raise Refusal("team_place_unknown", code=code[:40])
    place = place.strip()[:120]
    if not place:
        raise Refusal("name_missing", field="place")
    try:
        with transaction.atomic():
            _demand_open(team)
            if holder is not None:
                _demand_member(team, holder)
            made = TeamPlace.objects.create(
                team=team, incident=team.incident, code=code, place=place, grid=grid,
                duty=duty.strip()[:2000], holder=holder, since=at,
            )  # fmt: skip
            _tell(team, "add_place", by=by, at=at, place=str(made.id), code=code, holder=str(holder or ""))
    except IntegrityError as error:
        raise Refusal("team_place_exists", place=place) from error
    return made


def give_place(
    team: Team, place: uuid.UUID, *, holder: uuid.UUID | None, by: uuid.UUID, at: datetime
) -> None:
    """Gives a post or a zone to a member by name, or leaves it open.

    Raises:
        Refusal: team_ended, team_place_unknown, team_member_unknown.
    """
    with transaction.atomic():
        _demand_open(team)
        if holder is not None:
            _demand_member(team, holder)
        if not TeamPlace.objects.filter(id=place, team=team, until__isnull=True).update(holder=holder):
            raise Refusal("team_place_unknown", code="")
        _tell(team, "give_place", by=by, at=at, place=str(place), holder=str(holder or ""))


def end_place(team: Team, place: uuid.UUID, *, by: uuid.UUID, at: datetime) -> None:
    """Raises Refusal team_ended, team_place_unknown."""
    with transaction.atomic():
        _demand_open(team)
        if not TeamPlace.objects.filter(id=place, team=team, until__isnull=True).update(until=at):
            raise Refusal("team_place_unknown", code="")
        _tell(team, "end_place", by=by, at=at, place=str(place))


def end_team(team: Team, *, by: uuid.UUID, at: datetime) -> None:
    """Ends a team with its memberships, posts and zones; its history stays. Raises Refusal("team_ended")."""
    with transaction.atomic():
        if not Team.objects.filter(id=team.id, ends_at__isnull=True).update(ends_at=max(at, team.starts_at)):
            raise Refusal("team_ended")
        _members(team).update(until=at)
        TeamPlace.objects.filter(team=team, until__isnull=True).update(until=at)
        _tell(team, "end", by=by, at=at)


def _members(team: Team) -> QuerySet[TeamMember]:
    return TeamMember.objects.filter(team=team, until__isnull=True)


def _demand_open(team: Team) -> None:
    """Takes the team's row, so that nobody joins one that ends at the same moment."""
    if not Team.objects.select_for_update().filter(id=team.id, ends_at__isnull=True).exists():
        raise Refusal("team_ended")


def _demand_member(team: Team, responder: uuid.UUID) -> None:
    if not TeamMember.objects.filter(team=team, responder=responder, until__isnull=True).exists():
        raise Refusal("team_member_unknown")


def _tell(team: Team, verb: str, *, by: uuid.UUID, at: datetime, **facts: Any) -> None:
    record_event("Team", team.id, verb, at=at, actor=by, incident=team.incident, **facts)
