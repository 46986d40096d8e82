# SPDX-License-Identifier: Apache-2.0
"""A real Chromium for the journeys, and a page that remembers every complaint it made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Playwright

from tests.conftest import REPOSITORY

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
)
WAIT_MS = 30_000
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1440, "height": 900}
WALL = {"width": 1920, "height": 1080}
LOCALES = {"zh": "zh-CN", "en": "en-GB"}
AXE = REPOSITORY / "web" / "node_modules" / "axe-core" / "axe.min.js"
PAGES = REPOSITORY / "src" / "muster" / "static" / "app"


def missing(what: str, need: str = "browser") -> None:
    """Skips with a word; fails where this is said to be required."""
    if need in os.environ.get("MUSTER_REQUIRE", "").split(","):
        pytest.fail(what)
    pytest.skip(what)


def chromium_path() -> str:
    found = next((path for path in map(shutil.which, CHROMIUM) if path), None)
    if found is None:
        missing("no Chromium on this machine")
    assert found is not None
    return found


def pages_are_built() -> None:
    for app in ("field", "desk", "command", "welcome"):
        if not (PAGES / app / "index.html").exists():
            missing(f"the {app} pages are not built: python tools/build_pages.py")


def launch(playwright: Playwright, *more: str, program: Path | None = None) -> Browser:
    return playwright.chromium.launch(executable_path=program or chromium_path(), args=[*ARGUMENTS, *more])


class Watched:
    """A browser context whose pages must not complain: errors of scripts, of the console, broken answers."""

    def __init__(self, browser: Browser, *, size: dict[str, int], language: str, **options: Any) -> None:
        self.complaints: list[str] = []
        self.deaf = False
        self.context: BrowserContext = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            locale=LOCALES[language],
            timezone_id="Asia/Shanghai",
            **options,
        )
        self.context.set_default_timeout(WAIT_MS)
        self.context.on("console", self._heard)
        self.context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))

    def _heard(self, message: ConsoleMessage) -> None:
        # While the plug is pulled the browser says so itself, in its own words; nothing else is forgiven.
        if self.deaf and "Failed to load resource: net::ERR_" in message.text:
            return
        if message.type == "error":
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def page(self) -> Page:
        return self.context.new_page()

    def close(self) -> None:
        self.context.close()
        assert self.complaints == [], "\n".join(self.complaints)


def phone(browser: Browser, language: str, **options: Any) -> Watched:
    return Watched(
        browser, size=PHONE, language=language, has_touch=True, is_mobile=True,
        permissions=["clipboard-read", "clipboard-write"], **options,
    )  # fmt: skip


def axe_violations(page: Page, *, within: str | None = None) -> list[str]:
    """Serious and critical findings of axe-core on what stands on the screen."""
    if not AXE.exists():
        missing("axe-core is not installed: python tools/build_pages.py")
    if not page.evaluate("typeof window.axe === 'object'"):
        # The pages' own policy forbids foreign scripts; the test speaks through the debugger instead.
        page.evaluate(AXE.read_text())
    # What is on its way from one colour to another has neither; what never rests is not waited for.
    page.evaluate(
        """() => Promise.race([
             Promise.all((document.getAnimations?.() ?? []).map((one) => one.finished.catch(() => 0))),
             new Promise((done) => setTimeout(done, 1000)),
           ]).then(() => true)"""
    )
    found = page.evaluate(
        """async (within) => (await axe.run(within ?? document, {
             runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'],
           })).violations
             .filter((v) => v.impact === 'serious' || v.impact === 'critical')
             .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(' | ')}`)""",
        within,
    )
    return [str(one) for one in found]


def shown_text(page: Page) -> str:
    return page.locator("body").inner_text()


def take_picture(page: Page, folder: Path, name: str) -> None:
    """A picture for a person to look at, when a folder for it is named."""
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png")


def widths_overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def wire_bytes(sizes: Sequence[dict[str, Any]]) -> int:
    return sum(int(one.get("encodedDataLength", 0)) for one in sizes)
