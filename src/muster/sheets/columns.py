# SPDX-License-Identifier: Apache-2.0
"""The columns of the list as a spreadsheet: their order, their headers in both languages, which are free."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from muster.register.importing.columns import header_key
from muster.sheets.saying import words


@dataclass(frozen=True, slots=True)
class ListColumn:
    """free: may be written in on a line of the list; on a new line every one is. about: its explanation."""

    key: str
    width: int
    free: bool = False
    about: str = ""
    also: tuple[str, ...] = ()

    def header(self, lang: str) -> str:
        return words()[f"col_{self.key}"][lang]

    def explained(self, lang: str) -> str:
        return words()[f"about_{self.about or self.key}"][lang]


MARK = "mark"
COLUMNS = (
    ListColumn("number", 6, also=("序号", "Number")),
    ListColumn("building", 14, also=("楼",)),
    ListColumn("unit", 8, about="building"),
    ListColumn("room", 8, about="building", also=("房号", "门牌号", "Door")),
    ListColumn("name", 14, free=True, also=("户", "Household")),
    ListColumn("born", 8),
    ListColumn("phone", 15, free=True, also=("手机", "手机号", "联系电话")),
    ListColumn("service", 16),
    ListColumn("outcome", 18, free=True, also=("走访结果", "Result")),
    ListColumn("when", 18, free=True, also=("时间", "Time")),
    ListColumn("by", 12, free=True),
    ListColumn("where", 18, free=True, also=("地点", "Place")),
    ListColumn("note", 30, free=True, also=("说明", "Remarks")),
    ListColumn(MARK, 10),
)
BY_KEY = {column.key: column for column in COLUMNS}


@cache
def header_names() -> Mapping[str, str]:
    """header key -> column, in both languages and the usual other words."""
    names: dict[str, str] = {}
    for column in COLUMNS:
        for header in (column.header("zh"), column.header("en"), *column.also):
            names.setdefault(header_key(header), column.key)
    return names
