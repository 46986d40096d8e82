# SPDX-License-Identifier: Apache-2.0
"""Files are read in this process here: the child that reads them under limits has tests of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from muster.register.importing.limits import LIMITS
from muster.register.importing.reading import Sheet
from muster.register.importing.sheet_child import Order, frames


@contextmanager
def read_here(raw: bytes, *, names: Mapping[str, str], limits: Any = LIMITS) -> Iterator[Sheet]:
    told = frames(raw, Order(limits, dict(names)))
    head = next(told)["head"]
    rows = (row for frame in told if "rows" in frame for row in frame["rows"])
    yield Sheet(head["form"], head["sheet"], head["encoding"], head["rows"], rows)


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "in_a_child" not in request.fixturenames:
        monkeypatch.setattr("muster.sheets.reading.open_sheet", read_here)


@pytest.fixture
def in_a_child() -> None:
    """This test reads its file as the house does."""
