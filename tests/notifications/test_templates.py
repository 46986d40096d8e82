# SPDX-License-Identifier: Apache-2.0
"""What leaves the house holds no name, door, need, health or result: every template is read."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta

import pytest

from muster.base.messages import messages, slots
from muster.notifications.templates import SLOTS, code, demand_facts, templates, words
from muster.packs import load
from tests.support.world import NOON

PACKS = ("epidemic-zh", "flood", "winter-week")
FACTS = {"count": 3, "number": 4827, "minutes": 5, "time": "2022-09-02T09:20:00+00:00", "date": "2022-09-03"}
# Words of health, needs, results and homes that stand in no pack's list.
TELLING = frozenset(
    re.findall(
        r"\S+",
        """
        检测 采样 核酸 阳性 阴性 结果 隔离 密接 病 医 药 透析 化疗 产检 血 诊 残 孤 独居
        住址 门牌 房间 号楼 单元 姓名 身份证 手机号
        test result positive negative isolat contact patient hospital clinic doctor dialysis chemo pregnan
        antenatal medicine health disab elder alone address room flat apartment building name phone
        """,
    )
)
# "test message" is the channel's own test, and says nothing of anybody.
HARMLESS = {"channel_test": {"test", "测试"}}


def told() -> Iterator[tuple[str, str]]:
    """(template, sentence) of everything that can be told, in both languages."""
    for name, template in templates().items():
        for many in (False, True) if template.merges else (False,):
            entry = messages()[code(name, many=many)]
            yield from ((name, text) for text in (entry.zh, entry.en))


def forbidden() -> set[str]:
    found = set(TELLING)
    for pack in map(load, PACKS):
        named = (*pack.needs, *pack.services, *pack.affiliations)
        found |= {word.lower() for one in named for word in (one.name.zh, one.name.en)}
    return found


def gives_away(template: str, sentence: str) -> set[str]:
    said = sentence.lower()
    for word in HARMLESS.get(template, ()):
        said = said.replace(word, "")
    latin = set(re.findall(r"[a-z]+", said))
    return {
        word for word in forbidden()
        if (word in said if not word.isascii() or " " in word else any(one.startswith(word) for one in latin))
    }  # fmt: skip


@pytest.mark.parametrize(("template", "sentence"), sorted(told()))
def test_no_template_gives_anything_away(template: str, sentence: str) -> None:
    assert gives_away(template, sentence) == set()
    assert slots(sentence) <= set(SLOTS)


@pytest.mark.parametrize(
    "sentence",
    [
        "3号楼501的王阿姨该去透析了",
        "Please take Mrs Wang to the hospital",
        "您的核酸结果是阴性",
        "Visit at home: room 501",
    ],
)
def test_a_telling_sentence_would_be_seen(sentence: str) -> None:
    """Negative control."""
    assert gives_away("request_offered", sentence)


def test_every_tell_message_belongs_to_a_template_and_every_template_has_its_words() -> None:
    known = {
        code(n, many=m) for n, t in templates().items() for m in ((False, True) if t.merges else (False,))
    }

    assert {c for c in messages() if c.startswith("tell.")} == known


@pytest.mark.parametrize("name", sorted(templates()))
@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_template_fills_from_its_own_slots(name: str, language: str) -> None:
    template = templates()[name]
    facts = {slot: FACTS[slot] for slot in template.slots}

    demand_facts(name, facts)
    said = words(name, facts, language, zone="Asia/Shanghai")

    assert "{" not in said
    if template.merges:
        assert "7" in words(name, facts, language, zone="Asia/Shanghai", many=7)


@pytest.mark.parametrize(
    "facts",
    [
        {}, {"time": "王小明"}, {"time": "2022-09-02T09:20:00+00:00", "name": "王小明"}, {"time": 5},
        {"time": "2022-09-02T09:20:00"}, {"time": None}, {"count": 1},
    ],
)  # fmt: skip
def test_a_fact_that_is_no_plain_moment_is_refused(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="request_offered"):
        demand_facts("request_offered", facts)


@pytest.mark.parametrize("value", ["13800000000", True, -1, 1.5, 10**12, None])
def test_a_number_is_a_number(value: object) -> None:
    with pytest.raises(ValueError, match="plain number"):
        demand_facts("request_accepted", {"number": value})


def test_time_is_said_on_the_wall_clock_of_the_place() -> None:
    moment = (NOON + timedelta(hours=5)).isoformat()

    assert "9月2日 17:00" in words("request_offered", {"time": moment}, "zh", zone="Asia/Shanghai")
    assert "2 Sep 11:00" in words("request_offered", {"time": moment}, "en", zone="Europe/Berlin")


def test_a_key_says_nothing_outside() -> None:
    from muster.notifications.senders import short_key

    key = f"request_offered|{uuid.uuid4()}|app:x"
    assert short_key(key) == short_key(key)
    assert len(short_key(key)) == 32
    assert short_key(key) not in key
