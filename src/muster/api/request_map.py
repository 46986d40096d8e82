# SPDX-License-Identifier: Apache-2.0
"""Requests on the map: a point each, as well as the place is known; nothing of who asked or what was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.http import HttpRequest
from ninja import Router

from muster.api.auth import AUTH, operation
from muster.api.request_rows import in_sight
from muster.places.models import Building, Grid
from muster.places.queries import area as area_with_id
from muster.places.queries import small_grid_ids
from muster.requests.states import OPEN, WAITING
from muster.responders.models import Responder

router = Router(tags=["requests"], auth=AUTH)
# More points than this are a blot, not a picture; the most pressing ones are drawn.
MOST_POINTS = 2_000
_DRAWN = ("id", "number", "urgency", "status", "grid", "building", "lon", "lat")
Point = tuple[float, float]


@router.get("/map/requests.geojson", operation_id="map_requests")
@operation("requests.read")
def requests_layer(request: HttpRequest, area: int | None = None) -> dict[str, Any]:
    """What is open in sight, the most pressing first; those without any place, and more than a map can show,
    are only counted."""
    _, rows = in_sight(request, "requests.read")
    rows = rows.filter(status__in=OPEN)
    if area is not None:
        rows = rows.filter(grid__in=small_grid_ids(area_with_id(area).path))
    pressing = rows.order_by("rank", "respond_by", "number").values_list(*_DRAWN, named=True)
    shown = list(pressing[:MOST_POINTS])
    places = _points(Building, (r.building for r in shown)), _points(Grid, (r.grid for r in shown))
    features = [
        {
            "type": "Feature", "id": str(row.id), "geometry": {"type": "Point", "coordinates": at},
            "properties": {
                "id": str(row.id), "number": row.number, "urgency": row.urgency,
                "waiting": row.status in WAITING,
            },
        }
        for row in shown
        if (at := _point_of(row, *places)) is not None
    ]  # fmt: skip
    return {
        "type": "FeatureCollection", "features": features, "without_place": len(shown) - len(features),
        "beyond": rows.count() - len(shown) if len(shown) == MOST_POINTS else 0,
    }  # fmt: skip


def centres_of_grids(people: Sequence[Responder]) -> dict[int | None, Point]:
    """Where somebody serves is the middle of his grid: no person is followed, and no home is shown."""
    return {**_points(Grid, (one.grid for one in people))}


def _point_of(row: Any, buildings: Mapping[Any, Point], grids: Mapping[Any, Point]) -> Point | None:
    if row.lon is not None and row.lat is not None:
        return row.lon, row.lat
    return buildings.get(row.building) or grids.get(row.grid)


def _points(model: type[Building | Grid], ids: Iterable[Any]) -> dict[Any, Point]:
    wanted = {one for one in ids if one is not None}
    rows = model.objects.filter(id__in=wanted).values_list("id", "lon", "lat")
    return {pk: (lon, lat) for pk, lon, lat in rows if lon is not None and lat is not None}
