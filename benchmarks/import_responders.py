# SPDX-License-Identifier: Apache-2.0
"""How long a list of people who serve takes to come in, and how much memory, at the size of a city.

    python benchmarks/import_responders.py --people 139300

Each size is brought in by a process of its own as the command line does it: read, checked, written; then the
same list once more, which must add nobody. The peer of the ratio is the least that any import has to do: the
same rows sealed and inserted. Processor time; memory is the highest that the process ever held.
Writes benchmarks/results/import_responders.json.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent))
RESULTS = HERE.parent / "results"
COMMUNITIES, HOUSES = 40, 25


def set_up(folder: str) -> None:
    os.environ["MUSTER_DATA"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    sys.path.insert(0, str(HERE.parent.parent))
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def make_place() -> None:
    from datetime import timedelta

    from muster.base.clock import now
    from muster.incidents.services import declare_incident
    from muster.places.models import Building
    from muster.places.services import add_area, add_grid

    at = now()
    declare_incident(
        name="演练", kind="epidemic", pack="epidemic-zh", area=None, starts_at=at,
        ends_at=at + timedelta(days=9), is_drill=True, time_zone="Asia/Shanghai", by=None, at=at,
    )  # fmt: skip
    city = add_area(code="99", name="青槐市", level="city", parent=None, is_partition=False)
    street = add_area(code="9901", name="柳岸街道", level="street", parent=city, is_partition=True)
    for number in range(COMMUNITIES):
        area = add_area(
            code=f"9901{number:03d}",
            name=f"{number}社区",
            level="community",
            parent=street,
            is_partition=False,
        )
        grid = add_grid(code=f"G{number}", name=f"{number}网格", area=area, level="SMALL", at=at)
        Building.objects.bulk_create(
            Building(area=area, sub_district=street.id, grid=grid.id, code=f"{number}-{house}",
                     name=f"{house + 1}号楼", lon=110 + number / 100, lat=35 + house / 1000)
            for house in range(HOUSES)
        )  # fmt: skip


def list_of(people: int) -> bytes:
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(["姓名", "手机", "出生日期", "社区", "楼栋", "身份", "单位", "专长", "人员编号", "已审核"])
    skills = ("驾驶", "医护", "驾驶、医护", "")
    for number in range(people):
        lines.writerow(
            [
                f"演{number}", f"139{number:08d}", "1990", f"{number % COMMUNITIES}社区",
                f"{number % HOUSES + 1}号楼",
                "志愿者" if number % 3 else "党员、志愿者", f"单位{number % 500}", skills[number % 4],
                f"A-{number}",
                "是",
            ]
        )  # fmt: skip
    return out.getvalue().encode()


def bring(raw: bytes) -> tuple[dict[str, int], float]:
    from muster.base.clock import now
    from muster.base.ids import new_id
    from muster.register.importing.batches import Choices, open_batch, prepare_batch
    from muster.register.importing.committing import commit_batch
    from muster.register.importing.operators import Operator

    start = time.process_time()
    batch = open_batch("responders", raw, file_name="list.csv", operator=Operator(new_id(), "x", "console"),
                       choices=Choices(), at=now())  # fmt: skip
    prepare_batch(batch, raw, now=now)
    done = commit_batch(batch.id, now=now)
    return done.result, time.process_time() - start


def least(people: int) -> float:
    """The same rows, sealed and inserted, and nothing else."""
    from muster.base.clock import now
    from muster.incidents.models import Incident
    from muster.responders.checking_in import new_responder
    from muster.responders.homes import Home
    from muster.responders.models import Responder
    from muster.storage.many_rows import Insert

    incident, at = Incident.objects.get().id, now()
    start = time.process_time()
    for first in range(0, people, 500):
        rows = [
            new_responder({"name": f"演{n}", "phone": f"137{n:08d}"}, home=Home(), incident=incident,
                          channel="IMPORT", at=at)
            for n in range(first, min(first + 500, people))
        ]  # fmt: skip
        Insert(Responder, rows).execute()
    return time.process_time() - start


def one_size(people: int) -> dict[str, Any]:
    folder = tempfile.mkdtemp(prefix="muster-import-")
    try:
        set_up(folder)
        make_place()
        base = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        raw = list_of(people)
        first, took = bring(raw)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        again, took_again = bring(raw)
        bare = least(min(people, 20_000)) * people / min(people, 20_000)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return {
        "people": people, "came_in": first.get("new", 0), "again_new": again.get("new", 0),
        "cpu_s": round(took, 1), "again_cpu_s": round(took_again, 1),
        "people_a_cpu_second": round(people / took),
        "to_the_least": round(took / bare, 2), "file_mb": round(len(raw) / 1e6, 1),
        "memory_mb": round(memory), "memory_above_start_mb": round(memory - base),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=139_300)
    parser.add_argument("--one", type=int)
    parser.add_argument("--out", type=Path, default=RESULTS / "import_responders.json")
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(one_size(asked.one)))
        return
    from benchmarks.planning.machine import machine

    sizes, found = [], machine()
    for people in (asked.people // 10, asked.people):
        ask = [sys.executable, str(HERE), "--one", str(people)]
        # What a size that falls has to say goes to the screen: it must not be lost with the run.
        run = subprocess.run(ask, stdout=subprocess.PIPE, text=True, check=True)
        sizes.append(json.loads(run.stdout.splitlines()[-1]))
        told = {"machine": found | {"load_at_end": round(os.getloadavg()[0], 2)}, "sizes": sizes}
        asked.out.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
