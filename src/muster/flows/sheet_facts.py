# SPDX-License-Identifier: Apache-2.0
"""What a sheet that came back becomes: facts like those of a phone, with the paper they stood on.

The same sheet gives the same ids: brought in twice it does nothing twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import msgspec

from muster.accounts.services import house_device
from muster.campaigns.models import DoorEntry, LedgerEntry, Round
from muster.campaigns.states import DoorState, Unit
from muster.places.models import Dwelling
from muster.places.queries import grid as grid_with_id
from muster.places.queries import small_grids_below
from muster.places.writing import fold
from muster.register.editing import value_of
from muster.register.models import Household, Person
from muster.register.names import name_key
from muster.register.queries import persons_with_ids
from muster.sheets.choices import outcome_choices
from muster.sheets.marks import steady_id
from muster.sheets.merging import REGISTER_FIELDS, MergedLine, Now, Will, merge_line
from muster.sheets.models import SheetReturn
from muster.sheets.queries import KeptLine
from muster.sheets.told import Mistake, Told, ToldLine
from muster.trail.incoming import Incoming
from muster.trail.models import Fact

AT_ONCE = 5_000
SOURCE = "sheet"
Whom = tuple[str, uuid.UUID, int]


@dataclass(frozen=True, slots=True)
class FactTold:
    """A fact on its way; difference: the other side's fact, where a person must look at both."""

    id: uuid.UUID
    kind: str
    subject_type: str
    subject: uuid.UUID
    sub_district: int
    occurred_at: datetime
    body: dict[str, Any]
    number: int = 0
    difference: uuid.UUID | None = None


@dataclass(slots=True)
class Merge:
    """A return laid over the house as it is now."""

    lines: list[MergedLine]
    facts: list[FactTold] = field(default_factory=list)
    known: set[uuid.UUID] = field(default_factory=set)

    @property
    def fresh(self) -> list[FactTold]:
        return [fact for fact in self.facts if fact.id not in self.known]


def merge_return(back: SheetReturn, told: Told, kept: Sequence[KeptLine], round_: Round) -> Merge:
    """Reads; writes nothing. A fixed number of statements for each few thousand lines."""
    by_number = {line.number: line for line in kept}
    mentioned = [by_number[t.number] for t in told.lines if t.number in by_number]
    now = _now(round_, mentioned, told)
    doors = _Doors(back, kept, needed=any(t.is_new and not t.mistakes for t in told.lines))
    maker = _FactMaker(back, told, round_)
    merge = Merge([])
    for line in told.lines:
        known = by_number.get(line.number)
        if known is not None:
            merged = merge_line(line, known, now.get(known.number, Now()))
            merge.lines.append(merged)
            if not merged.mistakes:
                merge.facts += maker.of_line(merged, now.get(known.number, Now()))
            continue
        merged = MergedLine(line, None, mistakes=list(line.mistakes))
        merge.lines.append(merged)
        if not merged.mistakes:
            merge.facts += doors.of_new(merged, maker)
    merge.facts = list({fact.id: fact for fact in merge.facts}.values())
    merge.known = _known([fact.id for fact in merge.facts])
    return merge


def _now(round_: Round, lines: Sequence[KeptLine], told: Told) -> dict[int, Now]:
    entries: dict[uuid.UUID, tuple[str, uuid.UUID | None]] = {}
    ids = [line.subject for line in lines]
    homes = {line.sub_district for line in lines}
    for at in range(0, len(ids), AT_ONCE):
        part = {"round": round_.id, "subject__in": ids[at : at + AT_ONCE]}
        rows = LedgerEntry.objects.filter(**part).values_list("subject", "outcome", "fact")
        entries |= {subject: (outcome, fact) for subject, outcome, fact in rows}
        if any(line.is_door for line in lines):
            states = DoorEntry.objects.filter(**part, sub_district__in=homes)
            for subject, state, fact in states.values_list("subject", "state", "fact"):
                entries.setdefault(subject, ("" if state == DoorState.UNSEEN else state, fact))
    by_number = {line.number: line for line in told.lines}
    edited = [
        line.subject for line in lines
        if line.unit == Unit.PERSON and any(
            getattr(by_number[line.number], name) != getattr(line.said, name) for name in REGISTER_FIELDS
        )
    ]  # fmt: skip
    persons: dict[uuid.UUID, Person] = {}
    for at in range(0, len(edited), AT_ONCE):
        persons |= persons_with_ids(edited[at : at + AT_ONCE])
    answer = {}
    for line in lines:
        outcome, fact = entries.get(line.subject, ("", None))
        person = persons.get(line.subject)
        values = {name: value_of(person, name) for name in REGISTER_FIELDS} if person else {}
        answer[line.number] = Now(outcome, fact, values)
    return answer


def _known(ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    found: set[uuid.UUID] = set()
    device = house_device().id
    for at in range(0, len(ids), AT_ONCE):
        rows = Fact.objects.filter(device=device, id__in=ids[at : at + AT_ONCE])
        found |= set(rows.values_list("id", flat=True))
    return found


class _FactMaker:
    """Makes the facts of lines; knows who wrote what does not say itself."""

    def __init__(self, back: SheetReturn, told: Told, round_: Round) -> None:
        self.back, self.told, self.round = back, told, round_
        definition = round_.campaign.kind.definition
        self.evidence = {c.code: c.evidence for c in outcome_choices(definition)}

    def of_line(self, merged: MergedLine, now: Now) -> list[FactTold]:
        kept, line = merged.kept, merged.told
        assert kept is not None
        facts = []
        for change in merged.changes:
            if change.field == "outcome":
                other = now.fact if change.will == Will.DIFFERS else None
                facts.append(self._outcome(kept, line, other))
            elif change.will != Will.ALREADY:
                body = {"field": change.field, "was": change.was, "now": change.told}
                facts.append(self._fact("person.changed", kept, line, body, change.field, change.told))
        if line.note and not any(change.field == "outcome" for change in merged.changes):
            facts.append(self._fact("note.written", kept, line, {"text": line.note}, "note", line.note))
        return facts

    def _outcome(self, kept: KeptLine, line: ToldLine, other: uuid.UUID | None) -> FactTold:
        if kept.is_door:
            body: dict[str, Any] = {"state": line.outcome}
            kind = "door.state"
        else:
            body = {"outcome": line.outcome, "via": "door", "door": str(kept.dwelling)}
            kind = "entry.outcome"
            if line.note and self.evidence.get(line.outcome) in ("note", "proof"):
                body["evidence"] = {"kind": self.evidence[line.outcome], "ref": line.note[:200]}
        if line.note:
            body["note"] = line.note
        fact = self._fact(kind, kept, line, body, "outcome", line.outcome, line.note)
        return replace(fact, difference=other)

    def _fact(
        self, kind: str, kept: KeptLine, line: ToldLine, body: dict[str, Any], *parts: object
    ) -> FactTold:
        whom = (kept.unit, kept.subject, kept.sub_district)
        return self.fact(kind, whom, line, body, kept.number, *parts)

    def fact(
        self,
        kind: str,
        whom: tuple[str, uuid.UUID, int],
        line: ToldLine,
        body: dict[str, Any],
        *parts: object,
    ) -> FactTold:
        """whom: type of the subject, subject, sub-district. parts: what tells this fact from the others of
        the sheet.
        """
        by = line.by or self.told.by
        paper = {"channel": self.back.channel, "sheet": self.back.sheet.code, "line": line.number,
                 "by": by, "where": line.where or self.told.where}  # fmt: skip
        id_ = steady_id(
            self.back.sheet_id, self.back.generation, kind, *parts, line.when, fold(by),
            at=self.back.sheet.made_at,
        )  # fmt: skip
        occurred = datetime.fromisoformat(line.when or self.told.at)
        body = {"round": str(self.round.id), **body, "paper": paper}
        return FactTold(id_, kind, *whom, occurred, body, line.number)


class _Doors:
    """The doors of the sheet's grids by how a list writes them, for people newly found."""

    def __init__(self, back: SheetReturn, kept: Sequence[KeptLine], *, needed: bool) -> None:
        self.by_words: dict[tuple[str, str, str], Dwelling] = {}
        self.homes: dict[uuid.UUID, set[uuid.UUID]] = {}
        self.listed = {(line.dwelling, name_key(line.said.name) or ""): line for line in kept}
        if not needed:
            return
        grids = small_grids_below(grid_with_id(back.grid))
        rows = Dwelling.objects.across(reason="sheets").filter(grid__in=grids, status="ACTIVE")
        for door in rows.select_related("building").defer("address", "building__footprint"):
            self.by_words[_words(door.building.name, door.unit, door.room)] = door
            self.by_words.setdefault(_words("", "", door.label), door)
        living = Household.objects.across(reason="sheets").filter(grid__in=grids, left_at__isnull=True)
        for home, dwelling in living.values_list("id", "dwelling_id"):
            self.homes.setdefault(dwelling, set()).add(home)

    def of_new(self, merged: MergedLine, maker: _FactMaker) -> list[FactTold]:
        """Somebody who is not on the list, behind a door that is. What is wrong is put on the line."""
        line = merged.told
        if not line.name:
            merged.mistakes.append(Mistake("name", "sheet_new_without_name"))
            return []
        cells = [line.cells.get(key, "") for key in ("building", "unit", "room")]
        door = self.by_words.get(_words(*cells)) or self.by_words.get(
            _words("", "", line.door or " ".join(cells))
        )
        if door is None:
            said = line.door or " ".join(cell for cell in cells if cell)
            merged.mistakes.append(Mistake("room", "sheet_new_door_unknown", {"door": said[:60]}))
            return []
        listed = self.listed.get((door.id, name_key(line.name) or ""))
        if listed is not None and listed.unit != Unit.DWELLING:
            facts = {"name": line.name, "number": listed.number}
            merged.mistakes.append(Mistake("name", "sheet_new_is_listed", facts))
            return []
        return self._found(line, door, maker)

    def _found(self, line: ToldLine, door: Dwelling, maker: _FactMaker) -> list[FactTold]:
        sheet, generation = maker.back.sheet, maker.back.generation
        who = (sheet.id, generation, door.id, name_key(line.name), line.born)
        person, unit = steady_id("person", *who, at=sheet.made_at), maker.round.unit
        body: dict[str, Any] = {"person": str(person), "name": line.name, "source": SOURCE}
        homes = self.homes.get(door.id, set())
        if unit == Unit.HOUSEHOLD:
            body["household"] = str(steady_id("household", *who, at=sheet.made_at))
        elif len(homes) == 1:
            body["household"] = str(next(iter(homes)))
        if line.born:
            body["birth_year"] = line.born
        if line.phone:
            body["phone"] = line.phone
        if line.note:
            body["note"] = line.note
        if unit == Unit.PERSON and line.outcome:
            body["outcome"] = line.outcome
        facts = [maker.fact("person.found", ("dwelling", door.id, door.sub_district), line, body, *who)]
        if unit != Unit.PERSON and line.outcome:
            told = {"outcome": line.outcome, "via": "door", "door": str(door.id)}
            subject = uuid.UUID(body["household"]) if unit == Unit.HOUSEHOLD else door.id
            facts.append(
                maker.fact(
                    "entry.outcome", (unit, subject, door.sub_district), line, told, *who, line.outcome
                )
            )
        return facts


def _words(building: str, unit: str, room: str) -> tuple[str, str, str]:
    return (_plain(building), _plain(unit).removesuffix("单元"), _plain(room).removesuffix("室"))


def _plain(text: str) -> str:
    return fold(text).lower().replace(" ", "").removesuffix(".0")


def incoming_of_sheet(
    facts: Sequence[FactTold],
    *,
    back: SheetReturn,
    actor: uuid.UUID,
    first: int,
    device: uuid.UUID,
    at: datetime,
) -> list[Incoming]:  # fmt: skip
    """The facts with the house's own numbers; they speak of the sheet's grids and no others."""
    grids = frozenset(small_grids_below(grid_with_id(back.grid)))
    return [
        Incoming(
            device=device,
            seq=first + number,
            id=fact.id,
            incident=back.incident,
            kind=fact.kind,
            actor=actor,
            occurred_at=fact.occurred_at,
            received_at=at,
            sub_district=fact.sub_district,
            subject=fact.subject,
            subject_type=fact.subject_type,
            raw_body=msgspec.json.encode(fact.body),
            offset_minutes=_offset(fact.occurred_at),
            from_desk=True,
            grids=grids,
        )
        for number, fact in enumerate(facts)
    ]


def _offset(moment: datetime) -> int:
    offset = moment.utcoffset()
    return int(offset.total_seconds() // 60) if offset else 0
