# SPDX-License-Identifier: Apache-2.0
"""A city's responders placed, shown and adopted, end to end: `python benchmarks/placement.py [--share 1.0]`.

139,300 generated people, 9,310 grids with 80 doors each, in a real database of its own (SQLite in a folder,
or MUSTER_BENCH_DATABASE_URL). Every step as the product does it: rows read, posts solved with a bound,
seats and accounts stored, the first screen's answers, the question whether anybody has changed, adoption
with an event for each person, and taking back. `--keep` lays the result into
benchmarks/results/placement.json.

Seconds on the wall are noise where others work, so the goal is held against processor seconds, which one
process on a machine of its own takes on the wall too. MUSTER_BENCH_SECONDS gives the engine more of them.

The peer of the ratio is the least that any adoption has to do: the same people updated and the same number
of events inserted, in one transaction.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from benchmarks.planning.machine import RESULTS, machine, memory_mb, timed

SEED = 1
PEOPLE, GRIDS, DISTRICTS, DOORS = 139_300, 9_310, 23, 80
AT = datetime(2022, 9, 2, 4, 0, tzinfo=UTC)
SKILLS = {
    "driving": 0.25,
    "care": 0.15,
    "medicine": 0.05,
    "repairs": 0.08,
    "sampling": 0.1,
    "counselling": 0.03,
}
LARGEST_GAP = 0.005
GOAL_S = 180.0
# Who has an account is told in the app when he is placed, who has a phone by a message; of those without
# either somebody has to tell them.
WITH_ACCOUNT, WITH_PHONE = 0.1, 0.9
# What the engine is given on the wall, as the product gives it; the proof ends before.
SECONDS = float(os.environ.get("MUSTER_BENCH_SECONDS", "240"))


def set_up(folder: str) -> None:
    os.environ["MUSTER_DATA"] = folder
    os.environ.pop("MUSTER_DATABASE_URL", None)
    if url := os.environ.get("MUSTER_BENCH_DATABASE_URL"):
        os.environ["MUSTER_DATABASE_URL"] = url
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
    from muster.cli.house import migrate
    from muster.cli.house import set_up as set_django_up

    set_django_up()
    import_module("muster.config.urls")  # what is looked at later is loaded now: it is no part of a step
    migrate()


def make_city(share: float) -> tuple[Any, Any]:
    """Districts of unequal crowding, small grids, doors and needs. Answers incident and city."""
    import numpy as np

    from muster.incidents.services import declare_incident
    from muster.places.models import Building, Grid
    from muster.places.services import add_area
    from muster.storage.many_rows import Insert

    rng = np.random.default_rng(SEED)
    grids = round(GRIDS * share)
    incident = declare_incident(
        name="演练", kind="epidemic", pack="epidemic-zh", area=None, starts_at=AT - timedelta(days=1),
        ends_at=AT + timedelta(days=30), is_drill=True, time_zone="Asia/Shanghai", by=None, at=AT,
    )  # fmt: skip
    city = add_area(code="99", name="青槐市", level="city", parent=None, is_partition=False)
    spread = share**0.5
    middle = rng.normal(0, 12_000 * spread, (DISTRICTS, 2))
    weight = rng.dirichlet(np.full(DISTRICTS, 3.0))
    district_of = np.sort(rng.choice(DISTRICTS, grids, p=weight))
    where = middle[district_of] + rng.normal(0, 3_500 * spread, (grids, 2))
    rows: list[Grid] = []
    area: Any = None
    for number in range(grids):
        d = int(district_of[number])
        if number == 0 or d != district_of[number - 1]:
            district = add_area(
                code=f"99{d:02d}", name=f"{d}区", level="district", parent=city, is_partition=False
            )
            street_of: dict[int, Any] = {}
        if number % 40 == 0 or not street_of:
            street = add_area(
                code=f"S{number}", name=f"{number}街道", level="street", parent=district, is_partition=True
            )
            street_of[number] = street
        if number % 5 == 0 or area is None or area.parent_id != street.id:
            area = add_area(
                code=f"C{number}", name=f"{number}社区", level="community", parent=street, is_partition=False
            )
        lon, lat = 104 + where[number, 0] / 96_000, 30.6 + where[number, 1] / 111_320
        rows.append(
            Grid(code=f"G{number:05d}", name=f"{number}网格", level="SMALL", area=area, valid_from=AT,
                 sub_district=street.id, lon=lon, lat=lat)
        )  # fmt: skip
    Grid.objects.bulk_create(rows)
    buildings = [
        Building(area=grid.area, sub_district=grid.sub_district, grid=grid.id, code=grid.code, name="1号楼",
                 lon=grid.lon, lat=grid.lat)
        for grid in Grid.objects.order_by("code").select_related("area")
    ]  # fmt: skip
    _write(Insert(Building, buildings))
    _make_doors()
    _make_needs()
    _make_people(rng, incident, weight, round(PEOPLE * share))
    return incident, city


def _write(rows: Any) -> None:
    from django.db import transaction

    with transaction.atomic():
        rows.execute()


def _make_doors() -> None:
    """Doors by one statement: their number matters here, nothing else of them."""
    from django.db import connection

    random_id = "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()"
    true = "1" if connection.vendor == "sqlite" else "true"
    columns = (
        "id, sub_district, grid, building_id, unit, floor, room, label, purpose, address, kind, status,"
        " listed, walk_order, rev"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH RECURSIVE door(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM door WHERE n < %s) "
            f"INSERT INTO places_dwelling ({columns}) "
            f"SELECT {random_id}, b.sub_district, b.grid, b.id, '1', 1, n, n, 'daily', NULL, '', 'ACTIVE',"
            f" {true}, n, 0 FROM places_building b CROSS JOIN door",
            [DOORS],
        )


def _make_needs() -> None:
    """Sixteen people in need in each grid, each behind a door."""
    from muster.places.models import Dwelling
    from muster.register.models import Need, Person
    from muster.storage.many_rows import Insert

    kinds = ("elder_alone", "chronic", "mobility", "pregnant")
    doors = Dwelling.objects.across(reason="verify").filter(room="1")
    persons = [
        Person(sub_district=sub, grid=grid, dwelling_id=door, birth_year=1950)
        for grid, sub, door in doors.values_list("grid", "sub_district", "id")
        for _ in range(16)
    ]
    _write(Insert(Person, persons))
    _write(
        Insert(
            Need,
            [
                Need(sub_district=p.sub_district, grid=p.grid, person_id=p.id, kind=kinds[n % 4])
                for n, p in enumerate(persons)
            ],
        )
    )


def _make_people(rng: Any, incident: Any, weight: Any, count: int) -> None:
    """Vetted people who live in the grids; crowded districts have more of them, others too few.

    Each stands vetted from now on, as people do who checked in; some have an account.
    """
    from muster.base.ids import new_id
    from muster.places.models import Grid
    from muster.responders.models import Responder, Standing
    from muster.responders.standing import standings
    from muster.storage.many_rows import Insert

    grids = list(
        Grid.objects.order_by("code").values_list("id", "sub_district", "lon", "lat", "area__parent__parent")
    )
    share = {d: rng.uniform(0.5, 1.6) for d in sorted({g[4] for g in grids})}
    odds = [share[g[4]] for g in grids]
    total = sum(odds)
    homes = rng.choice(len(grids), count, p=[o / total for o in odds])
    off = rng.normal(0, 300, (count, 2))
    held = {skill: rng.random(count) < part for skill, part in SKILLS.items()}
    has_account = rng.random(count) < WITH_ACCOUNT
    has_phone = rng.random(count) < WITH_PHONE
    by, rows = new_id(), []
    for n in range(count):
        grid, sub, lon, lat, _ = grids[int(homes[n])]
        at_home = (lon + float(off[n, 0]) / 96_000, lat + float(off[n, 1]) / 111_320)
        skills = [skill for skill, has in held.items() if has[n]]
        rows.append(
            Responder(
                incident=incident.id, purpose=str(incident.id), sub_district=sub, home_grid=grid,
                lon=at_home[0], lat=at_home[1], name=f"测试员{n}", affiliation="member",
                affiliations=["member"], skills=skills, languages=["zh"], status="VETTED", status_since=AT,
                checked_in_at=AT, vetted_at=AT, vetted_by=by,
                user=new_id() if has_account[n] else None,
                phone=f"139{n:08d}" if has_phone[n] else "",
                code_index=n.to_bytes(16, "big") if has_phone[n] else None,
            )
        )  # fmt: skip
        if len(rows) == 10_000 or n + 1 == count:
            _write(Insert(Responder, rows))
            _write(Insert(Standing, standings(rows)))
            rows = []


def run(share: float, *, and_back: bool) -> dict[str, Any]:
    import muster.flows.placement as flow
    from muster.base.ids import new_id
    from muster.responders.placement import queries, services
    from muster.responders.placement.told import told_counts

    (incident, city), made = timed(lambda: make_city(share))
    print(f"city made in {made.wall_s:.0f} s", file=sys.stderr)
    by, steps = new_id(), {}

    def step(name: str, work: Callable[[], Any]) -> Any:
        answer, took = timed(work)
        steps[name] = {**took.facts(), "memory_mb": memory_mb()}
        print(name, steps[name], file=sys.stderr)
        return answer

    plan = services.queue_plan(city, incident=incident, by=by, at=AT)
    told = _propose(step, plan, city, incident)
    _screens(step, plan, city)
    later = AT + timedelta(hours=1)
    plan = queries.plan_with_id(plan.id)
    step("ask to adopt", lambda: flow.ask_adopt(plan, area=city, version=plan.version, by=by, at=later))
    step("adopt", lambda: flow.carry_on(plan.id, at=later))
    whole = {k: round(sum(s[k] for s in steps.values()), 2) for k in ("wall_s", "cpu_s")}
    adopted = queries.plan_with_id(plan.id)
    assert adopted.state == "ADOPTED", adopted.state
    heard = step("who was told", lambda: told_counts(adopted))
    back = _take_back(adopted, by, later) if and_back else None
    floor = _least(incident)
    return {
        "machine": machine(), "seed": SEED, "people": round(PEOPLE * share), "grids": round(GRIDS * share),
        "steps": steps, "whole": whole, "goal_s": GOAL_S,
        # Fast is not enough: a plan that stopped early and is far from its bound does not meet the goal.
        "held": whole["cpu_s"] <= GOAL_S and told["gap"] is not None and told["gap"] <= LARGEST_GAP,
        "take_back": back, "memory_mb": memory_mb(), "told": heard,
        "figures": {k: told[k] for k in ("needed", "filled", "missing", "placed", "reserve", "walk", "gap")},
        "adopt_over_least_cpu": round(steps["adopt"]["cpu_s"] / floor["cpu_s"], 2), "least_write": floor,
    }  # fmt: skip


def _propose(step: Any, plan: Any, city: Any, incident: Any) -> dict[str, Any]:
    """Read, solve, store, in this order; what was read is forgotten then."""
    from muster.incidents.packs import pack_of
    from muster.responders import plans
    from muster.responders.placement import queries, reading, services
    from muster.responders.placement.models import PlacementPlan

    pack, wanted = pack_of(incident), {"reach_m": plan.reach_m, "seed": plan.seed, "budget_s": SECONDS}
    ground = step("read rows", lambda: reading.read_ground(city.path, incident=incident.id, pack=pack))
    placing = step("solve", lambda: plans.propose(ground, **wanted))
    PlacementPlan.objects.filter(id=plan.id).update(state="RUNNING")
    step("store", lambda: services.store(plan, ground, placing))
    figures: dict[str, Any] = queries.plan_with_id(plan.id).figures
    return figures


def _take_back(plan: Any, by: Any, at: datetime) -> dict[str, float]:
    import muster.flows.placement as flow

    flow.ask_take_back(plan, version=plan.version, by=by, at=at)
    back, took = timed(lambda: flow.carry_on(plan.id, at=at))
    assert back.state == "TAKEN_BACK"
    return took.facts()


def _screens(step: Any, plan: Any, city: Any) -> None:
    """What the desk asks when the plan is opened."""
    from django.conf import settings
    from django.test import Client

    from muster.accounts.services import add_user, grant_role, make_token

    settings.ALLOWED_HOSTS = ["*"]
    settings.ROOT_URLCONF = "muster.config.urls"
    user = add_user(username="command", name="指挥部")
    grant_role(user, role="command", area=city.id, area_path=city.path, at=AT)
    head = {"Authorization": f"Bearer {make_token(user, name='bench', at=AT)}", "Accept-Language": "zh"}
    base = f"/api/v1/placement/plans/{plan.id}"
    for name, path in (
        ("first screen", base),
        ("list of grids", f"{base}/grids"),
        ("list of people", f"{base}/seats"),
    ):
        answer = step(name, lambda path=path: Client().get(path, headers=head))
        assert answer.status_code == 200, answer.content[:300]


def _least(incident: Any) -> dict[str, float]:
    """The same people updated and as many events inserted, in one transaction and nothing else."""
    from django.db import transaction

    from muster.responders.models import Responder
    from muster.storage.many_rows import Insert, update_rows
    from muster.trail.models import Event

    rows = list(
        Responder.objects.across(reason="verify")
        .filter(incident=incident.id)
        .only("id", "sub_district", "version")
    )

    def write() -> None:
        for row in rows:
            row.version += 1
        events = Insert(
            Event, [Event(at=AT, entity="Responder", entity_id=str(r.id), verb="x", facts={}) for r in rows]
        )
        with transaction.atomic():
            update_rows(Responder, rows, columns=("version",), key=("sub_district", "id"))
            events.execute()

    return timed(write)[1].facts()


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--share", type=float, default=1.0)
    given.add_argument("--take-back", action="store_true")
    given.add_argument("--keep", action="store_true")
    said = given.parse_args()
    with tempfile.TemporaryDirectory(prefix="muster-bench-") as folder:
        set_up(folder)
        from django.db import connection

        result = {"database": connection.vendor, **run(said.share, and_back=said.take_back)}
    print(json.dumps(result, ensure_ascii=False, sort_keys=True))
    if said.keep:
        path = RESULTS / "placement.json"
        known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        known[str(result["database"])] = result
        path.write_text(
            json.dumps(known, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8"
        )


if __name__ == "__main__":
    main()
