# SPDX-License-Identifier: Apache-2.0
"""People of the drill who ask: requests at made-up doors in every state, and one relative with a code."""

from __future__ import annotations

import random
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.resources import files

import msgspec

from muster.accounts.models import User
from muster.incidents.models import Incident
from muster.packs.pack import Pack
from muster.places.models import Dwelling, Grid
from muster.requests import steps, work
from muster.requests.care import give_care_grant
from muster.requests.placing import place_of_door
from muster.requests.queries import items_of
from muster.requests.services import Asked, Taken, raise_request
from muster.responders.services import responder_for_worker
from muster.storage.scoping import Scope

EVERYWHERE = Scope(everything=True)


class _Line(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody of the drill says. ago: minutes before the start; state: how far it is by then."""

    category: str
    urgency: str
    text: str
    ago: int
    state: str = "waiting"


class _Lines(msgspec.Struct, forbid_unknown_fields=True):
    lines: list[_Line]


@dataclass(frozen=True, slots=True)
class Codes:
    """What the welcome page gives to whoever tries the resident's or the relative's door."""

    tracking: str
    care: str


def ask_in_drill(
    incident: Incident, pack: Pack, *, heads: Mapping[int, User], seed: int, at: datetime
) -> Codes:
    """Asks at doors of a few grids beside the first one, which stays quiet for who tries a phone there."""
    source = files("muster.drill") / "scenarios" / "requests" / f"{pack.key}.toml"
    lines = msgspec.toml.decode(source.read_bytes(), type=_Lines).lines
    grids = list(heads)[1:6] or list(heads)
    doors = _doors(grids, count=len(lines), seed=seed)
    codes = Codes("", "")
    for number, (line, door) in enumerate(zip(lines, doors, strict=False)):
        taken = _ask(line, door, number=number, incident=incident, pack=pack, at=at)
        head = heads.get(door.grid) if door.grid is not None else None
        if head is not None:
            _carry(line.state, taken, head, incident=incident, at=at - timedelta(minutes=line.ago - 4))
        if not codes.care:
            grant, care = give_care_grant(
                incident=incident.id, where=place_of_door(door.id, scope=EVERYWHERE), person=None,
                relative_name="演练家属", relative_phone="", through="PHONE", by=None, at=at,
            )  # fmt: skip
            taken.request.care_grant = grant.id
            taken.request.save(update_fields=["care_grant"])
            codes = Codes(taken.code, care)
    return codes


def _ask(line: _Line, door: Dwelling, *, number: int, incident: Incident, pack: Pack, at: datetime) -> Taken:
    phone = f"1610000{number:04d}" if pack.language == "zh" else f"07700 901{number:03d}"
    asked = Asked(
        category=line.category, urgency=line.urgency, text=line.text, place=door.label, phone=phone,
        language=pack.language,
    )  # fmt: skip
    return raise_request(
        asked, incident=incident.id, pack=pack, where=place_of_door(door.id, scope=EVERYWHERE),
        channel="WEB", by=None, at=at - timedelta(minutes=line.ago), expires_days=pack.retention.requests,
    )  # fmt: skip


def _carry(state: str, taken: Taken, head: User, *, incident: Incident, at: datetime) -> None:
    """Brings a request as far as its line says, by the hand of the grid's head."""
    if state == "waiting":
        return
    request = taken.request
    assert request.grid is not None
    one = responder_for_worker(
        incident=incident.id, user=head.id, name=head.name, sub_district=request.sub_district,
        grid=request.grid, at=at,
    )  # fmt: skip
    item: uuid.UUID = items_of([request.id])[0].id
    work.accept(item, responder=one.id, at=at, by=head.id)
    if state == "accepted":
        return
    work.arrive(item, responder=one.id, at=at + timedelta(minutes=6), by=head.id)
    if state == "on_site":
        return
    work.finish(item, responder=one.id, outcome="SOLVED", at=at + timedelta(minutes=15), by=head.id)
    if state == "solved":
        steps.answer_solved(
            request.id, result="SOLVED", by=None, by_resident=True, at=at + timedelta(minutes=20)
        )


def _doors(grids: Sequence[int], *, count: int, seed: int) -> list[Dwelling]:
    """Doors drawn from the grids in turn, none twice."""
    chance = random.Random(seed)
    pools = []
    for grid in Grid.objects.filter(id__in=grids).order_by("code"):
        rows = Dwelling.objects.across(reason="requests").filter(grid=grid.id).order_by("id")
        found = list(rows[:400])
        chance.shuffle(found)
        pools.append(found)
    drawn = [pool[turn] for turn in range(count) for pool in pools if turn < len(pool)]
    return drawn[:count]
