# SPDX-License-Identifier: Apache-2.0
"""Differences: a sheet said one thing of a line and somebody else another since it was made.

Both facts count by the ledger's rule, in whatever order they came; nobody's word is lost. A person sees both
with who, when and where, and may decide for the one that does not stand: then the standing one is taken back.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from muster.accounts.services import house_device, take_numbers
from muster.base.errors import Refusal
from muster.campaigns.models import DoorEntry, LedgerEntry
from muster.campaigns.queries import round_with_kind
from muster.flows.conflicts import Said, said_by
from muster.flows.recording import record_facts
from muster.sheets.choices import door_choices, outcome_choices
from muster.sheets.marks import steady_id
from muster.sheets.models import SheetDifference
from muster.sheets.queries import lines_of_sheet
from muster.storage.scoping import Scope
from muster.trail.incoming import Incoming
from muster.trail.models import Fact, Verdict
from muster.trail.queries import COUNTING
from muster.trail.services import record_event

CODE = "sheet_differs"
LEFT, TAKEN = "left", "taken"


def differences_in_sight(scope: Scope, *, all_of_them: bool = False) -> list[dict[str, Any]]:
    """As lines of the list of what waits for a person."""
    rows = SheetDifference.objects.within(scope).order_by("-since")
    if not all_of_them:
        rows = rows.filter(resolved_at__isnull=True)
    found: list[SheetDifference] = list(rows.select_related("back__sheet").defer("back__told")[:500])
    counting = set(
        Fact.objects.filter(id__in=[d.theirs for d in found], verdict__in=COUNTING).values_list(
            "id", flat=True
        )
    )
    return [
        {
            "id": one.id, "kind": "entry.outcome", "verdict": Verdict.FLAGGED, "code": CODE,
            "since": one.since, "grid": one.grid, "round": one.round, "seq": one.number,
            "resolved_at": one.resolved_at, "resolution": one.resolution,
            "device": {"id": one.back_id, "name": one.back.sheet.code},
        }
        for one in found if one.theirs in counting
    ]  # fmt: skip


def difference_with_id(one: uuid.UUID, *, scope: Scope) -> SheetDifference | None:
    found: SheetDifference | None = (
        SheetDifference.objects.within(scope)
        .select_related("back__sheet")
        .filter(id=one, resolved_at__isnull=True)
        .first()
    )
    return found


def both_sides(one: SheetDifference) -> dict[str, Any]:
    """Both values: the one that stands by the ledger's rule, and the other."""
    standing, other = _sides(one)
    words = {c.code: {"zh": c.zh, "en": c.en} for c in _choices(one)}
    line = next((x for x in lines_of_sheet(one.back.sheet) if x.number == one.number), None)
    return {
        "person": one.subject,
        "name": line.said.name or line.said.door if line else "",
        "field": "outcome",
        "was": words.get(line.base_outcome, "") if line else "",
        "current": asdict(_said(standing, words)),
        "other": asdict(_said(other, words)),
    }


def leave_as_it_stands(one: SheetDifference, *, by: uuid.UUID, at: datetime) -> None:
    """Somebody looked: both stay, and the ledger's rule with them. Raises Refusal("difference_taken")."""
    _resolve(one, LEFT, by=by, at=at)


def take_the_other(one: SheetDifference, *, by: uuid.UUID, at: datetime) -> None:
    """The standing fact is taken back, by a fact. Raises Refusal("difference_taken")."""
    standing, _ = _sides(one)
    _resolve(one, TAKEN, by=by, at=at)
    if standing is None:
        return
    device = house_device()
    body = {"round": str(one.round), "fact": str(standing.id)}
    fact = Incoming(
        device=device.id, seq=take_numbers(device, 1), id=steady_id("choose", one.id, at=one.since),
        incident=one.incident, kind="fact.undone", actor=by, occurred_at=at, received_at=at,
        sub_district=one.sub_district, subject=one.subject, subject_type=one.unit,
        raw_body=msgspec.json.encode(body), from_desk=True,
    )  # fmt: skip
    record_facts([fact], at=at)


def _resolve(one: SheetDifference, how: str, *, by: uuid.UUID, at: datetime) -> None:
    rows = SheetDifference.objects.across(reason="sheets").filter(id=one.id, resolved_at__isnull=True)
    if not rows.update(resolved_at=at, resolved_by=by, resolution=how):
        raise Refusal("difference_taken")
    record_event("SheetDifference", one.id, "choose", at=at, actor=by, incident=one.incident, reason=how)


def _sides(one: SheetDifference) -> tuple[Fact | None, Fact | None]:
    """The fact that stands now, and the one it is compared with."""
    key = {"round": one.round, "subject": one.subject}
    entry = LedgerEntry.objects.filter(**key).first() or DoorEntry.objects.filter(**key).first()
    standing = entry.fact if entry is not None and entry.fact is not None else one.ours
    other = one.ours if standing == one.theirs else one.theirs
    rows = {fact.id: fact for fact in Fact.objects.filter(round=one.round, id__in=[standing, other])}
    return rows.get(standing), rows.get(other)


def _choices(one: SheetDifference) -> Sequence[Any]:
    return [*outcome_choices(round_with_kind(one.round).campaign.kind.definition), *door_choices()]


def _said(fact: Fact | None, words: dict[str, dict[str, str]]) -> Said:
    if fact is None:
        return Said("")
    return said_by(words.get(fact.value, fact.value), fact)
