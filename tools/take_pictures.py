# SPDX-License-Identifier: Apache-2.0
"""Takes the README's pictures: a drill city at good coverage, its four faces, written to docs/pictures.

.venv/bin/python tools/take_pictures.py [folder]
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browser import DESK, WALL, Watched, launch, phone
from tests.support.desk import Fellow, sit_down
from tests.support.field import FieldPhone
from tests.support.house import House, free_ports, stage_city

MOST_BYTES = 250_000
LIVES_HERE = {"lives_here": "always"}
SHARES = (0.82, 0.97, 0.64)


def walk(house: House) -> None:
    """Every grid at its own pace: most have a result, some were not in, some are away."""
    for grid, share in zip(house.demo["grids"], SHARES, strict=False):
        with house.client("command") as api:
            made = api.post(f"/grids/{grid}/enrol-codes", json={"worker_name": "picture"}).json()
        fellow = Fellow(house, made["code"])
        people = list(fellow.entries)
        for at, who in enumerate(people[: round(share * len(people))]):
            if at % 17 == 4:
                fellow.outcome(who, "NO_ANSWER")
            elif at % 14 == 6:
                fellow.outcome(who, "AWAY", note="回老家")
            elif at % 40 == 9:
                fellow.outcome(who, "COME_BACK", note="晚上七点后再来")
            else:
                fellow.outcome(who, "REGISTERED", answers=LIVES_HERE)
        fellow.settle()


def keep(page: Page, path: Path) -> None:
    """The picture, smaller in scale until it is small enough."""
    from PIL import Image

    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    for width in (1440, 1280, 1120, 960):
        share = min(1.0, width / picture.width)
        size = (round(picture.width * share), round(picture.height * share))
        # True colour: a palette would take the one orange that says what is missing for a brown.
        scaled = picture.resize(size, Image.Resampling.LANCZOS)
        scaled.save(path, optimize=True)
        if path.stat().st_size <= MOST_BYTES:
            return
    raise SystemExit(f"{path.name} is larger than {MOST_BYTES} bytes")


def take(house: House, browser: Browser, folder: Path) -> None:
    hand = phone(browser, "zh", device_scale_factor=2)
    worker = FieldPhone(hand.page(), "zh")
    worker.enrol(house.worker_url)
    worker.page.wait_for_timeout(3_000)
    keep(worker.page, folder / "field.png")
    desk = Watched(browser, size=DESK, language="zh")
    page = desk.page()
    page.goto(f"{house.origin}/welcome/")
    page.get_by_role("article").first.wait_for()
    keep(page, folder / "welcome.png")
    sit_down(page, house, "desk")
    page.goto(f"{house.origin}/desk/rounds/{house.demo['round']}?tab=missing")
    page.get_by_role("table").locator("tbody tr").first.wait_for()
    keep(page, folder / "desk.png")
    wall = Watched(browser, size=WALL, language="zh")
    page = wall.page()
    sit_down(page, house, "command")
    page.goto(f"{house.origin}/command/")
    page.locator("canvas").first.wait_for()
    page.wait_for_timeout(4_000)
    keep(page, folder / "command.png")


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="muster-pictures-") as place, sync_playwright() as playwright:
        house = House(stage_city(Path(place) / "city", "--people", "2000"), *free_ports(2))
        house.start()
        try:
            walk(house)
            take(house, launch(playwright), folder)
        finally:
            house.stop()


if __name__ == "__main__":
    main()
