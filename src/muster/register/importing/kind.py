# SPDX-License-Identifier: Apache-2.0
"""Kind: what is particular about one kind of list; each kind's module has one.

A kind checks a line across its columns, finds the known row that it speaks of, and composes what is to be
written.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

from django.db import models

from muster.base.errors import Refusal
from muster.register.importing.form import ROW_ID, Form
from muster.register.importing.job import Change, Composition, Job, Trace
from muster.register.importing.round_trip import RowId, merge, read_row_id
from muster.register.importing.rows import CheckedRow, Problem, Verdict
from muster.register.importing.setting import Setting


class Kind(ABC):
    """fields: what an update may change and what row ids vouch for, in a fixed order. guard: see
    change_rows.
    """

    form: ClassVar[Form]
    entity: ClassVar[str]
    model: ClassVar[type[models.Model]]
    fields: ClassVar[tuple[str, ...]]
    columns: ClassVar[tuple[str, ...]]
    guard: ClassVar[str] = ""
    chunk_rows: ClassVar[int] = 500
    # Its rows belong to an incident: to the one chosen, or to the one in force.
    needs_incident: ClassVar[bool] = False
    sorted_first: ClassVar[bool] = False

    # --- understanding ---

    def check(self, row: CheckedRow, setting: Setting) -> None:  # noqa: B027 -- most kinds need nothing here
        """Look at the cells of a line together; refuse what cannot be."""

    def order(self, row: CheckedRow, setting: Setting) -> int:
        """Where a line must come in the file, for kinds whose lines build on each other."""
        return 0

    @abstractmethod
    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        """Find places and known rows, and settle each line's verdict."""

    @abstractmethod
    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        """The keys by which two lines of a file are about one thing."""

    def are_two(self, first: Any, row: CheckedRow, reason: str) -> bool:
        """Whether two lines that share a key are known to be about two after all."""
        return False

    def remembered(self, row: CheckedRow) -> tuple[Any, ...]:
        """What to keep of a line for later lines that share a key with it: its number first."""
        return (row.number,)

    # --- the known row ---

    @abstractmethod
    def live(self, known: Any) -> dict[str, str]:
        """What the register says of a row, field by field, in the words of the form."""

    @abstractmethod
    def assign(self, known: Any, field: str, value: str) -> None:
        """Set one field from the form's words."""

    @abstractmethod
    def fetch(self, ids: Collection[str]) -> dict[str, Any]:
        """Known rows by id as text."""

    # --- writing ---

    @abstractmethod
    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        """Build what the good lines write. Reads only."""

    def add(self, composition: Composition, job: Job, at: datetime) -> None:
        """Write the new rows. The default inserts them as composed."""
        from muster.register.importing.bulk import insert_rows

        for rows in composition.added.values():
            insert_rows(rows)

    # --- undoing ---

    @abstractmethod
    def referred(self, known: Sequence[Any], *, batch: Any) -> dict[str, str]:
        """id -> why a row that an import added cannot go: somebody refers to it since."""

    def forgotten(self, going: Sequence[Any]) -> None:  # noqa: B027 -- most kinds need nothing here
        """Take away what hangs on rows that an undo removes; the rows go right afterwards."""

    # --- shared steps ---

    def read_row_ids(self, rows: Iterable[CheckedRow], job: Job) -> None:
        """Understand the row ids of an exported list; a bad one is refused."""
        for row in rows:
            if not row.row_id or not row.is_good:
                continue
            try:
                row.found = read_row_id(row.row_id, self.fields, key=job.key)
                row.row_id = row.row_id if row.found is not None else ""
            except Refusal as refusal:
                row.problems.append(Problem.of(ROW_ID, refusal))
                row.verdict = Verdict.BAD

    def settle_known(
        self, row: CheckedRow, known: Any, reason: str, job: Job, *, base: RowId | None = None
    ) -> None:
        """The line is about this row: nothing new, an update, or known and left alone."""
        row.match, row.reason = str(known.pk), reason
        live = self.live(known)
        merged = merge(row.values, live, self.fields, base=base, key=job.key)
        if merged.conflicts:
            for field in merged.conflicts:
                row.refuse(field, "import_changed_meanwhile")
            return
        row.here = {field: old for field, (old, _) in merged.changes.items()}
        if not merged.changes:
            row.verdict = Verdict.SAME
        else:
            row.verdict = Verdict.CHANGED if job.update_known else Verdict.DUPLICATE

    def change(self, composition: Composition, row: CheckedRow, known: Any) -> None:
        """Compose the update of a known row with what stands there now."""
        was = getattr(known, self.guard) if self.guard else None
        fields = [field for field in self.fields if field in row.here]
        before = {field: [row.here[field], row.values[field]] for field in fields}
        for field in fields:
            self.assign(known, field, row.values[field])
        composition.changed.append(Change(known, was))
        told = json.dumps(before, ensure_ascii=False)
        sub_district = getattr(known, "sub_district", None) or 0
        composition.traces.append(
            Trace(row.number, self.entity, str(known.pk), "changed", sub_district, told)
        )
        composition.touch(getattr(known, "grid", None))

    def composition(self) -> Composition:
        return Composition(columns=self.columns, guard=self.guard)


def by_match(rows: Sequence[CheckedRow], verdict: Verdict) -> Mapping[str, CheckedRow]:
    """known id -> the line that is about it."""
    return {row.match: row for row in rows if row.verdict == verdict}
