# SPDX-License-Identifier: Apache-2.0
"""An hour of front door and fold at an even pace, does anything grow: `python -m benchmarks.intake.steady`.

Phones send new batches at a set rate; every half minute each process is looked at: its own memory, what it
has in memory with shared files, its open files. A straight line is laid through the memory of the later two
thirds; the journal and the ledger may grow, the processes may not. Writes benchmarks/results/steady.json.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.intake.__main__ import children_of, cpu_seconds
from benchmarks.intake.folding import OUTCOMES, Phones, house
from benchmarks.planning.machine import machine, write_result
from tests.intake.house import REPOSITORY, Door

LOOK_EVERY_S = 30.0
SETTLING = 1 / 3
LINES = 16


class Sender:
    """All phones over a few lines that stay open, one batch after the other at fixed moments."""

    def __init__(self, phones: Phones, door: Door, *, per_s: float, facts: int) -> None:
        self._phones, self._door, self._per_s, self._facts = phones, door, per_s, facts
        self._lines = [door.connection() for _ in range(LINES)]
        self._sent = 0
        self._began = time.perf_counter()
        self.statuses: Counter[int] = Counter()
        self.worst_ms = 0.0

    def go_on_until(self, moment: float) -> None:
        while (now := time.perf_counter()) < moment:
            due = self._began + self._sent / self._per_s
            time.sleep(max(0.0, min(due, moment) - now))
            if due < moment:
                self._send()

    def _send(self) -> None:
        import random

        from muster.drill.device import subject
        from tests.support.world import NOON

        at = NOON + timedelta(seconds=time.perf_counter() - self._began)
        line = self._sent % LINES

        client, people = self._phones.phones[self._sent % len(self._phones.phones)]
        dice = random.Random(self._sent)
        self._sent += 1
        for person, home in dice.sample(people, self._facts):
            told = {"round": str(self._phones.town.round.id), "outcome": dice.choice(OUTCOMES)}
            client.record("entry.outcome", subject(home, person=person), told, at=at)
        body = client.batch(list(client.outbox.values()), at=at)
        client.outbox.clear()
        headers = {"authorization": f"Bearer {client.lease}", "muster-signature": client.sign(body)}
        began = time.perf_counter()
        try:
            self._lines[line].request("POST", "/v1/batches", body, headers)
            answer = self._lines[line].getresponse()
            answer.read()
            self.statuses[answer.status] += 1
        except (OSError, http.client.HTTPException):
            self._lines[line] = self._door.connection()
            self.statuses[0] += 1
        self.worst_ms = max(self.worst_ms, (time.perf_counter() - began) * 1000)


def looked_at(pid: int) -> dict[str, float]:
    """A process's memory of its own and with shared files (MB), and how many files it has open."""
    said = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    lines = dict(line.split(":", 1) for line in said.splitlines() if ":" in line)
    return {
        "own_mb": round(int(lines["RssAnon"].split()[0]) / 1024, 2),
        "resident_mb": round(int(lines["VmRSS"].split()[0]) / 1024, 2),
        "files": sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
    }


def size_mb(folder: Path) -> float:
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return round(total / 1e6, 1)


def slope_per_hour(points: list[tuple[float, float]]) -> float:
    seconds, values = [s for s, _ in points], [v for _, v in points]
    return round(statistics.linear_regression(seconds, values).slope * 3600, 3) if len(points) > 2 else 0.0


def summary(looks: list[dict[str, Any]], name: str) -> dict[str, Any]:
    later = looks[int(len(looks) * SETTLING) :]
    own = [(look["at_s"], look["processes"][name]["own_mb"]) for look in later]
    whole = [look["processes"][name] for look in later]
    return {
        "own memory grows by MB an hour": slope_per_hour(own),
        "own memory MB, least and most": [min(v for _, v in own), max(v for _, v in own)],
        "resident MB, last": whole[-1]["resident_mb"],
        "open files, least and most": [min(w["files"] for w in whole), max(w["files"] for w in whole)],
    }


def watch(told: argparse.Namespace) -> dict[str, Any]:
    from muster.sync.verify import verify_all
    from muster.trail.models import Fact

    data = Path(os.environ["MUSTER_DATA"])
    phones = Phones(told.grids, told.people)
    door = Door(data, MUSTER_INTAKE_WORKERS=str(told.workers))
    door.start()
    fold = subprocess.Popen([sys.executable, "-m", "muster.cli.main", "fold"], cwd=REPOSITORY)
    looks: list[dict[str, Any]] = []
    try:
        watched = {f"intake {n}": pid for n, pid in enumerate(sorted(door.workers()), 1)} | {"fold": fold.pid}
        sender = Sender(phones, door, per_s=told.rate, facts=told.facts)
        began, end = time.perf_counter(), time.perf_counter() + told.minutes * 60
        while time.perf_counter() < end:
            sender.go_on_until(min(end, time.perf_counter() + told.look_every))
            looks.append(
                {
                    "at_s": round(time.perf_counter() - began, 1),
                    "processes": {name: looked_at(pid) for name, pid in watched.items()},
                    "journal_mb": size_mb(data / "journal"),
                    "batches": sum(sender.statuses.values()),
                }
            )
        spent = cpu_seconds([door.pid, *children_of(door.pid), fold.pid]) / (time.perf_counter() - began)
        facts = _folded(sender.statuses[200] * told.facts, Fact)
    finally:
        fold.terminate()
        fold.wait(30)
        door.kill()
    return {
        "batches_per_s": told.rate,
        "facts_in_a_batch": told.facts,
        "minutes": told.minutes,
        "share of one processor": round(spent, 3),
        "answers": {str(status): count for status, count in sorted(sender.statuses.items())},
        "worst answer ms": round(sender.worst_ms, 1),
        "facts acknowledged": sender.statuses[200] * told.facts,
        "facts in the ledger": facts,
        "verdicts": dict(Counter(Fact.objects.values_list("verdict", flat=True))),
        "breaches": len(verify_all()),
        "processes": {name: summary(looks, name) for name in watched},
        "journal_mb, first and last": [looks[0]["journal_mb"], looks[-1]["journal_mb"]],
        "looks": looks[:: max(1, len(looks) // 60)],
    }


def _folded(wanted: int, facts: Any) -> int:
    """How many facts are in the ledger once fold has caught up, or after half a minute."""
    until = time.perf_counter() + 30
    while (found := facts.objects.count()) < wanted and time.perf_counter() < until:
        time.sleep(0.5)
    return int(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--facts", type=int, default=5)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--grids", type=int, default=60)
    parser.add_argument("--people", type=int, default=12_000)
    parser.add_argument("--look-every", type=float, default=LOOK_EVERY_S)
    told = parser.parse_args()
    before = machine()
    with house(postgres=False):
        result = {"machine": before, **watch(told)}
    write_result("steady", result)
    sys.stdout.write(json.dumps({k: v for k, v in result.items() if k != "looks"}, indent=1) + "\n")


if __name__ == "__main__":
    main()
