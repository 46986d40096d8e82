# SPDX-License-Identifier: Apache-2.0
"""Staging: what demo.json says, what is loaded, and what an interrupted start leaves."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from muster.base.errors import Refusal
from muster.campaigns.models import Round, RoundGrid
from muster.drill import staging
from muster.drill.load import key_id, outline
from muster.drill.staging import city_of, clear_half_made, is_staged, refresh_addresses
from muster.places.models import Area, Dwelling, Grid
from muster.register.models import Person
from tests.conftest import SHARED
from tests.drill.played import staged

KEYS = {
    "v", "web", "intake", "logins", "heads", "incident", "rounds", "round", "campaign", "worker_code",
    "worker_url", "enrol_codes", "grids", "city", "seed", "speed", "tls_authority", "visitor", "language",
}  # fmt: skip


@pytest.mark.django_db
def test_stage_epidemic_is_whole(tmp_path, monkeypatch):
    demo = staged(tmp_path, monkeypatch)

    assert set(demo) >= KEYS
    assert set(demo["logins"]) == {"command", "street", "desk", "grid_head"}
    assert all(login["token"] and login["password"] for login in demo["logins"].values())
    assert stat.S_IMODE((tmp_path / "demo.json").stat().st_mode) == 0o600
    assert Round.objects.get(id=demo["round"]).status == "OPEN"
    city = city_of(demo)
    listed = {key_id(city, p.key) for p in city.listed.persons}
    kept = set(Person.objects.across(reason="count").values_list("id", flat=True))
    assert kept <= listed
    assert len(kept) > 0.98 * len(listed)
    hidden = {key_id(city, key) for key in city.truth.unlisted_dwellings}
    doors = set(Dwelling.objects.across(reason="count").values_list("id", flat=True))
    assert hidden
    assert not doors & hidden
    frozen = sum(a.frozen for a in RoundGrid.objects.filter(round=demo["round"]))
    living = Person.objects.across(reason="count").filter(lives_here=True).count()
    assert frozen == living
    small = Grid.objects.filter(level="SMALL", status="ACTIVE").count()
    assert small - len(demo["heads"]) in {0, 1}
    # Once it is whole nothing clears it, whatever lies beside it.
    (tmp_path / "drill" / staging.MARKER).touch()
    assert not clear_half_made(tmp_path)
    assert is_staged()
    assert refresh_addresses(speed=120)["speed"] == 120


@pytest.mark.django_db
@pytest.mark.shared_data
def test_stage_real_streets(tmp_path, monkeypatch):
    roads = SHARED / "data" / "roads_xian" / "xian_road.kml.gz"
    if not roads.is_file():
        pytest.skip("the public street file is not beside the checkout")

    demo = staged(tmp_path, monkeypatch, roads=roads)

    assert demo["city"]["roads"] == str(roads.resolve())
    kinds = {a.geometry["type"] for a in Area.objects.exclude(geometry=None)}
    assert kinds <= {"Polygon", "MultiPolygon"}


@pytest.mark.django_db
def test_stage_refuses_a_folder_in_use(tmp_path, monkeypatch):
    from muster.places.services import add_area

    add_area(code="990100000000", name="青槐市", level="city", parent=None, is_partition=False)

    with pytest.raises(Refusal) as told:
        staged(tmp_path, monkeypatch)

    assert told.value.code == "drill.folder_in_use"
    assert not (tmp_path / "drill").exists()


@pytest.mark.django_db
def test_stage_interrupted_leaves_nothing_that_looks_whole(tmp_path, monkeypatch):
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(staging, "propose_division", interrupted)

    with pytest.raises(KeyboardInterrupt):
        staged(tmp_path, monkeypatch)

    assert not is_staged()
    assert (tmp_path / "drill" / staging.MARKER).exists()


def half_made(folder: Path) -> Path:
    (folder / "drill").mkdir()
    (folder / "muster.sqlite3").touch()
    (folder / "journal").mkdir()
    (folder / "secret").touch()
    return folder


def test_clear_half_made_only_what_a_drill_marked(tmp_path, monkeypatch):
    data = half_made(tmp_path)
    monkeypatch.setattr(
        settings, "ENVIRONMENT", replace(settings.ENVIRONMENT, database_url=f"sqlite:///{data}/x")
    )

    assert not clear_half_made(data)
    assert (data / "muster.sqlite3").exists(), "no mark: somebody else's house"

    (data / "drill" / staging.MARKER).touch()
    assert clear_half_made(data)
    assert sorted(p.name for p in data.iterdir()) == ["secret"]


def test_outline_of_one_and_several_parts():
    square = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0))
    other = ((5.0, 5.0), (6.0, 5.0), (6.0, 6.0), (5.0, 5.0))

    one, two, none = outline((square,)), outline((square, other)), outline(())

    assert one is not None
    assert one["type"] == "Polygon"
    assert one["coordinates"][0][0] == one["coordinates"][0][-1]
    assert two is not None
    assert two["type"] == "MultiPolygon"
    assert [len(part) for part in two["coordinates"]] == [1, 1]
    assert all(part[0][0] == part[0][-1] and len(part[0]) == 4 for part in two["coordinates"])
    assert none is None
