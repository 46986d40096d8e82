# SPDX-License-Identifier: Apache-2.0
"""Names of people: one form to show, one key to compare, a mask for lists, keys to search by.

The raw text is kept by whoever stores it; these are pure readings of it. Vectors: tests/vectors/names.json.
"""

from __future__ import annotations

import re
import unicodedata

from muster.places.writing import HAN, fold, is_blank, plain_dashes

VERSION = 1
DOT = "·"

_DOTS = re.compile("[·•‧∙⋅・･᛫●◦]")
_AROUND_DOT = re.compile(r"\s*·[\s·]*")
_FULL_STOP_BETWEEN_HAN = re.compile(f"(?<=[{HAN}])[.。](?=[{HAN}])")
_SPACE_BETWEEN_HAN = re.compile(f"(?<=[{HAN}]) +(?=[{HAN}])")
_EAST_ASIAN = f"{HAN}\u3040-\u30fa\u30fc-\u30ff\uac00-\ud7af"
_ONE_EAST_ASIAN_WORD = re.compile(f"[{_EAST_ASIAN}]+")
_ACCENTS = re.compile("[\u0300-\u036f]")
_APOSTROPHES = re.compile("['’‘ʼ`´]")

# Surnames that are read otherwise than the same character elsewhere.
_READINGS = (
    "单 shan,曾 zeng,仇 qiu,解 xie,查 zha,盖 ge,任 ren,朴 piao,翟 zhai,区 ou,种 chong,缪 miao,员 yun,"
    "那 na,冼 xian,宁 ning,黑 he,召 shao,折 she,乜 nie,乐 yue,华 hua,尉迟 yu chi,万俟 mo qi"
)
_SURNAME_READINGS = {
    surname: spelled for surname, *spelled in (pair.split() for pair in _READINGS.split(","))
}


def clean_name(raw: str | None) -> str | None:
    """Return the name as it is shown, or None when the cell says nothing.

    张 三 is 张三; every middle dot is `·`; a full stop between Chinese characters is meant as one.
    """
    if raw is None or is_blank(raw):
        return None
    name = _DOTS.sub(DOT, fold(raw))
    name = _FULL_STOP_BETWEEN_HAN.sub(DOT, name)
    name = _SPACE_BETWEEN_HAN.sub("", _AROUND_DOT.sub(DOT, name))
    return name.strip(f"{DOT} ") or None


def name_key(raw: str | None) -> str | None:
    """Return what two writings of one name share: no case, accents, dots, apostrophes or hyphens."""
    name = clean_name(raw)
    if name is None:
        return None
    key = _ACCENTS.sub("", unicodedata.normalize("NFD", name.lower()))
    key = _APOSTROPHES.sub("", unicodedata.normalize("NFC", key))
    key = plain_dashes(key).replace("-", " ").replace(DOT, "").replace(".", "")
    return " ".join(key.split()) or None


def mask_name(raw: str | None) -> str:
    """Return the name as lists show it.

    A name in one run of Chinese, Japanese or Korean characters keeps its first and, from three on, its last:
    张三 → 张*, 张小三 → 张*三, 欧阳小三 → 欧**三. There is no list of double surnames: one rule for all.
    A name in words or dotted parts keeps the first letter of each:
    Mary Smith → M*** S***, 阿依古丽·买买提 → 阿***·买***.
    """
    name = clean_name(raw)
    if name is None:
        return ""
    if _ONE_EAST_ASIAN_WORD.fullmatch(name):
        hidden = max(len(name) - 2, 1)
        return (name[0] if len(name) > 1 else "") + "*" * hidden + (name[-1] if len(name) > 2 else "")
    parts = [part for part in re.split(r"([ ·])", name) if part]
    return "".join(part if part in (" ", DOT) else f"{part[0]}***" for part in parts)


def search_keys(raw: str | None) -> tuple[str, ...]:
    """Return the Latin keys by which a name is found: initials and full spelling, in every likely reading.

    张小三 → ("zxs", "zhangxiaosan"); a surname with a reading of its own gives that one first.
    """
    key = name_key(raw)
    if key is None:
        return ()
    readings = [_spelled(key)]
    for surname, reading in _SURNAME_READINGS.items():
        if key.startswith(surname):
            readings.insert(0, [*reading, *readings[0][len(reading) :]])
    found = [form for parts in readings for form in ("".join(part[:1] for part in parts), "".join(parts))]
    return tuple(dict.fromkeys(form for form in found if form))


def _spelled(key: str) -> list[str]:
    """Return the syllables of Chinese characters and the words of the rest, lower case, Latin only."""
    from pypinyin import Style, lazy_pinyin  # half a second and 20 MB: only where names are searched

    parts = []
    for word in key.split():
        for run in re.findall(f"[{HAN}]+|[^{HAN}]+", word):
            is_han = re.match(f"[{HAN}]", run)
            spelled = lazy_pinyin(run, style=Style.NORMAL, errors="ignore", v_to_u=False) if is_han else [run]
            parts += [_latin(part) for part in spelled]
    return [part for part in parts if part]


def _latin(text: str) -> str:
    return re.sub(r"[^a-z0-9]", "", text.lower().replace("ü", "v"))
