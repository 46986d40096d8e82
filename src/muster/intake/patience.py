# SPDX-License-Identifier: Apache-2.0
"""Patience: deadlines for many short waits at the price of one timer.

A timer per request is a tenth of what a small request costs here. Deadlines of seconds need no precision: one
sweep, ten times a second while anybody waits, finds who is late.
"""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

_SWEEP = 0.1
_T = TypeVar("_T")


class Patience:
    def __init__(self) -> None:
        self._until: dict[asyncio.Task[Any], float] = {}
        self._late: set[asyncio.Task[Any]] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def within(self, seconds: float, waiting: Awaitable[_T]) -> _T:
        """Wait so long; TimeoutError after it. One wait per task at a time."""
        task = asyncio.current_task()
        assert task is not None
        loop = task.get_loop()
        self._until[task] = loop.time() + seconds
        if self._sweep is None:
            self._sweep = loop.call_later(_SWEEP, self._find_late, loop)
        try:
            return await waiting
        except asyncio.CancelledError:
            if task not in self._late:
                raise
            task.uncancel()
            raise TimeoutError from None
        finally:
            self._until.pop(task, None)
            self._late.discard(task)

    def _find_late(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for task in [task for task, until in self._until.items() if until < now]:
            del self._until[task]
            self._late.add(task)
            task.cancel()
        self._sweep = loop.call_later(_SWEEP, self._find_late, loop) if self._until else None
