# SPDX-License-Identifier: Apache-2.0
"""Where I live, by a point on a map or by a door's card: the right grid, and nothing of neighbours."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from muster.api.resident import helping, homing, rush
from muster.places.models import Area, Building, Dwelling, Grid, MapFeature
from muster.places.services import add_area
from muster.responders.homes import forget_homes
from muster.responders.models import Responder
from muster.responders.spots import forget_spots
from muster.sheets.models import Sheet, SheetLine
from tests.support.town_sheets import some_sheet
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
SAID = {"name": "王小明", "phone": "13911112222", "birth_date": "1990"}
# Two houses a hundred metres apart, in different grids of different communities.
EAST, NORTH = 0.001, 0.0009


@pytest.fixture
def world() -> Iterator[World]:
    for forget in (
        forget_homes, forget_spots, helping.forget_what_was_read, homing.forget_maps, rush.check_ins.forget,
        rush.wrong_codes.forget,
    ):  # fmt: skip
        forget()
    with time_machine.travel(NOON, tick=False):
        made = make_world(doors=2, people=1)
        for number, grid in enumerate(made.grids):
            Grid.objects.filter(id=grid.id).update(lon=110 + 0.02 * number, lat=35.0)
            for place, house in enumerate(Building.objects.filter(grid=grid.id).order_by("code")):
                Building.objects.filter(id=house.id).update(
                    lon=110 + 0.02 * number + EAST * place, lat=35.0 + NORTH * place
                )
        yield made


def check_in(**more: Any) -> HttpResponse:
    said = {**SAID, "form": str(uuid.uuid4()), **more}
    return Client(enforce_csrf_checks=True).post("/help", said, headers={"Accept-Language": "zh"})


def only() -> Responder:
    return Responder.objects.across(reason="own").filter(channel="WEB").get()


def page(path: str) -> str:
    return Client().get(path, headers={"Accept-Language": "zh"}).content.decode()


def house_of(grid: Grid) -> Building:
    house = Building.objects.filter(grid=grid.id).order_by("code").first()
    assert house is not None
    return house


def here(world: World) -> Any:
    return SimpleNamespace(round=world.round, grid=world.grids[0])


def card_of(world: World) -> tuple[str, Dwelling]:
    """The number of a card that hangs inside a door, and the door."""
    sheet = some_sheet(world, here(world), "CARDS")
    line = SheetLine.objects.across(reason="sheets").filter(sheet=sheet).order_by("number").last()
    assert line is not None
    return f"{sheet.code}-{line.number}", Dwelling.objects.across(reason="own").get(id=line.dwelling)


# ---- a point on the map


@pytest.mark.parametrize("named", [True, False])
def test_point_beside_a_house_means_its_grid(world: World, named: bool) -> None:
    house = house_of(world.grids[0])
    community = {"community": str(house.area_id)} if named else {}

    answer = check_in(spot=f"{house.lon + 0.0003},{house.lat}", **community)

    assert answer.status_code == 303
    row = only()
    assert (row.home_grid, row.home_area, row.sub_district) == (house.grid, house.area_id, house.sub_district)
    assert (row.lon, row.lat) == (house.lon + 0.0003, house.lat)


def test_point_without_a_house_near_means_the_grid_around_it(world: World) -> None:
    grid = world.grids[0]

    check_in(spot=f"110.0,{35.0 - 0.006}")

    assert only().home_grid == world.grids[0].id
    assert grid.id in {one.id for one in world.grids}


def test_point_where_nobody_lives_is_told_and_nothing_is_lost(world: World) -> None:
    for spot in ("0,0", "110.5,35", "-179.9,84.9"):
        answer = check_in(spot=spot, address="三号楼")

        shown = answer.content.decode()
        assert answer.status_code == 422
        assert "附近没有登记的楼" in shown
        assert 'value="三号楼"' in shown
        assert 'value="王小明"' in shown
    assert not Responder.objects.across(reason="own").filter(channel="WEB").exists()


def test_point_that_is_none_is_a_sentence(world: World) -> None:
    for spot in ("x", "110", "110,", "nan,35", "inf,35", "110,91", "181,35", "110,35,1", "1e400,2"):
        answer = check_in(spot=spot)

        assert answer.status_code == 422, spot
        assert "没有读懂" in answer.content.decode()


def test_typed_address_stays_beside_the_point(world: World) -> None:
    house = house_of(world.grids[0])

    check_in(spot=f"{house.lon},{house.lat}", community=str(house.area_id), address="门口有棵树的那栋")

    assert only().home_text == "门口有棵树的那栋"
    assert only().home_grid == house.grid


def test_who_changes_something_else_keeps_his_house(world: World) -> None:
    house = house_of(world.grids[0])
    code = re.findall(r"/help/([0-9A-Z-]{9})", check_in(spot=f"{house.lon},{house.lat}")["Location"])[0]

    said = {**SAID, "community": str(only().home_area), "skills": "driving"}
    Client().post(f"/help/{code}/change", said, headers={"Accept-Language": "zh"})

    assert (only().home_grid, only().lon) == (house.grid, house.lon)
    assert only().skills == ["driving"]
    said["community"] = str(
        next(a.id for a in Area.objects.filter(level="community") if a.id != house.area_id)
    )
    Client().post(f"/help/{code}/change", said, headers={"Accept-Language": "zh"})
    assert only().home_area == int(said["community"])
    assert only().lon != house.lon


# ---- a door's card


def test_card_means_its_door_however_it_is_spelt(world: World) -> None:
    number, door = card_of(world)
    house = Building.objects.get(id=door.building_id)
    scanned = f"https://muster.example/ask?card={number}"
    for said in (number, f" {number.lower()} ", number.replace("-", ""), scanned):
        Responder.objects.across(reason="verify").filter(channel="WEB").update(
            phone_index=None, channel="OLD"
        )

        assert check_in(card=said).status_code == 303, said

        row = only()
        assert (row.home_grid, row.home_area, row.sub_district) == (
            door.grid,
            house.area_id,
            door.sub_district,
        )
        assert (row.lon, row.lat) == (house.lon, house.lat)


def test_card_says_nothing_of_its_door_to_who_types_it(world: World) -> None:
    """Not on the page after it, and not on the form that changes it."""
    number, door = card_of(world)
    answer = check_in(card=number)
    code = re.findall(r"/help/([0-9A-Z-]{9})", answer["Location"])[0]

    shown = page(f"/help/{code}") + page(f"/help/{code}/change")

    house = Building.objects.get(id=door.building_id)
    assert house.name not in shown
    assert door.label not in shown
    assert number not in shown
    assert only().home_text in (None, "")


def test_card_that_is_none_is_told_beside_it(world: World) -> None:
    for card in ("ABCD-EFGH-1", "ABCD", "12345678", "-", "王小明", "ABCD-EFGH-99999999", "x\0", "<b>"):
        answer = check_in(card=card)

        shown = answer.content.decode()
        assert answer.status_code == 422, card
        assert "没有这个号的连心卡" in shown
        assert "ABCD-EFGH-12" in shown
        assert "<b>" + chr(34) not in shown


def test_neither_a_line_beyond_the_card_nor_another_list_is_a_card(world: World) -> None:
    number, _ = card_of(world)
    roster = some_sheet(world, here(world), "ROSTER")
    code = number.rsplit("-", 1)[0]

    for said in (f"{code}-9999", f"{code}-0", code, f"{roster.code}-1"):
        assert check_in(card=said).status_code == 422, said


def test_card_of_another_incident_or_of_a_door_that_is_gone_is_unknown(world: World) -> None:
    number, door = card_of(world)
    Dwelling.objects.across(reason="verify").filter(id=door.id).update(status="GONE")
    assert check_in(card=number).status_code == 422
    Dwelling.objects.across(reason="verify").filter(id=door.id).update(status="ACTIVE")
    Sheet.objects.across(reason="sheets").update(incident=uuid.uuid4())
    assert check_in(card=number).status_code == 422


def test_guessing_cards_ends_while_checking_in_goes_on(world: World, monkeypatch: Any) -> None:
    number, _ = card_of(world)
    monkeypatch.setattr(homing.wrong_cards, "most", 3)
    for _ in range(4):
        check_in(card="ABCD-EFGH-1")

    guessed = check_in(card=number)

    assert guessed.status_code == 422
    assert "错" in guessed.content.decode()
    assert check_in(address="1号楼").status_code == 303


def test_qr_of_a_card_fills_its_number_in(world: World) -> None:
    assert 'value="ABCD-EFGH-3"' in page("/help?card=ABCD-EFGH-3")
    assert "<img" not in page("/help?card=<img>")


# ---- what the map draws


def test_map_draws_houses_and_roads_and_nobody(world: World) -> None:
    house = house_of(world.grids[0])
    root = Area.objects.get(parent__isnull=True)
    near = [[house.lon, house.lat], [house.lon + 0.001, house.lat]]
    for points in (near, [[1, 1], [2, 2]]):
        MapFeature.objects.create(
            area=root, kind="road", geometry={"type": "LineString", "coordinates": points}
        )

    told = json.loads(page(f"/help/map?community={house.area_id}"))

    houses = Building.objects.filter(area=house.area_id).count()
    assert set(told) == {"houses", "lines"}
    assert len(told["houses"]) == houses
    assert len(told["lines"]) == 1
    assert not set(re.findall(r"演\w", json.dumps(told, ensure_ascii=False)))


def test_map_of_nowhere_is_empty_or_the_communities(world: World) -> None:
    for community in ("0", "x", "-1", "999999", "9" * 30):
        told = json.loads(page(f"/help/map?community={community}"))

        assert told.get("houses") == [] or told["communities"]


def test_map_of_no_community_shows_where_they_lie(world: World) -> None:
    told = json.loads(page("/help/map"))["communities"]

    assert {one[0] for one in told} == {one.id for one in world.communities}
    assert all(len(one) == 5 for one in told)


def test_houses_without_a_place_leave_an_empty_map(world: World) -> None:
    area = add_area(code="NEW", name="新社区", level="community", parent=world.streets[0], is_partition=False)

    assert json.loads(page(f"/help/map?community={area.id}")) == {"houses": [], "lines": []}


def test_what_was_read_for_a_map_serves_the_next_one(world: World, django_assert_num_queries: Any) -> None:
    path = f"/help/map?community={house_of(world.grids[0]).area_id}"
    page(path)

    with django_assert_num_queries(0):
        page(path)
