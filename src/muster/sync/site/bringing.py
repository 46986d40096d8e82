# SPDX-License-Identifier: Apache-2.0
"""Bringing back: the city's news into the site's own books, and in sight where the city says otherwise.

Facts go the one way all facts go, so that entries stay what their facts say. Rows of the register are the
city's once all that was recorded here has been passed on: the city holds both sides by then.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.db import models, transaction

from muster.accounts.models import Device, Grant, Lease, User
from muster.accounts.queries import desk_devices
from muster.campaigns.models import Campaign, CampaignKind, DoorEntry, LedgerEntry, Round, RoundGrid
from muster.flows.recording import record_facts
from muster.incidents.models import Incident
from muster.places.models import Area, Building, Compound, Dwelling, Grid, GridPost
from muster.places.services import bump_revisions
from muster.register.models import Household, Need, Person
from muster.storage.ledger_tables import make_partition
from muster.storage.many_rows import Insert
from muster.sync.models import HomeCity, OtherVerdict
from muster.sync.site.rows import Stock, put_rows, read_rows
from muster.sync.site.telling import News, OtherWord
from muster.trail.incoming import Incoming
from muster.trail.models import Fact, Verdict

# What the city decides, as it is there. Everything else that is here already stays as it is.
FRAME: tuple[tuple[type[models.Model], tuple[str, ...]], ...] = (
    (User, ()),
    (Area, ()),
    (Grid, ()),
    (Incident, ("name", "mode", "ends_at", "phone")),
    (Grant, ("valid_until",)),
    (Device, ("revoked_at", "revoked_by")),
    (Lease, ("revoked_at",)),
    (CampaignKind, ()),
    (Campaign, ("name",)),
    (Round, ("name", "status", "opens_at", "closes_at", "frozen_at", "opened_at", "closed_at")),
)
REGISTER: tuple[type[models.Model], ...] = (Compound, Building, Dwelling, Household, Person, Need)
OWN_COLUMNS = {"rev"}


def bring_news(home: HomeCity, news: News, *, at: datetime) -> int:
    """Writes the city's news here; answers how many facts were new."""
    with transaction.atomic():
        for model, columns in FRAME:
            put_rows(model, read_rows(news.stock, model), columns=columns)
        _put_posts(read_rows(news.stock, GridPost))
        _put_ledgers(news.stock)
    # Accounts that are new here came with their entries settled; their facts are written as they are, below.
    fresh = _record(news.stock, home, at=at)
    _put_register(news.stock, home)
    _note_other_words(news.verdicts, at=at)
    HomeCity.objects.filter(id=home.id).update(
        cursor=news.cursor, brought_at=at, until=min(news.until, home.until)
    )
    return fresh


def _put_posts(posts: Sequence[models.Model]) -> None:
    """Ended ones first: a new head may only come where the old one has gone."""
    rows = cast(Sequence[GridPost], posts)
    columns = ("status", "holder", "holder_name", "phone", "duty", "until")
    put_rows(GridPost, [p for p in rows if p.until is not None], columns=columns)
    taken = dict(GridPost.objects.filter(type="head", until__isnull=True).values_list("grid_id", "id"))
    standing = [p for p in rows if p.until is None]
    put_rows(
        GridPost,
        [p for p in standing if p.type != "head" or taken.get(p.grid_id, p.id) == p.id],
        columns=columns,
    )


def _put_ledgers(stock: Stock) -> None:
    """Rounds that were frozen at the city meanwhile: their entries and the facts they are settled from."""
    accounts = cast(list[RoundGrid], read_rows(stock, RoundGrid))
    here = set(RoundGrid.objects.values_list("round", "grid"))
    fresh = [a for a in accounts if (a.round, a.grid) not in here]
    rounds = {(a.round, a.grid) for a in fresh}
    for round_id in {a.round for a in fresh}:
        make_partition(LedgerEntry, round_id)
        make_partition(DoorEntry, round_id)
    Insert(RoundGrid, fresh).execute()
    entries = cast(list[LedgerEntry], read_rows(stock, LedgerEntry))
    doors = [d for d in cast(list[DoorEntry], read_rows(stock, DoorEntry)) if (d.round, d.grid) in rounds]
    mine = [e for e in entries if (e.round, e.grid) in rounds or (e.round, e.origin_grid) in rounds]
    put_rows(LedgerEntry, mine, columns=())
    put_rows(DoorEntry, doors, columns=())
    settled = {(e.round, e.subject) for e in mine} | {(d.round, d.subject) for d in doors}
    facts = [f for f in _facts(stock) if (f.round, f.subject) in settled or (f.round, f.door) in settled]
    put_rows(Fact, facts, columns=())


def _facts(stock: Stock) -> list[Fact]:
    return cast(list[Fact], read_rows(stock, Fact))


def _record(stock: Stock, home: HomeCity, *, at: datetime) -> int:
    desks = desk_devices()
    incoming = [_incoming(fact, desks) for fact in _facts(stock) if fact.incident == home.incident]
    rulings = record_facts(incoming, at=at) if incoming else []
    return sum(1 for ruling in rulings if ruling.counts)


def _incoming(fact: Fact, desks: frozenset[uuid.UUID]) -> Incoming:
    """A fact that the city weighed: its scope was judged there."""
    return Incoming(
        device=fact.device, seq=fact.seq, id=fact.id, incident=fact.incident, kind=fact.kind,
        actor=fact.actor, occurred_at=fact.occurred_at, received_at=fact.received_at,
        sub_district=fact.sub_district, subject=fact.subject, subject_type=fact.subject_type,
        raw_body=(fact.body or "").encode(), batch=fact.batch, offset_minutes=fact.offset_minutes,
        from_desk=fact.device in desks, body_hash=bytes(fact.body_hash),
    )  # fmt: skip


def _put_register(stock: Stock, home: HomeCity) -> None:
    rows = {model: read_rows(stock, model) for model in REGISTER}
    if not any(rows.values()):
        return
    waiting = HomeCity.objects.filter(id=home.id, waiting__gt=0).exists()
    grids = {cast(Any, row).grid for found in rows.values() for row in found if hasattr(row, "grid")}
    with transaction.atomic():
        revisions = bump_revisions(sorted({g for g in grids if g is not None} & set(home.grids)))
        for model, found in rows.items():
            for row in found:
                if hasattr(row, "rev"):
                    cast(Any, row).rev = revisions.get(cast(Any, row).grid or 0, 0)
            names = [f.name for f in model._meta.concrete_fields if not f.primary_key]
            # While something of ours is still on its way the city cannot know it: only what is new comes in.
            put_rows(model, found, columns=() if waiting else names)


def _note_other_words(told: Sequence[OtherWord], *, at: datetime) -> None:
    """Keeps where the city's verdict is not ours; what the city applied in the end is forgotten."""
    ours: dict[tuple[uuid.UUID, int], str] = {
        (f.device, f.seq): f.verdict for f in Fact.objects.filter(device__in={w.device for w in told})
    }
    differing = []
    for word in told:
        verdict = ours.get((word.device, word.seq))
        if verdict is None:
            continue
        if _counts(verdict) == _counts(word.verdict):
            OtherVerdict.objects.filter(device=word.device, seq=word.seq).delete()
        else:
            differing.append(
                OtherVerdict(
                    device=word.device,
                    seq=word.seq,
                    fact=word.id,
                    grid=word.grid,
                    verdict=word.verdict,
                    code=word.code,
                    since=at,
                )
            )
    put_rows(OtherVerdict, differing, columns=("verdict", "code"))


def _counts(verdict: str) -> bool:
    return verdict in (Verdict.APPLIED, Verdict.FLAGGED, Verdict.DUPLICATE)
