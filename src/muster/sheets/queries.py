# SPDX-License-Identifier: Apache-2.0
"""Reads of sheets, their lines and what came back on them, always within a scope."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from muster.base.errors import Refusal
from muster.sheets.marks import read_code
from muster.sheets.models import Sheet, SheetLine, SheetReturn
from muster.sheets.walking import Said
from muster.storage.scoping import Scope
from muster.storage.sealed import reveal_column


@dataclass(slots=True)
class KeptLine:
    """A line as it was when its sheet was made."""

    number: int
    unit: str
    subject: uuid.UUID
    sub_district: int
    grid: int | None
    dwelling: uuid.UUID
    is_door: bool
    base_outcome: str
    base_fact: uuid.UUID | None
    said: Said


def sheet_with_code(text: str, *, scope: Scope) -> Sheet:
    """Raises Refusal("sheet_unknown") alike for a code nobody gave and for one of another place."""
    code = read_code(text)
    found: Sheet | None = Sheet.objects.within(scope).filter(code=code).first()
    if found is None:
        raise Refusal("sheet_unknown", code=code)
    return found


def lines_of_sheet(sheet: Sheet, *, reason: str = "sheets") -> list[KeptLine]:
    """The lines in their order, opened at once."""
    rows = list(SheetLine.objects.across(reason=reason).filter(sheet=sheet).order_by("number"))
    texts = reveal_column(SheetLine, "said", [(row.id, row.__dict__["said"]) for row in rows])
    return [
        KeptLine(row.number, row.unit, row.subject, row.sub_district, row.grid, row.dwelling, row.is_door,
                 row.base_outcome, row.base_fact, msgspec.json.decode(text or "{}", type=Said))
        for row, text in zip(rows, texts, strict=True)
    ]  # fmt: skip


def return_with_id(back: uuid.UUID, *, scope: Scope) -> SheetReturn:
    """Raises Refusal("not_found")."""
    found: SheetReturn | None = (
        SheetReturn.objects.within(scope).select_related("sheet").filter(id=back).first()
    )
    if found is None:
        raise Refusal("not_found")
    return found


def sheets_of_round(round_id: uuid.UUID, *, scope: Scope, grids: Sequence[int] | None = None) -> list[Sheet]:
    rows = Sheet.objects.within(scope).filter(round=round_id)
    if grids is not None:
        rows = rows.filter(grid__in=grids)
    return list(rows.order_by("-made_at")[:200])


def returns_of_round(round_id: uuid.UUID, *, scope: Scope) -> list[SheetReturn]:
    rows = SheetReturn.objects.within(scope).filter(round=round_id).select_related("sheet")
    return list(rows.defer("told", "second", "made").order_by("-made_at")[:200])
