# SPDX-License-Identifier: Apache-2.0
"""CampaignKind, Campaign, Round: control tables. LedgerEntry, DoorEntry, RoundGrid: the ledger.

The equation of a grid and round, at every moment: the entries by class (counted from LedgerEntry) equal
frozen + added + moved_in - moved_out (kept in RoundGrid by freeze, found-person and re-grid only).
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.campaigns.states import DoorState, EntryClass, Origin, RoundStatus, Unit


class CampaignKind(models.Model):
    """What a round asks at each unit and which answers there are; from a pack or made at a desk. Versions
    stay.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(max_length=40)
    version = models.IntegerField(default=1)
    incident = models.UUIDField(null=True)
    made_by = models.UUIDField(null=True)
    made_at = models.DateTimeField()
    definition = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["incident", "key", "version"], name="campaignkind_version")
        ]


class Campaign(models.Model):
    """A purpose that takes one or more rounds."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    name = models.CharField(max_length=120)
    kind = models.ForeignKey(CampaignKind, on_delete=models.PROTECT, related_name="+")
    area = models.BigIntegerField()
    area_path = models.CharField(max_length=200)
    made_by = models.UUIDField(null=True)
    made_at = models.DateTimeField()


class Round(models.Model):
    """One pass over a roster."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    campaign = models.ForeignKey(Campaign, on_delete=models.PROTECT, related_name="rounds")
    number = models.IntegerField()
    name = models.CharField(max_length=120)
    unit = models.CharField(max_length=10, choices=Unit.choices)
    kind_version = models.IntegerField()
    area = models.BigIntegerField()
    area_path = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=RoundStatus.choices, default=RoundStatus.PLANNED)
    opens_at = models.DateTimeField(null=True)
    closes_at = models.DateTimeField(null=True)
    # Somebody asked for a large roster to be frozen; the worker does it, and takes it up again after a fall.
    freeze_asked_at = models.DateTimeField(null=True)
    freeze_asked_by = models.UUIDField(null=True)
    frozen_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    live_rev = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "number"], name="round_number_in_campaign")
        ]


class LedgerEntry(models.Model):
    """One unit of the roster in one round. Never deleted."""

    pk = models.CompositePrimaryKey("round", "sub_district", "subject")
    round = models.UUIDField()
    sub_district = models.BigIntegerField()
    subject = models.UUIDField()
    origin = models.CharField(max_length=8, choices=Origin.choices)
    origin_grid = models.BigIntegerField()
    origin_dwelling = models.UUIDField()
    grid = models.BigIntegerField(null=True)
    dwelling = models.UUIDField(null=True)
    cls = models.CharField(max_length=10, choices=EntryClass.choices, default=EntryClass.OPEN)
    outcome = models.CharField(max_length=40, blank=True)
    at = models.DateTimeField(null=True)
    actor = models.UUIDField(null=True)
    fact = models.UUIDField(null=True)
    attempts = models.SmallIntegerField(default=0)
    facts = models.SmallIntegerField(default=0)
    version = models.IntegerField(default=1)
    rev = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["round", "grid", "cls"], name="entry_of_grid")]


class DoorEntry(models.Model):
    """One door in one round: was anybody seen behind it, is it verified empty, was it never reached. Never
    deleted.
    """

    pk = models.CompositePrimaryKey("round", "sub_district", "subject")
    round = models.UUIDField()
    sub_district = models.BigIntegerField()
    subject = models.UUIDField()
    origin = models.CharField(max_length=8, choices=Origin.choices)
    grid = models.BigIntegerField()
    building = models.UUIDField()
    state = models.CharField(max_length=10, choices=DoorState.choices, default=DoorState.UNSEEN)
    at = models.DateTimeField(null=True)
    fact = models.UUIDField(null=True)
    attempts = models.SmallIntegerField(default=0)
    version = models.IntegerField(default=1)
    rev = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["round", "grid", "state"], name="door_of_grid")]


class RoundGrid(models.Model):
    """A grid's account of a round: the written side of the equation, and counters that can be recounted."""

    pk = models.CompositePrimaryKey("round", "sub_district", "grid")
    round = models.UUIDField()
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField()
    frozen = models.IntegerField(default=0)
    added = models.IntegerField(default=0)
    moved_in = models.IntegerField(default=0)
    moved_out = models.IntegerField(default=0)
    is_frozen = models.BooleanField(default=False)
    guests_from = models.JSONField(default=list)
    n_open = models.IntegerField(default=0)
    n_done = models.IntegerField(default=0)
    n_arranged = models.IntegerField(default=0)
    n_explained = models.IntegerField(default=0)
    n_unreached = models.IntegerField(default=0)
    doors = models.IntegerField(default=0)
    doors_seen = models.IntegerField(default=0)
    doors_vacant = models.IntegerField(default=0)
    doors_no_answer = models.IntegerField(default=0)
    doors_refused = models.IntegerField(default=0)
    doors_added = models.IntegerField(default=0)
    outcomes = models.JSONField(default=dict)
    last_fact_at = models.DateTimeField(null=True)
    rev = models.BigIntegerField(default=0)


class Certificate(models.Model):
    """A grid head's signature under a balance that holds; it says what it can and no more."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    round = models.UUIDField()
    grid = models.BigIntegerField()
    sub_district = models.BigIntegerField()
    signed_by = models.UUIDField()
    signed_name = models.CharField(max_length=80)
    signed_at = models.DateTimeField()
    reservations = models.TextField(blank=True)
    figures = models.JSONField()
    text_zh = models.TextField()
    text_en = models.TextField()
    entries_hash = models.BinaryField(max_length=32)
    signature = models.BinaryField(max_length=64)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.UUIDField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["round", "grid"],
                condition=Q(withdrawn_at__isnull=True),
                name="certificate_one_in_force",
            )
        ]
