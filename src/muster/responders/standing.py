# SPDX-License-Identifier: Apache-2.0
"""The one place where the status of people who serve changes: guarded, counted, written down.

Every change ends one Standing and begins the next, keeps the minutes on duty, and is an event.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from django.db import transaction
from django.db.models import DateTimeField, F, Value
from django.db.models.functions import Greatest

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.places.models import Grid
from muster.responders.models import Responder, Standing
from muster.responders.rules import demand_transition
from muster.responders.states import NEEDS_VETTING, ResponderStatus
from muster.storage.many_rows import Insert, bare, update_unchanged
from muster.storage.writes import LostRace, chunks
from muster.trail.models import Event

_STATUS = ("status", "status_since", "minutes_served", "on_duty_since", "version")


def change_status(
    row: Responder,
    to: str,
    *,
    by: uuid.UUID | None,
    at: datetime,
    verb: str = "status",
    reason: str = "",
    columns: Sequence[str] = (),
) -> Responder:
    """Changes one, as change_statuses does.

    Raises:
        Refusal: responder_step, responder_changed_meanwhile.
    """
    change_statuses([row], to, by=by, at=at, verb=verb, reason=reason, columns=columns)
    return row


def change_statuses(
    rows: Sequence[Responder],
    to: str,
    *,
    by: uuid.UUID | None,
    at: datetime,
    verb: str = "status",
    reason: str = "",
    columns: Sequence[str] = (),
) -> None:
    """Changes many, five hundred at a time, all of each five hundred or none.

    columns: what else the caller has set on the rows and wants written with it (grid, post, duty …).

    Raises:
        Refusal: responder_step, responder_not_vetted; responder_changed_meanwhile where one was changed since
        it was read.
    """
    for some in chunks(rows):
        step = StatusStep(some, to, by=by, at=at, verb=verb, reason=reason, columns=columns)
        try:
            with transaction.atomic():
                step.write()
        except LostRace:
            raise Refusal("responder_changed_meanwhile") from None


class StatusStep:
    """A change of status of some people at once: ready before the transaction, `write` within it.

    Raises:
        Refusal: responder_step, responder_not_vetted.
    """

    def __init__(
        self,
        rows: Sequence[Responder],
        to: str,
        *,
        by: uuid.UUID | None,
        at: datetime,
        verb: str = "status",
        reason: str = "",
        columns: Sequence[str] = (),
        event_each: bool = True,
    ) -> None:
        """event_each: False where the caller writes down one event that names them all."""
        for row in rows:
            demand_transition(row.status, to)
            if to in NEEDS_VETTING and row.vetted_at is None:
                raise Refusal("responder_not_vetted")
        self.rows, self.at = rows, at
        self.columns = tuple(dict.fromkeys((*_STATUS, *columns)))
        before = [row.status for row in rows]
        for row in rows:
            _set_status(row, to, at=at)
        self.begun = Insert(Standing, standings(rows))
        events = [
            bare(
                Event, id=new_id(), at=at, incident=row.incident, actor=by, device=None, entity="Responder",
                entity_id=str(row.id), verb=verb, from_state=was, to_state=to, reason=reason,
                facts={"grid": row.grid} if "grid" in columns else {}, sealed_in=None,
            )
            for row, was in zip(rows if event_each else (), before, strict=event_each)
        ]  # fmt: skip
        self.events = Insert(Event, events)

    def write(self) -> None:
        """Raises LostRace where one of them was changed since he was read."""
        if not self.rows:
            return
        update_unchanged(Responder, self.rows, columns=self.columns, key=("id",))
        end_standings([row.id for row in self.rows], at=self.at)
        self.begun.execute()
        self.events.execute()


def _set_status(row: Responder, to: str, *, at: datetime) -> None:
    if row.status == ResponderStatus.ON_DUTY:
        began = row.on_duty_since or row.status_since
        row.minutes_served += max(0, int((at - began).total_seconds() // 60))
        row.on_duty_since = None
    if to == ResponderStatus.ON_DUTY:
        row.on_duty_since = at
    row.status, row.status_since = to, at
    row.version += 1


def standings(rows: Iterable[Responder]) -> list[Standing]:
    """What begins now for these people, as their rows say it."""
    people = list(rows)
    areas = areas_of(people)
    return [
        bare(
            Standing, id=new_id(), responder=row.id, incident=row.incident, sub_district=row.sub_district,
            area=areas[row.id], grid=row.grid or row.home_grid,
            affiliations=",".join(sorted(affiliations_of(row))), status=row.status, since=row.status_since,
            until=None,
        )
        for row in people
    ]  # fmt: skip


def affiliations_of(row: Responder) -> list[str]:
    return row.affiliations or ([row.affiliation] if row.affiliation else [])


def areas_of(rows: Collection[Responder]) -> dict[uuid.UUID, int | None]:
    """The area where each serves, lives, or says that he lives."""
    # Who has no place yet stands where he lives: the area of his house is on his row.
    grids = {_grid_to_ask(row) for row in rows} - {0}
    known = dict(Grid.objects.filter(id__in=grids).values_list("id", "area_id")) if grids else {}
    return {row.id: known.get(_grid_to_ask(row), row.home_area) for row in rows}


def _grid_to_ask(row: Responder) -> int:
    if row.grid is not None:
        return row.grid
    return (row.home_grid or 0) if row.home_area is None else 0


def end_standings(responders: Collection[uuid.UUID], *, at: datetime) -> None:
    Standing.objects.across(reason="own").filter(responder__in=responders, until__isnull=True).update(
        until=Greatest(F("since"), Value(at, output_field=DateTimeField()))
    )


def move_standing(row: Responder, *, at: datetime) -> None:
    """Somebody's place or affiliation changed while his status did not: counts follow from now on."""
    end_standings([row.id], at=at)
    (new,) = standings([row])
    new.since = at
    new.save(force_insert=True)
