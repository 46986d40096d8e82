# SPDX-License-Identifier: Apache-2.0
"""Looking over a rota with other means than those that made it: one function for each hard rule."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from muster.planning.contract import Facts, Violation
from muster.planning.rostering.plan import Plan
from muster.planning.rostering.problem import FREE, NO_LIMIT, OFF, SATURDAY, Problem

_EXAMPLES = 20


@dataclass(frozen=True, slots=True)
class Row:
    """What one person does, as plain lists: duty of each day (OFF for none), shift of each day."""

    person: int
    name: str
    duty: list[int]
    shift: list[int]

    def worked(self) -> list[int]:
        return [day for day, duty in enumerate(self.duty) if duty != OFF]


def check(problem: Problem, plan: Plan) -> list[Violation]:
    """Return what is wrong with the plan; an empty list means that it keeps every rule."""
    found = people_are_those_of_the_problem(problem, plan) or duties_are_those_of_the_problem(problem, plan)
    if found:
        return found
    rows = _rows(problem, plan)
    for rule in PERSONAL_RULES:
        found += _first([violation for row in rows for violation in rule(problem, row)])
    return [
        *found,
        *pins_are_kept(problem, rows),
        *must_be_filled(problem, rows),
        *shortages_are_stated(problem, plan, rows),
        *objective_adds_up(problem, plan, rows),
        *bound_is_no_higher(plan),
    ]


def _first(violations: list[Violation]) -> list[Violation]:
    return violations[:_EXAMPLES]


def _rows(problem: Problem, plan: Plan) -> list[Row]:
    known = {problem.duty_name(duty): duty for duty in range(problem.duties.size)}
    at = {name: row for row, name in enumerate(plan.people)}
    rows = []
    for person, name in enumerate(problem.people.names):
        listed = plan.roster[at[name]].tolist()
        duty = [OFF if entry < 0 else known[plan.duties[entry]] for entry in listed]
        shift = [OFF if one == OFF else int(problem.duties.shift[one]) for one in duty]
        rows.append(Row(person, name, duty, shift))
    return rows


def people_are_those_of_the_problem(problem: Problem, plan: Plan) -> list[Violation]:
    """Every person stands in the rota once, with an entry for each day."""
    listed, wanted = Counter(plan.people), Counter(problem.people.names)
    different = sorted(name for name in listed | wanted if listed[name] != wanted[name])
    found = [
        Violation("people_are_those_of_the_problem", name, {"times": listed[name], "expected": wanted[name]})
        for name in different
    ]
    days = plan.roster.shape[1] if len(plan.people) else problem.days
    if days != problem.days:
        facts = {"days": int(days), "expected": problem.days}
        found.append(Violation("people_are_those_of_the_problem", "", facts))
    return _first(found)


def duties_are_those_of_the_problem(problem: Problem, plan: Plan) -> list[Violation]:
    """Posts, shifts and kinds are those of the problem."""
    known = {problem.duty_name(duty) for duty in range(problem.duties.size)}
    used = {plan.duties[duty] for duty in set(plan.roster.ravel().tolist()) if duty >= 0}
    return _first(
        [Violation("duties_are_those_of_the_problem", " / ".join(name)) for name in sorted(used - known)]
    )


def person_can_do_it(problem: Problem, row: Row) -> Iterator[Violation]:
    """People do what they are of a kind for, where they may serve."""
    people = problem.people
    able = set(people.duties[people.first[row.person] : people.first[row.person + 1]].tolist())
    for day in row.worked():
        if row.duty[day] not in able:
            post, shift, kind = problem.duty_name(row.duty[day])
            facts: Facts = {"day": day, "post": post, "shift": shift, "kind": kind}
            yield Violation("person_can_do_it", row.name, facts)


def person_is_there(problem: Problem, row: Row) -> Iterator[Violation]:
    """Nobody works when he cannot."""
    for day in row.worked():
        if problem.barred[row.person, day, row.shift[day]] and (row.person, day) not in problem.pins:
            yield Violation("person_is_there", row.name, {"day": day})


def rest_is_kept(problem: Problem, row: Row) -> Iterator[Violation]:
    """Between two shifts lies the rest that the later one needs."""
    people = problem.people
    lag = problem.shifts.lag[people.rest[row.person]]
    last_day, last = -1 - int(people.before_off[row.person]), int(people.before_shift[row.person])
    for day in row.worked():
        if last >= 0 and day - last_day < lag[last, row.shift[day]]:
            names = problem.shifts.names
            facts: Facts = {"day": day, "earlier": names[last], "later": names[row.shift[day]]}
            yield Violation("rest_is_kept", row.name, facts)
        last_day, last = day, row.shift[day]


def minutes_are_within_limits(problem: Problem, row: Row) -> Iterator[Violation]:
    """Minutes of the whole time are neither too many nor too few."""
    minutes = sum(int(problem.shifts.minutes[row.shift[day]]) for day in row.worked())
    least = int(problem.people.min_minutes[row.person])
    most = int(problem.people.max_minutes[row.person])
    if not least <= minutes <= most:
        facts = {"minutes": minutes, "least": least, "most": most}
        yield Violation("minutes_are_within_limits", row.name, facts)


def week_is_within_limits(problem: Problem, row: Row) -> Iterator[Violation]:
    """In no week from Monday to Sunday are more minutes worked than allowed."""
    weeks: defaultdict[int, int] = defaultdict(int)
    for day in row.worked():
        weeks[(problem.first_weekday + day) // 7] += int(problem.shifts.minutes[row.shift[day]])
    most = int(problem.people.max_week_minutes[row.person])
    for week, minutes in sorted(weeks.items()):
        if minutes > most:
            facts = {"week": week, "minutes": minutes, "most": most}
            yield Violation("week_is_within_limits", row.name, facts)


def _stretches(problem: Problem, row: Row) -> list[tuple[bool, int, int, bool, bool]]:
    """Return work and rest in turn: works, first day, length (with what came before), begun, ended."""
    people = problem.people
    known = people.before_shift[row.person] >= 0
    on, off = int(people.before_on[row.person]), int(people.before_off[row.person])
    before = [True] * max(1, on) + [False] * off if known else []
    if off:
        before = before[-off:] if known else []
    line = [*before, *(duty != OFF for duty in row.duty)]
    found, at = [], 0
    for works, group in groupby(line):
        length = len(list(group))
        begun = at > 0 or bool(known)
        found.append((works, at - len(before), length, begun, at + length < len(line)))
        at += length
    return found


def not_too_many_days_in_a_row(problem: Problem, row: Row) -> Iterator[Violation]:
    """Nobody works more days in a row than allowed."""
    most = int(problem.people.max_on[row.person])
    for works, first, length, _, _ in _stretches(problem, row):
        if works and first + length > 0 and length > most:
            facts = {"day": max(0, first), "days": length, "most": most}
            yield Violation("not_too_many_days_in_a_row", row.name, facts)


def not_too_few_days_in_a_row(problem: Problem, row: Row) -> Iterator[Violation]:
    """Who begins to work within the time works the least number of days, unless the time ends before."""
    least = int(problem.people.min_on[row.person])
    for works, first, length, begun, ended in _stretches(problem, row):
        if works and begun and ended and length < least:
            facts = {"day": max(0, first), "days": length, "least": least}
            yield Violation("not_too_few_days_in_a_row", row.name, facts)


def days_off_come_together(problem: Problem, row: Row) -> Iterator[Violation]:
    """Days off come in rows of the least length, unless the time ends before."""
    least = int(problem.people.min_off[row.person])
    for works, first, length, begun, ended in _stretches(problem, row):
        if not works and begun and ended and length < least:
            facts = {"day": max(0, first), "days": length, "least": least}
            yield Violation("days_off_come_together", row.name, facts)


def _weekends(problem: Problem, row: Row) -> int:
    return len(
        {
            (problem.first_weekday + d) // 7
            for d in row.worked()
            if (problem.first_weekday + d) % 7 >= SATURDAY
        }
    )


def weekends_are_within_limits(problem: Problem, row: Row) -> Iterator[Violation]:
    """Nobody works on more weekends than allowed."""
    count, most = _weekends(problem, row), int(problem.people.max_weekends[row.person])
    if count > most:
        yield Violation("weekends_are_within_limits", row.name, {"weekends": count, "most": most})


def _counted(problem: Problem, row: Row, counter: int) -> int:
    return sum(bool(problem.counters.member[counter, row.shift[day]]) for day in row.worked())


def shifts_of_a_kind_are_within_limits(problem: Problem, row: Row) -> Iterator[Violation]:
    """Nobody works more shifts of a kind (nights) than allowed."""
    for counter, kind in enumerate(problem.counters.names):
        count, most = _counted(problem, row, counter), int(problem.counters.most[row.person, counter])
        if count > most:
            facts: Facts = {"of": kind, "shifts": count, "most": most}
            yield Violation("shifts_of_a_kind_are_within_limits", row.name, facts)


PERSONAL_RULES: Sequence[Callable[[Problem, Row], Iterator[Violation]]] = (
    person_can_do_it,
    person_is_there,
    rest_is_kept,
    minutes_are_within_limits,
    week_is_within_limits,
    not_too_many_days_in_a_row,
    not_too_few_days_in_a_row,
    days_off_come_together,
    weekends_are_within_limits,
    shifts_of_a_kind_are_within_limits,
)


def pins_are_kept(problem: Problem, rows: Sequence[Row]) -> list[Violation]:
    """What a person fixed stays."""
    return _first(
        [
            Violation("pins_are_kept", rows[person].name, {"day": day})
            for (person, day), duty in sorted(problem.pins.items())
            if rows[person].duty[day] != duty
        ]
    )


def _missing(problem: Problem, rows: Sequence[Row]) -> dict[tuple[int, int], int]:
    """Return by day and duty how many are missing (below zero: too many)."""
    staffed = Counter((day, row.duty[day]) for row in rows for day in row.worked())
    need = problem.duties.need
    return {
        (day, duty): int(need[day, duty]) - staffed[day, duty]
        for day in range(problem.days)
        for duty in range(problem.duties.size)
    }


def must_be_filled(problem: Problem, rows: Sequence[Row]) -> list[Violation]:
    """Duties that must be filled are filled."""
    found = []
    for (day, duty), missing in _missing(problem, rows).items():
        if missing > 0 and problem.duties.must[day, duty]:
            post, shift, kind = problem.duty_name(duty)
            facts: Facts = {"day": day, "shift": shift, "kind": kind, "missing": missing}
            found.append(Violation("must_be_filled", post, facts))
    return _first(found)


def shortages_are_stated(problem: Problem, plan: Plan, rows: Sequence[Row]) -> list[Violation]:
    """The plan says exactly who is missing where."""
    stated = {(entry.day, plan.duties[entry.duty]): entry.missing for entry in plan.short}
    true = {
        (day, problem.duty_name(duty)): missing
        for (day, duty), missing in _missing(problem, rows).items()
        if missing > 0
    }
    different = sorted(key for key in stated | true if stated.get(key) != true.get(key))
    return _first(
        [
            Violation(
                "shortages_are_stated",
                name[0],
                {"day": day, "stated": stated.get((day, name), 0), "found": true.get((day, name), 0)},
            )
            for day, name in different
        ]
    )


def objective_adds_up(problem: Problem, plan: Plan, rows: Sequence[Row]) -> list[Violation]:
    """The objective is missing and surplus people, wishes, changes and unfairness together."""
    table = problem.duties
    cost = 0
    for (day, duty), missing in _missing(problem, rows).items():
        cost += (
            missing * int(table.under[day, duty]) if missing > 0 else -missing * int(table.over[day, duty])
        )
    for row in rows:
        for day, duty in enumerate(row.duty):
            cost += int(problem.wish[row.person, day, row.shift[day] if duty != OFF else -1])
            known = int(problem.previous[row.person, day])
            cost += problem.change_cost if known not in {FREE, duty} else 0
        counts = [_counted(problem, row, c) for c in range(problem.counters.size)]
        for count, share, weight in zip(
            [*counts, _weekends(problem, row)],
            problem.counters.share.tolist(),
            problem.counters.weight.tolist(),
            strict=True,
        ):
            more = max(0, count - share) if share < NO_LIMIT else 0
            cost += weight * more * (more + 1) // 2
    if cost == plan.objective:
        return []
    return [Violation("objective_adds_up", "", {"stated": plan.objective, "found": cost})]


def bound_is_no_higher(plan: Plan) -> list[Violation]:
    """No rota costs less than the bound, so this one does not either."""
    if plan.bound <= plan.objective:
        return []
    return [Violation("bound_is_no_higher", "", {"bound": plan.bound, "objective": plan.objective})]
