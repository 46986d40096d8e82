# SPDX-License-Identifier: Apache-2.0
"""How a site stands: what waits, since when, when the city was last reached, where it says otherwise."""

from __future__ import annotations

from typing import Any

from muster.sync.models import HomeCity, OtherVerdict, StuckBatch


def progress_of(home: HomeCity) -> dict[str, Any]:
    return {
        "name": home.name,
        "city": home.web,
        "grids": len(home.grids),
        "opened_at": home.opened_at,
        "until": home.until,
        "waiting": home.waiting,
        "waiting_since": home.waiting_since,
        "passed_batches": home.passed_batches,
        "passed_facts": home.passed_facts,
        "stuck": StuckBatch.objects.count(),
        "other_verdicts": OtherVerdict.objects.count(),
        "tried_at": home.tried_at,
        "reached_at": home.reached_at,
        "next_try_at": home.next_try_at,
        "brought_at": home.brought_at,
        "trouble": home.trouble,
    }
