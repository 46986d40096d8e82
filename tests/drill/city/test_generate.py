# SPDX-License-Identifier: Apache-2.0
"""The same city from the same seed, of the size asked for, one community at a time."""

import gc
import subprocess
import sys
import weakref

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.base.messages import cure, text
from muster.drill.city import generate, generate_communities, generate_community, plan_city
from muster.drill.city.ground_checks import overlapping_buildings

PRINT_HASH = """
import hashlib
from muster.drill.city import generate
for scenario in ("epidemic-zh", "flood"):
    city = generate(scenario, people=2000, seed=7)
    whole = repr((city.areas, city.streets, city.outer_lines, city.outer_grounds, city.communities))
    print(hashlib.sha256(whole.encode()).hexdigest())
"""

STREAM_MEMORY = """
import resource
from muster.drill.city import generate_communities
def peak(): return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
communities = generate_communities("epidemic-zh", people=90_000, seed=1)
for _ in range(3): next(communities)
first = peak()
print(sum(1 for _ in communities), peak() - first)
"""


def run_python(code, hash_seed="0"):
    told = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={"PYTHONHASHSEED": hash_seed},
    )
    return told.stdout.split()


def living(city):
    return sum(map(len, city.behind_doors.values()))


def test_same_seed_gives_the_same_bytes_under_another_hash_seed():
    assert run_python(PRINT_HASH, "1") == run_python(PRINT_HASH, "2")


def test_another_seed_gives_another_city():
    first, second = (generate("epidemic-zh", people=500, seed=seed) for seed in (1, 2))

    assert [p.name for p in first.persons] != [p.name for p in second.persons]


@pytest.mark.parametrize("scenario", ["epidemic-zh", "flood"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_small_city_has_the_people_asked_for(scenario, seed):
    city = generate(scenario, people=2_000, seed=seed)

    assert len(city.listed.persons) == pytest.approx(2_000, rel=0.02)
    assert living(city) == pytest.approx(2_000, rel=0.02)


def test_district_has_the_people_asked_for(district):
    assert len(district.listed.persons) == pytest.approx(30_000, rel=0.02)
    assert living(district) == pytest.approx(30_000, rel=0.02)


def test_town_has_the_people_asked_for(town):
    assert len(town.listed.persons) == pytest.approx(6_000, rel=0.02)
    assert living(town) == pytest.approx(6_000, rel=0.02)


def test_community_depends_on_seed_and_index_only(district):
    larger = plan_city("epidemic-zh", people=70_000, seed=1)

    alone = generate_community(larger, 3)

    assert alone == district.communities[3]


def test_stream_gives_the_communities_of_the_whole(town):
    streamed = list(generate_communities("flood", people=6_000, seed=2))

    assert streamed == list(town.communities)


def test_stream_keeps_nothing_of_earlier_communities():
    communities = generate_communities("epidemic-zh", people=12_000, seed=1)
    first = next(communities)
    gone = weakref.ref(first)
    del first

    next(communities)
    gc.collect()

    assert gone() is None


def test_stream_memory_stays_flat():
    count, growth_kb = map(int, run_python(STREAM_MEMORY))

    assert count >= 15
    assert growth_kb < 25_000


@settings(max_examples=8, deadline=None)
@given(
    people=st.integers(300, 3_500),
    seed=st.integers(0, 10**9),
    scenario=st.sampled_from(["epidemic-zh", "flood"]),
)
def test_any_size_and_seed_holds_together(people, seed, scenario):
    city = generate(scenario, people=people, seed=seed)

    assert overlapping_buildings(city.buildings) == []
    assert len({p.key for p in city.persons}) == len(city.persons)
    assert len({d.key for d in city.dwellings}) == len(city.dwellings)
    assert {h.dwelling_key for h in city.households} <= {d.key for d in city.dwellings}
    assert {p.household_key for p in city.persons} == {h.key for h in city.households}
    assert living(city) == pytest.approx(people, rel=0.04, abs=12)


@pytest.mark.parametrize("people", [0, 199, 21_500_001])
def test_size_out_of_range_is_refused(people):
    with pytest.raises(Refusal) as refused:
        plan_city("epidemic-zh", people=people, seed=1)

    assert refused.value.code == "drill.people_out_of_range"
    assert str(people) in text(refused.value.code, "en", **refused.value.facts)


def test_unknown_scenario_is_refused_with_the_known_ones():
    with pytest.raises(Refusal) as refused:
        generate("earthquake", people=1_000, seed=1)

    assert refused.value.code == "drill.scenario_unknown"
    assert "flood" in cure(refused.value.code, "zh", **refused.value.facts)


def test_whole_city_of_21_million_can_be_planned_and_any_part_made():
    plan = plan_city("epidemic-zh", people=21_000_000, seed=1)

    codes = {c.code for c in plan.communities}
    last_but_one = generate_community(plan, len(plan.communities) - 2)

    assert sum(c.people for c in plan.communities) == 21_000_000
    assert len(codes) == len(plan.communities) > 4_000
    assert len(last_but_one.persons) > 2_000
