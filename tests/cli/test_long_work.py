# SPDX-License-Identifier: Apache-2.0
"""The worker's hands: one piece at a time, ended when it takes too long; what fell is said."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Callable

import pytest

from muster.cli import long_work, processes
from tests.support.house import until

SLEEPS = "import time; time.sleep(60)"


class Pieces(long_work.Hand):
    """Pieces of Python instead of pieces of Muster."""

    command = "-c"

    def __init__(self, *scripts: str) -> None:
        super().__init__()
        self.waiting = list(scripts)
        self.fallen: list[uuid.UUID] = []

    def next_piece(self) -> uuid.UUID | None:
        return uuid.uuid4() if self.waiting else None

    def fell(self, work: uuid.UUID) -> None:
        self.fallen.append(work)


@pytest.fixture(autouse=True)
def python(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def words(command: str, _piece: str) -> list[str]:
        return [sys.executable, command, hand[0].waiting.pop(0)]

    hand: list[Pieces] = []
    monkeypatch.setattr(long_work, "muster", words)
    return hand.append


def test_one_piece_runs_at_a_time(python: Callable[..., None]) -> None:
    hand = Pieces(SLEEPS, SLEEPS)
    python(hand)
    hand.look_after()
    first = hand.child
    hand.look_after()
    assert hand.child is first
    assert len(hand.waiting) == 1
    hand.stop()


def test_what_takes_too_long_is_ended_and_fell(python: Callable[..., None]) -> None:
    hand = Pieces(SLEEPS)
    hand.most_seconds = 0.0
    python(hand)
    hand.look_after()
    child, work = hand.child, hand.work
    hand.look_after()
    assert child is not None
    assert child.returncode not in (None, 0)
    assert hand.fallen == [work]
    assert hand.child is None


@pytest.mark.parametrize(("script", "falls"), [("", 0), ("raise SystemExit(1)", 1)])
def test_only_what_ended_badly_fell_and_is_rested_after(
    python: Callable[..., None], script: str, falls: int
) -> None:
    hand = Pieces(script, "")
    hand.rest_seconds = 3_600.0
    python(hand)
    hand.look_after()
    until(lambda: hand.child is not None and hand.child.poll() is not None, what="the piece ends")
    hand.look_after()
    assert len(hand.fallen) == falls
    # After one that fell the next waits; after a good one it has begun.
    assert len(hand.waiting) == falls
    hand.stop()


def test_trouble_of_one_duty_keeps_no_other_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []
    monkeypatch.setattr(processes.log, "exception", told.append)
    monkeypatch.setattr(processes, "close_old_connections", lambda: None)
    done: list[float] = []
    for duty in (lambda: 1 / 0, lambda: done.append(time.monotonic())):
        processes.attend(duty)
    assert len(told) == len(done) == 1
