# SPDX-License-Identifier: Apache-2.0
"""The table of all engines: printed from the committed results; every engine has a row or is named."""

import json
import subprocess
import sys

import pytest

from benchmarks.planning.machine import RESULTS
from benchmarks.planning.table import Row, as_text, rows_of, table
from muster.planning.engines import NAMES


def test_every_engine_has_rows_or_is_named_as_missing():
    rows = table()

    assert [name for name in NAMES if not any(row.engine == name for row in rows)] == []
    for name in NAMES:
        measured = (RESULTS / f"{name}.json").exists()
        assert measured or rows_of(name)[0].case == "not measured"


@pytest.mark.parametrize("engine", [name for name in NAMES if (RESULTS / f"{name}.json").exists()])
def test_committed_result_is_read_and_states_its_goal(engine):
    rows = rows_of(engine)

    assert [row.ours for row in rows if row.case == "not readable"] == []
    assert rows[0].case != "not measured"
    assert any(row.met is not None and row.goal for row in rows)
    assert all(row.case and row.ours for row in rows)


def test_rotas_are_read_with_their_peer_and_goal(tmp_path):
    case = {
        "best_known": 1300,
        "ours": {"objective": 1330, "bound": 1270, "gap_percent": 2.31, "cpu_s": 38.0},
        "cp_sat": {"objective": None, "bound": 1000, "gap_percent": None, "cpu_s": 39.0},
    }
    result = {"curtois_qu": {"Instance8": case}, "curtois_qu_means": {"mean_gap_percent": 2.31}}
    (tmp_path / "rostering.json").write_text(json.dumps(result), encoding="utf-8")

    rows = rows_of("rostering", tmp_path)

    assert [(row.gap, row.met) for row in rows] == [("2.31 %", True), ("2.31 %", False)]


def test_sites_are_read_with_their_peers_and_a_missing_bound(tmp_path):
    hard = [{"above_best": 0.1, "cp_sat_above_best": None, "highs_above_best": 3.2}]
    city = {"slack": 1.15, "may_split": False, "open": 600, "mean_walk_m": 700.1, "gap": None, "cpu_s": 60.1}
    graphs = {"slowest_cpu_s": 2.4, "instances": 20, "optimal": 19, "rows": [{"above_best": 0.02}]}
    result = {"medians": graphs, "tables": {"Lib_1": hard}, "city": [city], "memory_mb": 900}
    (tmp_path / "siting.json").write_text(json.dumps(result), encoding="utf-8")

    rows = rows_of("siting", tmp_path)

    assert [row.met for row in rows] == [False, True, False]
    assert [row.gap for row in rows] == ["0.02 %", "0.10 %", "no bound"]
    assert rows[1].peer == "CP-SAT none, HiGHS 3.20 %"


def test_result_may_bring_its_own_rows(tmp_path):
    own = [
        {"case": "Ghent1", "ours": 477_000, "gap": "1.4 %", "goal": "<= 1.5 %", "met": True, "colour": "red"}
    ]
    (tmp_path / "routing.json").write_text(json.dumps({"table": own}), encoding="utf-8")

    assert rows_of("routing", tmp_path) == [
        Row("routing", "Ghent1", "477000", gap="1.4 %", goal="<= 1.5 %", met=True)
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"table": 5}', '{"matrix": {"sources_x_targets": 1}}'])
def test_result_that_cannot_be_read_is_named_and_hides_no_other(tmp_path, text):
    (tmp_path / "network.json").write_text(text, encoding="utf-8")

    rows = table(tmp_path)

    assert [row.case for row in rows if row.engine == "network"] == ["not readable"]
    assert len(rows) == len(NAMES)


def test_goal_that_is_missed_is_shown_as_missed():
    text = as_text([Row("network", "walks", "37 M", met=False), Row("network", "walk", "5 m", met=True)])

    assert [line.split()[-1] for line in text.splitlines()[2:]] == ["MISSED", "met"]


def test_show_prints_the_table_without_measuring():
    command = [sys.executable, "-m", "benchmarks.planning", "--show"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 0, done.stderr
    for name in NAMES:
        assert name in done.stdout
