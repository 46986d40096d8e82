# SPDX-License-Identifier: Apache-2.0
"""A day of each scenario, played once for all tests that look at it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from tests.drill.played import PlayedDay, play, staged


def _played(data: Path, blocker: Any, **changes: Any) -> Iterator[PlayedDay]:
    with blocker.unblock(), pytest.MonkeyPatch.context() as monkeypatch, transaction.atomic():
        demo = staged(data, monkeypatch, **changes)
        yield play(demo)
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def epidemic_day(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[PlayedDay]:
    yield from _played(tmp_path_factory.mktemp("day"), django_db_blocker)


@pytest.fixture(scope="module")
def flood_day(tmp_path_factory, django_db_setup, django_db_blocker) -> Iterator[PlayedDay]:
    yield from _played(tmp_path_factory.mktemp("flood"), django_db_blocker, scenario="flood", seed=2)
