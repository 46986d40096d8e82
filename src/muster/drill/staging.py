# SPDX-License-Identifier: Apache-2.0
"""Staging a drill: incident, city, grids with heads, a frozen and opened round, users, codes."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import msgspec
from django.conf import settings

from muster.accounts.models import User
from muster.accounts.services import add_user, grant_role, make_token
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.campaigns.models import Round
from muster.campaigns.services import freeze_round, open_round, plan_round, save_kind, start_campaign
from muster.drill.asking import ask_in_drill
from muster.drill.city import Day, generate, load_day
from muster.drill.city.model import City
from muster.drill.load import load_city
from muster.flows.regrid import Division, NewGrid, adopt_division
from muster.incidents.models import Incident
from muster.incidents.services import declare_incident
from muster.packs import Pack, load
from muster.places.models import Area, Grid
from muster.places.services import appoint, form_command_unit, issue_enrol_code
from muster.register.plans import Proposal, propose_division

PLANS = {
    "epidemic-zh": ("摸底登记", "第一轮", "青槐区疫情处置演练"),
    "flood": ("Door round", "Round 1", "Flood drill"),
}
HEADS_ZH = [
    "陈静",
    "李向东",
    "周敏",
    "王海燕",
    "赵国强",
    "刘芳",
    "孙立",
    "吴桂英",
    "郑涛",
    "冯雪",
    "蒋伟",
    "韩梅",
    "杨帆",
    "朱红",
    "秦岭",
    "许诺",
    "何平",
    "吕梁",
    "施展",
    "张岚",
]
HEADS_EN = [
    "Nia Ferris",
    "Tom Alder",
    "Priya Marsh",
    "Owen Reed",
    "Lena Brook",
    "Sam Weir",
    "Ada Poole",
    "Idris Ford",
    "Mia Lock",
    "Ben Mills",
]

MARKER = "half-made"
OWN_FOLDERS = ("drill", "journal", "live", "blobs")


@dataclass(frozen=True, slots=True)
class Staging:
    scenario: str
    people: int
    seed: int
    roads: Path | None = None
    townships: Path | None = None
    speed: int = 60


def demo_path() -> Path:
    return Path(settings.ENVIRONMENT.data) / "demo.json"


def is_staged() -> bool:
    return demo_path().exists()


def city_from(staging: Mapping[str, Any]) -> City:
    """The same city again from what was written down of it."""
    from muster.drill.city import read_roads, read_township_names

    roads = read_roads(Path(staging["roads"])) if staging.get("roads") else None
    names = read_township_names(Path(staging["townships"])) if staging.get("townships") else None
    return generate(
        staging["scenario"], people=staging["people"], seed=staging["seed"], roads=roads, township_names=names
    )


def city_of(demo: Mapping[str, Any]) -> City:
    return city_from(demo["city"])


def day_of(demo: Mapping[str, Any]) -> Day:
    return load_day(demo["city"]["scenario"])


class Progress(Protocol):
    """What a staging tells while it works."""

    def step(self, what: str, /, **facts: object) -> None: ...

    def count(self, done: int, total: int) -> None: ...


def clear_half_made(data: Path) -> bool:
    """Removes what an interrupted staging left, before the first connection; answers whether there was any.

    Only a folder that a staging marked as its own is touched, and never one with a whole demo in it.
    """
    marker = data / "drill" / MARKER
    if (data / "demo.json").exists() or not marker.exists():
        return False
    if not settings.ENVIRONMENT.database_url.startswith("sqlite"):
        raise Refusal("drill.half_made")
    for database in data.glob("muster.sqlite3*"):
        database.unlink()
    for folder in OWN_FOLDERS:
        shutil.rmtree(data / folder, ignore_errors=True)
    return True


def _mark_as_own(data: Path) -> None:
    """Raises Refusal("drill.folder_in_use") where a house is kept that is no drill."""
    if Area.objects.exists() or Incident.objects.exists():
        raise Refusal("drill.folder_in_use", folder=str(data))
    (data / "drill").mkdir(parents=True, exist_ok=True)
    (data / "drill" / MARKER).touch()


def stage(staging: Staging, *, progress: Progress) -> None:
    """Makes everything a demo needs; demo.json comes last: half a staging is never taken for a whole one."""
    at = now()
    pack = load(staging.scenario, data_dir=settings.ENVIRONMENT.data)
    data = Path(settings.ENVIRONMENT.data)
    city_told = {
        "scenario": staging.scenario,
        "people": staging.people,
        "seed": staging.seed,
        "roads": str(staging.roads.resolve()) if staging.roads else None,
        "townships": str(staging.townships.resolve()) if staging.townships else None,
    }
    progress.step("city")
    city = city_from(city_told)
    _mark_as_own(data)
    progress.step("list", people=f"{len(city.listed.persons):,}")
    root = load_city(city, pack=pack, at=at, progress=lambda _, done, total: progress.count(done, total))
    incident = _incident(staging, pack, root, at)
    progress.step("grids")
    proposal = propose_division(root, seed=staging.seed)
    adopt_division(root, division_of(proposal), by=None, at=at)
    heads = _heads(root, pack, at)
    progress.step("roster")
    round_ = _round(incident, pack, root, staging.scenario, at=at, progress=progress)
    users = _users(root, incident, at)
    codes = ask_in_drill(incident, pack, heads=heads, seed=staging.seed, at=at)
    demo = _demo(staging, city_told, incident=incident, round_=round_, users=users, heads=heads, at=at)
    demo |= {"tracking_code": codes.tracking, "care_code": codes.care}
    _write_demo(demo)
    (data / "drill" / MARKER).unlink(missing_ok=True)


def _incident(staging: Staging, pack: Pack, root: Area, at: datetime) -> Incident:
    zone = "Asia/Shanghai" if pack.language == "zh" else "Europe/London"
    return declare_incident(
        name=PLANS[staging.scenario][2],
        kind=pack.kind,
        pack=pack.key,
        area=root.id,
        starts_at=at - timedelta(hours=1),
        ends_at=at + timedelta(days=30),
        is_drill=True,
        time_zone=zone,
        phone="028-0000 0000" if pack.language == "zh" else "01632 960 000",
        by=None,
        at=at,
    )


def division_of(proposal: Proposal) -> Division:
    """A proposal as the re-grid flow takes it."""
    grids = [
        NewGrid(g.key, g.level, g.parent, g.name, g.name_en, g.geometry, g.lon, g.lat) for g in proposal.grids
    ]
    return Division(grids, proposal.small_of, proposal.walk)


def _heads(root: Area, pack: Pack, at: datetime) -> dict[int, User]:
    """A head with a duty for every small grid but one: the vacancy is seen in the inbox."""
    names = HEADS_ZH if pack.language == "zh" else HEADS_EN
    post = next(p for p in pack.posts if p.type == "head")
    title, duty = (post.name.zh, post.duty.zh) if pack.language == "zh" else (post.name.en, post.duty.en)
    heads: dict[int, User] = {}
    grids = list(
        Grid.objects.filter(area__path__startswith=root.path, level="SMALL", status="ACTIVE")
        .select_related("area")
        .order_by("code")
    )
    for number, grid in enumerate(grids):
        if number == len(grids) - 1 and len(grids) > 3:
            continue
        name = names[number % len(names)]
        user = add_user(username=f"head{number + 1}", name=name)
        grant_role(user, role="grid_head", grid=grid.id, at=at)
        phone = f"1600000{number:04d}" if pack.language == "zh" else f"07700 900{number % 1000:03d}"
        appoint(
            grid, type="head", name=name, phone=phone, title=title, duty=duty, holder=user.id, by=None, at=at
        )
        heads[grid.id] = user
    return heads


def _password() -> str:
    return secrets.token_urlsafe(6)


def _round(
    incident: Incident, pack: Pack, root: Area, scenario: str, *, at: datetime, progress: Progress
) -> Round:
    key = load_day(scenario).campaign_kind
    kind = save_kind(key=key, definition=pack.campaign_kind_json(key), incident=incident.id, by=None, at=at)
    campaign_name, round_name, _ = PLANS[scenario]
    campaign = start_campaign(incident=incident.id, name=campaign_name, kind=kind, area=root, by=None, at=at)
    round_ = plan_round(
        campaign, name=round_name, at=at, by=None, opens_at=at, closes_at=at + timedelta(hours=12)
    )
    return open_round(freeze_round(round_, by=None, at=at, progress=progress.count), by=None, at=at)


def _users(root: Area, incident: Incident, at: datetime) -> dict[str, tuple[User, str]]:
    """One login per role, with a token each."""
    community = Area.objects.filter(path__startswith=root.path).order_by("-depth", "code").first()
    street = community.parent if community is not None and community.parent is not None else root
    assert community is not None
    places = {
        "command": (None, "/"),
        "street": (street.id, street.path),
        "desk": (community.id, community.path),
    }
    english = incident.time_zone == "Europe/London"
    names = (
        {"command": "Town command", "street": "Ward office", "desk": "Block desk"}
        if english
        else {"command": "市指挥部", "street": f"{street.name}办", "desk": f"{community.name}工作台"}
    )
    users: dict[str, tuple[User, str]] = {}
    for role, (area, path) in places.items():
        password = _password()
        user = add_user(
            username=role, name=names[role], password=password, language="en" if english else "zh"
        )
        grant_role(user, role=role, area=area, area_path=path, at=at)
        users[role] = (user, password)
    unit = form_command_unit(
        street,
        incident=incident.id,
        name="Temporary command unit" if english else f"{street.name}临时指挥组",
        head_name="Rowan Vale" if english else "高远",
        head_unit="County council" if english else "区政府办公室",
        phone="",
        members=[],
        starts_at=at,
        ends_at=at + timedelta(days=30),
        by=None,
        at=at,
    )
    assert unit.head_name
    return users


def _demo(
    staging: Staging,
    city: dict[str, Any],
    *,
    incident: Incident,
    round_: Round,
    users: dict[str, tuple[User, str]],
    heads: dict[int, User],
    at: datetime,
) -> dict[str, Any]:
    environment = settings.ENVIRONMENT
    first_grid, first_head = next(iter(heads.items()))
    head_password = _password()
    first_head.set_password(head_password)
    first_head.save(update_fields=["password"])
    logins: dict[str, dict[str, Any]] = {
        role: {
            "username": user.username,
            "password": password,
            "token": make_token(user, name=f"demo {role}", at=at),
        }
        for role, (user, password) in users.items()
    }
    logins["grid_head"] = {
        "username": first_head.username,
        "password": head_password,
        "grid": first_grid,
        "token": make_token(first_head, name="demo grid_head", at=at),
    }
    grids = {g.id: g for g in Grid.objects.filter(id__in=list(heads)).select_related("area")}
    english = incident.time_zone == "Europe/London"
    visitor_name = "Visitor" if english else "访客"
    visitor, _ = issue_enrol_code(
        grids[first_grid], incident=incident.id, worker_name=visitor_name, by=first_head.id, at=at
    )
    tokens = [
        {"grid": g, "name": grids[g].name, "token": make_token(head, name="demo head", at=at)}
        for g, head in heads.items()
    ]
    spare, _ = issue_enrol_code(
        grids[first_grid], incident=incident.id, worker_name="spare", by=first_head.id, at=at
    )
    return {
        "v": 1,
        "web": environment.web_origin,
        "intake": environment.intake_origin,
        "logins": logins,
        "heads": tokens,
        "incident": str(incident.id),
        "rounds": [str(round_.id)],
        "round": str(round_.id),
        "campaign": str(round_.campaign_id),
        "worker_code": visitor,
        "worker_url": f"{environment.web_origin}/field/?code={visitor}",
        "enrol_codes": [visitor, spare],
        "grids": sorted(heads),
        "city": city,
        "seed": staging.seed,
        "speed": staging.speed,
        "visitor": visitor_name,
        "language": "en" if english else "zh",
        "tls_authority": os.environ.get("MUSTER_TLS_AUTHORITY"),
    }


def refresh_addresses(*, speed: int | None = None) -> dict[str, Any]:
    """demo.json with the addresses of this run: ports and certificates may have changed."""
    demo: dict[str, Any] = msgspec.json.decode(demo_path().read_bytes())
    environment = settings.ENVIRONMENT
    demo |= {
        "web": environment.web_origin,
        "intake": environment.intake_origin,
        "worker_url": f"{environment.web_origin}/field/?code={demo['worker_code']}",
        "tls_authority": os.environ.get("MUSTER_TLS_AUTHORITY"),
    }
    if speed is not None:
        demo["speed"] = speed
    _write_demo(demo)
    return demo


def _write_demo(demo: dict[str, Any]) -> None:
    path = demo_path()
    handle = os.open(path.with_suffix(".new"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(demo), indent=1))
    path.with_suffix(".new").replace(path)
