# SPDX-License-Identifier: Apache-2.0
"""The city's side of a site: hearing its word, telling it the news, taking its right back."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from muster.accounts.models import Device, DeviceKind, Lease, User
from muster.accounts.services import read_public_key, revoke_device
from muster.base.errors import Refusal
from muster.campaigns.models import RoundGrid
from muster.intake.receipts import Receipt, receipt_holds
from muster.places.models import Grid
from muster.responders.services import name_worker
from muster.storage.keys import keystore
from muster.storage.reads import snapshot
from muster.sync.models import Site, SiteReceipt
from muster.sync.site.calling import read_call
from muster.sync.site.gathering import (
    Wanted,
    gather_facts,
    gather_frame,
    gather_ledgers,
    gather_places,
    gather_register,
)
from muster.sync.site.rows import Stock, add_rows, shelf_of
from muster.sync.site.telling import HeldReceipt, NewDevice, News, OtherWord, Word
from muster.trail.models import Event, Fact, Verdict
from muster.trail.queries import COUNTING
from muster.trail.services import record_event

OVERLAP = timedelta(minutes=2)
MOST_FACTS = 5000


def calling_site(header: str, *, at: datetime) -> Site:
    """The site that calls. Refusals: site_unknown, site_revoked."""
    keys = keystore().trusted_keys()
    own = {key.instance for key in keys if key.own}
    site = Site.objects.filter(id=read_call(header, keys=keys, own=own, at=at)).first()
    if site is None:
        raise Refusal("site_unknown")
    if site.revoked_at is not None:
        raise Refusal("site_revoked")
    return site


def hear_word(site: Site, word: Word, *, at: datetime) -> int:
    """Keeps who joined there and which batches it held; answers how many of those were new."""
    with transaction.atomic():
        Site.objects.filter(id=site.id).update(
            heard_at=at, waiting=word.waiting, waiting_since=word.waiting_since
        )
        for device in word.devices:
            _meet(site, device, at=at)
        jwk = next(k.jwk for k in keystore().trusted_keys() if k.instance == site.id)
        proven = [told for told in word.receipts if _holds(site, told, jwk)]
        before = SiteReceipt.objects.filter(site=site.id).count()
        SiteReceipt.objects.bulk_create([_kept(site, told, at) for told in proven], ignore_conflicts=True)
        return SiteReceipt.objects.filter(site=site.id).count() - before


def _meet(site: Site, told: NewDevice, *, at: datetime) -> None:
    """A phone that joined at the site. What is known here keeps its key; only a blank name is filled."""
    if not set(told.grids) & set(site.grids):
        return
    key = read_public_key(told.public_key)
    unnamed = {"username": f"w-{told.actor.hex}", "password": "!", "name": told.actor_name}
    _, fresh = User.objects.get_or_create(id=told.actor, defaults=unnamed)
    if not fresh:
        User.objects.filter(id=told.actor, name="").update(name=told.actor_name)
        name_worker(told.actor, incident=site.incident, name=told.actor_name)
    device, fresh = Device.objects.get_or_create(
        id=told.id,
        defaults={
            "kind": DeviceKind.FIELD, "name": told.name, "incident": site.incident, "public_key": key,
            "enrolled_at": told.enrolled_at,
        },
    )  # fmt: skip
    if device.public_key != key:
        return
    Device.objects.filter(id=told.id, name="").update(name=told.name)
    if fresh:
        record_event(
            "Device", device.id, "meet", at=at, actor=told.actor, incident=site.incident, site=str(site.id)
        )
    if told.revoked_at is not None and device.revoked_at is None:
        revoke_device(device, by=site.id, at=told.revoked_at)


def _holds(site: Site, told: HeldReceipt, jwk: dict[str, str]) -> bool:
    receipt = Receipt(
        1, told.batch, told.device, told.sha256, told.received_at, site.id, told.count, told.signature
    )
    return receipt_holds(receipt, jwk) and _moment(told.received_at) is not None


def _kept(site: Site, told: HeldReceipt, at: datetime) -> SiteReceipt:
    return SiteReceipt(
        site=site.id, batch=told.batch, device=told.device, sha256=told.sha256, count=told.count,
        received_at=datetime.fromisoformat(told.received_at), said_at=told.received_at,
        signature=told.signature, kept_at=at,
    )  # fmt: skip


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def news_for(site: Site, cursor: dict[str, Any], *, at: datetime) -> News:
    """What changed in a site's grids since its cursor. Raises Refusal("cursor_bad")."""
    known, since = _read_cursor(cursor)
    with snapshot():
        revisions = dict(Grid.objects.filter(id__in=site.grids).values_list("id", "revision"))
        changed = tuple(g for g, revision in sorted(revisions.items()) if known.get(g) != revision)
        wanted = Wanted(site.incident, changed, since={g: known.get(g, -1) for g in changed})
        stock: Stock = {}
        gather_frame(stock, Wanted(site.incident, tuple(site.grids), changed_since=since - OVERLAP))
        accounts = gather_ledgers(stock, Wanted(site.incident, tuple(site.grids)), known=_accounts(cursor))
        gather_facts(stock, wanted, accounts)
        if changed:
            gather_register(stock, wanted)
        gather_places(stock, Wanted(site.incident, tuple(site.grids)))
        told, more = _add_fresh_facts(stock, site, since - (timedelta(0) if cursor.get("more") else OVERLAP))
        verdicts = _other_words(site, since)
        everything = RoundGrid.objects.filter(grid__in=site.grids).values_list("round", "grid")
        after = {
            "grids": {str(g): revision for g, revision in revisions.items()},
            "at": max(told, since).isoformat(),
            "more": more,
            "accounts": sorted([str(r), g] for r, g in everything),
        }
    return News(1, after, stock, verdicts, site.until)


def _read_cursor(cursor: dict[str, Any]) -> tuple[dict[int, int], datetime]:
    try:
        since = datetime.fromisoformat(cursor["at"])
        if since.tzinfo is None:
            raise ValueError(since)
        return {int(g): int(r) for g, r in cursor["grids"].items()}, since
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise Refusal("cursor_bad") from error


def _accounts(cursor: dict[str, Any]) -> set[tuple[uuid.UUID, int]]:
    try:
        return {(uuid.UUID(r), int(g)) for r, g in cursor.get("accounts", [])}
    except (ValueError, TypeError, AttributeError) as error:
        raise Refusal("cursor_bad") from error


def _add_fresh_facts(stock: Stock, site: Site, since: datetime) -> tuple[datetime, bool]:
    """The counting facts of the site's grids that came here meanwhile; answers up to when, and whether more
    wait.
    """
    fresh = Fact.objects.filter(
        incident=site.incident, grid__in=site.grids, verdict__in=COUNTING, applied_at__gte=since
    )
    rows = list(fresh.order_by("applied_at", "device", "seq")[:MOST_FACTS])
    known = {(row["device"], row["seq"]) for row in stock.get(shelf_of(Fact), [])}
    add_rows(stock, [f for f in rows if (str(f.device), f.seq) not in known], model=Fact)
    return max((f.applied_at for f in rows), default=since), len(rows) == MOST_FACTS


def _other_words(site: Site, since: datetime) -> list[OtherWord]:
    devices = SiteReceipt.objects.filter(site=site.id).values("device").distinct()
    rows = Fact.objects.filter(device__in=devices, incident=site.incident, applied_at__gt=since - OVERLAP)
    told = rows.exclude(verdict=Verdict.APPLIED).order_by("device", "seq")
    return [OtherWord(f.device, f.seq, f.id, f.verdict, f.code, f.grid) for f in told[:MOST_FACTS]]


def revoke_site(site: Site, *, by: uuid.UUID, at: datetime) -> None:
    """Takes a site's word back: it hears no news; what was recorded later under its leases is set aside."""
    with transaction.atomic():
        done = Site.objects.filter(id=site.id, revoked_at__isnull=True).update(revoked_at=at, revoked_by=by)
        if not done:
            return
        lent = {x.id for x in Lease.objects.filter(incident=site.incident, revoked_at__isnull=True)
                if set(x.grids) & set(site.grids)} & _lent_by(site)  # fmt: skip
        Lease.objects.filter(id__in=lent).update(revoked_at=at, epoch=F("epoch") + 1)
        record_event("Site", site.id, "revoke", at=at, actor=by, incident=site.incident, leases=len(lent))


def _lent_by(site: Site) -> set[uuid.UUID]:
    """The leases that came from this site, by the events of their adoption."""
    rows = Event.objects.filter(
        entity="Lease", verb="adopt", incident=site.incident, facts__house=str(site.id)
    )
    return {uuid.UUID(one) for one in rows.values_list("entity_id", flat=True)}


def site_named(said: str) -> Site:
    """A site by id or name. Raises Refusal("site_not_found")."""
    try:
        found = Site.objects.filter(id=uuid.UUID(said)).first()
    except ValueError:
        found = Site.objects.filter(name=said).order_by("-prepared_at").first()
    if found is None:
        raise Refusal("site_not_found", site=said[:80])
    return found
