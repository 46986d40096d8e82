# SPDX-License-Identifier: Apache-2.0
"""Work on requests with the network cut: taken, arrived, finished on the phone; the desk hears it later."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.support.browser import axe_violations, phone, widths_overflow
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


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
