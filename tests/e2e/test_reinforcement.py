# SPDX-License-Identifier: Apache-2.0
"""A street asks for people, the city approves, a unit sends them, they are counted in and go home again; and
what somebody offers goes to somebody who asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from muster.api.resident.saying import Said
from tests.support.browser import DESK, Watched, axe_violations, phone, widths_overflow
from tests.support.desk import sit_down
from tests.support.house import House

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def desk_of(house: House, browser: Browser, language: str) -> Page:
    page = Watched(browser, size=DESK, language=language).page()
    page.goto(f"{house.origin}/welcome/")
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    return page


def sit(page: Page, house: House, role: str, path: str) -> None:
    sit_down(page, house, role)
    page.goto(f"{house.origin}/desk/{path}")


def test_from_need_to_home_again(house: House, browser: Browser) -> None:
    page = desk_of(house, browser, "zh")

    # The street sees what lies on it, and asks.
    sit(page, house, "street", "reinforcement")
    expect(page.get_by_role("heading", name="增援申请")).to_be_visible()
    page.keyboard.press("n")
    expect(page.get_by_text(re.compile("还有 .* 户没走到"))).to_be_visible()
    page.get_by_role("button", name="提交").click()
    expect(page.locator("article").get_by_text("等批准").first).to_be_visible()
    assert axe_violations(page) == []

    # The city approves, asks its departments, and one of them sends three.
    sit(page, house, "command", "reinforcement")
    page.locator(".lines button").first.wait_for()
    page.keyboard.press("j")
    page.locator(".givers .el-checkbox").last.click()
    page.get_by_role("button", name="批准", exact=True).click()
    page.get_by_label("单位", exact=True).fill("市水务局")
    page.get_by_role("spinbutton", name="人数").fill("3")
    page.get_by_role("button", name="确定派人").click()
    code = page.locator(".told strong").inner_text()
    expect(page.locator("article").get_by_text("集结中").first).to_be_visible()

    # They arrive: the leader's code, the list, ticked off; they serve and go home.
    sit(page, house, "street", "deployments")
    page.get_by_placeholder("领队的八位到达码").fill(code.lower())
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="市水务局")).to_be_visible()
    page.get_by_text("添加名单").click()
    page.get_by_role("textbox", name="添加名单").fill("演王一，13900000001\n演李二\n演**")
    page.locator("details").get_by_role("button", name="保存").click()
    expect(page.get_by_text("新加 2 人，原有 0 人，1 行要改")).to_be_visible()
    page.get_by_role("button", name="全选").click()
    page.get_by_role("button", name="2 人到了").click()
    expect(page.locator("article header").get_by_text("已到达")).to_be_visible()
    page.get_by_role("spinbutton", name="在岗").fill("2")
    page.locator(".counts").get_by_role("button", name="保存").click()
    expect(page.locator("article header").get_by_text("已在岗")).to_be_visible()
    page.get_by_role("button", name="全选").click()
    page.get_by_role("button", name="2 人返回").click()
    expect(page.locator("article header").get_by_text("已返回")).to_be_visible()
    assert axe_violations(page) == []


def test_what_is_offered_goes_to_who_asked(house: House, browser: Browser) -> None:
    said = Said("en")
    home = phone(browser, "en", java_script_enabled=False)
    giver = home.page()
    giver.goto(f"{house.origin}/offer?lang=en")
    giver.locator("input[name=category][value=food]").check()
    giver.get_by_label(said["give_quantity"]).fill("5")
    giver.get_by_label(said["which_community"]).select_option(index=1)
    giver.get_by_label(said["give_phone"]).fill("13911110000")
    assert widths_overflow(giver) == 0
    giver.get_by_role("button", name=said["give_send"]).click()
    expect(giver.get_by_text(said["give_NEW"])).to_be_visible()
    own_page = giver.url.split("?")[0]
    asker = home.page()
    asker.goto(f"{house.origin}/ask?lang=en")
    asker.locator("input[name=category][value=food]").check()
    asker.get_by_label(said["say_more"]).fill("No rice left")
    asker.get_by_label(said["which_community"]).select_option(index=1)
    asker.get_by_label(said["your_phone"]).fill("13800000077")
    asker.get_by_role("button", name=said["send"]).click()

    # The desk calls back, looks at it, and keeps a portion for who asked.
    page = desk_of(house, browser, "en")
    sit(page, house, "street", "offers")
    page.locator(".lines button").first.wait_for()
    page.keyboard.press("j")
    page.locator(".checks .el-checkbox").click()
    page.get_by_role("button", name="Can be used").last.click()
    page.get_by_role("button", name="Keep it for them").first.click()
    expect(page.get_by_text("left: 4 of 5 (portions)").first).to_be_visible()
    page.get_by_role("button", name="Brought").click()
    expect(page.locator("article").get_by_text("brought").first).to_be_visible()
    assert axe_violations(page) == []

    giver.goto(own_page)
    expect(giver.get_by_text(said.say("give_helped", count=1))).to_be_visible()
    expect(giver.get_by_text("No rice left")).to_have_count(0)
