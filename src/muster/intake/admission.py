# SPDX-License-Identifier: Apache-2.0
"""Admission by rank: while the door is hard pressed, who has just been heard lets the others go first.

After an outage every phone comes back with hours of batches. Without a rank the fast ones would hold the
queue and many would not be heard at all; with it each phone gets one batch through before any gets the next,
and the flood drains at the speed of the disk. Ranks, from the last to give way: a phone's first batch for a
while, its further batches, attachments (`blobs`).
"""

import time
from collections import OrderedDict

from muster.base.errors import Refusal
from muster.intake.limits import HARD_PRESSED, HEARD_SECONDS, LEASES_REMEMBERED


class Admission:
    def __init__(self, *, most: int = LEASES_REMEMBERED) -> None:
        self._most = most
        self._heard: OrderedDict[str, float] = OrderedDict()

    def admit(self, token: str, *, busy: float) -> None:
        """Refuse intake_busy who must give way now. busy: 0 to 1, how full the door is."""
        if busy >= 1:
            raise Refusal("intake_busy")
        if busy >= HARD_PRESSED and self._heard_lately(token):
            raise Refusal("intake_busy")

    def heard(self, token: str) -> None:
        """Note that a batch under this lease was acknowledged."""
        self._heard[token] = time.monotonic()
        self._heard.move_to_end(token)
        if len(self._heard) > self._most:
            self._heard.popitem(last=False)

    def _heard_lately(self, token: str) -> bool:
        at = self._heard.get(token)
        return at is not None and time.monotonic() - at < HEARD_SECONDS
