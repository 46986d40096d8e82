# SPDX-License-Identifier: Apache-2.0
"""Cities are staged once a run and copied for every journey; one browser serves a worker's journeys."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect, sync_playwright

from tests.support.browser import WAIT_MS, chromium_path, launch, pages_are_built
from tests.support.house import House, stage_city

# A busy machine is slow, not wrong.
expect.set_options(timeout=WAIT_MS)

CITIES = {
    "generated": ("--people", "2000"),
    "flood": ("--people", "2000", "--scenario", "flood"),
}


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    chromium_path()
    pages_are_built()
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    browser = launch(playwright)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """staged("flood"): the folder of a staged city; workers of one run share it."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if base.name.startswith("popen-") else base

    def stage(name: str, *words: str) -> Path:
        pages_are_built()
        folder = shared / f"city-{name}"
        with (shared / f"city-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "demo.json").exists():
                stage_city(folder, *(words or CITIES[name]))
        return folder

    return stage


@pytest.fixture(scope="module")
def open_house(
    staged: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., House]]:
    """open_house("generated"): a running house in a copy of that city; all end with the module."""
    houses: list[House] = []

    def start(name: str, *words: str, **more: str) -> House:
        house = House.of(staged(name, *words), tmp_path_factory.mktemp("house") / name)
        house.more = more
        houses.append(house)
        house.start()
        return house

    yield start
    for house in houses:
        house.stop()
