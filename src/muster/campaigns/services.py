# SPDX-License-Identifier: Apache-2.0
"""Writes of campaigns: kinds, campaigns, rounds; freeze, open, start closing, close."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, Sum

from muster.base.errors import Refusal
from muster.campaigns import telling
from muster.campaigns.kinds import check_definition
from muster.campaigns.models import Campaign, CampaignKind, DoorEntry, LedgerEntry, Round, RoundGrid
from muster.campaigns.queries import accounts_of_round, counted_classes
from muster.campaigns.rules import demand_transition
from muster.campaigns.states import EntryClass, Origin, RoundStatus, Unit
from muster.places.models import Area, Grid
from muster.places.queries import active_grids, doors_for_freeze
from muster.places.services import bump_revisions
from muster.register.queries import roster_households, roster_persons
from muster.storage.ledger_tables import make_partition
from muster.storage.many_rows import Insert
from muster.storage.writes import pause_between_writes
from muster.trail.services import record_event

Progress = Callable[[int, int], None]


def save_kind(
    *, key: str, definition: dict[str, Any], incident: uuid.UUID | None, by: uuid.UUID | None, at: datetime
) -> CampaignKind:
    """Saves a campaign kind as a new version; rounds already made keep the version they began with."""
    check_definition(definition)
    for _ in range(5):
        last = CampaignKind.objects.filter(key=key, incident=incident).order_by("-version").first()
        version = last.version + 1 if last else 1
        try:
            with transaction.atomic():
                kind = CampaignKind.objects.create(
                    key=key, version=version, incident=incident, made_by=by, made_at=at,
                    definition={**definition, "key": key, "version": version},
                )  # fmt: skip
                record_event(
                    "CampaignKind", kind.id, "save", at=at, actor=by, incident=incident, version=version
                )
        except IntegrityError:
            continue
        return kind
    raise Refusal("kind_busy", key=key)


def start_campaign(
    *, incident: uuid.UUID, name: str, kind: CampaignKind, area: Area, by: uuid.UUID | None, at: datetime
) -> Campaign:
    with transaction.atomic():
        campaign = Campaign.objects.create(
            incident=incident, name=name, kind=kind, area=area.id, area_path=area.path, made_by=by, made_at=at
        )
        record_event("Campaign", campaign.id, "start", at=at, actor=by, incident=incident, area=area.id)
    return campaign


def plan_round(
    campaign: Campaign,
    *,
    name: str,
    at: datetime,
    by: uuid.UUID | None,
    opens_at: datetime | None = None,
    closes_at: datetime | None = None,
) -> Round:
    if opens_at and closes_at and closes_at <= opens_at:
        raise Refusal("ends_before_start", field="closes_at")
    with transaction.atomic():
        number = campaign.rounds.count() + 1
        made = Round.objects.create(
            incident=campaign.incident,
            campaign=campaign,
            number=number,
            name=name,
            area=campaign.area,
            area_path=campaign.area_path,
            unit=campaign.kind.definition["unit"],
            kind_version=campaign.kind.version,
            opens_at=opens_at,
            closes_at=closes_at,
        )
        record_event("Round", made.id, "plan", at=at, actor=by, incident=made.incident, to_state=made.status)
    return made


FREEZE_AT_ONCE = 60


def ask_freeze(round_: Round, *, by: uuid.UUID | None, at: datetime) -> Round:
    """Freezes a small roster now; a large one is noted for the worker, while the desk watches its progress.

    Raises:
        Refusal: "round_not_ready", "area_without_grids".
    """
    demand_transition(round_.status, RoundStatus.ROSTER_FROZEN)
    refused = why_not_freeze(round_)
    if refused is not None:
        raise refused
    if active_grids(round_.area_path).count() <= FREEZE_AT_ONCE:
        return freeze_round(round_, by=by, at=at)
    asked = Round.objects.filter(id=round_.id, status=RoundStatus.PLANNED, freeze_asked_at__isnull=True)
    if asked.update(freeze_asked_at=at, freeze_asked_by=by):
        record_event("Round", round_.id, "ask_freeze", at=at, actor=by, incident=round_.incident)
    round_.refresh_from_db()
    return round_


def next_to_freeze() -> Round | None:
    """The round that has waited longest for its roster."""
    asked = Round.objects.filter(status=RoundStatus.PLANNED, freeze_asked_at__isnull=False)
    return asked.order_by("freeze_asked_at").first()


def why_not_freeze(round_: Round) -> Refusal | None:
    return (
        None if active_grids(round_.area_path).exists() else Refusal("area_without_grids", area=round_.area)
    )


def freezing(round_: Round) -> tuple[int, int, int]:
    """(grids frozen, grids in all, units on the roster so far)."""
    rows = RoundGrid.objects.filter(round=round_.id, is_frozen=True)
    told = rows.aggregate(done=Count("grid"), units=Sum("frozen"))
    return told["done"], active_grids(round_.area_path).count(), told["units"] or 0


def freeze_round(
    round_: Round, *, by: uuid.UUID | None, at: datetime, progress: Progress | None = None
) -> Round:
    """Freezes the roster grid by grid: who must be reached is fixed before anybody goes out.

    Interrupted, it is taken up where it stopped: a grid is frozen in one transaction, and a frozen grid is
    left alone.
    """
    demand_transition(round_.status, RoundStatus.ROSTER_FROZEN)
    grids = list(active_grids(round_.area_path))
    if not grids:
        raise Refusal("area_without_grids", area=round_.area)
    for ledger in (LedgerEntry, DoorEntry, RoundGrid):
        make_partition(ledger, round_.id)
    done = set(RoundGrid.objects.filter(round=round_.id, is_frozen=True).values_list("grid", flat=True))
    for number, grid in enumerate(grids, start=1):
        if grid.id not in done:
            _freeze_grid(round_, grid)
            pause_between_writes()
        if progress:
            progress(number, len(grids))
    change_status(round_, RoundStatus.ROSTER_FROZEN, by=by, at=at, frozen_at=at)
    return round_


def _freeze_grid(round_: Round, grid: Grid) -> None:
    doors = doors_for_freeze(grid.id)
    roster = _roster(round_.unit, grid.id, [d.id for d in doors])
    entries = [
        LedgerEntry(
            round=round_.id,
            sub_district=grid.sub_district,
            subject=subject,
            origin=Origin.FROZEN,
            origin_grid=grid.id,
            origin_dwelling=dwelling,
            grid=grid.id,
            dwelling=dwelling,
        )
        for subject, dwelling in roster
    ]
    door_rows = [
        DoorEntry(
            round=round_.id,
            sub_district=grid.sub_district,
            subject=d.id,
            origin=Origin.FROZEN,
            grid=grid.id,
            building=d.building,
        )
        for d in doors
    ]
    with transaction.atomic():
        # Two that freeze at once: the second finds the grid done and leaves it alone.
        revision = bump_revisions([grid.id])[grid.id]
        if RoundGrid.objects.filter(round=round_.id, grid=grid.id).exists():
            return
        for entry in entries:
            entry.rev = revision
        for door in door_rows:
            door.rev = revision
        Insert(LedgerEntry, entries).execute()
        Insert(DoorEntry, door_rows).execute()
        RoundGrid.objects.bulk_create(
            [
                RoundGrid(
                    round=round_.id,
                    sub_district=grid.sub_district,
                    grid=grid.id,
                    frozen=len(entries),
                    n_open=len(entries),
                    doors=len(door_rows),
                    is_frozen=True,
                    rev=revision,
                )
            ]
        )


def _roster(unit: str, grid: int, doors: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    match unit:
        case Unit.PERSON:
            return roster_persons(grid)
        case Unit.HOUSEHOLD:
            return roster_households(grid)
        case _:
            return [(door, door) for door in doors]


def open_round(round_: Round, *, by: uuid.UUID | None, at: datetime) -> Round:
    return change_status(round_, RoundStatus.OPEN, by=by, at=at, opened_at=at)


def start_closing(round_: Round, *, by: uuid.UUID | None, at: datetime) -> Round:
    """From here on only what is still open is explained; facts keep coming in."""
    with transaction.atomic():
        done = change_status(round_, RoundStatus.CLOSING, by=by, at=at)
        telling.closing(done, at=at)
    return done


def why_not_close(round_: Round) -> Refusal | None:
    """What still stands in the way of closing, by the accounts."""
    told = RoundGrid.objects.filter(round=round_.id).aggregate(
        open=Sum("n_open"), unreached=Sum("n_unreached")
    )
    open_entries, unreached = told["open"] or 0, told["unreached"] or 0
    if open_entries or unreached:
        return Refusal("round_has_open_entries", open=open_entries, unreached=unreached)
    return None


def close_round(round_: Round, *, by: uuid.UUID | None, at: datetime) -> Round:
    """Closes a round whose every open entry is done or explained and whose equation holds in every grid.

    Raises:
        Refusal: "round_has_open_entries" (open, unreached, grids), "equation_broken" (grids).
    """
    open_entries, unreached, broken = 0, 0, []
    for account in accounts_of_round(round_.id):
        classes = counted_classes(account)
        open_entries += classes[EntryClass.OPEN]
        unreached += classes[EntryClass.UNREACHED]
        if sum(classes.values()) != written_side(account):
            broken.append(account.grid)
    if broken:
        raise Refusal("equation_broken", grids=broken)
    if open_entries or unreached:
        raise Refusal("round_has_open_entries", open=open_entries, unreached=unreached)
    return change_status(round_, RoundStatus.CLOSED, by=by, at=at, closed_at=at)


def reopen_round(round_: Round, *, by: uuid.UUID | None, at: datetime) -> Round:
    return change_status(
        round_,
        RoundStatus.OPEN if round_.status == RoundStatus.CLOSING else RoundStatus.CLOSING,
        by=by,
        at=at,
    )


def written_side(account: RoundGrid) -> int:
    """The written side of the equation, kept by freeze, found-person and re-grid only."""
    return account.frozen + account.added + account.moved_in - account.moved_out


def change_status(round_: Round, to: str, *, by: uuid.UUID | None, at: datetime, **stamps: datetime) -> Round:
    demand_transition(round_.status, to)
    with transaction.atomic():
        changed = Round.objects.filter(id=round_.id, status=round_.status).update(status=to, **stamps)
        if not changed:
            raise Refusal("round_changed_meanwhile", round=str(round_.id))
        # Every phone of the round hears of it at its next pull.
        bump_revisions(list(RoundGrid.objects.filter(round=round_.id).values_list("grid", flat=True)))
        record_event("Round", round_.id, to.lower(), at=at, actor=by, incident=round_.incident,
                     from_state=round_.status, to_state=to)  # fmt: skip
    round_.status = to
    for name, value in stamps.items():
        setattr(round_, name, value)
    return round_


def recount(account: RoundGrid) -> dict[str, Counter[str]]:
    """What the counters of an account should be, counted from its entries and doors."""
    from muster.campaigns.queries import doors_of_grid, entries_of_grid

    entries = list(entries_of_grid(account).values_list("cls", "outcome"))
    doors = doors_of_grid(account).values_list("state", flat=True)
    return {
        "classes": Counter(cls for cls, _ in entries),
        "outcomes": Counter(outcome for _, outcome in entries if outcome),
        "doors": Counter(doors),
    }
