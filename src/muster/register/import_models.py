# SPDX-License-Identifier: Apache-2.0
"""ImportBatch, ImportChunk, ImportRow: a list on its way in, its lines while they wait, and what each line
made.

Lines lie sealed, and only until the batch is settled; what each line made is kept so that it can be taken
back.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.storage.sealed import SealedField


class ImportState(models.TextChoices):
    UPLOADED = "UPLOADED"
    MAPPED = "MAPPED"
    VALIDATED = "VALIDATED"
    PREVIEWED = "PREVIEWED"
    COMMITTED = "COMMITTED"
    UNDONE = "UNDONE"
    FAILED = "FAILED"


class ImportBatch(models.Model):
    """One file and what became of it. `next_chunk`: how far writing has come, in the transaction that
    writes.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16)
    file_name = models.CharField(max_length=200)
    digest = models.BinaryField(max_length=32)
    state = models.CharField(max_length=12, choices=ImportState.choices, default=ImportState.UPLOADED)
    stage = models.CharField(max_length=12, blank=True)
    made_by = models.UUIDField(null=True)
    made_by_name = models.CharField(max_length=80, blank=True)
    role = models.CharField(max_length=32, blank=True)
    made_at = models.DateTimeField()
    committed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    incident = models.UUIDField(null=True)
    purpose = models.CharField(max_length=40, default="daily")
    sub_district = models.BigIntegerField(default=0)
    pack = models.CharField(max_length=40)
    paths = models.JSONField(default=list)
    grids = models.JSONField(default=list)
    update_known = models.BooleanField(default=False)
    create_doors = models.BooleanField(default=False)
    columns = models.JSONField(default=dict)
    counts = models.JSONField(default=dict)
    result = models.JSONField(default=dict)
    rows_total = models.IntegerField(default=0)
    rows_done = models.IntegerField(default=0)
    chunks = models.IntegerField(default=0)
    next_chunk = models.IntegerField(default=0)
    claimed_until = models.DateTimeField(null=True)
    problem = models.CharField(max_length=40, blank=True)
    problem_facts = models.JSONField(default=dict)
    summary = SealedField(klass="identity")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["COMMITTED", "UNDONE"]) | Q(committed_at__isnull=False),
                name="importbatch_committed_when",
            )
        ]
        indexes = [models.Index(fields=["made_by", "-made_at"])]


class ImportChunk(models.Model):
    """Some lines of a batch, sealed. After writing only those stay that come back to their maker."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    purpose = models.CharField(max_length=40, default="daily")
    sub_district = models.BigIntegerField(default=0)
    rows = SealedField(klass="identity")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="importchunk_once")]


class ImportRow(models.Model):
    """What a line made or changed. before: field -> [what stood there, what the line wrote], sealed."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    batch = models.ForeignKey(ImportBatch, on_delete=models.CASCADE, related_name="+")
    row = models.IntegerField()
    entity = models.CharField(max_length=12)
    entity_id = models.CharField(max_length=36)
    action = models.CharField(max_length=8)
    purpose = models.CharField(max_length=40, default="daily")
    sub_district = models.BigIntegerField(default=0)
    before = SealedField(klass="personal")
    undone_at = models.DateTimeField(null=True)
    stays = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["batch", "row", "entity", "entity_id"], name="importrow_once"),
        ]
        indexes = [models.Index(fields=["entity_id"])]
