# SPDX-License-Identifier: Apache-2.0
"""`muster serve`: whichever process is killed comes back and nothing is lost; with the supervisor all end."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from muster.base.clock import now
from muster.cli.supervisor import dying_with_us
from muster.drill.device import DeviceClient, subject
from tests.cli.test_commands import Console
from tests.support.house import House, descendants, free_ports, until

FILL = """
import json
from datetime import timedelta
import tests.support.world as made
from muster.base.clock import now
made.NOON = now() - timedelta(hours=1)
world = made.make_world(doors=2, people=2)
print(json.dumps({"round": str(world.round.id), "grid": world.grids[0].code,
    "persons": [[p.sub_district, str(p.id)] for p in world.persons if p.grid == world.grids[0].id]}))
"""
TELL = """
import json
from muster.trail.models import Event, Fact
print(json.dumps({"facts": {str(i): v for i, v in Fact.objects.values_list("id", "verdict")},
    "unsealed": Event.objects.filter(sealed_in__isnull=True).count()}))
"""
WORDS = {"web": "web", "intake": "muster.intake", "fold": "fold", "worker": "work"}


@dataclass
class Phone:
    """A phone that records and sends without end, and remembers what it was promised."""

    client: DeviceClient
    told: dict[str, Any]
    promised: set[str] = field(default_factory=set)
    stop: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._send, daemon=True)
        self.thread.start()

    def _send(self) -> None:
        number = 0
        while not self.stop.is_set():
            home, person = self.told["persons"][number % len(self.told["persons"])]
            said = {"round": self.told["round"], "outcome": "done"}
            self.client.record("entry.outcome", subject(home, person=person), said, at=now())
            number += 1
            self.client.wait_until = 0.0  # a phone that does not step back: every gap is tried
            self.client.send(at=now(), clock=1.0)
            self.promised = set(self.client.receipted)
            time.sleep(0.05)

    def finish(self) -> None:
        self.stop.set()
        self.thread.join(30)
        self.client.wait_until = 0.0
        until(lambda: self.client.send(at=now(), clock=1.0) == 0, what="the last batch is sent", seconds=20)


@dataclass
class Served:
    house: House
    console: Console
    phone: Phone

    def pid_of(self, name: str) -> int:
        """The process that the supervisor started under this name."""
        assert self.house.process is not None
        for pid in children(self.house.process.pid):
            with contextlib.suppress(OSError):
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
                if words[-2:-1] == [WORDS[name].encode()]:
                    return pid
        return 0

    def facts(self) -> dict[str, str]:
        import json

        told: dict[str, str] = json.loads(self.console.run(TELL))["facts"]
        return told


def children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    return False


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Console, dict[str, Any]]:
    import json

    console = Console(tmp_path_factory.mktemp("house"))
    console.type("migrate")
    return console, json.loads(console.run(FILL))


@pytest.fixture(scope="module")
def served(filled: tuple[Console, dict[str, Any]]) -> Iterator[Served]:
    console, told = filled
    house = House(console.data, *free_ports(2))
    house.start()
    try:
        code = console.type("enrol-code", "--grid", told["grid"], "--worker", "演工").stdout.split()[0]
        client = DeviceClient(web=house.origin, name="phone", http=httpx.Client(timeout=5))
        client.enrol(code)
        phone = Phone(client, told)
        phone.start()
        until(lambda: phone.promised, what="the phone is heard")
        yield Served(house, console, phone)
        phone.stop.set()
    finally:
        house.stop()


def test_each_process_that_is_killed_comes_back_and_nothing_is_lost(served: Served) -> None:
    house, phone = served.house, served.phone
    for name in WORDS:
        before = served.pid_of(name)
        assert before, name
        below = descendants(before)
        heard = len(phone.promised)
        os.kill(before, signal.SIGKILL)

        until(lambda: served.pid_of(name) not in (0, before), what=f"{name} is started again", seconds=20)  # noqa: B023
        until(lambda: not any(map(is_alive, below)), what=f"{name} leaves no orphan", seconds=20)  # noqa: B023
        until(house.is_ready, what=f"the house answers after {name} was killed", seconds=40)
        until(lambda: len(phone.promised) > heard, what="the phone is heard", seconds=20)  # noqa: B023
    phone.finish()

    promised = phone.promised | set(phone.client.receipted)
    until(lambda: promised <= set(served.facts()), what="what was promised is in the ledger", seconds=40)
    facts = served.facts()
    assert {facts[fact] for fact in promised} == {"APPLIED"}
    assert len(facts) == len(promised)  # nothing twice, nothing that was not sent
    log = house.log()
    assert all(f"{name} ended with -9" in log for name in WORDS)


def test_with_the_supervisor_every_process_ends(served: Served) -> None:
    """Runs last: the house is dead afterwards."""
    house = served.house
    assert house.process is not None
    if dying_with_us(["x"]) == ["x"]:
        pytest.skip("this system cannot tell a child that its parent was killed")
    family = descendants(house.process.pid)
    assert len(family) >= len(WORDS)

    os.kill(house.process.pid, signal.SIGKILL)

    until(lambda: not any(map(is_alive, family)), what="every process has ended", seconds=30)
    house.process.wait(5)
    house.process = None
    assert "equation closes" in served.console.type("verify").stdout


def test_a_child_that_is_not_told_outlives_its_parent() -> None:
    """Negative control of the one before: without the kernel's word the child goes on."""
    import subprocess
    import sys

    code = (
        "import subprocess, sys; print(subprocess.Popen(['sleep', '60']).pid, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.kill()
        parent.wait(10)
    try:
        time.sleep(0.3)
        assert is_alive(child)
    finally:
        os.kill(child, signal.SIGKILL)
