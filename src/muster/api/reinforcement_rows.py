# SPDX-License-Identifier: Apache-2.0
"""Orders and deployments as the API shows them: cards with their sums, people masked, what happened when."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from muster.accounts.models import User
from muster.accounts.policy import Row, row_for
from muster.api.auth import Caller, covers
from muster.base.errors import Refusal
from muster.places.models import Area
from muster.responders.reinforcement.models import DeployedPerson, Deployment, ReinforcementOrder
from muster.responders.reinforcement.queries import fills_of, items_of, routes_of
from muster.responders.reinforcement.rules import due_at, levels_up
from muster.responders.reinforcement.states import DeploymentStatus
from muster.trail.models import Event

COUNTS = ("promised", "arrived", "engaged", "returned")


def paths_of(who: Caller, row: Row) -> list[str]:
    """The areas over which the caller holds a role of this row."""
    return [g.area_path for g in who.grants if g.area_path and ("*" in row.roles or g.role in row.roles)]


def why_not_over(who: Caller, name: str, path: str | None) -> Refusal | None:
    """What the table has against this; path: the area it is about, None where any of his own will do."""
    try:
        row = row_for(name, who.roles)
    except Refusal:
        return Refusal("role_may_not")
    held = [g for g in who.grants if g.role in row.roles]
    return None if path is None or any(covers(g, path, None) for g in held) else Refusal("area_too_wide")


def area_json(area: Area) -> dict[str, Any]:
    return {"id": area.id, "name": area.name, "name_en": area.name_en or area.name, "level": area.level}


def order_cards(
    rows: Sequence[ReinforcementOrder], who: Caller, paths: Collection[str]
) -> list[dict[str, Any]]:
    ids = [row.id for row in rows]
    least: Counter[uuid.UUID] = Counter()
    most: Counter[uuid.UUID] = Counter()
    home: dict[uuid.UUID, uuid.UUID] = {}
    for item in items_of(ids):
        least[item.order_id] += item.least
        most[item.order_id] += item.most
        home[item.id] = item.order_id
    sums: dict[uuid.UUID, Counter[str]] = {one: Counter() for one in ids}
    for fill in fills_of(ids):
        if fill.item_id is not None and fill.status != DeploymentStatus.CANCELLED:
            sums[home[fill.item_id]].update({name: getattr(fill, name) for name in COUNTS})
    asked = {
        one.order_id for one in routes_of(ids)
        if one.declined_at is None and any(one.area.path.startswith(path) for path in paths)
    }  # fmt: skip
    names = _names_of({row.asked_by for row in rows} | {row.approved_by for row in rows})
    answer = []
    for row in rows:
        due = due_at(row.status, approve_by=row.approve_by, fill_by=row.fill_by)
        answer.append({
            "id": row.id, "number": row.number, "area": area_json(row.area), "status": row.status,
            "starts_at": row.starts_at, "ends_at": row.ends_at, "asked_at": row.asked_at,
            "asked_by": names.get(row.asked_by, ""), "approved_by": names.get(row.approved_by, ""),
            "approved_at": row.approved_at, "due_at": due, "is_late": due is not None and due < who.at,
            "levels_up": levels_up(due, status=row.status, at=who.at),
            "enough": row.enough_at is not None,
            "least": least[row.id], "most": most[row.id],
            **{name: sums[row.id][name] for name in COUNTS},
            "is_mine": any(row.area_path.startswith(path) for path in paths),
            "asks_me": row.id in asked, "version": row.version,
        })  # fmt: skip
    return answer


def _names_of(users: Collection[uuid.UUID | None]) -> dict[uuid.UUID | None, str]:
    known = {one for one in users if one is not None}
    return dict(User.objects.filter(id__in=known).values_list("id", "name"))


def deployment_cards(rows: Sequence[Deployment]) -> list[dict[str, Any]]:
    """`difference`: names on the list minus people who are here, or were promised: shown, never refused."""
    names: Counter[uuid.UUID] = Counter()
    here: Counter[uuid.UUID] = Counter()
    listed = DeployedPerson.objects.across(reason="count").filter(deployment__in=[row.id for row in rows])
    for deployment, arrived in listed.values_list("deployment_id", "arrived_at"):
        names[deployment] += 1
        here[deployment] += arrived is not None
    return [
        {
            "id": row.id, "area": area_json(row.area), "giver": area_json(row.giver), "unit": row.unit,
            "affiliation": row.affiliation, "skill": row.skill, "status": row.status,
            **{name: getattr(row, name) for name in COUNTS},
            "names": names[row.id], "names_arrived": here[row.id],
            "difference": names[row.id] - (row.arrived or row.promised) if names[row.id] else 0,
            "starts_at": row.starts_at, "ends_at": row.ends_at, "made_at": row.made_at,
            "order": row.item.order_id if row.item else None, "version": row.version,
        }
        for row in rows
    ]  # fmt: skip


def timeline_of(entity: str, entity_id: uuid.UUID) -> list[dict[str, Any]]:
    events = list(Event.objects.filter(entity=entity, entity_id=str(entity_id)).order_by("at", "id")[:500])
    names = _names_of({one.actor for one in events})
    return [
        {"at": e.at, "verb": e.verb, "by": names.get(e.actor, ""), "from": e.from_state, "to": e.to_state,
         "facts": e.facts}
        for e in events
    ]  # fmt: skip
