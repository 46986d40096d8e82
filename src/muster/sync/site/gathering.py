# SPDX-License-Identifier: Apache-2.0
"""Gathering: what a house needs to work for some grids: the frame, the register, the ledgers, their facts.

Accounts come without passwords, and requests, certificates and the city's own desks do not come at all.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q

from muster.accounts.models import Device, DeviceKind, Grant, Lease, User
from muster.campaigns.models import Campaign, CampaignKind, DoorEntry, LedgerEntry, Round, RoundGrid
from muster.campaigns.states import RoundStatus
from muster.incidents.models import Incident
from muster.places.models import Area, Building, Compound, Dwelling, Grid, GridPost
from muster.register.models import Household, Need, Person
from muster.sync.site.rows import Stock, add_rows, shelf_of, told_row
from muster.trail.models import Fact, NumberWatch
from muster.trail.queries import COUNTING

AT_ONCE = 500
# A password hash has no business on a laptop; whoever sits at the site's desk gets an account there.
NO_PASSWORD = "!site"  # noqa: S105 -- it opens nothing


@dataclass(frozen=True, slots=True)
class Wanted:
    """For which incident and grids; since: the revision known of each grid, none where nothing is known.

    changed_since: of phones and their leases only those that came or changed after it.
    """

    incident: uuid.UUID
    grids: tuple[int, ...]
    since: dict[int, int] = field(default_factory=dict)
    changed_since: datetime | None = None


def gather_all(wanted: Wanted) -> Stock:
    """Everything of some grids, as of now."""
    stock: Stock = {}
    gather_frame(stock, wanted)
    gather_register(stock, wanted)
    accounts = gather_ledgers(stock, wanted, known=frozenset())
    gather_facts(stock, wanted, accounts)
    gather_places(stock, wanted)
    return stock


def gather_frame(stock: Stock, wanted: Wanted) -> None:
    """The incident, its rounds, who works there with which phone."""
    rounds = list(
        Round.objects.select_related("campaign__kind")
        .filter(incident=wanted.incident)
        .exclude(status=RoundStatus.PLANNED)
        .filter(id__in=RoundGrid.objects.filter(grid__in=wanted.grids).values("round"))
    )
    campaigns = {r.campaign_id: r.campaign for r in rounds}
    kinds = {c.kind_id: c.kind for c in campaigns.values()}
    leases, devices = _leases(wanted)
    posts = list(GridPost.objects.filter(grid__in=wanted.grids))
    people = {lease.actor_id for lease in leases} | {p.holder for p in posts if p.holder}
    add_rows(stock, Incident.objects.filter(id=wanted.incident), model=Incident)
    add_rows(stock, kinds.values(), model=CampaignKind)
    add_rows(stock, campaigns.values(), model=Campaign)
    add_rows(stock, rounds, model=Round)
    for user in User.objects.filter(id__in=people):
        bare = told_row(user) | {"password": NO_PASSWORD, "is_staff": False, "is_superuser": False}
        stock.setdefault(shelf_of(User), []).append(bare | {"email": "", "last_login": None})
    add_rows(stock, Grant.objects.filter(user__in=people, grid__in=wanted.grids), model=Grant)
    add_rows(stock, posts, model=GridPost)
    for device in devices:
        # Of no house of its own: what stands for the city's desk must not be taken for the site's.
        stock.setdefault(shelf_of(Device), []).append(told_row(device) | {"incident": str(wanted.incident)})
    add_rows(stock, leases, model=Lease)
    add_rows(stock, NumberWatch.objects.filter(device__in=[d.id for d in devices]), model=NumberWatch)


def _leases(wanted: Wanted) -> tuple[list[Lease], list[Device]]:
    wide = set(wanted.grids)
    rows = Lease.objects.filter(incident=wanted.incident)
    if wanted.changed_since is not None:
        rows = rows.filter(Q(issued_at__gt=wanted.changed_since) | Q(revoked_at__gt=wanted.changed_since))
    leases = [x for x in rows if wide & set(x.grids)]
    devices = Device.objects.filter(
        Q(id__in={x.device_id for x in leases}) | Q(kind__in=[DeviceKind.DESK, DeviceKind.IMPORT])
    )
    return leases, list(devices)


def gather_register(stock: Stock, wanted: Wanted) -> None:
    """Doors, households, people and needs: all, or what is newer than what is known."""
    newer = _newer(wanted)
    households = list(Household.objects.across(reason="site").filter(newer))
    persons = list(Person.objects.across(reason="site").filter(newer))
    homes = {row.dwelling_id for row in (*households, *persons)}
    houses = {row.household_id for row in persons if row.household_id} - {row.id for row in households}
    for part in _parts(houses):
        households += Household.objects.across(reason="site").filter(id__in=part)
    homes |= {row.dwelling_id for row in households}
    dwellings = list(Dwelling.objects.across(reason="site").filter(newer))
    for part in _parts(homes - {row.id for row in dwellings}):
        dwellings += Dwelling.objects.across(reason="site").filter(id__in=part)
    buildings = list(Building.objects.filter(newer))
    for part in _parts({row.building_id for row in dwellings} - {row.id for row in buildings}):
        buildings += Building.objects.filter(id__in=part)
    compounds = Compound.objects.filter(id__in={b.compound_id for b in buildings if b.compound_id})
    add_rows(stock, compounds, model=Compound)
    add_rows(stock, buildings, model=Building)
    add_rows(stock, dwellings, model=Dwelling)
    add_rows(stock, households, model=Household)
    add_rows(stock, persons, model=Person)
    for part in _parts({row.id for row in persons}):
        add_rows(stock, Need.objects.across(reason="site").filter(person__in=part), model=Need)


def _newer(wanted: Wanted) -> Q:
    if not wanted.since:
        return Q(grid__in=wanted.grids)
    said = Q(pk__in=[])
    for grid in wanted.grids:
        said |= Q(grid=grid, rev__gt=wanted.since.get(grid, -1))
    return said


def gather_ledgers(
    stock: Stock, wanted: Wanted, *, known: Collection[tuple[uuid.UUID, int]]
) -> list[RoundGrid]:
    """The accounts of these grids with their entries, where the reader has none yet."""
    rounds = Round.objects.filter(incident=wanted.incident).exclude(status=RoundStatus.PLANNED)
    found = RoundGrid.objects.filter(round__in=rounds.values("id"), grid__in=wanted.grids)
    accounts = [a for a in found if (a.round, a.grid) not in known]
    add_rows(stock, accounts, model=RoundGrid)
    seen: set[tuple[object, ...]] = set()
    for account in accounts:
        mine = Q(grid=account.grid) | Q(origin_grid=account.grid)
        entries = [e for e in LedgerEntry.objects.filter(mine, round=account.round) if e.pk not in seen]
        seen |= {e.pk for e in entries}
        add_rows(stock, entries, model=LedgerEntry)
        add_rows(stock, DoorEntry.objects.filter(round=account.round, grid=account.grid), model=DoorEntry)
    return accounts


def gather_facts(stock: Stock, wanted: Wanted, accounts: Sequence[RoundGrid]) -> None:
    """The counting facts about all that stands in these accounts: what their entries are settled from."""
    told = {(row["device"], row["seq"]) for row in stock.get(shelf_of(Fact), [])}
    for round_id in {account.round for account in accounts}:
        for column, shelf in (("subject", LedgerEntry), ("subject", DoorEntry), ("door", DoorEntry)):
            of_round = [row for row in stock.get(shelf_of(shelf), []) if row["round"] == str(round_id)]
            for part in _parts({row["subject"] for row in of_round}):
                rows = Fact.objects.filter(round=round_id, verdict__in=COUNTING, **{f"{column}__in": part})
                fresh = [f for f in rows if (str(f.device), f.seq) not in told]
                told |= {(str(f.device), f.seq) for f in fresh}
                add_rows(stock, fresh, model=Fact)


def gather_places(stock: Stock, wanted: Wanted) -> None:
    """The grids, those above them, and the areas on the way down to all that was gathered."""
    grids: dict[int, Grid] = {}
    front: Iterable[int] = wanted.grids
    while front:
        rows = list(Grid.objects.filter(id__in=list(front)))
        grids |= {row.id: row for row in rows}
        front = {row.parent_id for row in rows if row.parent_id} - set(grids)
    needed = {row.area_id for row in grids.values()} | {row.sub_district for row in grids.values()}
    for shelf in (Building, Compound):
        needed |= {row["area_id"] for row in stock.get(shelf_of(shelf), [])}
    needed |= {row["area"] for shelf in (Campaign, Round) for row in stock.get(shelf_of(shelf), [])}
    needed |= {row["area"] for row in stock.get(shelf_of(Incident), []) if row["area"]}
    areas = _with_those_above(needed)
    own = {row.sub_district for row in grids.values()}
    beside = {areas[a].parent_id for a in own if a in areas}
    # Somebody served here may come from the next sub-district: leases name those, too.
    siblings = Area.objects.filter(parent_id__in=beside, sub_district=models.F("id"))
    areas |= {row.id: row for row in siblings}
    downwards = sorted(areas.values(), key=lambda a: (a.depth, a.id))
    widest_first = sorted(grids.values(), key=lambda g: -_LEVELS.index(g.level))
    add_rows(stock, downwards, model=Area)
    add_rows(stock, widest_first, model=Grid)


_LEVELS = ("SPECIAL", "SMALL", "MEDIUM", "LARGE")


def _with_those_above(wanted: Collection[int]) -> dict[int, Area]:
    found: dict[int, Area] = {}
    front = set(wanted)
    while front:
        rows = list(Area.objects.filter(id__in=front))
        found |= {row.id: row for row in rows}
        front = {row.parent_id for row in rows if row.parent_id} - set(found)
    return found


def _parts(keys: Collection[Any]) -> Iterator[list[Any]]:
    ordered = sorted(keys, key=str)
    for first in range(0, len(ordered), AT_ONCE):
        yield ordered[first : first + AT_ONCE]
