# SPDX-License-Identifier: Apache-2.0
"""The desk at 1440 × 900: from the first page to a missing person's telephone; a round of one's own kind."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import DESK, Watched, axe_violations, phone, widths_overflow
from tests.support.desk import sit_down
from tests.support.field import FieldPhone
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]
WORDS = {
    "zh": {
        "role": "我是社区调度员",
        "enter": "一键进入",
        "list": "未完成名单",
        "reveal": "显示全部: 手机号",
        "call": "打电话联系",
        "show": "显示",
    },
    "en": {
        "role": "Community desk",
        "enter": "Enter",
        "list": "Missing list",
        "reveal": "Show in full: phone",
        "call": "To call the person",
        "show": "Show",
    },
}


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_desk_finds_who_is_missing_and_may_call(house: House, browser: Browser, language: str) -> None:
    says = WORDS[language]
    desk = Watched(browser, size=DESK, language=language)
    page = desk.page()

    # One press on the first page, and the inbox is there.
    page.goto(f"{house.origin}/welcome/")
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    page.reload()
    expect(page.get_by_role("article").first).to_be_visible()
    assert axe_violations(page) == []
    door = page.get_by_role("article").filter(has=page.get_by_role("heading", name=says["role"]))
    door.get_by_role("button", name=says["enter"], exact=True).click()
    page.wait_for_url("**/desk/")
    expect(page.locator(".inbox li").first).to_be_visible()
    assert axe_violations(page) == []

    # The missing list: names are masked until somebody says why.
    page.goto(f"{house.origin}/desk/rounds/{house.demo['round']}?tab=missing")
    rows = page.get_by_role("table", name=says["list"]).locator("tbody tr")
    expect(rows.first).to_be_visible()
    assert widths_overflow(page) == 0
    assert axe_violations(page) == []
    missing = house.read(f"/rounds/{house.demo['round']}/missing", role="desk", limit=200)["items"]
    assert all("*" in one["name"] for one in missing)
    with_phone = next(at for at, one in enumerate(missing) if one["phone"])
    rows.nth(with_phone).locator("td").first.click()
    drawer = page.locator(".el-drawer")
    expect(drawer.get_by_text(missing[with_phone]["phone"])).to_be_visible()
    drawer.get_by_role("button", name=says["reveal"]).click()
    asked = page.get_by_role("dialog").filter(has=page.get_by_role("radio")).last
    asked.get_by_label(says["call"]).check()
    asked.get_by_role("button", name=says["show"], exact=True).click()
    expect(drawer.get_by_text(missing[with_phone]["phone"])).to_be_hidden()
    person = missing[with_phone]["subject"]
    looked = house.read(f"/register/persons/{person}/disclosures", role="desk")["items"]
    assert any(one["purpose"] == "call" for one in looked), looked
    page.keyboard.press("Escape")
    desk.close()


def test_a_stairwell_shows_the_doors_of_the_ledger(house: House, browser: Browser) -> None:
    grid = house.demo["logins"]["grid_head"]["grid"]
    at = house.read(f"/rounds/{house.demo['round']}/buildings", role="desk", grid=grid)["items"][0]
    told = house.read(f"/buildings/{at['id']}/stairwell", role="desk", round=house.demo["round"])
    doors = [door for unit in told["units"] for floor in unit["floors"] for door in floor["doors"]]
    desk = Watched(browser, size=DESK, language="zh")
    page = desk.page()
    sit_down(page, house, "desk")
    page.goto(f"{house.origin}/desk/register?building={at['id']}&view=stairwell")
    cells = page.get_by_label("楼栋图").locator("button.door")
    expect(cells).to_have_count(len(doors))
    cells.first.click()
    expect(page.get_by_role("dialog", name=doors[0]["label"])).to_be_visible()
    desk.close()


def test_a_round_of_ones_own_kind_reaches_a_phone(house: House, browser: Browser) -> None:
    device = phone(browser, "zh")
    worker = FieldPhone(device.page(), "zh")
    worker.enrol(house.worker_url)

    # The kind: who is counted, what can come of it, what the certificate may say.
    desk = Watched(browser, size=DESK, language="zh")
    page = desk.page()
    sit_down(page, house, "command")
    page.goto(f"{house.origin}/desk/kinds/new")
    page.get_by_label("名称 中文").fill("送水")
    page.get_by_label("名称 英文").fill("Water")
    for number, (zh, en) in enumerate((("已送到", "Delivered"), ("家里没人", "Nobody at home")), start=1):
        page.get_by_label(f"结果 {number} 中文").fill(zh)
        page.get_by_label(f"结果 {number} 英文").fill(en)
    page.get_by_label("确认书 中文").fill("截至 {as_of}，{grid} 在册 {roster}。名册之外可能仍有遗漏。")
    page.get_by_label("确认书 英文").fill("As of {as_of}: {roster}. There may be others.")
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_text("已保存，手机下一次同步时生效")).to_be_visible()

    # A campaign with it, a round on it; frozen by typing its name, then opened.
    page.goto(f"{house.origin}/desk/campaigns")
    page.get_by_role("button", name="新建专项工作").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator(".el-select").click()
    page.get_by_role("option", name="送水").click()
    dialog.locator("#campaign-name").fill("送水上门")
    dialog.get_by_role("button", name="新建专项工作").click()
    card = page.locator("section.m-card").filter(has=page.get_by_role("heading", name="送水上门"))
    card.get_by_role("button", name="加一轮").click()
    dialog.get_by_role("button", name="加一轮").click()
    page.wait_for_url("**/rounds/*tab=steps*")
    page.get_by_role("button", name="锁定名册").click()
    dialog.locator("input").fill("第 1 轮")
    dialog.get_by_role("button", name="锁定名册").click()
    expect(page.get_by_role("button", name="开始", exact=True)).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="开始", exact=True).click()
    expect(page.get_by_role("button", name="开始收尾")).to_be_visible()
    made = page.url.split("/rounds/")[1].split("?")[0]
    desk.close()

    # At its next pull the phone has it, and records there.
    worker.go("me")
    worker.page.get_by_role("button", name="现在上传").click()
    worker.go("today")
    worker.page.reload()
    worker.page.locator("button.f-strip-round").click()
    worker.page.locator(".f-sheet").get_by_role("button", name="送水上门").click()
    expect(worker.page.locator(".f-strip-round")).to_contain_text("送水上门")
    worker.page.locator(".f-door-row").filter(has_text="还没有结果").first.click()
    sheet = worker.page.locator(".f-sheet-tall")
    sheet.locator(".f-line .f-key").filter(has_text="已送到").first.click()
    expect(worker.page.locator(".f-said")).to_contain_text("已送到")
    sheet.locator(".f-sheet-head").get_by_label("关闭").click()
    worker.expect_sent()
    until(
        lambda: house.read(f"/rounds/{made}/coverage")["equation"]["classes"]["DONE"] == 1,
        what="the ledger counts the water",
    )
    device.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
