# SPDX-License-Identifier: Apache-2.0
"""Pull: what a phone needs to know of its grids since its last pull, and the verdicts on what it sent.

The cursor holds the revision of each grid that the phone has; rows carry the revision at which they last
changed, and tombstones tell what to forget.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from muster.accounts.models import Lease
from muster.accounts.services import renew_lease
from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, Round, RoundGrid
from muster.campaigns.queries import entries_of_grid, homes_of
from muster.campaigns.states import RoundStatus
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.packs import Pack
from muster.places.models import Building, Dwelling, Gone, Grid, GridPost
from muster.register.models import Household, Person
from muster.register.names import search_keys
from muster.register.queries import open_needs
from muster.situation.coverage import figures
from muster.storage.keys import keystore
from muster.storage.sealed import reveal_column
from muster.sync.site.standing import carrier_keys, may_lend_until
from muster.trail.models import Fact
from muster.trail.services import record_disclosures

OVERLAP = timedelta(seconds=5)
RENEW_BELOW = timedelta(hours=16)


@dataclass(slots=True)
class Cursor:
    """grids: revision known per grid. verdicts: applied-at of the last verdict told.

    house: whose revisions these are. A phone that comes from the city to a site, or home again, asks anew.
    """

    house: str
    grids: dict[int, int] = field(default_factory=dict)
    verdicts: datetime | None = None

    @classmethod
    def read(cls, text: str | None, *, house: str) -> Cursor:
        """Raises Refusal("cursor_bad")."""
        if not text:
            return cls(house)
        try:
            raw = json.loads(base64.urlsafe_b64decode(text.encode()))
            told = datetime.fromisoformat(raw["v"]) if raw["v"] else None
            grids = {int(g): int(r) for g, r in raw["g"].items()}
            return cls(house, grids, told) if raw.get("h") == house else cls(house)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Refusal("cursor_bad") from error

    def write(self) -> str:
        raw = {
            "h": self.house,
            "g": {str(g): r for g, r in sorted(self.grids.items())},
            "v": self.verdicts.isoformat() if self.verdicts else None,
        }
        return base64.urlsafe_b64encode(json.dumps(raw, separators=(",", ":")).encode()).decode()


def demand_lease(lease: Lease, *, at: datetime) -> None:
    """Reading needs a lease that stands; recording does not. Raises Refusal lease_revoked or
    lease_expired.
    """
    if lease.revoked_at is not None or lease.device.revoked_at is not None:
        raise Refusal("lease_revoked")
    if lease.expires_at <= at:
        raise Refusal("lease_expired")


def pull(lease: Lease, *, since: str | None, at: datetime) -> dict[str, Any]:
    """Everything that changed for this phone since its cursor."""
    demand_lease(lease, at=at)
    cursor = Cursor.read(since, house=keystore().instance_key().kid)
    incident = Incident.objects.get(id=lease.incident)
    pack = pack_of(incident)
    # Verdicts are read first: a phone lets go of a fact with its verdict, so the row must come with it.
    verdicts, told = _verdicts(lease.device_id, cursor.verdicts)
    # Revisions are read before the rows: a change that comes between is told twice, never not at all.
    grids = list(
        Grid.objects.filter(id__in=lease.grids, status="ACTIVE").select_related("area").order_by("code")
    )
    rounds = list(
        Round.objects.select_related("campaign__kind")
        .filter(incident=incident.id)
        .exclude(status=RoundStatus.PLANNED)
    )
    changes = _Changes(cursor, rounds, at.year)
    for grid in grids:
        if cursor.grids.get(grid.id) != grid.revision:
            changes.read_grid(grid, pack)
    until = may_lend_until(at=at)
    due = lease.expires_at - at < RENEW_BELOW and lease.expires_at != until
    renewed, text = renew_lease(lease, at=at, until=until) if due else (lease, None)
    if changes.persons:
        _disclose(lease, grids, changes, at)
    after = Cursor(cursor.house, {g.id: g.revision for g in grids}, told)
    return {
        "v": 1,
        "cursor": after.write(),
        "more": False,
        "full": not cursor.grids,
        "now": at,
        "lease_until": renewed.expires_at,
        **({"lease": text} if text else {}),
        "incident": incident_json(incident),
        "actor": {"id": lease.actor_id, "name": lease.actor.name},
        "server_keys": [{"kid": k.kid, "jwk": k.jwk} for k in keystore().trusted_keys()],
        "carriers": carrier_keys(),
        "services": pack.to_json().get("services", []),
        "needs": [{k: n[k] for k in ("code", "name", "service")} for n in pack.to_json().get("needs", [])],
        "phones": pack.to_json().get("phones"),
        "emergency_numbers": pack.to_json().get("emergency_numbers", []),
        "rounds": [round_json(r) for r in rounds],
        "grids": [_grid_json(g, rounds, lease.actor_id) for g in grids],
        "gone_grids": sorted(set(cursor.grids) - {g.id for g in grids}),
        "buildings": changes.buildings,
        "doors": changes.doors,
        "households": changes.households,
        "persons": changes.persons,
        "entries": changes.entries,
        "gone": changes.gone,
        "verdicts": verdicts,
        "terms_version": 1,
    }


def incident_json(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "name": incident.name,
        "kind": incident.kind,
        "pack": incident.pack,
        "mode": incident.mode,
        "is_drill": incident.is_drill,
        "time_zone": incident.time_zone,
        "starts_at": incident.starts_at,
        "ends_at": incident.ends_at,
        "phone": incident.phone,
    }


def round_json(round_: Round) -> dict[str, Any]:
    return {
        "id": round_.id,
        "campaign": round_.campaign_id,
        "campaign_name": round_.campaign.name,
        "name": round_.name,
        "status": round_.status,
        "kind": round_.campaign.kind.definition,
        "unit": round_.unit,
        "number": round_.number,
        "opens_at": round_.opens_at,
        "closes_at": round_.closes_at,
    }


def _grid_json(grid: Grid, rounds: Sequence[Round], actor: uuid.UUID) -> dict[str, Any]:
    head = GridPost.objects.filter(grid=grid, type="head", until__isnull=True).first()
    own = GridPost.objects.filter(grid=grid, holder=actor, until__isnull=True).first()
    accounts = {a.round: a for a in RoundGrid.objects.filter(round__in=[r.id for r in rounds], grid=grid.id)}
    return {
        "id": grid.id,
        "code": grid.code,
        "name": grid.name,
        "name_en": grid.name_en,
        "revision": grid.revision,
        "sub_district": grid.sub_district,
        "area": grid.area.name,
        "head": {"name": head.holder_name, "phone": head.phone} if head else None,
        "duty": own.duty if own else None,
        "round": {str(r): _account_json(a) for r, a in accounts.items()},
    }


def _account_json(account: RoundGrid) -> dict[str, Any]:
    told = figures([account])
    return {**told["equation"], "doors": told["doors"], "outcomes": told["outcomes"]}


def age_band(birth_year: int | None, year: int) -> str | None:
    if birth_year is None:
        return None
    age = year - birth_year
    for upper, band in ((7, "0-6"), (18, "7-17"), (60, "18-59"), (80, "60-79")):
        if age < upper:
            return band
    return "80+"


class _Changes:
    """The rows of some grids that are newer than a cursor."""

    def __init__(self, cursor: Cursor, rounds: Sequence[Round], year: int) -> None:
        self.year = year
        self.cursor = cursor
        self.rounds = rounds
        self.buildings: list[dict[str, Any]] = []
        self.doors: list[dict[str, Any]] = []
        self.households: list[dict[str, Any]] = []
        self.persons: list[dict[str, Any]] = []
        self.entries: list[dict[str, Any]] = []
        self.gone: list[dict[str, Any]] = []

    def read_grid(self, grid: Grid, pack: Pack) -> None:
        since = self.cursor.grids.get(grid.id, -1)
        self._buildings(grid, since)
        self._doors(grid, since)
        self._households(grid, since)
        self._persons(grid, since, pack)
        self._entries(grid, since)
        if since >= 0:
            self._left(grid.id, since)

    def _left(self, grid: int, since: int) -> None:
        """What has left the grid, its roster entry with it; not what has come back meanwhile: that is told
        among the rows, and a phone forgets after it has read them.
        """
        here = {
            (kind, row[key])
            for kind, key, rows in (
                ("building", "id", self.buildings),
                ("door", "id", self.doors),
                ("household", "id", self.households),
                ("person", "id", self.persons),
                ("entry", "subject", self.entries),
            )
            for row in rows
            if row["grid"] == grid
        }
        left = Gone.objects.filter(grid=grid, rev__gt=since).values_list("type", "subject")
        gone = {(told, subject) for kind, subject in left for told in (kind, "entry")} - here
        self.gone += [{"type": t, "id": s, "grid": grid} for t, s in sorted(gone)]

    def _buildings(self, grid: Grid, since: int) -> None:
        rows = Building.objects.filter(grid=grid.id, rev__gt=since if since >= 0 else -1).order_by(
            "walk_order", "code"
        )
        self.buildings += [
            {
                "id": b.id,
                "grid": grid.id,
                "name": b.name,
                "address": b.street,
                "order": b.walk_order,
                "units": b.units,
                "floors": b.floors,
                "lon": b.lon,
                "lat": b.lat,
            }
            for b in rows
        ]

    def _doors(self, grid: Grid, since: int) -> None:
        states: dict[uuid.UUID, dict[str, Any]] = defaultdict(dict)
        rounds = [r.id for r in self.rounds]
        accounts = RoundGrid.objects.filter(round__in=rounds, grid=grid.id)
        homes = {grid.sub_district, *(home for account in accounts for home in homes_of(account))}
        rows = DoorEntry.objects.filter(round__in=rounds, sub_district__in=homes, grid=grid.id)
        fresh: set[uuid.UUID] = set()
        for round_id, dwelling, state, attempts, rev in rows.values_list(
            "round", "subject", "state", "attempts", "rev"
        ):
            states[dwelling][str(round_id)] = {"state": state, "attempts": attempts}
            if rev > since:
                fresh.add(dwelling)
        doors = Dwelling.objects.across(reason="pull").filter(grid=grid.id, status="ACTIVE").defer("address")
        for d in doors.order_by("walk_order", "unit", "room"):
            if d.rev > since or d.id in fresh:
                self.doors.append(
                    {
                        "id": d.id,
                        "grid": grid.id,
                        "sub_district": d.sub_district,
                        "building": d.building_id,
                        "unit": d.unit,
                        "floor": d.floor,
                        "room": d.room,
                        "label": d.label,
                        "order": d.walk_order,
                        "states": states.get(d.id, {}),
                    }
                )

    def _households(self, grid: Grid, since: int) -> None:
        rows = Household.objects.across(reason="pull").filter(grid=grid.id, rev__gt=since)
        for h, d, k, label, left in rows.values_list("id", "dwelling_id", "kind", "label", "left_at"):
            if left is not None:
                self.gone.append({"type": "household", "id": h, "grid": grid.id})
                continue
            self.households.append({"id": h, "dwelling": d, "kind": k, "label": label, "grid": grid.id})

    def _persons(self, grid: Grid, since: int, pack: Pack) -> None:
        rows = Person.objects.across(reason="pull").filter(grid=grid.id, rev__gt=since)
        found = list(
            rows.values_list(
                "id",
                "household_id",
                "dwelling_id",
                "name",
                "phone",
                "birth_year",
                "listed",
                "left_at",
                "lives_here",
                "version",
            )
        )
        names = reveal_column(Person, "name", [(r[0], r[3]) for r in found])
        phones = reveal_column(Person, "phone", [(r[0], r[4]) for r in found])
        needs = open_needs([r[0] for r in found])
        for row, name, phone in zip(found, names, phones, strict=True):
            if row[7] is not None:
                self.gone.append({"type": "person", "id": row[0], "grid": grid.id})
                continue
            self.persons.append(
                {
                    "id": row[0],
                    "household": row[1],
                    "dwelling": row[2],
                    "name": name or "",
                    "phone": phone,
                    "grid": grid.id,
                    "age_band": age_band(row[5], self.year),
                    "services": pack.services_of(needs.get(row[0], [])),
                    "listed": row[6],
                    "lives_here": row[8],
                    "version": row[9],
                    "search_keys": search_keys(name),
                }
            )

    def _entries(self, grid: Grid, since: int) -> None:
        accounts = {
            a.round: a for a in RoundGrid.objects.filter(round__in=[r.id for r in self.rounds], grid=grid.id)
        }
        for round_ in self.rounds:
            account = accounts.get(round_.id)
            if account is None:
                continue
            rows = entries_of_grid(account).filter(rev__gt=since)
            self.entries += [
                {
                    "round": round_.id,
                    "subject": e.subject,
                    "sub_district": e.sub_district,
                    "unit": round_.unit,
                    "cls": e.cls,
                    "outcome": e.outcome or None,
                    "at": e.at,
                    "attempts": e.attempts,
                    "by": e.actor,
                    "origin": e.origin,
                    "dwelling": e.dwelling,
                    "grid": grid.id,
                    "fact": e.fact,
                }
                for e in rows
            ]


def _verdicts(device: uuid.UUID, since: datetime | None) -> tuple[list[dict[str, Any]], datetime | None]:
    rows = Fact.objects.filter(device=device)
    if since is not None:
        rows = rows.filter(Q(applied_at__gt=since - OVERLAP))
    found = list(rows.order_by("-seq").values_list("id", "seq", "verdict", "code", "applied_at")[:20_000])
    told = max((row[4] for row in found), default=since)
    return [{"id": i, "seq": s, "verdict": v, "code": c} for i, s, v, c, _ in found], told


def _disclose(lease: Lease, grids: Sequence[Grid], changes: _Changes, at: datetime) -> None:
    for grid in grids:
        rows = sum(1 for p in changes.persons if p["grid"] == grid.id)
        if rows:
            record_disclosures(
                [None],
                actor=lease.actor_id,
                role="worker",
                operation="sync.pull",
                fields="name,phone,services",
                at=at,
                grid=grid.id,
                rows=rows,
            )
