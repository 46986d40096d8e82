# SPDX-License-Identifier: Apache-2.0
"""What somebody who was placed is told: where, with whom, for what; the same on page, phone and paper."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from muster.base.messages import text
from muster.incidents.models import Incident
from muster.packs import Pack
from muster.places.models import Building, Grid, GridPost
from muster.responders.models import Responder
from muster.responders.placement.models import GridAssignment
from muster.responders.placement.queries import open_assignments, people_at
from muster.responders.placement.states import AssignmentState
from muster.responders.placement.told import no_longer_to_tell
from muster.responders.teams.models import TeamMember, TeamPlace
from muster.trail.services import record_event

MOST_MATES = 30


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody's place in words of one language. mates: first names only; teams: with what he holds there."""

    grid: str
    area: str
    post: str
    duty: str
    meet: str
    head: str
    head_phone: str
    mates: tuple[str, ...]
    teams: tuple[str, ...]
    since: datetime
    accepted: bool

    def lines(self, lang: str) -> list[str]:
        """The duty as a person reads it, line by line."""
        # Many grids bear the name of their area already.
        named = self.grid.startswith(self.area)
        place = self.grid if named else ("" if lang == "zh" else ", ").join((self.area, self.grid))
        told = [text("duty_where", lang, place=place, post=self.post)]
        if self.meet:
            told.append(text("duty_meet", lang, place=self.meet))
        if self.head:
            told.append(text("duty_head", lang, name=self.head, phone=self.head_phone))
        if self.mates:
            told.append(text("duty_mates", lang, names=("、" if lang == "zh" else ", ").join(self.mates)))
        told += [text("duty_team", lang, team=team) for team in self.teams]
        return [*told, *filter(None, [self.duty])]


def duty_of(person: Responder, *, pack: Pack, incident: Incident, lang: str) -> Duty | None:
    """Where somebody serves, with whom, for what; None while he has no place."""
    return duties_of([person], pack=pack, incident=incident, lang=lang).get(person.id)


def duties_of(
    people: Sequence[Responder], *, pack: Pack, incident: Incident, lang: str
) -> dict[uuid.UUID, Duty]:
    """The duties of many, in a fixed number of statements."""
    places = open_assignments([one.id for one in people])
    grids = {
        g.id: g for g in Grid.objects.filter(id__in={p.grid for p in places.values()}).select_related("area")
    }
    heads = heads_of(grids)
    meets = meeting_places(grids)
    mates = people_at(grids)
    names = _first_names({a.responder for some in mates.values() for a in some})
    teams = _teams([one.id for one in people], pack=pack, lang=lang)
    told = {}
    for one in people:
        place = places.get(one.id)
        if place is None or place.grid not in grids:
            continue
        grid, head = grids[place.grid], heads.get(place.grid)
        others = [names[a.responder] for a in mates.get(grid.id, []) if a.responder != one.id]
        told[one.id] = Duty(
            grid=_called(grid, lang), area=_called(grid.area, lang), post=_post(place.post, pack, lang)[0],
            duty=one.duty or _post(place.post, pack, lang)[1], meet=meets.get(grid.id, ""),
            head=head.holder_name if head else "", head_phone=(head.phone if head else "") or incident.phone,
            mates=tuple(filter(None, others))[:MOST_MATES], teams=tuple(teams.get(one.id, ())),
            since=place.since, accepted=place.state == AssignmentState.ACCEPTED,
        )  # fmt: skip
    return told


def accept(person: Responder, *, at: datetime) -> bool:
    """He has read it and will come. Answers whether it was new."""
    with transaction.atomic():
        changed = (
            GridAssignment.objects.across(reason="own")
            .filter(responder=person.id, until__isnull=True, state=AssignmentState.NOMINATED)
            .update(state=AssignmentState.ACCEPTED, accepted_at=at)
        )
        if changed:
            record_event(
                "Responder", person.id, "accept_place", at=at, actor=person.user, incident=person.incident,
                grid=person.grid,
            )  # fmt: skip
            no_longer_to_tell([person.id])
    return bool(changed)


def first_name(name: str) -> str:
    """小明 of 王小明, Anna of Anna Brown: what people who serve together call each other."""
    if " " in name:
        return name.split(maxsplit=1)[0]
    if name.isascii() or len(name) < 2:
        return name
    return name[2:] if len(name) > 3 else name[1:]


def _called(place: Any, lang: str) -> str:
    return str(place.name_en if lang == "en" and place.name_en else place.name)


def _post(post: str, pack: Pack, lang: str) -> tuple[str, str]:
    known = next((one for one in pack.posts if one.type == post), None)
    if known is None:
        return post, ""
    return (known.name.zh, known.duty.zh) if lang == "zh" else (known.name.en, known.duty.en)


def heads_of(grids: Collection[int]) -> dict[int, GridPost]:
    rows = GridPost.objects.filter(grid__in=list(grids), type="head", until__isnull=True)
    return {post.grid_id: post for post in rows}


def meeting_places(grids: Collection[int]) -> dict[int, str]:
    """Where a grid meets: at its first house in walking order."""
    found: dict[int, str] = {}
    rows = Building.objects.filter(grid__in=list(grids)).order_by("grid", "walk_order", "code")
    for grid, name, street in rows.values_list("grid", "name", "street"):
        if grid is not None:
            found.setdefault(grid, f"{street}{name}" if street and street not in name else name)
    return found


def _first_names(ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    rows = Responder.objects.across(reason="placement").filter(id__in=ids)
    found = rows.only("id", "sub_district", "purpose", "name")
    return {row.id: first_name(row.name or "") for row in found}


def _teams(people: Collection[uuid.UUID], *, pack: Pack, lang: str) -> dict[uuid.UUID, list[str]]:
    """Team names with the post or zone that somebody holds there: 东街突击队（先锋岗：东门）."""
    words = {one.code: one.name.zh if lang == "zh" else one.name.en for one in pack.team_posts}
    held: dict[tuple[uuid.UUID, uuid.UUID | None], list[str]] = {}
    for place in TeamPlace.objects.filter(holder__in=people, until__isnull=True):
        held.setdefault((place.team_id, place.holder), []).append(
            f"{words.get(place.code, place.code)} {place.place}"
        )
    rows = TeamMember.objects.filter(responder__in=people, until__isnull=True, team__ends_at__isnull=True)
    told: dict[uuid.UUID, list[str]] = {}
    for member in rows.select_related("team").order_by("since"):
        name = _called(member.team, lang)
        what = ", ".join(held.get((member.team_id, member.responder), []))
        told.setdefault(member.responder, []).append(f"{name} · {what}" if what else name)
    return told
