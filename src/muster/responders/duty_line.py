# SPDX-License-Identifier: Apache-2.0
"""The line of somebody's standings, into which is laid what his phone says later: he came, he went.

Each word holds from its own moment until the next that stands on the line, so that it does not matter in
which order words are heard.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import F

from muster.base.ids import new_id
from muster.responders.models import Responder, Standing
from muster.responders.standing import standings
from muster.responders.states import ResponderStatus
from muster.storage.writes import LostRace

# What phones lay into the line; another status says by itself since when it holds.
_LAID = frozenset({ResponderStatus.ON_DUTY, ResponderStatus.RESTING})


class DutyLine:
    """One person's standings in order; changed in memory, then written at once."""

    def __init__(self, person: Responder, rows: Iterable[Standing]) -> None:
        self.person = person
        self.rows = sorted(rows, key=lambda row: (row.since, row.until is None, row.until or row.since))
        self._fresh: list[Standing] = []
        self._cut: dict[uuid.UUID, Standing] = {}
        if not any(row.until is None for row in self.rows):
            # He stands somewhere, even if nobody wrote it down.
            self._fresh = standings([person])
            self.rows += self._fresh
        self._before = self._reckon()

    @property
    def now(self) -> Standing:
        return self.rows[-1]

    def standing_at(self, at: datetime) -> Standing | None:
        """Where he stood at a moment; None before he checked in."""
        for row in reversed(self.rows):
            if row.since <= at and (row.until is None or at < row.until):
                return row
        return None

    def put(self, status: str, *, at: datetime) -> None:
        """From this moment until the next word. He must have stood somewhere then."""
        covering = self.standing_at(at)
        assert covering is not None
        laid = Standing(
            id=new_id(), responder=covering.responder, incident=covering.incident,
            sub_district=covering.sub_district, area=covering.area, grid=covering.grid,
            affiliations=covering.affiliations, status=status, since=at, until=covering.until,
        )  # fmt: skip
        covering.until = at
        self.rows.insert(self.rows.index(covering) + 1, laid)
        self._fresh.append(laid)
        self._cut[covering.id] = covering
        self._reflect()

    def _reflect(self) -> None:
        """The person's own columns follow the line."""
        person, last = self.person, self.now
        minutes, began = self._reckon()
        old_minutes, old_began = self._before
        person.minutes_served = max(0, person.minutes_served + minutes - old_minutes)
        if began != old_began:
            person.on_duty_since = began
        self._before = (minutes, began)
        person.status = last.status
        if last.status in _LAID:
            person.status_since = self._held_since()

    def _held_since(self) -> datetime:
        last = began = self.now
        for row in reversed(self.rows[:-1]):
            if row.since == row.until:
                continue
            if (row.status, row.grid, row.until) != (last.status, last.grid, began.since):
                break
            began = row
        return began.since

    def _reckon(self) -> tuple[int, datetime | None]:
        """Whole minutes of each time on duty that is over, and since when he has been on duty now."""
        minutes, began, until = 0, None, None
        for row in self.rows:
            if row.since == row.until:
                continue
            if began is not None and (row.status != ResponderStatus.ON_DUTY or row.since != until):
                minutes += (until - began) // timedelta(minutes=1) if until else 0
                began = None
            if row.status == ResponderStatus.ON_DUTY:
                began = began or row.since
                until = row.until
        if began is not None and until is not None:
            minutes, began = minutes + (until - began) // timedelta(minutes=1), None
        return minutes, began

    def write(self) -> None:
        """Inside the transaction. Raises LostRace where he was changed since he was read."""
        if not self._cut:
            return
        person = self.person
        changed = (
            Responder.objects.across(reason="own")
            .filter(id=person.id, version=person.version)
            .update(
                status=person.status, status_since=person.status_since, version=F("version") + 1,
                minutes_served=person.minutes_served, on_duty_since=person.on_duty_since,
            )
        )  # fmt: skip
        if not changed:
            raise LostRace("responder_changed_meanwhile")
        fresh = {row.id for row in self._fresh}
        for row in self._cut.values():
            if row.id not in fresh:
                Standing.objects.across(reason="own").filter(id=row.id).update(until=row.until)
        Standing.objects.bulk_create(self._fresh)


def duty_lines(people: Collection[Responder]) -> dict[uuid.UUID, DutyLine]:
    """By person; one statement for all of them."""
    told: dict[uuid.UUID, list[Standing]] = defaultdict(list)
    ids = [person.id for person in people]
    for row in Standing.objects.across(reason="own").filter(responder__in=ids) if ids else ():
        told[row.responder].append(row)
    return {person.id: DutyLine(person, told[person.id]) for person in people}
