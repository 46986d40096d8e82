# SPDX-License-Identifier: Apache-2.0
"""The player's loop against a house of paper: joining, pausing, a house that fails, being started again."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from muster.drill.city import generate, load_day
from muster.drill.city.model import City
from muster.drill.load import key_id, unit_names
from muster.drill.play.phones import trouble_of
from muster.drill.play.player import Player
from muster.drill.play.truth import House
from muster.packs import load

GRID, ROUND = 5, "0190a000-0000-7000-8000-000000000001"


@pytest.fixture(scope="module")
def city() -> City:
    return generate("epidemic-zh", people=2_000, seed=3)


class PaperHouse:
    """Answers as the public API does, and remembers what it was told."""

    def __init__(self, city: City) -> None:
        self.city, self.codes, self.devices = city, 0, 0
        self.facts: dict[str, dict[str, Any]] = {}
        self.is_down = False
        self.codes_used: dict[str, str | None] = {}
        self.pulls = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.is_down:
            raise httpx.ConnectError("the house is down")
        path = request.url.path
        match request.method, path:
            case "POST", "/api/v1/devices/enrol":
                self.devices += 1
                return httpx.Response(
                    200,
                    json={
                        "device": str(uuid.UUID(int=self.devices)),
                        "lease": "lease",
                        "intake": "http://intake",
                        "actor": {"id": str(uuid.UUID(int=1000 + self.devices))},
                    },
                )
            case "POST", "/v1/batches":
                for fact in json.loads(request.content)["facts"]:
                    self.facts[fact["id"]] = fact
                return httpx.Response(200, json={})
            case "GET", "/sync/v1/pull":
                self.pulls += 1
                return httpx.Response(200, json=self.told(full=not request.url.params["since"]))
            case "GET", _:
                return httpx.Response(
                    200,
                    json={
                        "enrol_codes": [
                            {"worker": "访客", "used_at": used, "expires_at": "2999-01-01T00:00:00+00:00"}
                            for used in self.codes_used.values()
                        ]
                    },
                )
        self.codes += 1
        code = f"CODE-{self.codes:04d}"
        if json.loads(request.content)["worker_name"] == "访客":
            self.codes_used[code] = None
        return httpx.Response(200, json={"code": code, "url": f"http://web/field/?code={code}"})

    def told(self, *, full: bool) -> dict[str, Any]:
        empty: dict[str, Any] = {
            "buildings": [],
            "doors": [],
            "persons": [],
            "entries": [],
            "gone": [],
            "rounds": [],
            "cursor": "c",
            "verdicts": [
                {"id": i, "seq": f["seq"], "verdict": "APPLIED", "code": ""} for i, f in self.facts.items()
            ],
        }
        return {**empty, **self._list()} if full else empty

    def _list(self) -> dict[str, Any]:
        community = self.city.communities[0]
        unit = unit_names(community.dwellings)
        home = {h.key: h.dwelling_key for h in community.households}
        kind = load("epidemic-zh").campaign_kind_json("door_register")
        ids = {p.key: str(key_id(self.city, p.key)) for p in community.persons}
        listed = [p for p in community.listed.persons if p.lives_here]
        return {
            "rounds": [{"id": ROUND, "kind": kind}],
            "buildings": [
                {
                    "id": str(key_id(self.city, b.key)),
                    "order": n,
                    "name": b.number,
                    "floors": b.floors,
                    "lon": b.lon,
                    "lat": b.lat,
                }
                for n, b in enumerate(community.buildings)
            ],
            "doors": [
                {
                    "id": str(key_id(self.city, d.key)),
                    "sub_district": 3,
                    "floor": d.floor,
                    "order": n,
                    "states": {},
                    "building": str(key_id(self.city, d.building_key)),
                    "unit": unit(d),
                    "label": d.room,
                }
                for n, d in enumerate(community.listed.dwellings)
            ],
            "persons": [
                {
                    "id": ids[p.key],
                    "dwelling": str(key_id(self.city, home[p.household_key])),
                    "lives_here": True,
                }
                for p in listed
            ],
            "entries": [{"round": ROUND, "subject": ids[p.key], "cls": "OPEN"} for p in listed],
        }


class Play:
    """A player, its paper house, and a clock of our own."""

    def __init__(self, city: City, folder: Path, house: PaperHouse | None = None) -> None:
        self.house = house or PaperHouse(city)
        login = {"grid": GRID, "token": "t"}
        demo = {
            "web": "http://web",
            "intake": "http://intake",
            "heads": [{"grid": GRID, "token": "t", "name": "网格"}],
            "logins": {"grid_head": login},
            "round": ROUND,
            "speed": 60,
            "visitor": "访客",
            "worker_code": "OLD1-CODE",
            "worker_url": "http://web/field/?code=OLD1-CODE",
        }
        http = httpx.Client(transport=httpx.MockTransport(self.house))
        self.player = Player(demo, city, load_day("epidemic-zh"), folder, seed=1, language="zh", http=http)
        self.here = 1_000.0
        self.player.joining.begin()

    def run(self, seconds: float, *, until: Callable[[], Any] = lambda: False) -> None:
        """Turns the loop; the clock is ours, the threads are real."""
        end = self.here + seconds
        while self.here < end and not until():
            self.here += 0.25
            self.player.step(self.here, 0.25)
            deadline = time.monotonic() + 5
            while self.player.waiting and time.monotonic() < deadline:
                time.sleep(0.002)
                while not self.player.arrived.empty():
                    self.player.arrived.get()()

    def wish(self, **wish: Any) -> None:
        self.player.told.write("wish.json", wish)

    @property
    def state(self) -> dict[str, Any]:
        self.player._tell()
        return self.player.told.read("state.json")


def test_play_workers_join_and_record(city, tmp_path):
    play = Play(city, tmp_path)
    play.run(60)

    state = play.state
    assert state["state"] == "PLAYING"
    assert 2 <= len(state["workers"]) <= 3
    assert len(play.house.facts) > 30
    assert {"lon", "lat", "left", "recorded", "unsent", "online", "name", "grid"} <= set(state["workers"][0])
    assert state["percent"] > 0
    assert state["counts"]["doors"] > 10


def test_play_pause_and_resume(city, tmp_path):
    play = Play(city, tmp_path)
    play.run(20)
    play.wish(paused=True)
    play.run(1)
    clock = play.player.clock
    play.run(10)

    assert play.state["state"] == "PAUSED"
    assert play.player.clock == clock

    play.wish(paused=False, speed=300)
    play.run(10)
    assert play.state["speed"] == 300
    assert play.player.clock - clock == pytest.approx(10 * 300, rel=0.1)


def test_play_survives_a_house_that_is_down(city, tmp_path):
    play = Play(city, tmp_path)
    play.run(30)
    before = len(play.house.facts)
    play.house.is_down = True
    play.run(30)
    assert len(play.house.facts) == before
    unsent = sum(w["unsent"] for w in play.state["workers"])
    assert unsent > 0, "workers go on recording"

    play.house.is_down = False
    play.run(100)
    assert len(play.house.facts) >= before + unsent


def test_play_joins_when_the_house_comes_up_late(city, tmp_path):
    play = Play(city, tmp_path)
    play.house.is_down = True
    play.run(5)
    assert play.state["state"] == "STARTING"

    play.house.is_down = False
    play.run(20)
    assert play.state["state"] == "PLAYING"


def test_play_started_again_has_the_same_phones_and_hour(city, tmp_path):
    first = Play(city, tmp_path)
    first.run(40)
    first.player._tell()
    first.player.keep_phones()
    seqs = {h.phone.device: h.phone.seq for h in first.player.hands}

    again = Play(city, tmp_path, first.house)
    devices = first.house.devices
    again.run(3, until=lambda: len(again.player.hands) == len(seqs))

    assert first.house.devices == devices, "nobody enrols a second time"
    assert {h.phone.device for h in again.player.hands} == set(seqs)
    assert all(h.phone.seq >= seqs[h.phone.device] for h in again.player.hands)
    assert again.player.clock >= first.player.clock
    again.run(40)
    numbers = [(f["actor"], f["seq"]) for f in again.house.facts.values()]
    assert len(numbers) == len(set(numbers)), "no number is used twice"


def test_play_offers_a_fresh_code_when_one_was_used(city, tmp_path):
    play = Play(city, tmp_path)
    play.run(10)
    first = play.state["worker_code"]
    play.run(10)
    assert play.state["worker_code"] == first, "an unused code stays"

    play.house.codes_used[first] = "2026-01-01T00:00:00+00:00"
    play.run(10)
    fresh = play.state["worker_code"]

    assert fresh != first
    assert play.house.codes_used[fresh] is None
    assert play.state["worker_url"].endswith(fresh)


def test_play_leaves_a_building_to_the_visitor(city, tmp_path):
    play = Play(city, tmp_path)
    play.wish(speed=60)
    play.run(100)
    building = play.state["left_for_visitor"]["id"]
    doors = {d.id for d in play.player.crews[GRID].notebook.doors.values() if d.building == building}
    told = {f["subject"].get("dwelling") or f["body"].get("door") for f in play.house.facts.values()}

    assert doors
    assert not doors & told


def test_play_day_ends_and_everything_is_sent(city, tmp_path):
    play = Play(city, tmp_path)
    play.wish(speed=300)
    play.run(200, until=lambda: play.player.state == "FINISHED")
    play.run(60)

    state = play.state
    assert state["state"] == "FINISHED"
    assert state["clock"] == "21:00"
    assert sum(w["unsent"] for w in state["workers"]) == 0
    assert {"found", "silent", "refused"} <= set(state["counts"])


def test_trouble_network_gap_only_where_it_is():
    day = load_day("epidemic-zh")
    import random

    troubles = [trouble_of(day, random.Random(f"{n}")) for n in range(60)]
    village, tower = House("self_built", "village", "", 4, 0, 0), House("tower", "estate", "", 20, 0, 0)
    at = 1.5 * 3600  # 10:00, in the gap of the village

    assert sum(t.is_online(at, village, over=False) for t in troubles) < 30
    assert sum(t.is_online(at, tower, over=False) for t in troubles) > 45
    # From half past five nobody has a network, whoever he is.
    assert not any(t.is_online(9.2 * 3600, tower, over=False) for t in troubles)
    assert all(t.is_online(9.2 * 3600, tower, over=True) for t in troubles)
