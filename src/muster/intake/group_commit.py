# SPDX-License-Identifier: Apache-2.0
"""Group commit: many requests, one fsync. It clocks itself: the next group is
whatever came while the last one committed.

Nouns: queue (bounded in batches and bytes), deadline (who waited longer is sent away: he has given up by
then), group (what goes into one commit).
"""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence

from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.journal import Entry, Journal

_log = logging.getLogger(__name__)
_LOG_EVERY = 5.0
_SWEEP = 0.1


class _Waiting:
    __slots__ = ("answer", "entry", "since", "size")

    def __init__(self, entry: Entry, since: float, answer: asyncio.Future[int]) -> None:
        self.entry, self.since, self.answer, self.size = entry, since, answer, len(entry.body)


class GroupCommit:
    """Owns the journal and the one thread that writes to it."""

    def __init__(
        self,
        journal: Journal,
        *,
        queue_batches: int = limits.QUEUE_BATCHES,
        queue_bytes: int = limits.QUEUE_BYTES,
        queue_seconds: float = limits.QUEUE_SECONDS,
        group_batches: int = limits.GROUP_BATCHES,
        group_bytes: int = limits.GROUP_BYTES,
        commit_seconds: float = limits.COMMIT_SECONDS,
    ) -> None:
        self._journal = journal
        self._queue_batches, self._queue_bytes, self._queue_seconds = (
            queue_batches,
            queue_bytes,
            queue_seconds,
        )
        self._group_batches, self._group_bytes = group_batches, group_bytes
        self._commit_seconds = commit_seconds
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._work = threading.Condition()
        self._closing = False
        self._failed_at: float | None = None
        self.groups = 0
        self._next_line = 0.0
        self._loop = asyncio.get_running_loop()
        # In the order in which they came, and all are given as long: one timer looks at the first of them.
        self._promised: deque[_Waiting] = deque()
        self._sweep: asyncio.TimerHandle | None = None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    @property
    def fullness(self) -> float:
        """Return how full the queue is, 0 to 1."""
        return max(len(self._queue) / self._queue_batches, self._bytes / self._queue_bytes)

    @property
    def writer(self) -> int:
        """Return our stream's number; 0 while the journal could not be opened."""
        return self._journal.writer

    def failing(self, *, within: float) -> bool:
        """Say whether the last commit failed, less than `within` seconds ago."""
        failed_at = self._failed_at
        return failed_at is not None and time.monotonic() - failed_at < within

    async def commit(self, entry: Entry) -> int:
        """Return n once the entry is durable.

        Refusals: intake_busy, journal_full, journal_failed, incident_destroyed.
        """
        waiting = _Waiting(entry, time.monotonic(), self._loop.create_future())
        with self._work:
            if self._closing:
                raise Refusal("intake_busy")
            full = len(self._queue) >= self._queue_batches
            if full or (self._queue and self._bytes + waiting.size > self._queue_bytes):
                raise Refusal("intake_busy")
            self._queue.append(waiting)
            self._bytes += waiting.size
            self._work.notify()
        self._promised.append(waiting)
        if self._sweep is None:
            self._sweep = self._loop.call_later(_SWEEP, self._let_go)
        return await waiting.answer

    async def close(self) -> None:
        """Commit what waits, then let go of the journal."""
        with self._work:
            self._closing = True
            self._work.notify()
        await asyncio.to_thread(self._thread.join, self._commit_seconds)
        if not self._thread.is_alive():
            self._journal.close()

    def _let_go(self) -> None:
        # A store that hangs must not hold the device: it asks again, and a second copy does no harm.
        late = time.monotonic() - self._queue_seconds - self._commit_seconds
        while self._promised and (self._promised[0].answer.done() or self._promised[0].since < late):
            answer = self._promised.popleft().answer
            if not answer.done():
                answer.set_exception(Refusal("intake_busy"))
        self._sweep = self._loop.call_later(_SWEEP, self._let_go) if self._promised else None

    def _run(self) -> None:
        self._append([])  # open the journal before the first device waits for it
        while True:
            with self._work:
                self._work.wait_for(lambda: self._queue or self._closing)
                if not self._queue:
                    return
                group = self._take()
            oldest = time.monotonic() - self._queue_seconds
            fresh = [
                waiting for waiting in group if waiting.since >= oldest and not waiting.answer.cancelled()
            ]
            late = [waiting for waiting in group if waiting.since < oldest]
            answers = self._append([waiting.entry for waiting in fresh]) if fresh else []
            results = [
                *zip(fresh, answers, strict=True),
                *((waiting, Refusal("intake_busy")) for waiting in late),
            ]
            self._loop.call_soon_threadsafe(_settle, results)

    def _take(self) -> list[_Waiting]:
        group = [self._queue.popleft()]
        size = group[0].size
        while self._queue and len(group) < self._group_batches:
            size += self._queue[0].size
            if size > self._group_bytes:
                break
            group.append(self._queue.popleft())
        self._bytes -= sum(waiting.size for waiting in group)
        return group

    def _append(self, entries: Sequence[Entry]) -> Sequence[int | Refusal]:
        try:
            answers = self._journal.append(entries)
        except Refusal as refusal:
            self._note(refusal)
            return [refusal] * len(entries)
        except Exception:  # noqa: BLE001 -- a bug costs these requests, not the thread that all others need
            self._note()
            return [Refusal("journal_failed")] * len(entries)
        self._failed_at = None
        self.groups += 1
        return answers

    def _note(self, refusal: Refusal | None = None) -> None:
        # Every group fails while a disk is full; the log, which may lie on it, gets a line now and then.
        if time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LOG_EVERY
            _log.error("journal: %s", refusal or "unforeseen failure", exc_info=refusal is None)
        self._failed_at = time.monotonic()


def _settle(results: Sequence[tuple[_Waiting, int | Refusal]]) -> None:
    for waiting, answer in results:
        if waiting.answer.done():
            continue
        if isinstance(answer, Refusal):
            # One refusal may concern a whole group; each asker gets an exception of his own.
            waiting.answer.set_exception(Refusal(answer.code, **answer.facts))
        else:
            waiting.answer.set_result(answer)
