# SPDX-License-Identifier: Apache-2.0
"""Writes of responders: jobs taken and given back."""

from __future__ import annotations

import uuid

from django.db.models import F

from muster.base.errors import Refusal
from muster.responders.models import Responder


def take_job(responder: uuid.UUID) -> None:
    """Counts one more job, never above the cap: two at once cannot slip through.

    Raises:
        Refusal: "responder_full".
    """
    changed = (
        Responder.objects.across(reason="own")
        .filter(id=responder, open_jobs__lt=F("most_jobs"))
        .update(open_jobs=F("open_jobs") + 1)
    )
    if not changed:
        raise Refusal("responder_full")


def give_job_back(responder: uuid.UUID) -> None:
    Responder.objects.across(reason="own").filter(id=responder, open_jobs__gt=0).update(
        open_jobs=F("open_jobs") - 1
    )
