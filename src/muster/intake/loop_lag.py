# SPDX-License-Identifier: Apache-2.0
"""How far the event loop is behind: the queue that nobody made, in front of all the others.

Requests that have arrived but not yet been looked at stand in no bounded queue. A late tick says how long
they stand; past a bound the newest are sent away at once, which is cheap and lets the loop catch up.
"""

import asyncio

_TICK = 0.05


class LoopLag:
    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + _TICK
        self._last = self._before = 0.0
        self._handle = self._loop.call_at(self._due, self._tick)

    def seconds(self) -> float:
        """Return how late ticks come: one late tick alone is a hiccup, two in a row are a queue."""
        return min(self._before, max(self._last, self._loop.time() - self._due))

    def stop(self) -> None:
        self._handle.cancel()

    def _tick(self) -> None:
        now = self._loop.time()
        self._before, self._last = self._last, max(0.0, now - self._due)
        self._due = now + _TICK
        self._handle = self._loop.call_at(self._due, self._tick)
