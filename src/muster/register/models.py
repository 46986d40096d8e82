# SPDX-License-Identifier: Apache-2.0
"""Household, Person, Need, DuplicatePair: the standing register and what an incident lays over it.

`purpose` is "daily" for the standing register or the incident's id for rows that die with the incident.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.places.models import Dwelling
from muster.register.import_models import ImportBatch, ImportChunk, ImportRow
from muster.register.plan_models import DivisionPlan
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField

__all__ = [
    "DivisionPlan",
    "DuplicatePair",
    "Household",
    "ImportBatch",
    "ImportChunk",
    "ImportRow",
    "Need",
    "PairState",
    "Person",
]


class Household(models.Model):
    """People who live behind one door and keep house together."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    dwelling = models.ForeignKey(Dwelling, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=16, default="family")
    label = models.CharField(max_length=80, blank=True)
    purpose = models.CharField(max_length=40, default="daily")
    listed = models.BooleanField(default=True)
    left_at = models.DateTimeField(null=True)
    rev = models.BigIntegerField(default=0)

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["grid", "rev"]), models.Index(fields=["sub_district"])]


class Person(models.Model):
    """Somebody of the register."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    dwelling = models.ForeignKey(Dwelling, on_delete=models.PROTECT, related_name="+")
    household = models.ForeignKey(Household, null=True, on_delete=models.SET_NULL, related_name="+")
    purpose = models.CharField(max_length=40, default="daily")
    name = SealedField(klass="personal")
    phone = SealedField(klass="personal")
    id_number = SealedField(klass="identity")
    note = SealedField(klass="free_text")
    phone_index = models.BinaryField(max_length=16, null=True)
    id_number_index = models.BinaryField(max_length=16, null=True)
    birth_date = models.DateField(null=True)
    birth_year = models.SmallIntegerField(null=True)
    sex = models.CharField(max_length=1, blank=True)
    languages = models.JSONField(default=list)
    registered_here = models.BooleanField(default=True)
    lives_here = models.BooleanField(default=True)
    listed = models.BooleanField(default=True)
    source = models.CharField(max_length=24, blank=True)
    left_at = models.DateTimeField(null=True)
    # Somebody judged that this record and another are one person: the one that lives on.
    merged_into = models.UUIDField(null=True)
    version = models.IntegerField(default=1)
    rev = models.BigIntegerField(default=0)
    expires_on = models.DateField(null=True)

    objects = ScopedManager()

    class Meta:
        indexes = [
            models.Index(fields=["grid", "rev"]),
            models.Index(fields=["sub_district"]),
            models.Index(fields=["dwelling"]),
            models.Index(fields=["phone_index"], name="person_phone", condition=Q(phone_index__isnull=False)),
            models.Index(
                fields=["id_number_index"],
                name="person_id_number",
                condition=Q(id_number_index__isnull=False),
            ),
        ]


class Need(models.Model):
    """What somebody needs help with; the door sees only the service that follows from it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32)
    severity = models.SmallIntegerField(default=1)
    purpose = models.CharField(max_length=40, default="daily")
    note = SealedField(klass="free_text")
    status = models.CharField(max_length=12, default="IDENTIFIED")
    seen_at = models.DateTimeField(null=True)
    verified_on = models.DateField(null=True)
    ended_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "kind"], condition=Q(ended_at__isnull=True), name="need_once_open"
            )
        ]
        indexes = [models.Index(fields=["grid", "kind"])]


class PairState(models.TextChoices):
    """CARRIED: one of the two was merged in another pair; the question goes on with the survivor."""

    OPEN = "OPEN"
    MERGED = "MERGED"
    NOT_DUPLICATE = "NOT_DUPLICATE"
    CARRIED = "CARRIED"


class DuplicatePair(models.Model):
    """Two persons that may be one; shown to somebody, never merged silently.

    why: how the judge knows, a code. survivor: who lives on, once merged. carried: what came along with the
    other, as ids and names of fields, so that a judgement can be taken back exactly.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    first = models.UUIDField()
    second = models.UUIDField()
    reason = models.CharField(max_length=24)
    status = models.CharField(max_length=16, choices=PairState.choices, default=PairState.OPEN)
    found_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.UUIDField(null=True)
    why = models.CharField(max_length=24, blank=True)
    survivor = models.UUIDField(null=True)
    carried = models.JSONField(default=dict)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="duplicatepair_once"),
            models.CheckConstraint(
                condition=Q(decided_at__isnull=True, decided_by__isnull=True)
                | Q(decided_at__isnull=False, decided_by__isnull=False),
                name="duplicatepair_decided_when_and_by",
            ),
        ]
        indexes = [
            models.Index(fields=["status", "id"], name="duplicatepair_by_state"),
            models.Index(fields=["second"], name="duplicatepair_second"),
        ]
