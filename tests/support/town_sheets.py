# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about sheets: a printed roster, a list as a spreadsheet."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from muster.flows.sheet_returns import TypedLine, Writer, open_typed
from muster.incidents.packs import pack_of
from muster.sheets.models import Sheet, SheetReturn
from muster.sheets.pictures import add_picture
from muster.sheets.services import Maker, Wish, make_sheet
from muster.storage.scoping import Scope
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Place


@dataclass
class Sheets:
    """back: waits to be written. once: waits for a second typist. picture: the name of a roster's photo."""

    roster: Sheet
    list: Sheet
    back: SheetReturn
    once: SheetReturn
    picture: str

    @property
    def marks(self) -> set[str]:
        return {self.roster.code, self.list.code, str(self.back.id), str(self.once.id)}


def some_sheet(world: World, place: Place, kind: str = "ROSTER", **wish: Any) -> Sheet:
    by = Maker(world.head.id, "网格长甲", "grid_head", Scope(everything=True))
    return make_sheet(place.round, place.grid, Wish(kind, "ROUND", **wish), pack=pack_of(world.incident),
                      by=by, at=NOON)  # fmt: skip


def hand_out(world: World, place: Place) -> Sheets:
    roster, by = (
        some_sheet(world, place),
        Maker(world.head.id, "网格长甲", "grid_head", Scope(everything=True)),
    )
    writer = Writer("李填表", NOON, "1号楼门口")
    back, once = (
        open_typed(roster, [TypedLine(1, "done")], writer=writer, checked=checked, by=by, at=NOON)
        for checked in (False, True)
    )
    picture = add_picture(roster, a_photo(), by=by, at=NOON).sha256
    return Sheets(roster, some_sheet(world, place, "LIST"), back, once, picture)


def a_photo(colour: str = "white") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 30), colour).save(out, "JPEG")
    return out.getvalue()


def a_photo_file() -> dict[str, Any]:
    return {"file": SimpleUploadedFile("paper.jpg", a_photo("grey"), content_type="image/jpeg")}


def a_filled_list() -> dict[str, Any]:
    """A file that is no list of this house: refused alike wherever it is brought in."""
    raw = "号,姓名,结果,行编号（勿改）\n1,演1,done,AAAA-AAAA.1.xxxxxxxx.xxxxxxxx\n".encode()
    return {"file": SimpleUploadedFile("list.csv", raw, content_type="text/csv")}


def sheet_asks(place: Place, sheets: Sheets) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> method, path, body, whether it lists."""
    round_, sheet = f"/api/v1/rounds/{place.round.id}", f"/api/v1/sheets/{sheets.roster.code}"
    back, line = f"/api/v1/sheet-returns/{sheets.back.id}", {"number": 1, "outcome": "done"}
    wish = {"grid": place.grid.id, "kind": "ROSTER", "why": "ROUND"}
    return {
        "sheet_returns_list": ("GET", f"{round_}/sheet-returns", None, False),
        "sheet_returns_type": ("POST", f"{sheet}/typed", {"by": "李填表", "lines": [line]}, False),
        "sheet_returns_read": ("GET", back, None, False),
        "sheet_returns_second": ("POST", f"/api/v1/sheet-returns/{sheets.once.id}/second", {"lines": [line]},
                                 False),
        "sheet_returns_commit": ("POST", f"{back}/commit", {}, False),
        "sheet_returns_undo": ("POST", f"{back}/undo", {}, False),
        "sheet_returns_mend": ("GET", f"{back}/mend.xlsx", None, False),
        "sheet_pictures_read": ("GET", f"{sheet}/pictures/{sheets.picture}", None, False),
        "sheets_make": ("POST", f"{round_}/sheets", wish, False),
        "sheets_list": ("GET", f"{round_}/sheets", None, False),
        "sheets_read": ("GET", sheet, None, False),
        "sheets_print": ("GET", f"{sheet}/print", None, False),
        "sheets_file": ("GET", f"/api/v1/sheets/{sheets.list.code}/list.xlsx", None, False),
    }  # fmt: skip
