# SPDX-License-Identifier: Apache-2.0
"""How many check-ins one web process can take, beside a bare Django view and the raw limit of the database.

    python benchmarks/check_in.py --count 3000

Three things are measured by turns in one process, in processor time, so that a busy machine does not count:
a view that answers "ok" through the same middleware; a check-in from the form to its answer; the rows of a
check-in written by the bare driver, each in a transaction of its own. Then the whole house is asked over
HTTP by many clients at once, by the clock on the wall and by the processor time of the server.
Writes benchmarks/results/check_in.json.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import platform
import shutil
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

HERE = Path(__file__).resolve()
RESULTS = HERE.parent / "results"
GOAL = 300


def set_up(folder: str) -> None:
    os.environ["MUSTER_DATA"] = folder
    os.environ["MUSTER_LOG_LEVEL"] = "ERROR"
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    sys.path.insert(0, str(HERE.parent.parent))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def make_place() -> str:
    """A small place with an incident in force; answers a community's number."""
    from datetime import timedelta

    from muster.base.clock import now
    from muster.incidents.models import Incident
    from tests.support.world import make_world

    world = make_world(frozen=False, doors=20, people=1)
    Incident.objects.update(ends_at=now() + timedelta(days=30))
    return str(world.communities[0].id)


def form(community: str, number: int) -> bytes:
    return urlencode(
        {
            "form": str(uuid.uuid4()), "name": f"演练{number}", "phone": f"139{number:08d}",
            "birth_date": "1990",
            "community": community, "address": f"{number % 2 + 1}号楼1单元{number % 20 + 1}01",
            "skills": "driving", "free_times": "weekend_morning", "affiliations": "volunteer",
            "organisation": "示例单位",
        }
    ).encode()  # fmt: skip


def asked(path: str, body: bytes | None) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET" if body is None else "POST", "PATH_INFO": path, "QUERY_STRING": "",
        "SERVER_NAME": "localhost", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body or b"")), "wsgi.input": io.BytesIO(body or b""),
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": False, "wsgi.run_once": False,
    }  # fmt: skip


class Handler:
    """The house's own WSGI application, asked without a network; with one view more that does nothing."""

    def __init__(self) -> None:
        from django.core.handlers.wsgi import WSGIHandler
        from django.http import HttpResponse
        from django.urls import path

        from muster.config import urls

        urls.urlpatterns.append(path("bench-bare", lambda _request: HttpResponse("ok")))
        self._app = WSGIHandler()

    def ask(self, path: str, body: bytes | None = None) -> int:
        told: list[int] = []
        answer = self._app(asked(path, body), lambda status, _headers: told.append(int(status[:3])))
        b"".join(answer)
        answer.close()
        return told[0]


def raw_writer(folder: str) -> Any:
    """Writes what a check-in writes (three rows, already made) and commits, by the bare driver."""
    from django.db import connection

    from muster.responders.models import Responder, Standing
    from muster.trail.models import Event

    lines = []
    known = sqlite3.connect(Path(folder, "muster.sqlite3") if Path(folder, "muster.sqlite3").exists()
                            else connection.settings_dict["NAME"], isolation_level=None)  # fmt: skip
    known.execute("PRAGMA journal_mode=WAL")
    known.execute("PRAGMA synchronous=FULL")
    for model in (Responder, Standing, Event):
        table = model._meta.db_table
        names = [field.column for field in model._meta.concrete_fields]
        row = known.execute(f"SELECT {', '.join(names)} FROM {table} LIMIT 1").fetchone()
        marks = ", ".join("?" * len(names))
        lines.append((f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", list(row), names))

    def write() -> None:
        known.execute("BEGIN IMMEDIATE")
        for sql, row, names in lines:
            fresh = list(row)
            fresh[names.index("id")] = uuid.uuid4().hex
            for unique in ("phone_index", "code_index"):
                if unique in names:
                    fresh[names.index(unique)] = os.urandom(16)
            if "responder" in names:
                fresh[names.index("responder")] = uuid.uuid4().hex
            known.execute(sql, fresh)
        known.execute("COMMIT")

    return write


def by_turns(handler: Handler, write: Any, community: str, count: int) -> dict[str, Any]:
    """Processor milliseconds of each, the middle of ten turns."""
    share, number = max(1, count // 10), 0
    times: dict[str, list[float]] = {"bare_view": [], "check_in": [], "raw_rows": []}
    for _ in range(10):
        forms = [form(community, number := number + 1) for _ in range(share)]
        start = time.process_time()
        for _ in range(share):
            assert handler.ask("/bench-bare") == 200
        times["bare_view"].append((time.process_time() - start) / share)
        start = time.process_time()
        for body in forms:
            assert handler.ask("/help", body) == 303
        times["check_in"].append((time.process_time() - start) / share)
        start = time.process_time()
        for _ in range(share):
            write()
        times["raw_rows"].append((time.process_time() - start) / share)
    ms = {name: statistics.median(all_) * 1000 for name, all_ in times.items()}
    return {
        "cpu_ms": {name: round(one, 3) for name, one in ms.items()},
        "check_in_to_bare_view": round(ms["check_in"] / ms["bare_view"], 2),
        "check_in_to_raw_rows": round(ms["check_in"] / ms["raw_rows"], 2),
        "ceiling_of_one_process_a_second": round(1000 / ms["check_in"]),
    }


def over_http(folder: str, community: str, count: int, clients: int) -> dict[str, Any]:
    """Everything: granian, sockets, threads; clients in this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "MUSTER_PORT": str(port), "MUSTER_INTAKE_PORT": str(port + 1), "MUSTER_DATA": folder}
    server = subprocess.Popen([sys.executable, "-m", "muster.cli.main", "web"], env=env)
    try:
        _wait_for(port)
        answers: list[int] = []
        waits: list[float] = []
        numbers = iter(range(20_000_000, 20_000_000 + count))
        lock = threading.Lock()

        def client() -> None:
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            while True:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    return
                start = time.monotonic()
                link.request("POST", "/help", form(community, number),
                             {"Content-Type": "application/x-www-form-urlencoded"})  # fmt: skip
                answer = link.getresponse()
                answer.read()
                waits.append(time.monotonic() - start)
                answers.append(answer.status)

        before = _cpu_of(server.pid)
        start, own = time.monotonic(), time.process_time()
        threads = [threading.Thread(target=client) for _ in range(clients)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        took, own = time.monotonic() - start, time.process_time() - own
        spent = _cpu_of(server.pid) - before
    finally:
        server.terminate()
        server.wait(20)
    waits.sort()
    return {
        "clients": clients, "check_ins": count, "taken": answers.count(303),
        "told_to_come_again": answers.count(503),
        "a_second_by_the_wall": round(count / took, 1),
        "client_cpu_ms": round(own / count * 1000, 3),
        "server_cpu_ms": round(spent / count * 1000, 3),
        "wait_ms": {
            "p50": round(waits[len(waits) // 2] * 1000, 1), "p99": round(waits[-len(waits) // 100] * 1000, 1),
        },
    }  # fmt: skip


def _cpu_of(process: int) -> float:
    """Processor seconds of a process and all that it started, so far."""
    told = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    below = [
        int(child)
        for task in Path(f"/proc/{process}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return seconds + sum(_cpu_of(child) for child in below)


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            link.request("GET", "/healthz")
            if link.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the server did not start")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=3_000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--out", type=Path, default=RESULTS / "check_in.json")
    asked_for = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="muster-check-in-")
    try:
        set_up(folder)
        community = make_place()
        handler = Handler()
        assert handler.ask("/help", form(community, 99_000_000)) == 303
        told = {
            "goal_a_second": GOAL,
            "by_turns": by_turns(handler, raw_writer(folder), community, asked_for.count),
            "over_http": over_http(folder, community, asked_for.count, asked_for.clients),
            "machine": {"python": platform.python_version(), "cores": os.cpu_count(),
                        "load": [round(one, 1) for one in os.getloadavg()]},
        }  # fmt: skip
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    asked_for.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
