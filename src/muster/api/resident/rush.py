# SPDX-License-Identifier: Apache-2.0
"""The rush: how many check-ins are taken at one time, and who has guessed too many codes.

Check-ins may fill most of the house's hands, never all: somebody who asks for help is served beside them.
Nothing is refused for coming from a shared address; a code is refused only after many wrong ones.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError
from django.http import HttpRequest

AT_ONCE = 6
PATIENCE_SECONDS = 0.3
RETRY_SECONDS = 10
# More than this from one address in ten minutes is looked at by a person before it is believed.
MANY_FROM_ONE = 3_000
WRONG_CODES = 30
# So many requests from one address within a minute: each is taken, and a person is asked to look.
MANY_ASKED, ASKED_WITHIN = 10, 60.0
WINDOW_SECONDS = 600.0
MOST_ADDRESSES = 50_000


class Crowded(RuntimeError):  # noqa: N818 -- says what is the matter
    """Too many at once, or nobody can write just now: what was typed is kept and sent again."""


class Gate:
    """Lets so many in at one time; who waits too long is told when to come again."""

    def __init__(self, at_once: int, patience: float) -> None:
        self._room = threading.BoundedSemaphore(at_once)
        self._patience = patience

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Raises Crowded."""
        if not self._room.acquire(timeout=self._patience):
            raise Crowded
        try:
            yield
        except OperationalError as error:
            raise Crowded from error
        finally:
            self._room.release()


class Counter:
    """How often something came from an address lately."""

    def __init__(self, most: int, window: float = WINDOW_SECONDS) -> None:
        self.most, self._window = most, window
        self._seen: dict[str, deque[float]] = {}
        self._lock = threading.Lock()

    def count(self, address: str) -> bool:
        """Counts one more; whether it is more than so many."""
        now = time.monotonic()
        with self._lock:
            if len(self._seen) >= MOST_ADDRESSES:
                self._seen.clear()
            times = self._seen.setdefault(address, deque(maxlen=self.most + 1))
            times.append(now)
            return self._is_over(times, now)

    def is_over(self, address: str) -> bool:
        with self._lock:
            return self._is_over(self._seen.get(address, deque()), time.monotonic())

    def _is_over(self, times: deque[float], now: float) -> bool:
        return len(times) > self.most and now - times[0] < self._window

    def forget(self) -> None:
        self._seen.clear()


gate = Gate(AT_ONCE, PATIENCE_SECONDS)
check_ins = Counter(MANY_FROM_ONE)
wrong_codes = Counter(WRONG_CODES)
asked = Counter(MANY_ASKED, ASKED_WITHIN)


def address_of(request: HttpRequest) -> str:
    """Where it came from; behind our own proxy, what the proxy saw last."""
    near = str(request.META.get("REMOTE_ADDR", ""))
    if near in {"127.0.0.1", "::1", ""}:
        told = str(request.META.get("HTTP_X_FORWARDED_FOR", ""))
        return told.rsplit(",", 1)[-1].strip()[:64] or near
    return near
