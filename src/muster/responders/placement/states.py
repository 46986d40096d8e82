# SPDX-License-Identifier: Apache-2.0
"""States of a placement plan, of its seats, and of a place that somebody holds."""

from django.db import models

from muster.responders.states import ResponderStatus


class PlacementState(models.TextChoices):
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    READY = "READY"
    FAILED = "FAILED"
    ADOPTING = "ADOPTING"
    PARTLY = "PARTLY"
    ADOPTED = "ADOPTED"
    TAKING_BACK = "TAKING_BACK"
    TAKEN_BACK = "TAKEN_BACK"


class SeatState(models.TextChoices):
    PROPOSED = "PROPOSED"
    ADOPTED = "ADOPTED"
    SKIPPED = "SKIPPED"
    TAKEN_BACK = "TAKEN_BACK"
    KEPT = "KEPT"


class AssignmentState(models.TextChoices):
    NOMINATED = "NOMINATED"
    ACCEPTED = "ACCEPTED"
    HANDED_OVER = "HANDED_OVER"
    TAKEN_BACK = "TAKEN_BACK"


class ByHand(models.TextChoices):
    """Why a message is not enough. NO_CODE: he was brought in by a list and has nowhere to look."""

    NO_PHONE = "NO_PHONE"
    NO_CODE = "NO_CODE"
    NOT_SENT = "NOT_SENT"


P = PlacementState

# Plans that wait for the worker, and those that a person may still change or adopt.
UNDER_WAY = frozenset({P.QUEUED, P.RUNNING, P.ADOPTING, P.TAKING_BACK})
ADOPTABLE = frozenset({P.READY, P.PARTLY})
RETURNABLE = frozenset({P.ADOPTED, P.PARTLY})
# Whom a plan may give a place, and who holds one that it must leave alone.
PLACEABLE = frozenset({ResponderStatus.VETTED, ResponderStatus.ASSIGNED})
FIXED = frozenset({ResponderStatus.ON_DUTY, ResponderStatus.STANDBY, ResponderStatus.RESTING})
