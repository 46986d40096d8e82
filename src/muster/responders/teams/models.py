# SPDX-License-Identifier: Apache-2.0
"""Team, TeamMember, TeamPlace (a post or a zone of a team, and who holds it); names stay with the people."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from muster.base.ids import new_id


class Team(models.Model):
    """People who serve together in an area for a time. kind: of the pack. head: one of its members."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    incident = models.UUIDField()
    area = models.BigIntegerField()
    area_path = models.CharField(max_length=200)
    kind = models.CharField(max_length=40)
    name = models.CharField(max_length=80)
    name_en = models.CharField(max_length=80, blank=True)
    head = models.UUIDField(null=True)
    keeps_together = models.BooleanField(default=False)
    version = models.IntegerField(default=1)
    made_at = models.DateTimeField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="team_ends_after_start",
            ),
            models.UniqueConstraint(
                fields=["incident", "area", "name"],
                condition=Q(ends_at__isnull=True),
                name="team_once_by_name",
            ),
        ]
        indexes = [models.Index(fields=["incident", "ends_at"], name="team_of_incident")]


class TeamMember(models.Model):
    """Somebody in a team, from when until when."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="members")
    incident = models.UUIDField()
    responder = models.UUIDField()
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "responder"], condition=Q(until__isnull=True), name="teammember_once"
            )
        ]
        indexes = [models.Index(fields=["responder", "until"], name="teammember_of_responder")]


class TeamPlace(models.Model):
    """A post or a zone of a team. code: of the pack; place: where it is, in words; holder: a member."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="places")
    incident = models.UUIDField()
    code = models.CharField(max_length=40)
    place = models.CharField(max_length=120)
    grid = models.BigIntegerField(null=True)
    duty = models.TextField(blank=True)
    holder = models.UUIDField(null=True)
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "code", "place"], condition=Q(until__isnull=True), name="teamplace_once"
            )
        ]
        indexes = [models.Index(fields=["holder", "until"], name="teamplace_of_holder")]
