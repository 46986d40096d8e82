# SPDX-License-Identifier: Apache-2.0
"""The day player: simulated workers walk a generated city and record what they find, through the real doors.

A process of its own that knows the house only through the public API. Time runs `speed` times faster; a
record carries the real time of the act, so that the ledger is never told of a future that has not been.
"""

from __future__ import annotations

import logging
import queue
import random
import ssl
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx

from muster.base.clock import now
from muster.drill.city.day import Day
from muster.drill.city.model import City
from muster.drill.device import DeviceClient
from muster.drill.play.crew import Crew
from muster.drill.play.hand import Hand
from muster.drill.play.joining import Joining
from muster.drill.play.notebook import Door, Notebook
from muster.drill.play.phones import trouble_of
from muster.drill.play.spare_code import SpareCode
from muster.drill.play.told import Told
from muster.drill.play.truth import truth_of
from muster.drill.play.visits import Visit, Visitor
from muster.drill.play.words import Words

log = logging.getLogger("muster.drill")
TICK_SECONDS = 0.25
THREADS = 4
MOST_WAITING = 12
TELL_SECONDS = 1.0
KEEP_SECONDS = 20.0
EXCHANGE_SECONDS = (2.5, 6.0)
FREE_HOURS = 3.0
QUIET = frozenset({"silent", "left"})


class Player:
    """Plays a day on a running house."""

    def __init__(
        self,
        demo: Mapping[str, Any],
        city: City,
        day: Day,
        folder: Path,
        *,
        seed: int,
        language: str,
        http: httpx.Client | None = None,
    ) -> None:
        self.demo, self.day, self.seed, self.language = demo, day, seed, language
        self.truth = truth_of(city)
        self.told = Told(folder)
        before = self.told.read("state.json")
        self.http = http or httpx.Client(timeout=15.0, verify=_trust(demo.get("tls_authority")))
        self.pool = ThreadPoolExecutor(THREADS, thread_name_prefix="phone")
        self.arrived: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.waiting = 0
        self.hands: list[Hand] = []
        self.crews: dict[int, Crew] = {}
        self.clock = float(before.get("clock_seconds", 0.0))
        self.speed = float(demo.get("speed", 60))
        self.sent = int(before.get("facts_sent", 0))
        self.told.counts.update(before.get("counts", {}))
        self.state = "STARTING"
        self.rng = random.Random(f"{seed}|{self.clock}")
        self.length = _seconds(day)
        self.joining = Joining(self)
        self.spare = SpareCode(demo, self.http, last=before.get("worker_code"))
        self.free_building: dict[str, Any] = {}

    # -- the loop --------------------------------------------------------------------------------------

    def run(self, stop: Callable[[], bool]) -> None:
        """Plays until told to stop. After the end of the day it stays: the visitor may go on."""
        self._tell()
        self.joining.begin()
        last = told = kept = time.monotonic()
        try:
            while not stop():
                time.sleep(TICK_SECONDS)
                here = time.monotonic()
                self.step(here, here - last)
                last = here
                if here - told > TELL_SECONDS:
                    self._tell()
                    told = here
                if here - kept > KEEP_SECONDS:
                    self.keep_phones()
                    kept = here
        finally:
            self.pool.shutdown(wait=True, cancel_futures=True)
            self._tell()
            self.keep_phones()
            self.http.close()

    def step(self, here: float, passed: float) -> None:
        """One tick: what has arrived, what is wished, what workers do, whose phone may speak."""
        while not self.arrived.empty():
            self.arrived.get()()
        self._read_wish()
        if self.state == "PLAYING":
            self.clock = min(self.clock + passed * self.speed, self.length)
            for hand in self.hands:
                self._act(hand)
            if self.clock >= self.length:
                self.state = "FINISHED"
                self.note("day_over", worker="")
        for hand in self.hands:
            self._exchange(hand, here)
        self.joining.look_after(here)
        if self.spare.is_due(here):
            self.submit(self._look_at_code)

    def submit(self, job: Callable[[], Callable[[], None] | None]) -> bool:
        """Runs a job beside the loop; what it answers is done by the loop itself."""
        if self.waiting >= MOST_WAITING:
            return False
        self.waiting += 1

        def run() -> None:
            after: Callable[[], None] | None = None
            try:
                after = job()
            except Exception:
                # A house that restarts answers anything; the next turn asks again.
                log.warning("a phone's turn failed", exc_info=True)
            finally:
                self.arrived.put(lambda: self._settle(after))

        self.pool.submit(run)
        return True

    def _settle(self, after: Callable[[], None] | None) -> None:
        self.waiting -= 1
        if after is not None:
            after()

    # -- crews -----------------------------------------------------------------------------------------

    def crew_of(self, grid: int, told: Mapping[str, Any]) -> Crew:
        """The crew of a grid, made from the first pull of one of its phones."""
        if grid not in self.crews:
            round_ = next(r for r in told["rounds"] if r["id"] == self.demo["round"])
            unit = round_["kind"]["unit"]
            words = Words(round_, self.day, language=self.language)
            book = Notebook(round_["id"], unit)
            book.take(told)
            crew = Crew(
                grid, Visitor(self.truth, self.day, words, unit=unit), book, seed=f"{self.seed}|{grid}"
            )
            # The same people after every start, but not the same dice: the day goes on, it is not repeated.
            crew.rng.seed(f"{self.seed}|{grid}|{self.clock}")
            crew.share_out(keep_free=self._keep_free(grid, book))
            self.crews[grid] = crew
        return self.crews[grid]

    def join(self, grid: int, number: int, phone: DeviceClient, told: Mapping[str, Any] | None) -> None:
        """A phone has enrolled: its worker sets out."""
        crew = self.crew_of(grid, told) if told is not None else self.crews[grid]
        worker = crew.workers[number - 1]
        worker.free_at = (
            max(worker.free_at, self.clock) if self.clock == 0 else self.clock + self.rng.uniform(0, 300)
        )
        worker.rests = [rest for rest in worker.rests if rest[0] >= self.clock]
        trouble = trouble_of(self.day, random.Random(f"{self.seed}|phone|{grid}|{number}"))
        self.hands.append(Hand(phone, crew, worker, trouble))
        if self.state == "STARTING":
            self.state = "PLAYING"

    def _keep_free(self, grid: int, book: Notebook) -> dict[str, float]:
        """A small building of the first grid is left to the visitor for the first hours."""
        if grid != self.demo["logins"]["grid_head"]["grid"] or self.clock >= FREE_HOURS * 3600:
            return {}
        sizes: dict[str, int] = {}
        for door in book.doors.values():
            if book.units(door.id):
                sizes[door.building] = sizes.get(door.building, 0) + 1
        fit = sorted((abs(size - 12), building) for building, size in sizes.items())
        if len(fit) < 2:
            return {}
        building = fit[0][1]
        self.free_building = {"id": building, "name": book.buildings[building].name, "grid": grid}
        return {building: FREE_HOURS * 3600}

    # -- acts ------------------------------------------------------------------------------------------

    def _act(self, hand: Hand) -> None:
        """All that a worker does until now; a fast day may hold several visits in one tick."""
        while hand.worker.free_at <= self.clock:
            moment = hand.worker.free_at
            flat = hand.trouble.flat_until(moment)
            if flat is not None:
                hand.worker.free_at = flat
                continue
            met = hand.crew.act(hand.worker, clock=moment)
            if met is not None:
                self._record(hand, *met)

    def _record(self, hand: Hand, door: Door, visit: Visit) -> None:
        hand.record(visit, at=now())
        self.told.counts["doors"] += 1
        for what in visit.events:
            self.note(what, worker=hand.phone.name, door=door.label, tell=what not in QUIET)

    def _exchange(self, hand: Hand, here: float) -> None:
        house = self.truth.houses.get(hand.worker.at.building) if hand.worker.at else None
        was_online = hand.phone.online
        hand.phone.online = hand.trouble.is_online(self.clock, house, over=self.state == "FINISHED")
        if was_online and not hand.phone.online and self.state == "PLAYING":
            self.note("offline", worker=hand.phone.name, tell=len(self.told.log) < 4)
        if hand.is_busy or here < hand.due or not hand.phone.online or not hand.has_something(here):
            return
        low, high = (seconds / self.speed for seconds in self.day.network.sync_seconds)
        # Ever more phones do not mean ever more requests: one process serves them all.
        slow = max(1.0, len(self.hands) / 60)
        hand.due = here + self.rng.uniform(
            max(low, EXCHANGE_SECONDS[0] * slow), max(high, EXCHANGE_SECONDS[1] * slow)
        )
        twice = self.rng.random() < self.day.repeats.batch_twice
        hand.is_busy = self.submit(lambda: self._talk(hand, here, twice=twice))

    def _talk(self, hand: Hand, here: float, *, twice: bool) -> Callable[[], None]:
        """Beside the loop: sends, and pulls when the house owes something."""
        told, sent = None, 0
        try:
            told, sent = hand.talk(here, at=now(), twice=twice)
        finally:
            self.arrived.put(hand.free)

        def after() -> None:
            self.sent += sent
            if told is not None:
                hand.crew.notebook.take(told)

        return after

    def _look_at_code(self) -> Callable[[], None] | None:
        fresh = self.spare.look(at=now())
        return (lambda: self.note("code_used", worker="")) if fresh else None

    # -- telling ---------------------------------------------------------------------------------------

    def _read_wish(self) -> None:
        wish = self.told.read("wish.json")
        self.speed = float(wish.get("speed", self.speed))
        if wish.get("paused") and self.state == "PLAYING":
            self.state = "PAUSED"
        elif not wish.get("paused") and self.state == "PAUSED":
            self.state = "PLAYING"

    def note(self, what: str, *, worker: str, door: str = "", tell: bool = True) -> None:
        self.told.note(what, clock=self._time_of_day(), worker=worker, door=door, tell=tell)

    def _time_of_day(self) -> str:
        minutes = int(self.day.starts.hour * 60 + self.day.starts.minute + self.clock / 60)
        return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"

    def _tell(self) -> None:
        self.told.write(
            "state.json",
            {
                "state": self.state,
                "speed": self.speed,
                "clock": self._time_of_day(),
                "clock_seconds": self.clock,
                "workers": [hand.told() for hand in self.hands],
                "log": list(self.told.log),
                "facts_sent": self.sent,
                "counts": dict(self.told.counts),
                "percent": self._percent(),
                "expected": self.joining.expected,
                "left_for_visitor": self.free_building or None,
                "worker_code": self.spare.code,
                "worker_url": self.spare.url,
            },
        )

    def _percent(self) -> float:
        """Units with a result or a written word, as the phones know it."""
        total = settled = 0
        for crew in self.crews.values():
            total += len(crew.notebook.entries)
            settled += sum(
                1 for cls in crew.notebook.entries.values() if cls in {"DONE", "EXPLAINED", "ARRANGED"}
            )
        return round(100 * settled / total, 1) if total else 0.0

    def keep_phones(self) -> None:
        kept = {f"{h.crew.grid}|{h.worker.number}": h.phone.kept() for h in self.hands}
        self.told.write("phones.json", {**self.joining.kept, **kept}, private=True)


def _trust(authority: str | None) -> ssl.SSLContext | bool:
    return ssl.create_default_context(cafile=authority) if authority else True


def _seconds(day: Day) -> float:
    return ((day.ends.hour - day.starts.hour) * 60 + day.ends.minute - day.starts.minute) * 60.0
