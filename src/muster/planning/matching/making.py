# SPDX-License-Identifier: Apache-2.0
"""Making a matching problem from columns: names become numbers, everything is looked at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from muster.planning._kernel.arrays import Ints, Longs
from muster.planning.contract import BadProblem
from muster.planning.matching.problem import (
    MOST_METRES,
    MOST_PEOPLE,
    Posts,
    Problem,
    Weights,
    require_lawful,
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The posts of a problem as columns: grid and skill by name, how many are needed, how many could help."""

    grid: Sequence[str]
    skill: Sequence[str]
    need: ArrayLike
    spare: ArrayLike | None = None


def make_problem(
    *,
    skills: Sequence[Sequence[str]],
    x_m: ArrayLike,
    y_m: ArrayLike,
    grids: Sequence[str],
    grid_x_m: ArrayLike,
    grid_y_m: ArrayLike,
    posts: Wanted,
    responders: Sequence[str] | None = None,
    home: Sequence[str | None] | None = None,
    team: Sequence[str | None] | None = None,
    reach_m: ArrayLike | None = None,
    weights: Weights | None = None,
    walk_permille: int = 1_000,
    walk_m: ArrayLike | None = None,
    place: ArrayLike | None = None,
    pins: Mapping[str, tuple[str, str | None]] | None = None,
    bars: Iterable[tuple[str, str]] = (),
) -> Problem:
    """Return a problem from columns, one entry for each responder or grid. Raises BadProblem.

    Positions are taken to the whole metre. A pin without a skill takes the responder's rarest skill that
    the grid asks for.
    """
    size = len(skills)
    names = tuple(str(i) for i in range(size)) if responders is None else tuple(responders)
    number_of = _numbers(names, "name", "responders")
    grid_of = _numbers(grids, "name", "grids")
    columns = {"x_m": x_m, "y_m": y_m, "name": names, "home": home, "team": team, "reach_m": reach_m}
    _require_length("responders", size, columns | {"place": place})
    _require_length("grids", len(grids), {"x_m": grid_x_m, "y_m": grid_y_m})
    skill_names = tuple(sorted({name for held in skills for name in held} | set(posts.skill)))
    skill_of = {name: number for number, name in enumerate(skill_names)}
    skill_first, skill = _skills(skills, skill_of)
    table, rows = _walks(walk_m, place, size, len(grids))
    wanted = _posts(posts, grid_of, skill_of)
    reach = np.full(size, 2 * MOST_METRES) if reach_m is None else reach_m
    problem = Problem(
        responders=names,
        x_m=np.rint(np.asarray(x_m, np.float64)),
        y_m=np.rint(np.asarray(y_m, np.float64)),
        skill_first=skill_first,
        skill=skill,
        home=_homes(home, grid_of, size),
        team=_teams(team, size),
        reach_m=np.asarray(reach, np.int64),
        grids=tuple(grids),
        grid_x_m=np.rint(np.asarray(grid_x_m, np.float64)),
        grid_y_m=np.rint(np.asarray(grid_y_m, np.float64)),
        skills=skill_names,
        posts=wanted,
        weights=weights or Weights(),
        walk_permille=walk_permille,
        walk_m=table,
        place=rows,
        pins=_pins(pins or {}, number_of, grid_of, skill_of, skill_first, skill, wanted),
        bars=tuple(sorted({(_known(number_of, who, "bars"), _known(grid_of, g, "bars")) for who, g in bars})),
    )
    require_lawful(problem)
    return problem


def _numbers(names: Sequence[str], field: str, where: str) -> dict[str, int]:
    numbers = {name: number for number, name in enumerate(names)}
    if len(numbers) < len(names):
        seen: set[str] = set()
        twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise BadProblem(field, where, "planning.cure.once", name=twice)
    return numbers


def _known(number_of: Mapping[str, int], name: str, where: str) -> int:
    if name not in number_of:
        raise BadProblem("", where, "planning.cure.known", name=name)
    return number_of[name]


def _require_length(
    where: str, size: int, columns: Mapping[str, ArrayLike | Sequence[str | None] | None]
) -> None:
    for name, column in columns.items():
        if column is not None and len(column) != size:  # type: ignore[arg-type]
            raise BadProblem(name, where, "planning.cure.same_length", fields=", ".join(columns))


def _skills(skills: Sequence[Sequence[str]], skill_of: Mapping[str, int]) -> tuple[Longs, Ints]:
    held = [sorted({skill_of[name] for name in names}) for names in skills]
    first = np.zeros(len(held) + 1, np.int64)
    np.cumsum([len(own) for own in held], out=first[1:])
    return first, np.asarray([skill for own in held for skill in own], np.int32)


def _homes(home: Sequence[str | None] | None, grid_of: Mapping[str, int], size: int) -> Ints:
    if home is None:
        return np.full(size, -1, np.int32)
    numbers = np.full(size, -1, np.int32)
    for who, name in enumerate(home):
        if name:
            numbers[who] = _known(grid_of, name, f"responders.home[{who}]")
    return numbers


def _teams(team: Sequence[str | None] | None, size: int) -> Ints:
    numbers = np.full(size, -1, np.int32)
    known: dict[str, int] = {}
    for who, name in enumerate(team or ()):
        if name:
            numbers[who] = known.setdefault(name, len(known))
    return numbers


def _walks(
    walk_m: ArrayLike | None, place: ArrayLike | None, size: int, grids: int
) -> tuple[Ints | None, Ints | None]:
    if walk_m is None:
        return None, None
    table = np.asarray(walk_m, np.int32)
    rows = np.arange(size, dtype=np.int32) if place is None else np.asarray(place, np.int32)
    if table.ndim != 2 or table.shape[1] != grids or (len(rows) and rows.max() >= len(table)):
        raise BadProblem("walk_m", "", "planning.matching.walk_table", grids=grids)
    return table, rows


def _posts(posts: Wanted, grid_of: Mapping[str, int], skill_of: Mapping[str, int]) -> Posts:
    size = len(posts.grid)
    spare = np.zeros(size, np.int32) if posts.spare is None else np.asarray(posts.spare, np.int32)
    columns = {"grid": posts.grid, "skill": posts.skill, "need": posts.need, "spare": spare}
    _require_length("posts", size, columns)
    grid = np.asarray([_known(grid_of, name, "posts.grid") for name in posts.grid], np.int32)
    skill = np.asarray([skill_of[name] for name in posts.skill], np.int32)
    need = np.asarray(posts.need, np.int64)
    if int(need.sum()) + int(spare.sum()) > MOST_PEOPLE:
        raise BadProblem("need", "posts", "planning.cure.integer", lowest=0, highest=MOST_PEOPLE)
    pairs = np.stack((grid, skill)) if size else np.zeros((2, 0), np.int32)
    _, times = np.unique(pairs, axis=1, return_counts=True)
    if len(times) and times.max() > 1:
        raise BadProblem("posts", "", "planning.matching.post_twice")
    return Posts(grid, skill, need.astype(np.int32), spare)


def _pins(
    pins: Mapping[str, tuple[str, str | None]],
    number_of: Mapping[str, int],
    grid_of: Mapping[str, int],
    skill_of: Mapping[str, int],
    skill_first: Longs,
    skill: Ints,
    posts: Posts,
) -> dict[int, tuple[int, int]]:
    holders = np.bincount(skill, minlength=len(skill_of))
    fixed: dict[int, tuple[int, int]] = {}
    for name, (grid_name, skill_name) in pins.items():
        who, grid = _known(number_of, name, "pins"), _known(grid_of, grid_name, f"pins.{name}")
        if skill_name is not None:
            fixed[who] = (grid, _known(skill_of, skill_name, f"pins.{name}"))
            continue
        held = skill[skill_first[who] : skill_first[who + 1]]
        asked = np.intersect1d(held, posts.skill[posts.grid == grid])
        if not len(asked):
            raise BadProblem("grid", f"pins.{name}", "planning.matching.pin_full", grid=grid_name)
        fixed[who] = (grid, int(asked[np.argmin(holders[asked])]))
    return fixed
