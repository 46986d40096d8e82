# SPDX-License-Identifier: Apache-2.0
"""Arriving at one's post and leaving it: said by oneself, and shown by the code that hangs at the post.

A code proves that somebody stood there; without one his word is enough. Nobody's way is followed.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import transaction

from muster.base.codes import CROCKFORD, ENROL_LETTERS, normalise_enrol_code
from muster.base.crypto import blind_index
from muster.base.errors import Refusal
from muster.flows.relieving import Relieved, relieve
from muster.responders.models import Responder
from muster.responders.standing import change_status
from muster.responders.states import TRANSITIONS, ResponderStatus
from muster.storage.keys import keystore
from muster.trail.services import record_event


def post_code(grid: int, *, incident: uuid.UUID) -> str:
    """The code that hangs at the post of a grid, the same until the incident ends."""
    found = blind_index(keystore(), purpose="duty:arrival", value=f"{incident}:{grid}")
    letters = "".join(CROCKFORD[byte % len(CROCKFORD)] for byte in found[:ENROL_LETTERS])
    return f"{letters[:4]}-{letters[4:]}"


def arrive(row: Responder, *, code: str = "", at: datetime) -> bool:
    """He is at his post from now on. Said twice it is said once. Whether his code showed it.

    Raises:
        Refusal: arrival_without_place, arrival_code_wrong, responder_step, responder_changed_meanwhile.
    """
    if row.grid is None:
        raise Refusal("arrival_without_place")
    if code.strip() and not shows_post(code, row.grid, row.incident):
        raise Refusal("arrival_code_wrong")
    with transaction.atomic():
        if row.status != ResponderStatus.ON_DUTY:
            change_status(row, ResponderStatus.ON_DUTY, by=row.user, at=at, verb="arrive", reason="own")
        if code.strip():
            record_event("Responder", row.id, "arrival_shown", at=at, actor=row.user, incident=row.incident,
                         grid=row.grid)  # fmt: skip
    return bool(code.strip())


def shows_post(code: str, grid: int, incident: uuid.UUID) -> bool:
    """Whether this is the code that hangs there."""
    try:
        said = normalise_enrol_code(code)
    except Refusal:
        return False
    return said == normalise_enrol_code(post_code(grid, incident=incident))


def leave(row: Responder, *, at: datetime) -> Relieved:
    """He goes home for today: what he had not begun goes to others, and he finishes where he stands.

    Raises:
        Refusal: responder_step, responder_changed_meanwhile.
    """
    if row.status != ResponderStatus.ON_DUTY or row.user is None:
        raise Refusal("responder_step", status=row.status, to=ResponderStatus.RESTING)
    return relieve(row, relief=None, by=row.user, at=at)


def steps_of(row: Responder) -> tuple[bool, bool]:
    """Whether he can arrive, and whether he can leave."""
    here = row.status == ResponderStatus.ON_DUTY
    return (not here and row.grid is not None and ResponderStatus.ON_DUTY in TRANSITIONS[row.status], here)
