# SPDX-License-Identifier: Apache-2.0
"""DivisionPlan: a proposal to divide an area into grids, looked at and adopted by a person."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id


class PlanState(models.TextChoices):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"
    ADOPTED = "ADOPTED"


class DivisionPlan(models.Model):
    """proposal: see register.plans.Proposal. based_on: the grids in force when it was made."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    area = models.BigIntegerField()
    area_path = models.CharField(max_length=200)
    state = models.CharField(max_length=10, choices=PlanState.choices, default=PlanState.QUEUED)
    measure = models.CharField(max_length=12, default="population")
    targets = models.JSONField(default=dict)
    seed = models.IntegerField(default=0)
    made_by = models.UUIDField(null=True)
    made_at = models.DateTimeField()
    progress = models.JSONField(null=True)
    proposal = models.JSONField(null=True)
    based_on = models.JSONField(default=list)
    problem = models.CharField(max_length=240, blank=True)
    adopted_at = models.DateTimeField(null=True)
    adopted_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(adopted_at__isnull=True, adopted_by__isnull=True)
                | Q(adopted_at__isnull=False, adopted_by__isnull=False),
                name="divisionplan_adopted_when_and_by",
            )
        ]
        indexes = [models.Index(fields=["state", "made_at"])]
