# SPDX-License-Identifier: Apache-2.0
"""One visit of one door: a function of the door, what is true behind it, the hour and the dice.

A `Knock` goes in, a `Visit` comes out: what is said, what the phone shows of it, whether somebody must come
again.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from muster.drill.city.day import Day, Range
from muster.drill.city.model import Person
from muster.drill.play.notebook import Door
from muster.drill.play.truth import Truth
from muster.drill.play.words import Words

AGAIN, ANOTHER = "again", "another"


@dataclass(frozen=True, slots=True)
class Knock:
    """door as the phone shows it; units still to be settled there; people the phone knows behind it.

    grid_people: everybody the phone knows in its grid. refused: another worker was refused here before.
    """

    door: Door
    units: list[str]
    people: list[str]
    grid_people: Mapping[str, str]
    number: int
    hour: float
    refused: bool = False


@dataclass(slots=True)
class Said:
    """A fact to be recorded. undoes: place in the same visit of the fact that it takes back."""

    kind: str
    subject: dict[str, Any]
    body: dict[str, Any]
    undoes: int | None = None


@dataclass(slots=True)
class Visit:
    """marks: unit -> class, as the phone shows at once. again: "", AGAIN or ANOTHER (worker)."""

    minutes: float = 0.0
    said: list[Said] = field(default_factory=list)
    marks: dict[str, str] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str | None] = field(default_factory=dict)
    state: str = ""
    again: str = ""
    events: list[str] = field(default_factory=list)


class Visitor:
    """Goes to doors by the rules of one day."""

    def __init__(self, truth: Truth, day: Day, words: Words, *, unit: str) -> None:
        self.truth, self.day, self.words, self.unit = truth, day, words, unit

    def knock(self, knock: Knock, *, rng: random.Random) -> Visit:
        people = self.truth.people(knock.door.id)
        if not people:
            return self._empty(knock, rng)
        if self.unit == "dwelling" and self._has_left(knock.door, rng):
            return self._left(knock, people, rng)
        if self._is_silent(knock, people, rng):
            return self._silent(knock, rng)
        refusing = self.day.answers.refuses_again if knock.refused else self.day.answers.refuses
        if rng.random() < refusing:
            return self._refused(knock, rng)
        return self._answered(knock, people, rng)

    # -- nobody opens ----------------------------------------------------------------------------------

    def _is_silent(self, knock: Knock, people: Mapping[str, Person], rng: random.Random) -> bool:
        needs = {need for p in people.values() for need in p.needs}
        return rng.random() < self.day.silent.share(knock.hour, self._kind(knock.door), needs)

    def _silent(self, knock: Knock, rng: random.Random) -> Visit:
        visit = Visit(self._minutes(self.day.minutes.silent, knock, rng), state="NO_ANSWER", again=AGAIN)
        for unit in knock.units:
            self._outcome(visit, knock, unit, "silent", rng)
        if not knock.units:
            self._door_state(visit, knock, "NO_ANSWER")
        if knock.number > 1 and rng.random() < self.day.discovers.neighbour_tells:
            for unit in knock.units:
                body = {"round": self.words.round, "channel": "neighbour", "reached": False}
                visit.said.append(Said("contact.tried", self._subject(knock.door, unit), body))
        visit.events.append("silent")
        return visit

    def _empty(self, knock: Knock, rng: random.Random) -> Visit:
        """A home where nobody lives looks like one where nobody opens, until somebody sees or says so."""
        seen = rng.random() < self.day.discovers.vacant_seen
        told = knock.number > 1 and rng.random() < self.day.discovers.neighbour_tells
        if not seen and not told:
            return self._silent(knock, rng)
        visit = Visit(self._minutes(self.day.minutes.vacant, knock, rng), state="VACANT")
        self._door_state(visit, knock, "VACANT")
        if self.unit == "dwelling":
            for unit in knock.units:
                self._outcome(visit, knock, unit, "vacant", rng)
        for person in knock.people:
            self._not_here(visit, knock, person, rng, told=told)
        return visit

    def _has_left(self, door: Door, rng: random.Random) -> bool:
        """Whether a home left before the knock: decided once for each door, not at each knock."""
        left = self.day.answers.left
        if not left:
            return False
        house = self.truth.houses.get(door.building)
        share = left.get(house.zone if house else "", left.get("default", 0.0))
        return random.Random(f"left|{door.id}").random() < share

    def _left(self, knock: Knock, people: Mapping[str, Person], rng: random.Random) -> Visit:
        told = knock.number > 1 and rng.random() < self.day.discovers.neighbour_tells
        if rng.random() >= self.day.discovers.vacant_seen and not told:
            return self._silent(knock, rng)
        visit = Visit(self._minutes(self.day.minutes.vacant, knock, rng), state="VACANT")
        for unit in knock.units:
            self._outcome(visit, knock, unit, "left", rng, people=len(people))
        visit.events.append("left")
        return visit

    # -- somebody opens --------------------------------------------------------------------------------

    def _refused(self, knock: Knock, rng: random.Random) -> Visit:
        visit = Visit(self._minutes(self.day.minutes.first_words, knock, rng), state="SEEN", again=ANOTHER)
        if knock.refused:
            visit.again = ""
        for unit in knock.units:
            self._outcome(visit, knock, unit, "refused", rng)
            if knock.refused:
                visit.marks[unit] = "EXPLAINED"
        if not knock.units:
            self._door_state(visit, knock, "REFUSED")
            visit.state = "REFUSED"
        visit.events.append("refused_again" if knock.refused else "refused")
        return visit

    def _answered(self, knock: Knock, people: Mapping[str, Person], rng: random.Random) -> Visit:
        minutes = self._minutes(self.day.minutes.first_words, knock, rng)
        visit = Visit(
            minutes + len(people) * self._minutes(self.day.minutes.each_person, knock, rng), state="SEEN"
        )
        self._door_state(visit, knock, "SEEN")
        if self.unit == "dwelling":
            self._answer_for_home(visit, knock, people, rng)
        else:
            self._answer_for_each(visit, knock, people, rng)
        for listed in knock.people:
            if listed not in people:
                told = rng.random() < self.day.discovers.moved_told_by
                self._not_here(visit, knock, listed, rng, told=told)
        for identity, person in people.items():
            is_known = identity in knock.people or self._identity(identity) in knock.people
            if not is_known and rng.random() < self.day.discovers.person:
                self._found(visit, knock, identity, person, rng)
        return visit

    def _answer_for_home(
        self, visit: Visit, knock: Knock, people: Mapping[str, Person], rng: random.Random
    ) -> None:
        chances = self.day.answers.needs_help
        needs = tuple(sorted({need for p in people.values() for need in p.needs}))
        chance = max((chances.get(need, 0.0) for need in needs), default=chances.get("default", 0.0))
        helped = rng.random() < chance
        for unit in knock.units:
            happened = "needs_help" if helped else "met"
            self._outcome(visit, knock, unit, happened, rng, people=len(people), needs=needs)
        if helped:
            visit.events.append("needs_help")

    def _answer_for_each(
        self, visit: Visit, knock: Knock, people: Mapping[str, Person], rng: random.Random
    ) -> None:
        here = [unit for unit in knock.units if unit in people]
        if here and knock.number < self.day.again.most and rng.random() < self.day.answers.later:
            for unit in here:
                self._outcome(visit, knock, unit, "later", rng)
            visit.again = AGAIN
            visit.events.append("later")
            return
        for unit in here:
            self._outcome(visit, knock, unit, self._answer(rng), rng, needs=people[unit].needs)

    def _answer(self, rng: random.Random) -> str:
        answers, roll = self.day.answers, rng.random()
        for happened, share in (
            ("away", answers.away),
            ("elsewhere", answers.elsewhere),
            ("by_household", answers.by_household),
        ):
            if not self.words.knows(happened):
                continue
            if roll < share:
                return happened
            roll -= share
        return "met"

    # -- who is not where the list says ----------------------------------------------------------------

    def _not_here(self, visit: Visit, knock: Knock, person: str, rng: random.Random, *, told: bool) -> None:
        """Somebody of the list who is not behind this door: what is known of him, or that nothing is."""
        in_round = person in knock.units
        if not told or person not in self.truth.moved:
            if in_round:
                self._outcome(visit, knock, person, "unknown", rng)
            return
        new = self.truth.moved[person]
        if new is None and in_round:
            self._outcome(visit, knock, person, "moved", rng)
        if new is not None or person in self.truth.left:
            self._move(visit, knock.door, person, new)
        visit.events.append("moved_out")

    def _move(self, visit: Visit, door: Door, person: str, new: str | None) -> None:
        to = {"sub_district": door.sub_district, "dwelling": new} if new else None
        body = {"round": self.words.round, "door": door.id, "to": to}
        visit.said.append(Said("person.moved", door.subject(person=person), body))
        visit.moved[person] = new

    def _found(self, visit: Visit, knock: Knock, identity: str, person: Person, rng: random.Random) -> None:
        """Somebody behind the door whom the list does not have here."""
        visit.minutes += self._minutes(self.day.minutes.found_person, knock, rng)
        if identity in knock.grid_people and self.truth.moved.get(identity) == knock.door.id:
            # The phone knows the name, behind another door of the grid: it is the same person.
            self._move(visit, knock.door, identity, knock.door.id)
            if self.unit == "person":
                self._outcome(visit, knock, identity, "met", rng)
            visit.events.append("moved_here")
            return
        known_as = self._identity(identity)
        body: dict[str, Any] = {
            "round": self.words.round,
            "person": known_as,
            "name": person.name,
            "birth_year": person.birth_date.year,
            "phone": person.phone or "",
            "source": self._source(rng),
        }
        household, door = self.truth.households.get(person.household_key, ("", ""))
        if door == knock.door.id:
            body["household"] = household
        if self.unit == "person":
            body["outcome"] = self.words.code("met")
        visit.said.append(Said("person.found", knock.door.subject(), body))
        visit.found[known_as] = self.words.class_of("met")
        visit.events.append("found")
        for need in person.needs:
            if rng.random() < self.day.discovers.need:
                seen = {"kind": need, "round": self.words.round}
                visit.said.append(Said("need.seen", knock.door.subject(person=known_as), seen))
                visit.events.append("need_seen")

    def _identity(self, identity: str) -> str:
        """A person whom another grid's list has is a new person to this phone; the house asks later."""
        return str(uuid.uuid5(uuid.UUID(identity), "found")) if identity in self.truth.moved else identity

    def _source(self, rng: random.Random) -> str:
        sources = self.day.discovers.sources
        return rng.choices(list(sources), weights=list(sources.values()))[0]

    # -- how it is written down ------------------------------------------------------------------------

    def _outcome(
        self,
        visit: Visit,
        knock: Knock,
        unit: str,
        happened: str,
        rng: random.Random,
        *,
        people: int = 1,
        needs: tuple[str, ...] = (),
    ) -> None:
        door = None if self.unit == "dwelling" else knock.door.id
        body = self.words.outcome(happened, door=door, people=people, needs=needs, rng=rng)
        visit.said.append(Said("entry.outcome", self._subject(knock.door, unit), body))
        visit.marks[unit] = self.words.class_of(happened)

    def _subject(self, door: Door, unit: str) -> dict[str, Any]:
        return door.subject(**{self.unit: unit})

    def _door_state(self, visit: Visit, knock: Knock, state: str) -> None:
        visit.said.append(
            Said("door.state", knock.door.subject(), {"round": self.words.round, "state": state})
        )

    def _kind(self, door: Door) -> str:
        known = self.truth.doors.get(door.id)
        return known.kind if known else "default"

    def _minutes(self, table: Mapping[str, Range], knock: Knock, rng: random.Random) -> float:
        low, high = table.get(self._kind(knock.door), table["default"])
        return rng.uniform(low, high)
