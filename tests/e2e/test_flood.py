# SPDX-License-Identifier: Apache-2.0
"""The river town: another hazard, another unit, another language, and no word of an epidemic anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.packs.test_shipped import epidemic_words
from tests.support.browser import DESK, Watched, phone, shown_text, widths_overflow
from tests.support.desk import sit_down
from tests.support.field import FieldPhone
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]
OUTCOMES = ("Left", "Ready to leave", "Needs help to leave", "Stays", "No answer")
STREET_ADDRESS = re.compile(r"\d.* [A-Z][a-z]+")
DESK_PAGES = ("", "register", "campaigns", "rounds/current", "kinds", "grids", "plans", "transfer", "held")


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("flood")


def says_nothing_of_an_epidemic(page: Page, where: str) -> None:
    assert epidemic_words({where: shown_text(page)}) == []


def test_a_warden_walks_the_doors_of_the_river_town(house: House, browser: Browser) -> None:
    device = phone(browser, "en")
    worker = FieldPhone(device.page(), "en")
    page = worker.page
    grid = house.demo["logins"]["grid_head"]["grid"]
    before = house.coverage(grid=grid)

    worker.enrol(house.worker_url)
    assert worker.left() == (before["equation"]["roster"],)
    assert widths_overflow(page) == 0
    says_nothing_of_an_epidemic(page, "today")

    # A door's own keys, then one that asks what help is needed.
    page.locator(".f-door-row").filter(has_text="no result yet").first.click()
    sheet = page.locator(".f-sheet-tall")
    for name in OUTCOMES:
        expect(sheet.locator(".f-key").filter(has_text=name).first).to_be_visible()
    expect(sheet.locator("h2").first).to_have_text(STREET_ADDRESS)
    says_nothing_of_an_epidemic(page, "door")
    sheet.locator(".f-line .f-key").filter(has_text="Needs help to leave").click()
    asked = page.locator(".f-sheet:not(.f-sheet-tall)")
    asked.get_by_role("radio", name="a boat").click()
    says_nothing_of_an_epidemic(page, "what help")
    asked.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".f-said")).to_contain_text("Needs help to leave")
    sheet.locator(".f-sheet-head").get_by_label("Close").click()
    worker.expect_sent()
    outcomes = until(
        lambda: house.coverage(grid=grid)["outcomes"].get("NEEDS_HELP"), what="the ledger knows of the boat"
    )
    assert outcomes == 1
    for tab in ("scan", "tasks", "messages", "me"):
        page.locator(f".f-bar a[href='#/{tab}']").click()
        says_nothing_of_an_epidemic(page, tab)
        assert widths_overflow(page) == 0
    device.close()


def test_the_desk_of_the_river_town_reads_english(house: House, browser: Browser) -> None:
    desk = Watched(browser, size=DESK, language="en")
    page = desk.page()
    page.goto(f"{house.origin}/welcome/")
    expect(page.get_by_role("button", name="Enter").first).to_be_visible()
    says_nothing_of_an_epidemic(page, "welcome")
    sit_down(page, house, "desk")
    for path in DESK_PAGES:
        page.goto(f"{house.origin}/desk/{path}")
        expect(page.get_by_role("heading", level=1).first).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "en")
        page.wait_for_load_state("networkidle")
        says_nothing_of_an_epidemic(page, f"desk/{path}")
    sit_down(page, house, "command")
    page.goto(f"{house.origin}/command/")
    expect(page.locator("canvas").first).to_be_visible()
    says_nothing_of_an_epidemic(page, "command")
    desk.close()


def test_a_word_of_the_epidemic_on_a_page_would_be_seen(house: House, browser: Browser) -> None:
    """Negative control."""
    desk = Watched(browser, size=DESK, language="en")
    page = desk.page()
    page.set_content("<main><h1>Testing round</h1></main>")
    with pytest.raises(AssertionError):
        says_nothing_of_an_epidemic(page, "control")
    desk.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
