# SPDX-License-Identifier: Apache-2.0
"""Job: all that judging and writing a list needs to know. Composition: what a chunk of it will write."""

from __future__ import annotations

import uuid
from collections.abc import Hashable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import models

from muster.register.importing.crowds import Crowds
from muster.register.importing.finding import KnownPlaces, Reach
from muster.register.importing.setting import Setting


@dataclass
class Job:
    """One list on its way in. seen: what the lines so far were about, by the keys that make two lines one."""

    batch: uuid.UUID
    setting: Setting
    reach: Reach
    places: KnownPlaces
    key: bytes
    at: datetime
    purpose: str = "daily"
    update_known: bool = False
    create_doors: bool = False
    language: str = "zh"
    seen: dict[tuple[str, Hashable], Any] = field(default_factory=dict)
    crowds: Crowds = field(default_factory=Crowds)


@dataclass(frozen=True, slots=True)
class Trace:
    """A line made or changed this row. before: field -> [old, new] as JSON, for a change."""

    row: int
    entity: str
    id: str
    action: str
    sub_district: int
    before: str | None = None


@dataclass(slots=True)
class Change:
    """A known row with its new cells; `was` is what the guard column said when it was read."""

    row: models.Model
    was: Any


@dataclass(slots=True)
class Composition:
    """What a chunk writes: new rows by table, parents first; changed rows; traces; pairs to look at; grids
    touched.

    heard: known persons whose phones must hear of them anew, though their own row stays.
    """

    added: dict[type[models.Model], list[Any]] = field(default_factory=dict)
    changed: list[Change] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    guard: str = ""
    traces: list[Trace] = field(default_factory=list)
    pairs: list[tuple[Any, uuid.UUID, str]] = field(default_factory=list)
    grids: set[int] = field(default_factory=set)
    heard: set[uuid.UUID] = field(default_factory=set)

    def add(self, row: models.Model, *, entity: str, line: int) -> None:
        known: Any = row
        self.added.setdefault(type(row), []).append(row)
        sub_district = getattr(known, "sub_district", None) or 0
        self.traces.append(Trace(line, entity, str(known.pk), "added", sub_district))
        self.touch(getattr(known, "grid", None))

    def touch(self, grid: int | None) -> None:
        if grid is not None:
            self.grids.add(grid)
