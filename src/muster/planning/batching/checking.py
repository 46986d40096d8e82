# SPDX-License-Identifier: Apache-2.0
"""Looking over a batch plan with other means than those that made it: one function for each hard rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from math import dist

from muster.planning.batching.plan import Plan
from muster.planning.batching.problem import Problem
from muster.planning.contract import Violation

_EXAMPLES = 20
# By unit: its cell in the plan.
Cells = Sequence[int]


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return what is wrong with the plan; an empty list means that it keeps every rule."""
    found = each_unit_once(problem, plan) or cells_are_known(problem, plan)
    if found:
        return found
    rows = {name: row for row, name in enumerate(plan.units)}
    order = [rows[name] for name in problem.units.names]
    site_of = {name: number for number, name in enumerate(problem.sites.names)}
    slot_of = {name: number for number, name in enumerate(problem.slots.names)}
    cells = [site_of[plan.site_of[row]] * problem.slots.size + slot_of[plan.slot_of[row]] for row in order]
    calls = [int(plan.call_min[row]) for row in order]
    places = [int(plan.order[row]) for row in order]
    return [
        *cell_is_open(problem, cells),
        *cell_is_a_choice(problem, cells),
        *pin_is_kept(problem, cells),
        *call_is_in_the_slot(problem, cells, calls),
        *calls_follow_the_order(problem, cells, calls, places),
        *sites_begin_apart(problem, cells, calls),
        *batches_are_as_the_units(problem, plan, cells, calls, places),
        *objective_adds_up(problem, plan, cells),
        *bound_is_proved(problem, plan),
    ]


def each_unit_once(problem: Problem, plan: Plan) -> list[Violation]:
    """Every unit stands in the plan exactly once, and no other."""
    listed, wanted = Counter(plan.units), Counter(problem.units.names)
    different = sorted(name for name in listed | wanted if listed[name] != wanted[name])
    return [
        Violation("each_unit_once", name, {"times": listed[name], "expected": wanted[name]})
        for name in different[:_EXAMPLES]
    ]


def cells_are_known(problem: Problem, plan: Plan) -> list[Violation]:
    """Sites and slots are those of the problem."""
    strange = set(plan.site_of) - set(problem.sites.names) | set(plan.slot_of) - set(problem.slots.names)
    return [Violation("cells_are_known", name) for name in sorted(strange)[:_EXAMPLES]]


def cell_is_open(problem: Problem, cells: Cells) -> list[Violation]:
    """Nobody is sent to a site that is closed then."""
    lanes = problem.lanes_of_cells()
    return [
        Violation(
            "cell_is_open",
            problem.units.names[unit],
            dict(zip(("site", "slot"), problem.cell_name(cell), strict=True)),
        )
        for unit, cell in enumerate(cells)
        if lanes[cell] == 0
    ][:_EXAMPLES]


def cell_is_a_choice(problem: Problem, cells: Cells) -> list[Violation]:
    """Units go where they can walk, when they can come."""
    first, choice = problem.choices.first, problem.choices.cell
    found = []
    for unit, cell in enumerate(cells):
        if unit not in problem.pins and cell not in choice[first[unit] : first[unit + 1]]:
            site, slot = problem.cell_name(cell)
            found.append(
                Violation("cell_is_a_choice", problem.units.names[unit], {"site": site, "slot": slot})
            )
    return found[:_EXAMPLES]


def pin_is_kept(problem: Problem, cells: Cells) -> list[Violation]:
    """What a person fixed stays."""
    return [
        Violation("pin_is_kept", problem.units.names[unit])
        for unit, cell in sorted(problem.pins.items())
        if cells[unit] != cell
    ][:_EXAMPLES]


def call_is_in_the_slot(problem: Problem, cells: Cells, calls: Sequence[int]) -> list[Violation]:
    """A unit is called within its slot."""
    found = []
    for unit, cell in enumerate(cells):
        slot = cell % problem.slots.size
        start = int(problem.slots.start_min[slot])
        if not start <= calls[unit] < start + int(problem.slots.minutes[slot]):
            found.append(
                Violation("call_is_in_the_slot", problem.units.names[unit], {"call_min": calls[unit]})
            )
    return found[:_EXAMPLES]


def calls_follow_the_order(
    problem: Problem, cells: Cells, calls: Sequence[int], places: Sequence[int]
) -> list[Violation]:
    """The units of a batch have places 0, 1, 2 …, and nobody later in the order is called earlier."""
    batches = defaultdict(list)
    for unit, cell in enumerate(cells):
        batches[cell].append((places[unit], calls[unit]))
    found = []
    for cell, batch in sorted(batches.items()):
        batch.sort()
        in_order = all(a[1] <= b[1] for a, b in pairwise(batch))
        if [place for place, _ in batch] != list(range(len(batch))) or not in_order:
            site, slot = problem.cell_name(cell)
            found.append(Violation("calls_follow_the_order", site, {"slot": slot}))
    return found[:_EXAMPLES]


def sites_begin_apart(problem: Problem, cells: Cells, calls: Sequence[int]) -> list[Violation]:
    """In no slot do more sites begin in one minute than an even spread over the stagger makes unavoidable."""
    first_call: dict[int, int] = {}
    for unit, cell in enumerate(cells):
        first_call[cell] = min(calls[unit], first_call.get(cell, calls[unit]))
    together: Counter[tuple[int, int]] = Counter()
    for cell, call in first_call.items():
        together[cell % problem.slots.size, call] += 1
    found = []
    for (slot, call), sites in sorted(together.items()):
        spread = min(problem.stagger_min, int(problem.slots.minutes[slot]) - 1) + 1
        most = -(-problem.sites.size // max(1, spread))
        if sites > most:
            facts = {"minute": call, "sites": sites, "most": most}
            found.append(Violation("sites_begin_apart", problem.slots.names[slot], facts))
    return found[:_EXAMPLES]


def batches_are_as_the_units(
    problem: Problem, plan: Plan, cells: Cells, calls: Sequence[int], places: Sequence[int]
) -> list[Violation]:
    """Each batch has the people of its units, begins with the first call, and walks in their order."""
    members: dict[int, list[int]] = defaultdict(list)
    for unit, cell in enumerate(cells):
        members[cell].append(unit)
    wanted = {}
    for cell, units in members.items():
        units.sort(key=lambda unit: places[unit])
        at = (problem.sites.x_m[cell // problem.slots.size], problem.sites.y_m[cell // problem.slots.size])
        spots = [at, *((problem.units.x_m[unit], problem.units.y_m[unit]) for unit in units)]
        wanted[problem.cell_name(cell)] = (
            sum(int(problem.units.people[unit]) for unit in units),
            min(calls[unit] for unit in units),
            sum(round(dist(a, b)) for a, b in pairwise(spots)),
        )
    own = plan.batches
    figures = zip(own.people.tolist(), own.begins_min.tolist(), own.route_m.tolist(), strict=True)
    stated = dict(zip(zip(own.site, own.slot, strict=True), figures, strict=True))
    names = [name for name in sorted(wanted.keys() | stated.keys()) if not _alike(wanted, stated, name)]
    return [Violation("batches_are_as_the_units", site, {"slot": slot}) for site, slot in names[:_EXAMPLES]]


def _alike(
    wanted: Mapping[tuple[str, str], tuple[int, ...]],
    stated: Mapping[tuple[str, str], tuple[int, ...]],
    name: tuple[str, str],
) -> bool:
    """Tell whether the figures of a batch agree; a walk may differ by a metre, as halves round either way."""
    if name not in wanted or name not in stated:
        return False
    return wanted[name][:2] == stated[name][:2] and abs(wanted[name][2] - stated[name][2]) <= 1


def objective_adds_up(problem: Problem, plan: Plan, cells: Cells) -> list[Violation]:
    """The objective is the most people at a lane."""
    load: Counter[int] = Counter()
    for unit, cell in enumerate(cells):
        load[cell] += int(problem.units.people[unit])
    lanes = problem.lanes_of_cells()
    peak = max((-(-1000 * people // max(1, int(lanes[cell]))) for cell, people in load.items()), default=0)
    if peak == plan.objective:
        return []
    return [Violation("objective_adds_up", "", {"stated": plan.objective, "found": peak})]


def bound_is_proved(problem: Problem, plan: Plan) -> list[Violation]:
    """The bottleneck forces the bound: its people can go nowhere else, or its unit fits no cell better."""
    proved = _by_unit(problem, plan.bottleneck_unit) if plan.bottleneck_unit else _by_cells(problem, plan)
    if proved is not None and -(-1000 * proved.numerator // proved.denominator) >= plan.bound:
        return []
    facts = {"stated": plan.bound, "proved": round(1000 * float(proved or 0))}
    return [Violation("bound_is_proved", "", facts)]


def _choices(problem: Problem, unit: int) -> list[int]:
    if unit in problem.pins:
        return [problem.pins[unit]]
    first = problem.choices.first
    return [int(cell) for cell in problem.choices.cell[first[unit] : first[unit + 1]]]


def _by_unit(problem: Problem, name: str) -> Fraction | None:
    if name not in problem.units.names:
        return None
    unit = problem.units.names.index(name)
    lanes = problem.lanes_of_cells()
    most = max(int(lanes[cell]) for cell in _choices(problem, unit))
    return Fraction(int(problem.units.people[unit]), most)


def _by_cells(problem: Problem, plan: Plan) -> Fraction | None:
    names = {problem.cell_name(cell): cell for cell in range(problem.sites.size * problem.slots.size)}
    if not plan.bottleneck:
        return Fraction(0)
    if not set(plan.bottleneck) <= set(names):
        return None
    inside = {names[cell] for cell in plan.bottleneck}
    people = sum(
        int(problem.units.people[unit])
        for unit in range(problem.units.size)
        if inside.issuperset(_choices(problem, unit))
    )
    lanes = problem.lanes_of_cells()
    return Fraction(people, sum(int(lanes[cell]) for cell in inside))
