# SPDX-License-Identifier: Apache-2.0
"""What the packs that come with Muster hold: complete, readable at a door, and each in its own words only."""

import re
from collections import Counter
from pathlib import Path

import pytest

from muster import packs
from muster.base.terms import terms
from muster.campaigns.kinds import check_definition
from muster.packs.pack import CERTIFICATE_FACTS, Pack

NAMES = packs.available(Path("/nowhere"))
HAN = re.compile(r"[\u4e00-\u9fff]")
GENERATED_NEEDS = {
    "epidemic-zh": "elder_alone disabled pregnant newly_delivered chronic dialysis dementia minor_alone"
    " migrant_hardship psychiatric mobility",
    "flood": "no_car oxygen wheelchair hearing infant pets elder_alone dementia mobility",
}

# Words that only an epidemic needs. A flood page that shows one was written with an epidemic in mind.
EPIDEMIC_ZH = (
    "疫 病例 核酸 采样 隔离 确诊 无症状 密接 接触者 感染 阳性 阴性 混检 混管 健康码 健康包 口罩"
    " 消杀 封控 管控 免检 漏检 已检 转运箱"
)
EPIDEMIC_EN = (
    "epidemic pandemic covid virus infection infected tested testing test sample sampled sampling swab"
    " isolation isolate quarantine lockdown mask masks asymptomatic nucleic pcr vaccine contagious exempt"
)


def words_of(pack: Pack) -> dict[str, str]:
    """Return every text that a page of this pack can show, by where it stands: the pack's, and all nouns."""
    found: dict[str, str] = {}

    def walk(where: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{where}.{key}", inner)
        elif isinstance(value, list):
            for place, inner in enumerate(value):
                walk(f"{where}[{place}]", inner)
        elif isinstance(value, str) and value and where.endswith((".zh", ".en", ".en_many")):
            found[where] = value

    walk(pack.key, pack.to_json())
    for key in terms():
        found[f"term.{key}.zh"], found[f"term.{key}.en"] = pack.term(key), pack.term(key, "en")
    return found


def epidemic_words(texts: dict[str, str]) -> list[str]:
    chinese = EPIDEMIC_ZH.split()
    english = re.compile(rf"\b({'|'.join(EPIDEMIC_EN.split())})\b", re.IGNORECASE)
    found = [f"{where}: {word}" for where, text in texts.items() for word in chinese if word in text]
    return found + [f"{where}: {hit[0]}" for where, text in texts.items() for hit in english.finditer(text)]


@pytest.mark.parametrize("name", ["flood", "winter-week"])
def test_pack_shows_no_word_of_the_epidemic(name):
    assert epidemic_words(words_of(packs.load(name))) == []


def test_words_of_the_epidemic_are_seen_where_they_stand():
    found = epidemic_words(words_of(packs.load("epidemic-zh")))

    assert len(found) > 20
    assert {line.rpartition(": ")[2] for line in found} >= {
        "核酸",
        "采样",
        "隔离",
        "健康包",
        "Testing",
        "Sampled",
    }


@pytest.mark.parametrize("text", ["请做核酸", "Take a swab", "TESTED twice", "居家隔离"])
def test_word_of_the_epidemic_is_seen_in_any_text(text):
    assert epidemic_words({"x": text})


@pytest.mark.parametrize("text", ["the latest contest", "unmasked wording", "a protest"])
def test_word_that_only_contains_one_is_left_alone(text):
    assert epidemic_words({"x": text}) == []


@pytest.mark.parametrize("name", NAMES)
def test_texts_are_complete_and_calm(name):
    wrong = [
        where
        for where, text in words_of(packs.load(name)).items()
        if not text.strip()
        or re.search("[!！]", text)
        or (where.endswith(".zh") and not HAN.search(re.sub(r"\{\w+\}", "", text)) and "address" not in where)
        or (not where.endswith(".zh") and HAN.search(text))
    ]

    assert wrong == []


@pytest.mark.parametrize("name", NAMES)
def test_campaign_kinds_pass_the_check_of_kinds_made_at_a_desk(name):
    pack = packs.load(name)

    for kind in pack.campaign_kinds:
        definition = pack.campaign_kind_json(kind.key)

        assert check_definition(definition).unit == kind.unit


@pytest.mark.parametrize("name", NAMES)
def test_campaign_kinds_stand_complete_in_the_form_of_the_contract(name):
    pack = packs.load(name)

    for kind in pack.to_json()["campaign_kinds"]:
        assert set(kind) == {
            "key",
            "name",
            "unit",
            "version",
            "outcomes",
            "questions",
            "sources",
            "certificate",
            "chat",
        }
        assert kind["sources"]
        assert kind["certificate"]
        assert kind["chat"]
        assert [outcome["key_order"] for outcome in kind["outcomes"]] == list(
            range(1, len(kind["outcomes"]) + 1)
        )
        for outcome in kind["outcomes"]:
            assert set(outcome) - {"service"} == {
                "code", "name", "class", "met", "door", "evidence", "precedence", "key_order",
            }  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_outcomes_have_the_default_precedence_or_their_own(name):
    for kind in packs.load(name).campaign_kinds:
        for raw, full in zip(kind.outcomes, packs.load(name).campaign_kind(kind.key).outcomes, strict=True):
            assert full.precedence == (
                raw.precedence if raw.precedence is not None else 20 if raw.cls == "DONE" else 10
            )


@pytest.mark.parametrize("name", NAMES)
def test_silence_never_beats_what_somebody_said(name):
    for kind in packs.load(name).campaign_kinds:
        outcomes = packs.load(name).campaign_kind(kind.key).outcomes
        silent = [outcome.precedence for outcome in outcomes if outcome.cls == "UNREACHED"]
        spoken = [outcome.precedence for outcome in outcomes if outcome.cls != "UNREACHED"]

        assert silent
        assert max(silent) < min(spoken)


@pytest.mark.parametrize("name", NAMES)
def test_refusing_asks_for_a_second_visit_by_somebody_else(name):
    refusing = [
        outcome
        for kind in packs.load(name).campaign_kinds
        for outcome in kind.outcomes
        if outcome.code in {"DECLINED", "STAYS"}
    ]

    assert refusing
    assert {outcome.evidence for outcome in refusing} == {"second_visit"}


def test_flood_help_called_for_after_leaving_is_not_hidden_by_it():
    outcomes = {o.code: o for o in packs.load("flood").campaign_kind("door_round").outcomes}

    assert outcomes["NEEDS_HELP"].precedence >= max(o.precedence for o in outcomes.values())


def test_testing_round_has_the_outcomes_of_the_door():
    names = [outcome.name.zh for outcome in packs.load("epidemic-zh").campaign_kind("testing_round").outcomes]

    assert names == ["已检", "他处已检", "上门", "免检", "外出", "不愿参加", "没人应门", "查无此人"]


def test_door_round_has_the_outcomes_of_the_door():
    kind = packs.load("flood").campaign_kind("door_round")

    assert [(o.code, o.cls) for o in kind.outcomes] == [
        ("LEFT", "DONE"),
        ("READY", "DONE"),
        ("NEEDS_HELP", "ARRANGED"),
        ("STAYS", "EXPLAINED"),
        ("NO_ANSWER", "UNREACHED"),
        ("EMPTY", "EXPLAINED"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_no_service_gives_a_need_away(name):
    pack = packs.load(name)
    uses = Counter(need.service for need in pack.needs)

    assert uses
    assert min(uses.values()) >= 2
    assert pack.services_of([need.code for need in pack.needs]) == [
        s.code for s in pack.services if s.code in uses
    ]


def test_services_of_unknown_need_is_empty():
    assert packs.load("flood").services_of(["no_such_need"]) == []


@pytest.mark.parametrize("name", NAMES)
def test_service_and_need_share_no_name(name):
    pack = packs.load(name)

    assert not {s.name.zh for s in pack.services} & {n.name.zh for n in pack.needs}


@pytest.mark.parametrize(("name", "needs"), GENERATED_NEEDS.items())
def test_needs_of_generated_cities_are_known(name, needs):
    assert set(needs.split()) <= {need.code for need in packs.load(name).needs}


@pytest.mark.parametrize("name", NAMES)
def test_certificate_says_the_whole_sum_and_its_own_limit(name):
    for kind in packs.load(name).to_json()["campaign_kinds"]:
        always = " ".join(line["en"] for line in kind["certificate"] if not line["when"])
        when_not_zero = {line["when"] for line in kind["certificate"]}

        assert all(
            f"{{{fact}}}" in always for fact in ("grid", "round", "as_of", "roster", "done", "explained")
        )
        assert {"arranged", "unreached", "open", "phone"} <= when_not_zero <= CERTIFICATE_FACTS | {""}
        assert "on no list" in always


@pytest.mark.parametrize("name", NAMES)
def test_chat_text_names_no_person_and_no_room(name):
    for kind in packs.load(name).campaign_kinds:
        chat = packs.load(name).campaign_kind(kind.key).chat

        assert "{left}" in chat.zh
        assert "{left}" in chat.en


def test_only_the_epidemic_pack_brings_controls():
    bringing = {name: (p.modules, p.gate_rules, p.order_kinds) for name in NAMES if (p := packs.load(name))}

    assert bringing["flood"] == bringing["winter-week"] == ((), (), ())
    assert bringing["epidemic-zh"][0] == ("controls",)
    assert all(bringing["epidemic-zh"][1:])


def test_pack_without_documents_asks_for_none():
    assert packs.load("flood").id_documents == packs.load("winter-week").id_documents == ()


def test_pack_terms_differ_from_the_house_and_reach_every_key_of_a_concept():
    flood = packs.load("flood")

    assert flood.term("grid_head", "en") == flood.term("role_grid_head", "en") == "block lead"
    assert flood.term("round", "en") == "round"
    assert flood.to_json()["terms"]["role_grid_head"]["zh"] == flood.term("post_type_head")


@pytest.mark.parametrize("name", NAMES)
def test_pack_terms_stay_one_word_for_one_concept(name):
    pack = packs.load(name)
    own = [key for key, entry in terms().items() if not entry.same_as]
    counts = Counter(pack.term(key) for key in own)

    assert [word for word, count in counts.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "lang", "facts", "label"),
    [
        ("epidemic-zh", "zh", {"building": 3, "unit": 2, "room": "501"}, "3号楼2单元501"),
        ("epidemic-zh", "zh", {"house": "柳巷47号", "unit": "", "room": "302"}, "柳巷47号302"),
        ("epidemic-zh", "en", {"building": 3, "room": "501"}, "building 3, room 501"),
        ("flood", "en", {"house": "12 Mill Lane", "room": "2"}, "12 Mill Lane, flat 2"),
        ("flood", "en", {"house": "12 Mill Lane"}, "12 Mill Lane"),
        ("flood", "zh", {}, ""),
    ],
)
def test_dwelling_label_says_what_is_known(name, lang, facts, label):
    assert packs.load(name).dwelling_label(lang, **facts) == label


def test_campaign_kind_unknown_is_a_bug():
    with pytest.raises(LookupError, match="flood has no campaign kind 'testing_round'"):
        packs.load("flood").campaign_kind("testing_round")
