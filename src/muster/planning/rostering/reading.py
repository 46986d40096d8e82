# SPDX-License-Identifier: Apache-2.0
"""Rota problems from JSON, from columns that the program has at hand, or in the form of Curtois and Qu."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Bools, Ints, Longs
from muster.planning._kernel.files import read_text
from muster.planning._kernel.reading import Fields
from muster.planning.contract import BadProblem
from muster.planning.rostering.problem import (
    FREE,
    MOST_COST,
    MOST_DAYS,
    NO_LIMIT,
    OFF,
    Counters,
    Duties,
    People,
    Problem,
    Shifts,
    require_lawful,
    require_size,
)
from muster.planning.rostering.rota_files import looks_like_rota, problem_from_rota

DAY_MINUTES = 1_440
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNDER, _OVER, _MUST_UNDER = 1_000, 10, 100_000
_MOST_NEED = 10_000
# Longer than any row of days that a rule could speak of.
_LONG_AGO = MOST_DAYS
_LIMITS = {  # field of a person -> lowest, what holds when nothing is said
    "min_minutes": (0, 0),
    "max_minutes": (0, NO_LIMIT),
    "max_week_minutes": (0, NO_LIMIT),
    "max_days_on": (1, MOST_DAYS),
    "min_days_on": (1, 1),
    "min_days_off": (1, 1),
    "max_weekends": (0, MOST_DAYS),
    "max_nights": (0, MOST_DAYS),
    "rest_min": (0, 660),
}
_MOST_LIMIT = 10_000_000


def read_problem(path: Path) -> Problem:
    """Read a problem file: JSON as `schema()` says, or a Curtois-Qu `.txt`. Raises BadProblem."""
    text = read_text(path)
    if looks_like_rota(text):
        return problem_from_rota(text)
    if not text.lstrip().startswith("{"):
        raise BadProblem("", path.name, "planning.cure.file_form", allowed="Curtois-Qu (SECTION_…), JSON {…}")
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadProblem("", path.name, "planning.cure.valid_json", detail=str(error)) from error
    return problem_from_json(raw)


def make_problem(**facts: Any) -> Problem:
    """Return a problem from the fields that `schema()` describes, given as keywords; raises BadProblem."""
    return problem_from_json(facts)


def problem_from_json(raw: Mapping[str, Any]) -> Problem:
    """Read a problem as `schema()` describes it; raises BadProblem."""
    fields = Fields(raw)
    days = fields.integer("days", 1, MOST_DAYS)
    first_weekday = _WEEKDAYS.index(fields.chosen("first_weekday", _WEEKDAYS, "mon"))
    shift_fields = fields.objects("shifts")
    shift_of = _numbered("shifts", shift_fields)
    people_fields = fields.objects("people")
    person_of = _numbered("people", people_fields)
    require_size(len(person_of), days, len(shift_of))
    defaults = fields.inner("defaults") if fields.has("defaults") else Fields({}, "defaults")
    limits = _limits(people_fields, defaults)
    rests, rest_of = np.unique(limits["rest_min"], return_inverse=True)
    shifts = _shifts(shift_fields, shift_of, rests)
    duties = _duties(fields, shift_of, days)
    people = _people(people_fields, shift_of, duties, limits, rest_of.reshape(-1).astype(np.int32))
    wish, barred = _wishes(people_fields, shift_of, days)
    duty_of = {
        (duties.posts[p], int(s), duties.kinds[k]): duty
        for duty, (p, s, k) in enumerate(zip(duties.post, duties.shift, duties.kind, strict=True))
    }
    problem = Problem(
        days=days,
        first_weekday=first_weekday,
        shifts=shifts,
        duties=duties,
        people=people,
        counters=_counters(fields, shift_fields, limits["max_nights"], duties, people, days, first_weekday),
        wish=wish,
        barred=barred,
        previous=_previous(fields, person_of, shift_of, duty_of, days),
        change_cost=fields.integer("change_cost", 0, MOST_COST, 0),
        pins=_pins(fields, person_of, shift_of, duty_of, days),
    )
    require_lawful(problem)
    return problem


def _numbered(where: str, entries: Sequence[Fields]) -> dict[str, int]:
    names: dict[str, int] = {}
    for entry in entries:
        name = entry.text("name")
        if not name:
            raise BadProblem("name", entry.where, "planning.cure.text")
        if name in names:
            raise BadProblem("name", entry.where, "planning.cure.once", name=name)
        names[name] = len(names)
    return names


def _known(name: str, where: str, field: str, table: Mapping[Any, int]) -> int:
    if name not in table:
        raise BadProblem(field, where, "planning.cure.known", name=name)
    return table[name]


def _limits(people: Sequence[Fields], defaults: Fields) -> dict[str, Longs]:
    table = {}
    for name, (lowest, otherwise) in _LIMITS.items():
        usual = defaults.integer(name, lowest, _MOST_LIMIT, otherwise)
        column = [person.integer(name, lowest, _MOST_LIMIT, usual) for person in people]
        table[name] = np.array(column, np.int64)
    for person, least, most in zip(people, table["min_minutes"], table["max_minutes"], strict=True):
        if least > most:
            raise BadProblem(
                "min_minutes", person.where, "planning.cure.integer", lowest=0, highest=int(most)
            )  # fmt: skip
    return table


def _shifts(entries: Sequence[Fields], shift_of: dict[str, int], rests: Longs) -> Shifts:
    start = np.array([entry.integer("start_min", 0, DAY_MINUTES - 1) for entry in entries], np.int64)
    minutes = np.array([entry.integer("minutes", 1, 2 * DAY_MINUTES) for entry in entries], np.int64)
    # A later shift begins `lag` days on: its start must not come before the end of the first and the rest.
    free_from = (start + minutes)[None, :, None] + rests[:, None, None]
    lag = np.maximum(1, -(-(free_from - start[None, None, :]) // DAY_MINUTES)).astype(np.int32)
    for shift, entry in enumerate(entries):
        for name in entry.texts("not_before") if entry.has("not_before") else ():
            later = _known(name, entry.where, "not_before", shift_of)
            lag[:, shift, later] = np.maximum(lag[:, shift, later], 2)
    return Shifts(tuple(shift_of), minutes, lag)


def _duties(fields: Fields, shift_of: dict[str, int], days: int) -> Duties:
    posts = fields.objects("posts")
    post_of = _numbered("posts", posts)
    kind_of: dict[str, int] = {}
    known: dict[tuple[int, int, int], int] = {}
    entries: list[tuple[int, Fields, list[int]]] = []
    for post, entry in enumerate(posts):
        for need in (
            Fields.of(raw, f"{entry.where}.needs[{n}]") for n, raw in enumerate(entry.listed("needs"))
        ):
            shift = _known(need.text("shift"), need.where, "shift", shift_of)
            kind = kind_of.setdefault(need.text("kind", ""), len(kind_of))
            duty = known.setdefault((post, shift, kind), len(known))
            on = need.integers("days", 0, days - 1).tolist() if need.has("days") else list(range(days))
            entries.append((duty, need, on))
    shape = (days, len(known))
    need_of, must = np.zeros(shape, np.int32), np.zeros(shape, bool)
    under, over = np.zeros(shape, np.int64), np.full(shape, _OVER, np.int64)
    for duty, need, on in entries:
        if need_of[on, duty].any() or len(set(on)) < len(on):
            raise BadProblem("days", need.where, "planning.cure.once", name=need.text("shift"))
        need_of[on, duty] = need.integer("count", 0, _MOST_NEED, 1)
        must[on, duty] = need.flag("must", otherwise=False)
        usual = _MUST_UNDER if need.flag("must", otherwise=False) else _UNDER
        under[on, duty] = need.integer("under", 0, MOST_COST, usual)
        over[on, duty] = need.integer("over", 0, MOST_COST, _OVER)
    columns = np.array(sorted(known, key=known.__getitem__), np.int32).reshape(-1, 3)
    return Duties(
        posts=tuple(post_of),
        kinds=tuple(kind_of),
        post=columns[:, 0].copy(),
        shift=columns[:, 1].copy(),
        kind=columns[:, 2].copy(),
        need=need_of,
        under=under,
        over=over,
        must=must,
    )


def _people(
    entries: Sequence[Fields], shift_of: dict[str, int], duties: Duties, limits: dict[str, Longs], rest: Ints
) -> People:
    own = _able(entries, duties)
    before = [_before(entry, shift_of) for entry in entries]
    return People(
        names=tuple(entry.text("name") for entry in entries),
        first=np.concatenate(([0], np.cumsum([len(row) for row in own]))).astype(np.int64),
        duties=np.concatenate([np.zeros(0, np.int32), *own]).astype(np.int32),
        rest=rest,
        min_minutes=limits["min_minutes"],
        max_minutes=limits["max_minutes"],
        max_week_minutes=limits["max_week_minutes"],
        max_on=limits["max_days_on"],
        min_on=limits["min_days_on"],
        min_off=limits["min_days_off"],
        max_weekends=limits["max_weekends"],
        before_shift=np.array([b[0] for b in before], np.int32),
        before_on=np.array([b[1] for b in before], np.int64),
        before_off=np.array([b[2] for b in before], np.int64),
    )


def _able(entries: Sequence[Fields], duties: Duties) -> list[Ints]:
    """Return the duties of each person: of the kinds that he is, at the posts where he may serve."""
    post_of = {name: number for number, name in enumerate(duties.posts)}
    kind_of = {name: number for number, name in enumerate(duties.kinds)}
    by_post = [np.flatnonzero(duties.post == post) for post in range(len(duties.posts))]
    seen: dict[tuple[tuple[str, ...], tuple[str, ...] | None], Ints] = {}
    rows = []
    for entry in entries:
        kinds = tuple(entry.texts("kinds")) if entry.has("kinds") else ()
        posts = tuple(entry.texts("posts")) if entry.has("posts") else None
        if (kinds, posts) not in seen:
            at = np.arange(duties.size)
            if posts is not None:
                numbers = [_known(name, entry.where, "posts", post_of) for name in posts]
                at = np.unique(np.concatenate([np.zeros(0, np.int64), *(by_post[n] for n in set(numbers))]))
            # A duty of no kind is for everybody.
            mine = [kind_of[kind] for kind in {*kinds, ""} if kind in kind_of]
            seen[kinds, posts] = at[np.isin(duties.kind[at], mine)].astype(np.int32)
        rows.append(seen[kinds, posts])
    return rows


def _before(entry: Fields, shift_of: dict[str, int]) -> tuple[int, int, int]:
    if not entry.has("before"):
        return -1, 0, _LONG_AGO
    before = Fields.of(entry.raw["before"], f"{entry.where}.before")
    shift = _known(before.text("shift"), before.where, "shift", shift_of)
    return shift, before.integer("days_on", 1, MOST_DAYS, 1), before.integer("days_off", 0, MOST_DAYS, 0)


def _wishes(entries: Sequence[Fields], shift_of: dict[str, int], days: int) -> tuple[Ints, Bools]:
    wish = np.zeros((len(entries), days, len(shift_of) + 1), np.int32)
    barred = np.zeros((len(entries), days, len(shift_of)), bool)
    off = len(shift_of)
    for person, entry in enumerate(entries):
        for n, raw in enumerate(entry.listed("unavailable") if entry.has("unavailable") else ()):
            said = Fields.of(raw, f"{entry.where}.unavailable[{n}]")
            day = said.integer("day", 0, days - 1)
            if said.has("shift"):
                barred[person, day, _known(said.text("shift"), said.where, "shift", shift_of)] = True
            else:
                barred[person, day] = True
        for n, raw in enumerate(entry.listed("wishes") if entry.has("wishes") else ()):
            said = Fields.of(raw, f"{entry.where}.wishes[{n}]")
            day, cost = said.integer("day", 0, days - 1), said.integer("cost", 0, MOST_COST, 10)
            at = _known(said.text("shift"), said.where, "shift", shift_of) if said.has("shift") else off
            if said.flag("want", otherwise=True):
                wish[person, day] += cost
                wish[person, day, at] -= cost
            else:
                wish[person, day, at] += cost
    return wish, barred


def _counters(
    fields: Fields,
    shifts: Sequence[Fields],
    max_nights: Longs,
    duties: Duties,
    people: People,
    days: int,
    first_weekday: int,
) -> Counters:
    fair = fields.inner("fairness") if fields.has("fairness") else Fields({}, "fairness")
    night = np.array([entry.flag("night", otherwise=False) for entry in shifts], bool)
    asked = duties.need.astype(np.int64)
    able = np.zeros(people.size, np.int64)
    if people.size and duties.size:
        sums = np.concatenate(([0], np.cumsum(night[duties.shift[people.duties]])))
        able = sums[people.first[1:]] - sums[people.first[:-1]]
    nights = int(asked[:, night[duties.shift]].sum()) if duties.size else 0
    weekday = (first_weekday + np.arange(days)) % 7
    weekend_days = int(asked[weekday >= 5].sum())
    share = [-(-nights // max(1, int((able > 0).sum()))), -(-weekend_days // max(1, 2 * people.size))]
    return Counters(
        names=("nights",),
        member=night.reshape(1, -1),
        most=np.minimum(max_nights, days).reshape(-1, 1),
        share=np.array([fair.integer("night_share", 0, MOST_DAYS, min(share[0], MOST_DAYS)),
                        fair.integer("weekend_share", 0, MOST_DAYS, min(share[1], MOST_DAYS))], np.int64),
        weight=np.array([fair.integer("nights", 0, MOST_COST, 0),
                         fair.integer("weekends", 0, MOST_COST, 0)], np.int64),
    )  # fmt: skip


def _duty_said(said: Fields, shift_of: dict[str, int], duty_of: Mapping[tuple[str, int, str], int]) -> int:
    """Return the duty that is named, OFF when it says a day off."""
    if said.flag("off", otherwise=False):
        return OFF
    shift = _known(said.text("shift"), said.where, "shift", shift_of)
    name = (said.text("post"), shift, said.text("kind", ""))
    if name not in duty_of:
        shown = " / ".join((name[0], said.text("shift"), name[2]))
        raise BadProblem("post", said.where, "planning.cure.known", name=shown)
    return duty_of[name]


def _previous(
    fields: Fields,
    person_of: dict[str, int],
    shift_of: dict[str, int],
    duty_of: Mapping[tuple[str, int, str], int],
    days: int,
) -> Ints:
    """Return the rota that people know: days that it does not name are days off, without one all is free."""
    if not fields.has("previous"):
        return np.full((len(person_of), days), FREE, np.int32)
    table = np.full((len(person_of), days), OFF, np.int32)
    for said in fields.objects("previous"):
        person = _known(said.text("person"), said.where, "person", person_of)
        table[person, said.integer("day", 0, days - 1)] = _duty_said(said, shift_of, duty_of)
    return table


def _pins(
    fields: Fields,
    person_of: dict[str, int],
    shift_of: dict[str, int],
    duty_of: Mapping[tuple[str, int, str], int],
    days: int,
) -> dict[tuple[int, int], int]:
    pins: dict[tuple[int, int], int] = {}
    for said in fields.objects("pins") if fields.has("pins") else ():
        person = _known(said.text("person"), said.where, "person", person_of)
        key = person, said.integer("day", 0, days - 1)
        if key in pins:
            raise BadProblem("day", said.where, "planning.cure.once", name=f"{said.text('person')} {key[1]}")
        pins[key] = _duty_said(said, shift_of, duty_of)
    return pins


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a problem file."""
    from muster.planning.rostering.schema import problem_schema

    return problem_schema(list(_WEEKDAYS), {name: lowest for name, (lowest, _) in _LIMITS.items()})
