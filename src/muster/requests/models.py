# SPDX-License-Identifier: Apache-2.0
"""Request, WorkItem, Offer, Contact, Note, Picture, CareCall, CareGrant.

A request is what somebody asks for; its work items are what is done about it, each by one person; an offer is
the question to one person whether he will, good until its lease ends. Text, place, name and phone are sealed.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id
from muster.requests.states import (
    CallResult,
    Channel,
    ContactResult,
    DeclineReason,
    HoldReason,
    ItemStatus,
    OfferStatus,
    Outcome,
    RequestStatus,
    Urgency,
)
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField


class Request(models.Model):
    """What somebody asks for, for himself or for another."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    number = models.IntegerField()
    tracking_index = models.BinaryField(max_length=16, unique=True)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    building = models.UUIDField(null=True)
    dwelling = models.UUIDField(null=True)
    household = models.UUIDField(null=True)
    person = models.UUIDField(null=True)
    lon = models.FloatField(null=True)
    lat = models.FloatField(null=True)
    category = models.CharField(max_length=40)
    urgency = models.CharField(max_length=8, choices=Urgency.choices, default=Urgency.NORMAL)
    rank = models.SmallIntegerField(default=2)
    channel = models.CharField(max_length=12, choices=Channel.choices)
    language = models.CharField(max_length=8, default="zh")
    text = SealedField(klass="free_text")
    place = SealedField(klass="free_text")
    name = SealedField(klass="personal")
    phone = SealedField(klass="personal")
    phone_index = models.BinaryField(max_length=16, null=True)
    spoken_word = SealedField(klass="personal")
    answers = SealedField(klass="free_text")
    for_relative = models.BooleanField(default=False)
    care_grant = models.UUIDField(null=True)
    cannot_call = models.BooleanField(default=False)
    is_spam = models.BooleanField(default=False)
    needs_skill = models.CharField(max_length=40, blank=True)
    route = models.CharField(max_length=12, default="desk")
    held_by_area = models.BigIntegerField(null=True)
    status = models.CharField(max_length=20, choices=RequestStatus.choices, default=RequestStatus.NEW)
    version = models.IntegerField(default=1)
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    respond_by = models.DateTimeField()
    finish_by = models.DateTimeField()
    triaged_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    on_site_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    solved = models.BooleanField(null=True)
    unanswered_calls = models.SmallIntegerField(default=0)
    reopened = models.SmallIntegerField(default=0)
    repeats = models.SmallIntegerField(default=0)
    linked_to = models.UUIDField(null=True)
    hold_reason = models.CharField(max_length=20, choices=HoldReason.choices, blank=True)
    hold_until = models.DateTimeField(null=True)
    escalation = models.SmallIntegerField(default=0)
    escalated_at = models.DateTimeField(null=True)
    transferred_at = models.DateTimeField(null=True)
    transferred_from = models.BigIntegerField(null=True)
    refused_text = SealedField(klass="free_text")
    refusal_by = models.UUIDField(null=True)
    expires_on = models.DateField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="request_number_once"),
            models.CheckConstraint(
                condition=~Q(status="ON_HOLD") | (~Q(hold_reason="") & Q(hold_until__isnull=False)),
                name="request_hold_says_why_and_until",
            ),
            models.CheckConstraint(
                condition=~Q(status="LINKED") | Q(linked_to__isnull=False), name="request_linked_to_what"
            ),
            models.CheckConstraint(
                condition=Q(finish_by__gte=F("respond_by")), name="request_clocks_in_order"
            ),
        ]
        indexes = [
            models.Index(fields=["incident", "status", "rank", "respond_by"], name="request_queue"),
            models.Index(fields=["grid", "status"], name="request_of_grid"),
            models.Index(fields=["sub_district", "status"], name="request_of_sub_district"),
            models.Index(fields=["dwelling"], name="request_of_door"),
            models.Index(
                fields=["phone_index"], name="request_of_phone", condition=Q(phone_index__isnull=False)
            ),
        ]


class WorkItem(models.Model):
    """A piece of work of a request. `responder` is who took it, and there is one at most."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="items")
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    what = SealedField(klass="free_text")
    needs_skill = models.CharField(max_length=40, blank=True)
    status = models.CharField(max_length=12, choices=ItemStatus.choices, default=ItemStatus.OPEN)
    responder = models.UUIDField(null=True)
    made_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True)
    on_site_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, choices=Outcome.choices, blank=True)
    note = SealedField(klass="free_text")
    photo = models.CharField(max_length=64, blank=True)
    version = models.IntegerField(default=1)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["OPEN", "OFFERED", "CANCELLED"]) | Q(responder__isnull=False),
                name="workitem_taken_by_somebody",
            )
        ]
        indexes = [
            models.Index(fields=["responder", "status"]),
            models.Index(fields=["grid", "status"]),
        ]


class Offer(models.Model):
    """The question to one person whether he will do it; it lapses by itself when the lease ends."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    item = models.ForeignKey(WorkItem, on_delete=models.CASCADE, related_name="offers")
    incident = models.UUIDField()
    responder = models.UUIDField()
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    lease_until = models.DateTimeField()
    status = models.CharField(max_length=12, choices=OfferStatus.choices, default=OfferStatus.OFFERED)
    answered_at = models.DateTimeField(null=True)
    decline_reason = models.CharField(max_length=16, choices=DeclineReason.choices, blank=True)
    walk_m = models.IntegerField(null=True)
    reasons = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["item", "responder"], condition=Q(status="OFFERED"), name="offer_once_at_a_time"
            ),
            models.UniqueConstraint(fields=["item"], condition=Q(status="ACCEPTED"), name="offer_one_winner"),
            models.CheckConstraint(
                condition=~Q(status="DECLINED") | ~Q(decline_reason=""), name="offer_declined_says_why"
            ),
        ]
        indexes = [
            models.Index(fields=["responder", "status"]),
            models.Index(fields=["status", "lease_until"]),
        ]


class Contact(models.Model):
    """A call-back, or the resident's own answer: solved, not solved, nobody answered."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="contacts")
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_resident = models.BooleanField(default=False)
    result = models.CharField(max_length=12, choices=ContactResult.choices)


class Note(models.Model):
    """Something that somebody who works on a request wrote down, or that a resident added."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="notes")
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_resident = models.BooleanField(default=False)
    text = SealedField(klass="free_text")

    objects = ScopedManager()


class Picture(models.Model):
    """A picture that came with a request, by the hash of what was kept; it dies with the incident's key."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="pictures")
    incident = models.UUIDField()
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    by_resident = models.BooleanField(default=False)
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "sha256"], name="picture_once_per_request")]


class CareCall(models.Model):
    """Somebody of the desk asked after a person who needs looking after: well, needs help, no answer."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    person = models.UUIDField()
    at = models.DateTimeField()
    by = models.UUIDField(null=True)
    result = models.CharField(max_length=10, choices=CallResult.choices)
    request = models.UUIDField(null=True)

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["incident", "person", "at"], name="care_call_of_person")]


class CareGrant(models.Model):
    """An elder lets a relative ask for him and hear how it goes: service facts only, revocable."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    dwelling = models.UUIDField()
    person = models.UUIDField(null=True)
    # The request from whose page it was given. Anybody can name a door there: of such a grant no more is seen
    # than what the same asker asked.
    origin = models.UUIDField(null=True)
    code_index = models.BinaryField(max_length=16, unique=True)
    relative_name = SealedField(klass="personal")
    relative_phone = SealedField(klass="personal")
    given_through = models.CharField(max_length=12, choices=Channel.choices)
    given_by = models.UUIDField(null=True)
    given_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(ends_at__gt=F("given_at")), name="caregrant_ends_after_start")
        ]
        indexes = [models.Index(fields=["dwelling"])]


class TeamHelp(models.Model):
    """A team, such as a front-line group (一线包抓组), that was asked to help with a problem or a conflict.

    One helps at a time; when it should have answered is a clock, computed when read.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    request = models.ForeignKey(Request, on_delete=models.CASCADE, related_name="team_help")
    incident = models.UUIDField()
    team = models.UUIDField()
    asked_at = models.DateTimeField()
    asked_by = models.UUIDField()
    answer_by = models.DateTimeField()
    taken_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    is_solved = models.BooleanField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["request"], condition=Q(ended_at__isnull=True), name="teamhelp_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True) | Q(is_solved__isnull=False),
                name="teamhelp_ended_with_an_answer",
            ),
        ]
        indexes = [models.Index(fields=["incident", "taken_at", "answer_by"], name="teamhelp_waiting")]
