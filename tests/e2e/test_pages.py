# SPDX-License-Identifier: Apache-2.0
"""What every page owes: readable with a screen reader, light on an old phone's line."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from tests.support.browser import PHONE, Watched, axe_violations, phone
from tests.support.desk import sit_down
from tests.support.desk_pages import desk_paths, faults_on, go_to
from tests.support.field import FieldPhone
from tests.support.house import House

pytestmark = [pytest.mark.browser]
FIELD_MOST, RESIDENT_MOST = 200_000, 30_000


@pytest.fixture(scope="module")
def house(open_house: Callable[..., House]) -> House:
    return open_house("generated")


def weigh(browser: Browser, address: str) -> int:
    """Bytes on the wire until the page has shown itself and is quiet, with an empty cache."""
    device = phone(browser, "zh", service_workers="block")
    page = device.page()
    wire = device.context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[int] = []
    wire.on("Network.loadingFinished", lambda told: sizes.append(int(told["encodedDataLength"])))
    page.goto(address, wait_until="networkidle")
    device.close()
    return sum(sizes)


def test_first_loads_are_light(house: House, browser: Browser) -> None:
    field = weigh(browser, f"{house.origin}/field/")
    resident = weigh(browser, f"{house.origin}/")
    assert 0 < field <= FIELD_MOST
    assert 0 < resident <= RESIDENT_MOST


@pytest.mark.parametrize(("language", "code"), [("zh", 0), ("en", 1)])
def test_a_phone_can_be_used_by_ear(house: House, browser: Browser, language: str, code: int) -> None:
    device = phone(browser, language)
    worker = FieldPhone(device.page(), language)
    worker.page.goto(f"{house.origin}/field/?code={house.demo['enrol_codes'][code]}")
    expect(worker.page.get_by_role("button", name=worker.says["enrol"], exact=True)).to_be_visible()
    assert axe_violations(worker.page) == []
    worker.enrol(worker.page.url)
    assert axe_violations(worker.page) == []
    with worker.door(worker.untouched.first):
        worker.page.wait_for_timeout(400)
        assert axe_violations(worker.page) == []
    worker.go("me")
    assert axe_violations(worker.page) == []
    device.close()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_of_the_desk_fits_a_phone_and_speaks(
    house: House, browser: Browser, language: str
) -> None:
    desk = Watched(browser, size=PHONE, language=language)
    page = desk.page()
    sit_down(page, house, "street")
    page.goto(f"{house.origin}/desk/")
    page.reload()
    page.evaluate(f"localStorage.setItem('muster.language', '{language}')")
    found: dict[str, list[str]] = {}

    for path in desk_paths(house):
        go_to(page, path)
        if faults := faults_on(page):
            found[path] = faults

    assert found == {}
    desk.close()


def test_faults_of_a_page_would_be_found(browser: Browser) -> None:
    """Negative control: too wide, a key for a sentence, a nameless button, a frame that hides its end."""
    desk = Watched(browser, size=PHONE, language="en")
    page = desk.page()
    page.set_content(
        "<main><h1>inbox.kind.other</h1><button></button><p style='width: 500px'>x</p>"
        "<div style='overflow: auto; width: 100px'><p style='width: 300px'>x</p></div></main>"
    )
    told = " ".join(faults_on(page))
    assert all(word in told for word in ("wider by", "a key: inbox.kind.other", "no name", "scrolls unsaid"))
    desk.close()


def test_a_nameless_button_would_be_found(browser: Browser) -> None:
    """Negative control."""
    device = phone(browser, "en")
    page = device.page()
    page.set_content("<html lang=en><title>x</title><main><h1>x</h1><button></button></main></html>")
    assert [one for one in axe_violations(page) if one.startswith("button-name")]
    device.close()
