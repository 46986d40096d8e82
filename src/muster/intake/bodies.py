# SPDX-License-Identifier: Apache-2.0
"""Reading request bodies: bounded each, bounded together, and not for ever."""

from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.answers import Receive
from muster.intake.patience import Patience


class Gone(Exception):  # noqa: N818 -- nothing is wrong here: the device lost its network
    """The asker hung up; there is nobody to answer."""


class Bodies:
    """Reads bodies while the sum of those under way stays small: slow uploads must not eat the memory."""

    def __init__(self, *, most_together: int = limits.READING_BYTES) -> None:
        self._most_together = most_together
        self._reading = 0
        self._patience = Patience()

    async def read(
        self, headers: dict[bytes, bytes], receive: Receive, *, most: int, within: float, too_large: str
    ) -> bytes:
        """Return the raw body. Refusals: `too_large`, body_late, body_cut, intake_busy."""
        told = headers.get(b"content-length", b"")
        if told.isdigit() and int(told[:20]) > most:
            raise Refusal(too_large, most=most)
        try:
            body = await self._patience.within(within, self._collect(receive, most, too_large))
        except TimeoutError:
            raise Refusal("body_late") from None
        if told.isdigit() and len(body) != int(told[:20]):
            raise Refusal("body_cut")
        return body

    async def _collect(self, receive: Receive, most: int, too_large: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part = message.get("body", b"")
                size += len(part)
                self._reading += len(part)
                parts.append(part)
                if size > most:
                    raise Refusal(too_large, most=most)
                if self._reading > self._most_together:
                    raise Refusal("intake_busy")
                if not message.get("more_body", False):
                    return b"".join(parts)
        finally:
            self._reading -= size
