# SPDX-License-Identifier: Apache-2.0
"""Dividing an area in mid-round: proposed, looked at, changed by hand, adopted; nobody is lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import DESK, Watched, axe_violations
from tests.support.desk import Fellow, sit_down
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]
SOLVED_MS = 120_000


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    """A round under way: some have a result, some did not answer."""
    house = open_house("generated")
    fellow = Fellow(house, house.demo["worker_code"])
    people = list(fellow.entries)
    facts = [fellow.outcome(one, "REGISTERED", answers={"lives_here": "always"}) for one in people[:60]]
    facts += [fellow.outcome(one, "NO_ANSWER") for one in people[60:75]]
    fellow.settle()
    fellow.expect_applied(facts)
    return house


def pick_a_building(page: Page) -> None:
    """Presses the map here and there until a building is taken, as one does who looks for it."""
    card = page.locator("section[aria-live=polite]")
    press_map_until(page, lambda: card.locator("strong").count() > 0)
    move = page.get_by_role("button", name="划过去")
    press_map_until(page, move.is_enabled)


def move_by_keyboard(page: Page, house: House) -> None:
    """Found by its address, taken with Enter, put into the first grid that is another one; then undone."""
    plan = page.url.rsplit("/", 1)[1]
    rows = page.get_by_role("table", name="楼栋").locator("tbody tr")
    house_of = house.read(f"/plans/{plan}/buildings", role="street")["items"][-1]
    page.get_by_placeholder("搜地址、楼栋或网格").fill(house_of["name"])
    expect(rows.first).to_contain_text(house_of["name"])
    page.get_by_placeholder("搜地址、楼栋或网格").blur()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    card = page.locator("section[aria-live=polite]")
    expect(card.get_by_role("combobox")).to_be_focused()
    taken = card.locator("strong").inner_text()
    before = grids_of(house, plan)
    assert axe_violations(page) == []
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    # People before and after, in both grids.
    expect(card.locator("li").filter(has_text="→")).to_have_count(2)
    card.get_by_role("button", name="划过去").focus()
    page.keyboard.press("Enter")
    said = page.get_by_text(f"{taken} 已划到").last
    expect(said).to_be_visible()
    assert grids_of(house, plan) != before
    page.locator(".m-toast").filter(has_text=f"{taken} 已划到").get_by_role(
        "button", name="撤回"
    ).last.click()
    until(lambda: grids_of(house, plan) == before, what="the building is back")


def grids_of(house: House, plan: str) -> dict[str, str]:
    told: dict[str, str] = house.read(f"/plans/{plan}/buildings", role="street")["small_of"]
    return told


def press_map_until(page: Page, done: Callable[[], bool]) -> None:
    box = page.locator(".map canvas").bounding_box()
    assert box is not None
    steps = 12
    for ring in (3, 2, 5, 1):
        for at in range(1, steps * steps, ring):
            across, down = (at % steps + 0.5) / steps, (at // steps + 0.5) / steps
            page.mouse.click(box["x"] + box["width"] * across, box["y"] + box["height"] * down)
            page.wait_for_timeout(30)
            if done():
                return
    raise AssertionError("nothing on the map could be pressed")


def test_a_new_division_is_adopted_in_the_middle_of_a_round(house: House, browser: Browser) -> None:
    before = house.coverage()
    grids = {grid["id"] for grid in house.read("/grids", level="SMALL")["items"]}
    desk = Watched(browser, size=DESK, language="zh")
    page = desk.page()
    sit_down(page, house, "street")
    page.goto(f"{house.origin}/desk/plans")
    page.get_by_label("小网格目标人数").fill("300")
    page.get_by_role("button", name="开始划分").click()

    # The proposal beside today's, in figures and with reasons.
    expect(page.get_by_role("button", name="采用")).to_be_visible(timeout=SOLVED_MS)
    table = page.get_by_role("table").first
    expect(table.locator("tbody tr").first).to_contain_text("小网格个数")
    today, proposed = (
        int(cell.replace(",", "")) for cell in table.locator("tbody tr").first.locator("td").all_inner_texts()
    )
    assert today == len(grids)
    assert proposed > today
    expect(page.locator("li").filter(has_text="人").first).to_be_visible()

    # One building goes to a neighbour by hand, on the map; another by the list and the keyboard, and back.
    pick_a_building(page)
    told = page.locator("section[aria-live=polite] strong").all_inner_texts()
    page.get_by_role("button", name="划过去").click()
    expect(page.get_by_text(f"{told[0]} 已划到").first).to_be_visible()
    move_by_keyboard(page, house)

    # Adopted: other grids, the same people, doors and results.
    page.get_by_role("button", name="采用").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input").fill(dialog.locator("input").get_attribute("placeholder") or "")
    dialog.get_by_role("button", name="采用").click()
    expect(dialog).to_be_hidden(timeout=60_000)
    after = house.coverage()
    assert after["outcomes"] == before["outcomes"]
    assert after["doors"] == before["doors"]
    assert after["equation"]["classes"] == before["equation"]["classes"]
    assert after["equation"]["roster"] == before["equation"]["roster"]
    assert after["equation"]["balanced"]
    now = {grid["id"] for grid in house.read("/grids", level="SMALL")["items"]}
    assert len(now) == proposed
    desk.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
