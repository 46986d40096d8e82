# SPDX-License-Identifier: Apache-2.0
"""Reveals: somebody looks at one field of one person in full. Each is kept, and there is a budget.

Browsing is what the budget is against; work that saves somebody is never stopped by it.
"""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import transaction

from muster.accounts.models import User
from muster.accounts.policy import reveal_budget
from muster.base.errors import Refusal
from muster.trail.models import Disclosure, Event
from muster.trail.services import record_disclosures, record_event

ALARM = "reveal_over_budget"
ALARM_AGAIN_AFTER = timedelta(hours=1)


def record_reveal(
    subject: uuid.UUID,
    *,
    field: str,
    actor: uuid.UUID,
    role: str,
    operation: str,
    purpose: str,
    at: datetime,
    grid: int | None = None,
) -> None:
    """Writes down that this field is about to be seen in full. Call it before the field is read.

    Raises:
        Refusal: "reveal_budget_spent"; then nothing is to be shown.
    """
    budget = reveal_budget()
    with transaction.atomic():
        # Whoever asks twice in one moment is counted one after the other.
        User.objects.select_for_update().get(id=actor)
        is_over = field in budget.fields and _is_over(actor, subject, field, budget.of(role), at)
        is_refused = is_over and purpose not in budget.never_refused_for
        if not is_refused:
            record_disclosures(
                [subject],
                actor=actor,
                role=role,
                operation=operation,
                fields=field,
                at=at,
                grid=grid,
                purpose=purpose,
            )
        if is_over:
            _raise_alarm(actor, role, purpose, at=at, refused=is_refused)
    if is_refused:
        hours = int(budget.within.total_seconds() // 3600)
        raise Refusal("reveal_budget_spent", budget=budget.of(role), hours=hours)


def _is_over(actor: uuid.UUID, subject: uuid.UUID, field: str, most: int, at: datetime) -> bool:
    budget = reveal_budget()
    seen = set(
        Disclosure.objects.filter(
            actor=actor,
            at__gt=at - budget.within,
            operation__endswith=".reveal",
            subject__isnull=False,
            fields__in=budget.fields,
        )
        .values_list("subject", "fields")
        .distinct()
    )
    return (subject, field) not in seen and len(seen) >= most


def _raise_alarm(actor: uuid.UUID, role: str, purpose: str, *, at: datetime, refused: bool) -> None:
    """One alarm an hour of each kind: somebody who keeps trying does not fill the trail."""
    reason = "refused" if refused else "allowed"
    recent = Event.objects.filter(
        entity="User", entity_id=str(actor), verb=ALARM, reason=reason, at__gt=at - ALARM_AGAIN_AFTER
    )
    if not recent.exists():
        record_event(
            "User", actor, ALARM, at=at, actor=actor, reason=reason, role=role, purpose=purpose,
            budget=reveal_budget().of(role),
        )  # fmt: skip
