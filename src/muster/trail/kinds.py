# SPDX-License-Identifier: Apache-2.0
"""The kinds of fact and what each says: one validator for phones, desks, imports and paper."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

Note = Annotated[str, msgspec.Meta(max_length=2000)]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40, pattern=r"^[A-Za-z0-9_.-]+$")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
Phone = Annotated[str, msgspec.Meta(max_length=40)]
BirthYear = Annotated[int, msgspec.Meta(ge=1880, le=2200)]
SubDistrict = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Evidence(msgspec.Struct, forbid_unknown_fields=True):
    kind: Code
    ref: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Paper(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """It stood on a sheet before it came in here: on which, in which line, who wrote it, and where."""

    channel: Literal["SHEET", "PAPER"]
    sheet: Annotated[str, msgspec.Meta(max_length=9)]
    line: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0
    by: Annotated[str, msgspec.Meta(max_length=80)] = ""
    where: Annotated[str, msgspec.Meta(max_length=120)] = ""


class Body(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What every body may say: its round, the door it happened at, a note; the paper it was written on."""

    round: uuid.UUID | None = None
    door: uuid.UUID | None = None
    note: Note = ""
    paper: Paper | None = None


class RoundBody(Body, kw_only=True, forbid_unknown_fields=True):
    round: uuid.UUID


class EntryOutcome(RoundBody, kw_only=True, forbid_unknown_fields=True):
    outcome: Code
    answers: dict[Code, bool | int | float | Annotated[str, msgspec.Meta(max_length=400)] | None] = {}
    evidence: Evidence | None = None
    via: Literal["door", "phone", "desk", "elsewhere"] = "door"


class DoorStateBody(RoundBody, kw_only=True, forbid_unknown_fields=True):
    state: Literal["SEEN", "VACANT", "NO_ANSWER", "REFUSED"]


class PersonFound(RoundBody, kw_only=True, forbid_unknown_fields=True):
    person: uuid.UUID
    name: Name
    household: uuid.UUID | None = None
    birth_year: BirthYear | None = None
    phone: Phone = ""
    source: Annotated[str, msgspec.Meta(max_length=24)] = ""
    needs: Annotated[list[Code], msgspec.Meta(max_length=20)] = []
    outcome: Code | None = None


class DoorFound(RoundBody, kw_only=True, forbid_unknown_fields=True):
    building: uuid.UUID
    unit: Annotated[str, msgspec.Meta(max_length=12)] = ""
    floor: Annotated[int, msgspec.Meta(ge=-5, le=200)] | None = None
    room: Annotated[str, msgspec.Meta(min_length=1, max_length=24)]
    address: Annotated[str, msgspec.Meta(max_length=200)] = ""


class Destination(msgspec.Struct, forbid_unknown_fields=True):
    sub_district: SubDistrict
    dwelling: uuid.UUID


class PersonMoved(RoundBody, kw_only=True, forbid_unknown_fields=True):
    to: Destination | None


class FactUndone(RoundBody, kw_only=True, forbid_unknown_fields=True):
    fact: uuid.UUID


class ContactTried(RoundBody, kw_only=True, forbid_unknown_fields=True):
    channel: Literal["phone", "door", "neighbour", "message"]
    reached: bool


class NeedSeen(Body, kw_only=True, forbid_unknown_fields=True):
    kind: Code
    severity: Annotated[int, msgspec.Meta(ge=0, le=3)] = 1


class PersonChanged(Body, kw_only=True, forbid_unknown_fields=True):
    """One field of the register is corrected. was: what stood there when it was corrected, base: in which
    version of the person. Two fields are two facts, so that they merge; who corrects what has meanwhile been
    corrected by somebody else overwrites nothing.
    """

    field: Literal["name", "phone"]
    was: Annotated[str, msgspec.Meta(max_length=80)] = ""
    now: Annotated[str, msgspec.Meta(max_length=80)]
    base: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] = 0


class NoteWritten(Body, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class ServiceBody(Body, kw_only=True, forbid_unknown_fields=True):
    """What somebody did for somebody who asked. It belongs to no round."""


class WorkBody(ServiceBody, kw_only=True, forbid_unknown_fields=True):
    """What somebody did about a request; `item` is the piece of work, the subject is the request."""

    item: uuid.UUID


class WorkTaken(WorkBody, kw_only=True, forbid_unknown_fields=True):
    """Somebody took a piece of work out of the pool by himself, perhaps where no server could be asked."""


class WorkArrived(WorkBody, kw_only=True, forbid_unknown_fields=True):
    pass


class WorkDone(WorkBody, kw_only=True, forbid_unknown_fields=True):
    """photo: the SHA-256 of an uploaded picture. left_to_do: becomes a further piece of work."""

    outcome: Literal["SOLVED", "PARTLY", "NOT_HOME", "NOT_POSSIBLE"]
    left_to_do: Note = ""
    photo: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{64})?$")] = ""


class WorkHeld(WorkBody, kw_only=True, forbid_unknown_fields=True):
    """It must wait for something, until then; of two the later stands."""

    reason: Literal["NO_SUPPLIES", "AWAITING_ANSWER", "NOT_HOME", "NEEDS_SENIOR"]
    until: Annotated[datetime, msgspec.Meta(tz=True)]


class WorkNoted(WorkBody, kw_only=True, forbid_unknown_fields=True):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class TripStep(ServiceBody, kw_only=True, forbid_unknown_fields=True):
    """How far somebody is on the way to care and back, told by who drives; the subject is the trip."""

    hop: Literal["LEFT", "ARRIVED", "WAY_BACK", "HOME"]


class DutyStep(ServiceBody, kw_only=True, forbid_unknown_fields=True):
    """I am at my post, or I leave it for today; the subject is the account of who says it, of himself only.

    grid: the post as the phone last knew it. code: what hangs there, scanned or typed.
    """

    step: Literal["HERE", "LEAVING"]
    grid: Annotated[int, msgspec.Meta(ge=0, lt=2**62)] | None = None
    code: Annotated[str, msgspec.Meta(max_length=40)] = ""


class EntryMerged(RoundBody, kw_only=True, forbid_unknown_fields=True):
    """This unit turned out to be another one (None: it did not after all). home: the sub-district under which
    the other stands on this roster; None where it stands on none.
    """

    into: uuid.UUID | None
    home: SubDistrict | None = None


class EntryTookIn(RoundBody, kw_only=True, forbid_unknown_fields=True):
    """Another unit turned out to be this one (apart: it did not after all)."""

    other: uuid.UUID
    apart: bool = False


KINDS: dict[str, type[Body]] = {
    "entry.outcome": EntryOutcome,
    "door.state": DoorStateBody,
    "person.found": PersonFound,
    "door.found": DoorFound,
    "person.moved": PersonMoved,
    "fact.undone": FactUndone,
    "contact.tried": ContactTried,
    "need.seen": NeedSeen,
    "person.changed": PersonChanged,
    "note.written": NoteWritten,
    "work.taken": WorkTaken,
    "work.arrived": WorkArrived,
    "work.done": WorkDone,
    "work.held": WorkHeld,
    "work.noted": WorkNoted,
    "trip.step": TripStep,
    "duty.step": DutyStep,
    "entry.merged": EntryMerged,
    "entry.took_in": EntryTookIn,
}
# Only the house says these, when somebody has judged a pair; no phone and no desk sends them.
HOUSE_KINDS = frozenset({"entry.merged", "entry.took_in"})

SUBJECT_TYPES: dict[str, frozenset[str]] = {
    "entry.outcome": frozenset({"person", "household", "dwelling"}),
    "door.state": frozenset({"dwelling"}),
    "person.found": frozenset({"dwelling"}),
    "door.found": frozenset({"dwelling"}),
    "person.moved": frozenset({"person"}),
    "fact.undone": frozenset({"person", "household", "dwelling"}),
    "contact.tried": frozenset({"person", "household", "dwelling"}),
    "need.seen": frozenset({"person"}),
    "person.changed": frozenset({"person"}),
    "note.written": frozenset({"person", "household", "dwelling"}),
    "work.taken": frozenset({"request"}),
    "work.arrived": frozenset({"request"}),
    "work.done": frozenset({"request"}),
    "work.held": frozenset({"request"}),
    "work.noted": frozenset({"request"}),
    "trip.step": frozenset({"trip"}),
    "duty.step": frozenset({"responder"}),
    "entry.merged": frozenset({"person", "household"}),
    "entry.took_in": frozenset({"person", "household"}),
}

_DECODERS = {kind: msgspec.json.Decoder(body) for kind, body in KINDS.items()}


def read_body(kind: str, raw: bytes) -> Body:
    """Raises KeyError for an unknown kind, msgspec.ValidationError or DecodeError for a body that does not
    fit.
    """
    return _DECODERS[kind].decode(raw)


def schemas() -> dict[str, Any]:
    """JSON Schemas of all bodies, for GET /api/v1/facts."""
    answer: dict[str, Any] = {}
    for kind, body in KINDS.items():
        if kind in HOUSE_KINDS:
            continue
        (_,), components = msgspec.json.schema_components([body], ref_template="#/$defs/{name}")
        answer[kind] = {
            "subject": sorted(SUBJECT_TYPES[kind]),
            "body": {"$ref": f"#/$defs/{body.__name__}", "$defs": components},
        }
    return answer


def value_of(body: Body) -> str:
    """The one code of a body that decides a state; kept in a plain column so that settling needs no key."""
    match body:
        case (
            EntryOutcome(outcome=told)
            | DoorStateBody(state=told)
            | NeedSeen(kind=told)
            | PersonChanged(field=told)
            | WorkDone(outcome=told)
            | WorkHeld(reason=told)
            | TripStep(hop=told)
            | DutyStep(step=told)
        ):
            return told
        case PersonFound(outcome=outcome):
            return outcome or ""
        case ContactTried(reached=reached):
            return "reached" if reached else "not_reached"
        case EntryMerged(home=home):
            return str(home) if home is not None else ""
        case EntryTookIn(apart=apart):
            return "apart" if apart else ""
        case _:
            return ""


def ref_of(body: Body) -> uuid.UUID | None:
    """What a body points at: the undone fact, the new door, who was found, the other unit, the work."""
    match body:
        case (
            FactUndone(fact=told)
            | PersonFound(person=told)
            | EntryMerged(into=told)
            | EntryTookIn(other=told)
            | WorkBody(item=told)
        ):
            return told
        case PersonMoved(to=to):
            return to.dwelling if to else None
        case _:
            return None
