# SPDX-License-Identifier: Apache-2.0
"""A day at the doors: what a worker meets behind a door and what is recorded of it.

The answer to a knock depends on what is true behind the door and on a seeded dice; the words of the outcome are the
campaign kind's, chosen by what they mean and not by their spelling.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from muster.drill.city.model import Person


@dataclass(frozen=True, slots=True)
class Day:
    """How a day goes; times in minutes, chances from 0 to 1."""

    starts_at_hour: float = 9.0
    minutes_per_door: tuple[float, float] = (1.5, 4.0)
    minutes_silent_door: tuple[float, float] = (0.4, 1.0)
    minutes_between_doors: tuple[float, float] = (0.2, 0.8)
    silent_by_hour: Mapping[int, float] = field(default_factory=lambda: {9: 0.30, 12: 0.22, 14: 0.30, 17: 0.16, 19: 0.08})
    refuse_chance: float = 0.012
    away_chance: float = 0.035
    arranged_chance: float = 0.015
    by_household_chance: float = 0.25
    need_chance: float = 0.01
    most_visits: int = 3
    offline_chance: float = 0.002
    offline_minutes: tuple[float, float] = (10.0, 45.0)

    def silent_at(self, hour: float) -> float:
        known = [h for h in sorted(self.silent_by_hour) if h <= hour % 24]
        return self.silent_by_hour[known[-1]] if known else 0.2


class Truth(Protocol):
    """What is true behind the doors, by ids of the house."""

    behind: dict[str, list[Person]]
    listed: dict[str, set[str]]
    ids: dict[str, str]


@dataclass(slots=True)
class Visit:
    """facts: (kind, subject, body). come_back: nobody answered, try later."""

    minutes: float
    facts: list[tuple[str, dict[str, Any], dict[str, Any]]] = field(default_factory=list)
    come_back: bool = False
    remarkable: str = ""


def visits_of_door(door: dict[str, Any], truth: Truth, round_: dict[str, Any], day: Day, *, rng: random.Random, number: int,
                   hour: float) -> Visit:  # fmt: skip
    """One visit of one door, whatever the unit of the round."""
    words = _Words(round_)
    people = truth.behind.get(door["id"], [])
    visit = Visit(rng.uniform(*day.minutes_per_door) + rng.uniform(*day.minutes_between_doors))
    silent = day.silent_at(hour) * (0.6 ** (number - 1))
    if not people:
        _nobody_lives_here(visit, door, words, number, rng, unit=round_["unit"])
    elif rng.random() < silent:
        _nobody_answers(visit, door, words, day, rng, unit=round_["unit"])
    elif round_["unit"] == "dwelling":
        _door_answers(visit, door, people, words, day, rng)
    else:
        _people_answer(visit, door, people, truth, words, day, rng, unit=round_["unit"])
    return visit


class _Words:
    """A campaign kind's outcome codes by what they mean."""

    def __init__(self, round_: dict[str, Any]) -> None:
        self.round = round_["id"]
        self.outcomes = round_["kind"]["outcomes"]

    def pick(self, cls: str, **wanted: Any) -> str:
        """The first outcome of a class that has these properties, else the first of the class, else the first of all."""
        of_class = [o for o in self.outcomes if o["class"] == cls]
        fitting = [o for o in of_class if all(o.get(k) == v for k, v in wanted.items())]
        chosen: str = (fitting or of_class or self.outcomes)[0]["code"]
        return chosen

    def named(self, *codes: str, cls: str) -> str:
        known = {o["code"] for o in self.outcomes}
        return next((c for c in codes if c in known), self.pick(cls))

    def body(self, outcome: str, **more: Any) -> dict[str, Any]:
        return {"round": self.round, "outcome": outcome, **more}


def _subject(door: dict[str, Any], **named: str) -> dict[str, Any]:
    return {"sub_district": door["sub_district"], **named}


def _units(door: dict[str, Any], unit: str) -> list[dict[str, str]]:
    """The units of a round behind a door, as subjects."""
    if unit == "dwelling":
        return [{"dwelling": door["id"]}]
    if unit == "household":
        return [{"household": h} for h in sorted({p["household"] for p in door["persons"] if p["household"]})]
    return [{"person": p["id"]} for p in door["persons"]]


def _nobody_answers(visit: Visit, door: dict[str, Any], words: _Words, day: Day, rng: random.Random, *, unit: str) -> None:
    visit.minutes = rng.uniform(*day.minutes_silent_door) + rng.uniform(*day.minutes_between_doors)
    visit.come_back = True
    units = _units(door, unit)
    for named in units:
        visit.facts.append(("entry.outcome", _subject(door, **named), words.body(words.pick("UNREACHED"), door=door["id"])))
    if not units:
        visit.facts.append(("door.state", _subject(door, dwelling=door["id"]), {"round": words.round, "state": "NO_ANSWER"}))


def _nobody_lives_here(visit: Visit, door: dict[str, Any], words: _Words, number: int, rng: random.Random, *, unit: str) -> None:
    """An empty flat: sure only at the second visit, when a neighbour says so."""
    visit.minutes *= 0.5
    if number < 2 and rng.random() < 0.6:
        visit.come_back = True
        visit.facts.append(("door.state", _subject(door, dwelling=door["id"]), {"round": words.round, "state": "NO_ANSWER"}))
        return
    visit.facts.append(("door.state", _subject(door, dwelling=door["id"]), {"round": words.round, "state": "VACANT"}))
    for named in _units(door, unit):
        code = words.named("EMPTY", "VACANT", "MOVED_OUT", "AWAY", cls="EXPLAINED")
        visit.facts.append(("entry.outcome", _subject(door, **named), words.body(code, via="elsewhere", note="drill")))
    if door["persons"]:
        visit.remarkable = "moved_out"


def _door_answers(visit: Visit, door: dict[str, Any], people: list[Person], words: _Words, day: Day, rng: random.Random) -> None:
    """A round on dwellings: one outcome for the door."""
    needy = any(set(p.needs) & {"mobility", "wheelchair", "oxygen", "no_car", "dementia"} for p in people)
    roll = rng.random()
    if needy and roll < 0.7:
        code = words.named("NEEDS_HELP", cls="ARRANGED")
        visit.remarkable = "needs_help"
    elif roll < day.refuse_chance * 3:
        code = words.named("STAYS", "DECLINED", cls="EXPLAINED")
        visit.remarkable = "stays"
    elif roll < 0.45:
        code = words.named("READY", cls="DONE")
    else:
        code = words.named("LEFT", cls="DONE")
    visit.facts.append(("entry.outcome", _subject(door, dwelling=door["id"]), words.body(code)))


def _people_answer(visit: Visit, door: dict[str, Any], people: list[Person], truth: Truth, words: _Words, day: Day, rng: random.Random,
                   *, unit: str) -> None:  # fmt: skip
    on_list = {p["id"] for p in door["persons"]}
    real = {truth.ids[p.key]: p for p in people}
    visit.facts.append(("door.state", _subject(door, dwelling=door["id"]), {"round": words.round, "state": "SEEN"}))
    if unit == "household":
        for household in sorted({p["household"] for p in door["persons"] if p["household"]}):
            body = words.body(words.pick("DONE", met=True), door=door["id"])
            visit.facts.append(("entry.outcome", _subject(door, household=household), body))
        return
    declined = rng.random() < day.refuse_chance
    for person in door["persons"]:
        outcome, more = _outcome_of(person["id"] in real, words, day, rng, declined=declined)
        visit.facts.append(("entry.outcome", _subject(door, person=person["id"]), words.body(outcome, door=door["id"], **more)))
    if declined:
        visit.remarkable = "declined"
    for identity, person in real.items():
        if identity not in on_list and not person.listed:
            visit.facts.append(_found(door, identity, person, words))
            visit.minutes += 2
            visit.remarkable = "found"


def _outcome_of(present: bool, words: _Words, day: Day, rng: random.Random, *, declined: bool) -> tuple[str, dict[str, Any]]:  # noqa: FBT001
    if declined:
        return words.named("DECLINED", cls="EXPLAINED"), {}
    if not present:
        return words.named("MOVED_OUT", "AWAY", cls="EXPLAINED"), {"note": "drill"}
    roll = rng.random()
    if roll < day.away_chance:
        return words.named("AWAY", cls="EXPLAINED"), {"note": "drill"}
    if roll < day.away_chance + day.arranged_chance:
        return words.named("COME_BACK", "DOOR_VISIT", cls="ARRANGED"), {"note": "drill"}
    if roll < day.away_chance + day.arranged_chance + day.by_household_chance:
        return words.named("BY_HOUSEHOLD", cls="DONE"), {}
    return words.pick("DONE", met=True), {}


def _found(door: dict[str, Any], identity: str, person: Person, words: _Words) -> tuple[str, dict[str, Any], dict[str, Any]]:
    body = {
        "round": words.round, "person": str(uuid.UUID(identity)), "name": person.name, "birth_year": person.birth_date.year,
        "phone": person.phone or "", "source": "tenant", "outcome": words.pick("DONE", met=True),
    }  # fmt: skip
    return "person.found", _subject(door, dwelling=door["id"]), body
