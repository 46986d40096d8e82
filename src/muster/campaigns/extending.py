# SPDX-License-Identifier: Apache-2.0
"""Extending: the state after some more facts, from the state before them, where that says it all.

`rules.settle_entry` and `rules.settle_door` define a state by the whole set of facts. On an evening nearly
every fact is one more visit that takes nothing back and calls nobody else in question; then the state before
and the visit decide, and the history need not be read. Where that is not sure the answer is None: settle the
whole set. A property test holds that an answer, when given, is the one that settling the whole set gives.

The caller sees to it that none of the new facts was told before under the same id, that no unit concerned was
merged, and for a door that nobody recorded there at the same moment. No undo that counts already speaks of a
new fact: an undo waits until its fact counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from muster.campaigns.rules import (
    DOOR_RANK,
    LATER,
    MOST_COUNTED,
    DoorReading,
    EntryState,
    OutcomeRule,
    SeenFact,
    door_state_of,
)
from muster.campaigns.states import EntryClass, Origin

# These add to what is known of a unit; everything else may change what was known.
ADDING = frozenset({"entry.outcome", "contact.tried", "note.written", "need.seen", "door.state"})


def extend_entry(
    rules: Mapping[str, OutcomeRule], before: EntryState, *, origin: str, facts: Sequence[SeenFact]
) -> EntryState | None:
    """The state of an entry after these facts, or None where only the whole set of facts tells it."""
    if origin != Origin.FROZEN or any(fact.kind not in ADDING for fact in facts):
        return None
    if before.outcome and before.outcome not in rules:
        return None
    if _told_twice(facts):
        return None
    attempts = before.attempts
    best, told_by = _rank_before(rules, before), None
    for fact in facts:
        if fact.kind == "contact.tried":
            attempts += 1
        rule = rules.get(fact.value) if fact.kind == "entry.outcome" else None
        if rule is None:
            continue
        if rule.cls != EntryClass.DONE:
            attempts += 1
        rank = (rule.precedence, fact.occurred_at, fact.id.int)
        if best is None or rank > best:
            best, told_by = rank, fact
    attempts, count = min(attempts, MOST_COUNTED), min(before.facts + len(facts), MOST_COUNTED)
    outcome = told_by.value if told_by is not None else before.outcome
    if outcome and rules[outcome].evidence == LATER:
        return None
    if told_by is None:
        return EntryState(
            before.cls, before.outcome, before.at, before.actor, before.fact, attempts, count, before.dwelling
        )
    cls = rules[told_by.value].cls
    return EntryState(
        cls, told_by.value, told_by.occurred_at, told_by.actor, told_by.id, attempts, count, before.dwelling
    )


def extend_door(
    rules: Mapping[str, OutcomeRule], before: DoorReading, facts: Sequence[SeenFact]
) -> DoorReading | None:
    """What is known of a door after these facts, or None where only the whole set of facts tells it."""
    if any(fact.kind not in ADDING for fact in facts) or _told_twice(facts):
        return None
    best: tuple[int, datetime, int] | None = None
    if before.at is not None and before.fact is not None:
        best = DOOR_RANK[before.state], before.at, before.fact.int
    state, at, told_by = before.state, before.at, before.fact
    visits: set[datetime] = set()
    for fact in facts:
        said = door_state_of(rules, fact)
        if not said:
            continue
        visits.add(fact.occurred_at)
        rank = (DOOR_RANK[said], fact.occurred_at, fact.id.int)
        if best is None or rank > best:
            best, state, at, told_by = rank, said, fact.occurred_at, fact.id
    return DoorReading(state, at, told_by, min(before.attempts + len(visits), MOST_COUNTED))


def _told_twice(facts: Sequence[SeenFact]) -> bool:
    return len(facts) > 1 and len({fact.id.int for fact in facts}) != len(facts)


def _rank_before(rules: Mapping[str, OutcomeRule], before: EntryState) -> tuple[int, datetime, int] | None:
    if not before.outcome or before.at is None or before.fact is None:
        return None
    return rules[before.outcome].precedence, before.at, before.fact.int


__all__ = ["ADDING", "extend_door", "extend_entry"]
