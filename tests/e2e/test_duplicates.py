# SPDX-License-Identifier: Apache-2.0
"""Records that may be one person: from the inbox to a judgement by keyboard, taken back, on a phone too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from muster.base.clock import now
from muster.base.ids import new_id
from muster.drill.device import subject
from tests.support.browser import DESK, LOCALES, PHONE, Watched, axe_violations, widths_overflow
from tests.support.desk import Fellow, sit_down
from tests.support.house import House

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    """Two people were found on the day whom the list knew all along, each behind his own door."""
    house = open_house("generated")
    fellow = Fellow(house, house.demo["worker_code"])
    grid = house.demo["logins"]["grid_head"]["grid"]
    known = house.read("/register/persons", role="desk", grid=grid, limit=60)["items"]
    doors = {one["dwelling"]: one for one in known}
    facts = []
    for one in list(doors.values())[:2]:
        path = f"/register/persons/{one['id']}/reveal"
        with house.client("desk") as api:
            name = api.post(path, json={"field": "name", "purpose": "verify"}).json()["value"]
        found = {"round": fellow.round, "person": str(new_id()), "name": name, "outcome": "REGISTERED"}
        home = subject(fellow.sub_district, dwelling=one["dwelling"])
        facts.append(fellow.phone.record("person.found", home, found, at=now()))
    fellow.settle()
    fellow.expect_applied(facts)
    return house


def pairs(house: House, status: str = "OPEN") -> list[dict]:
    return house.read("/register/duplicates", role="desk", status=status)["items"]


def test_a_pair_is_judged_from_the_inbox_by_keyboard_and_taken_back(house: House, browser: Browser) -> None:
    before = house.coverage()["equation"]
    desk = Watched(browser, size=DESK, language="zh")
    page = desk.page()
    sit_down(page, house, "desk")
    page.goto(f"{house.origin}/desk/")
    item = page.locator(".inbox li").filter(has_text="2 对人员可能重复")
    item.get_by_role("button").click()
    page.wait_for_url("**/desk/duplicates")
    expect(page.locator(".lines li")).to_have_count(2)

    # j opens the first, m asks how it is known; the standing record is the one proposed.
    page.keyboard.press("j")
    card = page.locator("section.pair")
    expect(card.get_by_role("table")).to_contain_text("只为本次事件")
    assert axe_violations(page) == []
    page.keyboard.press("m")
    expect(card.get_by_label("核对过证件")).to_be_visible()
    assert axe_violations(page) == []
    card.get_by_label("核对过证件").check()
    page.keyboard.press("Enter")
    expect(page.get_by_text("已合并", exact=True).first).to_be_visible()
    expect(page.locator(".lines li")).to_have_count(1)
    (merged,) = pairs(house, "MERGED")
    assert merged["why"]["code"] == "papers"
    after = house.coverage()["equation"]
    assert after["balanced"]
    assert (after["roster"], after["sum"]) == (before["roster"], before["sum"])

    # The other one is not: n, and both ends of the list say so.
    page.keyboard.press("n")
    card.get_by_label("是一家人").check()
    page.keyboard.press("Enter")
    expect(page.locator(".lines li")).to_have_count(0)
    assert [one["why"]["code"] for one in pairs(house, "NOT_DUPLICATE")] == ["relatives"]

    # Taken back, it is open again, and the roster is what it was.
    page.get_by_role("button", name="已合并").click()
    page.locator(".lines button").first.click()
    card.get_by_role("button", name="撤销判断").click()
    expect(card.get_by_role("button", name="是同一个人").first).to_be_visible()
    assert len(pairs(house)) == 1
    assert house.coverage()["equation"] == before
    desk.close()


def test_on_a_phone_one_thing_at_a_time_in_english(house: House, browser: Browser) -> None:
    held = browser.new_context(viewport=PHONE, locale=LOCALES["en"], has_touch=True, is_mobile=True)
    page = held.new_page()
    sit_down(page, house, "grid_head")
    page.goto(f"{house.origin}/desk/duplicates")
    page.evaluate("localStorage.setItem('muster.language', 'en')")
    page.reload()
    line = page.locator(".lines button").first
    expect(line).to_contain_text("Same name behind the same door")
    assert widths_overflow(page) == 0
    line.click()
    card = page.locator("section.pair")
    expect(card.get_by_role("table")).to_contain_text("for this incident only")
    expect(line).to_be_hidden()
    assert widths_overflow(page) == 0
    assert axe_violations(page) == []
    card.get_by_role("button", name="One person").click()
    card.get_by_label("Compared their papers").check()
    card.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_text("Nothing to judge")).to_be_visible()
    assert len(pairs(house, "MERGED")) == 1
    held.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
