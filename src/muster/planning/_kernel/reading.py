# SPDX-License-Identifier: Apache-2.0
"""Reading the fields of a problem file: each says what is wrong, where, and what would cure it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from muster.planning._kernel.arrays import Floats, Longs
from muster.planning.contract import BadProblem

MOST = (1 << 53) - 1


@dataclass(frozen=True, slots=True)
class Fields:
    """The named fields of one JSON object; `where` says which object it is."""

    raw: Mapping[str, Any]
    where: str = ""

    @classmethod
    def of(cls, value: Any, where: str) -> Fields:
        if not isinstance(value, dict):
            raise BadProblem("", where, "planning.cure.object")
        return cls(value, where)

    def has(self, name: str) -> bool:
        return self.raw.get(name) is not None

    def take(self, name: str) -> Any:
        if not self.has(name):
            raise BadProblem(name, self.where, "planning.cure.present")
        return self.raw[name]

    def inner(self, name: str) -> Fields:
        return Fields.of(self.take(name), f"{self.where}.{name}".lstrip("."))

    def listed(self, name: str) -> list[Any]:
        value = self.take(name)
        if not isinstance(value, list):
            raise BadProblem(name, self.where, "planning.cure.list")
        return value

    def objects(self, name: str) -> list[Fields]:
        return [Fields.of(item, f"{name}[{i}]") for i, item in enumerate(self.listed(name))]

    def text(self, name: str, otherwise: str | None = None) -> str:
        if otherwise is not None and not self.has(name):
            return otherwise
        value = self.take(name)
        if not isinstance(value, str):
            raise BadProblem(name, self.where, "planning.cure.text")
        return value

    def texts(self, name: str, *, blank: bool = True, empty: bool = False) -> list[Any]:
        """A list of texts; `blank` lets "" pass, `empty` lets null pass."""
        values = self.listed(name)
        for number, value in enumerate(values):
            is_text = isinstance(value, str) and (blank or value != "")
            if not is_text and not (empty and value is None):
                raise BadProblem(f"{name}[{number}]", self.where, "planning.cure.text")
        return values

    def word_lists(self, name: str, *, blank: bool = True) -> list[list[str]]:
        """A list with a list of texts for each row; `blank` lets "" pass."""
        rows = self.listed(name)
        for number, words in enumerate(rows):
            if not isinstance(words, list):
                raise BadProblem(f"{name}[{number}]", self.where, "planning.cure.list")
            if not all(isinstance(word, str) and (blank or word != "") for word in words):
                raise BadProblem(f"{name}[{number}]", self.where, "planning.cure.text")
        return rows

    def chosen(self, name: str, allowed: Sequence[str], otherwise: str | None = None) -> str:
        value = self.text(name, otherwise)
        if value not in allowed:
            raise BadProblem(name, self.where, "planning.cure.one_of", allowed=", ".join(allowed))
        return value

    def flag(self, name: str, *, otherwise: bool) -> bool:
        value = self.raw.get(name, otherwise)
        if not isinstance(value, bool):
            raise BadProblem(name, self.where, "planning.cure.one_of", allowed="true, false")
        return value

    def integer(self, name: str, lowest: int = 0, highest: int = MOST, otherwise: int | None = None) -> int:
        if otherwise is not None and not self.has(name):
            return otherwise
        return whole_number(self.take(name), name, self.where, lowest, highest)

    def number(self, name: str, lowest: float, highest: float, otherwise: float | None = None) -> float:
        if otherwise is not None and not self.has(name):
            return otherwise
        value = self.take(name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not lowest <= value <= highest:
            raise BadProblem(name, self.where, "planning.cure.number", lowest=lowest, highest=highest)
        return float(value)

    def integers(self, name: str, lowest: int = 0, highest: int = MOST) -> Longs:
        """Return a list of whole numbers as an array."""
        values = self.listed(name)
        try:
            array = np.asarray(values) if values else np.zeros(0, np.int64)
        except ValueError:  # lists among the numbers: the look at each value below says which
            array = np.zeros(0)
        if array.ndim == 1 and array.dtype.kind in "iu" and not any(isinstance(v, bool) for v in values):
            wrong = np.flatnonzero((array < lowest) | (array > highest))
            if len(wrong) == 0:
                return array.astype(np.int64)
        for i, value in enumerate(values):
            whole_number(value, f"{name}[{i}]", self.where, lowest, highest)
        raise BadProblem(name, self.where, "planning.cure.integer", lowest=lowest, highest=highest)

    def numbers(self, name: str, lowest: float, highest: float) -> Floats:
        """Return a list of numbers as an array."""
        values = self.listed(name)
        for i, value in enumerate(values):
            good = (
                isinstance(value, int | float) and not isinstance(value, bool) and lowest <= value <= highest
            )
            if not good:
                place = f"{name}[{i}]"
                raise BadProblem(place, self.where, "planning.cure.number", lowest=lowest, highest=highest)
        return np.asarray(values, np.float64)


def whole_number(value: Any, name: str, where: str, lowest: int, highest: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise BadProblem(name, where, "planning.cure.integer", lowest=lowest, highest=highest)
    return value
