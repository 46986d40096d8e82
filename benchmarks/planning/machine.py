# SPDX-License-Identifier: Apache-2.0
"""What a benchmark's result says of the machine; its clocks: wall, processor, and a quiet machine's."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform
import resource
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"


@dataclass(frozen=True)
class Took:
    """Seconds on the wall, and seconds of all processors together."""

    wall_s: float
    cpu_s: float

    def scaled(self, times: float) -> Took:
        return Took(self.wall_s * times, self.cpu_s * times)

    def facts(self) -> dict[str, float]:
        return {"wall_s": round(self.wall_s, 4), "cpu_s": round(self.cpu_s, 4)}


def timed(work: Callable[[], Any]) -> tuple[Any, Took]:
    wall, cpu = time.perf_counter(), time.process_time()
    answer = work()
    return answer, Took(time.perf_counter() - wall, time.process_time() - cpu)


def machine() -> dict[str, Any]:
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        )
        if Path("/proc/cpuinfo").exists()
        else iter(()),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "load_at_start": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": platform.system(),
    }


class QuietClock:
    """Seconds that the work of this process would have taken, had the machine's cores been its own.

    That is the busiest thread's processor time, or that of all threads divided by the cores where this is
    more, added up in small steps. So a budget means the same whatever else runs beside the benchmark. Where
    a process says nothing of its threads it is the processor time of all.
    """

    _STEP_S = 0.02

    def __init__(self) -> None:
        self._cores = os.cpu_count() or 1
        self._lock = threading.Lock()
        self._total = 0.0
        self._process = time.process_time()
        self._threads = self._by_thread()

    def __call__(self) -> float:
        with self._lock:
            worked = time.process_time() - self._process
            if worked >= self._STEP_S:
                threads = self._by_thread()
                busiest = max(
                    (spent - self._threads.get(name, 0.0) for name, spent in threads.items()), default=worked
                )
                self._total += min(worked, max(busiest, worked / self._cores))
                self._process += worked
                self._threads = threads
            return self._total

    @staticmethod
    def _by_thread() -> dict[str, float]:
        times: dict[str, float] = {}
        folder = Path("/proc/self/task")
        for entry in folder.iterdir() if folder.exists() else ():
            with suppress(OSError):  # a thread may end meanwhile
                times[entry.name] = int((entry / "schedstat").read_text(encoding="ascii").split()[0]) / 1e9
        return times


CLOCKS: dict[str, Callable[[], Callable[[], float]]] = {
    "quiet": QuietClock,
    "processor": lambda: time.process_time,
    "wall": lambda: time.monotonic,
}


def memory_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def alone(work: Callable[..., Any], *facts: Any) -> Any:
    """Do the work in a fresh process, so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, facts)


def write_result(engine: str, result: dict[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{engine}.json"
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")
    return path
