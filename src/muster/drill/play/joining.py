# SPDX-License-Identifier: Apache-2.0
"""Joining: every worker's phone enrols through the public API, with a code that the head of his grid makes.

The first worker of each grid comes before the second of any: something moves on the whole map soon. Phones of
an earlier start are switched on again with their own keys.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import httpx

from muster.drill.device import DeviceClient, EnrolRefused

if TYPE_CHECKING:
    from muster.drill.play.player import Player

FAMILY_ZH = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
GIVEN_ZH = "敏静丽强磊军洋勇艳杰娟涛明超霞平刚玲波辉"
GIVEN_EN = [
    "Ada",
    "Ben",
    "Cora",
    "Dan",
    "Elsie",
    "Finn",
    "Grace",
    "Hal",
    "Ivy",
    "Jon",
    "Kit",
    "Lena",
    "Max",
    "Nell",
    "Owen",
    "Pia",
    "Ruth",
    "Sam",
    "Tess",
    "Will",
]
FAMILY_EN = [
    "Ash",
    "Birch",
    "Cole",
    "Dale",
    "Elm",
    "Fenn",
    "Gale",
    "Hart",
    "Ives",
    "Kerr",
    "Lund",
    "March",
    "North",
    "Pike",
    "Reed",
    "Shaw",
    "Thorn",
    "Vale",
]
TRIES = 5
AT_ONCE = 4
RETRY_SECONDS = 3.0


class Joining:
    """who: (grid, worker number, tries so far, not before)."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.heads: dict[int, Mapping[str, Any]] = {h["grid"]: h for h in player.demo["heads"]}
        self.kept: dict[str, Any] = player.told.read("phones.json")
        self.queue: deque[tuple[int, int, int, float]] = deque()
        self.under_way = 0
        self.expected = 0

    def begin(self) -> None:
        self.queue.extend((grid, 1, 0, 0.0) for grid in self.heads)
        self.expected = len(self.queue)

    def look_after(self, here: float) -> None:
        """Lets the next phones join, a few at a time."""
        for _ in range(len(self.queue)):
            if self.under_way >= AT_ONCE:
                return
            grid, number, tries, not_before = self.queue.popleft()
            if here < not_before:
                self.queue.append((grid, number, tries, not_before))
                continue
            if not self.player.submit(lambda g=grid, n=number, t=tries: self._try(g, n, t, here)):  # type: ignore[misc]
                self.queue.appendleft((grid, number, tries, not_before))
                return
            self.under_way += 1

    def _try(self, grid: int, number: int, tries: int, here: float) -> Callable[[], None]:
        """Beside the loop: one phone enrols; the first of a grid also reads the grid."""
        name = worker_name(self.player.language, f"{self.player.seed}|{grid}|{number}")
        told: dict[str, Any] | None = None
        phone: DeviceClient | None = None
        try:
            phone = self._phone(grid, number, name)
            if grid not in self.player.crews:
                told = phone.pull()
        except (EnrolRefused, httpx.HTTPError, KeyError, ValueError):
            phone = None
        has_all = phone is not None and (told is not None or grid in self.player.crews)

        def after() -> None:
            self.under_way -= 1
            if phone is not None and has_all:
                self.player.join(grid, number, phone, told)
                if number == 1:
                    self._others(grid)
            elif tries < TRIES:
                self.queue.append((grid, number, tries + 1, here + RETRY_SECONDS * (tries + 1)))
            else:
                self.expected -= 1
                self.player.note("enrol_failed", worker=name)

        return after

    def _others(self, grid: int) -> None:
        more = range(2, len(self.player.crews[grid].workers) + 1)
        self.queue.extend((grid, number, 0, 0.0) for number in more)
        self.expected += len(more)

    def _phone(self, grid: int, number: int, name: str) -> DeviceClient:
        key, web, http = f"{grid}|{number}", self.player.demo["web"], self.player.http
        if key in self.kept:
            phone = DeviceClient.switched_on(self.kept[key], web=web, http=http)
            phone.enrolment["intake"] = self.player.demo["intake"]
            return phone
        phone = DeviceClient(web, name, http)
        phone.enrol(self._code(grid, name))
        self.kept[key] = phone.kept()
        return phone

    def _code(self, grid: int, name: str) -> str:
        answer = self.player.http.post(
            f"{self.player.demo['web']}/api/v1/grids/{grid}/enrol-codes",
            json={"worker_name": name},
            headers={"Authorization": f"Bearer {self.heads[grid]['token']}"},
        )
        if answer.status_code != 200:
            raise EnrolRefused(answer.text[:200])
        return str(answer.json()["code"])


def worker_name(language: str, seed: str) -> str:
    """A made-up name, the same for the same worker of the same day."""
    rng = random.Random(f"worker|{seed}")
    if language == "zh":
        return rng.choice(FAMILY_ZH) + rng.choice(GIVEN_ZH) + rng.choice(["", rng.choice(GIVEN_ZH)])
    return f"{rng.choice(GIVEN_EN)} {rng.choice(FAMILY_EN)}"
