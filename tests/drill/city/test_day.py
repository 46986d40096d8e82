# SPDX-License-Identifier: Apache-2.0
"""Days as data: whole, in the words of their pack, refused by name when not."""

import copy
import itertools
import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest

from muster import packs
from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.drill.city import load_day
from muster.drill.city.day import day_from
from muster.drill.city.scenario import SCENARIOS, known_scenarios, load_scenario, load_table
from tests.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "reference" / "cities.md"


@pytest.mark.parametrize("name", known_scenarios())
def test_every_scenario_has_a_day(name):
    day = load_day(name)

    assert day.starts < day.ends
    assert day.campaign_kind in day.outcomes
    assert {"zh", "en"} <= set(day.name)
    assert all(gap.start < gap.end for gap in day.network.gaps)


@pytest.mark.parametrize("name", known_scenarios())
def test_outcomes_and_sources_are_those_of_the_pack(name):
    pack = packs.load(name)
    day = load_day(name)

    for kind, codes in day.outcomes.items():
        campaign = pack.campaign_kind(kind)
        assert set(codes.values()) <= {outcome.code for outcome in campaign.outcomes}
    sources = {source.code for source in pack.campaign_kind(day.campaign_kind).sources}
    assert set(day.discovers.sources) <= sources


@pytest.mark.parametrize("name", known_scenarios())
def test_needs_and_levels_of_a_city_are_those_of_the_pack(name):
    pack = packs.load(name)
    scenario = load_scenario(name)
    needs = {key for key, value in scenario.table["needs"].items() if isinstance(value, list)}
    needs |= set(scenario.table["needs"].get("household", {}))

    assert needs <= {need.code for need in pack.needs}
    assert scenario.table["areas"]["levels"] == [level.key for level in pack.areas.levels]


@pytest.mark.parametrize("name", known_scenarios())
def test_shares_are_shares(name):
    day = load_day(name)
    shares = [
        *(s for _, _, s in day.silent.hours),
        *(gap.share for gap in day.network.gaps),
        *day.discovers.sources.values(),
        *day.answers.left.values(),
        *day.answers.needs_help.values(),
        day.answers.refuses,
        day.discovers.person,
        day.clocks.off_share,
        day.repeats.door_twice,
    ]

    assert all(0 <= share <= 1 for share in shares)
    assert sum(day.discovers.sources.values()) == pytest.approx(1)


def test_silent_doors_are_about_a_fifth_to_a_third_by_day_and_few_in_the_evening():
    silent = load_day("epidemic-zh").silent

    assert 0.2 <= silent.share(10.0, "flat", set()) <= 0.4
    assert silent.share(19.0, "flat", set()) <= 0.1
    assert silent.share(10.0, "room", set()) > silent.share(10.0, "flat", set())
    assert silent.share(10.0, "flat", {"mobility"}) < silent.share(10.0, "flat", set())
    assert silent.share(3.0, "flat", set()) == 1.0


def test_hours_cover_the_day():
    for name in known_scenarios():
        day = load_day(name)
        hours = sorted(day.silent.hours)
        assert hours[0][0] <= day.starts.hour
        assert hours[-1][1] >= day.ends.hour
        assert all(a[1] == b[0] for a, b in itertools.pairwise(hours))


def broken(change):
    table = copy.deepcopy(dict(load_table("epidemic-zh_day")))
    change(table)
    return table


CHANGES = {
    "walking": lambda t: t["workers"].update(walking=3),
    "workers.pace": lambda t: t["workers"].pop("pace"),
    "day.starts": lambda t: t["day"].update(starts="half past eight"),
    "repeats": lambda t: t.pop("repeats"),
    "network.gaps": lambda t: t["network"]["gaps"].append({"from": "09:00"}),
    "clocks.off": lambda t: t["clocks"]["off"].pop("share"),
}


@pytest.mark.parametrize("key", CHANGES)
def test_day_that_is_not_whole_is_refused_by_name(key):
    with pytest.raises(Refusal) as told:
        day_from("epidemic-zh", broken(CHANGES[key]))

    assert told.value.code == "drill.day_key"
    assert key in told.value.facts["key"]
    assert text(told.value.code, "en", **told.value.facts)
    assert cure(told.value.code, "zh", **told.value.facts)


def test_whole_day_is_not_refused():
    assert day_from("epidemic-zh", broken(lambda t: None)) == load_day("epidemic-zh")


def keys_of(table, prefix=""):
    for key, value in table.items():
        yield f"{prefix}{key}"
        if isinstance(value, dict):
            yield from keys_of(value, f"{prefix}{key}.")


def test_every_key_is_explained_in_the_reference():
    page = PAGE.read_text("utf-8")
    explained = set(re.findall(r"`([a-z_0-9.]+)`", page))
    folder = Path(str(resources.files(SCENARIOS)))
    found = set()
    for name in known_scenarios():
        city = tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))
        found |= {k for k in city if not isinstance(city[k], dict)}
        for section in (
            "areas",
            "lattice",
            "homes",
            "registered",
            "listing",
            "contacts",
            "names_mix",
            "languages",
        ):
            found |= {f"{section}.{k}" for k in city.get(section, {})}
        for block in city["blocks"].values():
            found |= {f"blocks.{k}" for k in block}
        found |= {f"profiles.{k}" for k in city["profiles"]}
        found |= {"needs", "facilities"} | ({"zones"} & set(city))
        day = tomllib.loads((folder / f"{name}_day.toml").read_text("utf-8"))
        found |= {f"{section}.{k}" for section in day if section != "outcomes" for k in day[section]} | {
            "outcomes"
        }

    assert sorted(found - explained) == []
