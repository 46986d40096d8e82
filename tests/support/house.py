# SPDX-License-Identifier: Apache-2.0
"""A house of our own for a journey: a staged city in a folder, `muster serve` on free ports, its clients."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
import msgspec

MUSTER = [sys.executable, "-m", "muster.cli.main"]
READY_SECONDS = 90
STAGE_SECONDS = 300


def clean_environment(**ours: str) -> dict[str, str]:
    """The environment without what the test run or the machine says of another Muster."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MUSTER_", "DJANGO_"))}
    return kept | ours


def stage_city(folder: Path, *words: str, **ours: str) -> Path:
    """`muster demo --prepare-only` into this folder; ours: more of the environment."""
    done = subprocess.run(
        [*MUSTER, "demo", "--prepare-only", *words],
        env=clean_environment(MUSTER_DATA=str(folder), **ours),
        capture_output=True,
        text=True,
        timeout=STAGE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(count)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [door.getsockname()[1] for door in doors]


@dataclass
class House:
    """One running Muster. `cut` is the plug pulled; `start` brings it back at the same address."""

    folder: Path
    port: int
    intake_port: int
    process: subprocess.Popen[bytes] | None = None
    prefix: Sequence[str] = ()
    host: str = "localhost"
    more: dict[str, str] = field(default_factory=dict)
    authority: Path | None = None

    @classmethod
    def of(cls, staged: Path, folder: Path) -> Self:
        """A house in a copy of a staged city: every journey has a city nobody has walked yet."""
        shutil.copytree(staged, folder)
        return cls(folder, *free_ports(2))

    @property
    def environment(self) -> dict[str, str]:
        return clean_environment(
            MUSTER_DATA=str(self.folder),
            MUSTER_PORT=str(self.port),
            MUSTER_INTAKE_PORT=str(self.intake_port),
            MUSTER_HOST=self.host,
            **self.more,
        )

    @property
    def scheme(self) -> str:
        return "https" if "MUSTER_TLS_CERT" in self.more else "http"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"

    @property
    def demo(self) -> dict[str, Any]:
        """What staging wrote down; its addresses are of another run, ours are above."""
        read: dict[str, Any] = msgspec.json.decode((self.folder / "demo.json").read_bytes())
        return read

    @property
    def worker_url(self) -> str:
        return f"{self.origin}/field/?code={self.demo['worker_code']}"

    def muster(self, *words: str) -> str:
        done = subprocess.run(
            [*self.prefix, *MUSTER, *words],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=STAGE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *, wait: bool = True) -> None:
        self.stop()
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, *MUSTER, "serve"],
                env=self.environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        if wait:
            until(self.is_ready, what="the house answers", seconds=READY_SECONDS)

    def is_ready(self) -> bool:
        ports = (self.port, self.intake_port)
        with contextlib.suppress(httpx.HTTPError), httpx.Client(verify=self._trust()) as ask:
            return all(ask.get(f"{self.scheme}://{self.host}:{p}/readyz").is_success for p in ports)
        return False

    def cut(self) -> None:
        """Every process dies in this instant: nothing is flushed, no one says goodbye."""
        assert self.process is not None
        for pid in (self.process.pid, *descendants(self.process.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait(30)
        self.process = None

    def stop(self) -> None:
        if self.process is None:
            return
        family = descendants(self.process.pid)
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(40)
        for pid in (self.process.pid, *family):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process = None

    def log(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")

    def client(self, role: str) -> httpx.Client:
        """The API as this role of the demo sees it."""
        return httpx.Client(
            base_url=f"{self.origin}/api/v1",
            headers={"Authorization": f"Bearer {self.demo['logins'][role]['token']}"},
            timeout=60,
            verify=self._trust(),
        )

    def _trust(self) -> ssl.SSLContext | bool:
        return ssl.create_default_context(cafile=self.authority) if self.authority else True

    def read(self, path: str, *, role: str = "command", **query: Any) -> Any:
        with self.client(role) as api:
            answer = api.get(path, params=query)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.json()

    def coverage(self, **scope: int) -> dict[str, Any]:
        told: dict[str, Any] = self.read(f"/rounds/{self.demo['round']}/coverage", **scope)
        return told

    def verify(self) -> str:
        """`muster verify` over a quiet house; fails the test with its words when something is not right."""
        self.stop()
        return self.muster("verify")


def descendants(pid: int) -> list[int]:
    """Every process below this one; the supervisor gives each child a session of its own."""
    with contextlib.suppress(OSError):
        children = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return [each for child in children for each in (child, *descendants(child))]
    return []


def until(told: Callable[[], Any], *, what: str, seconds: float = 30) -> Any:
    """Asks until the answer is true; what is waited for lies outside the browser, where no event says so."""
    end = time.monotonic() + seconds
    while True:
        answer = told()
        if answer:
            return answer
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)
