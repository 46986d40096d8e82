# SPDX-License-Identifier: Apache-2.0
"""Attending: "I am here" and "I am leaving", recorded on one's own phone, perhaps hours before it is heard.

Everybody speaks for himself only. Whoever leaves, leaves; whoever came to a post that was not his any more
is kept with that reason and put before a person. Reads once for a chunk, decides, then writes.
"""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from datetime import datetime

from muster.accounts.queries import first_lease
from muster.flows.arriving import shows_post
from muster.flows.relieving import hand_on
from muster.places.queries import sub_districts_of_grids
from muster.responders.duty_line import DutyLine, duty_lines
from muster.responders.models import Responder, Standing
from muster.responders.queries import responders_of_users
from muster.responders.services import responder_for_worker
from muster.responders.states import TRANSITIONS, ResponderStatus
from muster.trail import kinds
from muster.trail.incoming import APPLIED, Incoming, Ruling, flagged, held, quarantined
from muster.trail.services import record_event

NOT_YOURS = flagged("duty_not_yours")
CHANGED_SINCE = flagged("duty_changed_since")
WRONG_CODE = flagged("duty_code_wrong")
ON_DUTY, RESTING = ResponderStatus.ON_DUTY, ResponderStatus.RESTING


@dataclass(frozen=True, slots=True)
class _Told:
    fact: Incoming
    person: Responder
    verb: str
    was: str
    to: str
    at: datetime
    grid: int | None


@dataclass(slots=True)
class Attending:
    """The lines of the people who speak in a chunk; what is laid into them, and what follows."""

    people: dict[tuple[uuid.UUID, uuid.UUID], Responder] = field(default_factory=dict)
    lines: dict[uuid.UUID, DutyLine] = field(default_factory=dict)
    told: list[_Told] = field(default_factory=list)
    left: dict[uuid.UUID, _Told] = field(default_factory=dict)

    @classmethod
    def read(cls, facts: Iterable[Incoming]) -> Attending:
        """Reads nothing where nobody comes or goes."""
        told = [f for f in facts if isinstance(f.body, kinds.DutyStep)]
        if not told:
            return cls()
        pairs = {(f.incident, f.actor) for f in told if f.actor is not None and f.ruling is None}
        people = responders_of_users(pairs)
        people |= _who_joined_elsewhere(told, pairs - people.keys())
        return cls(people, duty_lines(list(people.values())))

    def place(self, fact: Incoming, body: kinds.DutyStep) -> tuple[Ruling, int | None]:
        """What becomes of a fact, and the grid where he stood."""
        if fact.subject != fact.actor:
            return quarantined("out_of_scope"), None
        me = self.people.get((fact.incident, fact.subject))
        if me is None:
            return held("unknown_subject"), None
        line = self.lines[me.id]
        at = min(fact.occurred_at, fact.received_at)
        stood = line.standing_at(at)
        fact.sub_district = me.sub_district
        grid = _post(stood, line)
        if body.step == "LEAVING":
            self._leave(fact, me, line, stood, at=at, grid=grid)
            return APPLIED, grid
        return self._come(fact, body, me, line, stood, at=at, grid=grid), grid

    def _come(
        self, fact: Incoming, body: kinds.DutyStep, me: Responder, line: DutyLine, stood: Standing | None, *,
        at: datetime, grid: int | None,
    ) -> Ruling:  # fmt: skip
        """It is his post if it was when he came, whatever was decided until it was heard."""
        is_his = grid is not None and body.grid in (None, grid)
        if stood is None or not is_his or not _may(stood.status, ON_DUTY):
            return NOT_YOURS
        after = line.rows[line.rows.index(stood) + 1 :]
        shows = bool(body.code.strip()) and grid is not None and shows_post(body.code, grid, fact.incident)
        self.told.append(_Told(fact, me, "arrive", stood.status, ON_DUTY, at, grid))
        if shows:
            self.told.append(_Told(fact, me, "arrival_shown", "", "", at, grid))
        if stood is line.now:
            self.left.pop(me.id, None)
        line.put(ON_DUTY, at=at)
        if any(row.status not in (ON_DUTY, RESTING) or row.grid != stood.grid for row in after):
            return CHANGED_SINCE
        return WRONG_CODE if body.code.strip() and not shows else APPLIED

    def _leave(
        self, fact: Incoming, me: Responder, line: DutyLine, stood: Standing | None, *, at: datetime,
        grid: int | None,
    ) -> None:  # fmt: skip
        """Who had no duty then has nothing to leave; nothing speaks against going home."""
        if stood is None or not _may(stood.status, RESTING):
            return
        told = _Told(fact, me, "leave", stood.status, RESTING, at, grid)
        self.told.append(told)
        if stood is line.now:
            self.left[me.id] = told
        line.put(RESTING, at=at)

    def write(self) -> None:
        """Inside the transaction, before other work. Raises LostRace where somebody was changed meanwhile."""
        for line in self.lines.values():
            line.write()
        for one in self.told:
            record_event(
                "Responder", one.person.id, one.verb, at=one.at, actor=one.fact.actor,
                incident=one.person.incident, from_state=one.was, to_state=one.to, reason="own",
                grid=one.grid, heard=one.fact.received_at.isoformat(),
            )  # fmt: skip

    def hand_on(self) -> None:
        """After other work was written: what they had not begun goes to others from when it is heard."""
        for one in self.left.values():
            hand_on(one.person, by=one.fact.subject, at=one.fact.received_at)


def _who_joined_elsewhere(
    facts: Iterable[Incoming], missing: Container[tuple[uuid.UUID, uuid.UUID]]
) -> dict[tuple[uuid.UUID, uuid.UUID], Responder]:
    """Whose phone joined at another house of ours serves here too, since he joined. Twice is once."""
    found: dict[tuple[uuid.UUID, uuid.UUID], Responder] = {}
    for fact in facts:
        pair = (fact.incident, fact.actor or fact.subject)
        if pair not in missing or pair in found or not fact.grids:
            continue
        lease = first_lease(fact.device, pair[1])
        if lease is not None:
            grid = lease.grids[0]
            found[pair] = responder_for_worker(
                incident=fact.incident, user=pair[1], name=lease.actor.name, grid=grid,
                sub_district=sub_districts_of_grids([grid]).get(grid, 0), at=lease.issued_at,
            )  # fmt: skip
    return found


def _may(status: str, to: str) -> bool:
    return status == to or to in TRANSITIONS[status]


def _post(stood: Standing | None, line: DutyLine) -> int | None:
    """The grid where he served; now: only where he has a place."""
    if stood is None:
        return None
    return line.person.grid if stood is line.now else stood.grid
