# SPDX-License-Identifier: Apache-2.0
"""Hours: who has served for how long, who is over what one may, who could take over. All pure."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from muster.responders.models import Responder
from muster.responders.rules import LONGEST_DUTY, is_tired
from muster.responders.states import ResponderStatus

LONGEST_MINUTES = int(LONGEST_DUTY.total_seconds() // 60)
# From here on somebody's relief is to be looked for, before he is over.
SOON_MINUTES = LONGEST_MINUTES - 60
SUGGESTED = 3


def minutes_of_duty(row: Responder, *, at: datetime) -> int:
    """How long he has served without a rest, as of now; 0 for who is not on duty."""
    if row.status != ResponderStatus.ON_DUTY or row.on_duty_since is None:
        return 0
    return max(0, int((at - row.on_duty_since).total_seconds() // 60))


@dataclass(frozen=True, slots=True)
class Relief:
    """Somebody who could take over, and why he: codes of messages."""

    responder: Responder
    reasons: tuple[str, ...]


def reliefs_for(row: Responder, people: Iterable[Responder], *, at: datetime) -> list[Relief]:
    """Who can take over, best first: has every skill of his that they share most of, near, rested, with room.

    Nobody who is on duty himself for long, rests or is away is asked; somebody of the same grid comes first.
    """
    found: list[tuple[tuple[int, int, int, int, uuid.UUID], Relief]] = []
    for one in people:
        if one.id == row.id or one.status not in {ResponderStatus.STANDBY, ResponderStatus.ASSIGNED}:
            continue
        if is_tired(one.on_duty_since, at=at):
            continue
        shared = len(set(one.skills) & set(row.skills))
        same_grid = one.grid is not None and one.grid == row.grid
        lives_here = one.home_grid is not None and one.home_grid == row.grid
        reasons = [
            code
            for code, is_so in (
                ("relief_same_grid", same_grid),
                ("relief_lives_here", lives_here and not same_grid),
                ("relief_same_skills", bool(row.skills) and shared == len(set(row.skills))),
                ("relief_standing_by", one.status == ResponderStatus.STANDBY),
                ("relief_free_hands", one.open_jobs == 0),
            )
            if is_so
        ]
        order = (-int(same_grid), -int(lives_here), -shared, one.open_jobs, one.id)
        found.append((order, Relief(one, tuple(reasons))))
    return [relief for _, relief in sorted(found, key=lambda pair: pair[0])[:SUGGESTED]]
