# SPDX-License-Identifier: Apache-2.0
"""What the state of an entry or a door is, given its facts; and what the state of a round allows.

`settle_entry` and `settle_door` are pure functions of a *set* of facts: any order of arrival, any repetition
gives the same state, and an undone fact is as if it had never been. They are the only place where an entry's
state is decided.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from muster.base.errors import Refusal
from muster.campaigns.states import ROUND_TRANSITIONS, DoorState, EntryClass, Origin

LATER = "second_visit"
ADDED_IN_ERROR = "added_in_error"
MERGED = "merged"
# What the house itself says of two units that turned out to be one. Only a judgement changes it, no undo.
MERGING = frozenset({"entry.merged", "entry.took_in"})
APART = "apart"
# What was seen of one of them was seen of both; homes and findings stay each one's own.
SHARED = frozenset({"entry.outcome", "person.found", "contact.tried"})
# What a small integer of the database holds: a phone gone mad must not stop the ledger.
MOST_COUNTED = 32_767


@dataclass(frozen=True, slots=True)
class OutcomeRule:
    """How the code reads one outcome of a campaign kind."""

    code: str
    cls: str
    precedence: int = 10
    door: str | None = None
    met: bool = False
    evidence: str = "none"


@dataclass(frozen=True, slots=True)
class SeenFact:
    """The few fields of a fact that decide a state."""

    id: uuid.UUID
    kind: str
    value: str
    actor: uuid.UUID | None
    occurred_at: datetime
    ref: uuid.UUID | None = None
    subject: uuid.UUID | None = None
    from_desk: bool = False

    @property
    def order(self) -> tuple[datetime, int]:
        return self.occurred_at, self.id.int


@dataclass(frozen=True, slots=True)
class EntryState:
    """What the ledger says of one unit. dwelling None: left the city."""

    cls: str
    outcome: str
    at: datetime | None
    actor: uuid.UUID | None
    fact: uuid.UUID | None
    attempts: int
    facts: int
    dwelling: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class DoorReading:
    state: str
    at: datetime | None
    fact: uuid.UUID | None
    attempts: int


def standing_facts(facts: Iterable[SeenFact]) -> list[SeenFact]:
    """The facts that nobody took back, each once.

    An undo counts when it comes from the one who recorded the fact, or from a desk.
    """
    by_id = {fact.id: fact for fact in facts}
    undone = {
        undo.ref
        for undo in by_id.values()
        if undo.kind == "fact.undone"
        and undo.ref in by_id
        and by_id[undo.ref].kind not in MERGING
        and (undo.from_desk or undo.actor == by_id[undo.ref].actor)
    }
    return [fact for fact in by_id.values() if fact.kind != "fact.undone" and fact.id not in undone]


def merged_into(facts: Iterable[SeenFact]) -> SeenFact | None:
    """The judgement that this unit is another one, where it stands: `ref` names the other."""
    told = [f for f in facts if f.kind == "entry.merged"]
    last = max(told, key=lambda f: f.order, default=None)
    return last if last is not None and last.ref is not None else None


def taken_in(facts: Iterable[SeenFact]) -> set[uuid.UUID]:
    """The units that turned out to be this one and still are."""
    last: dict[uuid.UUID, SeenFact] = {}
    for fact in sorted((f for f in facts if f.kind == "entry.took_in"), key=lambda f: f.order):
        if fact.ref is not None:
            last[fact.ref] = fact
    return {unit for unit, fact in last.items() if fact.value != APART}


def facts_of_taken_in(
    subject: uuid.UUID, facts_of: Callable[[uuid.UUID], Iterable[SeenFact]]
) -> list[SeenFact]:
    """The facts about everybody whom this unit took in, also by way of another; each unit once."""
    seen, front, told = {subject}, taken_in(facts_of(subject)), list[SeenFact]()
    while front - seen:
        unit = min(front - seen)
        seen.add(unit)
        told += facts_of(unit)
        front |= taken_in(facts_of(unit))
    return told


def settle_entry(
    rules: Mapping[str, OutcomeRule],
    *,
    origin: str,
    origin_dwelling: uuid.UUID,
    facts: Iterable[SeenFact],
    of_taken_in: Iterable[SeenFact] = (),
) -> EntryState:
    """The state of an entry from its origin and the set of its facts.

    Total order of outcomes: precedence, then when it happened, then the fact's id. An outcome that asks for a
    second visit counts as UNREACHED until a second person has recorded the same. Who was added by a finding
    that was taken back stays on the roster, explained as added in error: entries are never deleted.

    of_taken_in: facts about units that turned out to be this one; what was done for them was done for it.
    A unit that turned out to be another stays on the roster too, explained as merged; where the other is not
    on this roster, what was done for it still counts here.
    """
    facts = list(facts)
    standing = standing_facts(facts)
    if origin == Origin.ADDED and _finding_taken_back(facts, standing) and not taken_in(standing):
        return EntryState(
            EntryClass.EXPLAINED, ADDED_IN_ERROR, None, None, None, 0, len(standing), origin_dwelling
        )
    moves = [f for f in standing if f.kind == "person.moved"]
    merge = merged_into(standing)
    standing += [f for f in standing_facts(of_taken_in) if f.kind in SHARED]
    outcomes = [f for f in standing if f.kind in {"entry.outcome", "person.found"} and f.value in rules]
    attempts = sum(1 for f in outcomes if rules[f.value].cls != EntryClass.DONE)
    attempts += sum(1 for f in standing if f.kind == "contact.tried")
    attempts, told = min(attempts, MOST_COUNTED), min(len(standing), MOST_COUNTED)
    dwelling = max(moves, key=lambda f: f.order).ref if moves else origin_dwelling
    if merge is not None and (merge.value or all(rules[f.value].cls != EntryClass.DONE for f in outcomes)):
        return EntryState(
            EntryClass.EXPLAINED, MERGED, merge.occurred_at, merge.actor, merge.id, attempts, told, dwelling
        )
    if not outcomes:
        return EntryState(EntryClass.OPEN, "", None, None, None, attempts, told, dwelling)
    best = max(outcomes, key=lambda f: (rules[f.value].precedence, *f.order))
    cls = rules[best.value].cls
    if rules[best.value].evidence == LATER:
        witnesses = {f.actor for f in outcomes if f.value == best.value}
        if len(witnesses) < 2:
            cls = EntryClass.UNREACHED
    return EntryState(cls, best.value, best.occurred_at, best.actor, best.id, attempts, told, dwelling)


def _finding_taken_back(facts: list[SeenFact], standing: list[SeenFact]) -> bool:
    finding = {"person.found", "door.found"}
    return any(f.kind in finding for f in facts) and not any(f.kind in finding for f in standing)


DOOR_RANK = {"NO_ANSWER": 0, "REFUSED": 1, "SEEN": 1, "VACANT": 1}


def settle_door(rules: Mapping[str, OutcomeRule], facts: Iterable[SeenFact]) -> DoorReading:
    """What is known of a door from all facts recorded at it; an answer beats silence, then the later beats
    the earlier.
    """
    readings: list[tuple[int, datetime, int, str, SeenFact]] = []
    for fact in standing_facts(facts):
        state = door_state_of(rules, fact)
        if state:
            readings.append((DOOR_RANK[state], *fact.order, state, fact))
    if not readings:
        return DoorReading(DoorState.UNSEEN, None, None, 0)
    best = max(readings, key=lambda r: r[:3])
    visits = {fact.occurred_at for *_, fact in readings}
    return DoorReading(best[3], best[4].occurred_at, best[4].id, min(len(visits), MOST_COUNTED))


def door_state_of(rules: Mapping[str, OutcomeRule], fact: SeenFact) -> str | None:
    """What a single fact says of the door it was recorded at, if anything."""
    if fact.kind == "door.state":
        return fact.value
    if fact.kind == "entry.outcome":
        rule = rules.get(fact.value)
        return rule.door if rule else None
    if fact.kind in {"person.found", "door.found"}:
        return DoorState.SEEN
    return None


def demand_transition(current: str, to: str) -> None:
    """Raises Refusal("round_not_ready") where the transition table has no such step."""
    if to not in ROUND_TRANSITIONS[current]:
        raise Refusal("round_not_ready", status=current, to=to)


def outcome_rules(definition: Mapping[str, object]) -> dict[str, OutcomeRule]:
    """The outcome rules of a campaign kind's definition."""
    rules: dict[str, OutcomeRule] = {}
    outcomes = definition.get("outcomes")
    for raw in outcomes if isinstance(outcomes, list) else []:
        cls = str(raw["class"])
        rules[str(raw["code"])] = OutcomeRule(
            code=str(raw["code"]),
            cls=cls,
            precedence=int(raw.get("precedence", 20 if cls == EntryClass.DONE else 10)),
            door=raw.get("door") or None,
            met=bool(raw.get("met", False)),
            evidence=str(raw.get("evidence", "none")),
        )
    return rules
