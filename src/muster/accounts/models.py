# SPDX-License-Identifier: Apache-2.0
"""User, Grant, Token, EnrolCode, Device, Lease: plain control tables.

Areas, grids and incidents stand above this storey, so they appear here as plain numbers and paths.
"""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id


class User(AbstractUser):
    """Somebody who acts in Muster: at a desk, at a door, or through the API."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    name = models.CharField(max_length=80, blank=True)
    language = models.CharField(max_length=8, default="zh")

    REQUIRED_FIELDS = []

    def get_full_name(self) -> str:
        return self.name or self.username

    def get_short_name(self) -> str:
        return self.get_full_name()


class Grant(models.Model):
    """A role over an area or a grid, within one incident or in daily work, from when until when."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(max_length=32)
    area = models.BigIntegerField(null=True)
    area_path = models.CharField(max_length=200, blank=True)
    grid = models.BigIntegerField(null=True)
    incident = models.UUIDField(null=True)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)
    granted_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gt=F("valid_from")),
                name="grant_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(area__isnull=False) | Q(grid__isnull=False) | Q(area_path="/"),
                name="grant_says_where",
            ),
        ]
        indexes = [models.Index(fields=["user", "role"])]


class Token(models.Model):
    """A bearer token for the API; only its hash is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=80)
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)


class EnrolCode(models.Model):
    """A single-use code with which a worker's phone joins a grid; made by its head, good for a day."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    digest = models.BinaryField(max_length=32, unique=True)
    incident = models.UUIDField()
    grid = models.BigIntegerField()
    worker = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    made_by = models.UUIDField()
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by_device = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(used_at__isnull=True, used_by_device__isnull=True)
                | Q(used_at__isnull=False, used_by_device__isnull=False),
                name="enrolcode_used_when_and_by",
            )
        ]


class DeviceKind(models.TextChoices):
    FIELD = "FIELD"
    DESK = "DESK"
    IMPORT = "IMPORT"
    SITE = "SITE"


class Device(models.Model):
    """Something that numbers facts: a phone, or the desk of this instance.

    last_seq, facts_seen: what is here. told_seq: the last number it has given, by its own word.
    wiped_at: when a phone that was taken back asked again and was told to forget its list.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=8, choices=DeviceKind.choices)
    name = models.CharField(max_length=80, blank=True)
    incident = models.UUIDField(null=True)
    public_key = models.JSONField(null=True)
    enrolled_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.UUIDField(null=True)
    last_contact_at = models.DateTimeField(null=True)
    last_seq = models.BigIntegerField(default=0)
    facts_seen = models.BigIntegerField(default=0)
    told_seq = models.BigIntegerField(default=0)
    pulled_at = models.DateTimeField(null=True)
    wiped_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="device_revoked_when_and_by",
            )
        ]


class Lease(models.Model):
    """What a device may do and until when: one incident, one actor, some grids."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    device = models.ForeignKey(Device, on_delete=models.CASCADE, related_name="leases")
    actor = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    incident = models.UUIDField()
    grids = models.JSONField(default=list)
    sub_districts = models.JSONField(default=list)
    epoch = models.IntegerField(default=1)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["device", "-issued_at"])]
