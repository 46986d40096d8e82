# SPDX-License-Identifier: Apache-2.0
"""A worker's phone at 360 px: enrol, record, lose the server, record on, and nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import phone, widths_overflow
from tests.support.field import SENDS_MS, FieldPhone
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]
FOUND = {"zh": "查小满", "en": "Wren Applewood"}


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def outcomes(house: House) -> dict[str, int]:
    told: dict[str, int] = house.coverage(grid=house.demo["logins"]["grid_head"]["grid"])["outcomes"]
    return told


def coverage(house: House) -> dict:
    return house.coverage(grid=house.demo["logins"]["grid_head"]["grid"])


@pytest.mark.parametrize(("language", "code"), [("zh", 0), ("en", 1)])
def test_a_worker_records_through_a_dead_server(
    house: House, browser: Browser, language: str, code: int
) -> None:
    recorded_through_a_dead_server(house, browser, language, code)


def recorded_through_a_dead_server(house: House, browser: Browser, language: str, code: int) -> None:
    device = phone(browser, language)
    worker = FieldPhone(device.page(), language)
    says = worker.says
    before = coverage(house)

    # Enrolled: who is left is what the ledger says is missing.
    worker.enrol(f"{house.origin}/field/?code={house.demo['enrol_codes'][code]}")
    classes = before["equation"]["classes"]
    assert worker.left()[1] == classes["OPEN"] + classes["UNREACHED"]
    assert widths_overflow(worker.page) == 0
    worker.is_offline_ready()

    # One tap at a door, and the strip says that it has arrived.
    with worker.door(worker.untouched.first) as sheet:
        tried = worker.nobody_answers(sheet)
    worker.expect_sent()
    until(
        lambda: outcomes(house).get("NO_ANSWER", 0) == before["outcomes"].get("NO_ANSWER", 0) + tried,
        what="the ledger counts the door",
    )

    # The server dies. The page opens again by itself and takes what is recorded.
    device.deaf = True
    house.cut()
    worker.page.reload()
    expect(worker.page.locator(".f-today-left")).to_be_visible()
    assert worker.left()[1] == classes["OPEN"] + classes["UNREACHED"]
    with worker.door(worker.untouched.first) as sheet:
        first = worker.nobody_answers(sheet)
    with worker.door(worker.untouched.first) as sheet:
        second = worker.nobody_answers(sheet)
        worker.find_person(sheet, FOUND[language])
    unsent = first + second + 1
    worker.expect_unsent(unsent)
    expect(worker.strip).to_contain_text(says["offline"])
    worker.go("me")
    expect(worker.counts().nth(0)).to_have_text(str(unsent))
    assert widths_overflow(worker.page) == 0

    # It comes back: sent without a tap, and every record has its receipt.
    house.start()
    expect(worker.counts().nth(0)).to_have_text("0", timeout=SENDS_MS)
    expect(worker.counts().nth(1)).to_have_text("0", timeout=SENDS_MS)
    assert int(worker.counts().nth(2).inner_text()) >= unsent + tried
    worker.go("today")
    worker.expect_sent()
    device.deaf = False
    after = coverage(house)
    assert after["outcomes"]["NO_ANSWER"] == before["outcomes"].get("NO_ANSWER", 0) + tried + first + second
    assert after["found"]["count"] == before["found"]["count"] + 1
    assert after["equation"]["balanced"]

    # Taken back within ten minutes.
    with worker.door(worker.untouched.first) as sheet:
        worker.nobody_answers(sheet)
        worker.page.locator(".f-said").get_by_role("button", name=says["undo"]).click()
        expect(worker.page.locator(".f-said")).to_contain_text(says["undone"])
    worker.expect_sent()
    until(lambda: outcomes(house) == after["outcomes"], what="the ledger has taken it back")

    # The text for the residents' chat tells numbers, never who or behind which door.
    worker.page.get_by_role("button", name=says["chat"]).first.click()
    texts = worker.page.locator(".f-chat-text").all_inner_texts()
    assert texts
    rooms = set(re.findall(r"\d{3,4}", " ".join(worker.page.locator(".f-door-room").all_inner_texts())))
    assert rooms
    assert worker.listed
    for text in texts:
        assert [one["name"] for one in worker.listed if one["name"] in text] == []
        assert [room for room in rooms if room in text] == []
    device.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
