# SPDX-License-Identifier: Apache-2.0
"""What the state of a responder allows; how long somebody may serve before he rests."""

from __future__ import annotations

from datetime import datetime, timedelta

from muster.base.errors import Refusal
from muster.responders.states import CAN_BE_ASKED, TRANSITIONS

# After so long on duty somebody is relieved and not asked again until rested.
LONGEST_DUTY = timedelta(hours=8)


def demand_transition(status: str, to: str) -> None:
    """Raises Refusal("responder_step")."""
    if to not in TRANSITIONS[status]:
        raise Refusal("responder_step", status=status, to=to)


def is_tired(on_duty_since: datetime | None, *, at: datetime) -> bool:
    return on_duty_since is not None and at - on_duty_since >= LONGEST_DUTY


def demand_can_be_asked(status: str, on_duty_since: datetime | None, *, at: datetime) -> None:
    """Raises Refusal responder_not_free, responder_needs_rest."""
    if status not in CAN_BE_ASKED:
        raise Refusal("responder_not_free", status=status)
    if is_tired(on_duty_since, at=at):
        raise Refusal("responder_needs_rest")
