# SPDX-License-Identifier: Apache-2.0
"""The supervisor: starts the processes of the house, restarts one that falls, stops all together."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

STOP_SECONDS = 20
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
STEADY_SECONDS = 60


@dataclass
class Process:
    """One process of the house. `once`: it may end by itself."""

    name: str
    command: Sequence[str]
    once: bool = False
    child: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    restarts: int = field(default=0)


def muster(*words: str) -> list[str]:
    return [sys.executable, "-m", "muster.cli.main", *words]


def dying_with_us(command: Sequence[str]) -> list[str]:
    """The command so that the kernel ends it when we are killed without a chance to end it ourselves."""
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "TERM", *command] if setpriv else list(command)


def house_processes(*, is_site: bool = False) -> list[Process]:
    """web, intake, fold, worker (who writes what: docs/decisions/0001); at a site also a forwarder."""
    house = [
        Process("web", muster("web")),
        Process("intake", [sys.executable, "-m", "muster.intake"]),
        Process("fold", muster("fold")),
        Process("worker", muster("work")),
    ]
    return [*house, Process("forward", muster("forward"))] if is_site else house


def warming_up() -> Process:
    """Compiles the planning engines at the lowest priority; ends by itself."""
    return Process("warm-up", muster("warm-up", "--background"), once=True)


class Supervisor:
    """Runs processes until SIGINT or SIGTERM."""

    def __init__(self, processes: list[Process]) -> None:
        self.processes = processes
        self.stopping = threading.Event()

    def run(self) -> None:
        for sign in (signal.SIGINT, signal.SIGTERM):
            signal.signal(sign, lambda *_: self.stopping.set())
        try:
            for process in self.processes:
                self._start(process)
            while not self.stopping.wait(0.2):
                for process in self.processes:
                    self._look_after(process)
        finally:
            self.stop()

    def _start(self, process: Process) -> None:
        # A group of its own: the terminal's Ctrl-C reaches us alone, and we end the others in order.
        process.child = subprocess.Popen(
            dying_with_us(process.command), start_new_session=True, env=_environment()
        )
        process.started = time.monotonic()

    def _look_after(self, process: Process) -> None:
        if process.child is not None and process.child.poll() is None:
            return
        now = time.monotonic()
        if process.child is not None:
            if process.once and process.child.returncode == 0:
                return
            steady = now - process.started > STEADY_SECONDS
            process.pause = FIRST_PAUSE if steady else min(process.pause * 2, LONGEST_PAUSE)
            process.due = now + process.pause
            process.restarts += 1
            sys.stderr.write(
                f"{process.name} ended with {process.child.returncode}; "
                f"starting it again in {process.pause:.1f} s\n"
            )
            process.child = None
        if now >= process.due:
            self._start(process)

    def stop(self) -> None:
        running = [p.child for p in self.processes if p.child is not None and p.child.poll() is None]
        for child in running:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in running:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _environment() -> dict[str, str]:
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "muster.config.settings",
        "MUSTER_INTAKE_HOST": _bind_host(),
    }


def _bind_host() -> str:
    return os.environ.get("MUSTER_BIND", "127.0.0.1" if "MUSTER_TLS_CERT" not in os.environ else "0.0.0.0")  # noqa: S104
