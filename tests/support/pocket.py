# SPDX-License-Identifier: Apache-2.0
"""A phone's browser that can be killed like a phone: its own process, its own disk."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, Playwright
from playwright.sync_api import Error as PlaywrightError

from tests.support.browser import ARGUMENTS, PHONE, chromium_path

# All facts of this browser's outbox, as they stand on its disk.
FACTS = """new Promise((done, fail) => {
  const opening = indexedDB.open('muster-field')
  opening.onerror = () => fail(opening.error)
  opening.onsuccess = () => {
    const base = opening.result
    const asking = base.transaction('facts').objectStore('facts').getAll()
    asking.onsuccess = () => {
      base.close()
      done(asking.result.map(({ device, seq, id, kind, status }) => ({ device, seq, id, kind, status })))
    }
  }
})"""


class Pocket:
    """Playwright closes what it starts with care; this one is started by hand so that it can die."""

    def __init__(self, playwright: Playwright, profile: Path) -> None:
        self.playwright, self.profile = playwright, profile
        self.browser: Browser | None = None
        self.switch_on()

    def switch_on(self) -> None:
        port = self.profile / "DevToolsActivePort"
        port.unlink(missing_ok=True)
        for lock in self.profile.glob("Singleton*"):
            lock.unlink()
        width, height = PHONE["width"], PHONE["height"]
        self.process = subprocess.Popen(
            [
                chromium_path(), *ARGUMENTS, "--headless=new", "--remote-debugging-port=0",
                "--no-first-run", "--accept-lang=zh-CN,zh",
                f"--window-size={width},{height}", f"--user-data-dir={self.profile}",
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + 30
        while not (port.exists() and "\n" in port.read_text()):
            assert time.monotonic() < end, "the browser does not open its port"
            time.sleep(0.05)
        address = f"http://127.0.0.1:{port.read_text().splitlines()[0]}"
        self.browser = self.playwright.chromium.connect_over_cdp(address)
        self.context.set_default_timeout(30_000)

    @property
    def context(self) -> BrowserContext:
        assert self.browser is not None
        return self.browser.contexts[0]

    def page(self) -> Page:
        return self.context.new_page()

    def facts(self, page: Page) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = page.evaluate(FACTS)
        return told

    def renderers(self) -> list[int]:
        """Processes that run pages of this browser."""
        found = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                with suppress(OSError):
                    line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                    if "--type=renderer" in line and os.getpgid(int(folder.name)) == self.process.pid:
                        found.append(int(folder.name))
        return found

    def switched_off(self) -> None:
        """Closed with care, as at the end of a day: what the browser keeps of itself is on its disk."""
        assert self.browser is not None
        with suppress(PlaywrightError):
            self.browser.new_browser_cdp_session().send("Browser.close")
        self.process.wait(20)
        self.browser = None

    def battery_out(self) -> None:
        """Every process of it dies in this instant; the disk stays as it is."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        with suppress(PlaywrightError):
            if self.browser:
                self.browser.close()
        self.browser = None


def wrong_clock(days: float) -> str:
    """A script that turns a page's clock; the server's stays as it is."""
    shift = int(days * 86_400_000)
    return re.sub(
        r"\s+",
        " ",
        f"""(() => {{ const Real = Date; const shift = {shift};
        class Turned extends Real {{
          constructor(...given) {{ given.length ? super(...given) : super(Real.now() + shift) }}
          static now() {{ return Real.now() + shift }} }}
        window.Date = Turned }})()""",
    )
