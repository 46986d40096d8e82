# SPDX-License-Identifier: Apache-2.0
"""Responder: somebody who serves in an incident, where he lives or where he was sent.

Standing: in which status he stood, from when until when. SecondCheckIn: a check-in with a known phone.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id
from muster.responders.placement import models as placement  # noqa: F401 -- its tables are ours
from muster.responders.reinforcement import models as reinforcement  # noqa: F401 -- its tables are ours
from muster.responders.states import ResponderStatus
from muster.responders.teams import models as teams  # noqa: F401 -- its tables are ours
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField


class Responder(models.Model):
    """`grid` is where he serves, `home_grid` where he lives; `open_jobs` never exceeds `most_jobs`.

    `cannot` are codes of what he cannot do, never why: a plan must read them. Name, phone, branch, limits and
    the address as written are sealed. `user` is the account of his phone, once he has one.
    `affiliation` is the first of `affiliations`; they overlap and are never summed.
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
    home_text = SealedField(klass="free_text")
    birth_year = models.SmallIntegerField(null=True)
    affiliation = models.CharField(max_length=40, blank=True)
    affiliations = models.JSONField(default=list)
    external_id = models.CharField(max_length=60, blank=True)
    unit = models.CharField(max_length=120, blank=True)
    branch = SealedField(klass="personal")
    skills = models.JSONField(default=list)
    certificates = models.JSONField(default=list)
    languages = models.JSONField(default=list)
    free_times = models.JSONField(default=list)
    cannot = models.JSONField(default=list)
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
    away_until = models.DateField(null=True)
    declined_reason = models.CharField(max_length=20, blank=True)
    is_suspect = models.BooleanField(default=False)

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
            models.UniqueConstraint(
                fields=["incident", "external_id"],
                condition=~Q(external_id=""),
                name="responder_once_per_external_id",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "status"]),
            models.Index(fields=["grid", "status"]),
            models.Index(fields=["sub_district", "status"]),
            models.Index(fields=["user"]),
            models.Index(fields=["home_grid", "status"], name="responder_of_home"),
        ]


class Standing(models.Model):
    """Where and in which status somebody stood, from when until when: head counts of any moment.

    `grid` is where he served, or where he lives while he has no place; `area` is the area of that grid, or
    the one that he named. `affiliations` are the codes in order, with commas between.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    responder = models.UUIDField()
    incident = models.UUIDField()
    sub_district = models.BigIntegerField()
    area = models.BigIntegerField(null=True)
    grid = models.BigIntegerField(null=True)
    affiliations = models.CharField(max_length=2000, blank=True)
    status = models.CharField(max_length=12, choices=ResponderStatus.choices)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(until__isnull=True) | Q(until__gte=F("since")), name="standing_ends_after_start"
            ),
            models.UniqueConstraint(
                fields=["responder"], condition=Q(until__isnull=True), name="standing_one_at_a_time"
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "since"], name="standing_as_of"),
            models.Index(fields=["responder", "since"], name="standing_of_responder"),
        ]


class SecondCheckIn(models.Model):
    """A check-in with a phone number that somebody else gave before, or the same person without his code.

    It changes nothing until a desk has compared the two; who sent it sees the same page as everybody.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    responder = models.ForeignKey(Responder, on_delete=models.CASCADE, related_name="seconds")
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    code_index = models.BinaryField(max_length=16, unique=True)
    told = SealedField(klass="free_text")
    at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    taken_over = models.BooleanField(null=True)

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["responder", "decided_at"], name="second_of_responder")]
