# SPDX-License-Identifier: Apache-2.0
"""Two records of one person become one in the register, and two again when that was a mistake.

What comes along with the other record is written down as ids and names of fields, so that taking a merge back
restores both exactly. What was kept for an incident only never moves into the standing register.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from muster.base.errors import Refusal
from muster.places.models import Gone
from muster.places.services import leave_tombstones
from muster.register.models import DuplicatePair, Household, Need, PairState, Person

DAILY = "daily"
# Cells that are filled where the survivor's are blank, each with what belongs to it.
CELLS: dict[str, tuple[str, ...]] = {
    "phone": ("phone", "phone_index"),
    "id_number": ("id_number", "id_number_index"),
    "note": ("note",),
    "birth_date": ("birth_date",),
    "birth_year": ("birth_year",),
    "sex": ("sex",),
    "languages": ("languages",),
}
BLANK: dict[str, Any] = {"sex": "", "languages": []}


@dataclass(slots=True)
class Carried:
    """What came along: names of cells, ids of needs, pairs and households; how the other stood before."""

    cells: list[str] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    joined: str | None = None
    household_left: str | None = None
    household_into: str | None = None
    pairs: list[str] = field(default_factory=list)
    pairs_made: list[str] = field(default_factory=list)
    rounds: list[str] = field(default_factory=list)
    left_at: str | None = None
    lives_here: bool = True
    version: int = 0

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Carried:
        return cls(**raw)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def cells_to_carry(survivor: Person, other: Person) -> list[str]:
    """The cells that are blank here and said there, unless they lie under another purpose or contradict."""
    if survivor.purpose != other.purpose:
        return []
    cells = [c for c in CELLS if getattr(survivor, c) in (None, "", []) and getattr(other, c)]
    if "birth_date" in cells and survivor.birth_year not in (None, other.birth_year):
        cells.remove("birth_date")
    return cells


def why_not_survive(survivor: Person, other: Person) -> str | None:
    """The code of what forbids that this record lives on, or None."""
    if survivor.merged_into is not None or other.merged_into is not None:
        return "merge_already_merged"
    if survivor.left_at is not None:
        return "merge_survivor_left"
    if survivor.purpose != DAILY and other.purpose == DAILY:
        return "merge_keep_the_standing"
    return None


def household_to_join(survivor: Person, other: Person) -> uuid.UUID | None:
    """The other's household, where the survivor has none and both live behind one door."""
    if survivor.household_id is None and survivor.dwelling_id == other.dwelling_id:
        joined: uuid.UUID | None = other.household_id
        return joined
    return None


def household_to_leave(survivor: Person, other: Person) -> uuid.UUID | None:
    """The other's household, where nobody else is in it and the survivor has one of his own."""
    mine, theirs = survivor.household_id, other.household_id
    if mine is None or theirs is None or mine == theirs:
        return None
    rest = Person.objects.across(reason="duplicates").filter(household_id=theirs, left_at__isnull=True)
    return None if rest.exclude(id=other.id).exists() else theirs


def merge_records(
    pair: DuplicatePair,
    survivor: Person,
    other: Person,
    *,
    by: uuid.UUID,
    at: datetime,
    revisions: Mapping[int, int],
) -> Carried:
    """Writes the merge into the register, inside the caller's transaction."""
    carried = Carried(
        cells=cells_to_carry(survivor, other),
        left_at=other.left_at.isoformat() if other.left_at else None,
        lives_here=other.lives_here,
    )
    for cell in carried.cells:
        for column in CELLS[cell]:
            setattr(survivor, column, getattr(other, column))
    _carry_household(survivor, other, carried, at=at, revisions=revisions)
    survivor.version += 1
    survivor.rev = revisions.get(survivor.grid or 0, survivor.rev)
    carried.version = survivor.version
    survivor.save()
    other.merged_into, other.lives_here = survivor.id, False
    other.left_at = other.left_at or at
    other.rev = revisions.get(other.grid or 0, other.rev)
    other.save(update_fields=["merged_into", "lives_here", "left_at", "rev"])
    _carry_needs(survivor, other, carried)
    _carry_pairs(pair, survivor, other, carried, by=by, at=at)
    return carried


def _carry_household(
    survivor: Person, other: Person, carried: Carried, *, at: datetime, revisions: Mapping[int, int]
) -> None:
    joined, left = household_to_join(survivor, other), household_to_leave(survivor, other)
    if joined is not None:
        survivor.household_id, carried.joined = joined, str(joined)
    if left is None:
        return
    row = Household.objects.across(reason="duplicates").get(id=left)
    if row.left_at is not None:
        return
    carried.household_left, carried.household_into = str(left), str(survivor.household_id)
    rev = revisions.get(row.grid or 0, row.rev)
    Household.objects.across(reason="duplicates").filter(id=left).update(left_at=at, rev=rev)
    if row.grid is not None:
        leave_tombstones([(row.grid, rev, "household", left)])


def _carry_needs(survivor: Person, other: Person, carried: Carried) -> None:
    needs = Need.objects.across(reason="duplicates").filter(ended_at__isnull=True)
    known = set(needs.filter(person=survivor).values_list("kind", flat=True))
    for need in needs.filter(person=other).order_by("id"):
        if need.kind not in known:
            move_need(need, survivor)
            carried.needs.append(str(need.id))


def move_need(need: Need, to: Person) -> None:
    """A need belongs to somebody else now; its note is sealed anew under the key of the new place."""
    note = need.note
    need.person, need.grid, need.sub_district, need.note = to, to.grid, to.sub_district, note
    need.save()


def _carry_pairs(
    pair: DuplicatePair, survivor: Person, other: Person, carried: Carried, *, by: uuid.UUID, at: datetime
) -> None:
    """Whom the other was like, the survivor is like now."""
    pairs = DuplicatePair.objects.across(reason="duplicates")
    rest = pairs.filter(Q(first=other.id) | Q(second=other.id), status=PairState.OPEN).exclude(id=pair.id)
    for one in rest:
        third = one.second if one.first == other.id else one.first
        first, second = sorted((survivor.id, third), key=lambda i: i.int)
        if third != survivor.id and not pairs.filter(first=first, second=second).exists():
            made = DuplicatePair.objects.create(
                sub_district=survivor.sub_district, grid=survivor.grid, first=first, second=second,
                reason=one.reason, found_at=one.found_at,
            )  # fmt: skip
            carried.pairs_made.append(str(made.id))
        carried.pairs.append(str(one.id))
    pairs.filter(id__in=carried.pairs).update(status=PairState.CARRIED, decided_at=at, decided_by=by)


def part_records(carried: Carried, survivor: Person, other: Person, *, revisions: Mapping[int, int]) -> None:
    """Takes a merge back, inside the caller's transaction.

    Raises:
        Refusal: "merge_built_on" when the survivor's record has changed since.
    """
    if survivor.merged_into is not None or survivor.version != carried.version:
        raise Refusal("merge_built_on")
    for cell in carried.cells:
        for column in CELLS[cell]:
            setattr(survivor, column, BLANK.get(column))
    if carried.joined is not None and str(survivor.household_id) == carried.joined:
        survivor.household_id = None
    survivor.version += 1
    survivor.rev = revisions.get(survivor.grid or 0, survivor.rev)
    survivor.save()
    other.merged_into, other.lives_here = None, carried.lives_here
    other.left_at = datetime.fromisoformat(carried.left_at) if carried.left_at else None
    other.rev = revisions.get(other.grid or 0, other.rev)
    other.save(update_fields=["merged_into", "lives_here", "left_at", "rev"])
    _bring_household_back(carried, revisions)
    needs = Need.objects.across(reason="duplicates").filter(id__in=carried.needs, person=survivor)
    for need in needs:
        move_need(need, other)
    pairs = DuplicatePair.objects.across(reason="duplicates")
    pairs.filter(id__in=carried.pairs_made, status=PairState.OPEN).delete()
    pairs.filter(id__in=carried.pairs, status=PairState.CARRIED).update(
        status=PairState.OPEN, decided_at=None, decided_by=None
    )
    # The merge before this one can be taken back in its turn: nothing is built on it any more.
    for before in pairs.filter(survivor=survivor.id, status=PairState.MERGED):
        if before.carried["version"] == carried.version - 1:
            pairs.filter(id=before.id).update(carried={**before.carried, "version": survivor.version})


def _bring_household_back(carried: Carried, revisions: Mapping[int, int]) -> None:
    if carried.household_left is None:
        return
    rows = Household.objects.across(reason="duplicates").filter(id=carried.household_left)
    for row in rows:
        rev = revisions.get(row.grid or 0, row.rev)
        rows.update(left_at=None, rev=rev)
    # A phone that hears of both at once must not forget what is back.
    Gone.objects.filter(type="household", subject=uuid.UUID(carried.household_left)).delete()
