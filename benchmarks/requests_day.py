# SPDX-License-Identifier: Apache-2.0
"""Ten thousand requests in a day, through the real services on a turned clock, beside a nearest-first rule.

    python -m benchmarks.requests_day [--requests 10000] [--seed 1] [--desk-only]

The same people answer in the same way under both rules: some decline, some never answer. Then the desk's own
reads while ten thousand are open. Writes benchmarks/results/requests_day.json.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import math
import os
import random
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.planning.machine import machine

RESULT = Path(__file__).resolve().parent / "results" / "requests_day.json"
MORNING = datetime(2022, 9, 2, 23, 0, tzinfo=UTC)  # seven o'clock in the incident's own zone
STREETS, GRIDS, BUILDINGS, DOORS, HELPERS = 8, 5, 8, 6, 16
GRID_M, METRES_PER_DEGREE = 420.0, 111_320.0
WALK_M_PER_MINUTE = 70.0
# Of a day from seven to ten: what share of the requests comes in each hour.
HOURS = (3, 6, 9, 10, 9, 8, 6, 6, 7, 8, 9, 8, 5, 3, 3)
ACCEPTS, DECLINES = 0.80, 0.12
Rule = Callable[[Any, datetime], Sequence[Any]]


def prepare(folder: Path) -> None:
    """A house of its own in this folder, before Django is loaded."""
    os.environ.update(
        MUSTER_DATA=str(folder), MUSTER_DATABASE_URL=f"sqlite:///{folder / 'day.sqlite3'}",
        DJANGO_SETTINGS_MODULE="muster.config.settings",
    )  # fmt: skip
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


@dataclass
class Town:
    incident: Any
    pack: Any
    doors: list[Any] = field(default_factory=list)
    helpers: list[Any] = field(default_factory=list)


def build(seed: int) -> Town:
    """Streets side by side, grids of one side length, people who serve in all of them."""
    from muster.incidents.packs import pack_of
    from muster.incidents.services import declare_incident
    from muster.places.models import Building, Dwelling, Grid
    from muster.places.services import add_area, add_grid
    from muster.responders.models import Responder

    rng = random.Random(seed)
    incident = declare_incident(
        name="bench", kind="epidemic", pack="epidemic-zh", area=None, starts_at=MORNING - timedelta(days=1),
        ends_at=MORNING + timedelta(days=9), is_drill=True, time_zone="Asia/Shanghai", by=None, at=MORNING,
    )  # fmt: skip
    town = Town(incident, pack_of(incident))
    city = add_area(code="99", name="测速市", level="city", parent=None, is_partition=False)
    skills = [s.code for s in town.pack.skills][:3]
    for s in range(STREETS):
        street = add_area(
            code=f"9901{s:06d}", name=f"{s}街道", level="sub_district", parent=city, is_partition=True
        )
        for g in range(GRIDS):
            east, north = g * GRID_M, s * GRID_M
            grid = add_grid(code=f"g{s}-{g}", name=f"{s}-{g}", area=street, level="SMALL", at=MORNING)
            lon, lat = degrees(east + GRID_M / 2, north + GRID_M / 2)
            Grid.objects.filter(id=grid.id).update(lon=lon, lat=lat)
            for b in range(BUILDINGS):
                lon, lat = degrees(east + rng.random() * GRID_M, north + rng.random() * GRID_M)
                building = Building.objects.create(
                    area=street, sub_district=street.id, grid=grid.id, code=f"b{s}-{g}-{b}", name=f"{b}号楼",
                    lon=lon, lat=lat,
                )  # fmt: skip
                town.doors += Dwelling.objects.bulk_create(
                    Dwelling(sub_district=street.id, grid=grid.id, building=building, unit="1", floor=n,
                             room=str(n), label=f"{b}号楼{n}", walk_order=n)
                    for n in range(DOORS)
                )  # fmt: skip
            for h in range(HELPERS):
                lon, lat = degrees(east + rng.random() * GRID_M, north + rng.random() * GRID_M)
                row = Responder(
                    incident=incident.id, purpose=str(incident.id), user=uuid.UUID(int=rng.getrandbits(128)),
                    sub_district=street.id, grid=grid.id, home_grid=grid.id, lon=lon, lat=lat,
                    name=f"演{s}{g}{h}", skills=[k for k in skills if rng.random() < 0.3], languages=["zh"],
                    status="ON_DUTY", status_since=MORNING, checked_in_at=MORNING, vetted_at=MORNING,
                    vetted_by=uuid.UUID(int=1),
                )  # fmt: skip
                row.save(force_insert=True)
                town.helpers.append(row)
    return town


def degrees(east: float, north: float) -> tuple[float, float]:
    lat = 34.2 + north / METRES_PER_DEGREE
    return 108.9 + east / (METRES_PER_DEGREE * math.cos(math.radians(34.2))), lat


def metres(one: Any, other: tuple[float, float]) -> float:
    east = (one.lon - other[0]) * METRES_PER_DEGREE * math.cos(math.radians(34.2))
    return math.hypot(east, (one.lat - other[1]) * METRES_PER_DEGREE)


@dataclass
class Day:
    """One day under one rule; the clock jumps from act to act."""

    town: Town
    rule: Rule
    seed: int
    heap: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    turn: Any = field(default_factory=itertools.count)
    waits_m: list[float] = field(default_factory=list)
    walks_m: list[float] = field(default_factory=list)
    jobs: dict[uuid.UUID, int] = field(default_factory=dict)
    taken: set[uuid.UUID] = field(default_factory=set)
    asked: int = 0
    late: int = 0
    unseen: int = 0

    def at(self, when: datetime, act: Callable[[datetime], None]) -> None:
        heapq.heappush(self.heap, (when, next(self.turn), act))

    def run(self, count: int) -> None:
        from django.db import transaction

        rng = random.Random(self.seed)
        for number in range(count):
            hour = rng.choices(range(len(HOURS)), HOURS)[0]
            when = MORNING + timedelta(hours=hour, minutes=rng.random() * 60)
            self.at(when, lambda now, n=number: self.ask(n, now))
        for minute in range(0, 20 * 60, 2):
            self.at(MORNING + timedelta(minutes=minute), self.look)
        while self.heap:
            # One transaction for what happens in two minutes of the day: the disk is not what is measured.
            until = self.heap[0][0] + timedelta(minutes=2)
            with transaction.atomic():
                while self.heap and self.heap[0][0] < until:
                    when, _, act = heapq.heappop(self.heap)
                    act(when)

    def ask(self, number: int, now: datetime) -> None:
        from muster.requests.services import Asked, Where, raise_request

        rng = random.Random(f"{self.seed}/{number}")
        door = rng.choice(self.town.doors)
        kind = rng.choice(self.town.pack.request_categories)
        taken = raise_request(
            Asked(category=kind.code, urgency=rng.choices(("LIFE", "URGENT", "NORMAL"), (1, 20, 79))[0],
                  text="演练"),
            incident=self.town.incident.id, pack=self.town.pack, channel="WEB", by=None, at=now,
            where=Where(door.sub_district, door.grid, door.building_id, door.id),
        )  # fmt: skip
        if taken.repeat_of is None or taken.request.urgency == "LIFE":
            self.send(taken.request.id, now)

    def send(self, request: uuid.UUID, now: datetime) -> None:
        from muster.requests import work
        from muster.requests.queries import item_with_id, items_of
        from muster.requests.states import ITEM_FREE

        free = [one for one in items_of([request]) if one.status in ITEM_FREE]
        if not free:
            return
        item = item_with_id(free[0].id)
        chosen = self.rule(item, now)[: 3 if item.request.urgency == "LIFE" else 1]
        if chosen:
            made = work.offer(item.id, [work.Asking(one.id) for one in chosen], by=None, at=now)
            self.asked += len(made)
            for one in chosen:
                self.answers(item.id, one, now)

    def answers(self, item: uuid.UUID, one: Any, now: datetime) -> None:
        """The same person answers the same question in the same way, whichever rule asked."""
        rng = random.Random(f"{self.seed}/{item}/{one.id}/{self.jobs.get(one.id, 0)}")
        mood, after = rng.random(), timedelta(minutes=0.5 + rng.expovariate(1 / 2.5))
        if mood < ACCEPTS:
            self.at(now + after, lambda then: self.accept(item, one, then))
        elif mood < ACCEPTS + DECLINES:
            self.at(now + after, lambda then: self.decline(item, one, then))

    def accept(self, item: uuid.UUID, one: Any, now: datetime) -> None:
        from muster.base.errors import Refusal
        from muster.places.models import Building
        from muster.requests import work

        if item in self.taken:
            return
        try:
            row = work.accept(item, responder=one.id, at=now)
        except Refusal:
            return
        self.taken.add(item)
        building = Building.objects.get(id=row.request.building)
        walk = metres(one, (building.lon, building.lat)) * 1.3
        self.waits_m.append((now - row.request.made_at).total_seconds() / 60)
        self.walks_m.append(walk)
        self.jobs[one.id] = self.jobs.get(one.id, 0) + 1
        there = now + timedelta(minutes=1 + walk / WALK_M_PER_MINUTE)
        self.at(there, lambda then: work.arrive(item, responder=one.id, at=then) and None)
        took = timedelta(minutes=random.Random(f"{item}").uniform(8, 35))
        self.at(there + took, lambda then: self.done(item, one.id, then))

    def decline(self, item: uuid.UUID, one: Any, now: datetime) -> None:
        from muster.base.errors import Refusal
        from muster.requests import work
        from muster.requests.queries import item_with_id

        try:
            work.decline(item, responder=one.id, reason="BUSY", at=now)
        except Refusal:
            return
        self.send(item_with_id(item).request_id, now)

    def done(self, item: uuid.UUID, one: uuid.UUID, now: datetime) -> None:
        from muster.requests import steps, work

        row = work.finish(item, responder=one, outcome="SOLVED", at=now)
        steps.answer_solved(row.request_id, result="SOLVED", by=None, by_resident=True, at=now)

    def look(self, now: datetime) -> None:
        """The clocks: what lapsed is asked anew, and what is late must stand in the inbox."""
        from muster.requests import work
        from muster.requests.models import Request
        from muster.requests.states import WAITING
        from muster.situation.inbox import inbox_items
        from muster.storage.scoping import Scope

        work.lapse_all(self.town.incident.id, at=now)
        waiting = Request.objects.across(reason="count").filter(status__in=("NEW", "TRIAGED"))
        for request in list(waiting.order_by("rank", "respond_by").values_list("id", flat=True)[:300]):
            self.send(request, now)
        late = Request.objects.across(reason="count").filter(status__in=WAITING, respond_by__lt=now).count()
        if late:
            self.late = max(self.late, late)
            shown = inbox_items(Scope(everything=True), at=now)
            told = sum(
                int(one.get("count") or 1) for one in shown
                if one["kind"] in ("requests_late", "request_life")
            )  # fmt: skip
            self.unseen = max(self.unseen, late - told)

    def told(self) -> dict[str, Any]:
        jobs = sorted([*self.jobs.values(), *[0] * (len(self.town.helpers) - len(self.jobs))])
        total = sum(jobs)
        gini = sum((2 * n - len(jobs) - 1) * j for n, j in enumerate(jobs, 1)) / max(1, len(jobs) * total)
        return {
            "accepted": len(self.waits_m), "asked": self.asked,
            "minutes_to_acceptance": {
                "median": round(statistics.median(self.waits_m), 2),
                "p95": round(statistics.quantiles(self.waits_m, n=20)[-1], 2),
            },
            "walk_m_mean": round(statistics.fmean(self.walks_m)),
            "jobs_per_person": {"least": jobs[0], "most": jobs[-1], "gini": round(gini, 3)},
            "late_at_once_at_most": self.late, "late_and_not_in_the_inbox": self.unseen,
        }  # fmt: skip


def suggested(item: Any, now: datetime) -> Sequence[Any]:
    """Muster's own rule: the first of its suggestions."""
    from muster.requests.plans import suggest

    return [one.responder for one in suggest(item, at=now, count=3)]


def nearest_first(item: Any, now: datetime) -> Sequence[Any]:
    """The rule of thumb: whoever is nearest and has room, whatever he has done already."""
    from muster.places.models import Building
    from muster.requests.models import Offer
    from muster.responders.queries import can_be_asked

    no = set(
        Offer.objects.filter(item_id=item.id, status__in=("DECLINED", "OFFERED"))
        .values_list("responder", flat=True)
    )  # fmt: skip
    building = Building.objects.get(id=item.request.building)
    at = (building.lon, building.lat)
    free = [
        one for one in can_be_asked(item.incident, at=now)
        if one.id not in no and (not item.needs_skill or item.needs_skill in one.skills)
    ]  # fmt: skip
    return heapq.nsmallest(3, free, key=lambda one: metres(one, at))


def desk(town: Town, count: int) -> dict[str, Any]:
    """Reads of the desk while `count` requests are open, in milliseconds."""
    from django.test import Client

    from muster.accounts.services import add_user, grant_role, make_token
    from muster.places.models import Area
    from muster.requests.services import Asked, Where, raise_request

    rng = random.Random(7)
    for number in range(count):
        door = rng.choice(town.doors)
        raise_request(
            Asked(category=rng.choice(town.pack.request_categories).code, text="演练",
                  urgency=rng.choices(("LIFE", "URGENT", "NORMAL"), (1, 20, 79))[0],
                  phone=f"16{number:09d}"),
            incident=town.incident.id, pack=town.pack, channel="WEB", by=None,
            at=MORNING + timedelta(days=2, seconds=number),
            where=Where(door.sub_district, door.grid, door.building_id, None),
        )  # fmt: skip
    user = add_user(username="bench", name="bench")
    root = Area.objects.get(parent=None)
    grant_role(user, role="command", area=root.id, area_path=root.path, at=datetime.now(UTC))
    grant_role(user, role="street", area=root.id, area_path=root.path, at=datetime.now(UTC))
    token = make_token(user, name="bench", at=datetime.now(UTC))
    client = Client(headers={"Authorization": f"Bearer {token}"})
    listed = client.get("/api/v1/requests?status=open&limit=50")
    assert listed.status_code == 200, listed.content[:300]
    ids = [one["id"] for one in listed.json()["items"]]
    asks = {
        "queue": lambda n: "/api/v1/requests?status=open&limit=50",
        "one_request": lambda n: f"/api/v1/requests/{ids[n % len(ids)]}",
        "suggestions": lambda n: f"/api/v1/requests/{ids[n % len(ids)]}/suggestions",
        "map": lambda n: "/api/v1/map/requests.geojson",
    }
    answer: dict[str, Any] = {"open": listed.json()["count"]}
    for name, path in asks.items():
        took = []
        for n in range(60):
            began = time.perf_counter()
            status = client.get(path(n)).status_code
            took.append(1000 * (time.perf_counter() - began))
            assert status == 200, (name, status)
        answer[name] = {"p50": round(statistics.median(took), 1),
                        "p95": round(statistics.quantiles(took, n=20)[-1], 1)}  # fmt: skip
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--desk-only", action="store_true", help="only the desk's reads; the days are kept")
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="requests-day-"))
    try:
        prepare(folder)
        from django.db import transaction

        rules = {} if chosen.desk_only else {"suggested": suggested, "nearest_first": nearest_first}
        days: dict[str, Any] = json.loads(RESULT.read_text())["day"] if chosen.desk_only else {}
        for name, rule in rules.items():
            with transaction.atomic():
                town = build(chosen.seed)
                day = Day(town, rule, chosen.seed)
                began = time.process_time()
                day.run(chosen.requests)
                days[name] = {**day.told(), "cpu_ms_per_request": round(
                    1000 * (time.process_time() - began) / chosen.requests, 1)}  # fmt: skip
                transaction.set_rollback(True)
            print(name, json.dumps(days[name]), flush=True)
        with transaction.atomic():
            reads = desk(build(chosen.seed), chosen.requests)
            transaction.set_rollback(True)
        told = {"machine": machine(), "seed": chosen.seed, "requests": chosen.requests,
                "people": STREETS * GRIDS * HELPERS, "day": days, "desk_ms": reads}  # fmt: skip
        if chosen.requests >= 10_000:
            RESULT.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        print(json.dumps(told, indent=1))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
