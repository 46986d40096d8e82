# SPDX-License-Identifier: Apache-2.0
"""Closing a round: the unexplained is in sight, the head signs what can be said, a late fact breaks it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.support.browser import DESK, Watched, axe_violations
from tests.support.desk import Fellow, sit_down
from tests.support.house import House

pytestmark = [pytest.mark.browser]
LIVES_HERE = {"lives_here": "always"}


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def explain(page: Page, address: str, note: str) -> None:
    """The first row of a missing list gets a written word."""
    page.goto(address)
    rows = page.get_by_role("table", name="未完成名单").locator("tbody tr")
    expect(rows.first).to_be_visible()
    before = rows.count()
    rows.first.locator("td").first.click()
    drawer = page.locator(".el-drawer")
    drawer.locator(".note input").fill(note)
    drawer.locator(".outcomes button").filter(has_text="外出").click()
    expect(rows).to_have_count(before - 1)


def test_a_grid_is_explained_signed_and_broken_by_a_late_fact(house: House, browser: Browser) -> None:
    grid = house.demo["logins"]["grid_head"]["grid"]
    round_ = house.demo["round"]
    # The grid is walked but for three people: two without a result, one who did not answer.
    fellow = Fellow(house, house.demo["worker_code"])
    *walked, silent, one, other = fellow.entries
    facts = [fellow.outcome(who, "REGISTERED", answers=LIVES_HERE) for who in walked]
    facts.append(fellow.outcome(silent, "NO_ANSWER"))
    fellow.settle()
    fellow.expect_applied(facts)
    classes = house.coverage(grid=grid)["equation"]["classes"]
    assert (classes["OPEN"], classes["UNREACHED"]) == (2, 1)

    # The city starts closing, in the guided step.
    command = Watched(browser, size=DESK, language="zh")
    page = command.page()
    sit_down(page, house, "command")
    page.goto(f"{house.origin}/desk/rounds/{round_}?tab=steps")
    page.get_by_role("button", name="开始收尾").click()
    expect(page.get_by_role("button", name="核清")).to_be_disabled()
    command.close()

    # The head sees what stands in the way and writes it down.
    head = Watched(browser, size=DESK, language="zh")
    page = head.page()
    sit_down(page, house, "grid_head")
    steps = f"{house.origin}/desk/rounds/{round_}?tab=steps&grid={grid}"
    page.goto(steps)
    expect(page.get_by_text("2 个还没有结果")).to_be_visible()
    expect(page.get_by_text("1 个未联系上，要再联系或写明情况")).to_be_visible()
    # The step is not his: the button says so, by the server's word.
    expect(page.get_by_role("button", name="核清")).to_be_disabled()
    expect(page.get_by_role("button", name="退回上一步")).to_have_count(0)
    expect(page.get_by_text("您的角色不做这一步")).to_be_visible()
    certificate = f"{house.origin}/desk/rounds/{round_}/grids/{grid}/certificate"
    page.goto(certificate)
    expect(page.get_by_text("还不能签")).to_have_count(2)
    for cls, note in (("OPEN", "回老家，九月底回来"), ("OPEN", "随船出海"), ("UNREACHED", "邻居说在外地")):
        explain(page, f"{house.origin}/desk/rounds/{round_}?tab=missing&grid={grid}&cls={cls}", note)
    page.goto(steps)
    expect(page.get_by_text("户至今未联系上，会写进确认书")).to_be_visible()
    expect(page.get_by_text("挡住核清")).to_have_count(0)
    classes = house.coverage(grid=grid)["equation"]["classes"]
    assert (classes["OPEN"], classes["UNREACHED"], classes["EXPLAINED"]) == (0, 0, 3)

    # Signed with reservations; the sheet says what it can and no more.
    page.goto(certificate)
    page.get_by_role("textbox").fill("西侧平房夜里没有再敲。")
    page.get_by_role("button", name="签字确认").click()
    expect(page.get_by_text("在系统中签字")).to_be_visible()
    page.emulate_media(media="print")
    sheet = page.locator(".sheet")
    expect(sheet).to_contain_text(f"在册 {len(fellow.entries)} 人")
    expect(sheet).to_contain_text(f"已完成 {len(walked)} 人，已书面说明 3 人")
    expect(sheet).to_contain_text("名册之外可能仍有遗漏。")
    expect(sheet).to_contain_text("西侧平房夜里没有再敲。")
    expect(page.get_by_role("button")).to_have_count(0)
    told = house.read(f"/rounds/{round_}/grids/{grid}/certificate", role="grid_head")
    assert told["state"] == "SIGNED"
    assert told["still_matches"]

    # Somebody comes home late: the signature stands, and is marked as no longer true.
    page.emulate_media(media="screen")
    late = fellow.outcome(one, "REGISTERED", answers=LIVES_HERE)
    fellow.settle()
    assert fellow.phone.verdicts[late][0] in {"APPLIED", "FLAGGED"}
    page.reload()
    expect(page.get_by_text("签字之后数据有变化，请重新核对。")).to_be_visible()
    told = house.read(f"/rounds/{round_}/grids/{grid}/certificate", role="grid_head")
    assert told["state"] == "SIGNED"
    assert not told["still_matches"]
    assert other in fellow.entries
    head.close()


def test_a_large_freeze_shows_how_far_it_is(house: House, browser: Browser) -> None:
    """What the server tells while it freezes, as the page shows it; no city here is large enough."""
    round_, told = house.demo["round"], {"done": 130, "total": 520}
    desk = Watched(browser, size=DESK, language="en")
    page = desk.page()
    sit_down(page, house, "command")

    def freezing(route: Route) -> None:
        answer = route.fetch()
        asked = {"asked_at": "2022-09-02T08:00:00Z", "units": 61000, **told}
        route.fulfill(response=answer, json={**answer.json(), "status": "PLANNED", "freezing": asked})

    page.route(f"**/api/v1/rounds/{round_}", freezing)
    page.goto(f"{house.origin}/desk/rounds/{round_}?tab=steps")
    page.evaluate("localStorage.setItem('muster.language', 'en')")
    page.reload()
    bar = page.get_by_role("progressbar", name="Freeze")
    expect(bar).to_have_attribute("aria-valuenow", "25")
    expect(page.get_by_text("130 of 520 grids frozen, 61,000 on the roster")).to_be_visible()
    expect(page.get_by_text("You can leave this page")).to_be_visible()
    assert axe_violations(page) == []
    # It goes on by itself.
    told["done"] = 260
    expect(bar).to_have_attribute("aria-valuenow", "50")
    desk.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
