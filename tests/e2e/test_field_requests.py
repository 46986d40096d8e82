# SPDX-License-Identifier: Apache-2.0
"""Work with the network cut: requests taken and finished, one's post left and come to; heard of later."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.support.browser import DESK, PHONE, Watched, axe_violations, phone, take_picture, widths_overflow
from tests.support.desk import sit_down
from tests.support.field import FieldPhone
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]
SAYS = {
    "zh": {
        "mine": "我接的", "pool": "可以认领的", "done": "已办完，等上传", "claim": "认领", "there": "我到了",
        "finish": "办完了", "hold": "先挂起", "save": "保存", "note": "补充一句（可以不写）",
        "kept": "没有网络：", "taken": "已有人接", "later": "4 小时后",
    },
    "en": {
        "mine": "Taken by me", "pool": "Free to take", "done": "Finished, waiting to be sent",
        "claim": "Take it", "there": "I am there", "finish": "Finished", "hold": "Put on hold",
        "save": "Save", "note": "A line about it (may be left blank)", "kept": "No network:",
        "taken": "Somebody else has", "later": "4 h from now",
        "next_up": "Next",
    },
}  # fmt: skip
PICTURES = os.environ.get("PICTURES_FOLDER")
DUTY = {
    "zh": {
        "card": "我的岗位", "leaving": "我要走了", "here": "我到岗了", "without": "没有编码，也到岗",
        "unheard": "还没传出去", "left": "离岗", "came": "到岗", "not_yours": "岗位已经调整或收回",
        "flags": "要核对的记录", "kind": "岗位不是他的", "seen": "看过了，留着不动",
        "empty": "没有要核对的记录", "heard": "传到",
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def asked(house: House, sentence: str, *, category: str) -> dict[str, Any]:
    """A slip of the desk about a door in the first worker's grid."""
    grid = house.read("/grids", role="desk", level="SMALL")["items"][0]["id"]
    door = house.read("/register/dwellings", role="desk", grid=grid, limit=1)["items"][0]["id"]
    with house.client("desk") as api:
        answer = api.post("/requests", json={"text": sentence, "category": category, "dwelling": door})
    assert answer.status_code in (200, 201), answer.text
    told: dict[str, Any] = answer.json()
    return told


def status_of(house: House, request: str) -> str:
    return str(house.read(f"/requests/{request}", role="desk")["status"])


def card(worker: FieldPhone, section: str, number: int | None = None) -> Locator:
    found = worker.page.get_by_role("region", name=section).locator(".f-card")
    return found.filter(has_text=f"#{number}") if number is not None else found


def test_taken_and_finished_where_nobody_can_be_asked(house: House, browser: Browser) -> None:
    says = SAYS["zh"]
    slip = asked(house, "降压药明天就没了", category="medicine")
    device = phone(browser, "zh")
    worker = FieldPhone(device.page(), "zh")
    worker.enrol(f"{house.origin}/field/?code={house.demo['enrol_codes'][0]}")
    worker.is_offline_ready()
    worker.page.locator(".f-bar a[href='#/tasks']").click()
    expect(card(worker, says["pool"])).to_have_count(1)

    device.deaf = True  # the browser's own complaint about the network
    device.context.set_offline(True)
    worker.page.reload()  # the battery was changed: the list is on the phone
    expect(card(worker, says["pool"])).to_have_count(1)
    expect(worker.page.locator(".f-page")).to_contain_text(says["kept"])
    card(worker, says["pool"]).get_by_role("button", name=says["claim"]).click()
    mine = card(worker, says["mine"])
    expect(mine).to_have_count(1)
    mine.get_by_role("button", name=says["there"]).click()
    expect(mine.get_by_role("button", name=says["there"])).to_have_count(0)
    assert axe_violations(worker.page) == []
    assert widths_overflow(worker.page) == 0
    mine.get_by_role("button", name=says["finish"]).click()
    worker.page.get_by_label(says["note"]).fill("药放在门把手上")
    worker.page.locator(".f-sheet").get_by_role("button", name=says["save"]).click()
    expect(card(worker, says["done"])).to_have_count(1)
    expect(mine).to_have_count(0)
    worker.expect_unsent(3)
    assert status_of(house, slip["id"]) in ("NEW", "TRIAGED"), "nobody has heard of it yet"

    device.context.set_offline(False)
    worker.expect_sent()
    until(lambda: status_of(house, slip["id"]) == "DONE", what="the desk hears that it is done", seconds=60)
    expect(card(worker, says["done"])).to_have_count(0, timeout=60_000)
    notes = str(house.read(f"/requests/{slip['id']}", role="desk"))
    assert "药放在门把手上" in notes
    device.close()


def test_somebody_was_quicker_and_the_other_hears_it(house: House, browser: Browser) -> None:
    says = SAYS["en"]
    slip = asked(house, "The tap drips", category="repair")
    one, two = phone(browser, "en"), phone(browser, "en")
    grid = house.read("/grids", role="desk", level="SMALL")["items"][0]["code"]
    third = house.muster("enrol-code", "--grid", grid, "--worker", "演工").split()[0]
    first, second = FieldPhone(one.page(), "en"), FieldPhone(two.page(), "en")
    first.enrol(f"{house.origin}/field/?code={house.demo['enrol_codes'][1]}")
    second.enrol(f"{house.origin}/field/?code={third}")
    for worker in (first, second):
        worker.page.locator(".f-bar a[href='#/tasks']").click()
        expect(card(worker, says["pool"])).to_have_count(1)

    one.deaf = True
    one.context.set_offline(True)
    card(first, says["pool"]).get_by_role("button", name=says["claim"]).click()
    expect(card(first, says["mine"])).to_have_count(1)
    card(second, says["pool"]).get_by_role("button", name=says["claim"]).click()
    held = card(second, says["mine"], slip["number"])
    expect(held).to_have_count(1)
    held.get_by_role("button", name=says["hold"]).click()
    second.page.get_by_role("radio", name=says["later"], exact=True).click()
    assert axe_violations(second.page) == []
    second.page.locator(".f-sheet").get_by_role("button", name=says["save"]).click()
    until(lambda: status_of(house, slip["id"]) == "ON_HOLD", what="the desk sees the hold", seconds=60)

    one.context.set_offline(False)
    expect(card(first, says["mine"])).to_have_count(0, timeout=90_000)
    told = first.page.get_by_role("status", name=says["next_up"])
    expect(told).to_contain_text(f"has #{slip['number']} already")
    first.page.reload()  # the page was closed in the middle: it is told until it was seen
    expect(told).to_contain_text(f"has #{slip['number']} already", timeout=60_000)
    told.get_by_role("button").last.click()
    first.page.reload()
    expect(first.page.locator(".f-bar")).to_be_visible()
    expect(told).to_have_count(0)
    first.page.locator(".f-bar a[href='#/messages']").click()
    expect(first.page.locator(".f-page")).to_contain_text(says["taken"])
    one.close()
    two.close()


def look(page: Page, name: str) -> None:
    if PICTURES:
        take_picture(page, Path(PICTURES), name)


def test_gone_and_here_again_without_a_network(house: House, browser: Browser) -> None:
    """The desk reads both moments of each, and who came to a post that was taken back."""
    says, language, name = DUTY["zh"], "zh", "演岗甲"
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
    worker.page.reload()  # whoever opens the app asks for what has become of it
    expect(card.get_by_role("button", name=says["leaving"])).to_be_visible()
    expect(card).not_to_contain_text(says["unheard"], timeout=60_000)

    # His place is taken back while he is out of reach; he comes all the same.
    device.context.set_offline(True)
    card.get_by_role("button", name=says["leaving"]).click()
    with house.client("desk") as api:
        assert api.post(f"/responders/{me}/step", json={"to": "RELEASED"}).status_code == 200
    card.get_by_role("button", name=says["here"]).click()
    worker.page.locator(".f-sheet").get_by_role("button", name=says["without"]).click()
    device.context.set_offline(False)
    worker.expect_sent()
    until(lambda: house.read("/flags", role="desk")["count"], what="it is put before a person", seconds=60)
    worker.page.reload()
    expect(card).to_contain_text(says["not_yours"], timeout=90_000)
    look(worker.page, f"duty-not-yours-{language}")

    on_the_desk(house, browser, language, me)
    device.close()


def on_the_desk(house: House, browser: Browser, language: str, me: str) -> None:
    """What he said is on the list of records to look at; seen, and unseen again."""
    says = DUTY[language]
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
    expect(open_rows(rows).first).to_contain_text(says["not_yours"])
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
