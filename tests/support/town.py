# SPDX-License-Identifier: Apache-2.0
"""A town to ask the API about: two places with all that an address can name, callers with a role over one.

`asks(place)` has one request for every operation of the API; a test fails where an operation has none.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponseBase
from django.test import Client

from muster.accounts.models import Device, Lease, User
from muster.accounts.services import add_user, enrol_device, grant_role, make_token
from muster.base.ids import new_id
from muster.campaigns.models import Round
from muster.campaigns.services import freeze_round, open_round, plan_round, save_kind, start_campaign
from muster.drill.device import DeviceClient, _key_jwk
from muster.places.models import Area, Building, Dwelling, Grid, GridPost
from muster.places.services import appoint, issue_enrol_code
from muster.register.division_plans import queue_plan
from muster.register.import_models import ImportBatch
from muster.register.models import DuplicatePair, Person
from muster.register.services import add_pairs
from tests.support.town_offers import Offered, offer_asks, offer_help
from tests.support.town_people import CheckedIn, check_somebody_in, people_asks
from tests.support.town_placement import Placed, place_people, placement_asks
from tests.support.town_reinforcement import Reinforced, reinforce, reinforcement_asks
from tests.support.town_serving import Serving, serve, serving_asks
from tests.support.town_sheets import Sheets, a_filled_list, a_photo_file, hand_out, sheet_asks
from tests.support.town_sites import site_asks, site_at
from tests.support.town_trips import Journeys, travel, trip_asks
from tests.support.world import KIND, NOON, World, make_world

AT = NOON + timedelta(minutes=30)
GRID_ROLES = ("worker", "grid_head")
AREA_ROLES = (
    "desk",
    "street",
    "district",
    "command",
    "supervisor",
    "data_protection",
    "operator",
    "resident",
    "responder",
)
ROLES = (*GRID_ROLES, *AREA_ROLES)


@dataclass
class Place:
    """One side of the town, with one of everything that stands there."""

    street: Area
    area: Area
    grid: Grid
    building: Building
    dwelling: Dwelling
    person: Person
    round: Round
    planned: Round
    post: GridPost
    device: Device
    held: uuid.UUID
    flagged: uuid.UUID
    plan: uuid.UUID
    batch: uuid.UUID
    pair: uuid.UUID
    code: str
    serving: Serving | None = None
    people: CheckedIn | None = None
    placed: Placed | None = None
    reinforced: Reinforced | None = None
    offered: Offered | None = None
    sheets: Sheets | None = None
    site: uuid.UUID | None = None
    journeys: Journeys | None = None

    @property
    def marks(self) -> set[str]:
        """What must not be read by somebody of another place."""
        rows = (self.building, self.dwelling, self.person, self.round, self.planned, self.device)
        return {
            *(str(row.id) for row in rows),
            str(self.held),
            str(self.flagged),
            str(self.plan),
            str(self.batch),
            str(self.site),
            str(self.pair),
            *(self.serving.marks if self.serving else ()),
            *(self.people.marks if self.people else ()),
            *(self.placed.marks if self.placed else ()),
            *(self.reinforced.marks if self.reinforced else ()),
            *(self.offered.marks if self.offered else ()),
            *(self.sheets.marks if self.sheets else ()),
            *(self.journeys.marks if self.journeys else ()),
        }


@dataclass
class Town:
    world: World
    here: Place
    there: Place
    callers: dict[str, dict[str, str]] = field(default_factory=dict)

    def caller(self, role: str | None, place: Place | None = None, **grant: Any) -> dict[str, str]:
        """Headers of somebody who holds this role over a place (None: no role at all)."""
        user = add_user(username=f"caller-{new_id().hex}", name="调用者")
        place = place or self.here
        if role in GRID_ROLES:
            grant_role(user, role=role, grid=place.grid.id, **{"at": NOON, **grant})
        elif role is not None:
            grant_role(
                user, role=role, area=place.street.id, area_path=place.street.path, **{"at": NOON, **grant}
            )
        return bearer(user)


def bearer(user: User) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(user, name='test', at=NOON)}", "Accept-Language": "en"}


@dataclass(frozen=True)
class Ask:
    """A request: `lists`: answers what lies in the caller's scope, whatever is asked for."""

    method: str
    path: str
    body: Any = None
    lists: bool = False
    files: Callable[[], dict[str, Any]] | None = None

    def send(self, headers: dict[str, str], *, client: Client | None = None) -> HttpResponseBase:
        client = client or Client(raise_request_exception=False)
        if self.files is not None:
            return client.post(self.path, self.files(), headers=headers)
        data = json.dumps(self.body, default=str) if self.body is not None else ""
        return client.generic(self.method, self.path, data, content_type="application/json", headers=headers)


def make_town(*, doors: int = 2, people: int = 1) -> Town:
    world = make_world(doors=doors, people=people)
    kind = save_kind(key="town", definition=KIND, incident=world.incident.id, by=None, at=NOON)
    return Town(world, *(_place(world, kind, number) for number in (0, 1)))


def _place(world: World, kind: Any, number: int) -> Place:
    grid, building = world.grids[2 * number], world.buildings[2 * number]
    dwelling = next(d for d in world.dwellings if d.building_id == building.id)
    person = next(p for p in world.persons if p.dwelling_id == dwelling.id)
    area = world.communities[number]
    campaign = start_campaign(
        incident=world.incident.id, name=f"{area.name}走访", kind=kind, area=area, by=None, at=NOON
    )
    round_ = plan_round(campaign, name=f"{area.name}第一轮", at=NOON, by=None)
    open_round(freeze_round(round_, by=None, at=NOON), by=None, at=NOON)
    planned = plan_round(campaign, name=f"{area.name}第二轮", at=NOON, by=None)
    post = appoint(
        grid, type="head", name="网格长", phone="", title="", duty="", holder=None, by=None, at=NOON
    )
    code, row = issue_enrol_code(
        grid, incident=world.incident.id, worker_name="手机", by=world.head.id, at=NOON
    )
    client = DeviceClient(web="", name="phone", http=None)  # type: ignore[arg-type]
    device, _, _ = enrol_device(code=code, public_key=_key_jwk(client.key), name="phone", grids=[grid.id],
                                sub_districts=[area.sub_district or 0], at=NOON)  # fmt: skip
    spare, _ = issue_enrol_code(grid, incident=world.incident.id, worker_name="备用", by=world.head.id, at=AT)
    astray = world.fact("entry.outcome", new_id(), sub_district=area.sub_district, outcome="done",
                        device=device.id, round=round_.id)  # fmt: skip
    # By a phone whose clock runs an hour fast.
    doubted = world.fact("contact.tried", person.id, device=device.id, round=round_.id, minutes=60,
                         received=NOON, channel="phone", reached=False)  # fmt: skip
    world.record(astray, doubted)
    plan = queue_plan(area, targets={}, measure="population", by=row.made_by, at=NOON)
    batch = ImportBatch.objects.create(kind="persons", file_name="list.csv", digest=b"", made_at=NOON,
                                       paths=[area.path], made_by=new_id())  # fmt: skip
    double = Person.objects.create(
        sub_district=grid.sub_district, grid=grid.id, dwelling=dwelling, name=person.name, birth_year=1980
    )
    add_pairs(person, [(double.id, "same_name_same_door")], at=NOON)
    pair = DuplicatePair.objects.across(reason="verify").get(sub_district=grid.sub_district)
    made = Place(world.streets[number], area, grid, building, dwelling, person, round_, planned, post, device,
                 astray.id, doubted.id, plan.id, batch.id, pair.id, spare)  # fmt: skip
    made.serving = serve(world, made)
    made.journeys = travel(world, made)
    made.people = check_somebody_in(world, made)
    made.placed = place_people(world, made)
    made.reinforced = reinforce(world, made)
    made.offered = offer_help(world, made)
    made.sheets = hand_out(world, made)
    made.site = site_at(world, made)
    return made


def lease_of(town: Town, place: Place) -> dict[str, str]:
    """A phone's own headers."""
    from muster.accounts.services import renew_lease

    _, text = renew_lease(Lease.objects.select_related("device", "actor").get(device=place.device), at=AT)
    return {"Authorization": f"Bearer {text}"}


def a_list() -> dict[str, Any]:
    raw = "姓名\n演新\n".encode()
    return {"kind": "persons", "file": SimpleUploadedFile("list.csv", raw, content_type="text/csv")}


def asks(p: Place) -> dict[str, Ask]:
    """operation id -> a request about this place."""
    api, register, round_ = "/api/v1", "/api/v1/register", f"/api/v1/rounds/{p.round.id}"
    person, grid = f"{register}/persons/{p.person.id}", f"{api}/grids/{p.grid.id}"
    enrol = {"code": p.code, "public_key": phone_key(), "name": "x"}
    kind = {"key": "town", "definition": KIND}
    apart = {"judgement": "NOT_DUPLICATE", "why": "relatives"}
    outcome = {
        "id": str(new_id()),
        "kind": "entry.outcome",
        "subject": {"sub_district": p.area.sub_district, "person": str(p.person.id)},
        "body": {"round": str(p.round.id), "outcome": "done"},
    }
    long_ago = {"occurred_at": "1970-01-01T00:00:00Z"}  # refused, so that one after another may be asked
    return {
        "areas_list": Ask("GET", f"{api}/areas", lists=True),
        "areas_read": Ask("GET", f"{api}/areas/{p.area.id}"),
        "campaigns_list": Ask("GET", f"{api}/campaigns", lists=True),
        "campaigns_start": Ask("POST", f"{api}/campaigns", {"name": "新", "kind": "town", "area": p.area.id}),
        "devices_enrol": Ask("POST", f"{api}/devices/enrol", enrol),
        "devices_list": Ask("GET", f"{api}/devices", lists=True),
        "devices_revoke": Ask("POST", f"{api}/devices/{p.device.id}/revoke"),
        "drill_control": Ask("POST", f"{api}/drill", {"action": "pause"}),
        "drill_read": Ask("GET", f"{api}/drill"),
        "duplicates_judge": Ask("POST", f"{register}/duplicates/{p.pair}/judge", apart),
        "duplicates_list": Ask("GET", f"{register}/duplicates", lists=True),
        "duplicates_one": Ask("GET", f"{register}/duplicates/{p.pair}"),
        "duplicates_undo": Ask("POST", f"{register}/duplicates/{p.pair}/undo"),
        "exports_read": Ask("GET", f"{api}/exports/persons.csv", lists=True),
        "facts_schemas": Ask("GET", f"{api}/facts"),
        "flags_correct": Ask("POST", f"{api}/flags/{p.flagged}/correct-time", long_ago),
        "flags_list": Ask("GET", f"{api}/flags/phones/{p.device.id}", lists=True),
        "flags_phones": Ask("GET", f"{api}/flags", lists=True),
        "flags_seen": Ask("POST", f"{api}/flags/seen", {"facts": [p.flagged]}, lists=True),
        "flags_unseen": Ask("POST", f"{api}/flags/unseen", {"facts": [p.flagged]}, lists=True),
        "flags_withdraw": Ask("POST", f"{api}/flags/{p.flagged}/withdraw"),
        "grids_appoint": Ask("POST", f"{grid}/posts", {"type": "head", "name": "新任"}),
        "grids_enrol": Ask("POST", f"{grid}/enrol-codes", {"worker_name": "新人"}),
        "grids_list": Ask("GET", f"{api}/grids?area={p.area.id}", lists=True),
        "grids_post_code": Ask("GET", f"{grid}/post-code"),
        "grids_read": Ask("GET", grid),
        "grids_relieve": Ask("DELETE", f"{grid}/posts/{p.post.id}"),
        "held_list": Ask("GET", f"{api}/held", lists=True),
        "held_conflict": Ask("GET", f"{api}/held/{p.held}/conflict"),
        "held_resolve": Ask("POST", f"{api}/held/{p.held}/resolve", {"action": "dismiss"}),
        "imports_commit": Ask("POST", f"{api}/imports/{p.batch}/commit"),
        "imports_list": Ask("GET", f"{api}/imports", lists=True),
        "imports_read": Ask("GET", f"{api}/imports/{p.batch}"),
        "imports_report": Ask("GET", f"{api}/imports/{p.batch}/report.xlsx"),
        "imports_template": Ask("GET", f"{api}/imports/template/persons.csv", lists=True),
        "imports_undo": Ask("POST", f"{api}/imports/{p.batch}/undo"),
        "imports_upload": Ask("POST", f"{api}/imports", files=a_list, lists=True),
        "inbox": Ask("GET", f"{api}/inbox", lists=True),
        "incidents_list": Ask("GET", f"{api}/incidents", lists=True),
        "kinds_list": Ask("GET", f"{api}/campaign-kinds", lists=True),
        "kinds_save": Ask("POST", f"{api}/campaign-kinds", kind, lists=True),
        "kinds_update": Ask("PUT", f"{api}/campaign-kinds/town", kind, lists=True),
        "live": Ask("GET", f"{api}/live/{p.round.id}.json"),
        "map_base": Ask("GET", f"{api}/map/base.geojson", lists=True),
        "map_buildings": Ask("GET", f"{api}/map/buildings.geojson?grid={p.grid.id}&round={p.round.id}"),
        "map_grids": Ask("GET", f"{api}/map/grids.geojson?area={p.area.id}", lists=True),
        "packs_current": Ask("GET", f"{api}/packs/current"),
        "plans_adopt": Ask("POST", f"{api}/plans/{p.plan}/adopt"),
        "plans_buildings": Ask("GET", f"{api}/plans/{p.plan}/buildings"),
        "plans_districting": Ask("POST", f"{api}/plans/districting", {"area": p.area.id}),
        "plans_grids": Ask("GET", f"{api}/plans/{p.plan}/grids.geojson"),
        "plans_list": Ask("GET", f"{api}/plans", lists=True),
        "plans_move": Ask("POST", f"{api}/plans/{p.plan}/move", {"building": p.building.id, "to": "S1"}),
        "plans_read": Ask("GET", f"{api}/plans/{p.plan}"),
        "register_buildings": Ask("GET", f"{register}/buildings?grid={p.grid.id}", lists=True),
        "register_disclosures": Ask("GET", f"{person}/disclosures"),
        "register_dwelling": Ask("GET", f"{register}/dwellings/{p.dwelling.id}"),
        "register_dwellings": Ask("GET", f"{register}/dwellings?building={p.building.id}", lists=True),
        "register_person": Ask("GET", person),
        "register_persons": Ask("GET", f"{register}/persons?grid={p.grid.id}", lists=True),
        "register_reveal": Ask("POST", f"{person}/reveal", {"field": "phone", "purpose": "call"}),
        "register_timeline": Ask("GET", f"{person}/timeline"),
        "rounds_buildings": Ask("GET", f"{round_}/buildings?grid={p.grid.id}"),
        "rounds_certificate": Ask("GET", f"{round_}/grids/{p.grid.id}/certificate"),
        "rounds_certify": Ask("POST", f"{round_}/grids/{p.grid.id}/certificate", {}),
        "rounds_coverage": Ask("GET", f"{round_}/coverage?grid={p.grid.id}"),
        "rounds_list": Ask("GET", f"{api}/rounds", lists=True),
        "rounds_missing": Ask("GET", f"{round_}/missing?grid={p.grid.id}"),
        "rounds_plan": Ask("POST", f"{api}/rounds", {"campaign": p.round.campaign_id, "name": "再一轮"}),
        "rounds_read": Ask("GET", round_),
        "rounds_record": Ask("POST", f"{round_}/facts", {"facts": [outcome]}),
        "rounds_stairwell": Ask("GET", f"{api}/buildings/{p.building.id}/stairwell?round={p.round.id}"),
        "rounds_step": Ask("POST", f"{round_}/start-closing"),
        "search": Ask("GET", f"{api}/search?q={p.person.name}", lists=True),
        "session_demo": Ask("POST", f"{api}/session/demo", {"role": "desk"}),
        "session_read": Ask("GET", f"{api}/session"),
        "session_sign_in": Ask("POST", f"{api}/session", {"username": "head", "password": "drill-only-1"}),
        "session_sign_out": Ask("DELETE", f"{api}/session"),
        "sync_pull": Ask("GET", "/sync/v1/pull"),
        **(_serving(p, p.serving) if p.serving else {}),
        **(_told(people_asks(p.people)) if p.people else {}),
        **(_told(placement_asks(p.placed)) if p.placed else {}),
        **(reinforcement_asks(p.reinforced) if p.reinforced else {}),
        **(offer_asks(p.offered) if p.offered else {}),
        **(_sheets(p, p.sheets) if p.sheets else {}),
        **_told(site_asks(p.site)),
        **(_journeys(p.journeys) if p.journeys else {}),
    }  # fmt: skip


def _serving(p: Place, serving: Serving) -> dict[str, Ask]:
    return _told(serving_asks(serving, dwelling=p.dwelling.id, area=p.area.id, person=p.person.id))


def _told(told: dict[str, tuple[str, str, Any, bool]]) -> dict[str, Ask]:
    return {name: Ask(method, path, body, lists=lists) for name, (method, path, body, lists) in told.items()}


def _sheets(p: Place, sheets: Sheets) -> dict[str, Ask]:
    told = sheet_asks(p, sheets)
    file = Ask("POST", f"/api/v1/rounds/{p.round.id}/sheet-returns", files=a_filled_list)
    asked = {name: Ask(method, path, body, lists=lists) for name, (method, path, body, lists) in told.items()}
    photo = Ask("POST", f"/api/v1/sheets/{sheets.roster.code}/pictures", files=a_photo_file)
    return {**asked, "sheet_returns_file": file, "sheet_pictures_add": photo}


def _journeys(journeys: Journeys) -> dict[str, Ask]:
    told = trip_asks(journeys)
    return {name: Ask(method, path, body, lists=lists) for name, (method, path, body, lists) in told.items()}


def phone_key() -> dict[str, str]:
    client = DeviceClient(web="", name="x", http=None)  # type: ignore[arg-type]
    return _key_jwk(client.key)
