# SPDX-License-Identifier: Apache-2.0
"""A list of persons comes in at the desk: seen first, good rows written, bad ones returned, taken back."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
import xlsxwriter
from playwright.sync_api import Browser, expect
from python_calamine import CalamineWorkbook

from tests.support.browser import DESK, Watched, axe_violations
from tests.support.desk import sit_down
from tests.support.house import House

pytestmark = [pytest.mark.browser]
NEW = ("查新一", "查新二", "查新三")
# The template's columns in their order, up to the last that this list fills in.
COLUMNS = (
    "name", "id_number", "phone", "community", "compound", "building", "unit", "room", "address", "household",
    "born",
)  # fmt: skip


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def listed(house: House) -> tuple[list[str], list[dict[str, str]]]:
    """The desk's own export: the words over its columns, and its rows by our short names."""
    with house.client("desk") as api:
        answer = api.get("/exports/persons.csv")
    assert answer.status_code == 200
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    return head, [dict(zip(COLUMNS, row, strict=False)) for row in rows]


def count_of(house: House, name: str) -> int:
    told = house.read("/register/persons", role="desk", q=name)
    return len(told["items"])


def make_list(path: Path, head: list[str], like: dict[str, str], double: dict[str, str]) -> None:
    """Three who are new, one whose telephone and birthday cannot be, one who is here already."""
    rows = [
        {**where(like), "name": name, "phone": f"1600990{n:04d}", "born": "1970-02-03"}
        for n, name in enumerate(NEW)
    ]
    rows.append({**where(like), "name": "查错", "phone": "12", "born": "1980-13-45"})
    rows.append({**where(double), "name": double["name"], "phone": double["phone"]})
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, head[: len(COLUMNS)])
        for at, row in enumerate(rows, start=1):
            sheet.write_row(at, 0, [row.get(name, "") for name in COLUMNS])


def where(row: dict[str, str]) -> dict[str, str]:
    return {name: row[name] for name in ("community", "compound", "building", "unit", "room", "address")}


def test_a_list_is_seen_written_and_taken_back(house: House, browser: Browser, tmp_path: Path) -> None:
    head, before = listed(house)
    one, *_, other = [row for row in before if row["phone"] and row["unit"]]
    make_list(tmp_path / "list.xlsx", head, one, other)

    desk = Watched(browser, size=DESK, language="zh", accept_downloads=True)
    page = desk.page()
    sit_down(page, house, "desk")
    page.goto(f"{house.origin}/desk/transfer")
    page.locator("input[type=file]").set_input_files(tmp_path / "list.xlsx")
    page.get_by_role("button", name="上传检查").click()

    # Seen first: nothing has changed yet.
    commit = page.get_by_role("button", name="导入", exact=False).filter(has_text="行")
    expect(commit).to_be_enabled()
    expect(page.get_by_text("共 5 行")).to_be_visible()
    expect(page.get_by_text("1 行有误", exact=False)).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="查错")).to_contain_text("有误")
    expect(page.get_by_text("台账里", exact=True)).to_be_visible()
    assert axe_violations(page) == []
    assert [count_of(house, name) for name in NEW] == [0, 0, 0]

    # What is wrong comes back with its cure.
    with page.expect_download() as download:
        page.get_by_role("button", name="下载批注后的表").click()
    report = CalamineWorkbook.from_path(download.value.path()).get_sheet_by_index(0).to_python()
    assert any("查错" in map(str, row) for row in report)

    # Written, then taken back.
    commit.click()
    undo = page.get_by_role("button", name="撤回这次导入")
    expect(undo).to_be_visible(timeout=60_000)
    assert [count_of(house, name) for name in NEW] == [1, 1, 1]
    assert count_of(house, "查错") == 0
    undo.click()
    expect(undo).to_be_hidden(timeout=60_000)
    expect(page.get_by_text("导入已撤销").first).to_be_visible(timeout=60_000)
    assert [count_of(house, name) for name in NEW] == [0, 0, 0]
    assert len(listed(house)[1]) == len(before)
    desk.close()


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
