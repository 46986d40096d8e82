# SPDX-License-Identifier: Apache-2.0
"""Crew: the workers of one grid, who goes to which door next, and who comes again when.

Time is seconds since the day began. A crew decides from what its phones know (the notebook), never from the
truth.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from muster.drill.city.day import Day
from muster.drill.play.notebook import Door, Notebook
from muster.drill.play.truth import TrueDoor, Truth
from muster.drill.play.visits import AGAIN, ANOTHER, Knock, Said, Visit, Visitor
from muster.drill.play.walking import minutes_between

IDLE_SECONDS = 120.0
LATE_RETURN_SECONDS = 1800.0
LOOK_AGAIN_SECONDS = 900.0


@dataclass(slots=True)
class Worker:
    """todo: doors of his own, in walking order. careless: doors he visits though somebody was there."""

    number: int
    pace: float
    metres_per_minute: float
    free_at: float
    rests: list[tuple[float, float]]
    todo: deque[str] = field(default_factory=deque)
    careless: set[str] = field(default_factory=set)
    at: Door | None = None
    is_here: bool = True


@dataclass(order=True, slots=True)
class Return:
    due: float
    serial: int
    door: str = field(compare=False)
    not_by: int | None = field(compare=False, default=None)


class Crew:
    """Plays the workers of one grid through the day."""

    def __init__(self, grid: int, visitor: Visitor, notebook: Notebook, *, seed: str) -> None:
        self.grid, self.visitor, self.notebook = grid, visitor, notebook
        self.day: Day = visitor.day
        self.truth: Truth = visitor.truth
        self.rng = random.Random(seed)
        self.workers = [
            self._worker(n) for n in range(1, self.rng.randint(*map(int, self.day.workers.per_grid)) + 1)
        ]
        self.returns: list[Return] = []
        self.visits: Counter[str] = Counter()
        self.refused: dict[str, int] = {}
        self.searched: set[str] = set()
        self.kept_free: dict[str, float] = {}
        self.looked_at = 0.0
        self._serial = 0

    def _worker(self, number: int) -> Worker:
        rules, rng = self.day.workers, self.rng
        begin = self.day.starts.hour * 60 + self.day.starts.minute
        rests = []
        for rest in rules.rests:
            earliest = rest.earliest.hour * 60 + rest.earliest.minute - begin
            latest = rest.latest.hour * 60 + rest.latest.minute - begin - rest.minutes
            rests.append((rng.uniform(earliest, max(earliest, latest)) * 60, rest.minutes * 60))
        late = rng.uniform(*rules.late_minutes) * 60
        return Worker(number, rng.uniform(*rules.pace), rng.uniform(*rules.walk_m_per_minute), late, rests)

    # -- dividing the grid -----------------------------------------------------------------------------

    def share_out(self, *, keep_free: dict[str, float] | None = None) -> None:
        """Gives each worker a stretch of the walk; in some buildings two are at work without knowing.

        keep_free: building -> until when nobody of the crew goes there.
        """
        self.kept_free = dict(keep_free or {})
        doors = [d for d in self.notebook.walking_order() if self._is_wanted(d)]
        if not doors:
            return
        parts = len(self.workers)
        part_of: dict[str, int] = {}
        for place, door in enumerate(doors):
            building = self.notebook.doors[door].building
            part = part_of.setdefault(building, place * parts // len(doors))
            self.workers[part].todo.append(door)
        for building, part in part_of.items():
            if parts > 1 and self.rng.random() < self.day.workers.two_in_a_building:
                self._send_second(building, self.workers[(part + 1) % parts])

    def _is_wanted(self, door: str) -> bool:
        return self.notebook.doors[door].building not in self.kept_free and not self.notebook.is_done(door)

    def _send_second(self, building: str, worker: Worker) -> None:
        """Another worker comes for the upper half of a building, and does not know that it is done."""
        doors = [d for w in self.workers for d in w.todo if self.notebook.doors[d].building == building]
        upper = [d for d in doors[len(doors) // 2 :] if d not in worker.todo]
        worker.todo.extendleft(upper)
        worker.careless.update(upper)

    # -- one act ---------------------------------------------------------------------------------------

    def act(self, worker: Worker, *, clock: float) -> tuple[Door, Visit] | None:
        """What a worker who is free does now; None: he rests or waits. Sets when he is free again."""
        if worker.rests and clock >= worker.rests[0][0]:
            worker.free_at = clock + worker.rests.pop(0)[1]
            return None
        self._release(clock)
        door_id = self._next_door(worker, clock)
        if door_id is None:
            worker.free_at = clock + IDLE_SECONDS
            self._look_again(clock)
            return None
        door = self.notebook.doors[door_id]
        walk = minutes_between(
            worker.at,
            door,
            self.notebook.buildings,
            self.day.workers,
            metres_per_minute=worker.metres_per_minute,
        )
        visit = self._visit(worker, door, clock)
        worker.at = door
        worker.free_at = clock + (walk + visit.minutes) * worker.pace * 60
        return door, visit

    def _next_door(self, worker: Worker, clock: float) -> str | None:
        due = self._due_return(worker, clock, late_only=bool(worker.todo))
        if due is not None:
            return due
        while worker.todo:
            door = worker.todo.popleft()
            if door not in self.notebook.doors:
                continue
            if door in worker.careless or not self.notebook.is_done(door):
                return door
        return self._due_return(worker, clock, late_only=False)

    def _due_return(self, worker: Worker, clock: float, *, late_only: bool) -> str | None:
        kept, chosen = [], None
        while self.returns and self.returns[0].due <= clock:
            one = heapq.heappop(self.returns)
            if one.door not in self.notebook.doors or self.notebook.is_done(one.door):
                continue
            others = any(w.is_here for w in self.workers if w.number != worker.number)
            mine = one.not_by != worker.number or not others
            late = clock - one.due > LATE_RETURN_SECONDS
            near = worker.at is not None and self.notebook.doors[one.door].building == worker.at.building
            if mine and (not late_only or late or near):
                chosen = one.door
                break
            kept.append(one)
        for one in kept:
            heapq.heappush(self.returns, one)
        return chosen

    def _visit(self, worker: Worker, door: Door, clock: float) -> Visit:
        careless = door.id in worker.careless
        worker.careless.discard(door.id)
        self.visits[door.id] += 1
        book = self.notebook
        refused = door.id in self.refused and self.refused[door.id] != worker.number
        knock = Knock(
            door,
            book.units(door.id) if careless else book.open_units(door.id),
            book.people(door.id),
            book.homes,
            self.visits[door.id],
            self.hour(clock),
            refused,
        )
        visit = self.visitor.knock(knock, rng=self.rng)
        self._repeat(worker, door, visit)
        self._search(worker, door, visit)
        self._note(worker, door, visit)
        self._come_again(worker, door, visit, clock)
        return visit

    def hour(self, clock: float) -> float:
        return self.day.starts.hour + self.day.starts.minute / 60 + clock / 3600

    def _note(self, worker: Worker, door: Door, visit: Visit) -> None:
        book = self.notebook
        if visit.state:
            book.note(door, visit.state)
        for person, cls in visit.found.items():
            book.settle(person, door.id)
            if book.unit == "person":
                book.entries[person] = cls
        for person, new in visit.moved.items():
            if new is None or new not in book.doors:
                book.forget(person)
            else:
                book.settle(person, new)
        book.entries.update(visit.marks)
        if visit.again == ANOTHER:
            self.refused[door.id] = worker.number

    # -- coming again ----------------------------------------------------------------------------------

    def _come_again(self, worker: Worker, door: Door, visit: Visit, clock: float) -> None:
        again = self.day.again
        if not visit.again or self.visits[door.id] >= again.most:
            return
        due = clock + self.rng.uniform(*again.gap_minutes) * 60
        if visit.again == AGAIN and self.rng.random() < again.evening_share:
            begin = self.day.starts.hour * 60 + self.day.starts.minute
            evening = (again.evening_from.hour * 60 + again.evening_from.minute - begin) * 60
            due = max(due, evening + self.rng.uniform(0, 3600))
        self._put(due, door.id, worker.number if visit.again == ANOTHER else None)

    def _put(self, due: float, door: str, not_by: int | None = None) -> None:
        self._serial += 1
        heapq.heappush(self.returns, Return(due, self._serial, door, not_by))

    def _release(self, clock: float) -> None:
        """What was kept free for somebody else and is still undone belongs to the crew again."""
        for building in [b for b, until in self.kept_free.items() if clock >= until]:
            del self.kept_free[building]
            doors = [d for d in self.notebook.walking_order() if self.notebook.doors[d].building == building]
            least = min(self.workers, key=lambda w: len(w.todo))
            least.todo.extend(d for d in doors if not self.notebook.is_done(d))

    def _look_again(self, clock: float) -> None:
        """Who has nothing to do looks through his phone: somebody may have moved in or been left out."""
        if clock - self.looked_at < LOOK_AGAIN_SECONDS:
            return
        self.looked_at = clock
        planned = {r.door for r in self.returns} | {d for w in self.workers for d in w.todo}
        most = self.day.again.most
        for door in self.notebook.walking_order():
            if door not in planned and self.visits[door] < most and self._is_wanted(door):
                self._put(clock, door, self.refused.get(door))

    # -- what is found and what goes wrong -------------------------------------------------------------

    def _search(self, worker: Worker, door: Door, visit: Visit) -> None:
        """At the first door of a building a worker looks for doors that are on no list."""
        if door.building in self.searched:
            return
        self.searched.add(door.building)
        for hidden in self.truth.hidden.get(door.building, ()):
            if hidden.id in self.notebook.doors or self.rng.random() >= self.day.discovers.door:
                continue
            new = Door(
                hidden.id,
                door.sub_district,
                door.building,
                hidden.unit,
                hidden.floor,
                door.order,
                hidden.room,
            )
            body = _found_door(hidden, self.visitor.words.round)
            visit.said.append(Said("door.found", new.subject(), body))
            visit.events.append("door_found")
            self.notebook.doors[new.id] = new
            if self.notebook.unit == "dwelling":
                self.notebook.entries[new.id] = "OPEN"
            worker.todo.appendleft(new.id)

    def _repeat(self, worker: Worker, door: Door, visit: Visit) -> None:
        """Doors recorded twice, records taken back at once, records made at the neighbour's door first."""
        repeats, rng = self.day.repeats, self.rng
        others = [w for w in self.workers if w is not worker]
        if others and rng.random() < repeats.door_twice:
            other = rng.choice(others)
            other.todo.insert(rng.randint(0, min(len(other.todo), 30)), door.id)
            other.careless.add(door.id)
        first = next((n for n, s in enumerate(visit.said) if s.kind == "entry.outcome"), None)
        if first is None:
            return
        if rng.random() < repeats.undone:
            wrong = visit.said[first]
            body = self.visitor.words.outcome("silent", door=wrong.body.get("door"), rng=rng)
            self._take_back(visit, [Said(wrong.kind, wrong.subject, body)])
        elif rng.random() < repeats.wrong_door:
            self._take_back(visit, self._at_the_neighbours(door))

    def _at_the_neighbours(self, door: Door) -> list[Said]:
        same_floor = (
            d for d in self.notebook.doors.values() if d.building == door.building and d.floor == door.floor
        )
        neighbour = next((d for d in same_floor if d.id != door.id and self.notebook.open_units(d.id)), None)
        if neighbour is None:
            return []
        place = None if self.notebook.unit == "dwelling" else neighbour.id
        said = []
        for unit in self.notebook.open_units(neighbour.id):
            body = self.visitor.words.outcome("met", door=place, rng=self.rng)
            said.append(Said("entry.outcome", neighbour.subject(**{self.notebook.unit: unit}), body))
        return said

    def _take_back(self, visit: Visit, wrong: Iterable[Said]) -> None:
        for said in wrong:
            body = {"round": self.visitor.words.round}
            visit.said.append(said)
            visit.said.append(Said("fact.undone", said.subject, body, undoes=len(visit.said) - 1))
            visit.events.append("undone")


def _found_door(hidden: TrueDoor, round_: str) -> dict[str, object]:
    return {
        "round": round_,
        "building": hidden.building,
        "unit": hidden.unit[:12],
        "floor": hidden.floor,
        "room": hidden.room[:24],
        "address": hidden.address[:200],
    }
