# SPDX-License-Identifier: Apache-2.0
"""Area, Grid, GridPost, Compound, Gate, Building, Dwelling, MapFeature.

Area levels and their words come from the pack; the code knows a tree. `sub_district` is the surrogate of the
area at the pack's partition level: every personal row carries it.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id
from muster.places.states import DwellingStatus, GridLevel, GridStatus, PostStatus
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField


class Area(models.Model):
    """A node of the administrative tree."""

    code = models.CharField(max_length=24, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    level = models.CharField(max_length=24)
    kind = models.CharField(max_length=24, default="ORDINARY")
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="children")
    path = models.CharField(max_length=200, db_index=True)
    depth = models.SmallIntegerField(default=0)
    sub_district = models.BigIntegerField(null=True)
    geometry = models.JSONField(null=True)

    def __str__(self) -> str:
        return self.name


class Grid(models.Model):
    """A division of an area: large, medium or small; the small one is where doors belong."""

    code = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    level = models.CharField(max_length=8, choices=GridLevel.choices)
    status = models.CharField(max_length=12, choices=GridStatus.choices, default=GridStatus.ACTIVE)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="parts")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    sub_district = models.BigIntegerField()
    geometry = models.JSONField(null=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    revision = models.BigIntegerField(default=0)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("valid_from")),
                name="grid_ends_after_start",
            )
        ]
        indexes = [models.Index(fields=["area", "level", "status"])]

    def __str__(self) -> str:
        return self.name


class GridPost(models.Model):
    """Fixed grid, fixed person, fixed post, fixed duty."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    grid = models.ForeignKey(Grid, on_delete=models.CASCADE, related_name="posts")
    type = models.CharField(max_length=24)
    title = models.CharField(max_length=80, blank=True)
    duty = models.TextField(blank=True)
    status = models.CharField(max_length=12, choices=PostStatus.choices, default=PostStatus.ACTIVE)
    holder = models.UUIDField(null=True)
    holder_name = models.CharField(max_length=80, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["grid"], condition=Q(type="head", until__isnull=True), name="gridpost_one_head"
            )
        ]


class CommandUnit(models.Model):
    """A temporary command unit of an area: head, members, beginning and end."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    head = models.UUIDField(null=True)
    head_name = models.CharField(max_length=80)
    head_unit = models.CharField(max_length=120, blank=True)
    phone = models.CharField(max_length=40, blank=True)
    members = models.JSONField(default=list)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="commandunit_ends_after_start"
            ),
            models.UniqueConstraint(fields=["incident", "area", "name"], name="commandunit_once"),
        ]


class Compound(models.Model):
    """A walled or named group of buildings."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    sub_district = models.BigIntegerField()
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=24, blank=True)
    geometry = models.JSONField(null=True)


class Gate(models.Model):
    """A way into a compound."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    compound = models.ForeignKey(Compound, on_delete=models.CASCADE, related_name="gates")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=12)
    lon = models.FloatField()
    lat = models.FloatField()


class Building(models.Model):
    """A house. It belongs to one small grid, whole."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    sub_district = models.BigIntegerField()
    compound = models.ForeignKey(Compound, null=True, on_delete=models.SET_NULL, related_name="+")
    grid = models.BigIntegerField(null=True)
    code = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    street = models.CharField(max_length=80, blank=True)
    kind = models.CharField(max_length=24, blank=True)
    floors = models.SmallIntegerField(default=1)
    units = models.SmallIntegerField(default=1)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    footprint = models.JSONField(null=True)
    walk_order = models.IntegerField(default=0)
    rev = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["area", "code"], name="building_code_in_area")]
        indexes = [models.Index(fields=["grid"])]

    def __str__(self) -> str:
        return self.name


class Dwelling(models.Model):
    """A door with people behind it, or an empty flat."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    building = models.ForeignKey(Building, on_delete=models.PROTECT, related_name="+")
    unit = models.CharField(max_length=12, blank=True)
    floor = models.SmallIntegerField(null=True)
    room = models.CharField(max_length=24)
    label = models.CharField(max_length=80)
    purpose = models.CharField(max_length=40, default="daily")
    address = SealedField(klass="personal")
    kind = models.CharField(max_length=24, blank=True)
    status = models.CharField(max_length=8, choices=DwellingStatus.choices, default=DwellingStatus.ACTIVE)
    listed = models.BooleanField(default=True)
    walk_order = models.IntegerField(default=0)
    rev = models.BigIntegerField(default=0)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["building", "unit", "room"], name="dwelling_once_in_building")
        ]
        indexes = [models.Index(fields=["grid", "rev"]), models.Index(fields=["sub_district"])]


class MapFeature(models.Model):
    """Something that the base map draws: a road, a river, a wall, a park."""

    area = models.ForeignKey(Area, null=True, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=16)
    klass = models.CharField(max_length=24, blank=True)
    name = models.CharField(max_length=80, blank=True)
    geometry = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["kind"])]


class Gone(models.Model):
    """A tombstone: what a phone of this grid must forget."""

    id = models.BigAutoField(primary_key=True)
    grid = models.BigIntegerField()
    rev = models.BigIntegerField()
    type = models.CharField(max_length=12)
    subject = models.UUIDField()

    class Meta:
        indexes = [models.Index(fields=["grid", "rev"])]
