# SPDX-License-Identifier: Apache-2.0
"""Warming up: compiling the kernels of the engines before a person waits for them.

numba keeps what it compiled on disk. A mark beside it says for which code, libraries and processor that was
done, so that a warm engine is known without importing anything heavy.
"""

from __future__ import annotations

import json
import platform
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from muster.planning._kernel.files import write_text
from muster.planning._kernel.keeping import PACKAGE, is_lasting, settle_place


@dataclass(frozen=True, slots=True)
class Warmed:
    """What warming an engine came to: kernels compiled and kernels found on disk, processor seconds."""

    engine: str
    compiled: int
    found: int
    cpu_s: float


def is_warm(engine: str) -> bool:
    """Tell whether the kernels of this very code are on disk, for this processor and these libraries."""
    try:
        marks = json.loads(_marks_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(marks, dict) and marks.get(engine) == _identity(engine)


def warm(engine: str) -> Warmed:
    """Compile what is not on disk yet, in a process of its own that gives its memory back, and mark it so."""
    identity = _identity(engine)
    with get_context("spawn").Pool(1) as alone:
        warmed = alone.apply(_rehearsed, (engine,))
    _mark(engine, identity)
    return warmed


def is_kept() -> bool:
    """Tell whether what is compiled now is there for the next process."""
    return is_lasting(settle_place())


def kernels() -> Iterator[Any]:
    """Return all kernels of the engines that this process has imported."""
    from numba.core.dispatcher import Dispatcher

    seen = set()
    for name, module in sorted(sys.modules.items()):
        if name.startswith("muster.planning."):
            for value in vars(module).values():
                if isinstance(value, Dispatcher) and id(value) not in seen:
                    seen.add(id(value))
                    yield value


def counts() -> tuple[int, int]:
    """Return how many kernels this process compiled, and how many it found on disk."""
    stats = [kernel.stats for kernel in kernels()]
    return (
        sum(sum(one.cache_misses.values()) for one in stats),
        sum(sum(one.cache_hits.values()) for one in stats),
    )


def _rehearsed(engine: str) -> Warmed:
    from muster.planning.rehearsing import rehearse

    began = time.process_time()
    rehearse(engine)
    compiled, found = counts()
    return Warmed(engine, compiled, found, round(time.process_time() - began, 1))


def _marks_file() -> Path:
    return settle_place() / "warm.json"


def _mark(engine: str, identity: str) -> None:
    try:
        marks = json.loads(_marks_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        marks = {}
    write_text(_marks_file(), json.dumps((marks if isinstance(marks, dict) else {}) | {engine: identity}))


def _identity(engine: str) -> str:
    """Return what the kernels of an engine hang on: its code, numba, Python, the processor."""
    facts: list[Any] = [sys.version, platform.machine(), _processor()]
    for library in ("numba", "llvmlite", "numpy"):
        try:
            facts.append(version(library))
        except PackageNotFoundError:
            facts.append("absent")
    sources = [*PACKAGE.glob("*.py"), *PACKAGE.glob("_kernel/*.py"), *PACKAGE.glob(f"{engine}/*.py")]
    for path in sorted(sources):
        state = path.stat()
        facts.append([path.name, state.st_mtime_ns, state.st_size])  # as numba itself tells old from new
    return sha256(json.dumps(facts).encode()).hexdigest()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return " ".join(
        line for line in dict.fromkeys(lines) if line.startswith(("model name", "flags", "Features"))
    )
