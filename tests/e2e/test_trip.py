# SPDX-License-Identifier: Apache-2.0
"""A dialysis patient gets there and back: booked by itself, a hospital says yes, a worker drives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import DESK, Watched, axe_violations, phone, widths_overflow
from tests.support.desk import sit_down
from tests.support.field import FieldPhone
from tests.support.house import House, until

pytestmark = [pytest.mark.browser]
DESK_SAYS = {
    "zh": {"hospital": "医院名称", "ask": "去问", "who": "谁答应的", "yes": "答应了",
           "save": "保存", "gate": "已告诉门岗", "home": "已到家", "why": "透析", "name": "二医院"},
    "en": {"hospital": "Name of the hospital", "ask": "Ask", "who": "who agreed", "yes": "Says yes",
           "save": "Save", "gate": "Gate told", "home": "Home", "why": "dialysis",
           "name": "Second Hospital"},
}  # fmt: skip
PHONE_SAYS = {
    "zh": {"mine": "我来接送", "gone": "不用您去了", "told": "接送",
           "steps": ["出发了", "到医院了", "往回走了", "到家了"]},
    "en": {"mine": "Trips I drive", "gone": "not yours any more", "told": "drive",
           "steps": ["We have left", "We have arrived", "Heading home", "They are home"]},
}  # fmt: skip


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def a_patient(house: House, grid: int) -> dict[str, Any]:
    """Somebody on dialysis who was booked by himself, in the worker's own grid where there is one."""

    def booked() -> list[dict[str, Any]]:
        rows = house.read("/trips", role="desk")["items"]
        return [r for r in rows if r["kind"] == "dialysis" and r["next_hop"] == "HOSPITAL"]

    rows = until(booked, what="the register's needs are booked", seconds=90)
    return min(rows, key=lambda r: (r["grid"]["id"] != grid, r["number"]))


def names(house: House, trip: dict[str, Any]) -> set[str]:
    return {one["name"] for one in house.read(f"/trips/{trip['id']}/drivers", role="desk")["items"]}


@pytest.mark.parametrize(("language", "code"), [("zh", 0), ("en", 1)])
def test_there_and_back(house: House, browser: Browser, language: str, code: int) -> None:
    says, phone_says = DESK_SAYS[language], PHONE_SAYS[language]

    trip = a_patient(house, house.read("/grids", role="desk", level="SMALL")["items"][0]["id"])
    before = names(house, trip)

    # A worker's phone is at hand; who opens Tasks can be asked.
    device = phone(browser, language)
    worker = FieldPhone(device.page(), language)
    worker.enrol(f"{house.origin}/field/?code={house.demo['enrol_codes'][code]}")
    worker.page.locator(".f-bar a[href='#/tasks']").click()
    expect(worker.page.locator(".f-page").first).to_be_visible()

    # The desk: nobody wrote this trip down. A hospital says yes; a driver is chosen; the gate is told.
    desk = Watched(browser, size=DESK, language=language)
    page = desk.page()
    page.goto(f"{house.origin}/welcome/")
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    sit_down(page, house, "desk")
    (me,) = until(lambda: names(house, trip) - before, what="the worker can be asked", seconds=30)
    page.goto(f"{house.origin}/desk/trips?id={trip['id']}")
    detail = page.locator("article.detail")
    expect(detail).to_contain_text(f"#{trip['number']}")
    assert axe_violations(page) == []
    assert widths_overflow(page) == 0
    detail.get_by_label(says["hospital"]).fill(says["name"])
    detail.get_by_role("button", name=says["ask"], exact=True).click()
    detail.get_by_label(says["who"]).fill("值班")
    detail.get_by_role("button", name=says["yes"], exact=True).click()
    expect(detail).to_contain_text("值班")
    detail.locator(".driver").click()
    page.locator(".el-select-dropdown:visible .el-select-dropdown__item").filter(has_text=me).first.click()
    detail.get_by_role("button", name=says["save"], exact=True).click()
    detail.get_by_role("button", name=says["gate"], exact=True).click()
    driver = until(
        lambda: house.read(f"/trips/{trip['id']}", role="desk")["driver"], what="a driver", seconds=30
    )
    assert driver

    # The sheet for the driver says everything but why.
    page.goto(f"{house.origin}/desk/trips/{trip['id']}/print")
    expect(page.locator(".sheet")).to_contain_text(says["name"])
    expect(page.locator(".sheet")).not_to_contain_text(says["why"])
    page.goto(f"{house.origin}/desk/trips?id={trip['id']}")

    # The driver's phone: there and back, a key for each step.
    mine = worker.page.get_by_role("region", name=phone_says["mine"])
    worker.page.reload()
    worker.page.locator(".f-bar a[href='#/tasks']").click()
    card = mine.locator("article").filter(has_text=f"#{trip['number']}")
    expect(card).to_contain_text(says["name"])
    expect(card).not_to_contain_text(says["why"])
    assert widths_overflow(worker.page) == 0
    for step in phone_says["steps"]:
        card.get_by_role("button", name=step, exact=True).click()
    expect(card).to_have_count(0)
    worker.page.locator(".f-bar a[href='#/messages']").click()
    expect(worker.page.locator("main")).to_contain_text(phone_says["told"])

    # The desk sees that they are home.
    expect(detail.locator("header")).to_contain_text(says["home"], timeout=30_000)
    assert house.read(f"/trips/{trip['id']}", role="desk")["status"] == "HOME"
    device.close()
    desk.close()


@pytest.mark.parametrize(("language", "name"), [("zh", "演司甲")])
def test_steps_without_a_network(house: House, browser: Browser, language: str, name: str) -> None:
    """No network between the door and the hospital; one of two trips is meanwhile given to somebody else."""
    says = PHONE_SAYS[language]
    grid = house.read("/grids", role="desk", level="SMALL")["items"][0]
    code = house.muster("enrol-code", "--grid", grid["code"], "--worker", name).split()[0]
    device = phone(browser, language)
    worker = FieldPhone(device.page(), language)
    worker.enrol(f"{house.origin}/field/?code={code}")
    worker.is_offline_ready()
    worker.page.locator(".f-bar a[href='#/tasks']").click()
    expect(worker.page.locator(".f-page").first).to_be_visible()
    with house.client("desk") as api:
        mine, other = (
            api.post("/trips", json={"who": who, "grid": grid["id"], "place": "2号楼"}).json()
            for who in ("王阿姨", "李大爷")
        )
        near = until(
            lambda: [
                one["id"]
                for one in api.get(f"/trips/{mine['id']}/drivers").json()["items"]
                if one["name"] == name
            ],
            what="the worker can be asked", seconds=30,
        )  # fmt: skip
        for trip in (mine, other):
            api.post(f"/trips/{trip['id']}/transport", json={"transport": "VEHICLE", "driver": near[0]})
    region = worker.page.get_by_role("region", name=says["mine"])
    card = region.locator("article").filter(has_text=f"#{mine['number']}")
    expect(card).to_have_count(1, timeout=30_000)

    device.deaf = True  # the browser's own complaint about the network
    device.context.set_offline(True)
    worker.page.reload()  # the battery was changed: the trips are on the phone
    expect(region.locator("article")).to_have_count(2)
    for step in says["steps"][:2]:
        card.get_by_role("button", name=step, exact=True).click()
    expect(card.get_by_role("button", name=says["steps"][2], exact=True)).to_be_visible()
    assert axe_violations(worker.page) == []
    assert widths_overflow(worker.page) == 0
    worker.expect_unsent(2)
    assert house.read(f"/trips/{mine['id']}", role="desk")["status"] == "PLANNED", (
        "nobody has heard of it yet"
    )
    with house.client("desk") as api:
        api.post(f"/trips/{other['id']}/transport", json={"transport": "VEHICLE", "vehicle": "社区的车"})

    device.context.set_offline(False)
    worker.expect_sent()
    until(
        lambda: house.read(f"/trips/{mine['id']}", role="desk")["status"] == "THERE",
        what="the desk hears that they are there", seconds=60,
    )  # fmt: skip
    gone = region.get_by_role("status").filter(has_text=f"#{other['number']}")
    expect(gone).to_contain_text(says["gone"], timeout=60_000)
    expect(region.locator("article")).to_have_count(1)
    for step in says["steps"][2:]:
        card.get_by_role("button", name=step, exact=True).click()
    until(
        lambda: house.read(f"/trips/{mine['id']}", role="desk")["status"] == "HOME",
        what="the desk hears that they are home", seconds=60,
    )  # fmt: skip
    device.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
