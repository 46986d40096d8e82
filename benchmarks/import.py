# SPDX-License-Identifier: Apache-2.0
"""How long a list of persons takes to come in, and how much memory: `python benchmarks/import.py [persons]
[xlsx|csv] [--again] [--keep]`.

Sets up an empty house in a folder of its own (or in MUSTER_BENCH_DATABASE_URL), makes a place with enough
doors, writes a list of generated people, and brings it in as the command line does: read, checked, written.
Prints one line of JSON; --keep lays it into benchmarks/results/import.json, --again brings the list in twice.

The peer of the ratio is the least that any import has to do: the same rows sealed and inserted.
"""

from __future__ import annotations

import json
import os
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.planning.machine import RESULTS, machine, memory_mb

SEED = 7
PEOPLE_PER_DOOR, DOORS_PER_BUILDING = 3, 48
SURNAMES, GIVEN = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗",
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉红建文",
)


def set_up(folder: str) -> None:
    os.environ["MUSTER_DATA"] = folder
    os.environ.pop("MUSTER_DATABASE_URL", None)
    if url := os.environ.get("MUSTER_BENCH_DATABASE_URL"):
        os.environ["MUSTER_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    from muster.cli.house import migrate
    from muster.cli.house import set_up as set_django_up

    set_django_up()
    migrate()


def make_place(persons: int) -> list[tuple[str, str, str, str, str]]:
    """Communities with compounds of numbered buildings; answers the doors in the words of lists."""
    from muster.base.clock import now
    from muster.places.models import Building, Compound, Dwelling
    from muster.places.services import add_area, add_grid

    city = add_area(code="99", name="青槐市", level="city", parent=None, is_partition=False)
    street = add_area(code="9901", name="柳岸街道", level="sub_district", parent=city, is_partition=True)
    buildings = -(-persons // (PEOPLE_PER_DOOR * DOORS_PER_BUILDING))
    doors = []
    rows: list[Dwelling] = []
    for number in range(buildings):
        if number % 40 == 0:
            serial = number // 40 + 1
            area = add_area(
                code=f"9901{serial:03d}",
                name=f"{serial}社区",
                level="community",
                parent=street,
                is_partition=False,
            )
            compound = Compound.objects.create(area=area, sub_district=street.id, name=f"桂苑{serial}区")
        if number % 4 == 0:
            grid = add_grid(code=f"G{number}", name=f"{number}网格", area=area, level="SMALL", at=now())
        local = number % 40 + 1
        building = Building.objects.create(
            area=area,
            sub_district=street.id,
            grid=grid.id,
            compound=compound,
            code=str(number),
            name=f"{compound.name}{local}号楼",
            floors=12,
            units=2,
        )
        for door in range(DOORS_PER_BUILDING):
            unit, floor, flat = door // 24 + 1, door % 24 // 2 + 1, door % 2 + 1
            room = f"{floor}{flat:02d}"
            rows.append(
                Dwelling(
                    sub_district=street.id,
                    grid=grid.id,
                    building=building,
                    unit=str(unit),
                    floor=floor,
                    room=room,
                    label=f"{building.name}{unit}单元{room}",
                )
            )
            doors.append((area.name, compound.name, f"{local}号楼", str(unit), room))
    Dwelling.objects.bulk_create(rows)
    return doors


def make_people(persons: int, doors: list[tuple[str, str, str, str, str]]) -> list[list[str]]:
    from muster.register.id_documents import check_digit

    draw = random.Random(SEED)
    lines = [
        ["姓名", "身份证号", "手机", "社区", "小区", "楼栋", "单元", "室号", "户籍在此", "现住在此", "备注"]
    ]
    for number in range(persons):
        born = f"{draw.randint(1935, 2020)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
        first = f"9901{number // 1000 % 100:02d}{born}{number % 1000:03d}"
        name = draw.choice(SURNAMES) + "".join(draw.choice(GIVEN) for _ in range(draw.randint(1, 2)))
        door = doors[number // PEOPLE_PER_DOOR]
        lines.append(
            [
                name,
                first + check_digit(first),
                f"139{number:08d}",
                *door,
                "是",
                "是",
                "独居" if number % 50 == 0 else "",
            ]
        )
    return lines


def write_list(path: Path, lines: list[list[str]]) -> None:
    from muster.register.exporting.spreadsheets import CsvFile, Look, XlsxFile

    if path.suffix == ".csv":
        with path.open("wb") as out:
            file = CsvFile(out)
            for line in lines:
                file.add(line)
            file.close()
        return
    with XlsxFile(path) as book:
        sheet = book.sheet("人员", [Look(header) for header in lines[0]])
        for line in lines[1:]:
            sheet.add(line)


def bring_in(path: Path, *, update: bool = False) -> dict[str, object]:
    from muster.base.clock import now
    from muster.cli.house import operator
    from muster.register.importing.batches import Choices, open_batch, prepare_batch
    from muster.register.importing.committing import commit_batch
    from muster.register.importing.operators import console_operator

    who = console_operator(operator(None), language="zh")
    raw = path.read_bytes()
    start, cpu = time.monotonic(), processor_seconds()
    batch = open_batch("persons", raw, file_name=path.name, operator=who, choices=Choices(update), at=now())
    prepare_batch(batch, raw, now=now)
    checked, checked_cpu = time.monotonic(), processor_seconds()
    batch = commit_batch(batch.id, now=now)
    done, done_cpu = time.monotonic(), processor_seconds()
    return {
        "wall_s": {"check": round(checked - start, 1), "write": round(done - checked, 1)},
        "cpu_s": {"check": round(checked_cpu - cpu, 1), "write": round(done_cpu - checked_cpu, 1)},
        "total_wall_s": round(done - start, 1),
        "total_cpu_s": round(done_cpu - cpu, 1),
        "persons_per_cpu_s": round(batch.counts["rows"] / (done_cpu - cpu)),
        "result": batch.result,
    }


def processor_seconds() -> float:
    """Of this process and of the child that reads the file."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def seal_and_insert(persons: int) -> float:
    """Processor seconds of the peer: so many persons sealed and inserted, chunk by chunk, and rolled back."""
    from django.db import transaction

    from muster.places.models import Dwelling
    from muster.register.importing.bulk import insert_rows, seal_rows
    from muster.register.models import Person

    door = Dwelling.objects.across(reason="count").first()
    assert door is not None
    start = time.process_time()
    with transaction.atomic():
        for first in range(0, persons, 500):
            rows = [
                Person(
                    sub_district=door.sub_district,
                    dwelling_id=door.id,
                    name=f"演{number}",
                    phone=f"139{number:08d}",
                    id_number=f"9901{number:014d}",
                )
                for number in range(first, min(first + 500, persons))
            ]
            seal_rows(rows)
            insert_rows(rows)
        transaction.set_rollback(True)
    return time.process_time() - start


def main(arguments: list[str]) -> int:
    plain = [word for word in arguments if not word.startswith("--")]
    persons = int(plain[0]) if plain else 100_000
    suffix = plain[1] if len(plain) > 1 else "xlsx"
    with tempfile.TemporaryDirectory() as folder:
        set_up(folder)
        doors = make_place(persons)
        path = Path(folder) / f"people.{suffix}"
        write_list(path, make_people(persons, doors))
        before = memory_mb()
        peer = seal_and_insert(persons)
        first = bring_in(path)
        told = {
            "machine": machine(),
            "seed": SEED,
            "persons": persons,
            "file": suffix,
            "file_mib": round(path.stat().st_size / 2**20, 1),
            "database": "postgresql" if os.environ.get("MUSTER_BENCH_DATABASE_URL") else "sqlite",
            "first": first,
            "again": bring_in(path, update=True) if "--again" in arguments else None,
            "seal_and_insert_cpu_s": round(peer, 1),
            "times_seal_and_insert": round(float(str(first["total_cpu_s"])) / peer, 2),
            "memory_mib": {
                "before": before,
                "peak": memory_mb(),
                "reader": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
            },
        }
        sys.stdout.write(json.dumps(told, ensure_ascii=False) + "\n")
        if "--keep" in arguments:
            keep(told)
    return 0


def keep(told: dict[str, object]) -> None:
    """One entry for each database, form and size."""
    file = RESULTS / "import.json"
    known = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known[f"{told['database']}-{told['file']}-{told['persons']}"] = told
    file.write_text(json.dumps(known, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
