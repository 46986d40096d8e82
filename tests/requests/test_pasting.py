# SPDX-License-Identifier: Apache-2.0
"""Pasted chats become drafts: who, what, which phone, which door."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.base.errors import Refusal
from muster.requests.pasting import read_messages
from muster.requests.placing import pasted_drafts, place_of_text
from muster.storage.scoping import Scope
from tests.support.world import World, make_world

CHAT = """李大妈 10:21
3号楼2单元501 降压药快没了，电话13800000001
今天能送吗
小王 2022-09-02 10:25
收到
张老师：柳岸小区5栋302 水管漏了

谢谢大家"""


def test_chat_is_read_message_by_message() -> None:
    first, second, third = read_messages(CHAT, form="cn")

    assert (first.who, first.phone, first.door_text) == ("李大妈", "13800000001", "3号楼2单元501")
    assert first.text.endswith("今天能送吗")
    assert second.is_small_talk
    assert (third.who, third.is_small_talk) == ("张老师", False)
    assert third.door_text == "柳岸小区5栋302"


def test_a_numbered_list_is_one_draft_a_line() -> None:
    chat = "王姐 09:15\n水管爆了，枣树巷1号402室\n#接龙\n1. 赵 要菜 3号楼501\n2、钱叔：要奶粉\n送到门口"
    chat += "\n3) 5-2-1203 要药"

    told = [(one.who, one.text) for one in read_messages(chat, form="cn")]

    assert told == [
        ("王姐", "水管爆了，枣树巷1号402室"),
        ("赵", "赵 要菜 3号楼501"),
        ("钱叔", "钱叔：要奶粉\n送到门口"),
        ("", "5-2-1203 要药"),
    ]


def test_one_number_at_the_head_of_a_line_is_no_list() -> None:
    (one,) = read_messages("王姐 09:15\n1. 先要菜", form="cn")

    assert (one.who, one.text) == ("王姐", "1. 先要菜")


@pytest.mark.parametrize(
    ("said", "door"),
    [
        ("我在3号楼501，要退烧药", "3号楼501"),
        ("5-2-1203 有人摔倒了", "5-2-1203"),
        ("家里没有米了", ""),
        ("三栋二单元402没水", "三栋二单元402"),
    ],
)
def test_door_in_a_sentence(said: str, door: str) -> None:
    assert read_messages(said, form="cn")[0].door_text == door


def test_street_address_in_a_sentence() -> None:
    (message,) = read_messages("Please help, Flat 2, 12 Mill Lane, water is coming in", form="street")

    assert message.door_text == "Flat 2, 12 Mill Lane"


@given(st.text(max_size=400))
def test_any_text_is_read_without_a_fault(text: str) -> None:
    for form in ("cn", "street"):
        assert sum(len(m.text) for m in read_messages(text, form=form)) <= len(text)


def test_long_paste_takes_no_time() -> None:
    assert len(read_messages("3号楼" * 6000, form="cn")) == 1
    assert len(read_messages("1" * 20_000, form="cn")) == 1
    assert len(read_messages("flat " * 4000, form="street")) == 1


@pytest.mark.django_db
class TestDoors:
    @pytest.fixture
    def world(self) -> World:
        return make_world(frozen=False)

    def test_one_fitting_door_is_taken_two_are_shown(self, world: World) -> None:
        label = world.dwellings[0].label
        own = Scope(grids=frozenset({world.dwellings[0].grid or 0}))

        (draft,) = pasted_drafts(f"老李：{label} 要买菜", form="cn", scope=own)
        where = place_of_text(f"{label}要买菜", scope=own, form="cn")

        assert [d.id for d in draft.doors] == [world.dwellings[0].id]
        assert where.dwelling == world.dwellings[0].id

    def test_door_out_of_scope_is_not_found(self, world: World) -> None:
        other = Scope(grids=frozenset({world.grids[-1].id}))
        label = world.dwellings[0].label

        assert place_of_text(label, scope=other, form="cn").dwelling != world.dwellings[0].id

    def test_blank_paste_is_told_so(self, world: World) -> None:
        with pytest.raises(Refusal, match="request_empty"):
            pasted_drafts("  \n ", form="cn", scope=Scope(everything=True))
