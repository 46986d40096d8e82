# SPDX-License-Identifier: Apache-2.0
"""The three-way merge of a line: as it was on the sheet, as it came back, as it is now. Pure.

A cell that still says what was exported changes nothing, also where others went on; a blank cell neither.
Different fields merge. Where both sides changed one field, both values are shown to a person.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from muster.register.names import name_key
from muster.sheets.queries import KeptLine
from muster.sheets.told import Mistake, ToldLine

REGISTER_FIELDS = ("name", "phone")


class Will(StrEnum):
    """What becomes of a line. ALREADY: it says what stands there by now."""

    BAD = "bad"
    DIFFERS = "differs"
    NEW = "new"
    CHANGE = "change"
    ALREADY = "already"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Now:
    """What the ledger and the register say of a unit now. fact: which decided its outcome."""

    outcome: str = ""
    fact: uuid.UUID | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """was: on the sheet; told: in the file; now: in the house."""

    field: str
    was: str
    told: str
    now: str

    @property
    def will(self) -> Will:
        if _alike(self.field, self.now, self.told):
            return Will.ALREADY
        return Will.CHANGE if _alike(self.field, self.now, self.was) else Will.DIFFERS


@dataclass(slots=True)
class MergedLine:
    told: ToldLine
    kept: KeptLine | None
    changes: list[FieldChange] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)

    @property
    def will(self) -> Will:
        """The gravest thing that it brings."""
        if self.mistakes:
            return Will.BAD
        if self.kept is None:
            return Will.NEW
        said = {change.will for change in self.changes}
        order = (Will.DIFFERS, Will.CHANGE, Will.ALREADY)
        found = next((will for will in order if will in said), Will.SAME)
        return Will.CHANGE if self.told.note and found in (Will.SAME, Will.ALREADY) else found


def merge_line(told: ToldLine, kept: KeptLine, now: Now) -> MergedLine:
    """The changes that a line brings, field by field."""
    merged = MergedLine(told, kept, mistakes=list(told.mistakes))
    if told.outcome and told.outcome != kept.base_outcome:
        merged.changes.append(FieldChange("outcome", kept.base_outcome, told.outcome, now.outcome))
    if kept.unit == "person":
        for name in REGISTER_FIELDS:
            was, said = getattr(kept.said, name), getattr(told, name)
            if said and not _alike(name, was, said):
                merged.changes.append(FieldChange(name, was, said, now.values.get(name, was)))
    return merged


def count(lines: Sequence[MergedLine], absent: Sequence[int]) -> dict[str, int]:
    counts = dict.fromkeys((str(will) for will in Will), 0)
    for line in lines:
        counts[str(line.will)] += 1
    return {**counts, "rows": len(lines), "absent": len(absent)}


def _alike(name: str, one: str, other: str) -> bool:
    if name == "name":
        return (name_key(one) or "") == (name_key(other) or "")
    if name == "phone":
        return "".join(c for c in one if c.isdigit()) == "".join(c for c in other if c.isdigit())
    return one == other
