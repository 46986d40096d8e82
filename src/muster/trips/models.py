# SPDX-License-Identifier: Apache-2.0
"""Trip, TripHop, HospitalAsked, TripSeries.

A trip takes somebody to care and back; each hop has a clock of its own. Who, from where, to where and why are
sealed. A series is care that comes again: it books its next trip by itself.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField
from muster.trips.states import Answer, Hop, SkipReason, Transport, TripStatus, Urgency


class TripSeries(models.Model):
    """Care that comes again: every so many days or on days of the week, until a day or until it is stopped.

    need: the need in the register that it serves. request: what was asked for, where it began with that.
    weekdays: 1 Monday to 7 Sunday; then every_days says nothing. until: the last day. closed_days: days on
    which the hospital is closed; skipped_days: on which somebody does not go.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    dwelling = models.UUIDField(null=True)
    person = models.UUIDField(null=True)
    need = models.UUIDField(null=True)
    request = models.UUIDField(null=True)
    kind = models.CharField(max_length=40)
    who = SealedField(klass="personal")
    phone = SealedField(klass="personal")
    pick_up = SealedField(klass="free_text")
    to_place = SealedField(klass="free_text")
    transport = models.CharField(max_length=10, choices=Transport.choices, default=Transport.VEHICLE)
    every_days = models.SmallIntegerField()
    weekdays = models.JSONField(default=list)
    until = models.DateField(null=True)
    time_of_day = models.TimeField()
    lead_hours = models.SmallIntegerField(default=48)
    travel_minutes = models.SmallIntegerField(default=40)
    stay_minutes = models.SmallIntegerField(default=240)
    services = models.JSONField(default=list)
    closed_days = models.JSONField(default=list)
    skipped_days = models.JSONField(default=list)
    next_on = models.DateField()
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    stopped_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "need"],
                condition=Q(stopped_at__isnull=True, need__isnull=False),
                name="series_once_for_a_need",
            ),
            models.CheckConstraint(condition=Q(every_days__gte=1), name="series_comes_again"),
        ]
        indexes = [
            models.Index(fields=["grid"]),
            models.Index(fields=["incident", "next_on"]),
            models.Index(fields=["request"], name="series_of_request"),
        ]


class Trip(models.Model):
    """One way to care and back. `next_hop` and `next_due` follow from the hops, for the list by clock."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    number = models.IntegerField()
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    dwelling = models.UUIDField(null=True)
    household = models.UUIDField(null=True)
    person = models.UUIDField(null=True)
    request = models.UUIDField(null=True)
    series = models.ForeignKey(TripSeries, on_delete=models.SET_NULL, null=True, related_name="trips")
    planned_on = models.DateField(null=True)
    kind = models.CharField(max_length=40, default="visit")
    urgency = models.CharField(max_length=8, choices=Urgency.choices, default=Urgency.NORMAL)
    who = SealedField(klass="personal")
    phone = SealedField(klass="personal")
    pick_up = SealedField(klass="free_text")
    to_place = SealedField(klass="free_text")
    why = SealedField(klass="free_text")
    vehicle = SealedField(klass="free_text")
    transport = models.CharField(max_length=10, choices=Transport.choices, default=Transport.VEHICLE)
    driver = models.UUIDField(null=True)
    services = models.JSONField(default=list)
    be_there_at = models.DateTimeField(null=True)
    travel_minutes = models.SmallIntegerField(default=40)
    stay_minutes = models.SmallIntegerField(default=120)
    status = models.CharField(max_length=12, choices=TripStatus.choices, default=TripStatus.PLANNED)
    next_hop = models.CharField(max_length=10, choices=Hop.choices, blank=True)
    next_due = models.DateTimeField(null=True)
    missed_seen_at = models.DateTimeField(null=True)
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    ended_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=16, choices=SkipReason.choices, blank=True)
    version = models.IntegerField(default=1)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="trip_number_once"),
            models.UniqueConstraint(
                fields=["series", "planned_on"],
                condition=Q(series__isnull=False, planned_on__isnull=False),
                name="trip_once_a_day_of_a_series",
            ),
            models.CheckConstraint(
                condition=~Q(status="CANCELLED") | ~Q(cancel_reason=""), name="trip_cancelled_why"
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "status", "next_due"], name="trip_by_clock"),
            models.Index(fields=["grid", "status"]),
            models.Index(fields=["driver", "status"]),
            models.Index(fields=["dwelling"]),
            models.Index(fields=["request"], name="trip_of_request"),
        ]


class TripHop(models.Model):
    """One hop with its clock: done, or not needed and why, or still to come."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    trip = models.ForeignKey(Trip, on_delete=models.CASCADE, related_name="hops")
    code = models.CharField(max_length=10, choices=Hop.choices)
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    by = models.UUIDField(null=True)
    skipped_at = models.DateTimeField(null=True)
    skip_reason = models.CharField(max_length=16, choices=SkipReason.choices, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trip", "code"], name="hop_once"),
            models.CheckConstraint(
                condition=Q(skipped_at__isnull=True) | ~Q(skip_reason=""), name="hop_skipped_why"
            ),
        ]


class HospitalAsked(models.Model):
    """A hospital that was asked, who answered there and what."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    trip = models.ForeignKey(Trip, on_delete=models.CASCADE, related_name="asked")
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    name = SealedField(klass="free_text")
    who = SealedField(klass="personal")
    answer = models.CharField(max_length=8, choices=Answer.choices, default=Answer.WAITING)
    asked_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    by = models.UUIDField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trip"], condition=Q(answer="YES"), name="hospital_one_said_yes"),
            models.CheckConstraint(
                condition=Q(answer="WAITING") | Q(answered_at__isnull=False), name="hospital_answered_when"
            ),
        ]
