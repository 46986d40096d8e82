# SPDX-License-Identifier: Apache-2.0
"""Field work: what phones say about work on requests, about trips, and about coming and going, perhaps hours
later, laid beside what happened since.

Nothing that was done at a door is lost: where somebody else was quicker, or the request has ended, the words
stay as a note and the phone hears who was quicker. Reads once for a chunk, decides, then writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from muster.base.errors import Refusal
from muster.flows.attending import Attending
from muster.flows.driving import Driving
from muster.requests import steps, work
from muster.requests.models import WorkItem
from muster.requests.queries import asked_of, items_with_ids
from muster.requests.states import ENDED, ITEM_FREE, ITEM_TAKEN, ItemStatus
from muster.responders.models import Responder
from muster.responders.queries import responders_of_users
from muster.responders.rules import is_tired
from muster.responders.states import CAN_BE_ASKED
from muster.storage.writes import LostRace
from muster.trail import kinds
from muster.trail.incoming import APPLIED, Incoming, Ruling, flagged, held, quarantined

TAKEN = flagged("work_taken")
ENDED_BEFORE = flagged("work_ended")
NOT_FOR_YOU = flagged("work_not_for_you")

Act = Callable[[datetime], object]


@dataclass(slots=True)
class _Standing:
    """A piece of work as it stands after what this chunk has already said of it."""

    item: WorkItem
    status: str
    holder: uuid.UUID | None
    has_ended: bool


@dataclass(slots=True)
class FieldWork:
    """The work that a chunk of facts speaks of; what follows from it is collected, then written."""

    items: dict[uuid.UUID, _Standing] = field(default_factory=dict)
    people: dict[tuple[uuid.UUID, uuid.UUID], Responder] = field(default_factory=dict)
    asked: frozenset[tuple[uuid.UUID, uuid.UUID]] = frozenset()
    acts: list[tuple[Incoming, Act]] = field(default_factory=list)
    driving: Driving = field(default_factory=Driving)
    attending: Attending = field(default_factory=Attending)

    @classmethod
    def read(cls, facts: Iterable[Incoming]) -> FieldWork:
        """Reads nothing where no fact speaks of work."""
        facts = list(facts)
        driving, attending = Driving.read(facts), Attending.read(facts)
        told = [(f, f.body) for f in facts if isinstance(f.body, kinds.WorkBody)]
        if not told:
            return cls(driving=driving, attending=attending)
        items = {
            i.id: _Standing(i, i.status, i.responder, i.request.status in ENDED)
            for i in items_with_ids({body.item for _, body in told})
        }
        people = responders_of_users({(f.incident, f.actor) for f, _ in told if f.actor is not None})
        asked = asked_of(items, {one.id for one in people.values()})
        return cls(items, people | attending.people, asked, driving=driving, attending=attending)

    def place(self, fact: Incoming, body: kinds.ServiceBody) -> tuple[Ruling, int | None]:
        """What becomes of a fact, and the grid of the work."""
        if isinstance(body, kinds.TripStep):
            return self.driving.place(fact, body)
        if isinstance(body, kinds.DutyStep):
            return self.attending.place(fact, body)
        assert isinstance(body, kinds.WorkBody)
        standing = self.items.get(body.item)
        me = self.people.get((fact.incident, fact.actor)) if fact.actor else None
        if standing is None or me is None or standing.item.request_id != fact.subject:
            return held("unknown_subject"), None
        item = standing.item
        if item.incident != fact.incident or not self._may_speak(fact, standing, me):
            return quarantined("out_of_scope"), item.grid
        fact.sub_district = item.sub_district
        return self._judge(fact, body, standing, me), item.grid

    def _may_speak(self, fact: Incoming, standing: _Standing, me: Responder) -> bool:
        """Of what lies in my grids, what I was asked, and what I have."""
        item = standing.item
        is_near = fact.grids is None or (item.grid is not None and item.grid in fact.grids)
        return is_near or standing.holder == me.id or (item.id, me.id) in self.asked

    def _judge(self, fact: Incoming, body: kinds.WorkBody, standing: _Standing, me: Responder) -> Ruling:
        if isinstance(body, kinds.WorkNoted):
            self._note(fact, standing, body.text)
            return APPLIED
        against = self._against(standing, me)
        if against is not None:
            self._note(fact, standing, _words(body))
            return against
        if isinstance(body, kinds.WorkTaken) and standing.holder != me.id:
            return self._take(fact, standing, me)
        if isinstance(body, kinds.WorkHeld):
            self._hold(fact, standing, body)
        elif isinstance(body, kinds.WorkArrived | kinds.WorkDone):
            self._do(fact, body, standing, me)
        return APPLIED

    def _against(self, standing: _Standing, me: Responder) -> Ruling | None:
        """Why it is only words by now: DONE beats what else was said, and one person has a piece of work."""
        if standing.holder == me.id and standing.status == ItemStatus.DONE:
            return APPLIED
        if standing.has_ended or standing.status == ItemStatus.CANCELLED:
            return ENDED_BEFORE
        is_free = standing.status in ITEM_FREE
        return None if is_free or standing.holder == me.id else TAKEN

    def _take(self, fact: Incoming, standing: _Standing, me: Responder) -> Ruling:
        """Whoever helps himself to work keeps to the caps, offline too; the pool shows it to others again."""
        item = standing.item
        lacks = bool(item.needs_skill) and item.needs_skill not in me.skills
        is_free = me.status in CAN_BE_ASKED and not is_tired(me.on_duty_since, at=fact.occurred_at)
        if lacks or not is_free or me.open_jobs >= me.most_jobs:
            return NOT_FOR_YOU
        me.open_jobs += 1
        standing.status, standing.holder = ItemStatus.ACCEPTED, me.id
        self._act(fact, lambda at: work.accept(item.id, responder=me.id, at=at, by=fact.actor))
        return APPLIED

    def _do(self, fact: Incoming, body: kinds.WorkBody, standing: _Standing, me: Responder) -> None:
        """Who stands at the door has the work, also where he had given it back or was never asked."""
        item = standing.item
        if standing.status not in ITEM_TAKEN:
            self._act(fact, lambda at: work.step_in(item.id, responder=me.id, at=at, by=fact.actor))
        standing.holder = me.id
        if isinstance(body, kinds.WorkDone):
            standing.status = ItemStatus.DONE
            self._act(
                fact,
                lambda at: work.finish(
                    item.id, responder=me.id, outcome=body.outcome, note=body.note, photo=body.photo,
                    left_to_do=body.left_to_do, at=at, by=fact.actor,
                ),
            )  # fmt: skip
        else:
            standing.status = ItemStatus.ON_SITE
            self._act(fact, lambda at: work.arrive(item.id, responder=me.id, at=at, by=fact.actor))

    def _hold(self, fact: Incoming, standing: _Standing, body: kinds.WorkHeld) -> None:
        """A hold that is over by the time it is heard of holds nothing."""
        heard = fact.received_at
        until = min(body.until, heard + steps.LONGEST_HOLD)
        request = standing.item.request_id
        self._note(fact, standing, body.note)
        if until > heard:
            self._act(
                fact,
                lambda at: steps.hold(request, reason=body.reason, until=until, by=fact.actor, at=heard),
            )

    def _note(self, fact: Incoming, standing: _Standing, text: str) -> None:
        if text.strip():
            request = standing.item.request
            self._act(fact, lambda at: steps.add_note(request, text=text, by=fact.actor, at=at))

    def _act(self, fact: Incoming, act: Act) -> None:
        self.acts.append((fact, act))

    def write(self) -> None:
        """Inside the transaction. Raises LostRace where somebody was quicker since it was read.

        What was lost once is doubted for good, so that no fact is tried for ever.
        """
        # Who has come may take work in the same breath; who has gone first finishes what he says he did.
        self.attending.write()
        self.driving.write()
        for fact, act in self.acts:
            at = min(fact.occurred_at, fact.received_at)
            try:
                act(at)
            except Refusal as refusal:
                fact.ruling = ENDED_BEFORE if refusal.code in {"request_ended", "request_step"} else TAKEN
                raise LostRace(refusal.code) from refusal
        self.attending.hand_on()


def _words(body: kinds.WorkBody) -> str:
    """What somebody wrote about work that turned out to be no longer his."""
    more = body.left_to_do if isinstance(body, kinds.WorkDone) else ""
    return "\n".join(text for text in (body.note, more) if text.strip())
