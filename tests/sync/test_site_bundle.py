# SPDX-License-Identifier: Apache-2.0
"""The sealed file of a site, and what it holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from muster.base.crypto.signing import key_id
from muster.base.errors import Refusal
from muster.register.models import Person
from muster.storage.keys import keystore
from muster.sync.models import Site
from muster.sync.site import sealed_file
from muster.sync.site.gathering import Wanted, gather_all
from muster.sync.site.opening import ORDER, open_bundle, open_site
from muster.sync.site.preparing import Addresses, Tls, prepare_site
from muster.sync.site.rows import read_rows, shelf_of
from muster.sync.site.sealed_file import read_sealed, write_sealed
from tests.support.world import NOON, World, make_world

PASSPHRASE = "four words for tests"
UNTIL = NOON + timedelta(days=7)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sealed_file, "COST", 1 << 4)
    path = tmp_path / "a.site"
    write_sealed(path, "姓名 演一".encode() * 50, passphrase=PASSPHRASE, name="东沟", until=UNTIL)
    return path


def code_of(path: Path, passphrase: str = PASSPHRASE, *, days: int = 0) -> str:
    with pytest.raises(Refusal) as refusal:
        read_sealed(path, passphrase=passphrase, at=NOON + timedelta(days=days))
    return refusal.value.code


def test_a_sealed_file_opens_with_its_passphrase_and_shows_nothing_without(file: Path) -> None:
    assert read_sealed(file, passphrase=PASSPHRASE, at=NOON).decode().startswith("姓名")
    assert "演一".encode() not in file.read_bytes()
    assert file.stat().st_mode & 0o077 == 0
    assert code_of(file, "four words for test") == "bundle_locked"


def test_a_sealed_file_ends_and_its_end_cannot_be_moved(file: Path) -> None:
    assert code_of(file, days=7) == "bundle_expired"
    later = (UNTIL + timedelta(days=365)).isoformat().replace("+00:00", "Z").encode()
    file.write_bytes(file.read_bytes().replace(UNTIL.isoformat().replace("+00:00", "Z").encode(), later))
    assert code_of(file, days=8) == "bundle_locked"


@pytest.mark.parametrize("cut", [0, 5, 30, 150, -1])
def test_a_file_that_is_cut_is_refused_with_a_word(file: Path, cut: int) -> None:
    file.write_bytes(file.read_bytes()[:cut])

    assert code_of(file) in {"bundle_unreadable", "bundle_locked"}


def test_a_crafted_cost_does_not_take_the_memory(file: Path) -> None:
    line = file.read_bytes().split(b"\n")
    head = msgspec.json.decode(line[1]) | {"cost": 1 << 40}
    file.write_bytes(b"\n".join([line[0], msgspec.json.encode(head), *line[2:]]))

    assert code_of(file) == "bundle_unreadable"


def test_a_missing_file_and_a_short_passphrase(tmp_path: Path) -> None:
    assert code_of(tmp_path / "no.site") == "file_missing"
    with pytest.raises(Refusal, match="passphrase_short"):
        write_sealed(tmp_path / "x", b"", passphrase="short", name="", until=UNTIL)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def world(db: None) -> World:
    world = make_world(doors=2, people=2)
    world.record(world.outcome(world.persons[0], "done"), world.outcome(world.persons[-1], "away"))
    return world


def prepare(world: World, out: Path, **other: object) -> Site:
    asked: dict[str, object] = {
        "name": "东沟", "grids": [world.grids[0]], "incident": world.incident, "passphrase": PASSPHRASE,
        "until": UNTIL, "addresses": Addresses("https://a.test", "https://a.test:8001"), "tls": Tls(),
        "packs": {}, "by": world.head.id, "at": NOON,
    }  # fmt: skip
    site, _ = prepare_site(out, **{**asked, **other})  # type: ignore[arg-type]
    return site


def test_a_bundle_holds_its_grids_and_nobody_else(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_file, "COST", 1 << 4)
    out = tmp_path / "a.site"
    site = prepare(world, out)

    bundle = open_bundle(out, passphrase=PASSPHRASE, at=NOON)
    mine = {str(p.id) for p in world.persons if p.grid == world.grids[0].id}
    assert {row["id"] for row in bundle.stock[shelf_of(Person)]} == mine
    assert {row["subject"] for row in bundle.stock["trail.fact"]} == {str(world.persons[0].id)}
    assert {row["name"] for row in bundle.stock[shelf_of(Person)]} == {
        p.name for p in world.persons if str(p.id) in mine
    }
    assert {row["password"] for row in bundle.stock.get("accounts.user", [])} <= {"!site"}
    assert bundle.grids == [world.grids[0].id]
    assert any(key.instance == site.id and key.kid == site.kid for key in keystore().trusted_keys())
    for model in ORDER:
        read_rows(bundle.stock, model)


def test_rows_come_back_as_they_were(world: World) -> None:
    stock = gather_all(Wanted(world.incident.id, tuple(g.id for g in world.grids)))
    again = msgspec.json.decode(msgspec.json.encode(stock))

    for row in read_rows(again, Person):
        kept = Person.objects.across(reason="verify").get(id=row.pk)
        for field in Person._meta.concrete_fields:
            assert getattr(row, field.attname) == getattr(kept, field.attname), field.attname


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"until": NOON}, "site_days_bad"),
        ({"until": NOON + timedelta(days=31)}, "site_days_bad"),
        ({"passphrase": "short"}, "passphrase_short"),
        ({"grids": []}, "grid_without_doors"),
    ],
)
def test_what_cannot_be_prepared_leaves_nothing(
    world: World, tmp_path: Path, other: dict[str, object], code: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        prepare(world, tmp_path / "a.site", **other)

    assert refusal.value.code == code
    assert list(tmp_path.iterdir()) == []
    assert Site.objects.count() == 0


def test_a_house_that_holds_something_does_not_become_a_site(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealed_file, "COST", 1 << 4)
    prepare(world, tmp_path / "a.site")
    bundle = open_bundle(tmp_path / "a.site", passphrase=PASSPHRASE, at=NOON)
    before = keystore().instance_key().kid

    with pytest.raises(Refusal, match="site_not_empty"):
        open_site(bundle, folder=tmp_path, at=NOON)

    assert keystore().instance_key().kid == before != key_id(bundle.city_keys[0]) or before
