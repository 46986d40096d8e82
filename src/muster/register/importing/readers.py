# SPDX-License-Identifier: Apache-2.0
"""Readers: the text of a cell in one form, or a Refusal that says what is wrong with it.

A reader gets a cell that is not empty and answers the value as text, "" where the words mean that there is
none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import lru_cache

from muster.base.errors import Refusal
from muster.places.writing import HAN, fold, is_blank, read_number
from muster.register.id_documents import OLDEST_YEARS, IdNumber, read_id_number
from muster.register.importing.setting import YES_NO, Option, Setting
from muster.register.names import clean_name, name_key
from muster.register.phones import read_phone

Reader = Callable[[str, Setting], str]

_DATE = re.compile(r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?(?:[ T][0-9:.]+)?")
_DENSE_DATE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR = re.compile(r"([0-9]{4})\s*年?")
_MONTH = re.compile(r"([0-9]{4})\s*(?:[-/.]|年)\s*([0-9]{1,2})\s*月?")
_SERIAL = re.compile(r"([1-9][0-9]{4})(?:\.0+)?")
_FIRST_DAY_OF_SERIALS = date(1899, 12, 30)
_HAN_DATE = re.compile(
    r"([〇零○一二三四五六七八九]{4})年(?:([一二三四五六七八九十]{1,3})月(?:([一二三四五六七八九十廿卅]{1,3})[日号])?)?"
)
_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_YES = frozenset(["是", "有", "在", "对", "y", "yes", "true", "1", "√", "✓", "✔"])
_NO = frozenset(["否", "无", "没有", "不", "不在", "n", "no", "false", "0", "×", "x", "✗", "✘"])
_BETWEEN = re.compile(r"[、，,;；/|]+")
MOST_CHOSEN = 40
MASK = re.compile(r"[*＊]{1,}|[xX×]{4,}")


def _folded(text: str) -> str:
    """Folded until it stays: what the first folding takes out may leave two spaces side by side."""
    return fold(fold(text))


def line(longest: int) -> Reader:
    """A short text of one line."""

    def read(text: str, _setting: Setting) -> str:
        if is_blank(text):
            return ""
        said = _folded(text)
        if len(said) > longest:
            raise Refusal("import_text_too_long", longest=longest)
        return said

    return read


def name(text: str, _setting: Setting) -> str:
    """A person's name. A masked one names nobody; a row of figures slipped in from another column."""
    said = clean_name(clean_name(text))
    if said is None:
        return ""
    if "*" in said:
        raise Refusal("import_value_masked")
    key = name_key(said)
    if key is None or not any(char.isalpha() for char in key):
        raise Refusal("import_name_without_letters")
    if len(said) > 80:
        raise Refusal("import_text_too_long", longest=80)
    return said


def phone(text: str, setting: Setting) -> str:
    if MASK.search(text) and not is_blank(text):
        raise Refusal("import_value_masked")
    return read_phone(text, plan=setting.phone_plan) or ""


def id_number(text: str, setting: Setting) -> str:
    """A number of one of the pack's documents. What looks like a citizen's number is held to that alone."""
    if MASK.search(text) and not is_blank(text):
        raise Refusal("import_value_masked")
    found = recognise(text, setting)
    return found.number if found else ""


def recognise(text: str, setting: Setting) -> IdNumber | None:
    """Try the pack's documents in order; the first one's refusal stands where none fits."""
    kinds = [document.validator for document in setting.pack.id_documents]
    if not kinds:
        return read_id_number(text, validator="plain", on=setting.today)
    figures = re.sub(r"[\s-]", "", fold(text))
    if "gb11643" in kinds and (re.match(r"[0-9]{14}", figures) or _ROUNDED.fullmatch(figures)):
        kinds = ["gb11643"]
    refusal: Refusal | None = None
    for kind in kinds:
        try:
            return read_id_number(text, validator=kind, on=setting.today)
        except Refusal as refused:
            refusal = refusal or refused
    assert refusal is not None
    raise refusal


def birth_date(text: str, setting: Setting) -> str:
    """A day as 1990-05-01, or a year alone as 1990. The order of an unclear day is never guessed.

    Of a day without its date the year is kept.
    """
    if is_blank(text):
        return ""
    said = _in_figures(fold(text))
    found = _DATE.fullmatch(said) or _DENSE_DATE.fullmatch(said)
    if found is None and (year := _year(said)):
        _refuse_unlikely(int(year), setting)
        return year
    day = _day(found, said)
    if day > setting.today:
        raise Refusal("import_date_in_future")
    _refuse_unlikely(day.year, setting)
    return day.isoformat()


def past_day(text: str, setting: Setting) -> str:
    if is_blank(text):
        return ""
    said = _in_figures(fold(text))
    day = _day(_DATE.fullmatch(said) or _DENSE_DATE.fullmatch(said), said)
    if day > setting.today:
        raise Refusal("import_date_in_future")
    return day.isoformat()


def _in_figures(said: str) -> str:
    """一九八〇年五月一日 is 1980年5月1日."""
    found = _HAN_DATE.fullmatch(said)
    if found is None:
        return said
    numbers = [read_number(part) for part in found.groups() if part]
    return "-".join(str(number) for number in numbers)


def _year(said: str) -> str:
    """A year alone, or with its month."""
    if found := _YEAR.fullmatch(said):
        return found[1]
    found = _MONTH.fullmatch(said)
    return found[1] if found and 1 <= int(found[2]) <= 12 else ""


def _serial_day(said: str) -> date | None:
    """The day that a spreadsheet keeps as a count of days. 19805 may be May 1980 as well: not taken."""
    found = _SERIAL.fullmatch(said)
    if found is None or (said[:2] in ("19", "20") and said[4] != "0"):
        return None
    return _FIRST_DAY_OF_SERIALS + timedelta(days=int(found[1]))


def _day(found: re.Match[str] | None, said: str) -> date:
    if found is None and (day := _serial_day(said)):
        return day
    if found is None:
        raise Refusal("import_date_unreadable")
    try:
        return date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        raise Refusal("import_date_impossible") from None


def _refuse_unlikely(year: int, setting: Setting) -> None:
    if year > setting.today.year:
        raise Refusal("import_date_in_future")
    if year < setting.today.year - OLDEST_YEARS:
        raise Refusal("import_date_too_old", years=OLDEST_YEARS)


def whole(least: int, most: int) -> Reader:
    """A whole number within bounds."""

    def read(text: str, _setting: Setting) -> str:
        if is_blank(text):
            return ""
        said = re.sub(rf"[{HAN}]+$", "", fold(text)).removesuffix(".0")  # 6层, 3个
        if not re.fullmatch(r"-?[0-9]{1,6}", said) or not least <= int(said) <= most:
            raise Refusal("import_number_outside", least=least, most=most)
        return str(int(said))

    return read


def degrees(most: int) -> Reader:
    """A longitude or latitude in degrees."""

    def read(text: str, _setting: Setting) -> str:
        if is_blank(text):
            return ""
        said = fold(text)
        if not re.fullmatch(r"-?[0-9]{1,3}(\.[0-9]+)?", said) or abs(float(said)) > most:
            raise Refusal("import_degrees_outside", most=most)
        return repr(float(said))

    return read


def yes_no(text: str, _setting: Setting) -> str:
    said = fold(text).lower()
    if said in _YES:
        return YES_NO[0].code
    if said in _NO:
        return YES_NO[1].code
    if is_blank(text):
        return ""
    raise Refusal("import_not_yes_or_no")


def choice(options: Callable[[Setting], Sequence[Option]]) -> Reader:
    """One of a list, by code or by its word in either language."""

    def read(text: str, setting: Setting) -> str:
        said = _choice_key(text)
        if not said:
            return ""
        code = _by_word(tuple(options(setting))).get(said)
        if code is None:
            raise Refusal("import_not_on_the_list", choices=_said(options(setting)))
        return code

    return read


def choices(options: Callable[[Setting], Sequence[Option]], *, others: int = 0) -> Reader:
    """Several of a list, with commas between. others: how long a word off the list may be, 0: refused."""

    def read(text: str, setting: Setting) -> str:
        if is_blank(text):
            return ""
        known = _by_word(tuple(options(setting)))
        said: list[str] = []
        for part in filter(None, map(str.strip, _BETWEEN.split(_folded(text)))):
            code = known.get(_choice_key(part), part.replace(" ", "_") if 0 < len(part) <= others else None)
            if code is None or len(said) >= MOST_CHOSEN:
                raise Refusal("import_not_on_the_list", choices=_said(options(setting)))
            said.append(code)
        return ",".join(dict.fromkeys(said))

    return read


def codes(longest: int) -> Reader:
    """Short words separated by commas: zh, en."""

    def read(text: str, _setting: Setting) -> str:
        if is_blank(text):
            return ""
        parts = [part.strip() for part in _BETWEEN.split(_folded(text)) if part.strip()]
        if any(len(part) > longest for part in parts) or len(parts) > 10:
            raise Refusal("import_text_too_long", longest=longest)
        return ",".join(dict.fromkeys(parts))

    return read


def _choice_key(text: str) -> str:
    return "" if is_blank(text) else fold(text).lower().replace(" ", "")


@lru_cache(maxsize=64)
def _by_word(options: tuple[Option, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for option in options:
        for word in (option.code, option.zh, option.en):
            found.setdefault(word.lower().replace(" ", ""), option.code)
    return found


def _said(options: Sequence[Option]) -> str:
    return " / ".join(
        f"{option.zh} {option.en}" if option.zh != option.en else option.zh for option in options[:12]
    )
