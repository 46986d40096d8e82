# SPDX-License-Identifier: Apache-2.0
"""How long a desk waits for its write while a backlog is folded, beside the same with rules inside the write.

    python benchmarks/desk_while_folding.py --facts 200000

One process records facts as fold does; another, as a desk would, one fact at fixed moments (open loop: it
does not slow down with the house) and reads a grid's account. The negative control settles inside the write.
Writes benchmarks/results/desk_while_folding.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
RESULTS = HERE.parent / "results"
DESK_PER_SECOND = 10


def set_up(folder: str) -> None:
    os.environ["MUSTER_DATA"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    sys.path.insert(0, str(HERE.parent.parent))
    import django

    django.setup()


def build(folder: str, people: int) -> None:
    set_up(folder)
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from tests.support.world import make_world

    world = make_world(doors=people // 16, people=4)
    persons = [(str(p.id), p.sub_district) for p in world.persons]
    told = {
        "round": str(world.round.id),
        "incident": str(world.incident.id),
        "actor": str(world.workers[0].id),
        "grid": world.grids[0].id,
        "persons": persons,
    }
    Path(folder, "bench.json").write_text(json.dumps(told), encoding="utf-8")


def facts_of(told: dict[str, Any], count: int, seed: int) -> list[Any]:
    import random
    import uuid
    from datetime import timedelta

    import msgspec

    from muster.base.ids import new_id
    from muster.trail.incoming import Incoming
    from tests.support.world import NOON

    rng = random.Random(seed)
    device, round_id = new_id(), told["round"]
    outcomes = ["done", "away", "no_answer", "arranged"]
    answer = []
    for seq in range(1, count + 1):
        person, home = rng.choice(told["persons"])
        body = msgspec.json.encode({"round": round_id, "outcome": rng.choice(outcomes)})
        at = NOON + timedelta(seconds=seq % 3600)
        answer.append(
            Incoming(
                device=device,
                seq=seq,
                id=new_id(),
                incident=uuid.UUID(told["incident"]),
                kind="entry.outcome",
                actor=uuid.UUID(told["actor"]),
                occurred_at=at,
                received_at=at,
                sub_district=home,
                subject=uuid.UUID(person),
                subject_type="person",
                raw_body=body,
            )
        )
    return answer


def fold(folder: str, count: int, *, inside: bool) -> None:
    """Records `count` facts; `inside` settles within the write transaction, as nobody should."""
    set_up(folder)
    from django.db import transaction

    from muster.flows.recording import record_facts
    from muster.storage.writes import chunks, pause_between_writes
    from tests.support.world import NOON

    told = json.loads(Path(folder, "bench.json").read_text(encoding="utf-8"))
    facts = facts_of(told, count, seed=7)
    began = time.perf_counter()
    for part in chunks(facts):
        if inside:
            with transaction.atomic():
                record_facts(part, at=NOON)
        else:
            record_facts(part, at=NOON)
        pause_between_writes()
    taken = time.perf_counter() - began
    Path(folder, "fold.json").write_text(json.dumps({"facts": count, "seconds": taken}), encoding="utf-8")


def desk(folder: str) -> None:
    """Writes one fact at fixed moments until the fold is over."""
    set_up(folder)
    from muster.campaigns.models import RoundGrid
    from muster.flows.recording import record_facts
    from tests.support.world import NOON

    told = json.loads(Path(folder, "bench.json").read_text(encoding="utf-8"))
    facts = facts_of(told, 20_000, seed=11)
    writes, reads = [], []
    due = time.perf_counter()
    for fact in facts:
        if Path(folder, "fold.json").exists():
            break
        due += 1 / DESK_PER_SECOND
        time.sleep(max(0.0, due - time.perf_counter()))
        began = min(due, time.perf_counter())
        record_facts([fact], at=NOON)
        writes.append((time.perf_counter() - began) * 1000)
        began = time.perf_counter()
        RoundGrid.objects.filter(round=told["round"], grid=told["grid"]).first()
        reads.append((time.perf_counter() - began) * 1000)
    Path(folder, "desk.json").write_text(json.dumps({"writes": writes, "reads": reads}), encoding="utf-8")


def spread(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = lambda share: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)  # noqa: E731
    return {
        "n": len(ordered),
        "p50_ms": round(statistics.median(ordered), 1),
        "p99_ms": at(0.99),
        "max_ms": at(1.0),
    }


def measure(facts: int, people: int, *, inside: bool) -> dict[str, Any]:
    folder = tempfile.mkdtemp(prefix="muster-bench-")

    def run(*words: str) -> list[str]:
        return [sys.executable, str(HERE), *words, "--folder", folder]

    subprocess.run([*run("--build"), "--people", str(people)], check=True)
    folding = subprocess.Popen([*run("--fold"), "--facts", str(facts), *(["--inside"] if inside else [])])
    time.sleep(3.0)
    subprocess.run(run("--desk"), check=True)
    folding.wait()
    told = json.loads(Path(folder, "fold.json").read_text(encoding="utf-8"))
    seen = json.loads(Path(folder, "desk.json").read_text(encoding="utf-8"))
    shutil.rmtree(folder, ignore_errors=True)
    return {
        "facts": told["facts"],
        "facts_per_second": round(told["facts"] / told["seconds"]),
        "desk writes": spread(seen["writes"]),
        "desk reads": spread(seen["reads"]),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--facts", type=int, default=200_000)
    parser.add_argument("--people", type=int, default=30_000)
    parser.add_argument("--folder")
    for flag in ("build", "fold", "desk", "inside"):
        parser.add_argument(f"--{flag}", action="store_true")
    options = parser.parse_args()
    if options.build:
        build(options.folder, options.people)
    elif options.fold:
        fold(options.folder, options.facts, inside=options.inside)
    elif options.desk:
        desk(options.folder)
    else:
        right = measure(options.facts, options.people, inside=False)
        wrong = measure(options.facts // 5, options.people, inside=True)
        report = {
            "machine": {
                "cores": os.cpu_count(),
                "python": platform.python_version(),
                "load_1m": os.getloadavg()[0],
            },
            "seed": 7,
            "rules before the transaction": right,
            "negative control: rules inside it": wrong,
            "ratio of the desk's p99, control to right": round(
                wrong["desk writes"]["p99_ms"] / right["desk writes"]["p99_ms"], 1
            ),
        }
        RESULTS.mkdir(exist_ok=True)
        out = RESULTS / "desk_while_folding.json"
        out.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        sys.stdout.write(out.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
