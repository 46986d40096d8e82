# SPDX-License-Identifier: Apache-2.0
"""What a process carries when it has come up: web and intake no solver, intake no Django."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

WEB = "import muster.config.wsgi; from django.urls import get_resolver; get_resolver().url_patterns"
INTAKE = "import muster.intake.app, muster.intake.serve, muster.intake.journal"
FOLD = "import django; django.setup(); import muster.sync.fold, muster.situation.live, muster.intake.journal"
HEAVY = {"numba", "ortools", "scipy", "pymetis", "pyvrp", "llvmlite"}


def carried(start: str, folder: Path) -> set[str]:
    """The top-level modules a fresh interpreter has after this start."""
    code = f"{start}\nimport sys; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "muster.config.settings", "MUSTER_DATA": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("start", [WEB, INTAKE, FOLD], ids=["web", "intake", "fold"])
def test_no_solver_comes_up_with_a_server_process(start: str, tmp_path: Path) -> None:
    assert carried(start, tmp_path) & HEAVY == set()


def test_intake_comes_up_without_django(tmp_path: Path) -> None:
    assert carried(INTAKE, tmp_path) & {"django", "ninja", "pydantic"} == set()


def test_a_solver_that_came_up_would_be_seen(tmp_path: Path) -> None:
    """Negative control."""
    assert {"numba", "scipy"} <= carried(f"{INTAKE}\nimport muster.planning.network.reach, numba", tmp_path)
