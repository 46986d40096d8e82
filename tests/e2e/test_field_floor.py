# SPDX-License-Identifier: Apache-2.0
"""The oldest browser promised, Chromium 79, itself: a worker's day in it, the battery out in the middle."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY
from tests.support.browser import pages_are_built
from tests.support.floor import FloorBrowser
from tests.support.pocket import FACTS
from tests.support.pretend import Pretend

pytestmark = [pytest.mark.browser]
SHOWN = "document.querySelector('.f-today-left')"
TONE = "document.querySelector('.f-strip-state').dataset.tone"
UNSENT = "document.querySelector('.f-strip-state').textContent"


@pytest.fixture(scope="module")
def program() -> Path:
    pages_are_built()
    sys.path.insert(0, str(REPOSITORY / "tools"))
    try:
        from floor_browser import PROGRAM, BuildError, fetch
    finally:
        sys.path.pop(0)
    if not PROGRAM.exists() and os.environ.get("CI") != "true":
        pytest.skip("the browser of the support floor is not here: python tools/floor_browser.py (42 MB)")
    try:
        return fetch()
    except BuildError as absent:
        pytest.skip(f"the browser of the support floor cannot be had: {absent}")


@pytest.fixture
def server() -> Iterator[Pretend]:
    made = Pretend("--people", "2500", "--kinds", "testing_round", "--real")
    yield made
    made.stop()


@pytest.fixture
def old(program: Path, tmp_path: Path) -> Iterator[FloorBrowser]:
    made = FloorBrowser(program, tmp_path / "profile")
    yield made
    made.kill()


def type_pin(old: FloorBrowser, pin: str) -> None:
    for digit in pin:
        old.tap(".f-pin-key", digit)


def visit(old: FloorBrowser) -> None:
    old.tap(".f-door-row")
    old.wait("document.querySelector('.f-at-door button')")
    old.ask("new Promise((later) => setTimeout(later, 400))")
    old.tap(".f-at-door button")
    old.wait("document.querySelector('.f-said')")
    # Put away, so that the next word on the screen is about the next act.
    old.tap(".f-said-close")
    old.wait("!document.querySelector('.f-said')")
    old.tap(".f-sheet-head .f-icon-button")
    old.wait("![...document.querySelectorAll('.f-sheet')].some((one) => one.offsetParent)")


def test_a_day_in_chromium_79(server: Pretend, old: FloorBrowser) -> None:
    assert old.version.split("/")[1].startswith("79.")
    assert not old.ask("'structuredClone' in window || 'durability' in IDBTransaction.prototype")
    old.goto(server.url())
    old.tap("button[type=submit]")
    old.wait("document.querySelector('.f-pin')")
    type_pin(old, "270914")
    old.wait("document.querySelector('.f-pin-page h1').textContent === '再输一次'")
    type_pin(old, "270914")
    old.wait(SHOWN)
    visit(old)
    old.wait(f"{TONE} === 'done'")
    old.ask("navigator.serviceWorker.ready.then(() => true)")

    # The server stops in the middle of everything, and then the battery is out.
    server.freeze()
    visit(old)
    old.kill()
    old.start()
    old.goto(f"{server.origin}/field/")
    old.wait("document.querySelector('.f-pin')")
    type_pin(old, "270914")
    old.wait(SHOWN)
    assert "没上传" in old.wait(f"{TONE} === 'attention' && {UNSENT}")
    # This browser cannot promise that a write survives: it says so, and sends sooner.
    old.ask("location.hash = '#/me'")
    assert "浏览器不保证" in old.wait(
        "document.querySelector('.f-facts') && document.querySelector('.f-page').innerText"
    )
    server.thaw()
    old.wait("document.querySelector('.f-counts dd').textContent === '0'", seconds=60)
    facts = old.ask(FACTS)
    assert len(facts) >= 2
    server.holds_exactly(facts)
    assert old.complaints == []


def test_below_the_floor_the_page_says_the_cure(server: Pretend, old: FloorBrowser) -> None:
    old.send(
        "Page.addScriptToEvaluateOnNewDocument",
        source="delete HTMLScriptElement.prototype.noModule; delete Array.prototype.flatMap",
    )
    old.goto(server.url())
    assert "浏览器太旧" in old.wait("document.querySelector('#floor:not([hidden])').innerText")
    assert old.ask("document.querySelector('#app').children.length") == 0
