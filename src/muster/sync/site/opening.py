# SPDX-License-Identifier: Apache-2.0
"""Opening a site: an empty house becomes the one that its bundle describes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec
from django.db import transaction

from muster.accounts.models import Device, Grant, Lease, User
from muster.base.errors import Refusal
from muster.campaigns.models import Campaign, CampaignKind, DoorEntry, LedgerEntry, Round, RoundGrid
from muster.incidents.models import Incident
from muster.intake.durable import write_file
from muster.places.models import Area, Building, Compound, Dwelling, Grid, GridPost
from muster.register.models import Household, Need, Person
from muster.storage.keys import keystore
from muster.storage.ledger_tables import make_partition
from muster.sync.models import HomeCity
from muster.sync.site.preparing import Bundle
from muster.sync.site.rows import insert_rows, read_rows, shelf_of
from muster.sync.site.sealed_file import read_sealed
from muster.trail.models import Fact, NumberWatch
from muster.trail.services import record_event

# From what others point to, to what points.
ORDER = (
    User, Area, Grid, Incident, Grant, Device, Lease, GridPost, Compound, Building, Dwelling, Household,
    Person, Need, CampaignKind, Campaign, Round, RoundGrid, LedgerEntry, DoorEntry, Fact, NumberWatch,
)  # fmt: skip


def open_bundle(path: Path, *, passphrase: str, at: datetime) -> Bundle:
    """What a sealed file holds. Refusals as read_sealed, and bundle_unreadable."""
    plain = read_sealed(path, passphrase=passphrase, at=at)
    try:
        bundle = msgspec.json.decode(plain, type=Bundle)
    except (msgspec.ValidationError, msgspec.DecodeError):
        raise Refusal("bundle_unreadable", path=path.name) from None
    if bundle.v != 1 or not set(bundle.stock) <= {shelf_of(model) for model in ORDER}:
        raise Refusal("bundle_newer", path=path.name)
    return bundle


def open_site(bundle: Bundle, *, folder: Path, at: datetime) -> HomeCity:
    """Writes rows, identity and files of a site into this empty house: all or nothing.

    Raises:
        Refusal: "site_not_empty", "bundle_unreadable".
    """
    _demand_empty()
    keystore().assume_identity(bundle.site, bundle.private)
    for jwk in bundle.city_keys:
        keystore().pin(jwk, instance=bundle.city)
    for name, content in bundle.packs.items():
        write_file(folder / "packs" / _inside(name), content.encode())
    _write_tls(bundle, folder)
    rows = [(model, read_rows(bundle.stock, model)) for model in ORDER]
    with transaction.atomic():
        for round_ in next(found for model, found in rows if model is Round):
            for ledger in (LedgerEntry, DoorEntry):
                make_partition(ledger, round_.pk)
        for model, found in rows:
            insert_rows(model, found)
        home = HomeCity.objects.create(
            id=bundle.city, site=bundle.site, name=bundle.name, incident=bundle.incident,
            grids=bundle.grids, sub_districts=bundle.sub_districts, web=bundle.web, intake=bundle.intake,
            address=bundle.address, authority=bundle.tls.authority,
            carrier=bundle.carrier, opened_at=at, until=bundle.until,
            cursor={
                "grids": {str(grid): rev for grid, rev in bundle.revisions.items()},
                "at": bundle.made_at.isoformat(),
                "accounts": [[r["round"], r["grid"]] for r in bundle.stock.get(shelf_of(RoundGrid), [])],
            },
        )  # fmt: skip
        record_event(
            "HomeCity", home.id, "open", at=at, actor=None, incident=bundle.incident, site=str(bundle.site)
        )
    return home


def _demand_empty() -> None:
    if HomeCity.objects.exists() or Incident.objects.exists() or Area.objects.exists():
        raise Refusal("site_not_empty")


def _inside(name: str) -> Path:
    """A pack's file by its own name; one that leads out of the folder is no pack's."""
    path = Path(name)
    if path.is_absolute() or ".." in path.parts or path.suffix != ".toml" or len(path.parts) != 2:
        raise Refusal("bundle_unreadable", path=name[:80])
    return path


def _write_tls(bundle: Bundle, folder: Path) -> None:
    tls = folder / "tls"
    for name, text in (
        ("cert.pem", bundle.tls.certificate),
        ("key.pem", bundle.tls.key),
        ("ca.pem", bundle.tls.authority),
    ):
        if text:
            write_file(tls / name, text.encode())
