# SPDX-License-Identifier: Apache-2.0
"""Lists of areas: the administrative tree, parents before children however the file is ordered."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from muster.places.models import Area
from muster.places.services import add_area
from muster.register.importing import forms
from muster.register.importing.form import ROW_ID
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.referring import referred_areas
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Verdict
from muster.register.importing.setting import Setting


@dataclass(slots=True)
class _Found:
    known: Area | None = None


class Areas(Kind):
    form = forms.AREAS
    entity = "area"
    model = Area
    fields = ("name", "name_en", "kind")
    columns = ("name", "name_en", "kind")
    chunk_rows = 100
    sorted_first = True

    def order(self, row: CheckedRow, setting: Setting) -> int:
        keys = [level.code for level in setting.levels]
        level = row.values.get("level", "")
        return keys.index(level) if level in keys else len(keys)

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        good = [row for row in rows if row.is_good]
        codes = {row.values[key] for row in good for key in ("code", "parent") if key in row.values}
        known = {area.code: area for area in Area.objects.filter(code__in=codes).select_related("parent")}
        by_id = self.fetch({row.found.id for row in good if isinstance(row.found, RowId)})
        for row in good:
            base = row.found if isinstance(row.found, RowId) else None
            row.found = _Found()
            self._check_parent(row, known, job)
            if not row.is_good:
                continue
            same = by_id.get(base.id) if base else known.get(row.values["code"])
            if base is not None and (same is None or same.code != row.values["code"]):
                row.refuse(ROW_ID, "import_row_gone")
            elif same is not None:
                self._settle(row, same, base, job)
            if row.is_good:  # the next line may hang below this one
                job.seen["area_level", row.values["code"]] = row.values["level"]

    def _check_parent(self, row: CheckedRow, known: dict[str, Area], job: Job) -> None:
        """A parent stands in the register or in this file, one or more levels above, within the operator's
        reach.
        """
        code = row.values.get("parent", "")
        if not code:
            if self.order(row, job.setting) > 0 or "/" not in job.reach.paths:
                row.refuse("parent", "import_area_without_parent")
            return
        level = job.seen.get(("area_level", code))
        parent = known.get(code)
        if parent is not None and job.reach.covers(parent.path):
            level = parent.level
        if level is None:
            row.refuse("parent", "import_parent_unknown", parent=code)
        elif self._rank(str(level), job) >= self.order(row, job.setting):
            row.refuse("level", "import_parent_not_above", parent=code)

    def _rank(self, level: str, job: Job) -> int:
        keys = [one.code for one in job.setting.levels]
        return keys.index(level) if level in keys else -1

    def _settle(self, row: CheckedRow, same: Area, base: RowId | None, job: Job) -> None:
        row.found.known = same
        if not job.reach.covers(same.path):
            row.refuse("code", "import_area_elsewhere")
            return
        parent = same.parent.code if same.parent else ""
        if row.values.get("parent", "") != parent or row.values["level"] != same.level:
            row.refuse("parent", "import_area_moved")
            return
        self.settle_known(row, same, "row_id" if base else "same_code", job, base=base)

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        yield "same_code", row.values["code"]

    def live(self, known: Area) -> dict[str, str]:
        return {
            "name": known.name,
            "name_en": known.name_en,
            "kind": "" if known.kind == "ORDINARY" else known.kind,
        }

    def assign(self, known: Area, field: str, value: str) -> None:
        setattr(known, field, value or ("ORDINARY" if field == "kind" else ""))

    def fetch(self, ids: Collection[str]) -> dict[str, Area]:
        numbers = [int(one) for one in ids if one.isdigit() and len(one) < 19]
        return {str(area.id): area for area in Area.objects.filter(id__in=numbers).select_related("parent")}

    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        made = self.composition()
        for row in rows:
            if row.verdict == Verdict.NEW:
                area = Area(
                    code=row.values["code"],
                    name=row.values["name"],
                    name_en=row.values.get("name_en", ""),
                    level=row.values["level"],
                    kind=row.values.get("kind", "ORDINARY"),
                )
                area.__dict__["parent_code"] = row.values.get("parent", "")
                made.add(area, entity="area", line=row.number)
            elif row.verdict == Verdict.CHANGED:
                self.change(made, row, row.found.known)
        return made

    def add(self, composition: Composition, job: Job, at: datetime) -> None:
        """The tree's own service gives paths and numbers, so that traces learn their ids here."""
        new: list[Area] = composition.added.get(Area, [])
        codes = {area.__dict__["parent_code"] for area in new}
        parents = {area.code: area for area in Area.objects.filter(code__in=codes)}
        made = []
        for area in new:
            added = add_area(
                code=area.code,
                name=area.name,
                level=area.level,
                parent=parents.get(area.__dict__["parent_code"]),
                is_partition=area.level == job.setting.pack.areas.partition,
                name_en=area.name_en,
                kind=area.kind,
            )
            parents[added.code] = added
            made.append(str(added.id))
        ids = iter(made)
        composition.traces = [
            replace(trace, id=next(ids)) if trace.action == "added" else trace for trace in composition.traces
        ]

    def referred(self, known: Sequence[Any], *, batch: uuid.UUID) -> dict[str, str]:
        return referred_areas(known)
