# SPDX-License-Identifier: Apache-2.0
"""Reading request bodies: bounded each, bounded together, and not for ever.

A small body whose length is told comes in one piece: nearly all of them. Any other is read piece by piece.
"""

from collections.abc import AsyncIterable, Awaitable
from typing import Protocol

from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.patience import Patience


class Gone(Exception):  # noqa: N818 -- nothing is wrong here: the device lost its network
    """The asker hung up; there is nobody to answer."""


class Body(AsyncIterable[bytes], Protocol):
    """A request's body as the server gives it: whole when called, in pieces when iterated."""

    def __call__(self) -> Awaitable[bytes]: ...


class Bodies:
    """Reads bodies while the sum of those under way stays small: slow uploads must not eat the memory."""

    def __init__(
        self, *, most_together: int = limits.READING_BYTES, most_small: int = limits.READING_SMALL_BYTES
    ) -> None:
        self._most_together, self._most_small = most_together, most_small
        self._reading = self._small = 0
        self._patience = Patience()

    async def read(self, told: str, body: Body, *, most: int, within: float, too_large: str) -> bytes:
        """Return the raw body; `told` is its length by the header.

        Refusals: `too_large`, body_late, body_cut, intake_busy.
        """
        size = int(told[:20]) if told.isascii() and told.isdigit() else -1
        if size > most:
            raise Refusal(too_large, most=most)
        whole = 0 <= size <= limits.SMALL_BODY_BYTES
        try:
            raw = await self._patience.within(
                within, self._whole(body, size) if whole else self._collect(body, most, too_large)
            )
        except TimeoutError:
            raise Refusal("body_late") from None
        if 0 <= size != len(raw):
            raise Refusal("body_cut")
        return raw

    async def _whole(self, body: Body, size: int) -> bytes:
        if self._small + size > self._most_small:
            raise Refusal("intake_busy")
        self._small += size
        try:
            return await body()
        except RuntimeError:  # the server's word for a connection that ended
            raise Gone from None
        finally:
            self._small -= size

    async def _collect(self, body: Body, most: int, too_large: str) -> bytes:
        parts: list[bytes] = []
        size = 0
        try:
            async for part in body:
                size += len(part)
                self._reading += len(part)
                parts.append(part)
                if size > most:
                    raise Refusal(too_large, most=most)
                if self._reading > self._most_together:
                    raise Refusal("intake_busy")
        except RuntimeError:
            raise Gone from None
        finally:
            self._reading -= size
        return b"".join(parts)
