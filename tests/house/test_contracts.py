# SPDX-License-Identifier: Apache-2.0
"""Imports only go down, planning is pure, the front door stands alone: the contracts hold, and can break."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

BREACHES = {
    "storeys": ("accounts/queries.py", "from muster.places.models import Area"),
    "rooms": ("campaigns/queries.py", "from muster.campaigns.services import written_side"),
    "planning-pure": ("planning/contract.py", "import django"),
    "planning-users": ("situation/coverage.py", "from muster.planning import contract"),
    "engines": ("planning/network/plan.py", "from muster.planning.districting import problem"),
    "front-door": ("intake/limits.py", "import django.conf"),
    "base-plain": ("base/ids.py", "import numpy"),
    "no-cycles": ("base/clock.py", "from muster.storage import keys"),
}


def lint(folder: Path) -> dict[str, str]:
    """contract name -> KEPT or BROKEN, as import-linter says it of the tree in a folder."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", "pyproject.toml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = dict(re.findall(r"^(.+?) (KEPT|BROKEN)(?: \(.*)?$", done.stdout, re.MULTILINE))
    assert said, done.stdout + done.stderr
    return said


def names() -> dict[str, str]:
    import tomllib

    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    return {one["id"]: one["name"] for one in settings["tool"]["importlinter"]["contracts"]}


def test_every_contract_is_kept() -> None:
    said = lint(REPOSITORY)

    assert said == dict.fromkeys(names().values(), "KEPT")


def test_each_contract_breaks_when_it_is_broken(tmp_path: Path) -> None:
    """Negative control: one forbidden import for each contract in a copy of the tree."""
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copytree(
        REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("static", "__pycache__", "*.toml")
    )
    for path, line in BREACHES.values():
        file = tmp_path / "src" / "muster" / path
        file.write_text(file.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")

    said = lint(tmp_path)

    assert said == dict.fromkeys(names().values(), "BROKEN")
    assert set(BREACHES) == set(names())


SIGNALS = re.compile(r"django[\w.]*\.(?:signals|dispatch)\b|^\s*@receiver\b", re.MULTILINE)


def test_no_signals_anywhere() -> None:
    """What happens when something is saved stands in the service that saves it, nowhere else."""
    sources = (REPOSITORY / "src" / "muster").rglob("*.py")

    found = [path.name for path in sources if SIGNALS.search(path.read_text(encoding="utf-8"))]

    assert found == []


@pytest.mark.parametrize(
    "line",
    ["from django.db.models.signals import post_save", "import django.dispatch", "@receiver(post_save)"],
)
def test_a_signal_would_be_seen(line: str) -> None:
    assert SIGNALS.search(line)
