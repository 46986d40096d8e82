# SPDX-License-Identifier: Apache-2.0
"""States of rounds, entries and doors, and which change may follow which."""

from django.db import models


class Unit(models.TextChoices):
    PERSON = "person"
    HOUSEHOLD = "household"
    DWELLING = "dwelling"


class RoundStatus(models.TextChoices):
    PLANNED = "PLANNED"
    ROSTER_FROZEN = "ROSTER_FROZEN"
    OPEN = "OPEN"
    CLOSING = "CLOSING"
    CLOSED = "CLOSED"
    CERTIFIED = "CERTIFIED"


ROUND_TRANSITIONS: dict[str, frozenset[str]] = {
    RoundStatus.PLANNED: frozenset({RoundStatus.ROSTER_FROZEN}),
    RoundStatus.ROSTER_FROZEN: frozenset({RoundStatus.OPEN}),
    RoundStatus.OPEN: frozenset({RoundStatus.CLOSING}),
    RoundStatus.CLOSING: frozenset({RoundStatus.CLOSED, RoundStatus.OPEN}),
    RoundStatus.CLOSED: frozenset({RoundStatus.CERTIFIED, RoundStatus.CLOSING}),
    RoundStatus.CERTIFIED: frozenset(),
}

RECORDING = frozenset({RoundStatus.OPEN, RoundStatus.CLOSING})


class EntryClass(models.TextChoices):
    OPEN = "OPEN"
    DONE = "DONE"
    ARRANGED = "ARRANGED"
    EXPLAINED = "EXPLAINED"
    UNREACHED = "UNREACHED"


class Origin(models.TextChoices):
    FROZEN = "FROZEN"
    ADDED = "ADDED"


class DoorState(models.TextChoices):
    UNSEEN = "UNSEEN"
    SEEN = "SEEN"
    VACANT = "VACANT"
    NO_ANSWER = "NO_ANSWER"
    REFUSED = "REFUSED"
