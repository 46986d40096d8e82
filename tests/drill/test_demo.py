# SPDX-License-Identifier: Apache-2.0
"""The demo as a visitor starts it: one command, a day that plays, pause, verify, stop, start again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.slow
READY_SECONDS = 150


def free_port() -> int:
    """A port with a free one beside it, for the intake."""
    while True:
        with socket.socket() as one, socket.socket() as two:
            one.bind(("127.0.0.1", 0))
            port = int(one.getsockname()[1])
            try:
                two.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


class Demo:
    """`muster demo` as a process with a folder and ports of its own."""

    def __init__(self, data: Path) -> None:
        self.data, self.port = data, free_port()
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("MUSTER_")}
        self.env |= {"MUSTER_DATA": str(data), "MUSTER_PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None

    def muster(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "muster.cli.main", *words]

    def start(self) -> None:
        words = self.muster("demo", "--people", "2000", "--speed", "300")
        with (self.data / "out.txt").open("ab") as out:
            self.process = subprocess.Popen(
                words, env=self.env, stdout=out, stderr=out, start_new_session=True
            )

    def stop(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(40)

    def drill(self) -> dict[str, Any]:
        try:
            answer = httpx.get(f"http://localhost:{self.port}/api/v1/drill", timeout=10)
        except httpx.HTTPError:
            return {}
        told: dict[str, Any] = answer.json() if answer.status_code == 200 else {}
        return told

    def control(self, **wish: Any) -> None:
        httpx.post(f"http://localhost:{self.port}/api/v1/drill", json=wish, timeout=10).raise_for_status()

    def wish(self, **wish: Any) -> None:
        """What a visitor wished last, while nothing runs."""
        (self.data / "drill" / "wish.json").write_text(json.dumps(wish))

    def phones(self) -> dict[str, str]:
        """Worker -> device, as the player keeps them."""
        kept = json.loads((self.data / "drill" / "phones.json").read_text())
        return {worker: phone["enrolment"]["device"] for worker, phone in kept.items()}

    def until(self, seen: Callable[[dict[str, Any]], Any], seconds: float = READY_SECONDS) -> dict[str, Any]:
        end = time.monotonic() + seconds
        told: dict[str, Any] = {}
        while time.monotonic() < end:
            told = self.drill()
            if told and seen(told):
                return told
            time.sleep(0.3)
        raise AssertionError(
            f"never came: {json.dumps(told)[:600]}\n{(self.data / 'out.txt').read_text()[-1500:]}"
        )

    def verify(self) -> subprocess.CompletedProcess[str]:
        return subprocess.run(self.muster("verify"), env=self.env, capture_output=True, text=True, timeout=60)

    def children(self) -> list[int]:
        """Processes of this demo, known by the data folder in their environment."""
        mark, found = f"MUSTER_DATA={self.data}".encode(), []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if mark in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    continue
        return found


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    one = Demo(tmp_path)
    yield one
    for pid in one.children():
        os.kill(pid, signal.SIGKILL)


def classes(told: dict[str, Any]) -> dict[str, int]:
    figures = told.get("figures") or {"equation": {"classes": {}}}
    found: dict[str, int] = figures["equation"]["classes"]
    return found


def test_demo_plays_pauses_verifies_stops_and_goes_on(demo):
    demo.start()
    moving = demo.until(lambda d: classes(d).get("DONE", 0) > 60 and {"found", "silent"} <= set(d["counts"]))
    assert moving["figures"]["equation"]["balanced"]
    assert moving["workers"][0]["lon"] is not None
    assert set(moving["log"][0]["text"]) == {"zh", "en"}
    assert demo.verify().returncode == 0, "while it runs"

    demo.control(action="pause")
    paused = demo.until(lambda d: d["state"] == "PAUSED", 15)
    time.sleep(2)
    assert demo.drill()["clock"] == paused["clock"]

    stopped = demo.drill()
    assert demo.stop() == 0
    assert demo.children() == []
    assert demo.verify().returncode == 0, "after it has ended"

    phones = demo.phones()
    demo.wish(paused=False)
    demo.start()
    again = demo.until(lambda d: d["state"] == "PLAYING" and d["facts_sent"] > stopped["facts_sent"])
    assert again["clock"] >= stopped["clock"], "the day goes on where it stopped"
    assert phones.items() <= demo.phones().items(), "the same phones, with the keys they had"
    assert demo.stop() == 0
    assert demo.children() == []
