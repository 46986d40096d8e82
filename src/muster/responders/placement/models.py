# SPDX-License-Identifier: Apache-2.0
"""PlacementPlan, PlacementGrid, PlacementSeat; GridAssignment: a fixed grid, person, post and duty.

Names stay with the responder: these rows hold ids, codes and numbers only.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.responders.placement.states import AssignmentState, ByHand, PlacementState, SeatState
from muster.storage.scoping import ScopedManager


class PlacementPlan(models.Model):
    """A proposal of who serves where in an area.

    wishes: what people asked for by hand: pins (responder -> [grid, post]), bars ([responder, grid]), out
    (responders left out). proof: the prices that prove the bound. adopt_path: the part that is being adopted.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    area = models.BigIntegerField()
    area_path = models.CharField(max_length=200)
    state = models.CharField(max_length=12, choices=PlacementState.choices, default=PlacementState.QUEUED)
    version = models.IntegerField(default=1)
    seed = models.IntegerField(default=1)
    reach_m = models.IntegerField(default=3000)
    wishes = models.JSONField(default=dict)
    after = models.UUIDField(null=True)
    made_by = models.UUIDField(null=True)
    made_at = models.DateTimeField()
    progress = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    objective = models.BigIntegerField(null=True)
    bound = models.BigIntegerField(null=True)
    figures = models.JSONField(null=True)
    proof = models.BinaryField(null=True)
    problem = models.CharField(max_length=240, blank=True)
    facts = models.JSONField(default=dict)
    adopt_path = models.CharField(max_length=200, blank=True)
    adopted_at = models.DateTimeField(null=True)
    adopted_by = models.UUIDField(null=True)
    taken_back_at = models.DateTimeField(null=True)
    taken_back_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(adopted_at__isnull=True, adopted_by__isnull=True)
                | Q(adopted_at__isnull=False, adopted_by__isnull=False),
                name="placementplan_adopted_when_and_by",
            )
        ]
        indexes = [models.Index(fields=["incident", "state"], name="placementplan_state")]


class PlacementGrid(models.Model):
    """What a plan says of one small grid. lines: post -> [needed, placed, held already, reason or ""]."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.ForeignKey(PlacementPlan, on_delete=models.CASCADE, related_name="grids")
    grid = models.BigIntegerField()
    number = models.IntegerField()
    needed = models.IntegerField(default=0)
    placed = models.IntegerField(default=0)
    today = models.IntegerField(default=0)
    missing = models.IntegerField(default=0)
    walk_m = models.IntegerField(default=0)
    lines = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["plan", "grid"], name="placementgrid_once")]
        indexes = [models.Index(fields=["plan", "number"], name="placementgrid_number")]


class PlacementSeat(models.Model):
    """Where a plan puts one person (no grid: in reserve), and where that person stood when it was made.

    mark: a digest of what the plan knew of the person; another one at adoption means that it has changed.
    to_tell: no message reaches him, for the reason by_hand: somebody has to tell him, and when and who did.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    plan = models.UUIDField()
    incident = models.UUIDField()
    sub_district = models.BigIntegerField()
    number = models.IntegerField()
    responder = models.UUIDField()
    grid = models.BigIntegerField(null=True)
    post = models.CharField(max_length=40, blank=True)
    walk_m = models.IntegerField(default=0)
    home_grid = models.BigIntegerField(null=True)
    old_grid = models.BigIntegerField(null=True)
    old_post = models.CharField(max_length=40, blank=True)
    old_status = models.CharField(max_length=12)
    mark = models.BigIntegerField()
    pinned = models.BooleanField(default=False)
    state = models.CharField(max_length=12, choices=SeatState.choices, default=SeatState.PROPOSED)
    reason = models.CharField(max_length=40, blank=True)
    to_tell = models.BooleanField(default=False)
    by_hand = models.CharField(max_length=8, choices=ByHand.choices, blank=True)
    told_at = models.DateTimeField(null=True)
    told_by = models.UUIDField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "responder"], name="placementseat_once"),
            models.UniqueConstraint(fields=["plan", "number"], name="placementseat_number"),
        ]
        indexes = [
            models.Index(fields=["plan", "grid"], name="placementseat_grid"),
            models.Index(fields=["incident"], name="placementseat_incident"),
            models.Index(fields=["incident", "id"], name="placementseat_to_tell", condition=Q(to_tell=True)),
            models.Index(fields=["responder"], name="placementseat_untold", condition=Q(to_tell=True)),
            models.Index(fields=["plan"], name="placementseat_told", condition=Q(told_at__isnull=False)),
        ]


class GridAssignment(models.Model):
    """Somebody's place: fixed grid, fixed person, fixed post, fixed duty, from when until when."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField()
    responder = models.UUIDField()
    post = models.CharField(max_length=40)
    state = models.CharField(
        max_length=12, choices=AssignmentState.choices, default=AssignmentState.NOMINATED
    )
    plan = models.UUIDField(null=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)
    ended_by = models.UUIDField(null=True)
    accepted_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["responder"], condition=Q(until__isnull=True), name="gridassignment_one_at_a_time"
            )
        ]
        indexes = [
            models.Index(fields=["grid", "until"], name="gridassignment_of_grid"),
            models.Index(fields=["incident", "plan"], name="gridassignment_of_plan"),
            models.Index(fields=["responder"], name="gridassignment_of_responder"),
            models.Index(
                fields=["plan"], name="gridassignment_accepted", condition=Q(accepted_at__isnull=False)
            ),
        ]


class CalendarFeed(models.Model):
    """A secret address where a phone's calendar reads somebody's times; only its digest is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    responder = models.UUIDField(unique=True)
    secret = models.BinaryField(max_length=32, unique=True)
    made_at = models.DateTimeField()
