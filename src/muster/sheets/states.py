# SPDX-License-Identifier: Apache-2.0
"""Kinds of sheets, the ways they come back, and how far a return has come."""

from django.db import models


class SheetKind(models.TextChoices):
    """LIST is the spreadsheet; the others are paper."""

    ROSTER = "ROSTER"
    LIST = "LIST"
    NOTICES = "NOTICES"
    CARDS = "CARDS"
    DUTY = "DUTY"


class Why(models.TextChoices):
    """What a list that leaves the house is for; it stands in the trail."""

    ROUND = "ROUND"
    OUTAGE = "OUTAGE"
    HANDOVER = "HANDOVER"
    CHECK = "CHECK"


class Channel(models.TextChoices):
    SHEET = "SHEET"
    PAPER = "PAPER"


class ReturnState(models.TextChoices):
    """TYPED_ONCE: waits for the second typist. PREVIEWED: nothing is written yet."""

    TYPED_ONCE = "TYPED_ONCE"
    PREVIEWED = "PREVIEWED"
    COMMITTED = "COMMITTED"
    UNDONE = "UNDONE"
