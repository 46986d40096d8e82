# SPDX-License-Identifier: Apache-2.0
"""A worker's walk in a real browser: the network goes, the server dies, the page closes; nothing is lost."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.web.built import WEB, built

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
KINDS = "testing_round,door_register,health_kit"


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> Path:
    """A copy of the built app, so that a test can put a newer one in its place."""
    return Path(shutil.copytree(built("field"), tmp_path_factory.mktemp("pages") / "field"))


@pytest.fixture(scope="module")
def address(pages) -> Iterator[str]:
    """A pretend server with a made-up grid."""
    script = WEB / "apps" / "field" / "dev" / "serve.py"
    command = [sys.executable, str(script), "--port", "0", "--kinds", KINDS, "--built", str(pages)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            said = server.stdout.readline()
            yield re.match(r"(http://[\d.:]+)/", said)[1]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def page(browser, address):
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, locale="zh-CN", is_mobile=True, has_touch=True
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    context.close()


def enrol(page, address: str) -> None:
    page.goto(f"{address}/field/?code=AAAA-0001")
    page.click("button[type=submit]")
    page.wait_for_selector(".f-door-row")


def record_first(page) -> str:
    """Open the first door that is left and tap the first outcome; the door's name."""
    page.locator(".f-door-row").first.click()
    page.wait_for_selector(".f-line .f-keys")
    name = page.locator(".f-sheet-head h2").first.inner_text()
    page.locator(".f-line .f-keys .f-key").first.click()
    page.wait_for_selector(".f-said")
    page.locator(".f-sheet-head .f-icon-button").first.click()
    page.wait_for_selector(".f-sheet", state="hidden")
    return name


def switch(address: str, state: str) -> None:
    with urlopen(f"{address}/dev/{state}", data=b"") as answer:
        answer.read()


def strip(page) -> str:
    return page.locator(".f-strip-state").inner_text()


def test_app_opens_with_the_server_dead_and_sends_by_itself_when_it_returns(page, address):
    enrol(page, address)
    page.wait_for_function(CONTROLLED)
    switch(address, "down")
    try:
        record_first(page)
        page.wait_for_function("document.querySelector('.f-strip-state').dataset.tone === 'attention'")
        page.reload()
        page.wait_for_selector(".f-door-row")

        assert "1" in strip(page)
    finally:
        switch(address, "up")

    page.wait_for_function("document.querySelector('.f-strip-state').dataset.tone === 'done'", timeout=30_000)
    page.goto(f"{address}/field/#/me")
    page.wait_for_selector(".f-counts")
    counts = page.locator(".f-counts dd").all_inner_texts()
    assert (counts[0], int(counts[1]) + int(counts[2])) == ("0", 1)
    assert page.errors == []


def test_network_cut_in_the_middle_loses_nothing(page, address):
    enrol(page, address)
    before = page.locator(".f-today-left").inner_text()
    page.context.set_offline(True)
    names = [record_first(page) for _ in range(3)]
    page.wait_for_function("document.querySelector('.f-strip-state').textContent.includes('3')")
    page.context.set_offline(False)
    page.wait_for_function("document.querySelector('.f-strip-state').dataset.tone === 'done'", timeout=30_000)

    assert len(names) == 3
    assert page.locator(".f-today-left").inner_text() != before
    assert page.errors == []


def test_unsent_records_survive_an_update(page, address, pages):
    enrol(page, address)
    page.wait_for_function(CONTROLLED)
    switch(address, "deaf")
    try:
        record_first(page)
        worker = pages / "sw.js"
        newer = re.sub(r"muster-field-(?=[0-9a-f])", "muster-field-f", worker.read_text())
        worker.write_text(newer)
        page.evaluate("navigator.serviceWorker.getRegistration('/field/').then((r) => r.update())")
        page.goto(f"{address}/field/#/me")
        page.wait_for_selector(".f-card .f-button[data-kind=main]")
        page.locator(".f-card .f-button[data-kind=main]").click()
        page.wait_for_function(
            "caches.keys().then((names) => names.every((n) => n.startsWith('muster-field-f')))"
        )
        page.wait_for_selector(".f-counts")

        assert page.locator(".f-counts dd").first.inner_text() == "1"
    finally:
        switch(address, "up")

    page.get_by_text("现在上传").click()
    page.wait_for_function("document.querySelector('.f-counts dd').textContent === '0'", timeout=30_000)
    assert page.errors == []


def test_what_the_browser_keeps_holds_no_name(page, address):
    enrol(page, address)
    page.context.set_offline(True)
    page.locator(".f-door-row").first.click()
    page.locator(".f-door-act").first.click()
    page.fill("#found-name", "CANARYNAME")
    page.locator(".f-sheet:visible .f-save").last.click()
    page.wait_for_selector(".f-said")
    listed = page.evaluate(LISTED_NAME)

    stored = page.evaluate(ALL_STORED)

    assert "person.found" in stored
    assert len(stored) > 10_000
    assert "CANARYNAME" not in stored
    assert listed
    assert not [name for name in listed if name in stored]


def test_back_key_closes_the_sheet_and_not_the_page(page, address):
    enrol(page, address)
    page.locator(".f-door-row").first.click()
    page.wait_for_selector(".f-door")
    page.locator(".f-door-act").nth(3).click()
    page.wait_for_selector("textarea")

    page.go_back()
    page.wait_for_selector("textarea", state="hidden")
    assert page.locator(".f-door").count() == 1

    page.go_back()
    page.wait_for_selector(".f-door", state="hidden")
    assert page.locator(".f-door-row").count() > 0


def test_touch_targets_are_large_enough(page, address):
    enrol(page, address)
    page.locator(".f-door-row").first.click()
    page.wait_for_selector(".f-door")
    page.wait_for_timeout(400)

    small = page.evaluate(SMALL_TARGETS)

    assert small == []


@pytest.mark.parametrize("lang", ["zh-CN", "en-GB"])
def test_nothing_stands_out_to_the_side_at_360_pixels(browser, address, lang):
    context = browser.new_context(viewport={"width": 360, "height": 740}, locale=lang, is_mobile=True)
    page = context.new_page()
    enrol(page, address)

    for place in ("today", "tasks", "messages", "me"):
        page.goto(f"{address}/field/#/{place}")
        page.wait_for_timeout(150)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, place
    context.close()


def test_screens_are_clean_for_axe(page, address):
    axe = WEB / "node_modules" / "axe-core" / "axe.min.js"
    if not axe.exists():
        pytest.skip("the web packages are not installed: python tools/build_pages.py")
    page.goto(f"{address}/field/?code=AAAA-0001")
    page.wait_for_selector(".f-enrol")
    faults = {"enrol": axe_faults(page, axe)}
    enrol(page, address)
    for place in ("today", "tasks", "messages", "me"):
        page.goto(f"{address}/field/#/{place}")
        page.wait_for_timeout(200)
        faults[place] = axe_faults(page, axe)
    page.goto(f"{address}/field/#/today")
    page.locator(".f-door-row").first.click()
    page.wait_for_selector(".f-door")
    page.wait_for_timeout(400)
    faults["door"] = axe_faults(page, axe)

    assert [f"{place}: {fault}" for place, found in faults.items() for fault in found] == []


@pytest.mark.parametrize(
    ("lacks", "shown", "hidden"),
    [
        (
            "delete window.indexedDB; Object.defineProperty(window, 'indexedDB', {value: undefined})",
            "floor",
            "insecure",
        ),
        ("Object.defineProperty(window, 'isSecureContext', {value: false})", "insecure", "floor"),
    ],
)
def test_page_below_the_floor_says_how_to_go_on(browser, address, lacks, shown, hidden):
    context = browser.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.add_init_script(lacks)
    page.goto(f"{address}/field/")

    page.wait_for_selector(f"#{shown}", state="visible")
    assert not page.locator(f"#{hidden}").is_visible()
    assert not page.locator(".f-enrol").count()
    context.close()


def test_refused_code_is_answered_in_words_with_a_cure(page, address):
    page.goto(f"{address}/field/?code=ZZZZ-0001")
    page.click("button[type=submit]")
    page.wait_for_selector("[role=alert]")
    assert "用过了" in page.locator("[role=alert]").inner_text()

    page.fill("#enrol-code", "abc")
    page.click("button[type=submit]")
    assert "8 位" in page.locator("[role=alert]").inner_text()


def test_handed_over_phone_knows_nobody_of_the_grid(page, address):
    enrol(page, address)
    page.goto(f"{address}/field/#/me")
    page.locator(".f-button[data-kind=danger]").last.click()
    page.fill("#hand-name", "李晓燕")
    page.locator(".f-sheet:visible .f-button[data-kind=danger]").click()
    page.wait_for_selector(".f-enrol")

    stored = page.evaluate("indexedDB.databases().then((all) => all.length)")
    rows = page.evaluate(COPY_ROWS)

    assert stored == 2
    assert rows == 0


def axe_faults(page, axe: Path) -> list[str]:
    page.add_script_tag(path=str(axe))
    answer = page.evaluate("axe.run(document).then((r) => JSON.stringify(r.violations))")
    return [f"{fault['id']}: {fault['nodes'][0]['html'][:120]}" for fault in json.loads(answer)]


CONTROLLED = "navigator.serviceWorker.ready.then(() => navigator.serviceWorker.controller !== null)"

COPY_ROWS = """new Promise((done) => {
  const opening = indexedDB.open('muster-field-copy')
  opening.onsuccess = () => {
    const counting = opening.result.transaction('pages').objectStore('pages').count()
    counting.onsuccess = () => done(counting.result)
  }
})"""

ONLY_NEWER = "caches.keys().then((all) => all.every((name) => name.startsWith('muster-field-f')))"

SMALL_TARGETS = """[...document.querySelectorAll('button, a')].filter((x) => x.offsetParent).map((one) => {
  const { width, height } = one.getBoundingClientRect()
  return [one.className, Math.round(width), Math.round(height)]
}).filter(([, width, height]) => width < 48 || height < 48)"""

# The names as they stand at the open door, in full.
LISTED_NAME = """[...document.querySelectorAll('.f-line-name')]
  .map((one) => one.textContent.trim()).filter((name) => name.length > 1)"""

ALL_STORED = """(async () => {
  const latin = new TextDecoder('latin1'), utf8 = new TextDecoder(), parts = []
  const spell = (value) => JSON.stringify(value, (key, one) => {
    if (one instanceof ArrayBuffer) one = new Uint8Array(one)
    return ArrayBuffer.isView(one) ? latin.decode(one) + utf8.decode(one) : one
  })
  for (const { name } of await indexedDB.databases()) {
    const base = await new Promise((done) => {
      const r = indexedDB.open(name); r.onsuccess = () => done(r.result)
    })
    for (const store of base.objectStoreNames) {
      const rows = await new Promise((done) => {
        const r = base.transaction(store).objectStore(store).getAll(); r.onsuccess = () => done(r.result)
      })
      parts.push(...rows.map(spell))
    }
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name)
    for (const key of await cache.keys()) parts.push(key.url)
  }
  parts.push(JSON.stringify(localStorage), JSON.stringify(sessionStorage))
  return parts.join('\\n')
})()"""
