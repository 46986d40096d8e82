# SPDX-License-Identifier: Apache-2.0
"""verify: the proof that the ledger is what its facts say.

Each check is a function that answers the breaches it finds; none of them shares code with the writing side
beyond `settle` itself, which is the definition.
"""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from django.conf import settings

from muster.accounts.queries import desk_devices
from muster.campaigns.models import DoorEntry, LedgerEntry, Round, RoundGrid
from muster.campaigns.rules import (
    SeenFact,
    facts_of_taken_in,
    outcome_rules,
    settle_door,
    settle_entry,
)
from muster.campaigns.states import Origin
from muster.storage.keys import keystore
from muster.storage.reads import snapshot
from muster.sync.archiving import ARCHIVE, archive_faults
from muster.trail.models import Fact, Verdict, Waiting
from muster.trail.queries import COLUMNS, COUNTING, FactRow


@dataclass(frozen=True, slots=True)
class Breach:
    """Something that is not as it must be."""

    check: str
    where: str
    told: str


def verify_all(progress: Callable[[str], None] | None = None) -> list[Breach]:
    """Runs every check over every round; an empty list is the proof."""
    breaches: list[Breach] = []
    with snapshot():
        for check in CHECKS:
            if progress:
                progress(check.__name__)
            breaches += list(check())
    return breaches


def every_fact_has_one_verdict() -> Iterator[Breach]:
    unknown = Fact.objects.exclude(verdict__in=Verdict.values).count()
    if unknown:
        yield Breach("every_fact_has_one_verdict", "fact", f"{unknown} without a verdict")
    seen = Waiting.objects.exclude(verdict=Verdict.FLAGGED)  # those count, and are looked at besides
    waiting = set(seen.values_list("device", "seq"))
    held = set(
        Fact.objects.filter(verdict__in=[Verdict.HELD, Verdict.QUARANTINED]).values_list("device", "seq")
    )
    for device, seq in sorted(waiting ^ held, key=str):
        yield Breach("every_fact_has_one_verdict", f"{device}/{seq}", "held list and verdict disagree")


def _facts_of_round(
    round_id: uuid.UUID,
) -> tuple[dict[uuid.UUID, list[SeenFact]], dict[uuid.UUID, list[SeenFact]]]:
    desks = desk_devices()
    by_subject: dict[uuid.UUID, list[SeenFact]] = defaultdict(list)
    by_door: dict[uuid.UUID, list[SeenFact]] = defaultdict(list)
    rows = Fact.objects.filter(round=round_id, verdict__in=COUNTING).values_list(*COLUMNS)
    for row in (FactRow(*r) for r in rows.iterator()):
        fact = SeenFact(
            row.id, row.kind, row.value, row.actor, row.occurred_at, row.ref, row.subject, row.device in desks
        )
        by_subject[row.subject].append(fact)
        if row.door is not None:
            by_door[row.door].append(fact)
    return by_subject, by_door


def _known(facts: Mapping[uuid.UUID, list[SeenFact]], unit: uuid.UUID) -> list[SeenFact]:
    return facts.get(unit, [])


def entries_equal_settle() -> Iterator[Breach]:
    for round_ in Round.objects.select_related("campaign__kind"):
        rules = outcome_rules(round_.campaign.kind.definition)
        by_subject, by_door = _facts_of_round(round_.id)
        for entry in LedgerEntry.objects.filter(round=round_.id).iterator():
            state = settle_entry(
                rules,
                origin=entry.origin,
                origin_dwelling=entry.origin_dwelling,
                facts=by_subject.get(entry.subject, []),
                of_taken_in=facts_of_taken_in(entry.subject, partial(_known, by_subject)),
            )
            told = (
                entry.cls,
                entry.outcome,
                entry.at,
                entry.actor,
                entry.fact,
                entry.attempts,
                entry.facts,
                entry.dwelling,
            )
            right = (
                state.cls,
                state.outcome,
                state.at,
                state.actor,
                state.fact,
                state.attempts,
                state.facts,
                state.dwelling,
            )
            if told != right:
                yield Breach(
                    "entries_equal_settle", str(entry.subject), f"ledger says {told}, facts say {right}"
                )
        for door in DoorEntry.objects.filter(round=round_.id).iterator():
            found = settle_door(rules, by_door.get(door.subject, []))
            if (door.state, door.at, door.fact, door.attempts) != (
                found.state,
                found.at,
                found.fact,
                found.attempts,
            ):
                yield Breach(
                    "entries_equal_settle",
                    f"door {door.subject}",
                    f"{door.state} but facts say {found.state}",
                )


def counters_equal_recount() -> Iterator[Breach]:
    for round_id in Round.objects.values_list("id", flat=True):
        classes: dict[int, Counter[str]] = defaultdict(Counter)
        outcomes: dict[int, Counter[str]] = defaultdict(Counter)
        doors: dict[int, Counter[str]] = defaultdict(Counter)
        for grid, cls, outcome in (
            LedgerEntry.objects.filter(round=round_id).values_list("grid", "cls", "outcome").iterator()
        ):
            if grid is not None:
                classes[grid][cls] += 1
                outcomes[grid].update([outcome] if outcome else [])
        for grid, state in DoorEntry.objects.filter(round=round_id).values_list("grid", "state").iterator():
            doors[grid][state] += 1
        for account in RoundGrid.objects.filter(round=round_id):
            kept = {"OPEN": account.n_open, "DONE": account.n_done, "ARRANGED": account.n_arranged,
                    "EXPLAINED": account.n_explained, "UNREACHED": account.n_unreached}  # fmt: skip
            if +Counter(kept) != classes[account.grid]:
                yield Breach(
                    "counters_equal_recount",
                    f"grid {account.grid}",
                    f"{kept} but counted {dict(classes[account.grid])}",
                )
            if Counter(account.outcomes) != outcomes[account.grid]:
                yield Breach(
                    "counters_equal_recount", f"grid {account.grid}", "outcomes differ from a recount"
                )
            kept_doors = {"SEEN": account.doors_seen, "VACANT": account.doors_vacant,
                          "NO_ANSWER": account.doors_no_answer, "REFUSED": account.doors_refused}  # fmt: skip
            counted = Counter({s: n for s, n in doors[account.grid].items() if s != "UNSEEN"})
            if +Counter(kept_doors) != counted or account.doors != sum(doors[account.grid].values()):
                yield Breach(
                    "counters_equal_recount",
                    f"grid {account.grid}",
                    f"doors {kept_doors} but counted {dict(counted)}",
                )


def equation_closes() -> Iterator[Breach]:
    """Σ classes = frozen + added + moved in − moved out, with the written side also counted from origins and
    places.
    """
    for round_id in Round.objects.values_list("id", flat=True):
        origin: dict[int, Counter[str]] = defaultdict(Counter)
        here: Counter[int] = Counter()
        rows = LedgerEntry.objects.filter(round=round_id).values_list("origin", "origin_grid", "grid")
        for said, origin_grid, grid in rows.iterator():
            origin[origin_grid][said] += 1
            if grid is not None:
                here[grid] += 1
            if grid != origin_grid:
                origin[origin_grid]["out"] += 1
                if grid is not None:
                    origin[grid]["in"] += 1
        for a in RoundGrid.objects.filter(round=round_id):
            if here[a.grid] != a.frozen + a.added + a.moved_in - a.moved_out:
                yield Breach(
                    "equation_closes", f"grid {a.grid}", f"{here[a.grid]} entries, account says otherwise"
                )
            counted = origin[a.grid]
            told = (a.frozen, a.added, a.moved_in, a.moved_out)
            right = (counted[Origin.FROZEN], counted[Origin.ADDED], counted["in"], counted["out"])
            if told != right:
                yield Breach("equation_closes", f"grid {a.grid}", f"account {told}, entries {right}")


def archived_journal_is_whole() -> Iterator[Breach]:
    folder = settings.ENVIRONMENT.data / ARCHIVE
    if folder.is_dir():
        for segment, told in archive_faults(folder, trusted=keystore().trusted_keys()):
            yield Breach("archived_journal_is_whole", segment, told)


CHECKS = (
    every_fact_has_one_verdict,
    entries_equal_settle,
    counters_equal_recount,
    equation_closes,
    archived_journal_is_whole,
)
