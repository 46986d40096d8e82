# SPDX-License-Identifier: Apache-2.0
"""Responder: somebody who serves in an incident, where he lives or where he was sent."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.responders.states import ResponderStatus
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField


class Responder(models.Model):
    """`grid` is where he serves, `home_grid` where he lives; `open_jobs` never exceeds `most_jobs`.

    Name, phone, branch and limits are sealed. `user` is the account of his phone, once he has one.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    user = models.UUIDField(null=True)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    home_grid = models.BigIntegerField(null=True)
    home_area = models.BigIntegerField(null=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    name = SealedField(klass="personal")
    phone = SealedField(klass="personal")
    phone_index = models.BinaryField(max_length=16, null=True)
    affiliation = models.CharField(max_length=40, blank=True)
    unit = models.CharField(max_length=120, blank=True)
    branch = SealedField(klass="personal")
    skills = models.JSONField(default=list)
    certificates = models.JSONField(default=list)
    languages = models.JSONField(default=list)
    free_times = models.JSONField(default=list)
    limits = SealedField(klass="free_text")
    status = models.CharField(
        max_length=12, choices=ResponderStatus.choices, default=ResponderStatus.REGISTERED
    )
    status_since = models.DateTimeField()
    version = models.IntegerField(default=1)
    checked_in_at = models.DateTimeField()
    channel = models.CharField(max_length=12, default="WEB")
    code_index = models.BinaryField(max_length=16, null=True, unique=True)
    vetted_at = models.DateTimeField(null=True)
    vetted_by = models.UUIDField(null=True)
    duty = models.TextField(blank=True)
    post = models.CharField(max_length=40, blank=True)
    open_jobs = models.SmallIntegerField(default=0)
    most_jobs = models.SmallIntegerField(default=4)
    minutes_served = models.IntegerField(default=0)
    on_duty_since = models.DateTimeField(null=True)
    expires_on = models.DateField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(open_jobs__gte=0) & Q(most_jobs__gte=0), name="responder_counts_from_zero"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["ASSIGNED", "ON_DUTY", "STANDBY"]) | Q(vetted_at__isnull=False),
                name="responder_vetted_before_serving",
            ),
            models.UniqueConstraint(
                fields=["incident", "phone_index"],
                condition=Q(phone_index__isnull=False),
                name="responder_once_per_phone",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "status"]),
            models.Index(fields=["grid", "status"]),
            models.Index(fields=["sub_district", "status"]),
            models.Index(fields=["user"]),
        ]
