# SPDX-License-Identifier: Apache-2.0
"""The day before the river rises: a round that counts homes."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.drill.day_checks import CHECKS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("check", CHECKS)
def test_flood_day_whole(check, flood_day):
    check(flood_day)


def test_flood_day_counts_homes(flood_day):
    subjects = {s.kind: s for s in flood_day.spoken if s.kind == "entry.outcome"}
    outcomes = Counter(s.body["outcome"] for s in flood_day.spoken if s.kind == "entry.outcome")

    assert subjects
    for code in ("READY", "LEFT", "NEEDS_HELP", "STAYS", "NO_ANSWER"):
        assert outcomes[code] > 0, outcomes
