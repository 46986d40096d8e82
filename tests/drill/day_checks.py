# SPDX-License-Identifier: Apache-2.0
"""What must be so after any played day, whatever the scenario."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict

from muster.campaigns.models import LedgerEntry, RoundGrid
from muster.register.models import Person
from muster.sync.verify import verify_all
from tests.drill.played import PlayedDay, Spoken

SILENT = "NO_ANSWER"


def standing(day: PlayedDay) -> list[Spoken]:
    undone = {s.body["fact"] for s in day.spoken if s.kind == "fact.undone"}
    return [s for s in day.spoken if s.kind != "fact.undone" and str(s.id) not in undone]


def class_by_hand(day: PlayedDay, said: list[tuple[str, str, tuple[int, int]]]) -> str:
    """What an entry must be, from (class, code, worker) in the order of the day, without the house."""
    words = [one for one in said if one[1] != SILENT]
    if not words:
        return "UNREACHED" if said else "OPEN"
    seen = [one for one in words if one[0] == "DONE"]
    by_person = day.crews[0].notebook.unit == "person"
    last = seen[-1] if seen and by_person else words[-1]
    if last[1] in {"DECLINED", "STAYS"} and len({w for _, code, w in words if code == last[1]}) < 2:
        return "UNREACHED"
    return last[0]


def check_ledger_is_what_workers_said(day: PlayedDay) -> None:
    rules = {o["code"]: o for o in day.first_pulls[day.crews[0].grid]["rounds"][0]["kind"]["outcomes"]}
    said: dict[str, list[tuple[str, str, tuple[int, int]]]] = defaultdict(list)
    for one in standing(day):
        code = one.body.get("outcome")
        if one.kind in {"entry.outcome", "person.found"} and code:
            said[one.body.get("person", one.subject)].append((rules[code]["class"], code, one.worker))

    wrong = [
        (e.subject, e.cls, said[str(e.subject)])
        for e in LedgerEntry.objects.filter(round=day.demo["round"])
        if e.cls != class_by_hand(day, said[str(e.subject)])
    ]

    assert wrong == []


def check_verify_clean_and_equation_closes(day: PlayedDay) -> None:
    assert verify_all() == []
    accounts = RoundGrid.objects.filter(round=day.demo["round"])
    roster = sum(a.frozen + a.added + a.moved_in - a.moved_out for a in accounts)
    classes = sum(a.n_open + a.n_done + a.n_arranged + a.n_explained + a.n_unreached for a in accounts)
    assert roster == classes > 0


def check_found_people_are_in_the_register_and_true(day: PlayedDay) -> None:
    found = {s.body["person"]: s for s in standing(day) if s.kind == "person.found"}
    rows = Person.objects.across(reason="count").filter(id__in=found)
    kept = {str(p) for p in rows.values_list("id", flat=True)}

    assert kept == set(found)
    for identity, fact in found.items():
        behind = day.truth.people(fact.door)
        names = {p.name for p in behind.values()}
        assert fact.body["name"] in names
        assert identity in behind or identity in {str(uuid.uuid5(uuid.UUID(i), "found")) for i in behind}


def check_facts_all_count(day: PlayedDay) -> None:
    """Nothing that a simulated worker says is refused; a move to a door that is found later may wait."""
    verdicts = Counter(f"{r.verdict} {r.code}" for r in day.rulings)
    waiting = sum(n for v, n in verdicts.items() if not v.startswith(("APPLIED", "FLAGGED")))
    assert waiting <= 0.002 * len(day.rulings), verdicts


CHECKS = (
    check_ledger_is_what_workers_said,
    check_verify_clean_and_equation_closes,
    check_found_people_are_in_the_register_and_true,
    check_facts_all_count,
)
