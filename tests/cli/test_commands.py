# SPDX-License-Identifier: Apache-2.0
"""The command line as somebody types it: answers, exit codes, one line for what is wrong."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from muster.cli.archive import copy_sqlite
from tests.conftest import REPOSITORY


class Console:
    """A data folder and the commands typed over it."""

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("MUSTER_")},
            "MUSTER_DATA": str(folder),
            "LANG": "C.UTF-8",
            "COLUMNS": "200",
        }

    def type(self, *words: str, code: int = 0, **environment: str) -> subprocess.CompletedProcess[str]:
        done = self._start("-m", "muster.cli.main", *words, **environment)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done

    def _start(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=REPOSITORY,
            env={**self.environment, **environment},
            input="",
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def run(self, program: str) -> str:
        """A few lines of Python in the house of this folder."""
        start = "import django; django.setup()\n"
        done = self._start("-c", start + program, DJANGO_SETTINGS_MODULE="muster.config.settings")
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Console:
    """A migrated house with the little world in it."""
    console = Console(tmp_path_factory.mktemp("house"))
    console.type("migrate")
    console.run(
        "from tests.support.world import make_world\n"
        "world = make_world(doors=2, people=1)\n"
        "world.record(world.outcome(world.persons[0], 'done'))"
    )
    return console


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """What went wrong, in one line and without a trace."""
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stderr
    return lines[0]


def test_help_names_the_commands(console: Console) -> None:
    told = console.type("--help").stdout

    shown = (
        "demo serve migrate user token enrol-code verify backup restore tls plan check import export template"
    )
    for command in shown.split():
        assert command in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("user", "add", "x", "--role", "king", "--password", "p"), "king"),
        (("user", "add", "x", "--role", "desk", "--area", "nowhere", "--password", "p"), "no such area"),
        (("user", "add", "head", "--role", "desk", "--password", "p"), "head"),
        (("token", "x", "--role", "king"), "king"),
        (("enrol-code", "--grid", "G99"), "no such grid"),
        (("verify", "--as-nobody"), "--as-nobody"),
        (("restore", "/nowhere/file"), "/nowhere/file"),
        (("plan", "matching", "/nowhere/file"), "/nowhere/file"),
        (("plan", "weaving", "/nowhere/file"), "/nowhere/file"),
        (("import", "persons", "/nowhere/file"), "/nowhere/file"),
        (("token", "x", "--role", "desk", "--days", "0"), "days"),
        (("sing",), "sing"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(console: Console, words: tuple[str, ...], told: str) -> None:
    done = console.type(*words, code=2)

    assert told in done.stderr
    assert "Traceback" not in done.stderr
    if "Usage:" not in done.stderr:
        one_line(done)


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({"MUSTER_PORT": "many"}, "MUSTER_PORT"),
        ({"MUSTER_TLS_CERT": "x"}, "MUSTER_TLS_KEY"),
        ({"MUSTER_DATABASE_URL": "mysql://x"}, "MUSTER_DATABASE_URL"),
    ],
)
def test_a_wrong_setting_is_named(console: Console, environment: dict[str, str], told: str) -> None:
    assert told in one_line(console.type("user", "list", code=2, **environment))


def test_the_sentence_is_in_the_readers_language(console: Console) -> None:
    zh, en = (
        console.type("enrol-code", "--grid", "G99", code=2, LANG=lang).stderr
        for lang in ("zh_CN.UTF-8", "C.UTF-8")
    )

    assert "网格" in zh
    assert "网格" not in en


def test_verify_proves_an_honest_ledger(console: Console) -> None:
    assert "verified" in console.type("verify").stdout


def test_verify_finds_a_tampered_ledger(tmp_path: Path, console: Console) -> None:
    """Negative control of verify: each of three ways to lie in the database is found, with exit 1."""
    lies = {
        "entries_equal_settle": "UPDATE campaigns_ledgerentry SET cls = 'DONE' WHERE cls = 'OPEN'",
        "counters_equal_recount": "UPDATE campaigns_roundgrid SET n_done = n_done + 1, n_open = n_open - 1",
        "equation_closes": "DELETE FROM campaigns_ledgerentry WHERE cls = 'OPEN'",
    }
    for check, lie in lies.items():
        house = Console(tmp_path / check)
        house.data.mkdir()
        for part in ("keys", "secret"):
            subprocess.run(["cp", "-r", str(console.data / part), str(house.data / part)], check=True)
        copy_sqlite(console.data / "muster.sqlite3", house.data / "muster.sqlite3")
        db = sqlite3.connect(house.data / "muster.sqlite3")
        with db:
            db.execute(lie)
        db.close()

        assert check in house.type("verify", code=1).stdout


def test_a_schema_of_a_problem_is_json(console: Console) -> None:
    assert json.loads(console.type("plan", "districting", "--schema").stdout)
