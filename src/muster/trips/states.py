# SPDX-License-Identifier: Apache-2.0
"""Hops of a trip to care and back, and what a trip is. No hop is a precondition of another."""

from django.db import models


class Hop(models.TextChoices):
    """HOSPITAL: one said yes. VEHICLE: who drives is known. GATE: it was told. The rest is the way."""

    HOSPITAL = "HOSPITAL"
    VEHICLE = "VEHICLE"
    GATE = "GATE"
    LEFT = "LEFT"
    ARRIVED = "ARRIVED"
    WAY_BACK = "WAY_BACK"
    HOME = "HOME"


ORDER: tuple[str, ...] = tuple(Hop.values)
# What is arranged beforehand where there is time, and follows where there is none.
PAPERS = frozenset({Hop.HOSPITAL, Hop.VEHICLE, Hop.GATE})
WAY: tuple[str, ...] = (Hop.LEFT, Hop.ARRIVED, Hop.WAY_BACK, Hop.HOME)


class TripStatus(models.TextChoices):
    PLANNED = "PLANNED"
    AWAY = "AWAY"
    THERE = "THERE"
    COMING_BACK = "COMING_BACK"
    HOME = "HOME"
    CANCELLED = "CANCELLED"


ENDED = frozenset({TripStatus.HOME, TripStatus.CANCELLED})


class Urgency(models.TextChoices):
    LIFE = "LIFE"
    URGENT = "URGENT"
    NORMAL = "NORMAL"


class Transport(models.TextChoices):
    """OWN: they go by themselves; nobody has to drive."""

    VEHICLE = "VEHICLE"
    AMBULANCE = "AMBULANCE"
    OWN = "OWN"


class Answer(models.TextChoices):
    """What a hospital said when it was asked."""

    WAITING = "WAITING"
    YES = "YES"
    NO = "NO"


class SkipReason(models.TextChoices):
    """Why a hop is not needed, or a trip is called off."""

    NOT_NEEDED = "NOT_NEEDED"
    STAYS_THERE = "STAYS_THERE"
    WENT_BY_OTHERS = "WENT_BY_OTHERS"
    NOT_WANTED = "NOT_WANTED"
    MOVED = "MOVED"
    MISTAKE = "MISTAKE"
