# SPDX-License-Identifier: Apache-2.0
"""How long the missing list takes: one grid, and the whole city, beside the raw query of the same database.

    python benchmarks/missing_list.py --people 1000000 [--postgres postgresql://…]

Writes benchmarks/results/missing_list-<database>-<people>.json with machine and seed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import shutil
import statistics
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

RESULTS = Path(__file__).resolve().parent / "results"
PER_GRID, PER_DOOR, GRIDS_PER_STREET = 700, 2, 30


def build(people: int, seed: int) -> tuple[object, list[int]]:
    """A city of plain rows: the spine's own tables, filled as freeze and fold would leave them."""
    from django.db import transaction

    from muster.base.crypto import seal_many
    from muster.campaigns.models import DoorEntry, LedgerEntry, RoundGrid
    from muster.campaigns.services import plan_round, save_kind, start_campaign
    from muster.incidents.services import declare_incident
    from muster.packs import load
    from muster.places.models import Building, Dwelling
    from muster.places.services import add_area, add_grid
    from muster.register.models import Person
    from muster.storage.keys import keystore
    from muster.storage.ledger_tables import make_partition
    from muster.storage.sealed import Sealed, seal_context

    rng = random.Random(seed)
    at = datetime.now(UTC)
    incident = declare_incident(
        name="bench",
        kind="epidemic",
        pack="epidemic-zh",
        area=None,
        starts_at=at,
        ends_at=at + timedelta(days=9),
        is_drill=True,
        time_zone="Asia/Shanghai",
        by=None,
        at=at,
    )
    city = add_area(code="99", name="测速市", level="city", parent=None, is_partition=False)
    district = add_area(code="9901", name="测速区", level="district", parent=city, is_partition=False)
    definition = load("epidemic-zh").campaign_kind_json("door_register")
    kind = save_kind(key="door_register", definition=definition, incident=incident.id, by=None, at=at)
    campaign = start_campaign(incident=incident.id, name="bench", kind=kind, area=city, by=None, at=at)
    round_ = plan_round(campaign, name="bench", at=at, by=None)
    for ledger in (LedgerEntry, DoorEntry, RoundGrid):
        make_partition(ledger, round_.id)
    grids: list[int] = []
    total = -(-people // PER_GRID)
    street = None
    for number in range(total):
        if number % GRIDS_PER_STREET == 0:
            street = add_area(
                code=f"9901{number:06d}",
                name=f"{number}街道",
                level="sub_district",
                parent=district,
                is_partition=True,
            )
        assert street is not None
        grid = add_grid(code=f"g{number}", name=f"{number}网格", area=street, level="SMALL", at=at)
        building = Building.objects.create(
            area=street, sub_district=street.id, grid=grid.id, code=f"b{number}", name=f"{number}号楼"
        )
        doors = [
            Dwelling(
                id=uuid.UUID(int=rng.getrandbits(128)),
                sub_district=street.id,
                grid=grid.id,
                building=building,
                unit="1",
                floor=n,
                room=str(n),
                label=f"{number}号楼{n}",
                walk_order=n,
            )
            for n in range(PER_GRID // PER_DOOR)
        ]
        ids = [uuid.UUID(int=rng.getrandbits(128)) for _ in range(PER_GRID)]
        names = seal_many(
            keystore(),
            [(f"演{n}", seal_context("register_person", "name", i)) for n, i in enumerate(ids)],
            purpose="daily",
            sub_district=street.id,
            klass="personal",
        )
        persons = [
            Person(
                id=i,
                sub_district=street.id,
                grid=grid.id,
                dwelling_id=doors[n // PER_DOOR].id,
                name=Sealed(name),
            )
            for n, (i, name) in enumerate(zip(ids, names, strict=True))
        ]
        left = {i for i in ids if rng.random() < 0.15}
        entries = [
            LedgerEntry(
                round=round_.id,
                sub_district=street.id,
                subject=i,
                origin="FROZEN",
                origin_grid=grid.id,
                origin_dwelling=p.dwelling_id,
                grid=grid.id,
                dwelling=p.dwelling_id,
                cls="OPEN" if i in left else "DONE",
                outcome="" if i in left else "REGISTERED",
            )
            for i, p in zip(ids, persons, strict=True)
        ]
        with transaction.atomic():
            Dwelling.objects.bulk_create(doors)
            Person.objects.bulk_create(persons)
            LedgerEntry.objects.bulk_create(entries)
            RoundGrid.objects.bulk_create(
                [
                    RoundGrid(
                        round=round_.id,
                        sub_district=street.id,
                        grid=grid.id,
                        frozen=PER_GRID,
                        n_open=len(left),
                        n_done=PER_GRID - len(left),
                        doors=len(doors),
                        is_frozen=True,
                    )
                ]
            )
        grids.append(grid.id)
        if number % 100 == 0:
            sys.stderr.write(f"{number}/{total} grids\n")
    return round_, grids


def timed(work: object, times: int) -> dict[str, float]:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()  # type: ignore[operator]
        taken.append((time.perf_counter() - began) * 1000)
    return {"median_ms": round(statistics.median(taken), 2), "worst_ms": round(max(taken), 2), "times": times}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=30_000)
    parser.add_argument("--postgres")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="muster-bench-")
    os.environ["MUSTER_DATA"] = folder
    if options.postgres:
        os.environ["MUSTER_DATABASE_URL"] = options.postgres
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    began = time.perf_counter()
    round_, grids = build(options.people, options.seed)
    built = time.perf_counter() - began
    from muster.campaigns.models import Round
    from muster.campaigns.queries import accounts_of_round, missing_entries
    from muster.packs import load
    from muster.situation.coverage import figures
    from muster.situation.missing import missing_page
    from muster.storage.scoping import Scope

    round_ = Round.objects.select_related("campaign__kind").get(id=round_.id)  # type: ignore[attr-defined]
    pack, scope = load("epidemic-zh"), Scope(everything=True)
    rng = random.Random(options.seed)

    def raw() -> None:
        with connection.cursor() as cursor:
            key = round_.id.hex if connection.vendor == "sqlite" else round_.id
            cursor.execute(
                "SELECT subject FROM campaigns_ledgerentry WHERE round = %s AND grid = %s AND cls = 'OPEN'",
                [key, rng.choice(grids)],
            )
            cursor.fetchall()

    def one_grid() -> None:
        missing_page(
            round_, accounts_of_round(round_.id, [rng.choice(grids)]), scope=scope, pack=pack, limit=500
        )

    def all_counts() -> None:
        figures(accounts_of_round(round_.id))

    def all_listed() -> None:
        sum(1 for _ in missing_entries(accounts_of_round(round_.id)).values_list("subject").iterator())

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    results = {
        "raw query, one grid": timed(raw, 50),
        "missing list with names, one grid": timed(one_grid, 50),
        "counts of all grids": timed(all_counts, 20),
        "subjects of all missing": timed(all_listed, 3),
    }
    report = {
        "people": options.people,
        "grids": len(grids),
        "database": connection.vendor,
        "seed": options.seed,
        "built_s": round(built, 1),
        "machine": {
            "cpu": platform.processor() or platform.machine(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
        },
        "results": results,
        "ratio of the list with names to the raw query": round(
            results["missing list with names, one grid"]["median_ms"]
            / results["raw query, one grid"]["median_ms"],
            1,
        ),
    }
    RESULTS.mkdir(exist_ok=True)
    out = RESULTS / f"missing_list-{connection.vendor}-{options.people}.json"
    out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    sys.stdout.write(out.read_text(encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
