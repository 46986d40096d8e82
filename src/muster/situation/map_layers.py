# SPDX-License-Identifier: Apache-2.0
"""Map layers as GeoJSON (RFC 7946, WGS-84): the base, the grids with their coverage, the buildings with what
is left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from muster.campaigns.models import Round, RoundGrid
from muster.campaigns.queries import accounts_of_round
from muster.campaigns.services import written_side
from muster.places.models import Area, Building, Compound, Grid, MapFeature
from muster.places.queries import small_grids_below
from muster.situation.buildings import progress_of
from muster.situation.coverage import certified_grids
from muster.storage.scoping import Scope


def collection(features: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(features)}


def feature(geometry: Any, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def base_layer(area: Area | None) -> dict[str, Any]:
    """Roads, water, green, hard lines and compounds."""
    rows = MapFeature.objects.all()
    if area is not None:
        paths = [int(p) for p in area.path.strip("/").split("/")]
        rows = (
            rows.filter(area__isnull=True)
            | rows.filter(area__path__startswith=area.path)
            | rows.filter(area_id__in=paths)
        )
    features = [feature(f.geometry, kind=f.kind, klass=f.klass, name=f.name) for f in rows.distinct()]
    compounds = Compound.objects.filter(area__path__startswith=area.path if area else "/")
    features += [
        feature(c.geometry, kind="compound", klass=c.kind, name=c.name) for c in compounds if c.geometry
    ]
    return collection(features)


def grid_layer(area: Area | None, level: str, round_: Round | None, *, scope: Scope) -> dict[str, Any]:
    """Grids of a level with their figures of a round."""
    rows = Grid.objects.filter(status="ACTIVE", level=level).select_related("area").order_by("code")
    if area is not None:
        rows = rows.filter(area__path__startswith=area.path)
    accounts = {a.grid: a for a in accounts_of_round(round_.id)} if round_ else {}
    certified = certified_grids(round_) if round_ else set()
    features = []
    for grid in rows:
        small = small_grids_below(grid) if level != "SMALL" else [grid.id]
        if not any(scope.allows(sub_district=grid.sub_district, grid=g) for g in small):
            continue
        told = [accounts[g] for g in small if g in accounts]
        properties = {
            "id": grid.id,
            "name": grid.name,
            "name_en": grid.name_en,
            "code": grid.code,
            "area": grid.area.name,
            "level": grid.level,
            "centre": [grid.lon, grid.lat],
            "certified": bool(small) and set(small) <= certified,
            **_summed(told),
        }
        features.append({**feature(grid.geometry, **properties), "id": grid.id})
    return collection(features)


def _summed(accounts: list[RoundGrid]) -> dict[str, int]:
    return {
        "total": sum(written_side(a) for a in accounts),
        "done": sum(a.n_done for a in accounts),
        "explained": sum(a.n_explained for a in accounts),
        "arranged": sum(a.n_arranged for a in accounts),
        "missing": sum(a.n_open + a.n_unreached for a in accounts),
        "doors": sum(a.doors for a in accounts),
        "never": sum(a.doors - a.doors_seen - a.doors_vacant for a in accounts),
        "fresh": max((int(a.last_fact_at.timestamp()) for a in accounts if a.last_fact_at), default=0),
    }


def building_layer(grids: list[Grid], round_: Round | None, *, scope: Scope) -> dict[str, Any]:
    """Buildings of some grids with what is left in each."""
    ids = [g.id for g in grids]
    rows = list(Building.objects.filter(scope.condition(), grid__in=ids).order_by("grid"))
    progress = progress_of(round_, accounts_of_round(round_.id, ids), rows) if round_ is not None else {}
    return collection(
        feature(
            b.footprint or {"type": "Point", "coordinates": [b.lon, b.lat]},
            id=b.id,
            name=b.name,
            grid=b.grid,
            floors=b.floors,
            kind=b.kind,
            lon=b.lon,
            lat=b.lat,
            **{
                k: v
                for k, v in progress.get(b.id, {}).items()
                if k in {"left", "done", "total", "doors", "seen"}
            },
        )
        for b in rows
    )
