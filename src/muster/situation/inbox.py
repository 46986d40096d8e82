# SPDX-License-Identifier: Apache-2.0
"""What needs somebody now, by clock, each with one action: 待处置清单 and the desk's home."""

from __future__ import annotations

import uuid
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min

from muster.accounts.queries import lease_grids
from muster.campaigns.models import Certificate, Round, RoundGrid
from muster.campaigns.states import RoundStatus
from muster.places.models import Area, Grid, GridPost
from muster.places.queries import sub_districts_of_grids
from muster.situation.duplicates import pairs_to_judge
from muster.situation.waiting_requests import waiting_requests
from muster.situation.waiting_trips import waiting_trips
from muster.storage.scoping import Scope
from muster.trail.models import Verdict, Waiting
from muster.trail.queries import numbers_missing

STALE = timedelta(hours=2)
# More doubted records of one phone within this time are not left to somebody's next look at the list.
MANY_FLAGS, FLAGS_WITHIN = 20, timedelta(hours=1)
MOST = 200


def inbox_items(scope: Scope, *, at: datetime, judges: Scope | None = None) -> list[dict[str, Any]]:
    """Items as codes with facts; words come from the catalogue, names of places in both languages.

    judges: where the reader may judge pairs; None: nowhere, and no pair is his to see.
    """
    grids = [
        g for g in Grid.objects.filter(status="ACTIVE", level="SMALL").select_related("area").order_by("code")
        if scope.allows(sub_district=g.sub_district, grid=g.id)
    ]  # fmt: skip
    items = [
        *_requests(scope, at),
        *_trips(scope, at),
        *_headless(grids),
        *_held(scope),
        *_flagged(scope, at),
        *_numbers_missing(scope, at),
        *(_duplicates(judges) if judges is not None else []),
    ]
    rounds = Round.objects.filter(status__in=[RoundStatus.OPEN, RoundStatus.CLOSING, RoundStatus.CLOSED])
    names = {g.id: g for g in grids}
    accounts: dict[uuid.UUID, list[RoundGrid]] = defaultdict(list)
    for account in RoundGrid.objects.filter(round__in=rounds.values("id")).order_by("grid"):
        if account.grid in names:
            accounts[account.round].append(account)
    signed = set(
        Certificate.objects.filter(round__in=accounts, withdrawn_at__isnull=True).values_list("round", "grid")
    )
    for round_ in rounds.order_by("-id"):
        items += _of_round(round_, accounts[round_.id], names, signed, at)
    return items[:MOST]


def _requests(scope: Scope, at: datetime) -> list[dict[str, Any]]:
    found = waiting_requests(scope, at=at)
    items = [
        item("request_life", f"life-{row.id}", since=row.made_at, due=row.respond_by,
             link=f"/requests?id={row.id}", action="send_somebody", number=row.number)
        for row in found.lives
    ]  # fmt: skip
    if found.late:
        first = found.late[0]
        items.append(
            item("requests_late", "requests-late", since=first.respond_by, due=first.respond_by,
                 link=f"/requests?id={first.id}", action="send_somebody", count=len(found.late))
        )  # fmt: skip
    if found.done:
        items.append(
            item("requests_done", "requests-done", since=found.done[0].done_at,
                 link=f"/requests?id={found.done[0].id}", action="ask_solved", count=len(found.done))
        )  # fmt: skip
    return items


def _trips(scope: Scope, at: datetime) -> list[dict[str, Any]]:
    found = waiting_trips(scope, at=at)
    items = [
        item("trip_missed", f"trip-{row.id}", since=row.be_there_at, due=row.be_there_at,
             link=f"/trips?id={row.id}", action="look_into_trip", number=row.number)
        for row in found.missed
    ]  # fmt: skip
    if found.late:
        first = found.late[0]
        items.append(
            item("trips_late", "trips-late", since=first.next_due, due=first.next_due,
                 link=f"/trips?id={first.id}", action="look_into_trip", count=len(found.late))
        )  # fmt: skip
    return items


def _headless(grids: list[Grid]) -> list[dict[str, Any]]:
    headed = set(GridPost.objects.filter(type="head", until__isnull=True).values_list("grid_id", flat=True))
    return [
        item(
            "grid_without_head",
            f"head-{g.id}",
            since=g.valid_from,
            link=f"/grids/{g.id}",
            action="appoint_head",
            grid=named(g),
            area=named(g.area),
        )
        for g in grids
        if g.id not in headed
    ]


def _held(scope: Scope) -> list[dict[str, Any]]:
    waiting = Waiting.objects.filter(resolved_at__isnull=True).exclude(verdict=Verdict.FLAGGED)
    rows = [w for w in waiting.order_by("since")[:2000]
            if scope.allows(sub_district=w.sub_district, grid=w.grid)]  # fmt: skip
    if not rows:
        return []
    return [
        item("facts_held", "held", since=rows[0].since, link="/held", action="work_held", count=len(rows))
    ]


def _flagged(scope: Scope, at: datetime) -> list[dict[str, Any]]:
    """Phones whose records are doubted again and again within an hour: a wrong clock, or a closed round."""
    fresh = Waiting.objects.filter(
        scope.condition(), verdict=Verdict.FLAGGED, resolved_at__isnull=True, since__gt=at - FLAGS_WITHIN
    )
    phones = fresh.values("device").annotate(many=Count("seq"), first=Min("since"))
    mine = [(one["first"], one["many"]) for one in phones.filter(many__gt=MANY_FLAGS)[:2_000]]
    if not mine:
        return []
    return [
        item("many_flags", "flags", since=min(mine)[0], link="/flags", action="work_held",
             count=sum(many for _, many in mine), devices=len(mine))
    ]  # fmt: skip


def _numbers_missing(scope: Scope, at: datetime) -> list[dict[str, Any]]:
    """Phones that recorded something which never came: lost on the way, or still on a phone that is off."""
    watches = numbers_missing(at=at)
    if not watches:
        return []
    grids = lease_grids({watch.device for watch in watches})
    homes = sub_districts_of_grids({grid for named in grids.values() for grid in named})
    mine = [
        watch
        for watch in watches
        if any(scope.allows(sub_district=homes[g], grid=g) for g in grids.get(watch.device, ()) if g in homes)
    ]
    if not mine:
        return []
    return [
        item("numbers_missing", "numbers", since=mine[0].gap_since, link="/devices", action="ask_phones",
             count=sum(watch.missing for watch in mine), devices=len(mine))
    ]  # fmt: skip


def _duplicates(scope: Scope) -> list[dict[str, Any]]:
    rows = pairs_to_judge(scope).order_by("found_at")
    first, count = rows.first(), rows.count()
    if first is None:
        return []
    return [
        item(
            "duplicates_open",
            "duplicates",
            since=first.found_at,
            link="/duplicates",
            action="judge_duplicates",
            count=count,
        )
    ]


def _of_round(
    round_: Round,
    accounts: list[RoundGrid],
    names: dict[int, Grid],
    signed: set[tuple[uuid.UUID, int]],
    at: datetime,
) -> list[dict[str, Any]]:
    if not accounts:
        return []
    link = f"/rounds/{round_.id}"
    missing = sum(a.n_open + a.n_unreached for a in accounts)
    items = []
    if missing:
        items.append(
            item(
                "round_missing",
                f"missing-{round_.id}",
                since=round_.opened_at,
                due=round_.closes_at,
                link=f"{link}?tab=missing",
                action="chase_missing",
                count=missing,
                round=round_.name,
            )
        )
    arranged = sum(a.n_arranged for a in accounts)
    if arranged:
        items.append(
            item(
                "round_arranged",
                f"arranged-{round_.id}",
                since=round_.opened_at,
                due=round_.closes_at,
                link=f"{link}?tab=missing&cls=ARRANGED",
                action="visit_arranged",
                count=arranged,
                round=round_.name,
            )
        )
    items += _stale(round_, accounts, names, at)
    if round_.status in {RoundStatus.CLOSING, RoundStatus.CLOSED}:
        unsigned = [
            a for a in accounts if (round_.id, a.grid) not in signed and not (a.n_open + a.n_unreached)
        ]
        items += [
            item(
                "grid_to_certify",
                f"certify-{round_.id}-{a.grid}",
                since=a.last_fact_at or round_.opened_at,
                link=f"{link}?tab=certify&grid={a.grid}",
                action="sign_certificate",
                grid=named(names[a.grid]),
                round=round_.name,
            )
            for a in unsigned
        ]
    return items


def _stale(
    round_: Round, accounts: list[RoundGrid], names: dict[int, Grid], at: datetime
) -> list[dict[str, Any]]:
    if round_.status != RoundStatus.OPEN or round_.opened_at is None or at - round_.opened_at < STALE:
        return []
    silent = [a for a in accounts if (a.last_fact_at or round_.opened_at) < at - STALE and a.n_open]
    return [
        item("grid_silent", f"silent-{round_.id}-{a.grid}", since=a.last_fact_at or round_.opened_at,
             link=f"/grids/{a.grid}", action="call_head", grid=named(names[a.grid]), round=round_.name)
        for a in silent
    ]  # fmt: skip


def named(place: Area | Grid) -> dict[str, str]:
    """The name of a place in both languages; where it has none in English, its own."""
    return {"zh": place.name, "en": place.name_en or place.name}


def item(
    kind: str,
    key: str,
    *,
    since: datetime | None,
    link: str,
    action: str,
    due: datetime | None = None,
    count: int | None = None,
    **facts: Any,
) -> dict[str, Any]:
    return {
        "kind": kind,
        "key": key,
        "since": since,
        "due": due,
        "link": link,
        "action": action,
        "count": count,
        "facts": facts,
    }
