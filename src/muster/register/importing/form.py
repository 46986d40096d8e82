# SPDX-License-Identifier: Apache-2.0
"""Form, Column: the shape of a list: its columns, their names in both languages, how they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from muster.register.importing.columns import header_key
from muster.register.importing.readers import Reader
from muster.register.importing.setting import Option, Setting

ROW_ID = "row_id"
REMARKS = "remarks"
SAMPLE_MARKS = ("示例", "example")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. also: other headers that mean it. unsure: headers that mean it, or the house, or the whole
    door, as the other columns say. options: the choices, where there is a list; many: several may be said.
    """

    key: str
    zh: str
    en: str
    read: Reader
    sample: tuple[str, str] = ("", "")
    required: bool = False
    also: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()
    options: Callable[[Setting], Sequence[Option]] | None = None
    width: int = 12
    hxl: str = ""
    many: bool = False

    def header(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en

    def shown(self, value: str, setting: Setting, lang: str) -> str:
        """A kept value as a person reads it: the word of a code, the rest as it is."""
        if self.options is None or not value:
            return value
        words = {option.code: option.word(lang) for option in self.options(setting)}
        if self.many:
            return ("、" if lang == "zh" else ", ").join(words.get(code, code) for code in value.split(","))
        return words.get(value, value)


@dataclass(frozen=True)
class Form:
    """A kind of list. either: of each group at least one column must be there and filled."""

    kind: str
    zh: str
    en: str
    columns: tuple[Column, ...]
    either: tuple[tuple[str, ...], ...] = ()

    def title(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en

    @cached_property
    def by_key(self) -> Mapping[str, Column]:
        return {column.key: column for column in self.columns}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """header key -> column key, in both languages and with the other usual names."""
        found: dict[str, str] = {}
        for column in (*self.columns, ROW_ID_COLUMN, REMARKS_COLUMN):
            for header in (column.key, column.zh, column.en, *column.also, *column.unsure):
                found.setdefault(header_key(header), column.key)
        return found

    @cached_property
    def unsure(self) -> frozenset[str]:
        return frozenset(header_key(header) for column in self.columns for header in column.unsure)

    def missing(self, places: Mapping[str, int]) -> list[tuple[Column, ...]]:
        """The columns that must be there and are not; a group is told as a group."""
        alone = [(column.key,) for column in self.columns if column.required]
        groups = [group for group in (*alone, *self.either) if not any(key in places for key in group)]
        return [tuple(self.by_key[key] for key in group) for group in groups]


def _no_reading(text: str, _setting: Setting) -> str:
    return text.strip()


ROW_ID_COLUMN = Column(
    ROW_ID, "系统编号（请勿改动）", "Row id (leave as it is)", _no_reading, also=("系统编号", "row id")
)
REMARKS_COLUMN = Column(
    REMARKS,
    "错误",
    "Mistakes",
    _no_reading,
    also=("原行号", "Row", "涉及", "Fields", "重复说明", "Why it looks known", "册内现有", "In the register"),
    width=60,
)
