# SPDX-License-Identifier: Apache-2.0
"""A desk in the browser: who sits at it, and phones of other people that it hears from."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import httpx
from playwright.sync_api import Page

from muster.base.clock import now
from muster.drill.device import DeviceClient, subject
from tests.support.house import House, until


def sit_down(page: Page, house: House, role: str) -> None:
    """Signs this browser in as a role of the drill; the welcome page's own button has its own journey."""
    api = page.context.request
    csrf = api.get(f"{house.origin}/api/v1/session").json()["csrf"]
    answer = api.post(
        f"{house.origin}/api/v1/session/demo", data={"role": role}, headers={"X-CSRFToken": csrf}
    )
    assert answer.ok, answer.text()


class Fellow:
    """Somebody else's phone: enrolled, its grid pulled, and no screen."""

    def __init__(self, house: House, code: str) -> None:
        self.round = house.demo["round"]
        self.phone = DeviceClient(house.origin, "fellow", httpx.Client(timeout=60))
        self.phone.enrol(code)
        told = self.phone.pull()
        assert told is not None
        self.entries = {e["subject"]: e for e in told["entries"] if e["round"] == self.round}
        self.sub_district = told["grids"][0]["sub_district"]
        self.doors = {d["id"]: d for d in told["doors"]}
        while told["more"]:
            told = self.phone.pull()
            assert told is not None
            self.entries |= {e["subject"]: e for e in told["entries"] if e["round"] == self.round}
            self.doors |= {d["id"]: d for d in told["doors"]}

    def outcome(self, who: str, outcome: str, **body: Any) -> str:
        entry = self.entries[who]
        return self.phone.record(
            "entry.outcome",
            subject(self.sub_district, **{entry["unit"]: who}),
            {"round": self.round, "outcome": outcome, "via": "door", **body},
            at=now(),
        )

    def settle(self) -> None:
        """Sends what is kept until every fact has its verdict."""

        def settled() -> bool:
            self.phone.send(at=now(), clock=time.monotonic())
            self.phone.pull()
            return not self.phone.outbox

        until(settled, what="every fact has a verdict", seconds=60)

    def expect_applied(self, facts: Iterable[str]) -> None:
        said = {self.phone.verdicts[fact] for fact in facts}
        assert {verdict for verdict, _ in said} <= {"APPLIED"}, said
