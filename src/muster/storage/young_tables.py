# SPDX-License-Identifier: Apache-2.0
"""Young tables: a round's partition is full before PostgreSQL has counted anything in it.

Without statistics its planner takes "this round, this sub-district" for one row, and reads all of them where
a few were asked for: 290 µs for a row instead of 14, in a round of 100,000 people. Statistics come when they
come, and a city's evening does not wait. So the blocks of fold leave the planner no choice.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_SCANS = ("enable_seqscan", "enable_indexscan", "enable_bitmapscan", "enable_indexonlyscan")
_SET = "SELECT " + ", ".join(f"set_config('{name}', %s, true)" for name in _SCANS)


@contextmanager
def by_place_alone(cursor: Any) -> Iterator[None]:
    """Inside a transaction: rows are fetched from where they lie (ctid); nothing is searched for them."""
    cursor.execute(_SET, ["off"] * len(_SCANS))
    yield
    cursor.execute(_SET, ["on"] * len(_SCANS))
