# SPDX-License-Identifier: Apache-2.0
"""A cell of any type as the text that a person sees in it."""

from __future__ import annotations

import math
from datetime import date, datetime, time

_EXACT_BELOW = 10**15  # a spreadsheet keeps 15 figures of a number; the rest are zeros of its own


def text_of(value: object) -> str:
    """Return the text. A number too long to be exact is written as rounded, so that it is never taken at
    its word.
    """
    match value:
        case str():
            return value
        case bool():
            return "TRUE" if value else "FALSE"
        case int() | float():
            return _number(value)
        case datetime():
            at_midnight = (value.hour, value.minute, value.second) == (0, 0, 0)
            return value.date().isoformat() if at_midnight else value.isoformat(" ", "seconds")
        case date() | time():
            return value.isoformat()
        case _:
            return "" if value is None else str(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return ""
    if abs(value) >= _EXACT_BELOW:
        return f"{value:.14E}"
    return str(int(value)) if value == int(value) else repr(value)
