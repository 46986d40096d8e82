# SPDX-License-Identifier: Apache-2.0
"""Coverage: the equation and the completeness of the list, for a grid, an area, or a whole round."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from muster.campaigns.models import Certificate, Round, RoundGrid
from muster.campaigns.queries import accounts_of_round
from muster.campaigns.services import written_side
from muster.places.models import Area, Grid
from muster.places.queries import areas_under, small_grids_below
from muster.storage.scoping import Scope


def figures(accounts: Iterable[RoundGrid]) -> dict[str, Any]:
    """The figures of some accounts together, in the shape that every screen reads."""
    total: Counter[str] = Counter()
    outcomes: Counter[str] = Counter()
    fresh: datetime | None = None
    for a in accounts:
        total.update(
            frozen=a.frozen,
            added=a.added,
            moved_in=a.moved_in,
            moved_out=a.moved_out,
            roster=written_side(a),
            OPEN=a.n_open,
            DONE=a.n_done,
            ARRANGED=a.n_arranged,
            EXPLAINED=a.n_explained,
            UNREACHED=a.n_unreached,
            doors=a.doors,
            seen=a.doors_seen,
            vacant=a.doors_vacant,
            no_answer=a.doors_no_answer,
            refused=a.doors_refused,
        )
        outcomes.update(a.outcomes)
        if a.last_fact_at and (fresh is None or a.last_fact_at > fresh):
            fresh = a.last_fact_at
    classes = {name: total[name] for name in ("OPEN", "DONE", "ARRANGED", "EXPLAINED", "UNREACHED")}
    summed = sum(classes.values())
    reached = total["seen"] + total["vacant"] + total["refused"] + total["no_answer"]
    return {
        "equation": {
            **{name: total[name] for name in ("frozen", "added", "moved_in", "moved_out", "roster")},
            "classes": classes,
            "sum": summed,
            "balanced": summed == total["roster"],
        },
        "doors": {
            "total": total["doors"],
            **{name: total[name] for name in ("seen", "vacant", "no_answer", "refused")},
            "unseen": total["doors"] - reached,
            "never_reached": total["doors"] - total["seen"] - total["vacant"],
        },
        "found": {"count": total["added"], "rate": round(total["added"] / summed, 4) if summed else 0.0},
        "outcomes": dict(sorted((code, n) for code, n in outcomes.items() if n)),
        "fresh_at": fresh,
    }


def coverage_of_grid(round_: Round, grid: Grid, *, at: datetime) -> dict[str, Any]:
    """A grid of any level; its parts are its children."""
    small = set(small_grids_below(grid))
    accounts = accounts_of_round(round_.id, small)
    answer = _answer(
        round_,
        {"type": "grid", "id": grid.id, "name": grid.name, "name_en": grid.name_en, "level": grid.level},
        accounts,
        at,
    )
    parts = list(Grid.objects.filter(parent=grid, status="ACTIVE").order_by("code"))
    by_grid = {a.grid: a for a in accounts}
    certified = certified_grids(round_)
    answer["children"] = [
        {"type": "grid", "id": part.id, "name": part.name, "name_en": part.name_en, "level": part.level,
         "certified": set(below) <= certified, **figures(by_grid[g] for g in below if g in by_grid)}
        for part in parts
        for below in [small_grids_below(part)]
    ]  # fmt: skip
    return answer


def coverage_of_area(round_: Round, area: Area, *, scope: Scope, at: datetime) -> dict[str, Any]:
    """An area and the areas below it; at the lowest area level its small grids are the children."""
    grids = _grids_under(area, round_, scope)
    accounts = accounts_of_round(round_.id, [g.id for g in grids]) if grids else []
    answer = _answer(
        round_,
        {"type": "area", "id": area.id, "name": area.name, "name_en": area.name_en, "level": area.level},
        accounts,
        at,
    )
    answer["children"] = list(_children(round_, area, grids, {a.grid: a for a in accounts}))
    return answer


def _grids_under(area: Area, round_: Round, scope: Scope) -> Sequence[Grid]:
    rows = (
        Grid.objects.filter(area__path__startswith=area.path, level="SMALL")
        .select_related("area")
        .order_by("code")
    )
    in_round = {a.grid for a in accounts_of_round(round_.id)}
    return [g for g in rows if g.id in in_round and scope.allows(sub_district=g.sub_district, grid=g.id)]


def _children(
    round_: Round, area: Area, grids: Sequence[Grid], by_grid: dict[int, RoundGrid]
) -> Iterable[dict[str, Any]]:
    certified = certified_grids(round_)
    below: dict[int, list[int]] = defaultdict(list)
    for grid in grids:
        parts = [int(p) for p in grid.area.path.strip("/").split("/")]
        position = parts.index(area.id) + 1
        if position < len(parts):
            below[parts[position]].append(grid.id)
    if not below:
        for grid in grids:
            yield {"type": "grid", "id": grid.id, "name": grid.name, "name_en": grid.name_en,
                   "level": grid.level, "code": grid.code, "certified": grid.id in certified,
                   **figures([by_grid[grid.id]])}  # fmt: skip
        return
    for child in areas_under(area.path).filter(id__in=below).order_by("code"):
        ids = below[child.id]
        yield {"type": "area", "id": child.id, "name": child.name, "name_en": child.name_en,
               "level": child.level, "code": child.code, "certified": set(ids) <= certified,
               **figures(by_grid[i] for i in ids)}  # fmt: skip


def _answer(
    round_: Round, scope: dict[str, Any], accounts: Sequence[RoundGrid], at: datetime
) -> dict[str, Any]:
    return {"as_of": at, "round": round_.id, "scope": scope, **figures(accounts)}


def certified_grids(round_: Round) -> set[int]:
    return set(
        Certificate.objects.filter(round=round_.id, withdrawn_at__isnull=True).values_list("grid", flat=True)
    )
