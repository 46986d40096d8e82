# SPDX-License-Identifier: Apache-2.0
"""Compiling ahead: the second process compiles nothing; where kernels are kept, and what when nowhere."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from muster.cli import warming as command
from muster.cli.main import app, register_all
from muster.planning import engines, warming
from muster.planning._kernel.keeping import ENVIRONMENT, is_lasting, settle_place

ROOT = Path(__file__).resolve().parents[2]


def in_a_process(words, folder, **changes):
    environment = {**os.environ, ENVIRONMENT: str(folder), **changes}
    return subprocess.run(
        [sys.executable, *words], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=120
    )


def is_gone(group, seconds=10):
    for _ in range(seconds * 10):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def kernels_in(engine):
    sources = (Path(engines.__file__).parent / engine).glob("*.py")
    return sum(path.read_text(encoding="utf-8").count("njit(") for path in sources)


def warm_up(engine, folder):
    return in_a_process(["-m", "muster.cli.main", "warm-up", engine], folder)


def test_second_process_compiles_nothing_and_the_third_does_not_even_look(tmp_path):
    first = warm_up("rostering", tmp_path)
    kept = list(tmp_path.rglob("*.nbi"))
    (tmp_path / "warm.json").unlink()  # as if nobody had said so: the kernels themselves are asked
    second = warm_up("rostering", tmp_path)
    third = warm_up("rostering", tmp_path)

    assert "found 0" in first.stdout, first.stderr
    assert len(kept) == kernels_in("rostering")
    assert "compiled 0" in second.stdout
    assert "found 0" not in second.stdout
    assert third.stdout.strip() == "rostering: warm already"


@pytest.mark.parametrize("engine", engines.NAMES)
def test_after_warming_a_new_process_finds_all_kernels_on_disk(engine):
    if not warming.is_warm(engine):
        warming.warm(engine)

    again = warming.warm(engine)

    assert again.compiled == 0
    assert again.found > 0
    assert warming.is_warm(engine)


def test_engine_whose_code_changed_is_cold_again(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    warming._mark("siting", warming._identity("siting"))
    before = warming.is_warm("siting"), warming.is_warm("routing")

    monkeypatch.setattr(warming, "_processor", lambda: "another one")

    assert before == (True, False)
    assert not warming.is_warm("siting")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"siting": 5}'])
def test_marks_that_make_no_sense_mean_cold(tmp_path, monkeypatch, text):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path))
    (tmp_path / "warm.json").write_text(text)

    assert not warming.is_warm("siting")


def test_warming_up_that_is_told_to_stop_ends_with_its_child_and_goes_on_later(tmp_path):
    environment = {**os.environ, ENVIRONMENT: str(tmp_path)}
    words = [sys.executable, "-m", "muster.cli.main", "warm-up", "routing"]
    running = subprocess.Popen(words, env=environment, cwd=ROOT, start_new_session=True)
    until = time.monotonic() + 60
    while not list(tmp_path.rglob("*.nbi")) and time.monotonic() < until:
        time.sleep(0.1)

    running.send_signal(signal.SIGTERM)

    assert running.wait(20) == 1
    assert is_gone(running.pid)
    assert list(tmp_path.rglob("*.nbi"))
    assert not (tmp_path / "warm.json").exists()


class TestPlaces:
    def unwritable(self, tmp_path):
        (tmp_path / "file").write_text("")
        return tmp_path / "file" / "folder"

    def test_beside_the_code_when_nothing_is_said(self, tmp_path):
        said = {}

        assert settle_place(said, beside=tmp_path) == tmp_path / "__pycache__"
        assert said == {}

    def test_where_somebody_said(self, tmp_path):
        assert settle_place({ENVIRONMENT: str(tmp_path / "a")}, beside=tmp_path) == tmp_path / "a"

    def test_in_the_data_folder_when_the_code_may_not_be_written_to(self, tmp_path):
        said = {"MUSTER_DATA": str(tmp_path / "var"), "HOME": str(tmp_path)}

        place = settle_place(said, beside=self.unwritable(tmp_path))

        assert place == tmp_path / "var" / "kernels"
        assert said[ENVIRONMENT] == str(place)

    def test_in_the_cache_of_the_user_without_a_data_folder(self, tmp_path):
        said = {"HOME": str(tmp_path)}

        assert settle_place(said, beside=self.unwritable(tmp_path)) == tmp_path / ".cache" / "muster-kernels"

    def test_for_one_run_where_nothing_may_be_written(self, tmp_path):
        nowhere = str(self.unwritable(tmp_path))
        said = {ENVIRONMENT: nowhere, "MUSTER_DATA": nowhere, "XDG_CACHE_HOME": nowhere}

        place = settle_place(said, beside=self.unwritable(tmp_path))

        assert not is_lasting(place)
        assert said[ENVIRONMENT] == str(place)
        place.rmdir()

    def test_engine_works_where_nothing_may_be_kept(self, tmp_path):
        nowhere = str(self.unwritable(tmp_path))
        line = (
            "from muster.planning.rostering import _months, make_problem, solve; import os;"
            "p = make_problem(days=1, shifts=[], posts=[], people=[]);"
            f"print(solve(p, budget_s=5, seed=1).status); os.rmdir(os.environ['{ENVIRONMENT}'])"
        )

        done = in_a_process(["-c", line], nowhere, MUSTER_DATA=nowhere, XDG_CACHE_HOME=nowhere)

        assert done.stdout.strip() == "OPTIMAL", done.stderr


class TestCommand:
    def asked(self, *words):
        register_all()
        return CliRunner().invoke(app, ["warm-up", *words])

    def test_engine_that_is_none_is_refused(self):
        assert self.asked("astrology").exception.code == "engine_unknown"

    def test_failing_is_said_and_in_the_background_it_is_no_failure(self, monkeypatch):
        def fail(engine):
            raise OSError("no space left")

        monkeypatch.setattr(warming, "is_warm", lambda engine: False)
        monkeypatch.setattr(warming, "warm", fail)
        monkeypatch.setattr(command, "_give_way", lambda: None)

        loud, quiet = self.asked("siting"), self.asked("siting", "--background")

        assert loud.exception.code == "engine_stays_cold"
        assert quiet.exit_code == 0
        assert "no space left" in quiet.stderr

    def test_house_warms_up_once_and_gives_way(self):
        from muster.cli.supervisor import warming_up

        process = warming_up()

        assert process.once
        assert process.command[-2:] == ["warm-up", "--background"]


def test_first_plan_of_a_cold_engine_does_not_pay_for_compiling(tmp_path):
    people = [{"name": name, "kinds": ["any"]} for name in ("ann", "bo")]
    shifts = [{"name": "day", "start_min": 480, "minutes": 480}]
    posts = [{"name": "gate", "needs": [{"shift": "day", "kind": "any", "count": 1}]}]
    problem = tmp_path / "rota.json"
    problem.write_text(json.dumps({"days": 5, "shifts": shifts, "posts": posts, "people": people}))
    words = ["-m", "muster.cli.main", "plan", "rostering", str(problem), "--seconds", "1"]

    first, second = (in_a_process(words, tmp_path / "kernels") for _ in range(2))

    assert "first use" in first.stderr
    assert "first use" not in second.stderr
    assert first.stdout == second.stdout
    assert "OPTIMAL" in first.stdout
