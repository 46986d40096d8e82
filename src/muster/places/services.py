# SPDX-License-Identifier: Apache-2.0
"""Writes of places. Whoever changes what a phone of a grid sees bumps that grid's revision in the same
transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from muster.accounts.models import EnrolCode
from muster.accounts.services import add_user, grant_role, make_enrol_code
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.places import telling
from muster.places.models import Area, Building, CommandUnit, Dwelling, Gone, Grid, GridPost
from muster.places.states import GridLevel, PostStatus
from muster.trail.services import record_event


def add_area(*, code: str, name: str, level: str, parent: Area | None, is_partition: bool, name_en: str = "",
             kind: str = "ORDINARY", geometry: dict[str, object] | None = None) -> Area:  # fmt: skip
    """Adds a node of the tree; `is_partition` marks the level whose surrogate every personal row below
    carries.
    """
    with transaction.atomic():
        area = Area.objects.create(
            code=code,
            name=name,
            name_en=name_en,
            level=level,
            kind=kind,
            parent=parent,
            path="",
            depth=parent.depth + 1 if parent else 0,
            geometry=geometry,
        )
        area.path = f"{parent.path if parent else '/'}{area.id}/"
        area.sub_district = area.id if is_partition else (parent.sub_district if parent else None)
        area.save(update_fields=["path", "sub_district"])
    return area


def bump_revisions(grids: Collection[int]) -> dict[int, int]:
    """Raises the revision of each grid by one and answers the new ones. Only inside a transaction."""
    if not grids:
        return {}
    if not connection.in_atomic_block:
        raise RuntimeError("a revision is bumped in the transaction of the change it announces")
    marks = ",".join(["%s"] * len(grids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE places_grid SET revision = revision + 1 WHERE id IN ({marks}) RETURNING id, revision",
            sorted(grids),
        )
        return dict(cursor.fetchall())


def leave_tombstones(rows: Iterable[tuple[int, int, str, uuid.UUID]]) -> None:
    """rows: (grid, revision, type, subject): what phones of that grid must forget."""
    Gone.objects.bulk_create(Gone(grid=g, rev=r, type=t, subject=s) for g, r, t, s in rows)


def add_found_dwelling(
    *,
    id: uuid.UUID,  # noqa: A002 -- the door's own id, as the phone made it
    building: Building,
    unit: str,
    floor: int | None,
    room: str,
    address: str,
    purpose: str,
    rev: int,
) -> Dwelling:
    """A door that was on no list. A door of the same place that came from another phone is answered
    instead.
    """
    known: Dwelling | None = (
        Dwelling.objects.across(reason="fold").filter(building=building, unit=unit, room=room).first()
    )
    if known is not None:
        return known
    label = "-".join(part for part in (building.name, unit, room) if part)
    made = Dwelling(
        id=id,
        sub_district=building.sub_district,
        grid=building.grid,
        building=building,
        unit=unit,
        floor=floor,
        room=room,
        label=label[:80],
        purpose=purpose,
        address=address or None,
        listed=False,
        rev=rev,
    )
    made.save(force_insert=True)
    return made


def appoint(grid: Grid, *, type: str, name: str, phone: str, title: str, duty: str, holder: uuid.UUID | None,  # noqa: A002
            by: uuid.UUID | None, at: datetime) -> GridPost:  # fmt: skip
    """Gives somebody a post in a grid. A new head relieves the former one in the same act."""
    with transaction.atomic():
        if type == "head":
            GridPost.objects.filter(grid=grid, type="head", until__isnull=True).update(
                until=at, status=PostStatus.HANDED_OVER
            )
        post = GridPost.objects.create(
            grid=grid,
            type=type,
            title=title,
            duty=duty,
            holder=holder,
            holder_name=name,
            phone=phone,
            since=at,
        )
        bump_revisions([grid.id])
        record_event("GridPost", post.id, "appoint", at=at, actor=by, grid=grid.id, type=type)
    return post


def relieve(post: GridPost, *, by: uuid.UUID | None, at: datetime) -> None:
    """Ends a post."""
    with transaction.atomic():
        changed = GridPost.objects.filter(id=post.id, until__isnull=True).update(
            until=at, status=PostStatus.HANDED_OVER
        )
        if not changed:
            raise Refusal("post_already_ended", post=str(post.id))
        bump_revisions([post.grid_id])
        record_event("GridPost", post.id, "relieve", at=at, actor=by, grid=post.grid_id, type=post.type)
        telling.post_ended(post, at=at)


def form_command_unit(
    area: Area,
    *,
    incident: uuid.UUID,
    name: str,
    head_name: str,
    head_unit: str,
    phone: str,
    members: Sequence[dict[str, str]],
    starts_at: datetime,
    ends_at: datetime,
    by: uuid.UUID | None,
    at: datetime,
) -> CommandUnit:
    """A temporary command unit of an affected area: one head who coordinates all forces, for a time."""
    if ends_at <= starts_at:
        raise Refusal("ends_before_start", field="ends_at")
    try:
        with transaction.atomic():
            unit = CommandUnit.objects.create(
                incident=incident,
                area=area,
                name=name,
                head_name=head_name,
                head_unit=head_unit,
                phone=phone,
                members=list(members),
                starts_at=starts_at,
                ends_at=ends_at,
            )
            record_event("CommandUnit", unit.id, "form", at=at, actor=by, incident=incident, area=area.id)
    except IntegrityError as error:
        raise Refusal("command_unit_exists", name=name) from error
    return unit


def end_command_unit(unit: CommandUnit, *, by: uuid.UUID | None, at: datetime) -> None:
    """Ends a unit before its time. Raises Refusal("command_unit_over")."""
    over_at = max(at, unit.starts_at + timedelta(seconds=1))
    with transaction.atomic():
        if not CommandUnit.objects.filter(id=unit.id, ends_at__gt=at).update(ends_at=over_at):
            raise Refusal("command_unit_over")
        unit.ends_at = over_at
        record_event(
            "CommandUnit", unit.id, "end", at=at, actor=by, incident=unit.incident, area=unit.area_id
        )


def add_grid(
    *,
    code: str,
    name: str,
    area: Area,
    level: str,
    at: datetime,
    parent: Grid | None = None,
    name_en: str = "",
    lon: float | None = None,
    lat: float | None = None,
    geometry: dict[str, object] | None = None,
) -> Grid:
    """Adds a grid in force."""
    if level not in GridLevel.values:
        raise Refusal("grid_level_unknown", level=level)
    if area.sub_district is None:
        raise Refusal("area_above_partition", area=area.name)
    return Grid.objects.create(
        code=code,
        name=name,
        name_en=name_en,
        area=area,
        level=level,
        parent=parent,
        sub_district=area.sub_district,
        valid_from=at,
        lon=lon,
        lat=lat,
        geometry=geometry,
    )


def issue_enrol_code(
    grid: Grid, *, incident: uuid.UUID, worker_name: str, by: uuid.UUID, at: datetime
) -> tuple[str, EnrolCode]:
    """Makes the worker known, gives him the grid, and makes the code for his phone."""
    worker = add_user(username=f"w-{new_id().hex}", name=worker_name.strip()[:80] or grid.name)
    grant_role(worker, role="worker", grid=grid.id, incident=incident, at=at, by=by)
    return make_enrol_code(incident=incident, grid=grid.id, worker=worker, by=by, at=at)
