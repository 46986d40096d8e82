# SPDX-License-Identifier: Apache-2.0
"""Preparing a site at the city: its key is made and certified, its rows are gathered, all goes into one file.

The private key is made here so that one file on one stick is enough; it lies in the sealed file alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction

from muster.base.crypto.carrying import carrier_jwk
from muster.base.crypto.signing import ed25519_jwk, key_id
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.incidents.models import Incident
from muster.places.models import Area, Grid
from muster.places.queries import small_grids_below
from muster.places.states import GridStatus
from muster.register.models import Person
from muster.storage.keys import keystore
from muster.storage.reads import snapshot
from muster.sync.models import HomeCity, Site
from muster.sync.site.gathering import Wanted, gather_all
from muster.sync.site.rows import Stock, shelf_of
from muster.sync.site.sealed_file import demand_passphrase, write_sealed
from muster.trail.services import record_disclosures, record_event

LONGEST = timedelta(days=30)
MOST_GRIDS = 2000


class Tls(msgspec.Struct, frozen=True):
    """What the laptop shows for the city's host name; authority: what phones and the site itself believe."""

    certificate: str = ""
    key: str = ""
    authority: str = ""


class Bundle(msgspec.Struct, frozen=True):
    """All that a laptop needs to become a site."""

    v: int
    site: uuid.UUID
    name: str
    private: bytes
    certificate: bytes
    city: uuid.UUID
    city_keys: list[dict[str, str]]
    incident: uuid.UUID
    grids: list[int]
    sub_districts: list[int]
    web: str
    intake: str
    address: str
    made_at: datetime
    until: datetime
    revisions: dict[int, int]
    carrier: dict[str, str]
    tls: Tls
    packs: dict[str, str]
    stock: Stock


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the city is found: by name for everybody, and by number where its name lies elsewhere."""

    web: str
    intake: str
    number: str = ""


def prepare_site(
    out: Path, *, name: str, grids: Sequence[Grid], incident: Incident, passphrase: str, until: datetime,
    addresses: Addresses, tls: Tls, packs: dict[str, str], by: uuid.UUID | None, at: datetime,
) -> tuple[Site, Stock]:  # fmt: skip
    """Certifies a new site and writes its sealed bundle.

    Raises:
        Refusal: passphrase_short, site_days_bad, site_of_a_site, grid_without_doors, site_too_wide.
    """
    demand_passphrase(passphrase)
    if not at < until <= at + LONGEST:
        raise Refusal("site_days_bad", most=LONGEST.days)
    if HomeCity.objects.exists():
        raise Refusal("site_of_a_site")
    small = sorted({g for grid in grids for g in small_grids_below(grid)})
    _demand_grids(small, grids)
    own = keystore().instance_key()
    private = Ed25519PrivateKey.generate()
    jwk, instance = ed25519_jwk(private.public_key()), new_id()
    with snapshot():
        stock = gather_all(Wanted(incident.id, tuple(small)))
        revisions = dict(Grid.objects.filter(id__in=small).values_list("id", "revision"))
    bundle = Bundle(
        v=1, site=instance, name=name[:80], private=private.private_bytes_raw(),
        certificate=keystore().certify(jwk, instance=instance, at=at), city=own.instance,
        city_keys=[dict(k.jwk) for k in keystore().trusted_keys() if k.own],
        incident=incident.id, grids=small, sub_districts=neighbours_of(small), web=addresses.web,
        intake=addresses.intake, address=addresses.number, made_at=at, until=until, revisions=revisions,
        carrier=carrier_jwk(keystore()), tls=tls, packs=packs, stock=stock,
    )  # fmt: skip
    write_sealed(out, msgspec.json.encode(bundle), passphrase=passphrase, name=name[:80], until=until)
    site = _certify(bundle, kid=key_id(jwk), jwk=jwk, by=by, at=at)
    return site, stock


def _demand_grids(small: Sequence[int], asked: Sequence[Grid]) -> None:
    active = set(Grid.objects.filter(id__in=small, status=GridStatus.ACTIVE).values_list("id", flat=True))
    if not small or active != set(small):
        raise Refusal("grid_without_doors", grid=", ".join(g.code for g in asked)[:120])
    if len(small) > MOST_GRIDS:
        raise Refusal("site_too_wide", grids=len(small), most=MOST_GRIDS)


def _certify(bundle: Bundle, *, kid: str, jwk: dict[str, str], by: uuid.UUID | None, at: datetime) -> Site:
    """Known from now on: a file that was never opened costs nothing, a site that nobody knows loses time."""
    keystore().trust(jwk, certificate=bundle.certificate)
    with transaction.atomic():
        site = Site.objects.create(
            id=bundle.site, name=bundle.name, incident=bundle.incident, grids=bundle.grids,
            sub_districts=bundle.sub_districts, kid=kid, certificate=bundle.certificate, prepared_at=at,
            prepared_by=by, until=bundle.until,
        )  # fmt: skip
        record_event("Site", site.id, "prepare", at=at, actor=by, incident=bundle.incident)
        persons = bundle.stock.get(shelf_of(Person), [])
        for grid in bundle.grids:
            rows = sum(1 for row in persons if row["grid"] == grid)
            if rows and by is not None:
                record_disclosures(
                    [None], actor=by, role="operator", operation="site.prepare", fields="register",
                    at=at, grid=grid, rows=rows,
                )  # fmt: skip
    return site


def neighbours_of(grids: Sequence[int]) -> list[int]:
    """The sub-districts of these grids and those beside them: somebody served may come from there."""
    own = set(Grid.objects.filter(id__in=grids).values_list("sub_district", flat=True))
    parents = Area.objects.filter(id__in=own).values("parent_id")
    beside = Area.objects.filter(parent_id__in=parents, sub_district__isnull=False)
    return sorted(own | set(beside.values_list("id", flat=True)))
