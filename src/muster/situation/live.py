# SPDX-License-Identifier: Apache-2.0
"""The live snapshot: one small file per round, written each second by fold, served with its ETag, polled by
screens.
"""

from __future__ import annotations

import os
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from muster.campaigns.models import Round, RoundGrid
from muster.campaigns.services import written_side
from muster.campaigns.states import RoundStatus
from muster.places.models import Grid
from muster.situation.coverage import certified_grids, figures

# [roster, done, arranged, explained, unreached, open, doors, seen, vacant, added, certified, fresh epoch
# seconds]
GRID_COLUMNS = (
    "roster",
    "done",
    "arranged",
    "explained",
    "unreached",
    "open",
    "doors",
    "seen",
    "vacant",
    "added",
    "certified",
    "fresh",
)


def live_path(round_id: uuid.UUID) -> Path:
    return Path(settings.ENVIRONMENT.data) / "live" / f"{round_id}.json"


def snapshot(round_: Round, *, at: datetime) -> dict[str, Any]:
    accounts = list(RoundGrid.objects.filter(round=round_.id))
    certified = certified_grids(round_)
    areas: dict[str, list[int]] = {}
    paths = dict(Grid.objects.filter(id__in=[a.grid for a in accounts]).values_list("id", "area__path"))
    grids = {}
    for account in accounts:
        row = _row(account, account.grid in certified)
        grids[str(account.grid)] = row
        for area in paths.get(account.grid, "").strip("/").split("/"):
            summed = areas.setdefault(area, [0] * len(row))
            for position, value in enumerate(row):
                summed[position] = (
                    max(summed[position], value) if position == len(row) - 1 else summed[position] + value
                )
    return {
        "as_of": at,
        "round": round_.id,
        "status": round_.status,
        "rev": sum(a.rev for a in accounts),
        "columns": GRID_COLUMNS,
        "total": figures(accounts),
        "areas": areas,
        "grids": grids,
    }


def _row(a: RoundGrid, certified: bool) -> list[int]:  # noqa: FBT001 -- a cell of the row
    fresh = int(a.last_fact_at.timestamp()) if a.last_fact_at else 0
    return [
        written_side(a),
        a.n_done,
        a.n_arranged,
        a.n_explained,
        a.n_unreached,
        a.n_open,
        a.doors,
        a.doors_seen,
        a.doors_vacant,
        a.added,
        int(certified),
        fresh,
    ]


def write_snapshots(
    *, at: datetime, last: dict[uuid.UUID, tuple[int, str]]
) -> dict[uuid.UUID, tuple[int, str]]:
    """Writes the snapshot of each running round whose accounts changed since `last`; answers what is written
    now.
    """
    now: dict[uuid.UUID, tuple[int, str]] = {}
    for round_ in Round.objects.exclude(status=RoundStatus.PLANNED):
        picture = snapshot(round_, at=at)
        mark = (picture["rev"], round_.status)
        now[round_.id] = mark
        if last.get(round_.id) != mark or not live_path(round_.id).exists():
            _write(live_path(round_.id), msgspec.json.encode(picture, enc_hook=str))
    return now


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}.new")
    fresh.write_bytes(content)
    fresh.replace(path)
