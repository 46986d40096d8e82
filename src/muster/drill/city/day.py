# SPDX-License-Identifier: Apache-2.0
"""A day of a door round as data: who walks, what happens at doors, when phones are offline.

Read from scenarios/NAME_day.toml; a key that is missing, unknown or of the wrong shape is refused by name.
docs/reference/cities.md explains every key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import time
from typing import Any, TypeVar, cast

from muster.base.errors import Refusal
from muster.drill.city.scenario import load_table

Range = tuple[float, float]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rest:
    earliest: time
    latest: time
    minutes: float


@dataclass(frozen=True, slots=True)
class Workers:
    per_grid: Range
    late_minutes: Range
    pace: Range
    walk_m_per_minute: Range
    stairs_s_per_floor: float
    lift_from_floors: int
    lift_wait_s: float
    lift_s_per_floor: float
    rests: tuple[Rest, ...]
    two_in_a_building: float


@dataclass(frozen=True, slots=True)
class Minutes:
    """Minutes at a door, by kind of dwelling, with `default`."""

    first_words: Mapping[str, Range]
    each_person: Mapping[str, Range]
    found_person: Mapping[str, Range]
    silent: Mapping[str, Range]
    vacant: Mapping[str, Range]


@dataclass(frozen=True, slots=True)
class Silent:
    """How likely an occupied door stays silent: by hour, times the factors of the dwelling and the needs."""

    hours: tuple[tuple[float, float, float], ...]
    by_dwelling: Mapping[str, float]
    by_need: Mapping[str, float]

    def share(self, hour: float, dwelling_kind: str, needs: frozenset[str] | set[str]) -> float:
        """The chance for one knock; 1 outside the hours of the table."""
        base = next((s for start, end, s in self.hours if start <= hour < end), 1.0)
        base *= self.by_dwelling.get(dwelling_kind, 1.0)
        for need in sorted(needs):
            base *= self.by_need.get(need, 1.0)
        return min(base, 1.0)


@dataclass(frozen=True, slots=True)
class Answers:
    refuses: float
    refuses_again: float
    later: float
    away: float
    elsewhere: float
    by_household: float
    left: Mapping[str, float]
    needs_help: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Again:
    gap_minutes: Range
    evening_from: time
    evening_share: float
    most: int


@dataclass(frozen=True, slots=True)
class Discovers:
    person: float
    door: float
    moved_told_by: float
    vacant_seen: float
    neighbour_tells: float
    need: float
    sources: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Gap:
    """Phones offline from `start` to `end`; `where` is all, compound:KIND, building:KIND or zone:KIND."""

    start: time
    end: time
    where: str
    share: float


@dataclass(frozen=True, slots=True)
class Spell:
    share: float
    minutes: Range


@dataclass(frozen=True, slots=True)
class Network:
    sync_seconds: Range
    gaps: tuple[Gap, ...]
    weak: Spell
    flat_battery: Spell
    night_before_sync: float


@dataclass(frozen=True, slots=True)
class Clocks:
    off_share: float
    off_minutes: Range
    far_share: float
    far_days: Range


@dataclass(frozen=True, slots=True)
class Repeats:
    batch_twice: float
    door_twice: float
    undone: float
    wrong_door: float


@dataclass(frozen=True, slots=True)
class Day:
    """One day as data."""

    scenario: str
    name: Mapping[str, str]
    campaign_kind: str
    starts: time
    ends: time
    outcomes: Mapping[str, Mapping[str, str]]
    workers: Workers
    minutes: Minutes
    silent: Silent
    answers: Answers
    again: Again
    discovers: Discovers
    network: Network
    clocks: Clocks
    repeats: Repeats


def load_day(name: str) -> Day:
    """Read the day of a scenario."""
    return day_from(name, load_table(f"{name}_day"))


def day_from(name: str, table: Mapping[str, Any]) -> Day:
    """A day from its table; refuses a table that is not whole."""
    sections = {f.name for f in fields(Day)} - {"scenario", "name", "campaign_kind", "starts", "ends"}
    _same_keys(name, "", table, {"day", *sections})
    head = table["day"]
    _same_keys(name, "day", head, {"name", "campaign_kind", "starts", "ends"})
    workers = {**table["workers"], "rests": _rests(name, table["workers"].get("rests", []))}
    answers = {"left": {}, "needs_help": {}, **table["answers"]}
    again = {
        **table["again"],
        "evening_from": _time(name, "again.evening_from", table["again"].get("evening_from")),
    }
    return Day(
        scenario=name,
        name=head["name"],
        campaign_kind=head["campaign_kind"],
        starts=_time(name, "day.starts", head["starts"]),
        ends=_time(name, "day.ends", head["ends"]),
        outcomes=table["outcomes"],
        workers=_section(name, "workers", Workers, workers),
        minutes=_section(name, "minutes", Minutes, table["minutes"]),
        silent=_section(name, "silent", Silent, table["silent"]),
        answers=_section(name, "answers", Answers, answers),
        again=_section(name, "again", Again, again),
        discovers=_section(name, "discovers", Discovers, table["discovers"]),
        network=_network(name, table["network"]),
        clocks=_clocks(name, table["clocks"]),
        repeats=_section(name, "repeats", Repeats, table["repeats"]),
    )


def _same_keys(name: str, where: str, table: Mapping[str, Any], known: set[str]) -> None:
    for key in sorted(set(table) ^ known):
        full = f"{where}.{key}" if where else key
        raise Refusal("drill.day_key", scenario=name, key=full, known=", ".join(sorted(known)))


def _section(name: str, where: str, kind: type[T], table: Mapping[str, Any]) -> T:
    _same_keys(name, where, table, {f.name for f in fields(cast(Any, kind))})
    return kind(**{key: _frozen(value) for key, value in table.items()})


def _frozen(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    if isinstance(value, dict):
        return {k: _frozen(v) for k, v in value.items()}
    return value


def _time(name: str, where: str, text: Any) -> time:
    try:
        return time.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise Refusal("drill.day_key", scenario=name, key=where, known="HH:MM") from error


def _rests(name: str, rows: list[Mapping[str, Any]]) -> tuple[Rest, ...]:
    at = "workers.rests"
    for row in rows:
        _same_keys(name, at, row, {"from", "to", "minutes"})
    return tuple(Rest(_time(name, at, r["from"]), _time(name, at, r["to"]), r["minutes"]) for r in rows)


def _network(name: str, table: Mapping[str, Any]) -> Network:
    for gap in table.get("gaps", []):
        _same_keys(name, "network.gaps", gap, {"from", "to", "where", "share"})
    gaps = tuple(
        Gap(
            _time(name, "network.gaps", g["from"]),
            _time(name, "network.gaps", g["to"]),
            g["where"],
            g["share"],
        )
        for g in table.get("gaps", [])
    )
    weak = _section(name, "network.weak", Spell, table["weak"])
    flat = _section(name, "network.flat_battery", Spell, table["flat_battery"])
    return _section(name, "network", Network, {**table, "gaps": gaps, "weak": weak, "flat_battery": flat})


def _clocks(name: str, table: Mapping[str, Any]) -> Clocks:
    _same_keys(name, "clocks", table, {"off", "far"})
    _same_keys(name, "clocks.off", table["off"], {"share", "minutes"})
    _same_keys(name, "clocks.far", table["far"], {"share", "days"})
    off, far = table["off"], table["far"]
    return Clocks(off["share"], tuple(off["minutes"]), far["share"], tuple(far["days"]))
