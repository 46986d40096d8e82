# SPDX-License-Identifier: Apache-2.0
"""Breaking a roster into sheets of A4. Pure: which lines stand on which page, by heights in millimetres.

Each building begins a new sheet, so that its paper can be handed to somebody of its own; a household is torn
apart only where it is taller than a sheet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

PAGE_MM = 196
HEADING_MM = 8
LINE_MM = 11
DOOR_MM = 27  # so much the QR of a household takes
CARDS_A_PAGE, NOTICES_A_PAGE = 8, 6


@dataclass(frozen=True, slots=True)
class Numbered:
    """A line as far as paging asks. door: what keeps the lines of one household together."""

    number: int
    building: str
    stairwell: str
    door: str


@dataclass(slots=True)
class Block:
    """The lines of one household on one page; goes_on: the rest of it stood on the page before."""

    door: str
    numbers: list[int]
    goes_on: bool = False


@dataclass(slots=True)
class Part:
    """A stairwell on a page."""

    stairwell: str
    blocks: list[Block] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    building: str
    parts: list[Part] = field(default_factory=list)
    height: int = 0

    @property
    def numbers(self) -> list[int]:
        return [n for part in self.parts for block in part.blocks for n in block.numbers]


def block_mm(lines: int) -> int:
    return max(DOOR_MM, lines * LINE_MM)


def roster_pages(lines: Sequence[Numbered]) -> list[Page]:
    """The pages of a roster; one empty page for an empty list, which says so."""
    pages: list[Page] = []
    most = (PAGE_MM - HEADING_MM) // LINE_MM
    for building, of_building in groupby(lines, key=lambda one: one.building):
        page = Page(building)
        pages.append(page)
        for stairwell, of_stairwell in groupby(of_building, key=lambda one: one.stairwell):
            part: Part | None = None
            for door, of_door in groupby(of_stairwell, key=lambda one: one.door):
                numbers = [one.number for one in of_door]
                for at in range(0, len(numbers), most):
                    block = Block(door, numbers[at : at + most], goes_on=at > 0)
                    needed = block_mm(len(block.numbers))
                    heading = 0 if part is not None else HEADING_MM
                    if page.parts and page.height + heading + needed > PAGE_MM:
                        page, part = Page(building), None
                        pages.append(page)
                    if part is None:
                        part = Part(stairwell)
                        page.parts.append(part)
                        page.height += HEADING_MM
                    part.blocks.append(block)
                    page.height += needed
    return pages or [Page("")]


def even_pages(count: int, a_page: int) -> list[range]:
    """Cards and slips: so many on each page."""
    return [range(at, min(at + a_page, count)) for at in range(0, count, a_page)] or [range(0)]
