# SPDX-License-Identifier: Apache-2.0
"""Fan-out of pure jobs: results come back in the order of the jobs, with few of them under way at once."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any, TypeVar

Answer = TypeVar("Answer")


def in_order(
    work: Callable[..., Answer], jobs: Iterable[tuple[Any, ...]], *, executor: Executor | None
) -> Iterator[Answer]:
    """Run `work(*job)` for each job and yield the answers in order.

    Without an executor the jobs run on threads of this process, which helps only work that lets go of
    the interpreter's lock. Closing the iterator early drops the jobs that have not begun.
    """
    if executor is not None:
        yield from _window(work, jobs, executor, ahead=2 * (os.cpu_count() or 1))
        return
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool:
        yield from _window(work, jobs, pool, ahead=threads + 1)


def _window(
    work: Callable[..., Answer], jobs: Iterable[tuple[Any, ...]], executor: Executor, *, ahead: int
) -> Iterator[Answer]:
    under_way: deque[Future[Answer]] = deque()
    try:
        for job in jobs:
            under_way.append(executor.submit(work, *job))
            if len(under_way) >= ahead:
                yield under_way.popleft().result()
        while under_way:
            yield under_way.popleft().result()
    finally:
        for future in under_way:
            future.cancel()
