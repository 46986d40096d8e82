# SPDX-License-Identifier: Apache-2.0
"""Reading packs: strict, and every refusal names file, table, key and cure."""

import os
import re
import shutil
from pathlib import Path

import msgspec
import pytest

import muster.packs
from muster import packs
from muster.base import messages
from muster.base.errors import Refusal

SHIPPED = Path(muster.packs.__file__).parent


@pytest.fixture
def own(tmp_path):
    """A data folder with a pack of one's own, a copy of flood called `river`; returns (data_dir, folder)."""
    folder = tmp_path / "packs" / "river"
    shutil.copytree(SHIPPED / "flood", folder)
    edit(folder / "pack.toml", 'key = "flood"', 'key = "river"')
    return tmp_path, folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def refusal(data_dir: Path, name: str = "river") -> Refusal:
    with pytest.raises(Refusal) as caught:
        packs.load(name, data_dir)
    return caught.value


def test_available_lists_packs_that_come_with_muster_then_ones_own(own):
    data_dir, _ = own

    assert packs.available(data_dir) == ["epidemic-zh", "flood", "winter-week", "river"]


def test_load_finds_own_packs_by_the_environment(own, monkeypatch):
    data_dir, _ = own
    monkeypatch.setenv("MUSTER_DATA", str(data_dir))

    assert packs.load("river").key == "river"


def test_load_is_cached_until_a_file_changes(own):
    data_dir, folder = own
    first = packs.load("river", data_dir)

    assert packs.load("river", data_dir) is first

    edit(folder / "pack.toml", "Flood: reach every door", "River: reach every door")
    os.utime(folder / "pack.toml", ns=(1, 1))

    assert packs.load("river", data_dir).name.en == "River: reach every door"


@pytest.mark.parametrize("name", ["nowhere", "../flood", "/etc", "", "Flood", "flood/..", "a" * 500])
def test_load_unknown_name_says_which_there_are(name, tmp_path):
    found = refusal(tmp_path, name)

    assert found.code == "pack_unknown"
    assert messages.cure("pack_unknown", "en", **found.facts) == "there are: epidemic-zh, flood, winter-week"


def test_own_pack_with_the_name_of_a_shipped_one_is_refused(own):
    data_dir, folder = own
    folder.rename(folder.parent / "flood")

    assert refusal(data_dir, "flood").code == "pack_name_taken"


ORDER_KIND = """
[[order_kinds]]
code = "stay"
name = { zh = "留", en = "stay" }
max_days = 1
notice = { zh = "留", en = "stay" }
appeal = { zh = "问", en = "ask" }
"""
FAULTS = [
    ("pack.toml", 'key = "river"', 'key = "brook"', "pack_key_differs", "river/pack.toml", ""),
    ("pack.toml", 'key = "river"', "key = river", "pack_file_unreadable", "river/pack.toml", ""),
    (
        "service.toml",
        "[[wall]]",
        "[areas]\nleaf = 1\n[[wall]]",
        "pack_table_twice",
        "river/service.toml",
        "areas",
    ),
    ("pack.toml", 'kind = "flood"', "", "pack_key_missing", "river", "…"),
    ("pack.toml", 'kind = "flood"', 'kind = "flood"\ncolour = "red"', "pack_key_unknown", "river", "…"),
    (
        "campaigns.toml",
        "met = true",
        'met = "yes"',
        "pack_value_wrong",
        "river/campaigns.toml",
        "campaign_kinds “door_round”.outcomes “READY”.met",
    ),
    (
        "campaigns.toml",
        'class = "DONE"',
        'class = "FINISHED"',
        "pack_value_wrong",
        "river/campaigns.toml",
        "campaign_kinds “door_round”.outcomes “LEFT”.class",
    ),
    (
        "people.toml",
        'name = { en = "No car", zh = "没有车" }',
        'name = { en = "No car" }',
        "pack_key_missing",
        "river/people.toml",
        "needs “no_car”.name",
    ),
    (
        "people.toml",
        'name = { en = "No car", zh = "没有车" }',
        'name = { en = "No car", zh = "" }',
        "pack_value_wrong",
        "river/people.toml",
        "needs “no_car”.name.zh",
    ),
    (
        "people.toml",
        'service = "carry"',
        'service = "cary"',
        "pack_reference_unknown",
        "river/people.toml",
        "needs “wheelchair”.service",
    ),
    (
        "people.toml",
        'code = "carry"',
        'code = "seat_in_car"',
        "pack_code_twice",
        "river/people.toml",
        "services",
    ),
    ("people.toml", 'type = "head"', 'type = "chief"', "pack_head_missing", "river/people.toml", "posts"),
    ("pack.toml", "[terms.unit]", "[terms.untit]", "pack_term_unknown", "river/pack.toml", "terms.untit"),
    ("pack.toml", 'leaf = "block"', 'leaf = "ward"', "pack_leaf_not_last", "river/pack.toml", "areas.leaf"),
    (
        "pack.toml",
        'desk = "ward"',
        'desk = "parish"',
        "pack_reference_unknown",
        "river/pack.toml",
        "areas.desk",
    ),
    ("pack.toml", 'country_code = "44"', "", "pack_key_missing", "river/pack.toml", "phones"),
    ("pack.toml", "{house}", "{hose}", "pack_slot_unknown", "river/pack.toml", "address.parts"),
    (
        "campaigns.toml",
        "{left}",
        "{left.x}",
        "pack_template_bad",
        "river/campaigns.toml",
        "campaign_kinds “welfare_check”.chat",
    ),
    (
        "campaigns.toml",
        "{roster}",
        "{rooster}",
        "pack_slot_unknown",
        "river/campaigns.toml",
        "certificates.dwelling",
    ),
    (
        "campaigns.toml",
        'when = "arranged"',
        'when = "arrangd"',
        "pack_reference_unknown",
        "river/campaigns.toml",
        "certificates.dwelling.when",
    ),
    (
        "campaigns.toml",
        'when = ["LEFT", "READY", "NEEDS_HELP", "STAYS"]',
        'when = ["GONE"]',
        "pack_reference_unknown",
        "river/campaigns.toml",
        "campaign_kinds “door_round”.questions “people”.when",
    ),
    (
        "campaigns.toml",
        'type = "number"',
        'type = "choice"',
        "pack_options_bad",
        "river/campaigns.toml",
        "campaign_kinds “door_round”.questions “people”",
    ),
    (
        "campaigns.toml",
        'code = "READY"',
        'code = "LEFT"',
        "pack_code_twice",
        "river/campaigns.toml",
        "campaign_kinds “door_round”.outcomes",
    ),
    (
        "service.toml",
        "[[wall]]",
        ORDER_KIND + "[[wall]]",
        "pack_controls_missing",
        "river/service.toml",
        "order_kinds",
    ),
]


@pytest.mark.parametrize(("file", "old", "new", "code", "said_file", "where"), FAULTS)
def test_faulty_pack_is_refused_by_file_table_and_key(own, file, old, new, code, said_file, where):
    data_dir, folder = own
    edit(folder / file, old, new)

    found = refusal(data_dir)

    assert (found.code, found.facts["file"].removeprefix("packs/")) == (code, said_file)
    assert found.facts.get("where", "") == where
    for lang in messages.LANGUAGES:
        assert said_file in messages.text(code, lang, **found.facts)
        assert messages.cure(code, lang, **found.facts)


def test_pack_without_a_done_outcome_is_refused(own):
    data_dir, folder = own
    path = folder / "campaigns.toml"
    path.write_text(
        path.read_text(encoding="utf-8").replace('class = "DONE"', 'class = "EXPLAINED"'), encoding="utf-8"
    )

    assert refusal(data_dir).code == "pack_done_missing"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a = " + b"[" * 5000, b"# " + b"x" * 1_100_000])
def test_hostile_file_is_refused(own, content):
    data_dir, folder = own
    (folder / "more.toml").write_bytes(content)

    assert refusal(data_dir).code in {"pack_file_unreadable", "pack_too_large"}


def test_too_many_files_are_refused(own):
    data_dir, folder = own
    for number in range(50):
        (folder / f"more_{number}.toml").write_text("", encoding="utf-8")

    assert refusal(data_dir).code == "pack_too_large"


def test_every_pack_refusal_has_a_text():
    source = "".join(path.read_text(encoding="utf-8") for path in SHIPPED.glob("*.py"))
    used = set(re.findall(r'"(pack_\w+)"', source))
    known = {code for code in messages.messages() if code.startswith("pack_")}

    assert used == known


def test_own_pack_that_extends_changes_only_what_it_says(tmp_path):
    folder = tmp_path / "packs" / "our-river"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(
        'extends = "flood"\nname = { zh = "我们的河", en = "Our river" }\n'
        '[terms.round]\nzh = "一遍"\nen = "pass"\nen_many = "passes"\n',
        encoding="utf-8",
    )

    pack = packs.load("our-river", tmp_path)
    flood = packs.load("flood")

    assert (pack.key, pack.name.en, pack.term("round", "en")) == ("our-river", "Our river", "pass")
    assert (pack.campaign_kinds, pack.needs, pack.areas) == (flood.campaign_kinds, flood.needs, flood.areas)
    assert pack.term("post_type_head", "en") == flood.term("post_type_head", "en") == "block lead"


@pytest.mark.parametrize("base", ['"nowhere"', '"our-river"', "3", '["flood"]'])
def test_extends_names_a_pack_that_comes_with_muster(tmp_path, base):
    folder = tmp_path / "packs" / "our-river"
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(f"extends = {base}\n", encoding="utf-8")

    assert refusal(tmp_path, "our-river").code == "pack_reference_unknown"


@pytest.mark.parametrize("name", packs.available(Path("/nowhere")))
def test_pack_survives_the_way_to_the_web(name):
    answer = packs.load(name).to_json()

    assert msgspec.json.decode(msgspec.json.encode(answer)) == answer
