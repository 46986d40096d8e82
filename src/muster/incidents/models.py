# SPDX-License-Identifier: Apache-2.0
"""Incident: the frame of all emergency work. It is declared by a body with a document, and it ends by
itself.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id


class Mode(models.TextChoices):
    ROUTINE = "ROUTINE"
    EMERGENCY = "EMERGENCY"
    RECOVERY = "RECOVERY"
    CLOSED = "CLOSED"


class Incident(models.Model):
    """An emergency, a drill, or the ordinary work of a place."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=32)
    pack = models.CharField(max_length=40)
    mode = models.CharField(max_length=12, choices=Mode.choices, default=Mode.EMERGENCY)
    area = models.BigIntegerField(null=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    is_drill = models.BooleanField(default=False)
    time_zone = models.CharField(max_length=40, default="Asia/Shanghai")
    declared_by = models.CharField(max_length=120, blank=True)
    legal_basis = models.CharField(max_length=240, blank=True)
    phone = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="incident_ends_after_start"),
            models.CheckConstraint(
                condition=~Q(mode="EMERGENCY") | Q(is_drill=True) | (~Q(declared_by="") & ~Q(legal_basis="")),
                name="incident_emergency_is_declared",
            ),
        ]

    def __str__(self) -> str:
        return self.name
