# SPDX-License-Identifier: Apache-2.0
"""Identity documents: what their number must look like. Which ones a place uses, or none, is the pack's.

The number alone is checked (shape, date, check digit), never against anybody's list. The first six digits are
not compared with a table of areas: areas are renamed, and a person keeps the number.
Vectors: tests/vectors/names.json.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import msgspec

from muster.base.errors import Refusal
from muster.places.writing import identifier, plain_dashes

VERSION = 1
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
OLDEST_YEARS = 130


class IdNumber(msgspec.Struct, frozen=True):
    """A number that holds, and what it says of its owner."""

    number: str
    birth_date: date | None = None
    sex: str = ""


def read_gb11643(raw: str | None, *, on: date) -> IdNumber | None:
    """Read a Chinese citizen or resident number of 18 places, as of a day.

    Raises Refusal id_number_rounded, _15_digits, _length, _date or _check.
    """
    number = _compact(raw)
    if number is None:
        return None
    number = number.replace("×", "X").replace("Х", "X")  # the sign, the Cyrillic letter
    if re.fullmatch(r"[0-9]{15}", number):
        raise Refusal("id_number_15_digits")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise Refusal("id_number_length", length=len(number))
    birth_date = _date(number[6:14])
    if birth_date is None or birth_date > on or on.year - birth_date.year > OLDEST_YEARS:
        raise Refusal("id_number_date")
    if check_digit(number[:17]) != number[17]:
        raise Refusal("id_number_check")
    return IdNumber(number, birth_date, "M" if int(number[16]) % 2 else "F")


def check_digit(first_seventeen: str) -> str:
    """Return the 18th place of a number by ISO 7064 MOD 11-2."""
    weighed = sum(int(digit) * weight for digit, weight in zip(first_seventeen, _WEIGHTS, strict=True))
    return _CHECK[weighed % 11]


def _of_shape(pattern: str) -> Callable[..., IdNumber | None]:
    shape = re.compile(pattern)

    def read(raw: str | None, *, on: date) -> IdNumber | None:
        number = _compact(raw)
        if number is None:
            return None
        if not shape.fullmatch(number):
            raise Refusal("id_number_shape")
        return IdNumber(number)

    return read


# By the name that a pack's id_documents.toml uses.
VALIDATORS: dict[str, Callable[..., IdNumber | None]] = {
    "gb11643": read_gb11643,
    "hk_macao_permit": _of_shape(r"[HM][0-9]{8}([0-9]{2})?"),
    "taiwan_permit": _of_shape(r"[0-9]{8}([0-9]{2})?"),
    "passport": _of_shape(r"[A-Z0-9]{6,12}"),
    "plain": _of_shape(r"[A-Z0-9]{4,24}"),
}


def read_id_number(raw: str | None, *, validator: str, on: date) -> IdNumber | None:
    """Read a number by the validator that the pack names. Raises Refusal, or LookupError for no such one."""
    return VALIDATORS[validator](raw, on=on)


def mask_id_number(number: str | None) -> str:
    """Return the number as lists show it: the last four places only."""
    return f"****{number[-4:]}" if number and len(number) > 6 else "****" if number else ""


def _compact(raw: str | None) -> str | None:
    written = identifier(raw)
    if written is None:
        return None
    if _ROUNDED.fullmatch(written):
        raise Refusal("id_number_rounded")
    return re.sub(r"[\s()-]", "", plain_dashes(written)).upper() or None


def _date(digits: str) -> date | None:
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return None
