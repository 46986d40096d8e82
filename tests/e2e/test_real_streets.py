# SPDX-License-Identifier: Apache-2.0
"""The same house over the real streets of a city: their names on the map, and a door recorded."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.conftest import SHARED
from tests.support.browser import DESK, Watched, missing, phone
from tests.support.desk import sit_down
from tests.support.field import FieldPhone
from tests.support.house import House, until

pytestmark = [pytest.mark.browser, pytest.mark.shared_data]
ROADS = SHARED / "data" / "roads_xian" / "xian_road.kml.gz"
TOWNSHIPS = SHARED / "data" / "admin" / "townships_chengdu_xian.csv"


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    if not (ROADS.exists() and TOWNSHIPS.exists()):
        missing("no shared data beside the checkout", "shared_data")
    words = ("--people", "2000", "--roads", str(ROADS), "--townships", str(TOWNSHIPS))
    return open_house("xian", *words)


def test_the_map_carries_the_streets_own_names(house: House, browser: Browser) -> None:
    with gzip.open(ROADS, "rt") as roads:
        names = set(re.findall(r'"Name":"([^"]+)"', roads.read()))
    townships = TOWNSHIPS.read_text(encoding="utf-8-sig")
    base = house.read("/map/base.geojson", role="street")
    drawn = {feature["properties"].get("name") for feature in base["features"]} - {None, ""}
    assert drawn & names
    partitions = {grid["sub_district"] for grid in house.read("/grids")["items"]}
    assert partitions
    for partition in partitions:
        assert house.read(f"/areas/{partition}")["name"] in townships

    desk = Watched(browser, size=DESK, language="zh")
    page = desk.page()
    sit_down(page, house, "street")
    page.goto(f"{house.origin}/desk/grids")
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.locator(".maplibregl-canvas, canvas").first).to_be_visible()
    desk.close()


def test_a_door_between_real_streets_is_recorded(house: House, browser: Browser) -> None:
    device = phone(browser, "zh")
    worker = FieldPhone(device.page(), "zh")
    grid = house.demo["logins"]["grid_head"]["grid"]
    worker.enrol(house.worker_url)
    with worker.door(worker.untouched.first) as sheet:
        tried = worker.nobody_answers(sheet)
    worker.expect_sent()
    until(
        lambda: house.coverage(grid=grid)["outcomes"].get("NO_ANSWER", 0) == tried,
        what="the ledger counts the door",
    )
    device.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
