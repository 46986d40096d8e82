# SPDX-License-Identifier: Apache-2.0
"""The drill's residents: every line of every pack is one that its pack takes."""

import tomllib
from importlib.resources import files

import pytest

from muster.drill.city.scenario import known_scenarios
from muster.packs import load
from muster.requests.states import RANK

STATES = {"waiting", "accepted", "on_site", "done", "solved"}


@pytest.mark.parametrize("name", known_scenarios())
def test_lines_fit_their_pack_and_show_every_state(name: str) -> None:
    source = files("muster.drill") / "scenarios" / "requests" / f"{name}.toml"
    lines = tomllib.loads(source.read_text(encoding="utf-8"))["lines"]
    known = {category.code for category in load(name).request_categories}

    assert {line["category"] for line in lines} <= known
    assert {line["urgency"] for line in lines} == set(RANK)
    assert {line.get("state", "waiting") for line in lines} == STATES
    assert lines[0]["state"] == "accepted", "the daughter's code leads to somebody on the way"
