# SPDX-License-Identifier: Apache-2.0
"""A world with an outbox, a clock that tests move, a folder for the SMS file."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from muster.notifications.delivery import Report, deliver_due
from muster.notifications.models import Message
from muster.notifications.senders import SmsFile
from muster.notifications.services import Audience, notify
from tests.support.world import NOON, World, make_world


@dataclass
class Outbox:
    world: World
    folder: Path
    at: datetime = NOON
    off_duty: set[uuid.UUID] = field(default_factory=set)

    def tell(self, template: str, audience: Audience, *, key: str = "1", **more: Any) -> int:
        return notify(
            template, key=key, audience=audience, incident=self.world.incident.id, at=self.at, **more
        )

    def on_duty(self, ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
        return set(ids) - self.off_duty

    def deliver(self, *, sms: Any = None, **after: float) -> Report:
        self.at += timedelta(**after)
        return deliver_due(now=lambda: self.at, on_duty=self.on_duty, sms=sms or SmsFile(self.folder))

    def lines(self) -> list[dict[str, Any]]:
        path = self.folder / f"{self.world.incident.id}.jsonl"
        return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []

    def states(self) -> list[tuple[str, str]]:
        rows = Message.objects.across(reason="messages").order_by("id")
        return list(rows.values_list("status", "fault"))


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(make_world(frozen=False, doors=1, people=1), tmp_path / "sms")
