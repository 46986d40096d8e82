# SPDX-License-Identifier: Apache-2.0
"""Merging: somebody judges that two records are one person, or that they are not; either can be taken back.

Nothing is merged silently and nobody drops out. On every roster that is still being worked the other's entry
stays, explained as merged; what was done for him counts for the survivor, also what is still to come from a
phone. A round that is closed stays as it was closed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from muster.accounts.services import house_device, take_numbers
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry, Round
from muster.campaigns.queries import accounts_of_round, grids_of_round, homes_of
from muster.campaigns.states import RoundStatus, Unit
from muster.flows.recording import record_as_one
from muster.places.queries import door_places, sub_districts_of_grids
from muster.places.services import bump_revisions
from muster.register.merging import (
    Carried,
    household_to_leave,
    merge_records,
    part_records,
    why_not_survive,
)
from muster.register.models import DuplicatePair, PairState, Person
from muster.storage.writes import LostRace
from muster.trail.incoming import Incoming
from muster.trail.services import record_event

WORKED = (RoundStatus.ROSTER_FROZEN, RoundStatus.OPEN, RoundStatus.CLOSING)
# How somebody can know that two are one, or that they are not.
REASONS_MERGED = ("asked_them", "papers", "same_phone_answered", "grid_head_knows", "list_error")
REASONS_APART = ("asked_them", "papers", "relatives", "grid_head_knows", "names_only_alike")


@dataclass(frozen=True, slots=True)
class Two:
    """The two units of a pair on one roster: persons, or the households they emptied and joined."""

    unit: str
    survivor: uuid.UUID
    other: uuid.UUID
    door: uuid.UUID


def persons_of(pair: DuplicatePair) -> tuple[Person, Person]:
    """Raises Refusal("pair_without_person") where one of them is no longer in the register."""
    rows = Person.objects.across(reason="duplicates").in_bulk([pair.first, pair.second])
    if len(rows) < 2:
        raise Refusal("pair_without_person")
    return rows[pair.first], rows[pair.second]


def merge_pair(pair: DuplicatePair, *, survivor: uuid.UUID, why: str, by: uuid.UUID, at: datetime) -> None:
    """The two are one person; this one lives on.

    Raises:
        Refusal: "pair_decided", "pair_without_person", "reason_unknown_choice", "survivor_not_of_pair", the
        code of why_not_survive, "ledger_busy".
    """
    _demand(pair, PairState.OPEN, why, REASONS_MERGED)
    first, second = persons_of(pair)
    if survivor not in (first.id, second.id):
        raise Refusal("survivor_not_of_pair")
    keeps, other = (first, second) if survivor == first.id else (second, first)
    refused = why_not_survive(keeps, other)
    if refused is not None:
        raise Refusal(refused)
    facts = _facts_of_merge(_units(keeps, other), grids={g for g in (first.grid, second.grid) if g})

    @contextmanager
    def beside() -> Iterator[None]:
        _lock_unchanged(keeps, other)
        one, two = persons_of(pair)
        mine, theirs = (one, two) if one.id == keeps.id else (two, one)
        revisions = bump_revisions({g for g in (mine.grid, theirs.grid) if g is not None})
        carried = merge_records(pair, mine, theirs, by=by, at=at, revisions=revisions)
        carried.rounds = sorted({str(f.round_) for f in facts})
        _settle_pair(pair, PairState.MERGED, why=why, by=by, at=at, survivor=mine.id, carried=carried)
        told: dict[str, Any] = {"pair": str(pair.id), "rounds": len(carried.rounds), "cells": carried.cells}
        record_event("Person", mine.id, "take_in", at=at, actor=by, reason=why, other=str(theirs.id), **told)
        record_event("Person", theirs.id, "merge", at=at, actor=by, reason=why, into=str(mine.id), **told)
        yield

    record_as_one(_numbered(facts, by=by, at=at), at=at, beside=beside)


def part_pair(pair: DuplicatePair, *, why: str, by: uuid.UUID, at: datetime) -> None:
    """The two are not one person. Raises Refusal pair_decided, reason_unknown_choice."""
    _demand(pair, PairState.OPEN, why, REASONS_APART)
    record_as_one((), at=at, beside=_settling(pair, PairState.NOT_DUPLICATE, why=why, by=by, at=at))


def undo_judgement(pair: DuplicatePair, *, by: uuid.UUID, at: datetime) -> None:
    """The question is open again, and two merged records are two again, while nothing was built on it.

    Raises:
        Refusal: "pair_not_decided", "merge_built_on", "merge_round_closed" (round), "pair_without_person".
    """
    if pair.status == PairState.NOT_DUPLICATE:
        record_as_one((), at=at, beside=_settling(pair, PairState.OPEN, why="", by=by, at=at))
        return
    if pair.status != PairState.MERGED:
        raise Refusal("pair_not_decided")
    carried = Carried.read(pair.carried)
    refused = why_not_undo(pair)
    if refused is not None:
        raise refused
    first, second = persons_of(pair)
    keeps, other = (first, second) if pair.survivor == first.id else (second, first)
    facts = _facts_of_parting(carried, keeps, other)

    @contextmanager
    def beside() -> Iterator[None]:
        _lock_unchanged(keeps, other)
        one, two = persons_of(pair)
        mine, theirs = (one, two) if one.id == keeps.id else (two, one)
        revisions = bump_revisions({g for g in (mine.grid, theirs.grid) if g is not None})
        part_records(carried, mine, theirs, revisions=revisions)
        _settle_pair(pair, PairState.OPEN, why="", by=by, at=at, survivor=None, carried=None)
        for person, verb in ((keeps, "give_back"), (other, "part")):
            record_event("Person", person.id, verb, at=at, actor=by, pair=str(pair.id))
        yield

    record_as_one(_numbered(facts, by=by, at=at), at=at, beside=beside)


def why_not_undo(pair: DuplicatePair) -> Refusal | None:
    """What was built on a merge since, as the refusal that says so."""
    carried = Carried.read(pair.carried)
    closed = Round.objects.filter(id__in=carried.rounds).exclude(status__in=WORKED).first()
    if closed is not None:
        return Refusal("merge_round_closed", round=closed.name)
    survivor = Person.objects.across(reason="duplicates").filter(id=pair.survivor).first()
    if survivor is None:
        return Refusal("pair_without_person")
    if survivor.merged_into is not None or survivor.version != carried.version:
        return Refusal("merge_built_on")
    return None


# --- the ledger's side ---


@dataclass(frozen=True, slots=True)
class HouseFact:
    """What the house says of one unit on one roster."""

    round_: uuid.UUID
    incident: uuid.UUID
    unit: str
    subject: uuid.UUID
    sub_district: int
    kind: str
    body: dict[str, Any]


def _units(keeps: Person, other: Person) -> list[Two]:
    two = [Two(Unit.PERSON, keeps.id, other.id, keeps.dwelling_id)]
    left = household_to_leave(keeps, other)
    if left is not None and keeps.household_id is not None:
        two.append(Two(Unit.HOUSEHOLD, keeps.household_id, left, keeps.dwelling_id))
    return two


def _facts_of_merge(units: Sequence[Two], *, grids: set[int]) -> list[HouseFact]:
    """On each roster still worked where the other stands: he is this one. Who survives is said first, so that
    he stands there by then.
    """
    facts: list[HouseFact] = []
    for two in units:
        for round_ in Round.objects.filter(status__in=WORKED, unit=two.unit).order_by("id"):
            homes = _entries(round_, (two.other, two.survivor), grids)
            if two.other not in homes:
                continue
            home = homes.get(two.survivor) or _home_to_be(round_, two)
            if home is not None:
                took = {"other": str(two.other), "door": str(two.door)}
                facts.append(_said("entry.took_in", round_, two.unit, (two.survivor, home), **took))
            given_up = (two.other, homes[two.other])
            facts.append(_said("entry.merged", round_, two.unit, given_up, into=str(two.survivor), home=home))
    return facts


def _home_to_be(round_: Round, two: Two) -> int | None:
    """The sub-district of the survivor's door, where its grid takes part in the round."""
    place = door_places([two.door]).get(two.door)
    return place.sub_district if place and place.grid in grids_of_round(round_.id) else None


def _facts_of_parting(carried: Carried, keeps: Person, other: Person) -> list[HouseFact]:
    grids = {g for g in (keeps.grid, other.grid) if g is not None}
    two = [Two(Unit.PERSON, keeps.id, other.id, keeps.dwelling_id)]
    if carried.household_left and carried.household_into:
        joined, left = uuid.UUID(carried.household_into), uuid.UUID(carried.household_left)
        two.append(Two(Unit.HOUSEHOLD, joined, left, keeps.dwelling_id))
    facts: list[HouseFact] = []
    for one in two:
        for round_ in Round.objects.filter(id__in=carried.rounds, unit=one.unit).order_by("id"):
            homes = _entries(round_, (one.other, one.survivor), grids)
            if one.survivor in homes:
                told = {"other": str(one.other), "apart": True}
                unit = (one.survivor, homes[one.survivor])
                facts.append(_said("entry.took_in", round_, one.unit, unit, **told))
            if one.other in homes:
                unit = (one.other, homes[one.other])
                facts.append(_said("entry.merged", round_, one.unit, unit, into=None))
    return facts


def _entries(round_: Round, subjects: Sequence[uuid.UUID], grids: set[int]) -> dict[uuid.UUID, int]:
    """unit -> sub-district of its entry: that of its grid, or of the grid it came from. Carries the key."""
    homes = {home for account in accounts_of_round(round_.id, grids) for home in homes_of(account)}
    homes |= set(sub_districts_of_grids(grids).values())
    rows = LedgerEntry.objects.filter(round=round_.id, sub_district__in=homes, subject__in=subjects)
    return dict(rows.values_list("subject", "sub_district"))


def _said(kind: str, round_: Round, unit: str, subject: tuple[uuid.UUID, int], **body: Any) -> HouseFact:
    told = {"round": str(round_.id), **body}
    return HouseFact(round_.id, round_.incident, unit, *subject, kind, told)


def _numbered(facts: Sequence[HouseFact], *, by: uuid.UUID, at: datetime) -> list[Incoming]:
    if not facts:
        return []
    device = house_device()
    first = take_numbers(device, len(facts))
    return [
        Incoming(
            device=device.id,
            seq=first + number,
            id=new_id(),
            incident=f.incident,
            kind=f.kind,
            actor=by,
            occurred_at=at,
            received_at=at,
            sub_district=f.sub_district,
            subject=f.subject,
            subject_type=f.unit,
            raw_body=msgspec.json.encode(f.body),
            from_desk=True,
            by_house=True,
        )
        for number, f in enumerate(facts)
    ]


# --- the pair ---


def _demand(pair: DuplicatePair, state: str, why: str, reasons: Sequence[str]) -> None:
    if pair.status != state:
        raise Refusal("pair_decided", state=pair.status)
    if why not in reasons:
        raise Refusal("reason_unknown_choice", why=why[:40])


def _lock_unchanged(*persons: Person) -> None:
    """Raises LostRace where a record changed since it was read."""
    rows = Person.objects.across(reason="duplicates").select_for_update()
    found = dict(rows.filter(id__in=[p.id for p in persons]).values_list("id", "version"))
    if found != {p.id: p.version for p in persons}:
        raise LostRace("Person")


def _settling(pair: DuplicatePair, to: str, *, why: str, by: uuid.UUID, at: datetime) -> Any:
    @contextmanager
    def beside() -> Iterator[None]:
        _settle_pair(pair, to, why=why, by=by, at=at, survivor=None, carried=None)
        yield

    def made() -> AbstractContextManager[None]:
        return beside()

    return made


def _settle_pair(
    pair: DuplicatePair,
    to: str,
    *,
    why: str,
    by: uuid.UUID,
    at: datetime,
    survivor: uuid.UUID | None,
    carried: Carried | None,
) -> None:
    """Writes the judgement where nobody judged meanwhile. Raises Refusal("pair_decided")."""
    is_open = to == PairState.OPEN
    rows = DuplicatePair.objects.across(reason="duplicates").filter(id=pair.id, status=pair.status)
    changed = rows.update(
        status=to,
        why=why,
        survivor=survivor,
        carried=carried.to_json() if carried else {},
        decided_at=None if is_open else at,
        decided_by=None if is_open else by,
    )
    if not changed:
        raise Refusal("pair_decided", state="")
    verbs = {PairState.MERGED: "merge", PairState.NOT_DUPLICATE: "part", PairState.OPEN: "undo"}
    record_event(
        "DuplicatePair", pair.id, verbs[PairState(to)], at=at, actor=by, from_state=pair.status, to_state=to,
        reason=why, first=str(pair.first), second=str(pair.second), survivor=str(survivor or ""),
    )  # fmt: skip
