# SPDX-License-Identifier: Apache-2.0
"""Photos of a paper that came back: seen beside its rows by whoever types it in, or types it once more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from muster.base.errors import Refusal
from muster.files.pictures import keep_picture, read_picture
from muster.sheets.models import Sheet, SheetPicture, SheetReturn
from muster.sheets.services import Maker
from muster.trail.services import record_event

MOST_PICTURES = 40


def add_picture(
    sheet: Sheet, raw: bytes, *, back: SheetReturn | None = None, by: Maker, at: datetime
) -> SheetPicture:
    """Keeps a photo of this sheet; the same one twice is kept once. back: the return that it belongs to,
    where the photo came after the typing.

    Raises Refusal picture_too_large, picture_unreadable, pictures_busy, sheet_pictures_enough (most),
    not_found (a return of another sheet).
    """
    if back is not None and back.sheet_id != sheet.id:
        raise Refusal("not_found")
    if len(names_of(sheet)) >= MOST_PICTURES:
        raise Refusal("sheet_pictures_enough", most=MOST_PICTURES)
    name = keep_picture(raw, incident=sheet.incident)
    with transaction.atomic():
        Sheet.objects.across(reason="sheets").select_for_update().get(id=sheet.id)
        kept = SheetPicture.objects.filter(sheet=sheet, sha256=name).first()
        if kept is None:
            if len(names_of(sheet)) >= MOST_PICTURES:
                raise Refusal("sheet_pictures_enough", most=MOST_PICTURES)
            kept = SheetPicture.objects.create(
                sheet=sheet, incident=sheet.incident, sha256=name, by=by.id, by_name=by.name[:80], at=at
            )
            record_event("Sheet", sheet.id, "picture", at=at, actor=by.id, incident=sheet.incident,
                         sha256=name)  # fmt: skip
        if back is not None:
            _put_to(back, name)
    return kept


def pictures_of(sheet: Sheet, names: Sequence[str]) -> list[str]:
    """Those of these names that are photos of this sheet, in the order told, each once.

    Raises Refusal picture_not_here.
    """
    known = set(names_of(sheet))
    if any(name not in known for name in names):
        raise Refusal("picture_not_here")
    return list(dict.fromkeys(names))


def open_picture(sheet: Sheet, name: str) -> bytes:
    """The photo as a JPEG. Raises Refusal picture_not_here."""
    return read_picture(pictures_of(sheet, [name])[0], incident=sheet.incident)


def names_of(sheet: Sheet) -> list[str]:
    rows = SheetPicture.objects.filter(sheet=sheet).order_by("at", "id")
    return list(rows.values_list("sha256", flat=True))


def _put_to(back: SheetReturn, name: str) -> None:
    row = SheetReturn.objects.across(reason="sheets").select_for_update().only("pictures").get(id=back.id)
    if name not in row.pictures:
        SheetReturn.objects.across(reason="sheets").filter(id=back.id).update(pictures=[*row.pictures, name])
    back.pictures = [*row.pictures, name] if name not in row.pictures else row.pictures
