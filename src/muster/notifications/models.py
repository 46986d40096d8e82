# SPDX-License-Identifier: Apache-2.0
"""Message and Channel: one outbox for everything that is told, and where an area wants to be told.

A message is a template and facts that are numbers and times; its words are made when it is read or sent.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.notifications.states import ChannelKind, Delivery, Fault, Priority, Way
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField


class Channel(models.Model):
    """A group chat, a mailbox or another system that hears what concerns an area."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField(default=0)
    area = models.BigIntegerField()
    area_path = models.CharField(max_length=200)
    kind = models.CharField(max_length=10, choices=ChannelKind.choices)
    name = models.CharField(max_length=80)
    language = models.CharField(max_length=8, default="zh")
    address = SealedField(klass="personal")
    secret = SealedField(klass="personal")
    made_at = models.DateTimeField()
    made_by = models.UUIDField(null=True)
    closed_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    last_fault = models.CharField(max_length=16, choices=Fault.choices, blank=True)

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["incident", "area_path"], name="channel_of_area")]


class Message(models.Model):
    """One thing told to one reader by one way. `key` makes it once; `target` is the reader without a name."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    purpose = models.CharField(max_length=40)
    sub_district = models.BigIntegerField(default=0)
    key = models.CharField(max_length=200, unique=True)
    template = models.CharField(max_length=40)
    facts = models.JSONField(default=dict)
    priority = models.SmallIntegerField(choices=Priority.choices, default=Priority.NORMAL)
    way = models.CharField(max_length=8, choices=Way.choices)
    target = models.CharField(max_length=80)
    account = models.UUIDField(null=True)
    responder = models.UUIDField(null=True)
    channel = models.UUIDField(null=True)
    phone = SealedField(klass="personal")
    language = models.CharField(max_length=8, default="zh")
    status = models.CharField(max_length=8, choices=Delivery.choices, default=Delivery.QUEUED)
    fault = models.CharField(max_length=16, choices=Fault.choices, blank=True)
    attempts = models.SmallIntegerField(default=0)
    made_at = models.DateTimeField()
    next_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    told_in = models.UUIDField(null=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="MERGED") | Q(told_in__isnull=False), name="message_merged_into_what"
            ),
            models.CheckConstraint(condition=~Q(status="FAILED") | ~Q(fault=""), name="message_failed_why"),
        ]
        indexes = [
            # With the id, so that the first hundred of a city told at once are found without sorting it.
            models.Index(
                fields=["priority", "next_at", "id"], name="message_in_turn", condition=Q(status="QUEUED")
            ),
            models.Index(fields=["target", "sent_at"], name="message_of_target"),
            models.Index(
                fields=["account", "-made_at"], name="message_of_account", condition=Q(account__isnull=False)
            ),
            models.Index(
                fields=["responder", "-made_at"],
                name="message_of_responder",
                condition=Q(responder__isnull=False),
            ),
        ]
