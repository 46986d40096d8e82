# SPDX-License-Identifier: Apache-2.0
"""A round on paper and as a spreadsheet: printed, filled in, typed in by key, brought back, taken back."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from muster.sheets.columns import COLUMNS
from tests.support.browser import DESK, PHONE, Watched, axe_violations, widths_overflow
from tests.support.desk import sit_down
from tests.support.house import House

pytestmark = [pytest.mark.browser]
AT = {column.key: place for place, column in enumerate(COLUMNS)}
SAYS = {
    "zh": {"list": "表格 XLSX", "get": "下载表格", "check": "先看看会怎样", "undo": "撤回", "away": "外出",
           "page": "第 1 页"},
    "en": {"list": "Spreadsheet", "get": "Download", "check": "See what it will do", "undo": "Take back",
           "away": "Away", "page": "page 1 of"},
}  # fmt: skip


# Of the second paper other keys: what stands there already would change nothing.
KEYS = {"zh": "14", "en": "25"}


def a_photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1700, 2300), "white").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def sat_down(desk: Watched, house: House, language: str) -> Page:
    """A grid head at the page of paper."""
    page = desk.page()
    sit_down(page, house, "grid_head")
    page.goto(f"{house.origin}/desk/")
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    grid = house.demo["logins"]["grid_head"]["grid"]
    page.goto(f"{house.origin}/desk/rounds/{house.demo['round']}?grid={grid}&tab=paper")
    return page


def filled_in(raw: bytes, word: str) -> tuple[bytes, int]:
    """Somebody not yet visited is said to be away; the row's number on the list."""
    book = openpyxl.load_workbook(io.BytesIO(raw))
    page = book.worksheets[0]
    row = next(r for r in range(2, page.max_row) if not page.cell(r, AT["outcome"] + 1).value)
    page.cell(row, AT["outcome"] + 1).value = word
    out = io.BytesIO()
    book.save(out)
    return out.getvalue(), int(page.cell(row, AT["number"] + 1).value)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_list_goes_out_as_a_file_and_comes_back(
    house: House, browser: Browser, tmp_path: Path, language: str
) -> None:
    says, before = SAYS[language], house.coverage()["equation"]
    desk = Watched(browser, size=DESK, language=language, accept_downloads=True)
    page = sat_down(desk, house, language)

    page.get_by_text(says["list"], exact=True).first.click()
    assert axe_violations(page) == []
    with page.expect_download(timeout=90_000) as download:
        page.get_by_role("button", name=says["get"]).first.click()
    raw, _ = filled_in(Path(download.value.path()).read_bytes(), says["away"])
    (tmp_path / "list.xlsx").write_bytes(raw)
    page.locator("input[type=file]").set_input_files(tmp_path / "list.xlsx")
    page.get_by_role("button", name=says["check"]).click()

    page.wait_for_url("**/paper/returns/**")
    expect(page.get_by_role("row").filter(has_text=says["away"])).to_have_count(1)
    assert house.coverage()["equation"] == before
    assert axe_violations(page) == []
    page.locator("header.head button").last.click()
    undo = page.locator("header.head").get_by_role("button", name=says["undo"], exact=True)
    expect(undo).to_be_visible()
    after = house.coverage()["equation"]
    assert after["balanced"]
    assert after["classes"]["EXPLAINED"] == before["classes"]["EXPLAINED"] + 1
    undo.click()
    expect(undo).to_be_hidden()
    assert house.coverage()["equation"]["classes"] == before["classes"]
    desk.close()


@pytest.mark.parametrize(("language", "size"), [("zh", DESK), ("en", PHONE)], ids=["zh-desk", "en-phone"])
def test_paper_is_printed_and_typed_in_by_key(
    house: House, browser: Browser, language: str, size: dict[str, int]
) -> None:
    says = SAYS[language]
    desk = Watched(browser, size=size, language=language)
    page = sat_down(desk, house, language)
    with desk.context.expect_page() as opened:
        page.locator("section.m-card button[type=submit]").first.click()
    paper = opened.value
    paper.wait_for_url("**/print", wait_until="domcontentloaded", timeout=90_000)
    expect(paper.locator("section.sheet").first).to_contain_text(says["page"])
    code = paper.url.split("/sheets/")[1].split("/")[0]
    paper.close()

    # What the camera of a phone finds on the paper leads here.
    page.goto(f"{house.origin}/s/{code}/2")
    expect(page.locator("h1")).to_contain_text(code)
    assert widths_overflow(page) == 0
    assert axe_violations(page) == []
    page.locator(".writer input").first.fill("李填表")
    page.locator(".keys").focus()
    page.keyboard.press(KEYS[language][0])
    number = page.locator(".number input")
    expect(number).to_be_focused()
    expect(number).to_have_value("3")
    number.press("Enter")
    page.keyboard.press(KEYS[language][1])
    expect(page.locator(".typing ol li")).to_have_count(2)
    photo = {"name": "paper.jpg", "mimeType": "image/jpeg", "buffer": a_photo()}
    page.locator(".photos input[type=file]").last.set_input_files([photo])  # type: ignore[list-item]
    expect(page.locator("figcaption[data-state=kept]")).to_be_visible()
    assert widths_overflow(page) == 0
    page.locator("p.acts button").first.click()

    page.wait_for_url("**/paper/returns/**")
    expect(page.get_by_text("李填表", exact=False).first).to_be_visible()
    kept = page.locator(".photos figure img")
    expect(kept).to_have_count(1)
    page.wait_for_function("() => document.querySelector('.photos figure img').naturalWidth > 0")
    assert axe_violations(page) == []
    page.locator("header.head button").last.click()
    expect(page.locator("header.head").get_by_role("button", name=says["undo"], exact=True)).to_be_visible()
    desk.close()
    back = house.read(f"/rounds/{house.demo['round']}/sheet-returns", role="desk")["items"][0]
    assert (back["channel"], back["state"]) == ("PAPER", "COMMITTED")
    assert "李填表" not in json.dumps(house.read("/inbox", role="desk"), ensure_ascii=False)


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
