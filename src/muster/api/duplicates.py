# SPDX-License-Identifier: Apache-2.0
"""Two records that may be one person: listed, shown side by side, judged, taken back."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, Caller, allow, operation
from muster.api.pages_of_rows import page_of
from muster.base.errors import Refusal
from muster.flows.merging import merge_pair, part_pair, undo_judgement
from muster.places.queries import area as area_with_id
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grid_ids, small_grids_below
from muster.register.models import DuplicatePair, PairState
from muster.situation.duplicates import SHOWN, of_grids, pair_lines, pair_picture, pairs_in_sight
from muster.storage.scoping import Scope
from muster.trail.services import record_disclosures

router = Router(tags=["register"], auth=AUTH)


class Judgement(Schema):
    judgement: str
    why: str
    survivor: uuid.UUID | None = None


def _caller(request: HttpRequest, name: str) -> tuple[Caller, Scope, str]:
    who, row = allow(request, name)
    return who, who.scope(row), who.role_for(row)


@router.get("/register/duplicates", operation_id="duplicates_list")
@operation("duplicates.read")
def list_pairs(
    request: HttpRequest,
    area: int | None = None,
    grid: int | None = None,
    status: str = PairState.OPEN,
    cursor: str = "",
    limit: int = 50,
) -> dict[str, Any]:
    """Pairs to judge (or judged: status MERGED, NOT_DUPLICATE), oldest first."""
    who, scope, role = _caller(request, "duplicates.read")
    if status not in SHOWN:
        raise Refusal("input_bad")
    rows = pairs_in_sight(scope).filter(status=status).order_by("id")
    if grid is not None:
        rows = of_grids(rows, small_grids_below(grid_with_id(grid)))
    elif area is not None:
        rows = of_grids(rows, small_grid_ids(area_with_id(area).path))
    page, after = page_of(rows, cursor, limit)
    record_disclosures(
        [None],
        actor=who.user.id,
        role=role,
        operation="duplicates.read",
        fields="masked",
        at=who.at,
        grid=grid,
        rows=2 * len(page),
    )
    return {"items": pair_lines(page, scope, year=who.at.year), "next": after, "count": rows.count()}


def _pair(pair_id: uuid.UUID, scope: Scope) -> DuplicatePair:
    found: DuplicatePair | None = pairs_in_sight(scope).filter(id=pair_id, status__in=SHOWN).first()
    if found is None:
        raise Refusal("not_found")
    return found


def _picture(pair_id: uuid.UUID, scope: Scope, who: Caller, role: str) -> dict[str, Any]:
    pair = _pair(pair_id, scope)
    told = pair_picture(pair, scope, at=who.at)
    record_disclosures(
        [side["id"] for side in told["sides"] if side["id"] is not None],
        actor=who.user.id,
        role=role,
        operation="duplicates.read",
        fields="masked",
        at=who.at,
        grid=pair.grid,
    )
    return told


@router.get("/register/duplicates/{pair_id}", operation_id="duplicates_one")
@operation("duplicates.read")
def read_pair(request: HttpRequest, pair_id: uuid.UUID) -> dict[str, Any]:
    """Both records beside each other: what agrees, both households, rosters, what may be done."""
    who, scope, role = _caller(request, "duplicates.read")
    return _picture(pair_id, scope, who, role)


@router.post("/register/duplicates/{pair_id}/judge", operation_id="duplicates_judge")
@operation("duplicates.judge")
def judge(request: HttpRequest, pair_id: uuid.UUID, body: Judgement) -> dict[str, Any]:
    """MERGED (the survivor named) or NOT_DUPLICATE, and how it is known."""
    who, scope, role = _caller(request, "duplicates.judge")
    pair = _judgeable(pair_id, scope)
    if body.judgement == PairState.MERGED:
        if body.survivor is None:
            raise Refusal("survivor_not_of_pair")
        merge_pair(pair, survivor=body.survivor, why=body.why, by=who.user.id, at=who.at)
    elif body.judgement == PairState.NOT_DUPLICATE:
        part_pair(pair, why=body.why, by=who.user.id, at=who.at)
    else:
        raise Refusal("judgement_bad")
    return _picture(pair_id, scope, who, role)


@router.post("/register/duplicates/{pair_id}/undo", operation_id="duplicates_undo")
@operation("duplicates.judge")
def undo(request: HttpRequest, pair_id: uuid.UUID) -> dict[str, Any]:
    """Takes a judgement back while nothing was built on it."""
    who, scope, role = _caller(request, "duplicates.judge")
    undo_judgement(_judgeable(pair_id, scope), by=who.user.id, at=who.at)
    return _picture(pair_id, scope, who, role)


def _judgeable(pair_id: uuid.UUID, scope: Scope) -> DuplicatePair:
    """Raises Refusal not_found, pair_outside."""
    pair = _pair(pair_id, scope)
    if not (pair.sees_first and pair.sees_second):  # type: ignore[attr-defined]
        raise Refusal("pair_outside")
    return pair
