# SPDX-License-Identifier: Apache-2.0
"""Sheet: a list of one round and grid that left the house. SheetLine: what stood on it, line by line: the
base of a later merge. SheetReturn: what came back; SheetPicture: a photo of it. SheetDifference: two values
of one line, for a person.
"""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from muster.base.ids import new_id
from muster.sheets.states import Channel, ReturnState, SheetKind, Why
from muster.storage.scoping import ScopedManager
from muster.storage.sealed import SealedField


class Sheet(models.Model):
    """code: what stands on the paper and in its QR; it names no one. sub_district: of its grid."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    code = models.CharField(max_length=9, unique=True)
    kind = models.CharField(max_length=8, choices=SheetKind.choices)
    incident = models.UUIDField()
    round = models.UUIDField()
    grid = models.BigIntegerField()
    sub_district = models.BigIntegerField()
    building = models.UUIDField(null=True)
    only_left = models.BooleanField(default=False)
    phones = models.BooleanField(default=False)
    passwords = models.BooleanField(default=False)
    why = models.CharField(max_length=8, choices=Why.choices)
    language = models.CharField(max_length=2, default="zh")
    lines = models.IntegerField(default=0)
    pages = models.IntegerField(default=0)
    made_by = models.UUIDField()
    made_by_name = models.CharField(max_length=80, blank=True)
    made_at = models.DateTimeField()

    objects = ScopedManager()

    class Meta:
        indexes = [models.Index(fields=["round", "grid", "-made_at"])]


class SheetLine(models.Model):
    """One numbered line: whom it is about, and the ledger's and the register's word when it was made.

    said: what is printed of it, as JSON. base_fact: the fact that had decided the outcome then.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    purpose = models.CharField(max_length=40)
    unit = models.CharField(max_length=10)
    subject = models.UUIDField()
    dwelling = models.UUIDField()
    is_door = models.BooleanField(default=False)
    base_outcome = models.CharField(max_length=40, blank=True)
    base_fact = models.UUIDField(null=True)
    said = SealedField(klass="personal")

    objects = ScopedManager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "number"], name="sheetline_number")]


class SheetPicture(models.Model):
    """A photo of a filled-in paper, by the hash of what was kept; the photo is sealed beside the journal."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="+")
    incident = models.UUIDField()
    sha256 = models.CharField(max_length=64)
    by = models.UUIDField()
    by_name = models.CharField(max_length=80, blank=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sheet", "sha256"], name="sheetpicture_once")]


class SheetReturn(models.Model):
    """A sheet that came back, as a file or typed in. told: its lines and who wrote them, when and where, as
    JSON. second: the same, typed by somebody else. made: the facts that came of it. pictures: hashes of the
    photos of this paper.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="+")
    channel = models.CharField(max_length=8, choices=Channel.choices)
    state = models.CharField(max_length=12, choices=ReturnState.choices, default=ReturnState.PREVIEWED)
    incident = models.UUIDField()
    round = models.UUIDField()
    grid = models.BigIntegerField()
    sub_district = models.BigIntegerField()
    purpose = models.CharField(max_length=40)
    file_name = models.CharField(max_length=200, blank=True)
    digest = models.BinaryField(max_length=32)
    generation = models.IntegerField(default=0)
    made_by = models.UUIDField()
    made_by_name = models.CharField(max_length=80, blank=True)
    made_at = models.DateTimeField()
    second_by = models.UUIDField(null=True)
    second_by_name = models.CharField(max_length=80, blank=True)
    second_at = models.DateTimeField(null=True)
    committed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.UUIDField(null=True)
    counts = models.JSONField(default=dict)
    made = models.JSONField(default=list)
    pictures = models.JSONField(default=list)
    told = SealedField(klass="free_text")
    second = SealedField(klass="free_text")

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["COMMITTED", "UNDONE"]) | Q(committed_at__isnull=False),
                name="sheetreturn_committed_when",
            )
        ]
        indexes = [models.Index(fields=["round", "-made_at"])]


class SheetDifference(models.Model):
    """A line said one thing and somebody else another since the sheet was made. Both facts count by the
    ledger's rule until a person has looked.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    back = models.ForeignKey(SheetReturn, on_delete=models.CASCADE, related_name="+")
    number = models.IntegerField()
    incident = models.UUIDField()
    round = models.UUIDField()
    sub_district = models.BigIntegerField()
    grid = models.BigIntegerField(null=True)
    subject = models.UUIDField()
    unit = models.CharField(max_length=10)
    ours = models.UUIDField()
    theirs = models.UUIDField()
    since = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    resolved_by = models.UUIDField(null=True)
    resolution = models.CharField(max_length=8, blank=True)

    objects = ScopedManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ours", "theirs"], name="sheetdifference_once"),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=True, resolved_by__isnull=True)
                | Q(resolved_at__isnull=False, resolved_by__isnull=False),
                name="sheetdifference_resolved_when_and_by",
            ),
        ]
        indexes = [models.Index(fields=["round", "since"], name="sheetdifference_open",
                                condition=Q(resolved_at__isnull=True))]  # fmt: skip
