# SPDX-License-Identifier: Apache-2.0
"""The day player: simulated workers walk a generated city and record what they find, through the real doors.

It is a process of its own and knows the house only through the public API. Time runs `speed` times faster; what is
recorded carries the real time of the act, so that the ledger is never told of a future that has not been.
"""

from __future__ import annotations

import json
import random
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from muster.base.clock import now
from muster.drill.city.model import City, Person
from muster.drill.day import Day, Visit, visits_of_door
from muster.drill.device import DeviceClient, EnrolRefused
from muster.drill.load import key_id

TICK_SECONDS = 0.25
SEND_SECONDS = 1.0
PULL_SECONDS = 8.0
TOLD = 12


@dataclass
class Worker:
    """A simulated worker: a phone, the doors of one grid in walking order, and what is left to do."""

    phone: DeviceClient
    grid: int
    doors: deque[dict[str, Any]] = field(default_factory=deque)
    again: deque[dict[str, Any]] = field(default_factory=deque)
    seen: dict[str, int] = field(default_factory=dict)
    busy_until: float = 0.0
    sent_at: float = 0.0
    pulled_at: float = 0.0
    offline_until: float = 0.0
    recorded: int = 0


@dataclass
class World:
    """What is true behind each door, by the door's id in the house."""

    city: City
    behind: dict[str, list[Person]] = field(default_factory=dict)
    listed: dict[str, set[str]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, city: City) -> World:
        world = cls(city)
        home = {h.key: h.dwelling_key for h in city.households}
        world.ids = {p.key: str(key_id(city, p.key)) for p in city.persons}
        for community in city.communities:
            for dwelling, people in community.behind_doors.items():
                world.behind[str(key_id(city, dwelling))] = list(people)
        for person in city.listed.persons:
            door = home.get(person.household_key)
            if door is not None:
                world.listed.setdefault(str(key_id(city, door)), set()).add(world.ids[person.key])
        return world


class Player:
    """Plays a day on a running house."""

    def __init__(self, demo: Mapping[str, Any], city: City, day: Day, folder: Path, *, seed: int) -> None:
        self.demo, self.day, self.folder = demo, day, folder
        self.world = World.of(city)
        self.rng = random.Random(seed)
        self.http = httpx.Client(timeout=10.0, verify=demo.get("tls_authority") or True)
        self.workers: list[Worker] = []
        self.log: deque[dict[str, Any]] = deque(maxlen=TOLD)
        self.clock = 0.0
        self.state = "STARTING"
        self.speed = float(demo.get("speed", 20))
        self.rounds: list[dict[str, Any]] = []
        self.done = 0

    def run(self, stop: Callable[[], bool]) -> None:
        """Enrols the workers, then plays until told to stop; after the last door it waits, so that a visitor can go on."""
        self._tell()
        self._enrol(stop)
        self.state = "PLAYING"
        last = time.monotonic()
        told = 0.0
        while not stop():
            time.sleep(TICK_SECONDS)
            here = time.monotonic()
            self._read_wish()
            if self.state == "PLAYING":
                self.clock += (here - last) * self.speed
            last = here
            for worker in self.workers:
                if self.state == "PLAYING":
                    self._act(worker)
                self._exchange(worker, here)
            if here - told > 1.0:
                self._tell()
                told = here

    def _enrol(self, stop: Callable[[], bool]) -> None:
        for code in self.demo["simulated_codes"]:
            if stop():
                return
            phone = DeviceClient(self.demo["web"], code["worker"], self.http)
            try:
                phone.enrol(code["code"])
            except (EnrolRefused, httpx.HTTPError) as error:
                self._note("enrol_failed", worker=code["worker"], why=str(error)[:120])
                continue
            told = phone.pull()
            if told is None:
                continue
            self.rounds = told["rounds"]
            worker = Worker(phone, code["grid"], busy_until=self.rng.uniform(0, 120))
            order = {b["id"]: (b["order"], b["name"]) for b in told["buildings"]}
            doors = sorted(told["doors"], key=lambda d: (order.get(d["building"], (0, "")), d["unit"], d["order"]))
            persons: dict[str, list[dict[str, Any]]] = {}
            for person in told["persons"]:
                persons.setdefault(person["dwelling"], []).append(person)
            worker.doors.extend({**door, "persons": persons.get(door["id"], [])} for door in doors)
            self.workers.append(worker)

    def _act(self, worker: Worker) -> None:
        """What a worker does when his last visit is over."""
        if self.clock < worker.busy_until:
            return
        door = self._next_door(worker)
        if door is None:
            return
        visit = self._visit(worker, door)
        worker.busy_until = self.clock + visit.minutes * 60
        worker.recorded += len(visit.facts)
        at = now()
        for kind, subject, body in visit.facts:
            worker.phone.record(kind, subject, body, at=at)
        if visit.come_back:
            worker.again.append(door)
        if visit.remarkable:
            self._note(visit.remarkable, worker=worker.phone.name, door=door["label"])
        if self.rng.random() < self.day.offline_chance:
            worker.offline_until = self.clock + self.rng.uniform(*self.day.offline_minutes) * 60
            self._note("offline", worker=worker.phone.name)

    def _next_door(self, worker: Worker) -> dict[str, Any] | None:
        if worker.doors:
            return worker.doors.popleft()
        if worker.again and worker.seen.get(worker.again[0]["id"], 0) < self.day.most_visits:
            return worker.again.popleft()
        if worker.again:
            worker.again.popleft()
        return None

    def _visit(self, worker: Worker, door: dict[str, Any]) -> Visit:
        number = worker.seen.get(door["id"], 0) + 1
        worker.seen[door["id"]] = number
        return visits_of_door(
            door, self.world, self.rounds[0], self.day, rng=self.rng, number=number, hour=self.day.starts_at_hour + self.clock / 3600
        )

    def _exchange(self, worker: Worker, here: float) -> None:
        worker.phone.online = self.clock >= worker.offline_until
        if here - worker.sent_at >= SEND_SECONDS:
            worker.sent_at = here
            self.done += worker.phone.send(at=now(), clock=here)
        if here - worker.pulled_at >= PULL_SECONDS + self.rng.uniform(0, 4) and worker.phone.receipted:
            worker.pulled_at = here
            worker.phone.pull()

    def _read_wish(self) -> None:
        try:
            wish = json.loads((self.folder / "wish.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        self.speed = float(wish.get("speed", self.speed))
        if wish.get("paused") and self.state == "PLAYING":
            self.state = "PAUSED"
        elif not wish.get("paused") and self.state == "PAUSED":
            self.state = "PLAYING"

    def _note(self, what: str, **facts: Any) -> None:
        self.log.appendleft({"what": what, "clock": self._time_of_day(), **facts})

    def _time_of_day(self) -> str:
        minutes = int(self.day.starts_at_hour * 60 + self.clock / 60)
        return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"

    def _tell(self) -> None:
        """Writes what the player is doing for the welcome page."""
        told = {
            "state": self.state, "speed": self.speed, "clock": self._time_of_day(),
            "workers": [
                {"name": w.phone.name, "grid": w.grid, "left": len(w.doors) + len(w.again), "recorded": w.recorded,
                 "unsent": w.phone.counts[0], "online": w.phone.online}
                for w in self.workers
            ],
            "log": list(self.log), "facts_sent": self.done, "worker_code": self.demo.get("worker_code"),
            "worker_url": self.demo.get("worker_url"),
        }  # fmt: skip
        self.folder.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / "state.new"
        fresh.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
        fresh.replace(self.folder / "state.json")
