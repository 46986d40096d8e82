# SPDX-License-Identifier: Apache-2.0
"""Making a sheet: what stands on it is kept line by line, and that it left the house stands in the trail."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from django.db import transaction

from muster.base.codes import make_enrol_code
from muster.base.errors import Refusal
from muster.campaigns.models import Round
from muster.campaigns.queries import accounts_of_round
from muster.campaigns.states import RoundStatus
from muster.packs import Pack
from muster.places.models import Grid
from muster.places.queries import small_grids_below
from muster.sheets import paging
from muster.sheets.models import Sheet, SheetLine
from muster.sheets.states import SheetKind, Why
from muster.sheets.walking import Line, lines_of
from muster.storage.scoping import Scope
from muster.trail.services import record_disclosures, record_event

MOST_LINES = 6_000
PRINT = "sheets.print"


@dataclass(frozen=True, slots=True)
class Maker:
    """Who lets a list leave the house: also in which role, and how far he sees."""

    id: uuid.UUID
    name: str
    role: str
    scope: Scope
    language: str = "zh"


@dataclass(frozen=True, slots=True)
class Wish:
    """What shall stand on a sheet. phones, passwords: also these; why: a code for the trail."""

    kind: str
    why: str
    building: uuid.UUID | None = None
    only_left: bool = False
    phones: bool = False
    passwords: bool = False


def make_sheet(round_: Round, grid: Grid, wish: Wish, *, pack: Pack, by: Maker, at: datetime) -> Sheet:
    """A sheet with its lines as they stand now.

    Raises Refusal sheet_kind_unknown, sheet_why_unknown, round_not_frozen, grid_not_in_round,
    sheet_too_long (lines, most).
    """
    if wish.kind not in SheetKind.values:
        raise Refusal("sheet_kind_unknown", kind=wish.kind[:20])
    if wish.why not in Why.values:
        raise Refusal("sheet_why_unknown", why=wish.why[:20])
    if round_.status == RoundStatus.PLANNED:
        raise Refusal("round_not_frozen")
    accounts = accounts_of_round(round_.id, small_grids_below(grid))
    if not accounts:
        raise Refusal("grid_not_in_round", grid=grid.id)
    lines: list[Line] = []
    if wish.kind != SheetKind.DUTY:
        lines = lines_of(
            round_, accounts, scope=by.scope, pack=pack, building=wish.building, only_left=wish.only_left
        )
        if wish.kind in (SheetKind.CARDS, SheetKind.NOTICES):
            lines = _one_for_each_door(lines)
    if len(lines) > MOST_LINES:
        raise Refusal("sheet_too_long", lines=len(lines), most=MOST_LINES)
    wish = replace(wish, phones=wish.phones or wish.kind == SheetKind.LIST)
    sheet = _sheet(round_, grid, wish, lines, by=by, at=at)
    with transaction.atomic():
        sheet.save(force_insert=True)
        SheetLine.objects.bulk_create(_kept(sheet, lines), batch_size=1_000)
        tell_who_sees(sheet, Counter(line.grid for line in lines), by=by, at=at)
        record_event(
            "Sheet", sheet.id, "make", at=at, actor=by.id, incident=sheet.incident, reason=wish.why,
            kind=sheet.kind, grid=grid.id, lines=len(lines), phones=sheet.phones, passwords=sheet.passwords,
        )  # fmt: skip
    return sheet


def tell_who_sees(sheet: Sheet, grids: Counter[int | None], *, by: Maker, at: datetime) -> None:
    """One disclosure for each grid with its size: on making, and each time it is opened again."""
    fields = ["names"] if sheet.kind in (SheetKind.ROSTER, SheetKind.LIST) else ["doors"]
    fields += ["phones"] if sheet.phones else []
    fields += ["passwords"] if sheet.passwords or sheet.kind == SheetKind.CARDS else []
    for grid, rows in grids.items():
        record_disclosures(
            [None], actor=by.id, role=by.role, operation=PRINT, purpose=sheet.why, fields="+".join(fields),
            grid=grid, rows=rows, at=at,
        )  # fmt: skip


def _one_for_each_door(lines: Sequence[Line]) -> list[Line]:
    """A line for each door, without anybody's name."""
    doors: dict[uuid.UUID, Line] = {}
    for line in lines:
        said = msgspec.structs.replace(line.said, name="", phone="", born=None, services=[], home="")
        doors.setdefault(
            line.dwelling,
            msgspec.structs.replace(
                line, unit="dwelling", subject=line.dwelling, said=said, outcome="", fact=None, is_door=True
            ),
        )
    return list(doors.values())


def _sheet(round_: Round, grid: Grid, wish: Wish, lines: Sequence[Line], *, by: Maker, at: datetime) -> Sheet:
    code = make_enrol_code()
    while Sheet.objects.across(reason="sheets").filter(code=code).exists():
        code = make_enrol_code()
    return Sheet(
        code=code,
        kind=wish.kind,
        incident=round_.incident,
        round=round_.id,
        grid=grid.id,
        sub_district=grid.sub_district,
        building=wish.building,
        only_left=wish.only_left,
        phones=wish.phones,
        passwords=wish.passwords,
        why=wish.why,
        language=by.language,
        lines=len(lines),
        pages=_pages(wish.kind, lines),
        made_by=by.id,
        made_by_name=by.name[:80],
        made_at=at,
    )


def _pages(kind: str, lines: Sequence[Line]) -> int:
    match kind:
        case SheetKind.ROSTER:
            return len(paging.roster_pages(numbered(lines)))
        case SheetKind.CARDS:
            return len(paging.even_pages(len(lines), paging.CARDS_A_PAGE))
        case SheetKind.NOTICES:
            return len(paging.even_pages(len(lines), paging.NOTICES_A_PAGE))
        case SheetKind.DUTY:
            return 1
        case _:
            return 0


def numbered(lines: Sequence[Line]) -> list[paging.Numbered]:
    return [
        paging.Numbered(n, line.said.building_id, f"{line.said.unit}", f"{line.dwelling}|{line.said.home}")
        for n, line in enumerate(lines, start=1)
    ]


def _kept(sheet: Sheet, lines: Sequence[Line]) -> list[SheetLine]:
    return [
        SheetLine(
            sheet=sheet,
            number=number,
            sub_district=line.sub_district,
            grid=line.grid,
            purpose=str(sheet.incident),
            unit=line.unit,
            subject=line.subject,
            dwelling=line.dwelling,
            is_door=line.is_door,
            base_outcome=line.outcome,
            base_fact=line.fact,
            said=msgspec.json.encode(line.said).decode(),
        )
        for number, line in enumerate(lines, start=1)
    ]
