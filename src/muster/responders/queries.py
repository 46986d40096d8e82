# SPDX-License-Identifier: Apache-2.0
"""Reads of responders: who can be asked, who is behind an account."""

from __future__ import annotations

import uuid
from collections.abc import Collection

from muster.base.errors import Refusal
from muster.responders.models import Responder
from muster.responders.states import CAN_BE_ASKED


def responder_of_user(user: uuid.UUID, *, incident: uuid.UUID) -> Responder | None:
    return Responder.objects.across(reason="own").filter(user=user, incident=incident).first()


def responders_of_users(
    pairs: Collection[tuple[uuid.UUID, uuid.UUID]],
) -> dict[tuple[uuid.UUID, uuid.UUID], Responder]:
    """Pairs of incident and account, with who is behind each."""
    rows = Responder.objects.across(reason="own").filter(
        incident__in={incident for incident, _ in pairs}, user__in={user for _, user in pairs}
    )
    found = {(row.incident, row.user): row for row in rows if row.user is not None}
    return {pair: row for pair, row in found.items() if pair in pairs}


def responder_with_id(responder: uuid.UUID) -> Responder:
    """Raises Refusal("responder_unknown")."""
    found: Responder | None = Responder.objects.across(reason="own").filter(id=responder).first()
    if found is None:
        raise Refusal("responder_unknown", responder=str(responder))
    return found


def responders_with_ids(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, Responder]:
    rows = Responder.objects.across(reason="own").filter(id__in=ids)
    return {row.id: row for row in rows}


def can_be_asked(incident: uuid.UUID, *, sub_districts: Collection[int] | None = None) -> list[Responder]:
    """People who serve now and have room for one more job, with where they are."""
    rows = Responder.objects.across(reason="dispatch").filter(incident=incident, status__in=CAN_BE_ASKED)
    if sub_districts is not None:
        rows = rows.filter(sub_district__in=sub_districts)
    return list(rows.defer("limits", "branch", "phone"))
