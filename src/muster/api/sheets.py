# SPDX-License-Identifier: Apache-2.0
"""Sheets at the desk: a round's list as paper or spreadsheet, printed, taken out, looked up again."""

from __future__ import annotations

import io
import uuid
from collections import Counter
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.imports import TYPES
from muster.api.rounds import round_in_reach
from muster.base.errors import Refusal
from muster.campaigns.queries import round_with_kind
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.places.models import Grid
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grids_below
from muster.register.names import mask_name
from muster.sheets.choices import Choice, door_choices, outcome_choices
from muster.sheets.marks import mark_key, password_of
from muster.sheets.models import Sheet
from muster.sheets.pages import Print, print_sheet
from muster.sheets.queries import KeptLine, lines_of_sheet, sheet_with_code, sheets_of_round
from muster.sheets.saying import secret_words
from muster.sheets.services import Maker, Wish, make_sheet, tell_who_sees
from muster.sheets.states import SheetKind
from muster.sheets.workbooks import write_list
from muster.trail.services import record_disclosures

router = Router(tags=["sheets"], auth=AUTH)


def to_sheet(_request: HttpRequest, code: str, line: str = "") -> HttpResponse:
    """What a camera finds in the QR of a sheet: the page where it is typed in, behind the sign-in."""
    return HttpResponseRedirect(f"/desk/paper/{quote(code)}{f'?line={line}' if line else ''}")


class SheetIn(Schema):
    grid: int
    kind: str
    why: str = "ROUND"
    building: uuid.UUID | None = None
    only_left: bool = False
    phones: bool = False
    passwords: bool = False


def maker_of(who: Caller, row: Any) -> Maker:
    return Maker(who.user.id, who.user.name, who.role_for(row), who.scope(row), who.language)


def sheet_json(sheet: Sheet, grids: dict[int, Grid]) -> dict[str, Any]:
    grid = grids.get(sheet.grid)
    return {
        "id": sheet.id,
        "code": sheet.code,
        "kind": sheet.kind,
        "why": sheet.why,
        "round": sheet.round,
        "grid": {"id": sheet.grid, "name": grid.name, "name_en": grid.name_en} if grid else None,
        "building": sheet.building,
        "only_left": sheet.only_left,
        "phones": sheet.phones,
        "passwords": sheet.passwords,
        "lines": sheet.lines,
        "pages": sheet.pages,
        "made_by": sheet.made_by_name,
        "made_at": sheet.made_at,
        "language": sheet.language,
    }


@router.post("/rounds/{round_id}/sheets", operation_id="sheets_make")
@operation("sheets.print")
def make(request: HttpRequest, round_id: uuid.UUID, body: SheetIn) -> dict[str, Any]:
    """A roster, door slips, contact cards, a duty sheet, or the list as a spreadsheet; it stands in the
    trail with its purpose.
    """
    grid = grid_with_id(body.grid)
    who, row = allow(request, "sheets.print", grid=grid)
    round_ = round_in_reach(request, round_id)
    wish = Wish(body.kind, body.why, body.building, body.only_left, body.phones, body.passwords)
    pack = pack_of(Incident.objects.get(id=round_.incident))
    sheet = make_sheet(round_, grid, wish, pack=pack, by=maker_of(who, row), at=who.at)
    return sheet_json(sheet, {grid.id: grid})


@router.get("/rounds/{round_id}/sheets", operation_id="sheets_list")
@operation("sheets.read")
def list_sheets(request: HttpRequest, round_id: uuid.UUID, grid: int | None = None) -> dict[str, Any]:
    """What left the house for this round: which list, who took it, when, what for."""
    who, row = allow(request, "sheets.read")
    round_ = round_in_reach(request, round_id)
    grids = [grid, *small_grids_below(grid_with_id(grid))] if grid is not None else None
    rows = sheets_of_round(round_.id, scope=who.scope(row), grids=grids)
    places = Grid.objects.in_bulk({s.grid for s in rows})
    return {"items": [sheet_json(s, places) for s in rows], "next": None, "count": len(rows)}


@router.get("/sheets/{code}", operation_id="sheets_read")
@operation("sheets.read")
def read_sheet(request: HttpRequest, code: str, line: int | None = None) -> dict[str, Any]:
    """A sheet by the code on it, with its lines, names masked: for typing in what is written on it. With a
    line: that line only, with the door's password, for somebody who was asked whether a caller is genuine.
    """
    who, row = allow(request, "sheets.read")
    sheet = sheet_with_code(code, scope=who.scope(row))
    round_ = round_with_kind(sheet.round)
    lines = lines_of_sheet(sheet)
    if line is not None:
        lines = [one for one in lines if one.number == line]
        if not lines:
            raise Refusal("sheet_line_unknown", number=line, most=sheet.lines)
    record_disclosures([None], actor=who.user.id, role=who.role_for(row), operation="sheets.read",
                       fields="masked", grid=sheet.grid, rows=len(lines), at=who.at)  # fmt: skip
    shown = [line_json(one) for one in lines]
    if line is not None:
        shown[0]["password"] = password_of(lines[0].dwelling, secret_words(sheet.language), key=mark_key())
    grid = grid_with_id(sheet.grid)
    return {
        **sheet_json(sheet, {grid.id: grid}),
        "campaign_name": round_.campaign.name,
        "round_name": round_.name,
        "round_status": round_.status,
        "unit": round_.unit,
        "choices": [choice_json(one) for one in outcome_choices(round_.campaign.kind.definition)],
        "door_choices": [choice_json(one) for one in door_choices()],
        "rows": shown,
    }


def line_json(line: KeptLine) -> dict[str, Any]:
    name = line.said.name
    return {
        "number": line.number,
        "door": line.said.door,
        "building": line.said.building,
        "room": line.said.room,
        "name": mask_name(name) if line.unit == "person" else name,
        "is_door": line.is_door,
        "was": line.base_outcome,
    }


def choice_json(choice: Choice) -> dict[str, Any]:
    return {"key": choice.key, "code": choice.code, "name": {"zh": choice.zh, "en": choice.en},
            "class": choice.cls, "evidence": choice.evidence}  # fmt: skip


def _opened(request: HttpRequest, code: str) -> tuple[Sheet, list[KeptLine]]:
    """A sheet on its way out; that it is opened again is told again."""
    who, row = allow(request, "sheets.print")
    sheet = sheet_with_code(code, scope=who.scope(row))
    lines = lines_of_sheet(sheet)
    tell_who_sees(sheet, Counter(one.grid for one in lines), by=maker_of(who, row), at=who.at)
    return sheet, lines


@router.get("/sheets/{code}/print", operation_id="sheets_print")
@operation("sheets.print")
def show_pages(request: HttpRequest, code: str) -> HttpResponse:
    """The pages, as the browser prints them."""
    sheet, lines = _opened(request, code)
    if sheet.kind == SheetKind.LIST:
        raise Refusal("sheet_has_no_pages")
    incident = Incident.objects.get(id=sheet.incident)
    what = Print(sheet, round_with_kind(sheet.round), grid_with_id(sheet.grid), pack_of(incident),
                 incident.time_zone, incident.is_drill, incident.phone,
                 settings.ENVIRONMENT.web_origin)  # fmt: skip
    answer = HttpResponse(print_sheet(what, lines), content_type="text/html; charset=utf-8")
    answer["Cache-Control"] = "no-store"
    return answer


@router.get("/sheets/{code}/list.xlsx", operation_id="sheets_file")
@operation("sheets.print")
def show_file(request: HttpRequest, code: str) -> HttpResponse:
    """The list as a spreadsheet, to be filled in without a network and brought back."""
    sheet, lines = _opened(request, code)
    if sheet.kind != SheetKind.LIST:
        raise Refusal("sheet_is_paper")
    incident = Incident.objects.get(id=sheet.incident)
    out = io.BytesIO()
    write_list(
        out,
        sheet,
        lines,
        round_=round_with_kind(sheet.round),
        grid_name=grid_with_id(sheet.grid).name,
        pack=pack_of(incident),
        zone=incident.time_zone,
    )
    answer = HttpResponse(out.getvalue(), content_type=TYPES["xlsx"])
    answer["Content-Disposition"] = f'attachment; filename="list-{sheet.code}.xlsx"'
    answer["Cache-Control"] = "no-store"
    return answer
