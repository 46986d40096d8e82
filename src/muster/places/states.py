# SPDX-License-Identifier: Apache-2.0
"""States of grids and posts."""

from django.db import models


class GridLevel(models.TextChoices):
    SMALL = "SMALL"
    MEDIUM = "MEDIUM"
    LARGE = "LARGE"
    SPECIAL = "SPECIAL"


class GridStatus(models.TextChoices):
    PROPOSED = "PROPOSED"
    PUBLISHED = "PUBLISHED"
    ACTIVE = "ACTIVE"
    SUPERSEDED = "SUPERSEDED"
    RETIRED = "RETIRED"


class PostStatus(models.TextChoices):
    NOMINATED = "NOMINATED"
    ACCEPTED = "ACCEPTED"
    ACTIVE = "ACTIVE"
    HANDED_OVER = "HANDED_OVER"
    VACANT = "VACANT"


class DwellingStatus(models.TextChoices):
    ACTIVE = "ACTIVE"
    GONE = "GONE"
