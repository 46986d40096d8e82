# SPDX-License-Identifier: Apache-2.0
"""The front door at speed: `python -m benchmarks.intake [--seconds 4] [--only sqlite]`.

First an empty door: the ceiling of server and generator. Then for each database, one after the other: what
the database alone takes, the front door under an open-loop load of rising rates (single facts, batches of
50), plain Django with its ORM under the same load. Client and server share the machine. Writes
benchmarks/results/intake.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.intake.city_server import city_server
from benchmarks.intake.generator import write_requests
from benchmarks.intake.raw_limit import raw_rows_per_second
from benchmarks.planning.machine import machine, write_result
from tests.intake.house import REPOSITORY, Door, House
from tests.support.postgres import PostgresServer

ODK_CENTRAL_PER_S = 429
DEVICES = 200
RATES = {1: [2000, 4000, 6000, 8000, 10000, 12000, 16000], 50: [250, 500, 1000, 1500, 2000, 2500, 3000]}
CEILING_RATES = {1: [8000, 16000, 24000], 50: [4000, 8000]}
PEER_RATES = [500, 1000, 2000, 3000, 4000]
GROUP = {1: 100, 50: 30}
_TICKS = os.sysconf("SC_CLK_TCK")


def requests_of(house: House, facts: int) -> list[bytes]:
    """Signed beforehand, from as many devices: signing is the phones' work."""
    made = []
    for _ in range(DEVICES):
        device = house.device()
        _, body = device.batch(facts)
        told = device.headers(body) | {"host": "door", "content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        made.append(f"POST /v1/batches HTTP/1.1\r\n{head}\r\n".encode() + body)
    return made


def cpu_seconds(pids: list[int]) -> float:
    """Processor time of processes so far."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        total += int(fields[11]) + int(fields[12])
    return total / _TICKS


def children_of(pid: int) -> list[int]:
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        return []
    return [int(child) for child in own] + [g for child in own for g in children_of(int(child))]


def generate(port: int, requests: Path, rate: float, seconds: float, lines: int) -> dict[str, Any]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.intake.generator",
        "--port",
        str(port),
        "--requests",
        str(requests),
        "--rate",
        str(rate),
        "--seconds",
        str(seconds),
        "--lines",
        str(lines),
    ]
    done = subprocess.run(command, capture_output=True, check=True, cwd=REPOSITORY, timeout=120)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def rise(
    port: int, requests: Path, rates: list[int], told: argparse.Namespace, watched: dict[str, int]
) -> list[dict[str, Any]]:
    """Rates one after the other, until less than 70 % of one is taken: that is beyond saturation."""
    generate(port, requests, rates[0] / 4, 1, told.lines)
    steps = []
    for rate in rates:
        before = {name: cpu_seconds([pid, *children_of(pid)]) for name, pid in watched.items()}
        step = generate(port, requests, rate, told.seconds, told.lines)
        taken = max(1, step["statuses"].get("200", 0))
        step["processor_us_per_request"] = {
            name: round((cpu_seconds([pid, *children_of(pid)]) - before[name]) / taken * 1e6, 1)
            for name, pid in watched.items()
        } | {"generator": round(step.pop("generator_cpu_s") / taken * 1e6, 1)}
        steps.append(step)
        sys.stderr.write(f"{json.dumps(step)}\n")
        if step["taken_per_s"] < 0.7 * rate:
            break
        time.sleep(0.5)
    return steps


def summary(steps: list[dict[str, Any]], facts: int) -> dict[str, Any]:
    best = max(steps, key=lambda step: step["taken_per_s"])
    below = [step for step in steps if step["taken_per_s"] >= 0.99 * step["offered_per_s"]]
    last = max(below, key=lambda step: step["offered_per_s"], default=steps[0])
    cost = sum(best["processor_us_per_request"].values())
    return {
        "requests_per_s": best["taken_per_s"],
        "facts_per_s": round(best["taken_per_s"] * facts),
        "generator's share of the processor time": round(
            best["processor_us_per_request"]["generator"] / cost, 3
        ),
        "below saturation": {name: last[name] for name in ("taken_per_s", "p50_ms", "p99_ms")},
        "processor_us_per_request": best["processor_us_per_request"],
        "requests_per_s if both cores were ours": round((os.cpu_count() or 1) * 1e6 / cost),
        "steps": steps,
    }


@contextmanager
def database(kind: str) -> Iterator[tuple[str, PostgresServer | None]]:
    if kind == "sqlite":
        yield "", None
        return
    server = city_server()
    try:
        yield server.fresh_database(), server
    finally:
        server.stop()


def front_door(kind: str, told: argparse.Namespace) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    for facts in (1, 50):
        with tempfile.TemporaryDirectory(dir=told.folder) as folder, database(kind) as (url, server):
            house = House(Path(folder))
            requests = requests_of(house, facts)
            file = Path(folder, "requests")
            write_requests(file, requests)
            size = len(requests[0].partition(b"\r\n\r\n")[2]) + 34
            raw = raw_rows_per_second(
                house, url or house.data, body_bytes=size, group=GROUP[facts], lease=house.device().lease
            )
            door = Door(house.data, MUSTER_DATABASE_URL=url, MUSTER_INTAKE_WORKERS=str(told.workers))
            door.start()
            try:
                watched = {"door": door.pid} | ({"database": server.pid} if server else {})
                found = summary(rise(door.port, file, RATES[facts], told, watched), facts)
            finally:
                door.kill()
            found["raw limit, rows_per_s in groups of " + str(GROUP[facts])] = round(raw)
            found["ratio to the raw limit"] = round(found["requests_per_s"] / raw, 3)
            answer[f"{facts} facts a request"] = found
    return answer


def empty_door(told: argparse.Namespace) -> dict[str, Any]:
    """What server and generator cost on this machine before a line of ours has run."""
    answer: dict[str, Any] = {}
    for facts in (1, 50):
        with tempfile.TemporaryDirectory(dir=told.folder) as folder:
            house = House(Path(folder))
            file = Path(folder, "requests")
            write_requests(file, requests_of(house, facts))
            door = Door(
                house.data, module="benchmarks.intake.empty_door", MUSTER_INTAKE_WORKERS=str(told.workers)
            )
            door.start()
            try:
                steps = rise(door.port, file, CEILING_RATES[facts], told, {"door": door.pid})
            finally:
                door.kill()
            answer[f"{facts} facts a request"] = summary(steps, facts)
    return answer


def django_orm(kind: str, told: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=told.folder) as folder, database(kind) as (url, server):
        house = House(Path(folder))
        file = Path(folder, "requests")
        write_requests(file, requests_of(house, 1))
        peer = Door(house.data, PEER_DATABASE_URL=url or f"sqlite:///{folder}/peer.sqlite3")
        peer._command = [sys.executable, "-m", "benchmarks.intake.django_peer", str(peer.port)]
        peer.start()
        try:
            watched = {"peer": peer.pid} | ({"database": server.pid} if server else {})
            return summary(rise(peer.port, file, PEER_RATES, told, watched), 1)
        finally:
            peer.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--lines", type=int, default=256)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--folder", default=None, help="where the data lies (default: the temporary folder)")
    told = parser.parse_args()
    result: dict[str, Any] = {
        "machine": machine(),
        "workers of the front door": told.workers,
        "connections": told.lines,
        "odk_central_per_s": ODK_CENTRAL_PER_S,
    }
    result["empty door"] = ceiling = empty_door(told)
    for kind in [told.only] if told.only else ["sqlite", "postgresql"]:
        result[kind] = {"front door": front_door(kind, told)}
        for case, found in result[kind]["front door"].items():
            most = "requests_per_s if both cores were ours"
            found["ratio to the empty door, processor time"] = round(found[most] / ceiling[case][most], 3)
        single = result[kind]["front door"]["1 facts a request"]["requests_per_s"]
        result[kind]["times ODK Central"] = round(single / ODK_CENTRAL_PER_S, 1)
        if not told.no_peer:
            result[kind]["django and its ORM"] = peer = django_orm(kind, told)
            result[kind]["times Django and its ORM"] = round(single / peer["requests_per_s"], 1)
    result["load_at_end"] = round(os.getloadavg()[0], 2)
    write_result("intake", result)
    sys.stdout.write(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
