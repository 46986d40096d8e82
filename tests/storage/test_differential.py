# SPDX-License-Identifier: Apache-2.0
"""The same recorded story on SQLite and on PostgreSQL ends in the same rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY

SEED = 20220902


def told(folder: Path, seed: int, database: str | None = None) -> dict[str, list[dict[str, Any]]]:
    environment = {**os.environ, "MUSTER_DATA": str(folder)}
    environment.pop("MUSTER_DATABASE_URL", None)
    if database:
        environment["MUSTER_DATABASE_URL"] = database
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.told_story", str(seed)],
        cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[dict[str, Any]]] = json.loads(done.stdout)
    return found


@pytest.mark.postgres
def test_the_same_story_ends_in_the_same_rows(tmp_path: Path, pg_database: str) -> None:
    small = told(tmp_path / "sqlite", SEED)
    large = told(tmp_path / "postgres", SEED, pg_database)

    assert {label: len(rows) for label, rows in small.items() if rows} == {
        label: len(rows) for label, rows in large.items() if rows
    }
    for label, rows in small.items():
        assert rows == large[label], label
    assert len(small["trail.Fact"]) > 20
    assert small["trail.SecondCopy"]
    assert small["places.Gone"]


def test_another_story_ends_in_other_rows(tmp_path: Path) -> None:
    """Negative control: the comparison sees a difference, and the same seed gives the same rows."""
    one, same, other = (told(tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))

    assert one == same
    assert one["campaigns.LedgerEntry"] != other["campaigns.LedgerEntry"]
