# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about sheets: a printed roster, a list as a spreadsheet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from muster.incidents.packs import pack_of
from muster.sheets.models import Sheet
from muster.sheets.services import Maker, Wish, make_sheet
from muster.storage.scoping import Scope
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Place


@dataclass
class Sheets:
    roster: Sheet
    list: Sheet

    @property
    def marks(self) -> set[str]:
        return {self.roster.code, self.list.code}


def some_sheet(world: World, place: Place, kind: str = "ROSTER", **wish: Any) -> Sheet:
    by = Maker(world.head.id, "网格长甲", "grid_head", Scope(everything=True))
    return make_sheet(place.round, place.grid, Wish(kind, "ROUND", **wish), pack=pack_of(world.incident),
                      by=by, at=NOON)  # fmt: skip


def hand_out(world: World, place: Place) -> Sheets:
    return Sheets(some_sheet(world, place), some_sheet(world, place, "LIST"))


def sheet_asks(place: Place, sheets: Sheets) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> method, path, body, whether it lists."""
    round_, sheet = f"/api/v1/rounds/{place.round.id}", f"/api/v1/sheets/{sheets.roster.code}"
    wish = {"grid": place.grid.id, "kind": "ROSTER", "why": "ROUND"}
    return {
        "sheets_make": ("POST", f"{round_}/sheets", wish, False),
        "sheets_list": ("GET", f"{round_}/sheets", None, False),
        "sheets_read": ("GET", sheet, None, False),
        "sheets_print": ("GET", f"{sheet}/print", None, False),
        "sheets_file": ("GET", f"/api/v1/sheets/{sheets.list.code}/list.xlsx", None, False),
    }
