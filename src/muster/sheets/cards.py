# SPDX-License-Identifier: Apache-2.0
"""The number of a door's card (连心卡): which door it stands for, and nothing of who lives there."""

from __future__ import annotations

import re
import uuid

from muster.base.codes import ENROL_LETTERS, normalise_enrol_code
from muster.base.errors import Refusal
from muster.sheets.models import SheetLine
from muster.sheets.states import SheetKind

LONGEST = 200
_LINE = re.compile(r"[0-9]{1,5}", re.ASCII)
_BETWEEN = re.compile(r"[\s\-－—·.　]+")


def door_of_card(text: str, *, incident: uuid.UUID) -> uuid.UUID:
    """The door of a card as its number is typed (ABCD-EFGH-12) or as its QR is read.

    Raises:
        Refusal: card_unknown, alike for a number nobody gave and for one of another incident.
    """
    said = text.strip()[:LONGEST]
    if "card=" in said:
        said = said.split("card=", 1)[1].split("&", 1)[0]
    letters = _BETWEEN.sub("", said)
    code, line = letters[:ENROL_LETTERS], letters[ENROL_LETTERS:]
    if not _LINE.fullmatch(line):
        raise Refusal("card_unknown")
    try:
        code = normalise_enrol_code(code)
    except Refusal:
        raise Refusal("card_unknown") from None
    rows = SheetLine.objects.across(reason="sheets").filter(
        sheet__code=code, sheet__kind=SheetKind.CARDS, sheet__incident=incident, number=int(line)
    )
    found: uuid.UUID | None = rows.values_list("dwelling", flat=True).first()
    if found is None:
        raise Refusal("card_unknown")
    return found
