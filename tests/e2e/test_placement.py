# SPDX-License-Identifier: Apache-2.0
"""A street asks who could serve where, sees why posts stay empty, sets one, moves another, adopts; who
was placed reads where, with whom and for what, and his calendar answers; and all of it is taken back.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from muster.api.resident.saying import Said
from tests.support.browser import DESK, PHONE, Watched, axe_violations, phone, take_picture, widths_overflow
from tests.support.desk import sit_down
from tests.support.house import House

pytestmark = [pytest.mark.browser]
PICTURES = os.environ.get("PICTURES_FOLDER")
DESK_WORDS = Path(__file__).resolve().parents[2] / "web" / "apps" / "desk" / "src" / "i18n"
ADOPT, ACCEPT = {"zh": "采用", "en": "Adopt"}, {"zh": "通过", "en": "Accept"}
NAMES = {"zh": "安置员", "en": "Robin Placed"}


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def look(page: Page, name: str) -> None:
    """Nothing wider than its window, at a desk and on a phone; pictures where somebody wants to see them."""
    for size in (DESK, PHONE) if PICTURES else (DESK,):
        page.set_viewport_size(size)  # type: ignore[arg-type]
        if PICTURES:
            page.wait_for_timeout(500)
            take_picture(page, Path(PICTURES), f"{name}-{size['width']}")
        assert widths_overflow(page) == 0
    page.set_viewport_size(DESK)  # type: ignore[arg-type]


def whole(word: str) -> re.Pattern[str]:
    """A word that stands alone: what is being adopted is not yet adopted."""
    return re.compile(rf"^\W*{re.escape(word)}\s*$", re.IGNORECASE)


def more_people(page: Page, house: House, number: str) -> None:
    """Three more who checked in and were accepted, so that there is somebody to move."""
    community = page.request.get(f"{house.origin}/help").text().split('<option value="')[2].split('"')[0]
    for last in "789":
        answer = page.request.post(
            f"{house.origin}/help",
            form={
                "name": f"帮手{last}",
                "phone": number[:-1] + last,
                "birth_date": "1990",
                "community": community,
            },
        )
        assert answer.ok
    waiting = page.request.get(f"{house.origin}/api/v1/responders?status=REGISTERED").json()["items"]
    csrf = page.request.get(f"{house.origin}/api/v1/session").json()["csrf"]
    answer = page.request.post(
        f"{house.origin}/api/v1/responders/accept",
        data={"ids": [one["id"] for one in waiting]}, headers={"X-CSRFToken": csrf},
    )  # fmt: skip
    assert answer.ok, answer.text()


def check_in(house: House, browser: Browser, language: str, name: str, number: str) -> tuple[Watched, str]:
    """Somebody checks in by phone; the address of his own page."""
    said, his = Said(language), phone(browser, language)
    page = his.page()
    page.goto(f"{house.origin}/help?lang={language}")
    page.locator("#name").fill(name)
    page.locator("#phone").fill(number)
    page.locator("#birth_date").fill("1990")
    page.get_by_label(said["which_community"]).select_option(index=1)
    page.locator("input[name=cannot]").first.check()
    if PICTURES:
        take_picture(page, Path(PICTURES), f"check-in-{language}")
    page.get_by_role("button", name=said["help_send"], exact=True).click()
    expect(page.locator("h1")).to_have_text(said["help_received"])
    return his, page.url.split("?")[0]


def desk_says(language: str, group: str) -> Any:
    return json.loads((DESK_WORDS / f"{language}.json").read_text(encoding="utf-8"))[group]


def accept(page: Page, house: House, word: str) -> None:
    page.goto(f"{house.origin}/desk/people")
    page.locator("table.list tbody tr").last.click()
    page.locator(".record").get_by_role("button", name=word, exact=True).click()
    expect(page.locator(".record .m-badge").first).to_be_visible()


@pytest.mark.parametrize(("language", "number"), [("zh", "13912350001"), ("en", "13912350002")])
def test_proposed_changed_adopted_told_and_taken_back(
    house: House, browser: Browser, language: str, number: str
) -> None:
    w, said, name = desk_says(language, "placement"), Said(language), NAMES[language]
    his, mine = check_in(house, browser, language, name, number)
    desk = Watched(browser, size=DESK, language=language)
    page = desk.page()
    page.goto(f"{house.origin}/welcome/")
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    sit_down(page, house, "street")
    accept(page, house, ACCEPT[language])
    more_people(page, house, number)

    # A proposal with its distance to the best, its walks, and the posts that stay empty with their reasons.
    page.goto(f"{house.origin}/desk/placement")
    page.get_by_role("button", name=w["start"], exact=True).click()
    expect(page.locator(".best")).to_contain_text(w["best"])
    expect(page.get_by_role("heading", name=w["walk"], exact=True)).to_be_visible()
    short = page.locator("section").filter(
        has=page.get_by_role("heading", name=w["short"].split("（")[0][:3])
    )
    expect(short.locator("li li .m-soft").first).to_contain_text("·")
    look(page, f"plan-{language}")
    assert axe_violations(page) == []

    # He stays where he is put; somebody else goes elsewhere.
    page.get_by_placeholder(w["find"]).fill(name)
    expect(page.locator("table.list button.who")).to_have_count(1)
    page.locator("table.list button.who").first.click()
    look(page, f"person-{language}")
    page.get_by_role("button", name=w["pin"], exact=True).click()
    expect(page.locator("table.list .m-badge").filter(has_text=w["pinned"])).to_be_visible()
    page.get_by_placeholder(w["find"]).fill("")
    other = page.locator("table.list tbody tr").filter(has_not=page.locator(".m-badge")).last
    other.locator("button.who").click()
    was = other.locator("td").nth(2).inner_text()
    page.locator("form .el-select").first.click()
    page.locator(".el-select-dropdown__item:visible").filter(has_not_text=was).first.click()
    page.get_by_role("button", name=w["put"], exact=True).click()
    expect(page.locator("table.list .m-badge").filter(has_text=w["pinned"])).to_have_count(2)

    # Adopted in two steps.
    page.get_by_role("button", name=ADOPT[language], exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("table")).to_be_visible()
    look(page, f"adopt-{language}")
    assert axe_violations(page, within=".el-dialog") == []
    dialog.get_by_role("button", name=ADOPT[language], exact=True).click()
    expect(page.locator("header .m-badge")).to_have_text(whole(w["state"]["ADOPTED"]))

    # He reads where, with whom and for what; his calendar answers with hours and nothing else.
    card = his.context.pages[0]
    card.goto(mine)
    expect(card.locator("main")).to_contain_text(said["serve_ASSIGNED"])
    expect(card.get_by_role("button", name=said["act_accept_place"], exact=True)).to_be_visible()
    for size in (PHONE, DESK) if PICTURES else ():
        card.set_viewport_size(size)  # type: ignore[arg-type]
        take_picture(card, Path(str(PICTURES)), f"duty-{language}-{size['width']}")
    assert axe_violations(card) == []
    card.get_by_role("button", name=said["calendar"], exact=True).click()
    feed = card.request.get(
        str(card.locator(".card a[href*='.ics'], .card a[href*='calendar']").first.get_attribute("href"))
    )
    assert feed.ok
    assert feed.text().startswith("BEGIN:VCALENDAR")
    assert name not in feed.text()

    page.get_by_role("button", name=w["take_back"], exact=True).click()
    expect(page.locator("header .m-badge")).to_have_text(whole(w["state"]["TAKEN_BACK"]))
    card.goto(mine)
    expect(card.locator("main")).to_contain_text(said["serve_VETTED"])
    if PICTURES:
        for path in ("placement", "teams"):
            page.goto(f"{house.origin}/desk/{path}")
            look(page, f"{path}-{language}")
    his.close()
    desk.close()
