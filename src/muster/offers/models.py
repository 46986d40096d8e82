# SPDX-License-Identifier: Apache-2.0
"""HelpOffer, HelpMatch, HelpUnfit.

An offer says what somebody gives, how much and until when; a match is a part of it that goes to one request
or need. Who receives is never shown to who gives, nor the other way round, except by a desk on the phone.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id
from muster.offers.states import GiverKind, MatchStatus, OfferStatus
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField

MOST_QUANTITY = 100_000


class HelpOffer(models.Model):
    """`left` is what is not reserved or given. Text, place, name and phone are sealed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    number = models.IntegerField()
    tracking_index = models.BinaryField(max_length=16, unique=True)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    giver_kind = models.CharField(max_length=12, choices=GiverKind.choices)
    organisation = models.CharField(max_length=120, blank=True)
    category = models.CharField(max_length=40)
    what = SealedField(klass="free_text")
    place = SealedField(klass="free_text")
    name = SealedField(klass="personal")
    phone = SealedField(klass="personal")
    phone_index = models.BinaryField(max_length=16, null=True)
    language = models.CharField(max_length=8, default="zh")
    quantity = models.IntegerField()
    left = models.IntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=OfferStatus.choices, default=OfferStatus.NEW)
    warnings = models.JSONField(default=list)
    checks = models.JSONField(default=list)
    vetted_by = models.UUIDField(null=True)
    vetted_at = models.DateTimeField(null=True)
    answer = SealedField(klass="free_text")
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    version = models.IntegerField(default=1)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="helpoffer_number_once"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="helpoffer_ends_later"),
            models.CheckConstraint(
                condition=Q(quantity__gte=1)
                & Q(quantity__lte=MOST_QUANTITY)
                & Q(left__gte=0)
                & Q(left__lte=F("quantity")),
                name="helpoffer_never_given_twice",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["OPEN", "NOTED"]) | Q(vetted_by__isnull=False),
                name="helpoffer_looked_at_before_used",
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "status"], name="helpoffer_of_incident"),
            models.Index(fields=["sub_district", "status"], name="helpoffer_of_sub_district"),
            models.Index(fields=["phone_index"], name="helpoffer_of_phone"),
        ]


class HelpMatch(models.Model):
    """So much of an offer for one request, or for one need of the register."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    offer = models.ForeignKey(HelpOffer, on_delete=models.CASCADE, related_name="matches")
    request = models.UUIDField(null=True)
    need = models.UUIDField(null=True)
    quantity = models.IntegerField()
    status = models.CharField(max_length=12, choices=MatchStatus.choices, default=MatchStatus.RESERVED)
    reasons = models.JSONField(default=list)
    made_by = models.UUIDField()
    made_at = models.DateTimeField()
    given_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    version = models.IntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gte=1), name="helpmatch_something"),
            models.CheckConstraint(
                condition=Q(request__isnull=False, need__isnull=True)
                | Q(request__isnull=True, need__isnull=False),
                name="helpmatch_for_one",
            ),
            models.UniqueConstraint(
                fields=["offer", "request"],
                condition=Q(status__in=["RESERVED", "GIVEN"], request__isnull=False),
                name="helpmatch_request_once",
            ),
            models.UniqueConstraint(
                fields=["offer", "need"],
                condition=Q(status__in=["RESERVED", "GIVEN"], need__isnull=False),
                name="helpmatch_need_once",
            ),
        ]
        indexes = [models.Index(fields=["request"], name="helpmatch_of_request")]


class HelpUnfit(models.Model):
    """A desk has seen that an offer does not help with this request: it is not proposed for it any more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    offer = models.ForeignKey(HelpOffer, on_delete=models.CASCADE, related_name="unfit")
    request = models.UUIDField()
    said_by = models.UUIDField()
    said_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["offer", "request"], name="helpunfit_once")]
        indexes = [models.Index(fields=["request"], name="helpunfit_of_request")]
