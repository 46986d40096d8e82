# SPDX-License-Identifier: Apache-2.0
"""Random edits of a list while phones work offline: nothing is lost, any order gives one ledger."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.campaigns.models import LedgerEntry
from muster.flows.sheet_returns import commit_return, merge_now
from muster.sheets.models import SheetDifference
from muster.sync.verify import verify_all
from muster.trail.models import Fact
from tests.sheets.paper import AT, Cells, brought, desk, edited, make, taken_out
from tests.spine.test_any_order import rolled_back
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
WORDS = ["", "已登记", "外出", "没人应门", "不愿参加", "nonsense"]
CODES = ["done", "away", "no_answer", "refused"]
edits = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(WORDS), st.sampled_from(["", "12:10", "12:20"])), max_size=5
)
visits = st.lists(st.tuples(st.integers(0, 3), st.sampled_from(CODES), st.integers(0, 40)), max_size=5)
shapes = st.tuples(st.booleans(), st.booleans(), st.sampled_from([None, 0, 2]))


def changed(
    rows: list[Cells], told: list[tuple[int, str, str]], shape: tuple[bool, bool, int | None]
) -> list[Cells]:
    backwards, new, dropped = shape
    for row, word, when in told:
        rows[row][AT["outcome"]], rows[row][AT["when"]] = word, when
    rows = [row for n, row in enumerate(rows) if n != dropped]
    if new:
        rows.append(["", "1号楼", "1", "101", "新来的人", "", "", "", "已登记", "", "", "", "", ""])
    return rows[::-1] if backwards else rows


def played(told: Any, seen: Any, shape: Any, *, sheet_first: bool) -> tuple[list[tuple[str, str]], World]:
    world = make_world(doors=2, people=2)
    raw = edited(taken_out(world, make(world)), lambda rows: changed(rows, told, shape))
    facts = [world.outcome(world.persons[n], code, minutes=m, worker=1) for n, code, m in seen]
    steps = [lambda: _bring(world, raw), lambda: world.record(*facts)]
    for step in steps if sheet_first else steps[::-1]:
        step()
    rows = LedgerEntry.objects.filter(round=world.round.id)
    order = {person.id: n for n, person in enumerate(world.persons)}
    stood = sorted((str(order.get(s, "new")), o) for s, o in rows.values_list("subject", "outcome"))
    return stood, world


def _bring(world: World, raw: bytes) -> None:
    """A list in which nobody wrote anything is no fault."""
    back = brought(world, raw)
    if merge_now(back).facts:
        commit_return(back, by=desk(world), at=NOON)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=edits, seen=visits, shape=shapes)
def test_list_and_phones_in_either_order_give_one_ledger(told: Any, seen: Any, shape: Any) -> None:
    stood = []
    for sheet_first in (True, False):
        with rolled_back():
            ledger, world = played(told, seen, shape, sheet_first=sheet_first)
            stood.append(ledger)
            assert verify_all() == []
            kept = Fact.objects.filter(round=world.round.id).count()
            assert kept == len(seen) + sum(
                "paper" in json.loads(f.body or "{}") for f in Fact.objects.filter(round=world.round.id)
            )
            assert SheetDifference.objects.across(reason="verify").count() <= 4
    assert stood[0] == stood[1]
