# SPDX-License-Identifier: Apache-2.0
"""How people write: full-width letters, look-alike dashes, Chinese numerals, words that mean "nothing".

Pure functions on text, the ground under the normalisers of names, phones, documents and addresses. Each rule
has vectors in tests/vectors, which the phone's TypeScript obeys too; a change of a rule raises VERSION there.
"""

from __future__ import annotations

import re
import unicodedata

HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"

_DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−﹘﹣－", "-"))
_SPACES = re.compile("[\t\n\v\f\r \u1680\u2028\u2029]+")  # what NFKC leaves of white space
_VARIATION_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")

# What stands in a cell when there is nothing to say. Two blanks never mean the same person or door.
_BLANK_WORDS = (
    "-|--|---|/|//|\\|.|。|、|?|??|*|**|***|x|xx|xxx|_|#|n/a|#n/a|n.a.|none|null|nil|unknown|not known"
    "|no name|tbc|tbd|无|没有|没|空|空白|不详|不明|不知|不知道|未知|未提供|未登记|暂无|缺|保密"
)
_BLANK = frozenset(_BLANK_WORDS.split("|"))


def fold(raw: str) -> str:
    """Return the text in one form: NFKC, no invisible characters, single spaces, trimmed."""
    if raw.isascii() and raw.isprintable():  # nothing of what follows can be in it
        return _SPACES.sub(" ", raw).strip(" ")
    text = _VARIATION_SELECTORS.sub("", unicodedata.normalize("NFKC", raw))
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = _SPACES.sub(" ", text)
    return "".join(char for char in text if unicodedata.category(char) != "Cc").strip(" ")


def plain_dashes(text: str) -> str:
    """Return the text with every dash as `-`."""
    return text.translate(_DASHES)


def is_blank(raw: str | None) -> bool:
    """Whether a cell says nothing: empty, or one of the words that people write for "nothing"."""
    return raw is None or (folded := fold(raw).lower()) == "" or folded in _BLANK


def identifier(raw: str | None) -> str | None:
    """Return what identifies somebody, folded, or None: blank, or one digit over and over."""
    if raw is None or is_blank(raw):
        return None
    folded = fold(raw).lstrip("'`").strip()
    marks = re.sub(r"[^0-9a-z]", "", folded.lower())
    return None if len(marks) > 3 and len(set(marks)) == 1 else folded or None


_FIGURES = ("零〇○", "一壹", "二两贰", "三叁", "四肆", "五伍", "六陆", "七柒", "八捌", "九玖")
_DIGITS = {char: value for value, chars in enumerate(_FIGURES) for char in chars}
_TENS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_SHORT_TENS = {"廿": "二十", "卅": "三十"}
NUMERALS = "".join(_DIGITS) + "".join(_TENS) + "".join(_SHORT_TENS)


def read_number(text: str) -> int | None:
    """Return the value of a number in Arabic or Chinese figures, 0 to 9999, or None.

    Both ways of writing count: 五百零一 (with ranks) and 五〇一 (figure by figure).
    """
    text = fold(text)
    if re.fullmatch(r"[0-9]{1,4}", text):
        return int(text)
    for short, long in _SHORT_TENS.items():
        text = text.replace(short, long)
    if not text or any(char not in _DIGITS and char not in _TENS for char in text):
        return None
    if not any(char in _TENS for char in text):
        return int("".join(str(_DIGITS[char]) for char in text)) if len(text) <= 4 else None
    return _with_ranks(text)


def _with_ranks(text: str) -> int | None:
    """Read 一千二百零三; ranks must fall, and a figure without a rank stands at the end."""
    total, waiting, last_rank = 0, None, 10_000
    for char in text:
        if char in _DIGITS:
            if waiting:
                return None
            waiting = _DIGITS[char]
            continue
        rank = _TENS[char]
        if rank >= last_rank or waiting == 0:
            return None
        total += (1 if waiting is None else waiting) * rank
        waiting, last_rank = None, rank
    return total + (waiting or 0)
