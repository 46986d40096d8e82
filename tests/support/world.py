# SPDX-License-Identifier: Apache-2.0
"""A small made-up place for tests: two sub-districts, a few grids, buildings with doors, people behind
them.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from muster.accounts.models import User
from muster.accounts.services import add_user, grant_role
from muster.base.ids import new_id
from muster.campaigns.models import Round
from muster.campaigns.services import freeze_round, open_round, plan_round, save_kind, start_campaign
from muster.flows.recording import record_facts
from muster.incidents.models import Incident
from muster.incidents.services import declare_incident
from muster.places.models import Area, Building, Dwelling, Grid
from muster.places.services import add_area, add_grid
from muster.register.models import Household, Person
from muster.register.services import phone_index
from muster.trail.incoming import Incoming, Ruling

NOON = datetime(2022, 9, 2, 4, 0, tzinfo=UTC)

KIND: dict[str, Any] = {
    "name": {"zh": "摸底登记", "en": "Door register"},
    "unit": "person",
    "outcomes": [
        {
            "code": "done",
            "name": {"zh": "已登记", "en": "Done"},
            "class": "DONE",
            "met": True,
            "door": "SEEN",
            "precedence": 20,
        },
        {
            "code": "arranged",
            "name": {"zh": "需上门", "en": "To be visited"},
            "class": "ARRANGED",
            "met": True,
            "door": "SEEN",
        },
        {"code": "away", "name": {"zh": "外出", "en": "Away"}, "class": "EXPLAINED"},
        {
            "code": "no_answer",
            "name": {"zh": "没人应门", "en": "No answer"},
            "class": "UNREACHED",
            "door": "NO_ANSWER",
        },
        {
            "code": "refused",
            "name": {"zh": "不愿参加", "en": "Refused"},
            "class": "EXPLAINED",
            "evidence": "second_visit",
            "door": "REFUSED",
        },
    ],
    "certificate": [
        {"zh": "截至 {as_of}，{grid} 在册 {roster}。", "en": "As of {as_of}, {grid} lists {roster}."}
    ],
}


@dataclass
class World:
    incident: Incident
    city: Area
    streets: list[Area]
    communities: list[Area]
    grids: list[Grid]
    buildings: list[Building]
    dwellings: list[Dwelling]
    persons: list[Person]
    head: User
    workers: list[User]
    round: Round
    device: uuid.UUID = field(default_factory=new_id)
    numbers: Any = field(default_factory=lambda: count(1))
    clock: datetime = NOON

    def fact(
        self,
        kind: str,
        subject: uuid.UUID,
        /,
        subject_type: str = "person",
        *,
        sub_district: int | None = None,
        minutes: float = 0,
        worker: int = 0,
        seq: int | None = None,
        id: uuid.UUID | None = None,
        device: uuid.UUID | None = None,
        received: datetime | None = None,
        **body: Any,
    ) -> Incoming:
        body.setdefault("round", self.round.id)
        at = self.clock + timedelta(minutes=minutes)
        return Incoming(
            device=device or self.device,
            seq=seq if seq is not None else next(self.numbers),
            id=id or new_id(),
            incident=self.incident.id,
            kind=kind,
            actor=self.workers[worker].id,
            occurred_at=at,
            received_at=received or at,
            sub_district=sub_district if sub_district is not None else self._home(subject),
            subject=subject,
            subject_type=subject_type,
            raw_body=msgspec.json.encode(body),
        )

    def _home(self, subject: uuid.UUID) -> int:
        for row in (*self.persons, *self.dwellings):
            if row.id == subject:
                return row.sub_district
        return self.streets[0].id

    def outcome(self, person: Person, outcome: str, **kwargs: Any) -> Incoming:
        return self.fact("entry.outcome", person.id, outcome=outcome, **kwargs)

    def record(self, *facts: Incoming) -> list[Ruling]:
        return record_facts(facts, at=self.clock)


def make_world(*, unit: str = "person", doors: int = 4, people: int = 2, frozen: bool = True) -> World:
    """Two sub-districts, each one community with two small grids of one building each."""
    incident = declare_incident(
        name="演练", kind="epidemic", pack="epidemic-zh", area=None, starts_at=NOON - timedelta(days=1),
        ends_at=NOON + timedelta(days=30), is_drill=True, time_zone="Asia/Shanghai", by=None, at=NOON,
    )  # fmt: skip
    city = add_area(code="990100000000", name="青槐市", level="city", parent=None, is_partition=False)
    district = add_area(code="990101000000", name="柳溪区", level="district", parent=city, is_partition=False)
    streets, communities, grids, buildings, dwellings, persons = [], [], [], [], [], []
    serial = count(1)
    for s in (1, 2):
        street = add_area(
            code=f"99010100{s}000", name=f"{s}号街道", level="street", parent=district, is_partition=True
        )
        community = add_area(
            code=f"99010100{s}001", name=f"{s}社区", level="community", parent=street, is_partition=False
        )
        streets.append(street)
        communities.append(community)
        for g in (1, 2):
            grid = add_grid(code=f"G{s}{g}", name=f"{s}-{g}网格", area=community, level="SMALL", at=NOON)
            building = Building.objects.create(
                area=community,
                sub_district=street.id,
                grid=grid.id,
                code=f"B{s}{g}",
                name=f"{g}号楼",
                floors=doors,
                lon=110 + s / 100,
                lat=35 + g / 100,
            )
            grids.append(grid)
            buildings.append(building)
            for d in range(1, doors + 1):
                dwelling = Dwelling.objects.create(
                    sub_district=street.id, grid=grid.id, building=building, unit="1", floor=d, room=f"{d}01",
                    label=f"{g}号楼1单元{d}01", walk_order=d,
                )  # fmt: skip
                dwellings.append(dwelling)
                household = Household.objects.create(sub_district=street.id, grid=grid.id, dwelling=dwelling)
                for _ in range(people):
                    n = next(serial)
                    phone = f"1380000{n:04d}"
                    persons.append(
                        Person.objects.create(
                            sub_district=street.id,
                            grid=grid.id,
                            dwelling=dwelling,
                            household=household,
                            name=f"演{n}",
                            phone=phone,
                            phone_index=phone_index(phone),
                            birth_year=1980,
                        )
                    )
    head = add_user(username="head", name="网格长甲", password="drill-only-1")
    grant_role(head, role="grid_head", at=NOON, grid=grids[0].id)
    workers = [add_user(username=f"worker{i}", name=f"网格员{i}") for i in range(3)]
    kind = save_kind(
        key="register", definition={**KIND, "unit": unit}, incident=incident.id, by=None, at=NOON
    )
    campaign = start_campaign(incident=incident.id, name="摸底", kind=kind, area=city, by=None, at=NOON)
    round_ = plan_round(campaign, name="第一轮", at=NOON, by=None)
    if frozen:
        open_round(freeze_round(round_, by=None, at=NOON), by=None, at=NOON)
    return World(
        incident, city, streets, communities, grids, buildings, dwellings, persons, head, workers, round_
    )
