# SPDX-License-Identifier: Apache-2.0
"""The wall of the command at 1920 × 1080: its figures are the ledger's; a press goes down to the doors."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import WALL, Watched, axe_violations, widths_overflow
from tests.support.desk import Fellow, sit_down
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    """A day that has begun: some done, some arranged, some explained, some who did not answer."""
    house = open_house("generated")
    fellow = Fellow(house, house.demo["worker_code"])
    people = list(fellow.entries)
    facts = [fellow.outcome(one, "REGISTERED", answers={"lives_here": "always"}) for one in people[:40]]
    facts += [fellow.outcome(one, "COME_BACK", note="晚上七点后再来") for one in people[40:47]]
    facts += [fellow.outcome(one, "AWAY", note="回老家") for one in people[47:52]]
    facts += [fellow.outcome(one, "NO_ANSWER") for one in people[52:61]]
    fellow.settle()
    fellow.expect_applied(facts)
    return house


def figures(told: dict) -> dict[str, int]:
    equation = told["equation"]
    classes = equation["classes"]
    return {
        "roster": equation["roster"],
        "done": classes["DONE"],
        "missing": classes["OPEN"] + classes["UNREACHED"],
        "arranged": classes["ARRANGED"],
        "added": equation["added"],
    }


def shown(page: Page) -> dict[str, int]:
    buttons = page.locator(".figures button[data-key]").all()
    return {
        str(one.get_attribute("data-key")): int(one.locator("strong").inner_text().replace(",", ""))
        for one in buttons
    }


def test_five_figures_are_the_ledgers_and_lead_to_the_doors(house: House, browser: Browser) -> None:
    wall = Watched(browser, size=WALL, language="zh")
    page = wall.page()
    sit_down(page, house, "command")
    page.goto(f"{house.origin}/command/")
    expect(page.locator("canvas").first).to_be_visible()
    truth = figures(house.coverage())
    assert (truth["done"], truth["arranged"]) == (40, 7)
    until(lambda: page.wait_for_timeout(200) or shown(page) == truth, what="the wall shows the ledger")
    assert widths_overflow(page) == 0
    assert axe_violations(page) == []

    # Down by press: street, community, grid, doors.
    parts, doors = page.locator(".parts li button"), page.locator(".doors")
    for _ in range(6):
        expect(parts.or_(doors).first).to_be_visible()
        if doors.count():
            break
        name = parts.first.locator(".name").inner_text().strip()
        parts.first.click()
        expect(page.get_by_role("navigation").filter(has_text=name)).to_be_visible()
    expect(doors.locator("h2")).to_have_text(re.compile(r"^\d+ 户还差 \d+ 个$"))
    at = next(g for g in house.read("/grids", level="SMALL")["items"] if g["name"] == name)
    truth = figures(house.coverage(grid=at["id"]))
    until(lambda: page.wait_for_timeout(200) or shown(page) == truth, what="the wall shows the grid")
    missing = house.read(f"/rounds/{house.demo['round']}/missing", grid=at["id"])
    assert missing["count"] == truth["missing"]
    heading = doors.locator("h2").inner_text()
    assert heading.endswith(f"还差 {truth['missing']} 个")
    assert "*" in doors.locator("li p span").first.inner_text()
    wall.close()


def test_the_wall_reads_english(house: House, browser: Browser) -> None:
    wall = Watched(browser, size=WALL, language="en")
    page = wall.page()
    sit_down(page, house, "command")
    page.goto(f"{house.origin}/command/")
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page.get_by_role("button", name="Full screen")).to_be_visible()
    wall.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
