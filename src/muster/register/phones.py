# SPDX-License-Identifier: Apache-2.0
"""Phone numbers: one form to dial and to compare, a mask for lists. The numbering plan is the pack's.

Plan `cn` reads Chinese mobile and landline numbers into national form; plan `international` reads any number
into +COUNTRY form. Vectors: tests/vectors/names.json.
"""

from __future__ import annotations

import re

from muster.base.errors import Refusal
from muster.packs.schema import PhonePlan
from muster.places.writing import fold, identifier, plain_dashes

VERSION = 1
LONGEST = 60

_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_LANDLINE = re.compile(r"(?:010|02[0-9]|0[3-9][0-9]{2})[0-9]{7,8}")
_ROUNDED = re.compile(r"[0-9](\.[0-9]+)?[eE]\+?[0-9]+")
_TWO = re.compile(r"[0-9]{7,}\s*[/,;、，；或]\s*\+?[0-9]{3,}|[0-9]{11}\s+[0-9]{7,}")
_LETTER = re.compile(r"[^\W0-9_]")  # figures of other scripts too: a phone does not dial them


CHINA = PhonePlan()


def read_phone(raw: str | None, *, plan: PhonePlan = CHINA) -> str | None:
    """Return the number in one form, or None for a blank.

    Raises Refusal phone_rounded, phone_two_numbers, phone_no_area_code or phone_shape.
    """
    written = identifier(raw)
    if written is None:
        return None
    if len(written) > LONGEST:
        raise Refusal("phone_shape")
    if _ROUNDED.fullmatch(written):
        raise Refusal("phone_rounded")
    if _TWO.search(plain_dashes(written)):
        raise Refusal("phone_two_numbers")
    written = written.removesuffix(".0")
    if _LETTER.search(written):
        raise Refusal("phone_shape")
    return _chinese(written) if plan.plan == "cn" else _international(written, plan)


def _chinese(written: str) -> str:
    digits = re.sub(r"[^0-9]", "", written)
    if re.match(r"\+|00", written):
        if not digits.lstrip("0").startswith("86"):
            return _with_country(digits.removeprefix("00"))
        digits = digits.lstrip("0").removeprefix("86")
    elif len(digits) == 13 and digits.startswith("86"):
        digits = digits[2:]
    if _MOBILE.fullmatch(digits) or _LANDLINE.fullmatch(digits):
        return digits
    if _LANDLINE.fullmatch(f"0{digits}") and len(digits) >= 9 and written.startswith("+"):
        return f"0{digits}"
    if re.fullmatch(r"[2-8][0-9]{6,7}", digits):
        raise Refusal("phone_no_area_code")
    raise Refusal("phone_shape")


def _international(written: str, plan: PhonePlan) -> str:
    written = written.replace("(0)", "")
    digits = re.sub(r"[^0-9]", "", written)
    if written.startswith("+"):
        return _with_country(digits)
    if digits.startswith("00"):
        return _with_country(digits[2:])
    if not plan.country_code:
        raise Refusal("phone_no_area_code")
    national = digits.removeprefix(plan.trunk) if plan.trunk else digits
    if plan.trunk and national == digits and not digits.startswith(plan.country_code):
        raise Refusal("phone_no_area_code")
    if national == digits and digits.startswith(plan.country_code):
        return _with_country(digits)
    return _with_country(plan.country_code + national)


def _with_country(digits: str) -> str:
    if not 8 <= len(digits) <= 15 or digits.startswith("0"):
        raise Refusal("phone_shape")
    return f"+{digits}"


def mask_phone(number: str | None) -> str:
    """Return the number as lists show it: 138****5678; short numbers keep their last two figures."""
    if not number:
        return ""
    folded = fold(number)
    return f"{folded[:3]}****{folded[-4:]}" if len(folded) >= 11 else f"****{folded[-2:]}"
