# SPDX-License-Identifier: Apache-2.0
"""A whole day of a small city, played straight into the flows: no servers, no threads, no waiting."""

from __future__ import annotations

import heapq
import uuid
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from muster.accounts.models import Lease
from muster.accounts.services import enrol_device
from muster.base.clock import now
from muster.base.ids import new_id
from muster.drill.city import load_day
from muster.drill.city.model import City
from muster.drill.device import DeviceClient, _key_jwk
from muster.drill.play.crew import Crew
from muster.drill.play.notebook import Door, Notebook
from muster.drill.play.truth import Truth, truth_of
from muster.drill.play.visits import Visit, Visitor
from muster.drill.play.words import Words
from muster.drill.staging import Staging, city_of, stage
from muster.flows.recording import record_facts
from muster.places.models import Grid
from muster.places.services import issue_enrol_code
from muster.sync.pull import pull
from muster.trail.incoming import Incoming, Ruling


class Silence:
    """A staging that tells nobody."""

    def step(self, what: str, /, **facts: object) -> None: ...

    def count(self, done: int, total: int) -> None: ...


def staged(data: Path, monkeypatch: Any, **changes: Any) -> dict[str, Any]:
    """A small drill in the test database; answers its demo.json."""
    monkeypatch.setattr(settings, "ENVIRONMENT", replace(settings.ENVIRONMENT, data=data))
    stage(Staging(**{"scenario": "epidemic-zh", "people": 2_000, "seed": 1, **changes}), progress=Silence())
    demo: dict[str, Any] = msgspec.json.decode((data / "demo.json").read_bytes())
    return demo


@dataclass
class Spoken:
    """A fact as a worker recorded it."""

    id: uuid.UUID
    worker: tuple[int, int]
    door: str
    kind: str
    subject: str
    body: dict[str, Any]


@dataclass
class PlayedDay:
    demo: dict[str, Any]
    city: City
    truth: Truth
    crews: list[Crew] = field(default_factory=list)
    first_pulls: dict[int, dict[str, Any]] = field(default_factory=dict)
    spoken: list[Spoken] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)
    events: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


def crew_of(demo: dict[str, Any], truth: Truth, grid: int, told: dict[str, Any], *, seed: str) -> Crew:
    day = load_day(demo["city"]["scenario"])
    round_ = told["rounds"][0]
    book = Notebook(round_["id"], round_["kind"]["unit"])
    book.take(told)
    words = Words(round_, day, language=demo["language"])
    crew = Crew(grid, Visitor(truth, day, words, unit=book.unit), book, seed=seed)
    crew.share_out()
    return crew


def acts(crew: Crew, until: float) -> Any:
    """Everything a crew does up to a time of the day, in order."""
    heap = [(w.free_at, w.number) for w in crew.workers]
    heapq.heapify(heap)
    while heap:
        clock, number = heapq.heappop(heap)
        if clock >= until:
            continue
        worker = crew.workers[number - 1]
        met = crew.act(worker, clock=clock)
        assert worker.free_at > clock, "time goes on"
        heapq.heappush(heap, (worker.free_at, number))
        if met is not None:
            yield clock, worker, *met


def play(demo: dict[str, Any]) -> PlayedDay:
    """Plays all crews hour by hour; each hour their notebooks are pulled."""
    city = city_of(demo)
    played = PlayedDay(demo, city, truth_of(city))
    day = load_day(demo["city"]["scenario"])
    leases = {h["grid"]: _phone(demo, h["grid"]) for h in demo["heads"]}
    for grid, (lease, _) in leases.items():
        told = _told(lease)
        played.first_pulls[grid] = told
        played.crews.append(crew_of(demo, played.truth, grid, told, seed=f"1|{grid}"))
    length = (day.ends.hour - day.starts.hour) * 3600.0
    began = now()
    numbers: defaultdict[tuple[int, int], int] = defaultdict(int)
    hour = 3600.0
    while hour <= length:
        for crew in played.crews:
            facts = []
            for clock, worker, door, visit in acts(crew, hour):
                at = began + timedelta(seconds=clock)
                facts += _facts(played, crew, worker.number, door, visit, at, numbers)
            played.rulings += record_facts(facts, at=now())
            crew.notebook.take(_told(leases[crew.grid][0]))
        hour += 3600.0
    return played


def _phone(demo: dict[str, Any], grid_id: int) -> tuple[Lease, str]:
    grid = Grid.objects.get(id=grid_id)
    head = uuid.UUID(int=1)
    code, _ = issue_enrol_code(
        grid, incident=uuid.UUID(demo["incident"]), worker_name="工", by=head, at=now()
    )
    client = DeviceClient(web="", name="phone", http=None)  # type: ignore[arg-type]
    _, lease, text = enrol_device(
        code=code, public_key=_key_jwk(client.key), name="phone", sub_districts=[grid.sub_district],
        grids=[grid_id], at=now(),
    )  # fmt: skip
    return lease, text


def _told(lease: Lease) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(pull(lease, since=None, at=now())))
    return told


def _facts(played: PlayedDay, crew: Crew, number: int, door: Door, visit: Visit, at: datetime,
           numbers: Any) -> list[Incoming]:  # fmt: skip
    incident = uuid.UUID(played.demo["incident"])
    device = uuid.uuid5(uuid.NAMESPACE_URL, f"{crew.grid}|{number}")
    made: list[Incoming] = []
    for said in visit.said:
        body = said.body if said.undoes is None else {**said.body, "fact": str(made[said.undoes].id)}
        ((kind, subject),) = ((k, v) for k, v in said.subject.items() if k != "sub_district")
        numbers[crew.grid, number] += 1
        made.append(
            Incoming(
                device=device, seq=numbers[crew.grid, number], id=new_id(), incident=incident, kind=said.kind,
                actor=device, occurred_at=at, received_at=at, sub_district=said.subject["sub_district"],
                subject=uuid.UUID(subject), subject_type=kind, raw_body=msgspec.json.encode(body),
                grids=frozenset({crew.grid}),
            )
        )  # fmt: skip
        played.spoken.append(Spoken(made[-1].id, (crew.grid, number), door.id, said.kind, subject, body))
    for what in visit.events:
        played.events[what] += 1
    return made
