# SPDX-License-Identifier: Apache-2.0
"""Somebody checks in on a phone page without a script; the desk says yes; he takes leave, comes back, and is
deleted when he wants to be.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from muster.api.resident.saying import Said
from tests.support.browser import DESK, Watched, axe_violations, phone, widths_overflow
from tests.support.desk import sit_down
from tests.support.house import House

pytestmark = [pytest.mark.browser]
DESK_SAYS = {
    "zh": {"accept": "通过", "placed": "等安排", "certificate": "看过原件：护士证"},
    "en": {"accept": "Accept", "placed": "To place", "certificate": "Original seen: 护士证"},
}


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


@pytest.mark.parametrize(("language", "number"), [("zh", 1), ("en", 2)])
def test_checked_in_vetted_on_leave_and_deleted(
    house: House, browser: Browser, language: str, number: int
) -> None:
    said, desk_says = Said(language), DESK_SAYS[language]
    name = f"报到员{number}" if language == "zh" else "Casey Newcomer"

    home = phone(browser, language, java_script_enabled=False)
    page = home.page()
    page.goto(f"{house.origin}/?lang={language}")
    page.get_by_text(said["help"], exact=True).click()
    assert widths_overflow(page) == 0
    page.locator("#name").fill(name)
    page.locator("#phone").fill(f"1391234000{number}")
    page.locator("#birth_date").fill("1990")
    page.get_by_label(said["which_community"]).select_option(index=1)
    page.locator("input[name=skills]").first.check()
    page.get_by_text(said["help_more"], exact=True).click()
    page.locator("#certificates").fill("护士证")
    page.get_by_role("button", name=said["help_send"], exact=True).click()
    expect(page.locator("h1")).to_have_text(said["help_received"])
    mine = page.url.split("?")[0]

    desk = Watched(browser, size=DESK, language=language)
    seat = desk.page()
    seat.goto(f"{house.origin}/welcome/")
    seat.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    sit_down(seat, house, "desk")
    seat.goto(f"{house.origin}/desk/people")
    seat.locator("table.list tbody tr").last.click()
    drawer = seat.locator(".record")
    drawer.get_by_label(desk_says["certificate"]).check()
    assert axe_violations(seat) == []
    assert widths_overflow(seat) == 0
    drawer.get_by_role("button", name=desk_says["accept"], exact=True).click()
    expect(drawer.locator(".m-badge").first).to_contain_text(desk_says["placed"])

    page.goto(mine)
    expect(page.locator("main")).to_contain_text(said["serve_VETTED"])
    page.get_by_text(said["act_leave"], exact=True).first.click()
    page.get_by_role("button", name=said["act_leave"], exact=True).click()
    expect(page.locator("main")).to_contain_text(said["serve_UNAVAILABLE"])
    page.get_by_role("button", name=said["act_back"], exact=True).click()
    expect(page.locator("main")).to_contain_text(said["serve_VETTED"])
    page.get_by_text(said["forget"], exact=True).first.click()
    page.get_by_role("button", name=said["forget"], exact=True).click()
    expect(page.locator("h1")).to_have_text(said["forgotten"])
    home.close()
    desk.close()


def test_where_i_live_by_touch_by_keys_from_the_list_and_without_a_network(
    house: House, browser: Browser
) -> None:
    said = Said("zh")
    home = phone(browser, "zh")
    page = home.page()
    home.deaf = True
    page.route("**/help/map", lambda route: route.abort())
    page.goto(f"{house.origin}/help?lang=zh")
    page.get_by_role("button", name=said["help_map"], exact=True).click()
    chosen = page.locator("#pick [role=status]")
    expect(chosen).to_have_text(said["help_map_cut"])
    home.deaf = False

    page.get_by_label(said["which_community"]).select_option(index=1)
    houses = page.locator("#pick .houses path")
    expect(houses.first).to_be_attached()
    assert widths_overflow(page) == 0
    drawn = page.locator("#pick svg").bounding_box()
    assert drawn is not None
    page.touchscreen.tap(drawn["x"] + drawn["width"] / 2, drawn["y"] + drawn["height"] / 2)
    expect(chosen).to_contain_text(said["help_map_chosen"])
    touched = page.locator("#spot").input_value()
    page.locator("#pick svg").focus()
    for key in ("+", "+", "ArrowDown", "ArrowDown", "ArrowDown", "Enter"):
        page.keyboard.press(key)
    keyed = page.locator("#spot").input_value()
    page.get_by_label(said["help_map_list"]).select_option(index=2)
    listed = page.locator("#spot").input_value()
    assert all("," in one for one in (touched, keyed, listed))
    assert len({touched, keyed, listed}) > 1
    assert axe_violations(page) == []

    page.locator("#name").fill("地图报到员")
    page.locator("#phone").fill("13912340009")
    page.locator("#card").fill("ABCD-EFGH-1")
    page.locator("#birth_date").fill("1990")
    send = page.get_by_role("button", name=said["help_send"], exact=True)
    send.click()
    expect(page.locator("#card-fault")).to_be_visible()
    expect(chosen).to_contain_text(said["help_map_chosen"])
    assert page.locator("#spot").input_value() == listed
    # The browser says that the form came back with a mistake, and nothing else.
    assert len(home.complaints) == 1
    assert "422" in home.complaints.pop()
    page.locator("#card").fill("")
    send.click()
    expect(page.locator("h1")).to_have_text(said["help_received"])
    home.close()
