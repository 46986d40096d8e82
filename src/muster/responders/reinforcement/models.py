# SPDX-License-Identifier: Apache-2.0
"""ReinforcementOrder, OrderItem, OrderRoute, Deployment, DeployedPerson.

An order says how many with which skill an area needs; a deployment is what one unit sends, as an answer to an
item of an order or by itself: numbers first, names later. A deployment that names an item is its fill.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id
from muster.places.models import Area
from muster.responders.reinforcement.states import DeploymentStatus, OrderStatus
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField

MOST_PEOPLE = 10_000


class ReinforcementOrder(models.Model):
    """An area asks for people. `load` is what it was computed from when it was asked for."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    number = models.IntegerField()
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    area_path = models.CharField(max_length=200)
    sub_district = models.BigIntegerField(default=0)
    status = models.CharField(max_length=12, choices=OrderStatus.choices, default=OrderStatus.REQUESTED)
    reason = SealedField(klass="free_text")
    load = models.JSONField(default=dict)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    asked_by = models.UUIDField()
    asked_at = models.DateTimeField()
    approve_by = models.DateTimeField()
    approved_by = models.UUIDField(null=True)
    approved_at = models.DateTimeField(null=True)
    fill_by = models.DateTimeField(null=True)
    enough_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    answer = SealedField(klass="free_text")
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="reinforcement_number_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="reinforcement_ends_later"),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("asked_by")),
                name="reinforcement_two_persons",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "status"], name="reinforcement_of_incident"),
            models.Index(fields=["area_path"], name="reinforcement_of_area"),
        ]


class OrderItem(models.Model):
    """How many of which skill; an empty skill means anybody. `promised` never exceeds `most`."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(ReinforcementOrder, on_delete=models.CASCADE, related_name="items")
    skill = models.CharField(max_length=40, blank=True)
    least = models.IntegerField()
    most = models.IntegerField()
    promised = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "skill"], name="orderitem_skill_once"),
            models.CheckConstraint(
                condition=Q(least__gte=1) & Q(most__gte=F("least")) & Q(most__lte=MOST_PEOPLE),
                name="orderitem_least_to_most",
            ),
            models.CheckConstraint(
                condition=Q(promised__gte=0) & Q(promised__lte=F("most")), name="orderitem_never_overfilled"
            ),
        ]


class OrderRoute(models.Model):
    """An area that is asked whether its units can send somebody."""

    order = models.ForeignKey(ReinforcementOrder, on_delete=models.CASCADE, related_name="routes")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    declined_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["order", "area"], name="orderroute_once")]


class Deployment(models.Model):
    """What one unit sends to an area. `arrived`, `engaged` and `returned` count people, named or not.

    `code` is what the leader shows on arrival; it opens nothing but the counting desk's own page.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    item = models.ForeignKey(OrderItem, null=True, on_delete=models.CASCADE, related_name="fills")
    area = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    area_path = models.CharField(max_length=200)
    sub_district = models.BigIntegerField(default=0)
    grid = models.BigIntegerField(null=True)
    giver = models.ForeignKey(Area, on_delete=models.PROTECT, related_name="+")
    giver_path = models.CharField(max_length=200)
    unit = models.CharField(max_length=120)
    affiliation = models.CharField(max_length=40, blank=True)
    skill = models.CharField(max_length=40, blank=True)
    status = models.CharField(
        max_length=12, choices=DeploymentStatus.choices, default=DeploymentStatus.PROMISED
    )
    promised = models.IntegerField()
    arrived = models.IntegerField(default=0)
    engaged = models.IntegerField(default=0)
    returned = models.IntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    leader = SealedField(klass="personal")
    leader_phone = SealedField(klass="personal")
    code = SealedField(klass="personal")
    code_index = models.BinaryField(max_length=16, unique=True)
    made_by = models.UUIDField()
    made_at = models.DateTimeField()
    arrived_at = models.DateTimeField(null=True)
    engaged_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="deployment_ends_later"),
            models.CheckConstraint(
                condition=Q(promised__gte=1)
                & Q(arrived__gte=0)
                & Q(engaged__gte=0)
                & Q(returned__gte=0)
                & Q(engaged__lte=F("arrived"))
                & Q(returned__lte=F("arrived")),
                name="deployment_counts_fit",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "status"], name="deployment_of_incident"),
            models.Index(fields=["area_path"], name="deployment_of_area"),
        ]


class DeployedPerson(models.Model):
    """One name of a deployment's list. `responder` is his row once he has arrived."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField(default=0)
    grid = models.BigIntegerField(null=True)
    deployment = models.ForeignKey(Deployment, on_delete=models.CASCADE, related_name="people")
    name = SealedField(klass="personal")
    phone = SealedField(klass="personal")
    phone_index = models.BinaryField(max_length=16, null=True)
    skill = models.CharField(max_length=40, blank=True)
    responder = models.UUIDField(null=True)
    arrived_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["deployment", "phone_index"],
                condition=Q(phone_index__isnull=False),
                name="deployedperson_once_per_phone",
            )
        ]
        indexes = [models.Index(fields=["responder"], name="deployedperson_responder")]
