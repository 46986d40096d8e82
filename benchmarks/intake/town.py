# SPDX-License-Identifier: Apache-2.0
"""A town for measuring: as many grids as wanted, doors of four people, a round that is open."""

from __future__ import annotations

import uuid
from collections import defaultdict
from dataclasses import dataclass

from muster.accounts.models import User
from muster.campaigns.models import Round
from muster.campaigns.services import freeze_round, open_round
from muster.incidents.models import Incident
from muster.places.models import Building, Dwelling, Grid
from muster.places.services import add_grid
from muster.register.models import Person
from tests.support.world import NOON, make_world

AT_A_DOOR = 4


@dataclass
class Town:
    incident: Incident
    round: Round
    worker: User
    grids: list[Grid]
    _people: dict[int, list[tuple[uuid.UUID, int]]]

    def people_of(self, grid: int) -> list[tuple[uuid.UUID, int]]:
        return self._people[grid]


def make_town(*, grids: int, people: int) -> Town:
    world = make_world(doors=1, people=1, frozen=False)
    made = [
        add_grid(code=f"T{n}", name=f"{n}网格", area=world.communities[n % 2], level="SMALL", at=NOON)
        for n in range(grids)
    ]
    buildings = Building.objects.bulk_create(
        Building(
            area=world.communities[n % 2], sub_district=grid.sub_district, grid=grid.id, code=f"T{n}",
            name=f"{n}号楼", floors=6, lon=110, lat=35,
        )
        for n, grid in enumerate(made)
    )  # fmt: skip
    dwellings = Dwelling.objects.bulk_create(
        Dwelling(
            sub_district=building.sub_district, grid=building.grid, building=building, unit="1", floor=1,
            room=str(d), label=str(d), walk_order=d,
        )
        for building in buildings
        for d in range(people // grids // AT_A_DOOR)
    )  # fmt: skip
    persons = Person.objects.bulk_create(
        Person(sub_district=d.sub_district, grid=d.grid, dwelling=d, name="演", birth_year=1980)
        for d in dwellings
        for _ in range(AT_A_DOOR)
    )
    open_round(freeze_round(world.round, by=None, at=NOON), by=None, at=NOON)
    people_of: dict[int, list[tuple[uuid.UUID, int]]] = defaultdict(list)
    for person in persons:
        people_of[person.grid or 0].append((person.id, person.sub_district))
    return Town(world.incident, world.round, world.workers[0], made, dict(people_of))
