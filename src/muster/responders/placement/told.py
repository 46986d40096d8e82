# SPDX-License-Identifier: Apache-2.0
"""Who is placed, moved or sent back hears it: a message that says where to look and no more, or, where none
reaches him, a line on the list of those whom somebody has to tell.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count

from muster.notifications.models import Message
from muster.notifications.queries import delivery_counts
from muster.notifications.services import Notices, Telling, ToResponder
from muster.notifications.states import Priority, Way
from muster.responders.models import Responder
from muster.responders.placement.models import GridAssignment, PlacementPlan, PlacementSeat
from muster.responders.placement.states import ByHand, SeatState
from muster.responders.telling import language_of
from muster.storage.many_rows import Insert
from muster.storage.scoping import Scope
from muster.storage.sealed import reveal_column
from muster.trail.models import Event

ADOPTED, CHANGED, ASK = "placement_adopted", "placement_changed", "placement_ask"
TEMPLATES = (ADOPTED, CHANGED, ASK)
# What telling reads of somebody, beside what placing reads.
COLUMNS = ("purpose", "phone", "languages", "code_index")
# So many are ticked off, or printed, at once.
MOST_AT_ONCE = 500
_TOLD = (SeatState.ADOPTED, SeatState.TAKEN_BACK)


def why_by_hand(one: Responder, phone: str) -> str:
    """Why no message is enough for him; empty where one is: he looks with his code, or in the app."""
    if one.user is not None or (phone and one.code_index is not None):
        return ""
    return ByHand.NO_CODE if phone else ByHand.NO_PHONE


class PlaceNotices:
    """What one short write of a plan tells: ready before the transaction, `write` within it.

    by_hand: who has to be told by somebody, and why. changed: who had another place before.
    """

    def __init__(
        self, plan: PlacementPlan, people: Sequence[Responder], *, changed: Collection[uuid.UUID], verb: str,
        zone: str, at: datetime,
    ) -> None:  # fmt: skip
        phones = reveal_column(Responder, "phone", [(one.id, one.__dict__["phone"]) for one in people])
        self._people = [one.id for one in people]
        self.by_hand: dict[uuid.UUID, str] = {}
        tellings = []
        for one, phone in zip(people, phones, strict=True):
            why = why_by_hand(one, phone or "")
            if why:
                self.by_hand[one.id] = why
            template = ASK if why else CHANGED if one.id in changed else ADOPTED
            reader = ToResponder(
                one.id, one.user, phone or "", one.sub_district, language_of(one), in_app=one.user is not None
            )
            tellings.append(Telling(template, f"{plan.id}|{verb}", reader, priority=Priority.MANY))
        self._notices = Notices(tellings, incident=plan.incident, zone=zone, at=at)

    def write(self) -> None:
        self._notices.write()
        # What an earlier plan left to be told is no longer true.
        no_longer_to_tell(self._people)


def no_longer_to_tell(people: Collection[uuid.UUID]) -> None:
    """They heard it, or something newer is to be heard."""
    rows = PlacementSeat.objects.across(reason="placement").filter(responder__in=people, to_tell=True)
    rows.update(to_tell=False)


def note_unsent(messages: Collection[uuid.UUID]) -> None:
    """Messages that will never go out: whoever has not heard it in another way is told by somebody."""
    rows = Message.objects.across(reason="placement").filter(
        id__in=messages, template__in=TEMPLATES, way=Way.SMS, responder__isnull=False
    )
    for row in rows.only("key", "responder", "made_at"):
        plan = uuid.UUID(row.key.split("|")[1])
        if not _has_heard(row, plan):
            PlacementSeat.objects.across(reason="placement").filter(
                plan=plan, responder=row.responder, state__in=_TOLD, to_tell=False, told_at__isnull=True
            ).update(to_tell=True, by_hand=ByHand.NOT_SENT)


def _has_heard(row: Message, plan: uuid.UUID) -> bool:
    """He read it in the app, he said that he will come, or something newer was told him."""
    others = Message.objects.across(reason="placement").filter(
        responder=row.responder, template__in=TEMPLATES
    )
    if others.filter(made_at__gt=row.made_at).exists():
        return True
    if others.filter(made_at=row.made_at, read_at__isnull=False).exists():
        return True
    places = GridAssignment.objects.across(reason="placement").filter(responder=row.responder, plan=plan)
    return bool(places.filter(until__isnull=True, accepted_at__isnull=False).exists())


# ---- by hand --------------------------------------------------------------------------------------


def untold_seats(scope: Scope, *, incident: uuid.UUID) -> Any:
    """Who is still to be told by somebody, grid by grid."""
    return PlacementSeat.objects.within(scope).filter(incident=incident, to_tell=True).order_by("id")


def tell_by_hand(
    seats: Collection[uuid.UUID], *, scope: Scope, incident: uuid.UUID, told: bool, by: uuid.UUID,
    at: datetime,
) -> int:  # fmt: skip
    """Somebody has told them, or takes that back. How many were new to it: two at once tell once."""
    rows = PlacementSeat.objects.within(scope).filter(incident=incident, id__in=seats, state__in=_TOLD)
    rows = rows.filter(to_tell=True) if told else rows.filter(to_tell=False, told_at__isnull=False)
    with transaction.atomic():
        found = list(rows.select_for_update().values_list("id", "responder"))
        done = {"told_at": at, "told_by": by} if told else {"told_at": None, "told_by": None}
        changed: int = rows.filter(id__in=[seat for seat, _ in found]).update(to_tell=not told, **done)
        verb = "told_by_hand" if told else "not_told"
        events = [
            Event(at=at, incident=incident, actor=by, entity="Responder", entity_id=str(one), verb=verb,
                  reason="placement", facts={})
            for _, one in found
        ]  # fmt: skip
        Insert(Event, events).execute()
    return changed


def told_counts(plan: PlacementPlan) -> dict[str, Any]:
    """How far the word of a plan has come, after adopting or, where it was taken back, after that."""
    verb = "unplace" if plan.taken_back_at is not None else "place"
    seats = PlacementSeat.objects.across(reason="placement").filter(plan=plan.id)
    why = seats.filter(incident=plan.incident, to_tell=True).order_by().values_list("by_hand")
    places = GridAssignment.objects.across(reason="placement").filter(
        plan=plan.id, until__isnull=True, accepted_at__isnull=False
    )
    return {
        **delivery_counts(TEMPLATES, occasion=f"{plan.id}|{verb}"),
        "to_tell": dict(why.annotate(n=Count("id"))),
        "told_by_hand": seats.filter(told_at__isnull=False).count(),
        "accepted": places.count(),
    }
