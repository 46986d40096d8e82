# SPDX-License-Identifier: Apache-2.0
"""The outbox meets the people who serve: who may be paged now, and what is due goes out."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection
from datetime import datetime

from django.conf import settings

from muster.notifications.delivery import Report, deliver_due
from muster.notifications.senders import SMS_FOLDER, SmsFile
from muster.responders.models import Responder
from muster.responders.placement.told import note_unsent
from muster.responders.rules import is_tired
from muster.responders.states import CAN_BE_ASKED


def on_duty(responders: Collection[uuid.UUID], *, at: datetime) -> set[uuid.UUID]:
    """Those of them who serve now and are not due for a rest; nobody else is paged."""
    rows = Responder.objects.across(reason="dispatch").filter(id__in=responders, status__in=CAN_BE_ASKED)
    return {row[0] for row in rows.values_list("id", "on_duty_since") if not is_tired(row[1], at=at)}


def deliver(*, now: Callable[[], datetime], stopping: Callable[[], bool] = lambda: False) -> Report:
    """Sends what is due, to whom it may be sent."""
    return deliver_due(
        now=now,
        on_duty=lambda ids: on_duty(ids, at=now()),
        sms=SmsFile(settings.ENVIRONMENT.data / SMS_FOLDER),
        stopping=stopping,
        unsent=note_unsent,
    )
