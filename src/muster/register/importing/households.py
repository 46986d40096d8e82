# SPDX-License-Identifier: Apache-2.0
"""Lists of households, and the households of persons who come with a list."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from muster.register.importing import forms
from muster.register.importing.door_lines import FoundDoor, compose_missing_door, find_doors
from muster.register.importing.form import ROW_ID
from muster.register.importing.ids import imported_id
from muster.register.importing.job import Composition, Job
from muster.register.importing.kind import Kind
from muster.register.importing.referring import referred_households
from muster.register.importing.round_trip import RowId
from muster.register.importing.rows import CheckedRow, Verdict
from muster.register.models import Household

_AT_ONCE = 400


def households_at(doors: Iterable[uuid.UUID]) -> dict[uuid.UUID, list[Household]]:
    """door -> the households that live behind it now."""
    found: dict[uuid.UUID, list[Household]] = defaultdict(list)
    wanted = sorted(set(doors), key=lambda one: one.int)
    for start in range(0, len(wanted), _AT_ONCE):
        rows = Household.objects.across(reason="import").filter(
            dwelling_id__in=wanted[start : start + _AT_ONCE], left_at__isnull=True
        )
        for household in rows:
            found[household.dwelling_id].append(household)
    return found


class HouseholdsAtDoors:
    """The household of each person of a chunk: by its code, or the only one behind the door, or a new one."""

    def __init__(self, doors: Iterable[uuid.UUID]) -> None:
        self._known: dict[uuid.UUID, dict[uuid.UUID, str]] = defaultdict(dict)
        for door, households in households_at(doors).items():
            self._known[door] = {household.id: household.code for household in households}

    def home(
        self, made: Composition, row: CheckedRow, door: FoundDoor, code: str, job: Job
    ) -> uuid.UUID | None:
        """Return the household; None where several live behind the door and the line does not say which."""
        known = self._known[door.place.id]
        fitting = [id_ for id_, each in known.items() if not code or each == code]
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            return None
        household = new_household(imported_id(job.batch, "household", door.key, code), door, job, code=code)
        known[household.id] = code
        made.add(household, entity="household", line=row.number)
        return household.id


def new_household(id_: uuid.UUID, door: FoundDoor, job: Job, *, code: str, kind: str = "family") -> Household:
    place = door.place
    return Household(
        id=id_,
        sub_district=place.sub_district,
        grid=place.grid,
        dwelling_id=place.id,
        code=code,
        kind=kind,
        purpose=job.purpose,
    )


@dataclass(slots=True)
class _Found:
    door: FoundDoor
    known: Household | None = None


class Households(Kind):
    form = forms.HOUSEHOLDS
    entity = "household"
    model = Household
    fields = ("code", "kind")
    columns = ("code", "kind", "rev")
    guard = "rev"

    def resolve(self, rows: Sequence[CheckedRow], job: Job) -> None:
        doors = find_doors([row for row in rows if row.is_good], job)
        good = [row for row in rows if row.is_good]
        by_row_id = self.fetch({row.found.id for row in good if isinstance(row.found, RowId)})
        behind = households_at(doors[row.number].place.id for row in good)
        for row in good:
            base, door = row.found if isinstance(row.found, RowId) else None, doors[row.number]
            row.found = _Found(door)
            if base is not None:
                known = by_row_id.get(base.id)
                if known is None or known.dwelling_id != door.place.id:
                    row.refuse(ROW_ID, "import_row_gone")
                    continue
                row.found.known = known
                self.settle_known(row, known, "row_id", job, base=base)
            else:
                self._settle_at_door(row, behind.get(door.place.id, []), job)

    def _settle_at_door(self, row: CheckedRow, behind: Sequence[Household], job: Job) -> None:
        code = row.values.get("code", "")
        same = [known for known in behind if known.code == code] if code else list(behind)
        if len(same) > 1:
            row.refuse("code", "import_household_ambiguous", count=len(same))
        elif same:
            row.found.known = same[0]
            self.settle_known(row, same[0], "same_household", job)

    def same_keys(self, row: CheckedRow, job: Job) -> Iterable[tuple[str, Hashable]]:
        yield "same_household", (row.found.door.key, row.values.get("code", ""))

    def live(self, known: Household) -> dict[str, str]:
        return {"code": known.code, "kind": known.kind}

    def assign(self, known: Household, field: str, value: str) -> None:
        setattr(known, field, value or ("family" if field == "kind" else ""))

    def fetch(self, ids: Collection[str]) -> dict[str, Household]:
        rows = Household.objects.across(reason="import").filter(id__in=list(ids))
        return {str(household.id): household for household in rows} if ids else {}

    def compose(self, rows: Sequence[CheckedRow], job: Job) -> Composition:
        made = self.composition()
        for row in rows:
            found: _Found = row.found
            if row.verdict == Verdict.NEW:
                compose_missing_door(made, row, found.door, job)
                id_ = imported_id(job.batch, "household", found.door.key, row.values.get("code", ""))
                household = new_household(
                    id_,
                    found.door,
                    job,
                    code=row.values.get("code", ""),
                    kind=row.values.get("kind", "family"),
                )
                made.add(household, entity="household", line=row.number)
            elif row.verdict == Verdict.CHANGED and found.known is not None:
                self.change(made, row, found.known)
        return made

    def referred(self, known: Sequence[Any], *, batch: uuid.UUID) -> dict[str, str]:
        return referred_households(known)
