# SPDX-License-Identifier: Apache-2.0
"""One phone in two hands, one person in two corrections: everybody keeps what is theirs."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import phone
from tests.support.field import SENDS_MS, FieldPhone
from tests.support.house import House, until
from tests.support.pocket import FACTS

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def new_code(house: House, worker: str) -> str:
    grid = house.demo["logins"]["grid_head"]["grid"]
    with house.client("grid_head") as api:
        answer = api.post(f"/grids/{grid}/enrol-codes", json={"worker_name": worker})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["code"])


def enrolled(house: House, page: Page, worker: str) -> FieldPhone:
    made = FieldPhone(page, "zh")
    made.enrol(f"{house.origin}/field/?code={new_code(house, worker)}")
    return made


def ledger(house: House, device: str) -> dict[str, dict[str, Any]]:
    """What the house holds of this device, by id; a fact that stands there twice fails."""
    address = f"file:{house.folder / 'muster.sqlite3'}?mode=ro"
    with contextlib.closing(sqlite3.connect(address, uri=True)) as base:
        base.row_factory = sqlite3.Row
        rows = base.execute(
            "SELECT f.id, f.verdict, f.code, u.name AS who FROM trail_fact f"
            " LEFT JOIN accounts_user u ON u.id = f.actor WHERE f.device = ?",
            (device.replace("-", ""),),
        ).fetchall()
    told = {str(row["id"]): dict(row) for row in rows}
    assert len(told) == len(rows)
    return told


def settled(house: House, facts: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Waits until the house knows each of these facts; then exactly these are there."""
    (device,) = {fact["device"] for fact in facts}
    wanted = {fact["id"].replace("-", "") for fact in facts}
    until(lambda: wanted <= set(ledger(house, device)), what="every fact is in the ledger", seconds=60)
    told = ledger(house, device)
    assert set(told) == wanted
    return told


def visit(worker: FieldPhone) -> None:
    with worker.door(worker.page.locator(".f-door-row").first) as sheet:
        worker.nobody_answers(sheet)


def test_the_next_worker_is_credited_with_nothing_of_the_first(house: House, browser: Browser) -> None:
    device = phone(browser, "zh")
    device.deaf = True
    first = enrolled(house, device.page(), "陈一")
    first.is_offline_ready()
    page = first.page
    device.context.set_offline(True)
    visit(first)
    unsent = page.evaluate(FACTS)
    first.go("me")
    page.get_by_role("button", name="交接这台手机", exact=True).click()
    page.locator("#hand-name").fill("陈一")
    page.get_by_role("button", name="交接", exact=True).click()
    expect(page.locator(".f-enrol")).to_contain_text(f"还有 {len(unsent)} 条没上传")
    device.context.set_offline(False)
    second = enrolled(house, page, "周二")
    visit(second)
    own = [fact for fact in page.evaluate(FACTS) if fact["device"] != unsent[0]["device"]]
    assert {row["who"] for row in settled(house, own).values()} == {"周二"}
    assert {row["who"] for row in settled(house, unsent).values()} == {"陈一"}
    device.close()


def test_a_phone_taken_back_forgets_the_list_and_what_it_sends_later_is_kept_apart(
    house: House, browser: Browser
) -> None:
    device = phone(browser, "zh")
    device.deaf = True
    worker = enrolled(house, device.page(), "lost")
    worker.is_offline_ready()
    page = worker.page
    device.context.set_offline(True)
    visit(worker)
    earlier = {fact["id"] for fact in page.evaluate(FACTS)}
    name = page.evaluate(FACTS)[0]["device"]
    with house.client("grid_head") as api:
        assert api.post(f"/devices/{name}/revoke").status_code == 200
    visit(worker)
    facts = page.evaluate(FACTS)
    device.context.set_offline(False)
    page.reload()
    # Reading ends at the first contact; what was recorded goes out and is judged, none is dropped.
    expect(worker.strip).to_contain_text("这台手机已停用", timeout=SENDS_MS)
    expect(page.locator(".f-door-row")).to_have_count(0)
    held = settled(house, facts)
    for fact in facts:
        row = held[fact["id"].replace("-", "")]
        wanted = ("APPLIED", "") if fact["id"] in earlier else ("QUARANTINED", "lease_revoked")
        assert (row["verdict"], row["code"]) == wanted
    (listed,) = [one for one in house.read("/devices", role="grid_head")["items"] if one["id"] == name]
    assert listed["wiped_at"] is not None
    device.complaints.clear()
    device.close()


def correct_phone(worker: FieldPhone, room: str, number: str) -> None:
    page = worker.page
    row = page.locator(".f-door-row").filter(has=page.locator(".f-door-room", has_text=room)).first
    with worker.door(row) as sheet:
        sheet.get_by_role("button", name="更正资料", exact=True).click()
        if page.locator("#correct-phone").count() == 0:
            page.locator(".f-sheet:not(.f-sheet-tall) .f-chip").first.click()
        page.locator("#correct-phone").fill(number)
        page.locator(".f-sheet:not(.f-sheet-tall) .f-save").click()
        expect(page.locator(".f-said")).to_contain_text("已更正")


def test_two_corrections_of_one_number_are_both_shown_and_one_is_chosen(
    house: House, browser: Browser
) -> None:
    devices = [phone(browser, "zh") for _ in range(2)]
    workers = [enrolled(house, one.page(), f"更正{n}") for n, one in enumerate(devices)]
    listed = workers[0].page.locator(".f-door-row").filter(has_not_text="名单上没有人").first
    room = listed.locator(".f-door-room").inner_text()
    for one in devices:
        one.deaf = True
        one.context.set_offline(True)
    for worker, number in zip(workers, ("13900001111", "13900002222"), strict=True):
        correct_phone(worker, room, number)
    facts = [worker.page.evaluate(FACTS) for worker in workers]
    codes = []
    for one, mine in zip(devices, facts, strict=True):
        one.context.set_offline(False)
        codes += [row["code"] for row in settled(house, mine).values()]
    assert codes == ["", "field_conflict"]

    # Somebody at the desk sees both, with who and when, and takes the second; both phones then show it.
    fact = facts[1][0]["id"]
    told = house.read(f"/held/{fact}/conflict", role="desk")
    assert [told[side]["value"] for side in ("current", "other")] == ["13900001111", "13900002222"]
    assert [told[side]["who"] for side in ("current", "other")] == ["更正0", "更正1"]
    with house.client("desk") as api:
        assert api.post(f"/held/{fact}/resolve", json={"action": "take"}).status_code == 200
    for worker in workers:
        worker.page.reload()
        row = worker.page.locator(".f-door-row").filter(
            has=worker.page.locator(".f-door-room", has_text=room)
        )
        row.first.click()
        expect(worker.page.locator("a[href='tel:13900002222']").first).to_be_visible(timeout=SENDS_MS)
    for one in devices:
        one.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
