# SPDX-License-Identifier: Apache-2.0
"""Where I live: by the number of my door's card, by a point on a map, or by the address that I type.

What the map draws is public ground: houses and roads of one community, and where communities lie. Nothing of
anybody who lives there goes out, and a card's number opens nothing: it only says which door is meant.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from django.db.models import Avg, Max, Min
from django.http import HttpRequest, HttpResponse

from muster.api.resident import rush
from muster.api.resident.visiting import Visit, typed
from muster.base.errors import Refusal
from muster.places.models import Area, Building, Grid, MapFeature
from muster.places.states import GridLevel, GridStatus
from muster.responders.homes import Home, find_home
from muster.responders.spots import home_at_spot, home_of_door, read_spot
from muster.sheets.cards import door_of_card

OF_CARD = frozenset({"card_unknown", "codes_guessed"})
# Cards wrongly typed from one address: a list of their own, so that codes and cards do not use each other up.
wrong_cards = rush.Counter(rush.WRONG_CODES)
KEPT_SECONDS, MOST_KEPT = 300.0, 64
MOST_HOUSES, MOST_COMMUNITIES, MOST_LINES = 1_500, 5_000, 400
# The map goes so far beyond the outermost houses.
_BESIDE = 0.001


def home_of(visit: Visit, community: Area | None) -> Home:
    """The card is the surest, then the point, then what was typed; what was typed is kept beside either.

    Raises:
        Refusal: card_unknown, codes_guessed, spot_bad, spot_nowhere.
    """
    assert visit.pack is not None
    address = typed(visit.request, "address", 200)
    if card := typed(visit.request, "card", 200).strip():
        return _home_of_card(visit, card, text=address.strip())
    if spot := typed(visit.request, "spot", 60).strip():
        return home_at_spot(read_spot(spot), area=community, text=address.strip())
    return find_home(community, address, address_form=visit.pack.address.form)


def _home_of_card(visit: Visit, card: str, *, text: str) -> Home:
    assert visit.incident is not None
    sender = rush.address_of(visit.request)
    if wrong_cards.is_over(sender):
        raise Refusal("codes_guessed")
    try:
        home = home_of_door(door_of_card(card, incident=visit.incident.id), text=text)
    except Refusal:
        wrong_cards.count(sender)
        raise
    if home is None:
        raise Refusal("card_unknown")
    return home


# ---- the map --------------------------------------------------------------------------------------


def script(_request: HttpRequest) -> HttpResponse:
    """The map's script: nothing of it runs before somebody presses its button."""
    answer = HttpResponse(_script(), content_type="text/javascript; charset=utf-8")
    answer["Cache-Control"] = "public, max-age=600"
    return answer


@cache
def _script() -> bytes:
    return (Path(__file__).parent / "map.js").read_bytes()


def map_of(request: HttpRequest) -> HttpResponse:
    """Where communities lie, or the houses and roads of one."""
    said = request.GET.get("community", "")
    chosen = int(said) if said.isascii() and said.isdecimal() and len(said) < 19 else 0
    answer = HttpResponse(_kept_map(chosen), content_type="application/json")
    answer["Cache-Control"] = "public, max-age=300"
    return answer


_kept: dict[int, tuple[float, bytes]] = {}


def _kept_map(chosen: int) -> bytes:
    until, kept = _kept.get(chosen, (0.0, b""))
    if until < time.monotonic():
        kept = msgspec.json.encode(_community(chosen) if chosen else _communities())
        if len(_kept) >= MOST_KEPT:
            _kept.clear()
        _kept[chosen] = (time.monotonic() + KEPT_SECONDS, kept)
    return kept


def forget_maps() -> None:
    _kept.clear()
    wrong_cards.forget()


def _communities() -> dict[str, Any]:
    """Each community that has grids: in their middle."""
    grids = Grid.objects.filter(level=GridLevel.SMALL, status=GridStatus.ACTIVE, lon__isnull=False)
    middles = grids.values("area").annotate(x=Avg("lon"), y=Avg("lat")).order_by("area")[:MOST_COMMUNITIES]
    found = {row["area"]: (_near(row["x"]), _near(row["y"])) for row in middles}
    named = Area.objects.filter(id__in=found).values_list("id", "name", "name_en")
    return {"communities": [[one, name, en or name, *found[one]] for one, name, en in named.order_by("code")]}


def _community(chosen: int) -> dict[str, Any]:
    """Houses by name and middle, with their outline where there are not too many; roads around them."""
    houses = Building.objects.filter(area=chosen, lon__isnull=False, lat__isnull=False)
    edges = houses.aggregate(w=Min("lon"), e=Max("lon"), s=Min("lat"), n=Max("lat"))
    if edges["w"] is None:
        return {"houses": [], "lines": []}
    rows = houses.order_by("walk_order", "code").values_list("name", "street", "lon", "lat", "footprint")
    box = (edges["w"] - _BESIDE, edges["s"] - _BESIDE, edges["e"] + _BESIDE, edges["n"] + _BESIDE)
    return {
        "houses": [
            [f"{street}{name}" if street and street not in name else name, _near(lon), _near(lat),
             _ring(footprint)]
            for name, street, lon, lat, footprint in rows[:MOST_HOUSES]
        ],
        "lines": _lines(chosen, box),
    }  # fmt: skip


def _lines(chosen: int, box: tuple[float, float, float, float]) -> list[list[list[float]]]:
    """Roads and water that pass through the box."""
    area = Area.objects.filter(id=chosen).first()
    above = [int(part) for part in area.path.strip("/").split("/")] if area is not None else []
    rows = MapFeature.objects.filter(area__in=above, kind__in=["road", "river", "water"])
    found = []
    for shape in rows.values_list("geometry", flat=True).iterator():
        if shape.get("type") != "LineString":
            continue
        points = shape["coordinates"]
        if _passes(points, box):
            found.append([[_near(lon), _near(lat)] for lon, lat, *_ in points])
            if len(found) == MOST_LINES:
                break
    return found


def _passes(points: list[list[float]], box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = box
    lons, lats = [p[0] for p in points], [p[1] for p in points]
    return max(lons) >= west and min(lons) <= east and max(lats) >= south and min(lats) <= north


def _ring(footprint: Any) -> list[list[float]]:
    if not isinstance(footprint, dict) or footprint.get("type") != "Polygon":
        return []
    return [[_near(lon), _near(lat)] for lon, lat, *_ in footprint["coordinates"][0]]


def _near(degrees: float | None) -> float:
    """To a decimetre: more says nothing."""
    return round(degrees or 0.0, 6)
