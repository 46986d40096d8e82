# SPDX-License-Identifier: Apache-2.0
"""Making an allocating problem from columns by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Floats, Ints, Longs
from muster.planning._kernel.geodesy import FlatMap
from muster.planning.allocating.problem import (
    MOST_LANES,
    MOST_METRES,
    MOST_NEEDS,
    NO_LANE,
    Items,
    Limits,
    Needs,
    Problem,
    Promises,
    Stock,
    require_lawful,
)
from muster.planning.allocating.urgency import MOST_WEIGHT
from muster.planning.contract import BadProblem

Columns = Mapping[str, Any]


def make_problem(
    *,
    items: Columns,
    sources: Columns,
    areas: Columns,
    stock: Columns,
    needs: Columns,
    lanes: Columns | None = None,
    reach_m: int | None = None,
    detour_permille: int = 1_000,
    stand_ins: Columns | None = None,
    limits: Columns | None = None,
    uses: Columns | None = None,
    pins: Columns | None = None,
) -> Problem:
    """Return a problem from columns. Raises BadProblem.

    Columns: items name, pack, weight; sources name and areas name, weight with x_m, y_m or lon, lat; stock
    source, item, units; needs area, item, units, least, weight; lanes source, area, metres (only these ways
    are open then); stand_ins item, by, extra_m; limits name, amount; uses limit, source, item, each; pins
    area, item, source, packs, given. Weights are in percent. Without `reach_m` every source reaches all.
    """
    goods = Items(_names("items", items), _numbers("items", items, "name", "pack", 1))
    givers, takers = _names("sources", sources), _names("areas", areas)
    if not goods.size:
        raise BadProblem("name", "items", "planning.cure.not_empty")
    item_of, source_of, area_of = _index(goods.names), _index(givers), _index(takers)
    wanted = _needs(needs, items, areas, item_of, area_of)
    rows = _stock(stock, source_of, item_of, goods.pack)
    if len(givers) * len(takers) > MOST_LANES:
        facts = {"given": len(givers) * len(takers), "limit": MOST_LANES}
        raise BadProblem("lanes", "", "planning.allocating.too_many_lanes", **facts)
    if lanes is None:
        metres = _straight(sources, areas, detour_permille)
    else:
        metres = _listed(lanes, source_of, area_of)
    if reach_m is not None:
        metres = np.where(metres > reach_m, NO_LANE, metres).astype(np.int32)
    stock_of = {key: n for n, key in enumerate(zip(rows.source.tolist(), rows.item.tolist(), strict=True))}
    need_of = {key: n for n, key in enumerate(zip(wanted.area.tolist(), wanted.item.tolist(), strict=True))}
    problem = Problem(
        items=goods,
        sources=givers,
        areas=takers,
        metres=metres,
        stock=rows,
        needs=wanted,
        limits=_limits(limits or {}, uses or {}, source_of, item_of, stock_of),
        promises=_promises(pins or {}, area_of, item_of, source_of, (need_of, stock_of)),
        stands_in=_stand_ins(stand_ins or {}, item_of, goods.pack),
    )
    require_lawful(problem)
    return problem


def _names(where: str, columns: Columns) -> tuple[str, ...]:
    if "name" not in columns:
        raise BadProblem("name", where, "planning.cure.present")
    names = tuple(columns["name"])
    if len(set(names)) < len(names):
        seen: set[str] = set()
        for number, name in enumerate(names):
            if name in seen:
                raise BadProblem(f"name[{number}]", where, "planning.cure.once", name=name)
            seen.add(name)
    return names


def _index(names: Sequence[str]) -> dict[str, int]:
    return {name: number for number, name in enumerate(names)}


def _numbers(where: str, columns: Columns, first: str, name: str, otherwise: int) -> Longs:
    """Return a column of whole numbers as long as the first one."""
    size = len(columns.get(first, ()))
    if columns.get(name) is None:
        return np.full(size, otherwise, np.int64)
    if len(columns[name]) != size:
        raise BadProblem(name, where, "planning.cure.same_length", fields=f"{first}, {name}")
    return np.asarray(columns[name], np.int64).reshape(-1)


def _looked_up(where: str, columns: Columns, first: str, name: str, known: Mapping[str, int]) -> Ints:
    """Return a column of names as numbers."""
    values = columns.get(name, ())
    if len(values) != len(columns.get(first, ())):
        raise BadProblem(name, where, "planning.cure.same_length", fields=f"{first}, {name}")
    try:
        return np.asarray([known[value] for value in values], np.int32)
    except KeyError:
        row = next(row for row, value in enumerate(values) if value not in known)
        raise BadProblem(f"{name}[{row}]", where, "planning.cure.known", name=values[row]) from None


def _require_pairs_once(where: str, pairs: Longs, names: Sequence[str]) -> None:
    """Refuse rows that stand twice; `names` are the fields that make a row."""
    order = np.argsort(pairs, kind="stable")
    twice = np.flatnonzero(np.diff(pairs[order]) == 0)
    if len(twice):
        row = int(order[twice[0] + 1])
        first = int(order[twice[0]])
        raise BadProblem(
            f"[{row}]", where, "planning.allocating.row_twice", row=first, fields=", ".join(names)
        )


def _needs(
    needs: Columns,
    items: Columns,
    areas: Columns,
    item_of: Mapping[str, int],
    area_of: Mapping[str, int],
) -> Needs:
    area = _looked_up("needs", needs, "area", "area", area_of)
    item = _looked_up("needs", needs, "area", "item", item_of)
    units = _numbers("needs", needs, "area", "units", 0)
    if len(units) > MOST_NEEDS:
        facts = {"given": len(units), "limit": MOST_NEEDS}
        raise BadProblem("needs", "", "planning.allocating.too_many_needs", **facts)
    _require_pairs_once("needs", area.astype(np.int64) * len(item_of) + item, ("area", "item"))
    least = _numbers("needs", needs, "area", "least", 0)
    over = np.flatnonzero(least > units)
    if len(over):
        row = int(over[0])
        facts = {"least": int(least[row]), "units": int(units[row])}
        raise BadProblem(f"least[{row}]", "needs", "planning.allocating.least_above_need", **facts)
    weight = _numbers("needs", needs, "area", "weight", 100)
    weight = weight * _numbers("areas", areas, "name", "weight", 100)[area]
    weight = weight * _numbers("items", items, "name", "weight", 100)[item] // 100
    return Needs(area, item, units, least, np.clip(weight, 1, MOST_WEIGHT))


def _stock(stock: Columns, source_of: Mapping[str, int], item_of: Mapping[str, int], pack: Longs) -> Stock:
    source = _looked_up("stock", stock, "source", "source", source_of)
    item = _looked_up("stock", stock, "source", "item", item_of)
    units = _numbers("stock", stock, "source", "units", 0)
    _require_pairs_once("stock", source.astype(np.int64) * len(item_of) + item, ("source", "item"))
    return Stock(source, item, units // pack[item])


def _straight(sources: Columns, areas: Columns, detour_permille: int) -> Ints:
    """Return metres by area and source along straight lines, times the detour."""
    givers, takers = len(sources["name"]), len(areas["name"])
    if not givers or not takers:
        return np.zeros((takers, givers), np.int32)
    spots = [_spot(where, columns) for where, columns in (("sources", sources), ("areas", areas))]
    if spots[0][2] != spots[1][2]:
        raise BadProblem("x_m", "areas", "planning.allocating.same_positions")
    (from_x, from_y, in_degrees), (to_x, to_y, _) = spots
    if in_degrees:
        flat = FlatMap.around(np.concatenate((from_x, to_x)), np.concatenate((from_y, to_y)))
        from_x, from_y = flat.place(from_x, from_y)
        to_x, to_y = flat.place(to_x, to_y)
    far = np.hypot(to_x[:, None] - from_x[None, :], to_y[:, None] - from_y[None, :])
    far = np.floor(far * (detour_permille / 1_000) + 0.5)
    if far.max(initial=0) > MOST_METRES:
        area, source = np.unravel_index(int(np.argmax(far)), far.shape)
        names = {"source": sources["name"][source], "area": areas["name"][area]}
        facts = {"metres": int(far.max()), "limit": MOST_METRES}
        raise BadProblem("x_m", "areas", "planning.allocating.too_far", **names, **facts)
    return np.asarray(far, np.int32)


def _spot(where: str, columns: Columns) -> tuple[Floats, Floats, bool]:
    in_degrees = columns.get("lon") is not None
    pair = ("lon", "lat") if in_degrees else ("x_m", "y_m")
    for name in pair:
        if columns.get(name) is None:
            raise BadProblem(name, where, "planning.allocating.where_it_is")
        if len(columns[name]) != len(columns["name"]):
            raise BadProblem(name, where, "planning.cure.same_length", fields=f"name, {name}")
    x, y = (np.asarray(columns[name], np.float64).reshape(-1) for name in pair)
    return x, y, in_degrees


def _listed(lanes: Columns, source_of: Mapping[str, int], area_of: Mapping[str, int]) -> Ints:
    source = _looked_up("lanes", lanes, "source", "source", source_of)
    area = _looked_up("lanes", lanes, "source", "area", area_of)
    far = _numbers("lanes", lanes, "source", "metres", 0)
    _require_pairs_once("lanes", area.astype(np.int64) * len(source_of) + source, ("source", "area"))
    metres = np.full((len(area_of), len(source_of)), NO_LANE, np.int32)
    metres[area, source] = far
    return metres


def _stand_ins(stand_ins: Columns, item_of: Mapping[str, int], pack: Longs) -> dict[tuple[int, int], int]:
    asked = _looked_up("stand_ins", stand_ins, "item", "item", item_of)
    given = _looked_up("stand_ins", stand_ins, "item", "by", item_of)
    extra = _numbers("stand_ins", stand_ins, "item", "extra_m", 0)
    found: dict[tuple[int, int], int] = {}
    for row, pair in enumerate(zip(asked.tolist(), given.tolist(), strict=True)):
        if pair[0] == pair[1] or pair in found:
            raise BadProblem(f"by[{row}]", "stand_ins", "planning.cure.once", name=stand_ins["by"][row])
        if pack[pair[0]] != pack[pair[1]]:
            facts = {"item": stand_ins["item"][row], "pack": int(pack[pair[0]])}
            more = {"by": stand_ins["by"][row], "by_pack": int(pack[pair[1]])}
            raise BadProblem(f"by[{row}]", "stand_ins", "planning.allocating.other_pack", **facts, **more)
        found[pair] = int(extra[row])
    return found


def _limits(
    limits: Columns,
    uses: Columns,
    source_of: Mapping[str, int],
    item_of: Mapping[str, int],
    stock_of: Mapping[tuple[int, int], int],
) -> Limits:
    names = _names("limits", limits) if limits else ()
    amount = _numbers("limits", limits, "name", "amount", 0)
    limit = _looked_up("uses", uses, "limit", "limit", _index(names))
    source = _looked_up("uses", uses, "limit", "source", source_of)
    item = _looked_up("uses", uses, "limit", "item", item_of)
    each = _numbers("uses", uses, "limit", "each", 0)
    stock = _rows_of("uses", source, item, stock_of)
    _require_pairs_once(
        "uses", stock.astype(np.int64) * max(1, len(names)) + limit, ("limit", "source", "item")
    )
    return Limits(names, amount, limit, stock, each)


def _rows_of(where: str, source: Ints, item: Ints, stock_of: Mapping[tuple[int, int], int]) -> Ints:
    pairs = list(zip(source.tolist(), item.tolist(), strict=True))
    for row, pair in enumerate(pairs):
        if pair not in stock_of:
            raise BadProblem(f"source[{row}]", where, "planning.allocating.no_such_stock")
    return np.asarray([stock_of[pair] for pair in pairs], np.int32)


def _promises(
    pins: Columns,
    area_of: Mapping[str, int],
    item_of: Mapping[str, int],
    source_of: Mapping[str, int],
    rows: tuple[Mapping[tuple[int, int], int], Mapping[tuple[int, int], int]],
) -> Promises:
    need_of, stock_of = rows
    area = _looked_up("pins", pins, "area", "area", area_of)
    item = _looked_up("pins", pins, "area", "item", item_of)
    source = _looked_up("pins", pins, "area", "source", source_of)
    has_given = pins.get("given") is not None
    given = _looked_up("pins", pins, "area", "given", item_of) if has_given else item
    pairs = list(zip(area.tolist(), item.tolist(), strict=True))
    for row, pair in enumerate(pairs):
        if pair not in need_of:
            raise BadProblem(f"area[{row}]", "pins", "planning.allocating.no_such_need")
    stock = _rows_of("pins", source, given, stock_of).astype(np.int64)
    need = np.asarray([need_of[pair] for pair in pairs], np.int64)
    _require_pairs_once("pins", need * max(1, len(stock_of)) + stock, ("area", "item", "source", "given"))
    return Promises(need, stock, _numbers("pins", pins, "area", "packs", 1))
