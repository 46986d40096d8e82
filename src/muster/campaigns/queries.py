# SPDX-License-Identifier: Apache-2.0
"""Reads of rounds, entries and accounts."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Collection, Sequence

from django.db.models import Count, QuerySet

from muster.base.errors import Refusal
from muster.campaigns.models import Certificate, DoorEntry, LedgerEntry, Round, RoundGrid
from muster.campaigns.states import RECORDING, EntryClass

MISSING = (EntryClass.OPEN, EntryClass.UNREACHED)


def round_with_kind(round_id: uuid.UUID) -> Round:
    """Raises Refusal("round_unknown")."""
    found = Round.objects.select_related("campaign__kind").filter(id=round_id).first()
    if found is None:
        raise Refusal("round_unknown", round=str(round_id))
    return found


def recording_rounds(ids: Collection[uuid.UUID]) -> frozenset[uuid.UUID]:
    """Those of them in which is still recorded."""
    if not ids:
        return frozenset()
    return frozenset(Round.objects.filter(id__in=ids, status__in=RECORDING).values_list("id", flat=True))


def grids_of_round(round_id: uuid.UUID) -> frozenset[int]:
    return frozenset(RoundGrid.objects.filter(round=round_id).values_list("grid", flat=True))


def accounts_of_round(round_id: uuid.UUID, grids: Collection[int] | None = None) -> list[RoundGrid]:
    rows = RoundGrid.objects.filter(round=round_id)
    if grids is not None:
        rows = rows.filter(grid__in=grids)
    return list(rows.order_by("grid"))


def account_of_grid(round_id: uuid.UUID, grid: int) -> RoundGrid:
    """Raises Refusal("grid_not_in_round")."""
    found = RoundGrid.objects.filter(round=round_id, grid=grid).first()
    if found is None:
        raise Refusal("grid_not_in_round", grid=grid)
    return found


def homes_of(account: RoundGrid) -> list[int]:
    """The sub-districts whose rows may stand in this grid: its own, and those that somebody came from."""
    return [account.sub_district, *account.guests_from]


def guest_homes(round_id: uuid.UUID, sub_districts: Collection[int]) -> set[int]:
    """Sub-districts from which somebody came over a border into these; the key he keeps is from there."""
    rows = RoundGrid.objects.filter(round=round_id, sub_district__in=sub_districts)
    return {home for guests in rows.values_list("guests_from", flat=True) for home in guests}


def entries_of_grid(account: RoundGrid) -> QuerySet[LedgerEntry]:
    """The entries that stand in a grid now, also those that came from elsewhere. Carries the key."""
    return LedgerEntry.objects.filter(
        round=account.round, sub_district__in=homes_of(account), grid=account.grid
    )


def doors_of_grid(account: RoundGrid) -> QuerySet[DoorEntry]:
    """The doors of a grid, also of buildings that a re-grid brought over a border. Carries the key."""
    return DoorEntry.objects.filter(
        round=account.round, sub_district__in=homes_of(account), grid=account.grid
    )


def counted_classes(account: RoundGrid) -> dict[str, int]:
    """The counted side of the equation, from the entries themselves."""
    counts = Counter(dict.fromkeys(EntryClass.values, 0))
    for cls, n in entries_of_grid(account).values_list("cls").annotate(n=Count("subject")):
        counts[cls] += n
    return dict(counts)


def missing_entries(
    accounts: Sequence[RoundGrid], *, classes: Collection[str] = MISSING
) -> QuerySet[LedgerEntry]:
    """Entries of these grids that nobody has reached yet."""
    if not accounts:
        return LedgerEntry.objects.none()
    homes = {a.sub_district for a in accounts} | {g for a in accounts for g in a.guests_from}
    return LedgerEntry.objects.filter(
        round=accounts[0].round,
        sub_district__in=homes,
        grid__in=[a.grid for a in accounts],
        cls__in=list(classes),
    )


def certificate_in_force(round_id: uuid.UUID, grid: int) -> Certificate | None:
    return Certificate.objects.filter(round=round_id, grid=grid, withdrawn_at__isnull=True).first()
