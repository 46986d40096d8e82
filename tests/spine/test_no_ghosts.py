# SPDX-License-Identifier: Apache-2.0
"""Whoever moves leaves no ghost: a phone that pulled step by step shows just what a fresh phone shows."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.accounts.models import Device, Lease
from muster.base.ids import new_id
from muster.flows.regrid import Division, NewGrid, adopt_division
from muster.places.models import Building, Gone, Grid
from muster.register.models import Person
from muster.sync.pull import pull
from tests.spine.test_any_order import rolled_back
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
TABLES = ("buildings", "doors", "households", "persons", "entries")
KEYS = {"entry": "entries", "household": "households", "person": "persons", "door": "doors"}


@dataclass
class PhoneCopy:
    """The copy of the grid as the field app keeps it (web/apps/field/src/grid/copy.ts)."""

    lease: Lease
    cursor: str | None = None
    rows: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=lambda: {t: {} for t in TABLES})

    def pull(self) -> None:
        page = pull(self.lease, since=self.cursor, at=NOON)
        self.cursor = page["cursor"]
        for grid in page["gone_grids"]:
            for rows in self.rows.values():
                for key in [k for k, row in rows.items() if row.get("grid") == grid]:
                    del rows[key]
        for table in TABLES:
            for row in page[table]:
                key = (row["round"], row["subject"]) if table == "entries" else row["id"]
                self.rows[table][key] = row
        for gone in page["gone"]:
            rows = self.rows[KEYS.get(gone["type"], "buildings")]
            for key in [k for k in rows if (k[1] if isinstance(k, tuple) else k) == gone["id"]]:
                if rows[key].get("grid") in (None, gone["grid"]):
                    del rows[key]

    def shown(self) -> dict[str, Any]:
        """What stands where; not the count of revisions."""
        return {
            table: {key: (row.get("grid"), row.get("dwelling"), row.get("cls")) for key, row in rows.items()}
            for table, rows in self.rows.items()
        }


def phone_of(world: World, *grids: int) -> PhoneCopy:
    device = Device.objects.create(kind="FIELD", name="phone", enrolled_at=NOON)
    lease = Lease.objects.create(
        device=device, actor=world.workers[0], incident=world.incident.id, grids=list(grids),
        sub_districts=[s.id for s in world.streets], issued_at=NOON, expires_at=NOON + timedelta(hours=24),
    )  # fmt: skip
    return PhoneCopy(lease)


def move_somebody(world: World, rng: random.Random) -> None:
    person = rng.choice(world.persons)
    street, door = rng.choice([(None, None), *[(d.sub_district, d) for d in world.dwellings]])
    to = None if door is None else {"sub_district": street, "dwelling": str(door.id)}
    world.clock += timedelta(minutes=1)
    world.record(world.fact("person.moved", person.id, sub_district=person.sub_district, to=to))


def find_somebody(world: World, rng: random.Random) -> None:
    door = rng.choice(world.dwellings)
    world.record(
        world.fact(
            "person.found", door.id, "dwelling", person=str(new_id()), household=str(new_id()), name="新"
        )
    )


def move_a_building(world: World, rng: random.Random) -> None:
    codes = [grid.code for grid in world.grids]
    of = dict(Grid.objects.values_list("id", "code"))
    small_of = {b.id: of[b.grid] for b in Building.objects.all() if b.grid is not None}
    small_of[rng.choice(sorted(small_of, key=str))] = rng.choice(codes)
    wanted = [NewGrid(code, "SMALL", None, code, "") for code in dict.fromkeys(small_of.values())]
    adopt_division(world.city, Division(grids=wanted, small_of=small_of), by=None, at=world.clock)


@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000))
def test_whatever_moves_no_phone_keeps_a_ghost(seed: int) -> None:
    with rolled_back():
        rng = random.Random(seed)
        world = make_world(doors=2, people=1)
        ids = [grid.id for grid in world.grids]
        phones = [phone_of(world, grid) for grid in ids] + [phone_of(world, *ids[:2])]
        for _ in range(8):
            act = rng.choice([move_somebody, move_somebody, find_somebody, move_a_building])
            act(world, rng)
            for one in phones:
                if rng.random() < 0.5:
                    one.pull()
        for one in phones:
            one.pull()
            fresh = PhoneCopy(one.lease)
            fresh.pull()
            assert one.shown() == fresh.shown()


def test_check_sees_a_ghost() -> None:
    """The control: without tombstones the old grid's phone would keep who has moved away."""
    world = make_world(doors=2, people=1)
    phone = phone_of(world, world.grids[0].id)
    phone.pull()
    person, door = world.persons[0], world.dwellings[-1]
    world.record(
        world.fact(
            "person.moved", person.id, to={"sub_district": door.sub_district, "dwelling": str(door.id)}
        )
    )
    assert Person.objects.across(reason="pull").get(id=person.id).grid == door.grid
    Gone.objects.all().delete()
    phone.pull()
    fresh = PhoneCopy(phone.lease)
    fresh.pull()

    assert phone.shown() != fresh.shown()
