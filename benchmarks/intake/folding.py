# SPDX-License-Identifier: Apache-2.0
"""How fast fold turns journalled batches into a ledger: signatures, rules, verdicts, entries, accounts.

python -m benchmarks.intake.folding [--facts 20000] [--batch 50] [--postgres] [--profile]

Batches of phones, each of one grid; half of the people were seen before. Two kinds of evening, each cut
into slices that are folded in turn as fold does it and, for comparison, with every fact settled by itself:
plain outcomes only, and such with one in twenty awkward (tried in vain, a note, an undo, told again).
Beside it what a database takes: the same fact rows, inserted in the same groups, nothing read or decided.
At the end `verify` proves the ledger. Adds to benchmarks/results/fold.json.
"""

from __future__ import annotations

import argparse
import cProfile
import hashlib
import json
import os
import pstats
import random
import shutil
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks.intake.city_server import city_server
from benchmarks.planning.machine import RESULTS, Took, machine, timed

AWKWARD = 0.05
OUTCOMES = ["done", "done", "done", "away", "no_answer", "arranged"]


@contextmanager
def house(*, postgres: bool) -> Iterator[None]:
    """A migrated database of our own, before Django is set up."""
    folder, server = tempfile.mkdtemp(prefix="muster-bench-"), None
    os.environ["MUSTER_DATA"] = folder
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    if postgres:
        server = city_server()
        os.environ["MUSTER_DATABASE_URL"] = server.fresh_database()
    try:
        import django
        from django.core.management import call_command
        from django.db import connection

        django.setup()
        call_command("migrate", verbosity=0)
        yield
        connection.close()
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


class Phones:
    """One phone per grid; each batch tells of people of its grid."""

    def __init__(self, grids: int, people: int) -> None:
        from benchmarks.intake.town import make_town
        from muster.accounts.services import enrol_device, make_enrol_code
        from muster.drill.device import DeviceClient, _key_jwk
        from tests.support.world import NOON

        self.town = make_town(grids=grids, people=people)
        self.phones: list[tuple[DeviceClient, list[Any]]] = []
        for grid in self.town.grids:
            code, _ = make_enrol_code(
                incident=self.town.incident.id,
                grid=grid.id,
                worker=self.town.worker,
                by=self.town.worker.id,
                at=NOON,
            )
            client = DeviceClient(web="", name="phone", http=None)  # type: ignore[arg-type]
            device, _, client.lease = enrol_device(
                code=code,
                public_key=_key_jwk(client.key),
                name="phone",
                sub_districts=[grid.sub_district],
                grids=[grid.id],
                at=NOON,
            )
            client.enrolment = {"device": str(device.id), "actor": {"id": str(self.town.worker.id)}}
            self.phones.append((client, self.town.people_of(grid.id)))

    def rows(self, count: int, size: int, *, seed: int, first: int, awkward: float = 0.0) -> list[Any]:
        from muster.base.crypto.signing import unb64url
        from muster.drill.device import subject
        from muster.intake.journal import JournalRow
        from tests.support.world import NOON

        dice, rows = random.Random(seed), []
        for n in range(count):
            client, people = self.phones[n % len(self.phones)]
            told: str | None = None
            for person, home in dice.sample(people, size):
                kind, said = "entry.outcome", {"outcome": dice.choice(OUTCOMES)}
                if dice.random() < awkward:
                    kind, said = self._awkward(dice, told)
                said["round"] = str(self.town.round.id)
                at = NOON + timedelta(seconds=first + n)
                told = client.record(kind, subject(home, person=person), said, at=at)
            batch = list(client.outbox.values())
            if awkward and dice.random() < awkward:
                batch.append(batch[0])
            body = client.batch(batch, at=NOON)
            client.outbox.clear()
            alg, _, signature = client.sign(body).partition("=")
            rows.append(
                JournalRow(
                    writer=1,
                    n=first + n,
                    received_at=NOON + timedelta(hours=1),
                    device=uuid.UUID(client.device),
                    batch=uuid.uuid4(),
                    incident=self.town.incident.id,
                    lease=client.lease,
                    alg=alg,
                    signature=unb64url(signature),
                    sha256=hashlib.sha256(body).digest(),
                    body=body,
                )
            )
        return rows

    @staticmethod
    def _awkward(dice: random.Random, told: str | None) -> tuple[str, dict[str, Any]]:
        """What settling in blocks leaves to the way fact by fact."""
        if told is not None and dice.random() < 0.2:
            return "fact.undone", {"fact": told}
        if dice.random() < 0.5:
            return "note.written", {"text": "狗大"}
        return "contact.tried", {"channel": "phone", "reached": False}


class Held:
    """A journal in memory: fold asks for nothing but read_after. Reading the real one is measured apart."""

    def __init__(self, rows: list[Any]) -> None:
        self._rows = rows

    def read_after(self, known: dict[int, int], limit: int, **_: Any) -> list[Any]:
        done = known.get(1, 0)
        start = done - self._rows[0].n + 1 if done >= self._rows[0].n else 0
        return self._rows[start : start + limit]


def fold_all(rows: list[Any]) -> int:
    from muster.sync.fold import fold_once
    from tests.support.world import NOON

    reader, facts = Held(rows), 0
    while (report := fold_once(reader, now=lambda: NOON)).batches:  # type: ignore[arg-type]
        facts += report.facts
    return facts


SLICES = 8


def both_ways(rows: list[Any]) -> dict[str, Any]:
    """Folds the rows in slices, in turn as fold does it and with every fact settled by itself."""
    from muster.flows import recording

    size = max(1, len(rows) // SLICES)
    sums = {True: [0, 0.0, 0.0, 0.0], False: [0, 0.0, 0.0, 0.0]}
    for number, start in enumerate(range(0, len(rows), size)):
        recording.IN_BLOCKS = number % 2 == 0
        database = database_seconds()
        facts, took = timed(lambda part=rows[start : start + size]: fold_all(part))
        spent = (facts, took.wall_s, took.cpu_s, database_seconds() - database)
        sums[recording.IN_BLOCKS] = [a + b for a, b in zip(sums[recording.IN_BLOCKS], spent, strict=True)]
    recording.IN_BLOCKS = True
    ways = {"in blocks": sums[True], "fact by fact": sums[False]}
    told = {name: _way(int(facts), *spent) for name, (facts, *spent) in ways.items()}
    a, b = told["in blocks"]["processor_us_per_fact"], told["fact by fact"]["processor_us_per_fact"]
    told["ratio of facts per processor second"] = {
        "fold": round(b["fold"] / a["fold"], 2),
        "with the database": round(sum(b.values()) / sum(a.values()), 2),
    }
    return told


def _way(facts: int, wall: float, processor: float, database: float) -> dict[str, Any]:
    each = {"fold": round(processor / facts * 1e6, 1), "database": round(database / facts * 1e6, 1)}
    return {**told(facts, Took(wall, processor)), "processor_us_per_fact": each}


def raw_inserts() -> Callable[[], int]:
    """The fact rows that are there, once more into the emptied table, by 500: COPY where there is one."""
    from django.db import connection, transaction

    from muster.storage.many_rows import Insert
    from muster.storage.writes import ROWS_PER_WRITE, chunks
    from muster.trail.fact_rows import FactRows
    from muster.trail.models import Fact

    facts = list(Fact.objects.all()[:20_000])
    groups = [FactRows([]) for _ in chunks(facts, ROWS_PER_WRITE)]
    for group, part in zip(groups, chunks(facts, ROWS_PER_WRITE), strict=True):
        group._rows = Insert(Fact, list(part)).values
    Fact.objects.all().delete()

    def insert() -> int:
        for group in groups:
            with transaction.atomic():
                group.execute()
        return len(facts)

    connection.ensure_connection()
    return insert


def database_seconds() -> float:
    """Processor time of the database's own process for us; nothing where there is none."""
    from django.db import connection

    if connection.vendor != "postgresql":
        return 0.0
    connection.ensure_connection()
    spent = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text(encoding="ascii")
    return int(spent.split()[0]) / 1e9


def told(facts: int, took: Took) -> dict[str, float]:
    return {
        "facts": facts,
        "facts_per_s": round(facts / took.wall_s),
        "facts_per_processor_s": round(facts / took.cpu_s),
        **took.facts(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--facts", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--grids", type=int, default=60)
    parser.add_argument("--people", type=int, default=12_000)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    before = machine()
    with house(postgres=options.postgres):
        from muster.sync.fold import spare_the_collector
        from muster.sync.verify import verify_all

        phones = Phones(options.grids, options.people)
        warm, count = max(1, options.people // 2 // options.batch), options.facts // options.batch
        fold_all(phones.rows(warm, options.batch, seed=3, first=1))
        plain = phones.rows(count, options.batch, seed=7, first=warm + 1)
        mixed = phones.rows(count, options.batch, seed=8, first=warm + 1 + count, awkward=AWKWARD)
        spare_the_collector()
        profile = cProfile.Profile(time.process_time)
        if options.profile:
            profile.enable()
        found = {"plain outcomes": both_ways(plain), "one in twenty awkward": both_ways(mixed)}
        profile.disable()
        if options.profile:
            pstats.Stats(profile).sort_stats("tottime").print_stats(45)
        breaches = verify_all()
        assert not breaches, breaches[:3]
        insert = raw_inserts()
        database = database_seconds()
        raw, raw_took = timed(insert)
        database = database_seconds() - database
    kind = "postgresql" if options.postgres else "sqlite"
    best = found["plain outcomes"]["in blocks"]["processor_us_per_fact"]
    inserted = _way(raw, raw_took.wall_s, raw_took.cpu_s, database)
    result = {
        "machine": before,
        "batch": options.batch,
        "grids": options.grids,
        "people": options.people,
        **found,
        "raw inserts of the same rows": inserted,
        "ratio of fold to raw, all processor time": round(
            sum(inserted["processor_us_per_fact"].values()) / sum(best.values()), 3
        ),
        "verify": "no breach",
    }
    path = RESULTS / "fold.json"
    whole = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    path.write_text(json.dumps({**whole, kind: result}, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(result, indent=1) + "\n")
    time.sleep(0)


if __name__ == "__main__":
    main()
