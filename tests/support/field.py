# SPDX-License-Identifier: Apache-2.0
"""The field app as a worker's thumb finds it: where to tap and what is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, Response, expect

SAYS: dict[str, dict[str, str]] = {
    "zh": {
        "enrol": "领用",
        "left": r"^还差 ([\d,]+) 户、([\d,]+) 人$",
        "left_doors": r"^还差 ([\d,]+) 户$",
        "nobody": "名单上没有人",
        "no_answer": "没人应门",
        "no_result": "还没有结果",
        "all_sent": r"^全部已上传 \d\d:\d\d$",
        "unsent": r"还有 {n} 条没上传",
        "offline": "没有网络也能登记，联网后自动上传",
        "found": "登记新人",
        "history": "经过",
        "undo": "撤销",
        "undone": "已撤销",
        "save": "保存",
        "close": "关闭",
        "chat": "复制到群",
        "copy": "复制",
        "name": "姓名",
        "me": "我的",
        "today": "今日",
    },
    "en": {
        "enrol": "Start",
        "left": r"^([\d,]+) \w+, ([\d,]+) \w+ to do$",
        "left_doors": r"^([\d,]+) \w+ to do$",
        "nobody": "nobody on the list",
        "no_answer": "No answer",
        "no_result": "no result yet",
        "all_sent": r"^All sent \d\d:\d\d$",
        "unsent": r"{n} records? not sent yet",
        "offline": "You can record without network; it sends by itself later",
        "found": "New person",
        "history": "History",
        "undo": "Undo",
        "undone": "Taken back",
        "save": "Save",
        "close": "Close",
        "chat": "Copy for chat",
        "copy": "Copy",
        "name": "Name",
        "me": "Me",
        "today": "Today",
    },
}
SENDS_MS = 90_000


class FieldPhone:
    """One page of the field app in one language."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.says = SAYS[language]
        self.listed: list[dict[str, Any]] = []
        page.on("response", self._overhear)

    def _overhear(self, answer: Response) -> None:
        if "/sync/v1/pull" in answer.url and answer.status == 200:
            # The page may be gone before its last answer was looked at.
            with suppress(PlaywrightError):
                self.listed += answer.json()["persons"]

    def enrol(self, url: str) -> None:
        self.page.goto(url)
        self.page.get_by_role("button", name=self.says["enrol"], exact=True).click()
        expect(self.page.locator(".f-today-left")).to_be_visible()

    def is_offline_ready(self) -> None:
        """The service worker stands: from now on the app opens without anybody answering."""
        self.page.evaluate("navigator.serviceWorker.ready.then(() => true)")

    @property
    def strip(self) -> Locator:
        return self.page.locator(".f-strip-state")

    def left(self) -> tuple[int, ...]:
        """The numbers of "who is left"."""
        words = self.page.locator(".f-today-left").inner_text()
        found = re.match(self.says["left"], words) or re.match(self.says["left_doors"], words)
        assert found, words
        return tuple(int(n.replace(",", "")) for n in found.groups())

    @property
    def untouched(self) -> Locator:
        """Doors with somebody on the list and no result yet."""
        listed = self.page.locator(".f-door-row").filter(has_not_text=self.says["nobody"])
        return listed.filter(has_text=self.says["no_result"])

    def expect_sent(self) -> None:
        expect(self.strip).to_have_text(re.compile(self.says["all_sent"]), timeout=SENDS_MS)

    def expect_unsent(self, count: int) -> None:
        expect(self.strip).to_contain_text(re.compile(self.says["unsent"].format(n=count)))

    @contextmanager
    def door(self, row: Locator) -> Iterator[Locator]:
        """An open door's sheet; closed afterwards with the sheet's own cross."""
        row.click()
        sheet = self.page.locator(".f-sheet-tall")
        expect(sheet.locator(".f-door")).to_be_visible()
        yield sheet
        sheet.locator(".f-sheet-head").get_by_label(self.says["close"]).click()
        expect(sheet).to_be_hidden()

    def hush(self) -> None:
        """Closes what was said before, so that it is not taken for an answer to what comes now."""
        said = self.page.locator(".f-said")
        with suppress(PlaywrightError):
            if said.is_visible():
                said.get_by_label(self.says["close"]).click(timeout=2_000)

    def nobody_answers(self, sheet: Locator) -> int:
        """One tap for everybody behind the door; answers how many records that makes."""
        people = sheet.locator(".f-line-head").count()
        self.hush()
        sheet.locator(".f-at-door").get_by_role("button", name=self.says["no_answer"], exact=True).click()
        expect(self.page.locator(".f-said")).to_contain_text(self.says["no_answer"])
        return people

    def find_person(self, sheet: Locator, name: str) -> None:
        sheet.get_by_role("button", name=self.says["found"], exact=True).click()
        self.page.locator("#found-name").fill(name)
        self.page.locator(".f-sheet:not(.f-sheet-tall)").get_by_role(
            "button", name=self.says["save"], exact=True
        ).click()
        expect(self.page.locator(".f-said")).to_contain_text(name)

    def go(self, tab: str) -> None:
        self.page.locator(".f-bar").get_by_role("link", name=self.says[tab], exact=True).click()

    def counts(self) -> Locator:
        """本机 · 已上传 · 已回执, on the page "me"."""
        return self.page.locator(".f-counts dd")
