# SPDX-License-Identifier: Apache-2.0
"""A resident asks, a dispatcher sends, a responder goes, the resident says solved, the daughter sees it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from muster.api.resident.saying import Said
from tests.support.browser import DESK, Watched, axe_violations, phone, widths_overflow
from tests.support.desk import sit_down
from tests.support.field import FieldPhone
from tests.support.house import House

pytestmark = [pytest.mark.browser]
DESK_SAYS = {
    "zh": {"ask": "派给他", "took": "接了", "solved": "已解决", "queue": "诉求"},
    "en": {"ask": "Ask", "took": "took it", "solved": "solved", "queue": "Requests"},
}
PHONE_SAYS = {
    "zh": {"go": "我去", "there": "我到了", "finish": "办完了", "save": "保存", "mine": "我接的"},
    "en": {
        "go": "I will go",
        "there": "I am there",
        "finish": "Finished",
        "save": "Save",
        "mine": "Taken by me",
    },
}


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def a_door(house: House) -> tuple[str, str]:
    """The label of a door in the first worker's grid, and the community's name."""
    grids = house.read("/grids", role="desk", level="SMALL")["items"]
    doors = house.read("/register/dwellings", role="desk", grid=grids[0]["id"], limit=1)["items"]
    return doors[0]["label"], grids[0]["name"]


@pytest.mark.parametrize(("language", "code"), [("zh", 0), ("en", 1)])
def test_asked_sent_done_and_solved(house: House, browser: Browser, language: str, code: int) -> None:
    asked_sent_done_and_solved(house, browser, language, code)


def asked_sent_done_and_solved(house: House, browser: Browser, language: str, code: int) -> None:
    said, desk_says, phone_says = Said(language), DESK_SAYS[language], PHONE_SAYS[language]
    label, _ = a_door(house)

    # The resident, on a phone page without an account.
    home = phone(browser, language, java_script_enabled=False)
    resident = home.page()
    resident.goto(f"{house.origin}/?lang={language}")
    resident.get_by_text(said["ask"], exact=True).click()
    # Another kind for each: the same kind from the same door within a day would be linked to the first.
    kind, sentence = {"zh": ("medicine", "降压药明天就没了"), "en": ("repair", "The tap drips")}[language]
    resident.locator(f"input[name=category][value={kind}]").check()
    resident.get_by_label(said["say_more"]).fill(sentence)
    resident.get_by_label(said["which_community"]).select_option(index=1)
    resident.get_by_label(said["address"]).fill(label)
    resident.get_by_label(said["your_phone"]).fill(f"1380000001{code}")
    resident.get_by_role("button", name=said["send"]).click()
    tracking = resident.url.split("?")[0]
    expect(resident.locator("h1")).to_contain_text(re.compile(r"\d"))
    number = re.search(r"\d+", resident.locator("h1").inner_text())
    assert number is not None

    # A worker's phone is at hand; the desk sees the request and asks somebody.
    device = phone(browser, language)
    worker = FieldPhone(device.page(), language)
    worker.enrol(f"{house.origin}/field/?code={house.demo['enrol_codes'][code]}")
    desk = Watched(browser, size=DESK, language=language)
    page = desk.page()
    page.goto(f"{house.origin}/welcome/")
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    sit_down(page, house, "desk")
    page.goto(f"{house.origin}/desk/requests")
    card = page.locator(".queue li").filter(has_text=f"#{number[0]}")
    card.get_by_role("button").click()
    expect(page.locator(".detail .said")).to_be_visible()
    assert axe_violations(page) == []
    assert widths_overflow(page) == 0
    people = page.locator(".people ol li")
    expect(people.first).to_be_visible(timeout=60_000)
    for one in range(people.count()):
        people.nth(0).get_by_role("button", name=desk_says["ask"], exact=True).click()
        expect(page.locator(".people ul li")).to_have_count(one + 1, timeout=60_000)

    # The worker takes it, goes, and is done.
    worker.page.locator(".f-bar a[href='#/tasks']").click()
    offered = worker.page.locator("article").filter(
        has=worker.page.get_by_role("button", name=phone_says["go"])
    )
    offered.first.get_by_role("button", name=phone_says["go"]).click()
    mine = worker.page.get_by_role("region", name=phone_says["mine"]).locator("article").first
    expect(mine).to_contain_text(label.split()[-1])
    word = mine.locator("strong.m-num").inner_text()
    expect(page.locator(".people")).to_contain_text(desk_says["took"], timeout=30_000)
    resident.goto(tracking)
    expect(resident.locator("main")).to_contain_text(word)
    mine.get_by_role("button", name=phone_says["there"]).click()
    mine.get_by_role("button", name=phone_says["finish"]).click()
    worker.page.locator(".f-sheet").get_by_role("button", name=phone_says["save"]).click()
    expect(worker.page.get_by_role("region", name=phone_says["mine"])).to_have_count(0)

    # The resident says that it is solved; the daughter, with the code she was given, sees it.
    resident.goto(tracking)
    assert widths_overflow(resident) == 0
    resident.get_by_text(said["share"], exact=True).click()
    resident.get_by_label(said["share_name"]).fill("女儿" if language == "zh" else "Daughter")
    resident.get_by_role("button", name=said["share_make"]).click()
    care = resident.locator(".card").filter(has_text=said["share_code"]).locator(".code").inner_text()
    resident.goto(tracking)
    resident.get_by_role("button", name=said["solved"], exact=True).click()
    expect(resident.get_by_role("status")).to_have_text(said["thanks"])
    expect(page.locator(".queue")).not_to_contain_text(f"#{number[0]}", timeout=30_000)
    daughter = phone(browser, language).page()
    daughter.goto(f"{house.origin}/relative?lang={language}")
    daughter.get_by_label(said["care_code"]).fill(care)
    daughter.get_by_role("button", name=said["look"]).click()
    expect(daughter.locator(".card").first).to_contain_text(said["step_CONFIRMED"])
    assert axe_violations(daughter) == []
    home.close()
    device.close()
    desk.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
