# SPDX-License-Identifier: Apache-2.0
"""A sheet as pages of A4 in HTML: roster, door slips, contact cards, duty sheet.

Drawn from what was kept when the sheet was made: printed again it is the same paper.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import segno
from django.template.loader import render_to_string
from django.utils.safestring import SafeString, mark_safe

from muster.campaigns.models import Round
from muster.campaigns.queries import accounts_of_round, doors_of_grid
from muster.campaigns.states import DoorState
from muster.packs import Pack
from muster.places.models import Building, Grid, GridPost
from muster.places.queries import small_grids_below
from muster.sheets import paging
from muster.sheets.choices import Choice, door_choices, outcome_choices, word_of
from muster.sheets.marks import mark_key, password_of
from muster.sheets.models import Sheet
from muster.sheets.queries import KeptLine
from muster.sheets.saying import PaperWords, paper_time, secret_words
from muster.sheets.states import SheetKind
from muster.sheets.walking import called

TICKS = 9
POSTS_A_PAGE, BUILDINGS_A_PAGE = 10, 20
_TEMPLATES = {SheetKind.ROSTER: "roster", SheetKind.NOTICES: "slips", SheetKind.CARDS: "cards",
              SheetKind.DUTY: "duty"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Print:
    """All that a sheet's pages need to know besides its lines. origin: where a scanned code leads."""

    sheet: Sheet
    round: Round
    grid: Grid
    pack: Pack
    zone: str
    is_drill: bool
    phone: str
    origin: str


def print_sheet(what: Print, lines: Sequence[KeptLine]) -> str:
    """The whole document. A spreadsheet has no pages."""
    sheet, said = what.sheet, PaperWords(what.sheet.language)
    head = _head(what.grid.id)
    common: dict[str, Any] = {
        "w": said,
        "sheet": sheet,
        "title": said[sheet.kind],
        "drill": what.is_drill,
        "campaign": what.round.campaign.name,
        "round": what.round.name,
        "grid": what.grid.name if said.lang == "zh" else what.grid.name_en or what.grid.name,
        "as_of": said.say("as_of", at=paper_time(sheet.made_at, what.zone)),
        "sheet_qr": qr(f"{what.origin}/s/{sheet.code}"),
        "head_name": head.holder_name if head else "",
        "head_phone": (head.phone if head else "") or what.phone,
    }
    match sheet.kind:
        case SheetKind.ROSTER:
            more = _roster(what, lines, said)
        case SheetKind.NOTICES:
            more = _slips(what, lines, said, str(common["head_phone"]))
        case SheetKind.CARDS:
            more = _cards(what, lines, said)
        case _:
            more = _duty(what, said)
    return render_to_string(f"sheets/{_TEMPLATES[SheetKind(sheet.kind)]}.html", {**common, **more})


@lru_cache(maxsize=4096)
def qr(text: str) -> SafeString:
    """A QR that a bad printer can do: error correction for a quarter of it, and a quiet border."""
    return mark_safe(  # noqa: S308 -- our own drawing of our own address
        segno.make(text, error="q", micro=False).svg_inline(
            border=3, omitsize=True, svgclass=None, lineclass=None
        )
    )


def _head(grid: int) -> GridPost | None:
    return GridPost.objects.filter(grid=grid, type="head", until__isnull=True).first()


def _roster(what: Print, lines: Sequence[KeptLine], said: PaperWords) -> dict[str, Any]:
    by_number = {line.number: line for line in lines}
    kinds = outcome_choices(what.round.campaign.kind.definition)
    doors = door_choices()
    pages = paging.roster_pages(
        [
            paging.Numbered(x.number, x.said.building_id, x.said.unit, f"{x.dwelling}|{x.said.home}")
            for x in lines
        ]
    )
    services = {s.code: s.name.zh if said.lang == "zh" else s.name.en for s in what.pack.services}
    key, secrets = mark_key(), secret_words(said.lang)

    def line_of(number: int) -> dict[str, Any]:
        line = by_number[number]
        choices = doors if line.is_door else kinds
        return {
            "number": number,
            "name": line.said.name,
            "more": said["empty_door"] if line.is_door else _more(line, what.sheet, said),
            "services": "、".join(services.get(code, code) for code in line.said.services),
            "choices": choices[:TICKS],
            "before": said.say("before", outcome=word_of(line.base_outcome, choices, said.lang))
            if line.base_outcome
            else "",
        }

    def block_of(block: paging.Block) -> dict[str, Any]:
        first = by_number[block.numbers[0]]
        height = len(block.numbers) * paging.LINE_MM
        return {
            "lines": [line_of(number) for number in block.numbers],
            "qr": qr(f"{what.origin}/s/{what.sheet.code}/{first.number}"),
            "room": first.said.room,
            "goes_on": block.goes_on,
            "row": f"{max(height, paging.DOOR_MM) / len(block.numbers):.1f}",
            "password": password_of(first.dwelling, secrets, key=key) if what.sheet.passwords else "",
        }

    shown = []
    for number, page in enumerate(pages, start=1):
        parts = []
        for part in page.parts:
            first = by_number[part.blocks[0].numbers[0]].said
            name = "stairwell" if part.stairwell else "building_alone"
            parts.append(
                {
                    "title": said.say(name, building=first.called or first.building, unit=part.stairwell),
                    "blocks": [block_of(block) for block in part.blocks],
                }
            )
        top = by_number[page.numbers[0]].said if page.numbers else None
        building = (top.called or top.building) if top else ""
        shown.append({"n": _n(said, number, len(pages)), "parts": parts, "building": building})
    return {
        "pages": shown,
        "choices": [_shown(choice, said) for choice in kinds],
        "doors": [_shown(choice, said) for choice in doors],
        "has_doors": any(line.is_door for line in lines),
    }


def _shown(choice: Choice, said: PaperWords) -> dict[str, str]:
    return {"key": choice.key, "word": choice.word(said.lang)}


def _more(line: KeptLine, sheet: Sheet, said: PaperWords) -> str:
    parts = [said.say("born", year=line.said.born)] if line.said.born else []
    if line.said.phone:
        tail = line.said.phone[-4:]
        parts.append(line.said.phone if sheet.phones else said.say("phone_tail", tail=tail))
    return " ".join(parts)


def _n(said: PaperWords, page: int, pages: int) -> str:
    return said.say("page", page=page, pages=pages)


def _slips(what: Print, lines: Sequence[KeptLine], said: PaperWords, phone: str) -> dict[str, Any]:
    says = said.say("slip", phone=phone) if phone else said["slip_no_phone"]
    home = qr(f"{what.origin}/")
    slips = [{"says": says, "qr": home, "door": line.said.door, "number": line.number} for line in lines]
    return {"pages": _even(slips, paging.NOTICES_A_PAGE, said)}


def _cards(what: Print, lines: Sequence[KeptLine], said: PaperWords) -> dict[str, Any]:
    key, secrets = mark_key(), secret_words(said.lang)
    numbers = what.pack.emergency_numbers
    cards = [
        {
            "qr": qr(f"{what.origin}/ask?card={what.sheet.code}-{line.number}"),
            "door": line.said.door,
            "number": line.number,
            "password": password_of(line.dwelling, secrets, key=key),
        }
        for line in lines
    ]
    return {
        "pages": _even(cards, paging.CARDS_A_PAGE, said),
        "card_keep": said.say("card_keep", number=numbers[0].number if numbers else ""),
    }


def _even(slips: Sequence[dict[str, Any]], a_page: int, said: PaperWords) -> list[dict[str, Any]]:
    parts = paging.even_pages(len(slips), a_page)
    return [
        {"n": _n(said, number, len(parts)), "slips": [slips[at] for at in part]}
        for number, part in enumerate(parts, start=1)
    ]


def _duty(what: Print, said: PaperWords) -> dict[str, Any]:
    titles = {p.type: p.name.zh if said.lang == "zh" else p.name.en for p in what.pack.posts}
    posts = [
        {"title": post.title or titles.get(post.type, post.type), "name": post.holder_name,
         "phone": post.phone, "duty": post.duty}
        for post in GridPost.objects.filter(grid=what.grid, until__isnull=True).order_by("type", "since")
    ]  # fmt: skip
    doors: Counter[uuid.UUID] = Counter()
    left: Counter[uuid.UUID] = Counter()
    for account in accounts_of_round(what.round.id, small_grids_below(what.grid)):
        rows: Any = doors_of_grid(account)
        for building, state in rows.values_list("building", "state"):
            doors[building] += 1
            left[building] += state in (DoorState.UNSEEN, DoorState.NO_ANSWER)
    buildings = [
        {"name": called(b), "doors": doors[b.id], "left": left[b.id]}
        for b in Building.objects.filter(id__in=list(doors)).order_by("walk_order", "code")
    ]
    pages = [(posts[:POSTS_A_PAGE], buildings[: max(0, 2 * (POSTS_A_PAGE - len(posts)))])]
    rest = buildings[len(pages[0][1]) :]
    pages += [(posts[at : at + POSTS_A_PAGE], []) for at in range(POSTS_A_PAGE, len(posts), POSTS_A_PAGE)]
    pages += [([], rest[at : at + BUILDINGS_A_PAGE]) for at in range(0, len(rest), BUILDINGS_A_PAGE)]
    shown = [
        {"n": _n(said, number, len(pages)), "posts": page[0], "buildings": page[1]}
        for number, page in enumerate(pages, start=1)
    ]
    return {"pages": shown}
