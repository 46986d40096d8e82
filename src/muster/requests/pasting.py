# SPDX-License-Identifier: Apache-2.0
"""Group-chat text as people paste it: who wrote what, with the phone and the door that a message names.

Pure text in, messages out; nothing is kept. A line with a name and a time, or a name and a colon, begins a
message; other lines belong to the message before them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from muster.places.addresses import read_door
from muster.places.doors import Door

LONGEST = 20_000
MOST_MESSAGES = 200

_TIMED = re.compile(
    r"^(?P<who>.{1,24}?)[\s\u3000]+(?:\d{2,4}[-/年.]\d{1,2}[-/月.]\d{1,2}日?[\s\u3000]*)?"
    r"(?:上午|下午|晚上|早上|AM|PM|am|pm)?\s*\d{1,2}:\d{2}(?::\d{2})?\s*(?:AM|PM|am|pm)?$"
)
_SAID = re.compile(r"^(?P<who>[^:：\d]{1,16})[:：]\s*(?P<text>.+)$")
_PHONE = re.compile(r"(?<!\d)(?:1[3-9]\d{9}|0\d{2,3}-?\d{7,8}|\+\d[\d -]{7,16}\d)(?!\d)")
_CN_DOOR = re.compile(
    r"(?:[\u4e00-\u9fffA-Za-z0-9]{0,12}?)(?:第?[0-9一二三四五六七八九十]{1,4}[A-Za-z]?(?:号楼|栋|幢|座|号|#)|[0-9]{1,3}-[0-9]{1,2}-[0-9]{3,5})"
    r"(?:[0-9一二三四五六七八九十]{1,3}(?:单元|门|梯))?(?:[0-9]{3,5}|[0-9]{1,2}层?[0-9]{0,4})?(?:室|号|户)?"
)
_STREET_DOOR = re.compile(
    r"(?i)(?:(?:flat|apartment|apt|unit|room)\s*[a-z0-9]{1,5}\s*,\s*)?\d{1,5}[a-z]?\s+[a-z][a-z' ]{2,30}?"
    r"\b(?:street|st|lane|ln|road|rd|avenue|ave|close|court|drive|row|terrace|square|place|way|yard|green|hill)\b"
)
_FILLER = re.compile(
    r"^(?:(?:我们?|咱们?|本人|家|老人|妈妈|爸爸|现在|就|是|住|在|到|来|请|麻烦|帮忙|送|去)+(?=.))"
)
_NUMBERED = re.compile(
    r"^\d{1,3}[.、．)）]\s*"
    r"(?P<text>(?:(?P<who>[^\W\d]{1,8}|[A-Za-z][A-Za-z .'-]{0,20})[ \u3000:：,，]+)?\S.*)$"
)
_LIST_HEAD = re.compile(r"^#?\s*接龙")
_SMALL_TALK = re.compile(
    r"^(?:收到|好的|谢谢|多谢|辛苦了?|嗯+|哦+|ok|okay|thanks?|thank you|\[[^\]]*\]|[\W_\d])+[!！。.~～]*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a chat. `is_small_talk`: a thank-you or a received, that asks for nothing."""

    who: str
    text: str
    phone: str
    door_text: str
    is_small_talk: bool


def read_messages(pasted: str, *, form: str) -> list[Message]:
    """The messages of a pasted chat, in order; what one person wrote in a row is one message."""
    said = (one for who, text in _joined(pasted[:LONGEST]) for one in _of_list(who, text))
    return [_message(who, text, form) for who, text in said][:MOST_MESSAGES]


def _of_list(who: str, text: str) -> Iterator[tuple[str, str]]:
    """A numbered list (接龙) in one message is a message a line, with all its words; the ones before too."""
    lines = text.split("\n")
    numbered = [at for at, line in enumerate(lines) if _NUMBERED.match(line)]
    if len(numbered) < 2:
        yield who, text
        return
    before = [line for line in lines[: numbered[0]] if not _LIST_HEAD.match(line)]
    if before:
        yield who, "\n".join(before)
    for start, end in zip(numbered, [*numbered[1:], len(lines)], strict=True):
        found = _NUMBERED.match(lines[start])
        assert found is not None
        yield (found["who"] or "").strip(), "\n".join([found["text"], *lines[start + 1 : end]])


def _joined(pasted: str) -> Iterator[tuple[str, str]]:
    lines: list[str] = []
    who, begun = "", False
    for raw in pasted.splitlines():
        line = raw.strip()
        timed, said = _TIMED.match(line), _SAID.match(line)
        speaker = timed["who"] if timed else said["who"] if said else None
        if speaker is not None and (speaker != who or not begun):
            if lines:
                yield who, "\n".join(lines)
            who, lines, begun = speaker.strip(), [], True
        if timed or not line:
            # A blank line ends what somebody wrote without a name.
            if not line and not begun and lines:
                yield who, "\n".join(lines)
                lines = []
            continue
        lines.append(said["text"] if said else line)
    if lines:
        yield who, "\n".join(lines)


def _message(who: str, text: str, form: str) -> Message:
    phone = _PHONE.search(text)
    rest = _PHONE.sub(" ", text)
    return Message(
        who=who,
        text=text,
        phone=phone[0] if phone else "",
        door_text=door_text_in(rest, form=form),
        is_small_talk=_SMALL_TALK.match(text.strip()) is not None,
    )


def door_text_in(text: str, *, form: str) -> str:
    """The piece of a sentence that reads as a door; "" when none does. The longest reading wins."""
    pattern = _CN_DOOR if form == "cn" else _STREET_DOOR
    best = ""
    for found in pattern.finditer(text):
        for piece in _shorter(_FILLER.sub("", found[0].strip())):
            if len(piece) > len(best) and read_door(piece, form=form) is not None:
                best = piece
                break
    return best


def _shorter(piece: str) -> Iterator[str]:
    """A piece, and the same without the words before its first figure: 我在3号楼501 → 3号楼501."""
    yield piece
    figure = re.search(r"[0-9一二三四五六七八九十]", piece)
    if figure and figure.start():
        yield piece[figure.start() :]


def door_in(text: str, *, form: str) -> Door | None:
    """The door that a sentence names, read; None when it names none."""
    said = door_text_in(text, form=form)
    return read_door(said, form=form) if said else None
