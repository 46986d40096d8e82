# SPDX-License-Identifier: Apache-2.0
"""Sheets that come back: a file or typed-in paper, its preview, writing, taking back, what to mend."""

from __future__ import annotations

import io
import uuid
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile

from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.imports import TYPES
from muster.api.rounds import round_in_reach
from muster.api.sheets import maker_of
from muster.base.errors import Refusal
from muster.campaigns.queries import round_with_kind
from muster.campaigns.states import RoundStatus
from muster.flows import sheet_returns as flow
from muster.flows.sheet_returns import TypedLine, Writer
from muster.places.models import Grid
from muster.register.importing.limits import LIMITS
from muster.register.names import mask_name
from muster.register.phones import mask_phone
from muster.sheets.choices import door_choices, outcome_choices
from muster.sheets.merging import FieldChange, MergedLine, Will
from muster.sheets.models import SheetReturn
from muster.sheets.queries import return_with_id, returns_of_round, sheet_with_code
from muster.sheets.services import Maker
from muster.sheets.states import ReturnState
from muster.sheets.told import Mistake
from muster.sheets.workbooks import MendedRow, write_mended
from muster.trail.services import record_disclosures

router = Router(tags=["sheets"], auth=AUTH)
SHOWN = 500


class FileIn(Schema):
    by: str = ""
    at: datetime | None = None
    where: str = ""


class LineIn(Schema):
    number: int = 0
    outcome: str = ""
    when: str = ""
    note: str = ""
    name: str = ""
    phone: str = ""
    born: str = ""
    door: str = ""


class TypedIn(Schema):
    by: str = ""
    at: datetime | None = None
    where: str = ""
    check: bool = False
    pictures: list[str] = []
    lines: list[LineIn]


class SecondIn(Schema):
    final: bool = False
    lines: list[LineIn]


def _writer(who: Caller, body: FileIn | TypedIn, *, default: str) -> Writer:
    """What lines do not say themselves. Raises Refusal("sheet_time_future")."""
    at = body.at or who.at
    if at.tzinfo is None:
        at = at.replace(tzinfo=who.at.tzinfo)
    if at > who.at and (at - who.at).total_seconds() > 600:
        raise Refusal("sheet_time_future", said=at.isoformat()[:16])
    return Writer(body.by.strip()[:80] or default, at, body.where.strip()[:120])


def _typed(lines: list[LineIn]) -> list[TypedLine]:
    return [
        TypedLine(one.number, one.outcome[:40], one.when[:60], one.note[:500], one.name[:100], one.phone[:60],
                  one.born[:12], one.door[:80])
        for one in lines
    ]  # fmt: skip


def _mine(request: HttpRequest, back: uuid.UUID) -> tuple[Caller, Maker, SheetReturn]:
    who, row = allow(request, "sheets.return")
    by = maker_of(who, row)
    return who, by, return_with_id(back, scope=by.scope)


@router.post("/rounds/{round_id}/sheet-returns", operation_id="sheet_returns_file")
@operation("sheets.return")
def bring_file(
    request: HttpRequest, round_id: uuid.UUID, body: Form[FileIn], file: File[UploadedFile]
) -> dict[str, Any]:
    """A list comes back as a file. Nothing is written yet: the answer says what would be."""
    who, row = allow(request, "sheets.return")
    round_ = round_in_reach(request, round_id)
    if (file.size or 0) > LIMITS.file_bytes:
        raise Refusal("import_file_too_big", mib=LIMITS.file_bytes >> 20)
    by = maker_of(who, row)
    back = flow.open_file(
        file.read(), file_name=file.name or "", round_=round_, at=who.at, by=by,
        writer=_writer(who, body, default=who.user.name),
    )  # fmt: skip
    return _shown(back, who, by)


@router.get("/rounds/{round_id}/sheet-returns", operation_id="sheet_returns_list")
@operation("sheets.return")
def list_returns(request: HttpRequest, round_id: uuid.UUID) -> dict[str, Any]:
    who, row = allow(request, "sheets.return")
    rows = returns_of_round(round_in_reach(request, round_id).id, scope=who.scope(row))
    grids = Grid.objects.in_bulk({back.grid for back in rows})
    return {"items": [_line(back, grids) for back in rows], "next": None, "count": len(rows)}


@router.post("/sheets/{code}/typed", operation_id="sheet_returns_type")
@operation("sheets.return")
def bring_typed(request: HttpRequest, code: str, body: TypedIn) -> dict[str, Any]:
    """What was typed from a paper: who wrote it, when and where, and line by line the outcome."""
    who, row = allow(request, "sheets.return")
    by = maker_of(who, row)
    sheet = sheet_with_code(code, scope=by.scope)
    back = flow.open_typed(
        sheet, _typed(body.lines), writer=_writer(who, body, default=""), checked=body.check,
        pictures=body.pictures, by=by, at=who.at,
    )  # fmt: skip
    return _shown(back, who, by)


@router.get("/sheet-returns/{uuid:back}", operation_id="sheet_returns_read")
@operation("sheets.return")
def read_return(request: HttpRequest, back: uuid.UUID) -> dict[str, Any]:
    who, by, found = _mine(request, back)
    return _shown(found, who, by)


@router.post("/sheet-returns/{uuid:back}/second", operation_id="sheet_returns_second")
@operation("sheets.return")
def type_second(request: HttpRequest, back: uuid.UUID, body: SecondIn) -> dict[str, Any]:
    """The same paper typed by somebody else; where the two differ is told before anything goes on."""
    who, by, found = _mine(request, back)
    differ = flow.type_second(found, _typed(body.lines), final=body.final, by=by, at=who.at)
    return {**_shown(found, who, by), "differ": differ}


@router.post("/sheet-returns/{uuid:back}/commit", operation_id="sheet_returns_commit")
@operation("sheets.return")
def commit(request: HttpRequest, back: uuid.UUID) -> dict[str, Any]:
    who, by, found = _mine(request, back)
    return _shown(flow.commit_return(found, by=by, at=who.at), who, by)


@router.post("/sheet-returns/{uuid:back}/undo", operation_id="sheet_returns_undo")
@operation("sheets.return")
def undo(request: HttpRequest, back: uuid.UUID) -> dict[str, Any]:
    who, by, found = _mine(request, back)
    undone, told = flow.undo_return(found, by=by, at=who.at)
    return {**_shown(undone, who, by), **told}


@router.get("/sheet-returns/{uuid:back}/mend.xlsx", operation_id="sheet_returns_mend")
@operation("sheets.return")
def mend(request: HttpRequest, back: uuid.UUID) -> HttpResponse:
    """The lines that could not be taken, as they were written, with what to mend."""
    who, by, found = _mine(request, back)
    merge = flow.merge_now(found)
    wrong = [
        MendedRow(
            line.told.row,
            line.told.cells,
            frozenset(one.field for one in line.mistakes),
            "\n".join(one.said(who.language) for one in line.mistakes),
        )
        for line in merge.lines
        if line.mistakes
    ]
    out = io.BytesIO()
    write_mended(out, wrong, lang=who.language)
    _tell(found, who, by, rows=len(wrong))
    answer = HttpResponse(out.getvalue(), content_type=TYPES["xlsx"])
    answer["Content-Disposition"] = f'attachment; filename="mend-{found.sheet.code}.xlsx"'
    answer["Cache-Control"] = "no-store"
    return answer


def _tell(back: SheetReturn, who: Caller, by: Maker, *, rows: int) -> None:
    record_disclosures([None], actor=by.id, role=by.role, operation="sheets.return", fields="masked",
                       grid=back.grid, rows=rows, at=who.at)  # fmt: skip


def _line(back: SheetReturn, grids: dict[int, Grid]) -> dict[str, Any]:
    grid = grids.get(back.grid)
    return {
        "id": back.id,
        "channel": back.channel,
        "state": back.state,
        "round": back.round,
        "sheet": back.sheet.code,
        "grid": {"id": back.grid, "name": grid.name, "name_en": grid.name_en} if grid else None,
        "file_name": back.file_name,
        "made_by": back.made_by_name,
        "made_at": back.made_at,
        "second_by": back.second_by_name,
        "committed_at": back.committed_at,
        "undone_at": back.undone_at,
        "counts": back.counts,
        "pictures": back.pictures,
    }


def _shown(back: SheetReturn, who: Caller, by: Maker) -> dict[str, Any]:
    """The return with every line that does something, its mistakes in the reader's language. While it waits
    for a second typist, nothing of what the first one typed.
    """
    told, grids = flow.told_of(back), Grid.objects.in_bulk([back.grid])
    head = {
        **_line(back, grids), "by": told.by, "at": told.at, "where": told.where,
        "sheet_made_at": back.sheet.made_at, "unknown_columns": told.unknown_columns,
        "absent": told.absent[:SHOWN], "warning": _warning(back),
    }  # fmt: skip
    if back.state == ReturnState.TYPED_ONCE:
        return {**head, "counts": {"rows": len(told.lines)}, "rows": []}
    lines = [line for line in flow.merge_now(back).lines if line.will != Will.SAME]
    _tell(back, who, by, rows=len(lines[:SHOWN]))
    definition = round_with_kind(back.round).campaign.kind.definition
    words = {c.code: {"zh": c.zh, "en": c.en} for c in (*outcome_choices(definition), *door_choices())}
    order = list(Will)
    lines.sort(key=lambda line: (order.index(line.will), line.told.row))
    return {
        **head,
        "rows": [_row(line, words, who.language) for line in lines[:SHOWN]],
        "rows_in_all": len(lines),
    }


def _warning(back: SheetReturn) -> str:
    status = round_with_kind(back.round).status
    return "return_of_closed" if status in (RoundStatus.CLOSED, RoundStatus.CERTIFIED) else ""


def _row(line: MergedLine, words: dict[str, dict[str, str]], lang: str) -> dict[str, Any]:
    name = line.told.name or (line.kept.said.name if line.kept else "")
    door = line.kept.said.door if line.kept else line.told.door or " ".join(
        line.told.cells.get(key, "") for key in ("building", "unit", "room")
    )  # fmt: skip
    return {
        "row": line.told.row,
        "number": line.told.number or None,
        "will": line.will,
        "door": door,
        "name": mask_name(name) if name else "",
        "outcome": words.get(line.told.outcome),
        "note": bool(line.told.note),
        "when": line.told.when or None,
        "changes": [_change(change, words) for change in line.changes],
        "mistakes": [_mistake(one, lang) for one in line.mistakes],
    }


def _change(change: FieldChange, words: dict[str, dict[str, str]]) -> dict[str, Any]:
    if change.field == "outcome":
        was, told, now = (words.get(value) for value in (change.was, change.told, change.now))
    else:
        veil = mask_name if change.field == "name" else mask_phone
        was, told, now = ({"zh": said, "en": said} if (said := veil(value) if value else "") else None
                          for value in (change.was, change.told, change.now))  # fmt: skip
    return {"field": change.field, "will": change.will, "was": was, "told": told, "now": now}


def _mistake(one: Mistake, lang: str) -> dict[str, Any]:
    return {"field": one.field, "code": one.code, "message": one.said(lang)}
