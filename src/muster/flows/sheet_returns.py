# SPDX-License-Identifier: Apache-2.0
"""A sheet that came back: taken in, looked at, written as facts, and taken back again.

A file and a typed-in paper go the same way. Nothing is written before somebody has seen what it will do.
"""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from django.db import transaction

from muster.accounts.services import house_device, take_numbers
from muster.base.errors import Refusal
from muster.campaigns.models import Round
from muster.campaigns.queries import round_with_kind
from muster.flows.recording import record_facts
from muster.flows.sheet_facts import Merge, incoming_of_sheet, merge_return
from muster.incidents.models import Incident
from muster.incidents.packs import pack_of
from muster.sheets.choices import door_choices, outcome_choices
from muster.sheets.marks import steady_id
from muster.sheets.merging import count
from muster.sheets.models import Sheet, SheetDifference, SheetReturn
from muster.sheets.pictures import pictures_of
from muster.sheets.queries import KeptLine, lines_of_sheet, sheet_with_code
from muster.sheets.reading import read_list, tell_lines
from muster.sheets.services import Maker
from muster.sheets.states import Channel, ReturnState
from muster.sheets.told import Mistake, Reader, Told, ToldLine
from muster.trail import kinds
from muster.trail.incoming import Incoming
from muster.trail.models import Fact, Verdict, Waiting
from muster.trail.services import record_event

UNDONE = "undone"
MOST_TYPED = 2_000


@dataclass(frozen=True, slots=True)
class Writer:
    """Who wrote what does not say itself, when and where; said by the one who brings the sheet in."""

    by: str
    at: datetime
    where: str = ""


@dataclass(frozen=True, slots=True)
class TypedLine:
    """A line as it was typed: its number, or 0 with a door for somebody new."""

    number: int = 0
    outcome: str = ""
    when: str = ""
    note: str = ""
    name: str = ""
    phone: str = ""
    born: str = ""
    door: str = ""


def open_file(
    raw: bytes, *, file_name: str, round_: Round | None, writer: Writer, by: Maker, at: datetime
) -> SheetReturn:
    """Takes a file in; nothing is written yet.

    Raises Refusal sheet_of_other_round (round), sheet_unknown, and those of reading.
    """
    read = read_list(raw)
    sheet = sheet_with_code(read.code, scope=by.scope)
    if round_ is not None and sheet.round != round_.id:
        raise Refusal("sheet_of_other_round", round=round_with_kind(sheet.round).name)
    kept = lines_of_sheet(sheet)
    lines, absent = tell_lines(read, kept, _reader(sheet, writer, at))
    told = Told(by=writer.by, at=_local(sheet, writer.at), where=writer.where, lines=lines, absent=absent,
                unknown_columns=read.unknown[:20])  # fmt: skip
    back = _begin(sheet, Channel.SHEET, told, raw, by=by, at=at)
    back.file_name = file_name[:200]
    return _keep(back, told, kept, by=by, at=at)


def open_typed(
    sheet: Sheet, typed: Sequence[TypedLine], *, writer: Writer, checked: bool,
    pictures: Sequence[str] = (), by: Maker, at: datetime,
) -> SheetReturn:  # fmt: skip
    """Takes in what was typed from paper. checked: somebody else types it once more first. pictures: names of
    photos of this paper that are here.

    Raises Refusal typed_nothing, written_by_missing, sheet_rows_too_many, picture_not_here.
    """
    if not writer.by:
        raise Refusal("written_by_missing")
    kept = lines_of_sheet(sheet)
    told = _typed(sheet, typed, kept, writer, at)
    raw = msgspec.json.encode(told)
    back = _begin(sheet, Channel.PAPER, told, raw, by=by, at=at)
    back.pictures = pictures_of(sheet, pictures)
    if checked:
        back.state = ReturnState.TYPED_ONCE
    return _keep(back, told, kept, by=by, at=at)


def type_second(
    back: SheetReturn, typed: Sequence[TypedLine], *, final: bool, by: Maker, at: datetime
) -> list[int]:
    """Somebody else types the same paper: the numbers where the two differ. With `final` the second one has
    looked at them, and his word goes on; both stay kept.

    Raises Refusal return_not_ready, return_same_typist, typed_nothing.
    """
    if back.state != ReturnState.TYPED_ONCE:
        raise Refusal("return_not_ready")
    if back.made_by == by.id:
        raise Refusal("return_same_typist")
    first = told_of(back)
    kept = lines_of_sheet(back.sheet)
    writer = Writer(first.by, datetime.fromisoformat(first.at), first.where)
    second = _typed(back.sheet, typed, kept, writer, at)
    differ = _differing(first.lines, second.lines)
    if differ and not final:
        return differ
    with transaction.atomic():
        taken = SheetReturn.objects.across(reason="sheets").select_for_update().get(id=back.id)
        if taken.state != ReturnState.TYPED_ONCE:
            raise Refusal("return_not_ready")
        taken.second, taken.told = taken.told, msgspec.json.encode(second).decode()
        taken.second_by, taken.second_by_name, taken.second_at = by.id, by.name[:80], at
        taken.state = ReturnState.PREVIEWED
        taken.counts = count(_merge(taken, second, kept).lines, second.absent)
        taken.save()
        record_event("SheetReturn", back.id, "type_again", at=at, actor=by.id, incident=back.incident,
                     differ=len(differ))  # fmt: skip
    back.refresh_from_db()
    return differ


def _differing(first: Sequence[ToldLine], second: Sequence[ToldLine]) -> list[int]:
    def shape(lines: Sequence[ToldLine]) -> dict[tuple[int, str], tuple[str, ...]]:
        return {
            (line.number, "" if line.number else line.name): (line.outcome, line.when, line.note, line.phone)
            for line in lines
        }

    one, other = shape(first), shape(second)
    return sorted({key[0] for key in one.keys() | other.keys() if one.get(key) != other.get(key)})


def _typed(
    sheet: Sheet, typed: Sequence[TypedLine], kept: Sequence[KeptLine], writer: Writer, at: datetime
) -> Told:
    if not typed:
        raise Refusal("typed_nothing")
    if len(typed) > MOST_TYPED:
        raise Refusal("sheet_rows_too_many", most=MOST_TYPED)
    reader, by_number = _reader(sheet, writer, at), {line.number: line for line in kept}
    lines: list[ToldLine] = []
    last: dict[int, int] = {}
    for row, one in enumerate(typed, start=1):
        known = by_number.get(one.number)
        if one.number and known is None:
            raise Refusal("sheet_line_unknown", number=one.number, most=sheet.lines)
        cells = {
            "number": str(one.number) if one.number else "", "outcome": one.outcome, "when": one.when,
            "note": one.note, "name": one.name if known is None else "", "phone": one.phone, "born": one.born,
        }  # fmt: skip
        line = reader.line(row, cells, number=one.number, is_door=bool(known and known.is_door))
        line.door = one.door[:80]
        if not (line.outcome or line.note or line.name or line.phone or line.mistakes):
            line.mistakes.append(Mistake("outcome", "sheet_line_blank"))
        if one.number in last and one.number:
            lines[last[one.number]] = line  # typed again: the later one stands
            continue
        last[one.number] = len(lines)
        lines.append(line)
    return Told(by=writer.by, at=_local(sheet, writer.at), where=writer.where, lines=lines)


def _reader(sheet: Sheet, writer: Writer, at: datetime) -> Reader:
    incident = Incident.objects.get(id=sheet.incident)
    definition = round_with_kind(sheet.round).campaign.kind.definition
    return Reader(choices=outcome_choices(definition), doors=door_choices(), zone=incident.time_zone,
                  written=writer.at, now=at, plan=pack_of(incident).phones)  # fmt: skip


def _local(sheet: Sheet, moment: datetime) -> str:
    return moment.astimezone(ZoneInfo(Incident.objects.get(id=sheet.incident).time_zone)).isoformat()


def _begin(sheet: Sheet, channel: Channel, told: Told, raw: bytes, *, by: Maker, at: datetime) -> SheetReturn:
    undone = SheetReturn.objects.across(reason="sheets").filter(sheet=sheet, state=ReturnState.UNDONE)
    return SheetReturn(
        sheet=sheet,
        channel=channel,
        incident=sheet.incident,
        round=sheet.round,
        grid=sheet.grid,
        sub_district=sheet.sub_district,
        purpose=str(sheet.incident),
        digest=hashlib.sha256(raw).digest(),
        generation=undone.count(),
        made_by=by.id,
        made_by_name=by.name[:80],
        made_at=at,
        told=msgspec.json.encode(told).decode(),
    )


def _keep(back: SheetReturn, told: Told, kept: Sequence[KeptLine], *, by: Maker, at: datetime) -> SheetReturn:
    back.counts = count(_merge(back, told, kept).lines, told.absent)
    with transaction.atomic():
        back.save(force_insert=True)
        record_event(
            "SheetReturn", back.id, "bring_in", at=at, actor=by.id, incident=back.incident,
            reason=back.channel, to_state=back.state, sheet=str(back.sheet_id), counts=back.counts,
        )  # fmt: skip
    return back


def told_of(back: SheetReturn) -> Told:
    return msgspec.json.decode(back.told or "{}", type=Told)


def merge_now(back: SheetReturn) -> Merge:
    """A return laid over the house as it is now."""
    return _merge(back, told_of(back), lines_of_sheet(back.sheet))


def _merge(back: SheetReturn, told: Told, kept: Sequence[KeptLine]) -> Merge:
    return merge_return(back, told, kept, round_with_kind(back.round))


def commit_return(back: SheetReturn, *, by: Maker, at: datetime) -> SheetReturn:
    """Writes what can be written. Asked twice, also at once, it writes once: the facts know themselves.

    Raises Refusal return_not_ready, return_empty.
    """
    if back.state == ReturnState.COMMITTED:
        return back
    if back.state != ReturnState.PREVIEWED:
        raise Refusal("return_not_ready")
    merge = merge_now(back)
    if not merge.facts:
        raise Refusal("return_empty")
    fresh = merge.fresh
    SheetDifference.objects.bulk_create(
        [
            SheetDifference(
                back=back, number=fact.number, incident=back.incident, round=back.round,
                sub_district=fact.sub_district, grid=back.grid, subject=fact.subject, unit=fact.subject_type,
                ours=fact.difference, theirs=fact.id, since=at,
            )
            for fact in fresh if fact.difference is not None
        ],
        ignore_conflicts=True,
    )  # fmt: skip
    device = house_device()
    first = take_numbers(device, len(fresh)) if fresh else 0
    incoming = incoming_of_sheet(fresh, back=back, actor=by.id, first=first, device=device.id, at=at)
    rulings = record_facts(incoming, at=at)
    verdicts = Counter(ruling.verdict for ruling in rulings)
    made = [
        str(fact.id) for fact, ruling in zip(fresh, rulings, strict=True) if ruling.verdict != "DUPLICATE"
    ]
    with transaction.atomic():
        taken = SheetReturn.objects.across(reason="sheets").select_for_update().get(id=back.id)
        if taken.state == ReturnState.PREVIEWED:
            taken.state, taken.committed_at = ReturnState.COMMITTED, at
            taken.made, taken.counts = made, {**count(merge.lines, told_of(back).absent), **verdicts}
            taken.save(update_fields=["state", "committed_at", "made", "counts"])
            record_event(
                "SheetReturn", back.id, "commit", at=at, actor=by.id, incident=back.incident,
                from_state=ReturnState.PREVIEWED, to_state=ReturnState.COMMITTED, verdicts=dict(verdicts),
            )  # fmt: skip
        elif made:
            taken.made = sorted({*taken.made, *made})
            taken.save(update_fields=["made"])
    back.refresh_from_db()
    return back


def undo_return(back: SheetReturn, *, by: Maker, at: datetime) -> tuple[SheetReturn, dict[str, int]]:
    """Takes every fact of a return back, by facts: what others have said since stays. Answers how many were
    taken back, and how many corrections stay because somebody has changed the field since.

    Raises Refusal return_not_ready.
    """
    if back.state == ReturnState.UNDONE:
        return back, {}
    if back.state != ReturnState.COMMITTED:
        raise Refusal("return_not_ready")
    device = house_device()
    rows = list(Fact.objects.filter(device=device.id, id__in=[uuid.UUID(one) for one in back.made]))
    undoing = [told for row in rows if (told := _undo_of(row, back, by=by, at=at)) is not None]
    told_before = Fact.objects.filter(device=device.id, id__in=[fact.id for fact in undoing])
    known = set(told_before.values_list("id", flat=True))
    undoing = [fact for fact in undoing if fact.id not in known]
    first = take_numbers(device, len(undoing)) if undoing else 0
    for number, fact in enumerate(undoing):
        fact.seq = first + number
    rulings = record_facts(undoing, at=at)
    with transaction.atomic():
        mine = SheetReturn.objects.across(reason="sheets").filter(id=back.id, state=ReturnState.COMMITTED)
        if mine.update(state=ReturnState.UNDONE, undone_at=at, undone_by=by.id):
            settled = {"resolved_at": at, "resolved_by": by.id, "resolution": UNDONE}
            Waiting.objects.filter(fact__in=[row.id for row in rows], resolved_at__isnull=True).update(
                **settled
            )
            left = SheetDifference.objects.across(reason="sheets").filter(back=back, resolved_at__isnull=True)
            left.update(**settled)
            record_event(
                "SheetReturn", back.id, "undo", at=at, actor=by.id, incident=back.incident,
                from_state=ReturnState.COMMITTED, to_state=ReturnState.UNDONE, undone=len(undoing),
            )  # fmt: skip
    back.refresh_from_db()
    stay = sum(not ruling.counts for ruling in rulings)
    return back, {"taken_back": len(rulings) - stay, "stay": stay}


def _undo_of(row: Fact, back: SheetReturn, *, by: Maker, at: datetime) -> Incoming | None:
    """The fact that takes another one back; None for what never counted."""
    if row.verdict not in (Verdict.APPLIED, Verdict.FLAGGED):
        return None
    kind, body = "fact.undone", {"round": str(row.round), "fact": str(row.id)}
    subject, subject_type = row.subject, row.subject_type
    if row.kind == "person.changed":
        said = kinds.read_body(row.kind, (row.body or "").encode())
        assert isinstance(said, kinds.PersonChanged)
        kind, body = row.kind, {"field": said.field, "was": said.now, "now": said.was}
    return Incoming(
        device=row.device, seq=0, id=steady_id("undo", row.id, at=back.sheet.made_at),
        incident=row.incident, kind=kind, actor=by.id, occurred_at=at,
        received_at=at, sub_district=row.sub_district, subject=subject, subject_type=subject_type,
        raw_body=msgspec.json.encode(body), from_desk=True,
    )  # fmt: skip
