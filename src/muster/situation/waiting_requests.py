# SPDX-License-Identifier: Apache-2.0
"""Requests that need a desk now: lives in danger one by one, what is late, what waits for a call-back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from muster.places.queries import sub_districts_of_grids
from muster.requests.models import Request
from muster.requests.queries import seen_by
from muster.requests.states import WAITING, RequestStatus, Urgency
from muster.storage.scoping import Scope

MOST = 50


@dataclass(frozen=True, slots=True)
class WaitingRequests:
    """lives: in danger, and nobody has them. late: past their clock. done: to be asked whether solved."""

    lives: list[Request]
    late: list[Request]
    done: list[Request]


def waiting_requests(scope: Scope, *, at: datetime) -> WaitingRequests:
    near = set(sub_districts_of_grids(scope.grids).values()) if scope.grids else set()
    rows = seen_by(scope, near=near).only("id", "number", "made_at", "respond_by", "done_at", "urgency")
    waiting = rows.filter(status__in=WAITING)
    return WaitingRequests(
        lives=list(waiting.filter(urgency=Urgency.LIFE).order_by("respond_by")[:MOST]),
        late=list(
            waiting.exclude(urgency=Urgency.LIFE).filter(respond_by__lt=at).order_by("respond_by")[:1000]
        ),
        done=list(rows.filter(status=RequestStatus.DONE).order_by("done_at")[:1000]),
    )
