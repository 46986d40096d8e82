# SPDX-License-Identifier: Apache-2.0
"""Fact, Event, Disclosure.

A Fact is what somebody saw or did, as it was recorded; it is the truth that every ledger entry is computed
from. An Event says which change of state a service made. A Disclosure says who looked at personal data, and
why.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.storage.sealed import SealedField


class Verdict(models.TextChoices):
    APPLIED = "APPLIED"
    DUPLICATE = "DUPLICATE"
    FLAGGED = "FLAGGED"
    HELD = "HELD"
    QUARANTINED = "QUARANTINED"


class Fact(models.Model):
    """One recorded fact with its verdict. Key: the device's own number for it."""

    pk = models.CompositePrimaryKey("device", "seq")
    device = models.UUIDField()
    seq = models.BigIntegerField()
    id = models.UUIDField()
    batch = models.UUIDField(null=True)
    incident = models.UUIDField()
    round = models.UUIDField(null=True)
    kind = models.CharField(max_length=32)
    actor = models.UUIDField(null=True)
    occurred_at = models.DateTimeField()
    offset_minutes = models.SmallIntegerField(default=0)
    received_at = models.DateTimeField()
    applied_at = models.DateTimeField()
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    subject = models.UUIDField()
    subject_type = models.CharField(max_length=10)
    door = models.UUIDField(null=True)
    value = models.CharField(max_length=40, blank=True)
    ref = models.UUIDField(null=True)
    purpose = models.CharField(max_length=40)
    body = SealedField(klass="free_text")
    body_hash = models.BinaryField(max_length=32)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    code = models.CharField(max_length=40, blank=True)

    class Meta:
        # Id first: fold asks for each new fact whether anybody told it before.
        constraints = [models.UniqueConstraint(fields=["id", "device"], name="fact_id_of_device")]
        indexes = [
            models.Index(fields=["round", "subject"], name="fact_of_subject"),
            models.Index(
                fields=["round", "door", "occurred_at"],
                name="fact_at_door",
                condition=Q(door__isnull=False),
            ),
            models.Index(
                fields=["round", "subject"],
                name="fact_of_merging",
                condition=Q(kind__in=["entry.merged", "entry.took_in"]),
            ),
        ]


class Waiting(models.Model):
    """A fact that is held or quarantined: in sight, with its reason, until it is applied or a person
    decides. One that counts and is doubted stands here too, until somebody has looked.
    """

    pk = models.CompositePrimaryKey("device", "seq")
    device = models.UUIDField()
    seq = models.BigIntegerField()
    fact = models.UUIDField()
    incident = models.UUIDField()
    round = models.UUIDField(null=True)
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    kind = models.CharField(max_length=32)
    subject = models.UUIDField()
    ref = models.UUIDField(null=True)
    verdict = models.CharField(max_length=12, choices=Verdict.choices)
    code = models.CharField(max_length=40)
    since = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.UUIDField(null=True)
    resolution = models.CharField(max_length=24, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="waiting_resolved_when_and_by",
            )
        ]
        indexes = [
            models.Index(fields=["incident", "subject"]),
            models.Index(fields=["incident", "ref"]),
            models.Index(
                fields=["verdict", "since"], name="waiting_to_look_at", condition=Q(resolved_at__isnull=True)
            ),
        ]


class SecondCopy(models.Model):
    """A fact that came again with another body or under a number already taken: kept, flagged, alarmed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    device = models.UUIDField()
    seq = models.BigIntegerField()
    fact = models.UUIDField()
    incident = models.UUIDField()
    sub_district = models.BigIntegerField()
    purpose = models.CharField(max_length=40)
    received_at = models.DateTimeField()
    code = models.CharField(max_length=40)
    body = SealedField(klass="free_text")
    body_hash = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["device", "seq", "fact", "body_hash"], name="secondcopy_once")
        ]


class JournalPosition(models.Model):
    """How far each intake writer's journal has been folded; commits with the facts it speaks of."""

    writer = models.BigIntegerField(primary_key=True)
    position = models.BigIntegerField()
    batches = models.BigIntegerField(default=0)
    facts = models.BigIntegerField(default=0)


class NumberWatch(models.Model):
    """Which of a device's numbers are here: all up to `whole_upto`; up to `highest` all but `missing`.

    gap_since: when a number was first seen to be missing, None while none is.
    """

    device = models.UUIDField(primary_key=True)
    whole_upto = models.BigIntegerField(default=0)
    highest = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    gap_since = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["gap_since"], name="numbers_missing", condition=Q(missing__gt=0))]


class BatchVerdict(models.Model):
    """A journalled batch that could not become facts (forged signature, revoked lease, unreadable): kept by
    position.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    writer = models.BigIntegerField()
    position = models.BigIntegerField()
    device = models.UUIDField(null=True)
    batch = models.UUIDField(null=True)
    code = models.CharField(max_length=40)
    received_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["writer", "position"], name="batchverdict_once")]


class Event(models.Model):
    """A change of state made by a service, in the same transaction as the change."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    incident = models.UUIDField(null=True)
    actor = models.UUIDField(null=True)
    device = models.UUIDField(null=True)
    entity = models.CharField(max_length=40)
    entity_id = models.CharField(max_length=64)
    verb = models.CharField(max_length=40)
    from_state = models.CharField(max_length=24, blank=True)
    to_state = models.CharField(max_length=24, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    facts = models.JSONField(default=dict)
    sealed_in = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["entity", "entity_id", "at"]),
            models.Index(fields=["sealed_in", "id"]),
        ]


class Seal(models.Model):
    """A signed link over a run of events: each seal covers its events and the seal before it."""

    number = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    count = models.IntegerField()
    previous = models.BinaryField(max_length=32)
    digest = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=64)


class Disclosure(models.Model):
    """Somebody saw personal data: who, in which role, whose, which fields, why."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    at = models.DateTimeField()
    actor = models.UUIDField()
    role = models.CharField(max_length=32)
    operation = models.CharField(max_length=40)
    purpose = models.CharField(max_length=40, blank=True)
    subject = models.UUIDField(null=True)
    grid = models.BigIntegerField(null=True)
    fields = models.CharField(max_length=120)
    rows = models.IntegerField(default=1)

    class Meta:
        indexes = [
            models.Index(fields=["subject", "at"]),
            models.Index(fields=["grid", "at"]),
            models.Index(fields=["actor", "at"], name="disclosure_of_actor"),
        ]
