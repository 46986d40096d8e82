# SPDX-License-Identifier: Apache-2.0
"""Site, SiteReceipt: what a city keeps of the houses that work for it where no line reaches.

HomeCity, Passage, StuckBatch, OtherVerdict: what such a house keeps of its city and of what it has passed on.
Personal data is in none of them.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id


class Site(models.Model):
    """A laptop with a part of our register, for some grids and until a day. Its id is its instance.

    waiting, waiting_since: what it has not passed on yet, by its own word.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    name = models.CharField(max_length=80)
    incident = models.UUIDField()
    grids = models.JSONField(default=list)
    sub_districts = models.JSONField(default=list)
    kid = models.CharField(max_length=16)
    certificate = models.BinaryField()
    prepared_at = models.DateTimeField()
    prepared_by = models.UUIDField(null=True)
    until = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.UUIDField(null=True)
    heard_at = models.DateTimeField(null=True)
    waiting = models.IntegerField(default=0)
    waiting_since = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="site_revoked_when_and_by",
            )
        ]

    def __str__(self) -> str:
        return self.name


class SiteReceipt(models.Model):
    """A site's signed word that it held a batch before we did: when, and of which bytes."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    site = models.UUIDField()
    batch = models.UUIDField()
    device = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    count = models.IntegerField()
    received_at = models.DateTimeField()
    said_at = models.CharField(max_length=40)
    signature = models.CharField(max_length=100)
    kept_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "batch", "sha256"], name="sitereceipt_once")]


class HomeCity(models.Model):
    """The city that this house works for; there is a row only where this house is a site.

    web, intake: its addresses by name. address: where the name lies, if the site's own Wi-Fi says it is here.
    authority: the certificates to believe, if they are not the public ones. carrier: the public key for which
    phones seal what somebody else carries to it. cursor: what we have of its rows.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    site = models.UUIDField()
    name = models.CharField(max_length=80)
    incident = models.UUIDField()
    grids = models.JSONField(default=list)
    sub_districts = models.JSONField(default=list)
    web = models.CharField(max_length=200)
    intake = models.CharField(max_length=200)
    address = models.CharField(max_length=80, blank=True)
    authority = models.TextField(blank=True)
    carrier = models.JSONField(default=dict)
    opened_at = models.DateTimeField()
    until = models.DateTimeField()
    cursor = models.JSONField(default=dict)
    tried_at = models.DateTimeField(null=True)
    reached_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)
    trouble = models.CharField(max_length=40, blank=True)
    waiting = models.IntegerField(default=0)
    waiting_since = models.DateTimeField(null=True)
    passed_batches = models.IntegerField(default=0)
    passed_facts = models.IntegerField(default=0)
    brought_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)


class Passage(models.Model):
    """How far a writer's journal has been passed on: all up to here has the city's receipt, or is stuck."""

    writer = models.BigIntegerField(primary_key=True)
    position = models.BigIntegerField(default=0)


class StuckBatch(models.Model):
    """A batch that the city's door did not take: kept, in sight, and offered again."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    writer = models.BigIntegerField()
    n = models.BigIntegerField()
    device = models.UUIDField()
    batch = models.UUIDField()
    code = models.CharField(max_length=40)
    since = models.DateTimeField()
    tried_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["writer", "n"], name="stuckbatch_once")]


class OtherVerdict(models.Model):
    """A fact on which the city's verdict is not ours: somebody has to look."""

    pk = models.CompositePrimaryKey("device", "seq")
    device = models.UUIDField()
    seq = models.BigIntegerField()
    fact = models.UUIDField()
    grid = models.BigIntegerField(null=True)
    verdict = models.CharField(max_length=12)
    code = models.CharField(max_length=40, blank=True)
    since = models.DateTimeField()
