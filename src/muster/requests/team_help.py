# SPDX-License-Identifier: Apache-2.0
"""Problems and conflicts from below (矛盾和问题): a team is asked, takes it up, and ends with an answer.

The request keeps its own clocks and steps; who helps stands beside it, with a clock of its own.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from muster.base.errors import Refusal
from muster.requests.models import TeamHelp
from muster.requests.rules import MOST_ESCALATIONS, demand_open
from muster.requests.services import keep, locked
from muster.responders.teams.queries import team_with_id
from muster.trail.services import record_event

ANSWER_WITHIN = timedelta(hours=2)


def help_of(requests: Collection[uuid.UUID]) -> list[TeamHelp]:
    return list(TeamHelp.objects.filter(request__in=requests).order_by("asked_at", "id"))


def is_late(row: TeamHelp, *, at: datetime) -> bool:
    return row.taken_at is None and row.ended_at is None and row.answer_by < at


def ask_team(request: uuid.UUID, *, team: uuid.UUID, by: uuid.UUID, at: datetime) -> TeamHelp:
    """A team is asked to help; whoever helped before is thanked and steps back, without having solved it.

    Raises:
        Refusal: request_ended, team_unknown, team_over, team_helps_already.
    """
    chosen = team_with_id(team)
    try:
        with transaction.atomic():
            row = locked(request)
            demand_open(row.status)
            if chosen.incident != row.incident or (chosen.ends_at is not None and chosen.ends_at <= at):
                raise Refusal("team_help_over")
            earlier = TeamHelp.objects.filter(request=row, ended_at__isnull=True)
            if earlier.filter(team=team).exists():
                raise Refusal("team_helps_already")
            earlier.update(ended_at=at, is_solved=False)
            made = TeamHelp.objects.create(
                request=row, incident=row.incident, team=team, asked_at=at, asked_by=by,
                answer_by=at + ANSWER_WITHIN,
            )  # fmt: skip
            keep(row)
            record_event("Request", row.id, "ask_team", at=at, actor=by, incident=row.incident,
                         team=str(team))  # fmt: skip
    except IntegrityError:
        raise Refusal("team_helps_already") from None
    return made


def _open(request: uuid.UUID, help_id: uuid.UUID) -> TeamHelp:
    row = TeamHelp.objects.select_for_update().filter(id=help_id, request=request).first()
    if row is None:
        raise Refusal("team_help_unknown")
    if row.ended_at is not None:
        raise Refusal("team_help_ended")
    return row


def take_up(request: uuid.UUID, help_id: uuid.UUID, *, by: uuid.UUID, at: datetime) -> TeamHelp:
    """The team is on it; told twice is told once. Raises Refusal team_help_unknown, team_help_ended."""
    with transaction.atomic():
        held = locked(request)
        row = _open(request, help_id)
        if row.taken_at is None:
            row.taken_at = at
            row.save(update_fields=["taken_at"])
            record_event("Request", held.id, "team_takes_up", at=at, actor=by, incident=held.incident,
                         team=str(row.team))  # fmt: skip
    return row


def end_help(
    request: uuid.UUID, help_id: uuid.UUID, *, is_solved: bool, by: uuid.UUID, at: datetime
) -> TeamHelp:
    """The team is done. What it could not solve goes one level up.

    Raises Refusal team_help_unknown, team_help_ended.
    """
    with transaction.atomic():
        held = locked(request)
        row = _open(request, help_id)
        row.ended_at, row.is_solved, row.taken_at = at, is_solved, row.taken_at or at
        row.save(update_fields=["ended_at", "is_solved", "taken_at"])
        if not is_solved:
            held.escalation, held.escalated_at = min(MOST_ESCALATIONS, held.escalation + 1), at
        keep(held)
        record_event(
            "Request", held.id, "team_solved" if is_solved else "team_not_solved", at=at, actor=by,
            incident=held.incident, team=str(row.team), level=held.escalation,
        )  # fmt: skip
    return row
