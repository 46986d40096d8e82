# SPDX-License-Identifier: Apache-2.0
"""The table of all planning engines: a row for each case that was measured, read from the result files.

A result may bring its own rows under `table`; for the others there is a reader here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.planning.machine import RESULTS
from muster.planning.engines import NAMES

Result = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """One case: what ours reached, the best known or a bound, how far that is, beside whom, and the goal.

    `peer` says how many times our processor time a peer took (below 1: the peer is faster).
    """

    engine: str
    case: str
    ours: str
    best: str = ""
    gap: str = ""
    seconds: str = ""
    peer: str = ""
    memory_mb: str = ""
    goal: str = ""
    met: bool | None = None


def _said(value: float, digits: int = 3) -> str:
    """Return a figure as people read it: no more digits than tell something."""
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.{digits}g}" if abs(value) < 100 else f"{value:,.0f}"


def _of_allocating(result: Result) -> Iterator[Row]:
    city, one, near = result["city"], result["one_item"], result["near_depots_only"]
    hand = city["in_proportion_unevenness_over_bound"]
    yield _allocated(
        f"{city['areas']:,} areas x {city['items']} items", city["ours"], "exact, gap 0", exact=True
    )
    yield Row(
        "allocating",
        "the same in proportion, nearest depots",
        f"{hand} x the shortage, {_said(city['in_proportion_metres_over_ours'])} x the metres",
        peer=f"{_said(city['by_hand']['in_proportion']['cpu_s'] / city['ours']['cpu_s'])} x by hand",
    )
    ratio = f"{_said(one['or_tools_over_ours_cpu'])} x OR-tools"
    yield _allocated(f"{one['areas']:,} areas, one item", one["ours"], "exact, gap 0", exact=True, peer=ratio)
    yield _allocated(
        f"{near['areas']:,} areas x {near['items']} items, near depots",
        near["ours"],
        "exact, gap 0",
        exact=True,
    )
    small = result["district"]
    ratio = f"{_said(small['highs_over_ours_cpu'])} x HiGHS"
    case = f"{small['areas']} areas x {small['items']} items"
    yield _allocated(case, small["ours"], "exact, gap 0", exact=True, peer=ratio)
    money = result["money"]
    case = f"{money['areas']} areas x {money['items']} items, money for 60 %"
    yield _allocated(case, money["ours"], "gap at most 0.1 %", exact=False)


def _allocated(case: str, ours: Result, goal: str, *, exact: bool, peer: str = "") -> Row:
    proved = ours["gap"] == 0 and ours["metres"] == ours["metres_bound"]
    return Row(
        "allocating",
        case,
        f"shortage {_said(ours['objective'])}",
        _said(ours["bound"]),
        f"{100 * ours['gap']:.4f} %",
        _said(ours["cpu_s"]),
        peer,
        _said(ours["memory_mb"]),
        goal,
        proved if exact else ours["gap"] <= 0.001,
    )


def _of_batching(result: Result) -> Iterator[Row]:
    for kind in ("buildings", "stairwells"):
        for case in result[kind]:
            peer = case.get("cp_sat_over_bound")
            seconds = case["cpu_s"] <= 5.0 or case["units"] < 50_000
            yield Row(
                "batching",
                f"{case['units']:,} {kind} x {case['sites']} sites x 12 slots",
                f"peak {_said(case['peak_permille'] / 1000, 4)}",
                _said(case["bound_permille"] / 1000, 4),
                f"{100 * (case['peak_over_bound'] - 1):.2f} %",
                _said(case["cpu_s"]),
                f"CP-SAT {peer:g} x bound" if peer else "CP-SAT none" if "cp_sat" in case else "",
                _said(case["memory_mb"]) if "memory_mb" in case else "",
                "<= 5 %" + (", <= 5 s" if case["units"] >= 50_000 else ""),
                case["peak_over_bound"] <= 1.05 and seconds,
            )


def _of_dispatching(result: Result) -> Iterator[Row]:
    for case in result["desk"]:
        search = case["search_us"]
        yield Row(
            "dispatching",
            f"one request, {case['people']:,} people",
            f"p50 {search['p50']:g} us, p99 {search['p99']:g} us",
            gap=f"{case['differences']} differences",
            peer=f"{_said(case['tree_us']['p50'] / search['p50'])} x k-d tree",
            goal="p99 <= 10 us",
            met=search["p99"] <= 10.0 and case["differences"] == 0,
        )
    for case in result["many"]:
        saves = case["requests"] >= 10_000
        yield Row(
            "dispatching",
            f"{case['requests']:,} requests at once",
            f"cost {_said(case['objective'])}",
            _said(case["bound"]),
            _gap(case["objective"], case["bound"]),
            _said(case["cpu_s"]),
            f"{_said(1 / case['ours_over_scipy_cpu'])} x scipy",
            goal="saves >= 20 % of the walk" if saves else "gap 0",
            met=case["saved_percent"] >= 20 if saves else case["objective"] == case["bound"],
        )


def _gap(objective: float, bound: float) -> str:
    return f"{100 * abs(objective - bound) / max(1, abs(objective)):.4f} %"


def _of_districting(result: Result) -> Iterator[Row]:
    for name in ("open", "compounds", "compounds_and_rivers"):
        ground, ours = result[name], result[name]["ours"]
        # Where the ground itself allows no less, the least that it allows is the goal.
        most = max(3.0, ours["bound_percent"] * 1.2)
        yield Row(
            "districting",
            f"{ground['buildings']:,} buildings, {name.replace('_', ' ')}",
            f"worst grid {ours['worst_of_all_levels_percent']:.2f} % off",
            f"{ours['bound_percent']:.2f} %",
            f"{ours['loose_pieces']} loose pieces",
            _said(ours["cpu_s"]),
            goal=f"<= {most:.1f} %, 0 loose" if most == 3.0 else f"<= {most:.1f} % (bound x 1.2), 0 loose",
            met=ours["worst_of_all_levels_percent"] <= most and ours["loose_pieces"] == 0,
        )
    for name in ("peers_2000", "peers_20000"):
        for peer in ("gerrychain", "spopt"):
            if peer in result.get(name, {}):
                case, ours = result[name][peer], result[name]["ours"]
                fast = 50 if peer == "gerrychain" and name == "peers_20000" else None
                yield Row(
                    "districting",
                    f"{int(name.split('_')[1]):,} buildings beside {peer}",
                    f"worst grid {ours['worst_percent']:.2f} % off",
                    f"{case['worst_percent']:.2f} % (theirs)",
                    seconds=_said(ours["cpu_s"]),
                    peer=f"{_said(case['cpu_over_ours'])} x {peer}",
                    goal=f">= {fast} x as fast" if fast else "evener",
                    met=case["cpu_over_ours"] >= fast
                    if fast
                    else ours["worst_percent"] <= case["worst_percent"],
                )


def _of_matching(result: Result) -> Iterator[Row]:
    for name in ("city", "district"):
        case = result[name]
        ours = case["ours"]
        times = case["ours_over_pruned_flow_cpu"]
        peer = f"{_said(1 / times)} x pruned OR-tools"
        if "ours_over_highs_cpu" in case:
            peer += f", {_said(1 / case['ours_over_highs_cpu'])} x HiGHS"
        yield Row(
            "matching",
            f"{case['responders']:,} people x {case['grids']:,} grids",
            f"cost {_said(ours['objective'])}",
            _said(ours["bound"]),
            _gap(ours["objective"], ours["bound"]),
            _said(ours["cpu_s"]),
            peer,
            _said(ours["memory_mb"]),
            "gap 0, <= 15 x pruned, <= 2 GB",
            ours["objective"] == ours["bound"] and times <= 15 and ours["memory_mb"] <= 2_000,
        )


def _of_network(result: Result) -> Iterator[Row]:
    matrix = result["matrix"]
    for peer, least in (("networkit", 50), ("scipy", 150)):
        times = matrix[f"{peer}_over_query_cpu"]
        differs = matrix[f"largest_difference_to_{peer}"]
        yield Row(
            "network",
            f"{matrix['sources_x_targets']} walks, {matrix['nodes']:,} corners",
            f"{_said(matrix['pairs_per_cpu_second'] / 1e6)} M pairs a second",
            gap=f"largest difference {differs}",
            seconds=_said(matrix["query"]["cpu_s"]),
            peer=f"{_said(times)} x {peer}",
            memory_mb=_said(result["memory_mb"]),
            goal=f"exact, >= {least} x {peer}",
            met=times >= least and differs == 0,
        )
    walk = result["walk_of_300_doors"]
    yield Row(
        "network",
        "walk of 300 doors",
        f"{walk['length_m']:,} m",
        gap=f"{walk['percent_above_bound']:.2f} % above the bound",
        seconds=_said(walk["cpu_s"]),
    )


def _of_rostering(result: Result) -> Iterator[Row]:
    cases = result.get("curtois_qu", {})
    for name in sorted(cases, key=lambda name: (len(name), name)):
        case = cases[name]
        ours, peer = case["ours"], case["cp_sat"]
        than = ours["objective"] <= peer["objective"] if peer["objective"] is not None else True
        yield Row(
            "rostering",
            f"Curtois-Qu {name}",
            f"cost {_said(ours['objective'])}, bound {_said(ours['bound'])}",
            _said(case["best_known"]),
            f"{ours['gap_percent']:.2f} %",
            _said(ours["cpu_s"]),
            "CP-SAT " + ("none" if peer["gap_percent"] is None else f"{peer['gap_percent']:.2f} %"),
            _said(ours["memory_mb"]) if "memory_mb" in ours else "",
            "<= CP-SAT, <= 3 %",
            than and ours["gap_percent"] <= 3,
        )
    if result.get("curtois_qu"):
        mean = result["curtois_qu_means"]["mean_gap_percent"]
        case = f"Curtois-Qu, mean of {len(result['curtois_qu'])}"
        yield Row("rostering", case, f"gap {mean:.2f} %", gap=f"{mean:.2f} %", goal="<= 2 %", met=mean <= 2)
    if "city" in result:
        city = result["city"]
        yield Row(
            "rostering",
            f"a week of {city['gates']:,} gates, {city['people']:,} people",
            f"{city['missing']:,} of {city['places']:,} places missing",
            gap=_gap(city["objective"], city["bound"]),
            seconds=_said(city["cpu_s"]),
            memory_mb=_said(city["memory_mb"]),
            goal="no rule broken",
            met=city["rules_broken"] == 0,
        )


def _of_siting(result: Result) -> Iterator[Row]:
    for name in ("Delmaire", "Holmberg"):
        found = result.get("every_table", {}).get(name)
        if found:
            yield Row(
                "siting",
                f"{name}, all {found['instances']} tables",
                f"{found['at_best']} at the best known cost, {found['proved']} proved",
                gap=f"at most {found['worst']:.2f} %",
                goal="<= 1 % each",
                met=not found["beyond_1_percent"],
            )
    if "medians" in result:
        found = result["medians"]
        yield Row(
            "siting",
            f"p-median, {found['instances']} graphs",
            f"{found['optimal']} at the best known",
            gap=_worst(found["rows"], "above_best"),
            seconds=f"at most {_said(found['slowest_cpu_s'])}",
            goal=">= 19 of 20, 2 s each",
            met=found["optimal"] >= found["instances"] - 1 and found["slowest_cpu_s"] <= 2,
        )
    for library in ("Lib_1", "Lib_2"):
        rows = result.get("tables", {}).get(library, [])
        if rows:
            peers = (("CP-SAT", "cp_sat_above_best"), ("HiGHS", "highs_above_best"))
            yield Row(
                "siting",
                f"single sources, {library}, {len(rows)} hard tables",
                f"worst {_worst(rows, 'above_best')} above the best known",
                gap=_worst(rows, "above_best"),
                peer=", ".join(f"{name} {_worst(rows, key)}" for name, key in peers if key in rows[0]),
                goal="<= 1 %",
                met=all(row["above_best"] is not None and row["above_best"] <= 1 for row in rows),
            )
    for case in result.get("city", []):
        kind = "" if not case["slack"] else ", room, may split" if case["may_split"] else ", room"
        yield Row(
            "siting",
            f"a city, {case['open']} sites open{kind}",
            f"mean walk {case['mean_walk_m']:g} m",
            gap="no bound" if case["gap"] is None else f"{case['gap']:.3f} %",
            seconds=_said(case["cpu_s"]),
            memory_mb=_said(result["memory_mb"]),
            goal="<= 0.5 %, 60 s",
            met=case["gap"] is not None and case["gap"] <= 0.5,
        )


def _worst(rows: Iterable[Result], name: str) -> str:
    """Return the largest of some gaps; `none` when one has no answer."""
    values = [row.get(name) for row in rows]
    numbers = [value for value in values if value is not None]
    return f"{max(numbers):.2f} %" if len(numbers) == len(values) else "none"


def _own_rows(engine: str, rows: Iterable[Result]) -> Iterator[Row]:
    """Read the rows that a result brings; columns that are not ours are left out."""
    known = {field.name for field in fields(Row)} - {"engine", "met"}
    for row in rows:
        texts = {name: str(value) for name, value in row.items() if name in known and value is not None}
        met = row.get("met")
        yield Row(
            engine,
            texts.pop("case", ""),
            texts.pop("ours", ""),
            **texts,
            met=met if met is None else bool(met),
        )


READERS: dict[str, Callable[[Result], Iterator[Row]]] = {
    "allocating": _of_allocating,
    "batching": _of_batching,
    "dispatching": _of_dispatching,
    "districting": _of_districting,
    "matching": _of_matching,
    "network": _of_network,
    "rostering": _of_rostering,
    "siting": _of_siting,
}


def rows_of(engine: str, folder: Path = RESULTS) -> list[Row]:
    """Return the rows of an engine; one that says so when there is no result, or none that can be read."""
    path = folder / f"{engine}.json"
    if not path.exists():
        return [Row(engine, "not measured", "no result file")]
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
        if "table" in result:
            rows = list(_own_rows(engine, result["table"]))
        else:
            rows = list(READERS[engine](result))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return [Row(engine, "not readable", f"{path.name}: {type(error).__name__} {error}")]
    return rows or [Row(engine, "not measured", f"{path.name} has no case")]


def table(folder: Path = RESULTS, engines: Iterable[str] = NAMES) -> list[Row]:
    """Return the rows of all engines, in order of their names."""
    return [row for engine in engines for row in rows_of(engine, folder)]


_HEADS = {
    "engine": "engine",
    "case": "case",
    "ours": "ours",
    "best": "best known, bound",
    "gap": "gap",
    "seconds": "cpu s",
    "peer": "peer's time / ours",
    "memory_mb": "MB",
    "goal": "goal",
    "met": "",
}


def as_text(rows: Iterable[Row]) -> str:
    """Return the table with columns under each other."""
    cells = [[_cell(value) for value in asdict(row).values()] for row in rows]
    lines = [list(_HEADS.values()), *cells]
    widths = [max(len(line[n]) for line in lines) for n in range(len(_HEADS))]
    text = [
        "  ".join(part.ljust(width) for part, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], "-" * min(sum(widths) + 2 * len(widths), 200), *text[1:]])


def _cell(value: str | bool | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else "met" if value else "MISSED"
