# SPDX-License-Identifier: Apache-2.0
"""Writes of a placement plan: asked for, solved, stored, changed by hand, asked for once more."""

from __future__ import annotations

import math
import time
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Avg, Sum

from muster.base.errors import Refusal
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.incidents.services import incident_with_id, is_in_force
from muster.places.models import Area, Grid
from muster.responders.models import Responder
from muster.responders.placement.models import PlacementGrid, PlacementPlan, PlacementSeat
from muster.responders.placement.queries import seats_of
from muster.responders.placement.reading import Ground, read_ground
from muster.responders.placement.states import PLACEABLE, PlacementState
from muster.responders.plans import METRES_PER_DEGREE, WALK_PERMILLE, Placing, Seat, Wishes, figures, propose
from muster.storage.many_rows import Insert
from muster.storage.writes import chunks, pause_between_writes
from muster.trail.services import record_event

LEAST_REACH_M, MOST_REACH_M = 100, 100_000
MOST_WISHES = 5_000
_ROWS_AT_ONCE = 2_000
_SHOW_EVERY_S = 1.0


def queue_plan(
    area: Area, *, incident: Incident, by: uuid.UUID, at: datetime, reach_m: int = 3_000, seed: int = 1
) -> PlacementPlan:
    """Asks for a proposal for an area; the worker solves it.

    Raises:
        Refusal: placement_incident_over, placement_reach, placement_seed.
    """
    if not is_in_force(incident, at=at):
        raise Refusal("placement_incident_over", incident=incident.name)
    if not LEAST_REACH_M <= reach_m <= MOST_REACH_M:
        raise Refusal("placement_reach", least=LEAST_REACH_M, most=MOST_REACH_M)
    if not 0 <= seed < 2**31:
        raise Refusal("placement_seed")
    with transaction.atomic():
        plan = PlacementPlan.objects.create(
            incident=incident.id, area=area.id, area_path=area.path, made_by=by, made_at=at, reach_m=reach_m,
            seed=seed, wishes={},
        )  # fmt: skip
        record_event("PlacementPlan", plan.id, "ask", at=at, actor=by, incident=incident.id, area=area.id)
    return plan


def propose_again(plan: PlacementPlan, *, by: uuid.UUID, at: datetime) -> PlacementPlan:
    """Asks for a new proposal with the wishes of this one; who needs not move stays where this one put him.

    Raises:
        Refusal: placement_not_ready, placement_incident_over.
    """
    if plan.figures is None:
        raise Refusal("placement_not_ready", state=plan.state)
    if not is_in_force(incident_with_id(plan.incident), at=at):
        raise Refusal("placement_incident_over", incident=incident_with_id(plan.incident).name)
    with transaction.atomic():
        made = PlacementPlan.objects.create(
            incident=plan.incident, area=plan.area, area_path=plan.area_path, made_by=by, made_at=at,
            reach_m=plan.reach_m, seed=plan.seed, wishes=plan.wishes, after=plan.id,
        )  # fmt: skip
        record_event("PlacementPlan", made.id, "ask", at=at, actor=by, incident=plan.incident, area=plan.area)
    return made


def queue_left_behind() -> int:
    """Proposals whose process is gone begin anew. Called by the only worker, before it starts any."""
    return PlacementPlan.objects.filter(state=PlacementState.RUNNING).update(
        state=PlacementState.QUEUED, progress=None
    )


def fail_plan(plan: uuid.UUID, problem: str, **facts: Any) -> None:
    PlacementPlan.objects.filter(id=plan, state__in=[PlacementState.QUEUED, PlacementState.RUNNING]).update(
        state=PlacementState.FAILED, problem=problem[:240], facts=facts, progress=None
    )


def solve_plan(plan_id: uuid.UUID, *, teams: Mapping[uuid.UUID, str] | None = None) -> PlacementPlan:
    """Solves a proposal that was asked for and stores it; called in a child that may be killed."""
    plan = PlacementPlan.objects.get(id=plan_id)
    PlacementPlan.objects.filter(id=plan_id).update(
        state=PlacementState.RUNNING, progress={"stage": "read", "done": 0, "total": 1}
    )
    stay = _seats_before(plan.after) if plan.after else {}
    ground = read_ground(
        plan.area_path, incident=plan.incident, pack=pack_of(incident_with_id(plan.incident))
    )
    try:
        placing = propose(
            ground, wishes=wishes_of(plan), stay=stay, teams=teams, reach_m=plan.reach_m, seed=plan.seed,
            progress=_Shown(plan_id),
        )  # fmt: skip
    except Refusal as refusal:
        fail_plan(plan_id, refusal.code, **refusal.facts)
    else:
        store(plan, ground, placing)
    return PlacementPlan.objects.get(id=plan_id)


class _Shown:
    """Shows at most once a second how far the engine has come."""

    def __init__(self, plan: uuid.UUID) -> None:
        self.plan, self.shown = plan, 0.0

    def __call__(self, step: Any) -> None:
        if time.monotonic() - self.shown >= _SHOW_EVERY_S:
            self.shown = time.monotonic()
            PlacementPlan.objects.filter(id=self.plan).update(
                progress={"stage": "solve", "done": step.done, "total": step.total}
            )


def _seats_before(plan: uuid.UUID) -> dict[uuid.UUID, int]:
    rows = PlacementSeat.objects.across(reason="placement").filter(plan=plan, grid__isnull=False)
    return dict(rows.values_list("responder", "grid"))


def wishes_of(plan: PlacementPlan) -> Wishes:
    told = plan.wishes
    return Wishes(
        {uuid.UUID(who): (int(grid), post) for who, (grid, post) in told.get("pins", {}).items()},
        [(uuid.UUID(who), int(grid)) for who, grid in told.get("bars", [])],
        [uuid.UUID(who) for who in told.get("out", [])],
    )


def store(plan: PlacementPlan, ground: Ground, placing: Placing) -> None:
    """Writes a solved plan down; it is seen when all of it stands. What a killed one left goes first."""
    seats_of(plan).delete()
    PlacementGrid.objects.filter(plan=plan).delete()
    order = {grid: number for number, grid in enumerate(ground.grids)}
    seats = sorted(
        placing.seats,
        key=lambda s: (order.get(s.grid or -1, len(order)), s.post, s.who.id.int),
    )
    rows = [_seat_row(plan, ground, seat, number) for number, seat in enumerate(seats, start=1)]
    for row_some in chunks(rows, _ROWS_AT_ONCE):
        _write(PlacementSeat, row_some)
    for grid_some in chunks(_grid_rows(plan, ground, placing, order), _ROWS_AT_ONCE):
        _write(PlacementGrid, grid_some)
    PlacementPlan.objects.filter(id=plan.id, state=PlacementState.RUNNING).update(
        state=PlacementState.READY, digest=placing.digest, objective=placing.objective, bound=placing.bound,
        figures=figures(placing, ground.grids), proof=placing.proof, progress=None,
    )  # fmt: skip


def _write(model: Any, rows: Sequence[Any]) -> None:
    ready = Insert(model, rows)
    with transaction.atomic():
        ready.execute()
    pause_between_writes()


def _seat_row(plan: PlacementPlan, ground: Ground, seat: Seat, number: int) -> PlacementSeat:
    who = seat.who
    place = ground.grids.get(seat.grid or who.grid or who.home_grid or 0)
    return PlacementSeat(
        plan=plan.id, incident=plan.incident, sub_district=place.sub_district if place else who.sub_district,
        number=number, responder=who.id, grid=seat.grid, post=seat.post, walk_m=seat.walk_m,
        home_grid=who.home_grid, old_grid=who.grid, old_post=who.post, old_status=who.status, mark=who.mark,
        pinned=seat.pinned, reason=seat.reason,
    )  # fmt: skip


def _grid_rows(
    plan: PlacementPlan, ground: Ground, placing: Placing, order: Mapping[int, int]
) -> list[PlacementGrid]:
    lines: dict[int, dict[str, Any]] = {grid: {} for grid in ground.grids}
    for (grid, post), line in placing.lines.items():
        lines[grid][post] = [line.need, line.placed, line.held, line.reason, line.holders, line.within]
    walks: dict[int, list[int]] = {}
    for seat in placing.seats:
        if seat.grid is not None:
            walks.setdefault(seat.grid, []).append(seat.walk_m)
    today: dict[int, int] = {}
    for one in ground.people:
        if one.grid is not None:
            today[one.grid] = today.get(one.grid, 0) + 1
    for (grid, _), held in ground.held.items():
        today[grid] = today.get(grid, 0) + held
    return [
        PlacementGrid(
            plan=plan, grid=grid, number=order[grid], lines=of, today=today.get(grid, 0),
            walk_m=round(sum(walks[grid]) / len(walks[grid])) if grid in walks else 0, **_sums(of),
        )
        for grid, of in lines.items()
    ]  # fmt: skip


def _sums(lines: Mapping[str, Sequence[Any]]) -> dict[str, int]:
    return {
        "needed": sum(line[0] for line in lines.values()),
        "placed": sum(line[1] + line[2] for line in lines.values()),
        "missing": sum(max(0, line[0] - line[1] - line[2]) for line in lines.values()),
    }


# ---- changes by hand ------------------------------------------------------------------------------


def move_person(
    plan: PlacementPlan,
    responder: uuid.UUID,
    *,
    grid: int | None,
    post: str = "",
    by: uuid.UUID,
    at: datetime,
) -> PlacementSeat:
    """Puts somebody into a grid of the proposal, or into reserve; he stays there when it is proposed again.

    Raises:
        Refusal: placement_not_ready, placement_person_unknown, placement_person_left, placement_grid_unknown,
            placement_post_unknown, placement_barred, placement_wishes_full.
    """
    seat = _seat_of(plan, responder)
    person = (
        Responder.objects.across(reason="placement")
        .only("skills", "cannot", "status", "lon", "lat")
        .get(id=responder)
    )
    wishes = _copied(plan)
    if grid is None:
        wishes["out"] = sorted({*wishes["out"], str(responder)})
        wishes["pins"].pop(str(responder), None)
        return _put(plan, seat, None, "", wishes=wishes, by=by, at=at, walk_m=0)
    if not PlacementGrid.objects.filter(plan=plan, grid=grid).exists():
        raise Refusal("placement_grid_unknown", grid=grid)
    if [str(responder), grid] in wishes["bars"]:
        raise Refusal("placement_barred")
    post = _post_for(plan, person, grid, post or seat.post)
    wishes["pins"][str(responder)] = [grid, post]
    wishes["out"] = [one for one in wishes["out"] if one != str(responder)]
    walk = _walk(person, seat, grid)
    return _put(plan, seat, grid, post, wishes=wishes, by=by, at=at, walk_m=walk)


def ban_person(
    plan: PlacementPlan, responder: uuid.UUID, grid: int, *, by: uuid.UUID, at: datetime
) -> PlacementSeat:
    """Says that somebody must not serve in a grid; who is put there goes into reserve."""
    seat = _seat_of(plan, responder)
    if not PlacementGrid.objects.filter(plan=plan, grid=grid).exists():
        raise Refusal("placement_grid_unknown", grid=grid)
    wishes = _copied(plan)
    pin = wishes["pins"].get(str(responder))
    if pin is not None and pin[0] == grid:
        del wishes["pins"][str(responder)]
    if [str(responder), grid] not in wishes["bars"]:
        wishes["bars"].append([str(responder), grid])
    if seat.grid == grid:
        return _put(plan, seat, None, "", wishes=wishes, by=by, at=at, walk_m=0, reason="idle_barred")
    return _put(plan, seat, seat.grid, seat.post, wishes=wishes, by=by, at=at, walk_m=seat.walk_m)


def free_person(plan: PlacementPlan, responder: uuid.UUID, *, by: uuid.UUID, at: datetime) -> PlacementSeat:
    """Takes back what was asked for by hand for somebody; the next proposal is free to choose."""
    seat = _seat_of(plan, responder)
    wishes = _copied(plan)
    wishes["pins"].pop(str(responder), None)
    wishes["bars"] = [bar for bar in wishes["bars"] if bar[0] != str(responder)]
    wishes["out"] = [one for one in wishes["out"] if one != str(responder)]
    return _put(
        plan, seat, seat.grid, seat.post, wishes=wishes, by=by, at=at, walk_m=seat.walk_m, pinned=False
    )


def _copied(plan: PlacementPlan) -> dict[str, Any]:
    told = plan.wishes
    wishes = {
        "pins": dict(told.get("pins", {})),
        "bars": list(told.get("bars", [])),
        "out": list(told.get("out", [])),
    }
    if sum(len(part) for part in wishes.values()) >= MOST_WISHES:
        raise Refusal("placement_wishes_full", most=MOST_WISHES)
    return wishes


def _seat_of(plan: PlacementPlan, responder: uuid.UUID) -> PlacementSeat:
    if plan.state != PlacementState.READY:
        raise Refusal("placement_not_ready", state=plan.state)
    seat: PlacementSeat | None = seats_of(plan).filter(responder=responder).first()
    if seat is None:
        raise Refusal("placement_person_unknown")
    rows = Responder.objects.across(reason="placement").filter(id=responder)
    status = rows.values_list("status", flat=True).first()
    if status not in PLACEABLE:
        raise Refusal("placement_person_left", status=status or "RELEASED")
    return seat


def _post_for(plan: PlacementPlan, person: Responder, grid: int, post: str) -> str:
    """The post asked for, where he can fill it; without one, the first that the grid lacks and he can."""
    pack = pack_of(incident_with_id(plan.incident))
    ground = Ground({}, {}, Counter(), [], {line.post: line for line in pack.staffing})
    can = ground.posts_for(person.skills, person.cannot)
    if post:
        if post not in can:
            raise Refusal("placement_post_unknown", post=post[:40])
        return post
    lines = PlacementGrid.objects.get(plan=plan, grid=grid).lines
    lacking = [p for p in can if p in lines and lines[p][0] > lines[p][1] + lines[p][2]]
    if not (lacking or can):
        raise Refusal("placement_post_unknown", post="")
    return (lacking or can)[0]


def _walk(person: Responder, seat: PlacementSeat, grid: int) -> int:
    """The walk from where somebody lives, as the plan measures it."""
    places = {g.id: (g.lon, g.lat) for g in Grid.objects.filter(id__in=[grid, seat.home_grid or grid])}
    there = places.get(grid, (None, None))
    here = (
        (person.lon, person.lat) if person.lon is not None else places.get(seat.home_grid or 0, (None, None))
    )
    if None in (*here, *there):
        return 0
    lon, lat = float(here[0] or 0), float(here[1] or 0)
    east = (lon - float(there[0] or 0)) * METRES_PER_DEGREE * math.cos(math.radians(lat))
    north = (lat - float(there[1] or 0)) * METRES_PER_DEGREE
    return round(math.hypot(east, north) * WALK_PERMILLE / 1000)


def _put(
    plan: PlacementPlan, seat: PlacementSeat, grid: int | None, post: str, *, wishes: dict[str, Any],
    by: uuid.UUID, at: datetime, walk_m: int, pinned: bool | None = None, reason: str = "idle_left_out",
) -> PlacementSeat:  # fmt: skip
    """Writes seat, the accounts of both grids, the wishes and the figures; two at once: one is told."""
    with transaction.atomic():
        changed = PlacementPlan.objects.filter(
            id=plan.id, version=plan.version, state=PlacementState.READY
        ).update(version=plan.version + 1, wishes=wishes)
        if not changed:
            raise Refusal("placement_changed_meanwhile")
        moved = (grid, post) != (seat.grid, seat.post)
        if moved:
            _count(plan, seat.grid, seat.post, -1)
            _count(plan, grid, post, +1)
        old = (seat.grid, seat.post)
        seat.grid, seat.post, seat.walk_m = grid, post, walk_m
        seat.pinned = (
            (grid is not None and str(seat.responder) in wishes["pins"]) if pinned is None else pinned
        )
        seat.reason = "" if grid is not None else (reason if moved else seat.reason)
        if grid is not None and moved:
            seat.sub_district = Grid.objects.values_list("sub_district", flat=True).get(id=grid)
        seat.save(update_fields=["grid", "post", "walk_m", "pinned", "reason", "sub_district"])
        plan.version, plan.wishes = plan.version + 1, wishes
        if moved:
            _figure_anew(plan)
        record_event(
            "PlacementPlan", plan.id, "wish", at=at, actor=by, incident=plan.incident,
            responder=str(seat.responder), was=old[0], grid=grid, post=post,
        )  # fmt: skip
    return seat


def _count(plan: PlacementPlan, grid: int | None, post: str, by: int) -> None:
    if grid is None:
        return
    row = PlacementGrid.objects.get(plan=plan, grid=grid)
    line = row.lines.setdefault(post, [0, 0, 0, "", 0, 0])
    line[1] += by
    if line[1] + line[2] >= line[0]:
        line[3] = ""
    elif by < 0 and not line[3]:
        line[3] = "post_by_hand"
    for name, value in _sums(row.lines).items():
        setattr(row, name, value)
    row.save(update_fields=["lines", "needed", "placed", "missing"])


def _figure_anew(plan: PlacementPlan) -> None:
    """The figures that follow from a change by hand; the distance to the best stays that of the engine."""
    told = dict(plan.figures or {})
    sums = PlacementGrid.objects.filter(plan=plan).aggregate(n=Sum("needed"), m=Sum("missing"))
    seated = seats_of(plan).filter(grid__isnull=False)
    told["missing"] = sums["m"] or 0
    told["filled"] = (sums["n"] or 0) - told["missing"]
    told["placed"] = seated.count()
    told["walk"] = {**told.get("walk", {}), "mean": round(seated.aggregate(w=Avg("walk_m"))["w"] or 0)}
    told["by_hand"] = told.get("by_hand", 0) + 1
    plan.figures = told
    PlacementPlan.objects.filter(id=plan.id).update(figures=told)
