# SPDX-License-Identifier: Apache-2.0
"""I am here, I am leaving, with the network cut; the desk reads both moments, and who came to a lost post."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import DESK, PHONE, Watched, axe_violations, phone, take_picture, widths_overflow
from tests.support.desk import sit_down
from tests.support.field import FieldPhone
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]
PICTURES = os.environ.get("PICTURES_FOLDER")
SAYS = {
    "zh": {
        "card": "我的岗位", "leaving": "我要走了", "here": "我到岗了", "without": "没有编码，也到岗",
        "unheard": "还没传出去", "left": "离岗", "came": "到岗", "not_yours": "岗位已经调整或收回",
        "flags": "要核对的记录", "kind": "岗位不是他的", "seen": "看过了，留着不动",
        "empty": "没有要核对的记录", "heard": "传到",
    },
    "en": {
        "card": "My place", "leaving": "I am leaving", "here": "I am here", "without": "Here, without a code",
        "unheard": "Not sent yet", "left": "You left at", "came": "You were here at",
        "not_yours": "changed or taken back", "flags": "Records to look at", "kind": "not his place",
        "seen": "Seen, leave it as it is", "empty": "Nothing to look at", "heard": "came in",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def look(page: Page, name: str) -> None:
    if PICTURES:
        take_picture(page, Path(PICTURES), name)


@pytest.mark.parametrize(("language", "name"), [("zh", "演岗甲"), ("en", "演岗乙")])
def test_gone_and_here_again_without_a_network(
    house: House, browser: Browser, language: str, name: str
) -> None:
    says = SAYS[language]
    grid = house.read("/grids", role="desk", level="SMALL")["items"][0]["code"]
    code = house.muster("enrol-code", "--grid", grid, "--worker", name).split()[0]
    device = phone(browser, language)
    worker = FieldPhone(device.page(), language)
    worker.enrol(f"{house.origin}/field/?code={code}")
    worker.is_offline_ready()
    worker.page.locator(".f-bar a[href='#/tasks']").click()
    me = until(lambda: serving(house, name), what="he serves", seconds=30)
    worker.go("me")
    card = worker.page.get_by_role("region", name=says["card"])
    expect(card.get_by_role("button", name=says["leaving"])).to_be_visible()

    # No network: gone for the noon, the battery changed, and here again.
    device.deaf = True  # the browser's own complaint about the network
    device.context.set_offline(True)
    card.get_by_role("button", name=says["leaving"]).click()
    expect(card).to_contain_text(says["left"])
    expect(card).to_contain_text(says["unheard"])
    worker.page.reload()
    expect(card).to_contain_text(says["left"])
    look(worker.page, f"duty-left-{language}")
    card.get_by_role("button", name=says["here"]).click()
    look(worker.page, f"duty-here-sheet-{language}")
    worker.page.locator(".f-sheet").get_by_role("button", name=says["without"]).click()
    expect(card).to_contain_text(says["came"])
    expect(card.get_by_role("button", name=says["leaving"])).to_be_visible()
    assert axe_violations(worker.page) == []
    assert widths_overflow(worker.page) == 0
    worker.expect_unsent(2)
    assert verbs(house, me) == [], "nobody has heard of it yet"

    device.context.set_offline(False)
    worker.expect_sent()
    until(lambda: verbs(house, me) == ["arrive", "leave"], what="the desk hears of both", seconds=60)
    told = house.read(f"/responders/{me}", role="desk")
    assert told["status"] == "ON_DUTY"
    assert all(one["heard"] >= one["at"] for one in told["timeline"] if one["verb"] == "arrive")
    expect(card).not_to_contain_text(says["unheard"], timeout=60_000)

    # His place is taken back while he is out of reach; he comes all the same.
    device.context.set_offline(True)
    card.get_by_role("button", name=says["leaving"]).click()
    with house.client("desk") as api:
        assert api.post(f"/responders/{me}/step", json={"to": "RELEASED"}).status_code == 200
    card.get_by_role("button", name=says["here"]).click()
    worker.page.locator(".f-sheet").get_by_role("button", name=says["without"]).click()
    device.context.set_offline(False)
    expect(card).to_contain_text(says["not_yours"], timeout=90_000)
    look(worker.page, f"duty-not-yours-{language}")

    on_the_desk(house, browser, language, me)
    device.close()


def on_the_desk(house: House, browser: Browser, language: str, me: str) -> None:
    """What he said is on the list of records to look at; seen, and unseen again."""
    says = SAYS[language]
    desk = Watched(browser, size=DESK, language=language)
    page = desk.page()
    page.goto(f"{house.origin}/welcome/")
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    sit_down(page, house, "desk")
    page.goto(f"{house.origin}/desk/people?id={me}")
    expect(page.locator(".timeline")).to_contain_text(says["heard"])
    look(page, f"duty-timeline-{language}")
    page.goto(f"{house.origin}/desk/held")
    page.get_by_role("link", name=says["flags"]).click()
    rows = page.locator("section.phone").filter(has_text=says["kind"])
    if not open_rows(rows).count():
        rows.first.locator("button.head").click()
    expect(open_rows(rows).first).to_contain_text(says["not_yours"] if language == "zh" else "taken back")
    assert axe_violations(page) == []
    look(page, f"flags-{language}")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    assert widths_overflow(page) == 0
    look(page, f"flags-narrow-{language}")
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    open_rows(rows).first.get_by_role("button", name=says["seen"]).click()
    expect(rows).to_have_count(0)
    look(page, f"flags-seen-{language}")
    page.locator(".m-toast button:not(.m-toast-close)").last.click()
    expect(rows).to_have_count(1)
    if not open_rows(rows).count():
        rows.first.locator("button.head").click()
    open_rows(rows).first.get_by_role("button", name=says["seen"]).click()
    expect(rows).to_have_count(0)
    desk.close()


def open_rows(phones: Locator) -> Locator:
    return phones.locator("li")


def serving(house: House, name: str) -> str:
    found = house.read("/responders", role="desk", q=name, status="serving")["items"]
    return str(found[0]["id"]) if found else ""


def verbs(house: House, responder: str) -> list[str]:
    told = house.read(f"/responders/{responder}", role="desk")["timeline"]
    return [one["verb"] for one in told if one["verb"] in {"arrive", "leave"}]


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
