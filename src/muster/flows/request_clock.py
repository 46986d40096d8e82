# SPDX-License-Identifier: Apache-2.0
"""The clocks of requests: what lapsed is asked anew, what was held or passed on comes back, quiet people are
visited.

Nothing that somebody reads waits for this: what is late, lapsed or over is computed when it is read.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.requests import steps, telling, work
from muster.requests.calling import ask_to_look_in_on, quiet_people
from muster.requests.models import Offer, Request, WorkItem
from muster.requests.plans import suggest
from muster.requests.queries import item_with_id
from muster.requests.states import WAITING, ItemStatus, OfferStatus, RequestStatus
from muster.storage.scoping import Scope

# So many people are asked one after the other without a person's hand; then it goes one level up.
ASKED_BY_ITSELF = 3
# Another desk takes up what was passed to it within this, or it comes back and is seen.
TAKE_UP_WITHIN = timedelta(hours=2)
# Who has not answered by then is reminded.
REMIND_WITHIN = timedelta(minutes=5)
UNTOUCHED = (RequestStatus.NEW, RequestStatus.TRIAGED)
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look did."""

    asked: int
    escalated: int
    resumed: int
    bounced: int
    visits: int


def look_after(incident: Incident, *, at: datetime, with_quiet: bool = True) -> Looked:
    """One look at every clock. Safe to run twice, or never.

    with_quiet: also who has been quiet for too long; that reads every need there is, so not each minute.
    """
    _remind(incident, at=at)
    asked, escalated = _ask_again(incident, at=at)
    visits = _visit_the_quiet(incident, at=at) if with_quiet else 0
    return Looked(asked, escalated, _resume(incident, at=at), _bounce(incident, at=at), visits)


def _remind(incident: Incident, *, at: datetime) -> None:
    """Who was asked and has used up most of his time without an answer."""
    asked = Offer.objects.filter(
        incident=incident.id, status=OfferStatus.OFFERED, lease_until__gt=at,
        lease_until__lte=at + REMIND_WITHIN,
    )  # fmt: skip
    rows = asked.select_related("item__request").order_by("lease_until", "id")[:AT_ONCE]
    telling.expiring(
        [one for one in rows if one.lease_until - at < (one.lease_until - one.made_at) / 2],
        incident=incident.id, at=at,
    )  # fmt: skip


def _visit_the_quiet(incident: Incident, *, at: datetime) -> int:
    """The longest unheard first, and no more at once than people can go to."""
    pack = pack_of(incident)
    quiet, _ = quiet_people(incident.id, pack=pack, scope=Scope(everything=True), at=at, limit=AT_ONCE)
    return len(ask_to_look_in_on(quiet, incident=incident.id, pack=pack, at=at))


def _ask_again(incident: Incident, *, at: datetime) -> tuple[int, int]:
    """Asks the next best where somebody was asked before and nobody is being asked now."""
    work.lapse_all(incident.id, at=at)
    free = WorkItem.objects.across(reason="dispatch").filter(
        incident=incident.id, status=ItemStatus.OPEN, request__status__in=WAITING,
        offers__status__in=[OfferStatus.EXPIRED, OfferStatus.DECLINED],
    )  # fmt: skip
    asked = escalated = 0
    for item in list(free.order_by("request__rank", "request__respond_by", "id").distinct()[:AT_ONCE]):
        by_itself = Offer.objects.filter(item=item, made_by__isnull=True).count()
        found = suggest(item_with_id(item.id), at=at, count=1) if by_itself < ASKED_BY_ITSELF else []
        if found:
            one = found[0]
            asked += _offer(item, work.Asking(one.responder.id, one.walk_m, one.reasons), at=at)
        else:
            escalated += _escalate(item, at=at)
    return asked, escalated


def _offer(item: WorkItem, asking: work.Asking, *, at: datetime) -> int:
    """Somebody may have been quicker, or gone off duty: the next look finds another."""
    try:
        return len(work.offer(item.id, [asking], by=None, at=at))
    except Refusal:
        return 0


def _escalate(item: WorkItem, *, at: datetime) -> int:
    """Once only: whoever is above sees it first from then on."""
    if item.request.escalation > 0:
        return 0
    try:
        steps.escalate(item.request_id, by=None, at=at, reason="nobody")
    except Refusal:
        return 0
    return 1


def _resume(incident: Incident, *, at: datetime) -> int:
    """What waited until now goes on."""
    over = Request.objects.across(reason="requests").filter(
        incident=incident.id, status=RequestStatus.ON_HOLD, hold_until__lte=at
    )
    return sum(_resumed(request, at=at) for request in list(over.values_list("id", flat=True)[:AT_ONCE]))


def _resumed(request: uuid.UUID, *, at: datetime) -> int:
    try:
        steps.resume(request, by=None, at=at)
    except Refusal:
        return 0
    return 1


def _bounce(incident: Incident, *, at: datetime) -> int:
    """What another desk has not taken up in time comes back to who passed it on, one level up."""
    left = Request.objects.across(reason="requests").filter(
        incident=incident.id, status__in=UNTOUCHED, transferred_at__lte=at - TAKE_UP_WITHIN,
        transferred_from__isnull=False,
    )  # fmt: skip
    rows = list(left[:AT_ONCE])
    for row in rows:
        steps.come_back(row.id, at=at)
    return len(rows)
