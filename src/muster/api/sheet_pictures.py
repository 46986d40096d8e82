# SPDX-License-Identifier: Apache-2.0
"""Photos of papers at the desk: one at a time, behind what is typed, seen beside its rows."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import File, Form, Router, Schema
from ninja.files import UploadedFile

from muster.api.auth import AUTH, allow, operation
from muster.api.request_rows import picture_answer
from muster.api.sheets import maker_of
from muster.base.errors import Refusal
from muster.files.pictures import MOST_BYTES
from muster.sheets.pictures import add_picture, open_picture
from muster.sheets.queries import return_with_id, sheet_with_code
from muster.trail.services import record_disclosures

router = Router(tags=["sheets"], auth=AUTH)


class PictureIn(Schema):
    """back: the return that it belongs to, where the paper was handed in before its photo had come up."""

    back: uuid.UUID | None = None


@router.post("/sheets/{code}/pictures", operation_id="sheet_pictures_add")
@operation("sheets.return")
def add(request: HttpRequest, code: str, body: Form[PictureIn], file: File[UploadedFile]) -> dict[str, Any]:
    """A photo of a filled-in paper, kept under its incident's seal until sunset; the answer names it."""
    who, row = allow(request, "sheets.return")
    by = maker_of(who, row)
    sheet = sheet_with_code(code, scope=by.scope)
    if (file.size or 0) > MOST_BYTES:
        raise Refusal("picture_too_large", most=MOST_BYTES >> 20)
    back = return_with_id(body.back, scope=by.scope) if body.back else None
    kept = add_picture(sheet, file.read(), back=back, by=by, at=who.at)
    return {"sha256": kept.sha256, "by": kept.by_name, "at": kept.at}


@router.get("/sheets/{code}/pictures/{name}", operation_id="sheet_pictures_read")
@operation("sheets.return")
def read(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """The photo, for whoever types the paper in; that it was looked at is in the trail."""
    who, row = allow(request, "sheets.return")
    sheet = sheet_with_code(code, scope=who.scope(row))
    shown = open_picture(sheet, name)
    record_disclosures([None], actor=who.user.id, role=who.role_for(row), operation="sheets.picture",
                       fields="picture", grid=sheet.grid, rows=sheet.lines, at=who.at)  # fmt: skip
    return picture_answer(shown)
