# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
import time

import pytest

from muster.base import clock, ids
from muster.base.errors import Refusal
from muster.intake.group_commit import GroupCommit
from muster.intake.journal import Entry, JournalUnavailable


def entry(size=10):
    return Entry(clock.now(), ids.new_id(), ids.new_id(), ids.new_id(), "", "", b"", b"", bytes(size))


class FakeJournal:
    """Takes `seconds` a commit, however large: what an fsync does."""

    def __init__(self, seconds=0.0, failure=None):
        self.writer = 1
        self.seconds, self.failure = seconds, failure
        self.groups = []
        self.closed = False
        self.gate = threading.Event()
        self.gate.set()

    def append(self, entries):
        if not entries:
            return []
        self.gate.wait()
        time.sleep(self.seconds)
        if self.failure:
            raise self.failure
        first = sum(map(len, self.groups)) + 1
        self.groups.append(list(entries))
        return list(range(first, first + len(entries)))

    def close(self):
        self.closed = True


def in_loop(act, journal, **limits):
    async def whole():
        commits = GroupCommit(journal, **limits)
        try:
            return await act(commits)
        finally:
            journal.gate.set()
            await commits.close()

    return asyncio.run(whole())


async def outcome(commits, one):
    try:
        return await commits.commit(one)
    except Refusal as refusal:
        return refusal.code


def test_what_came_during_a_commit_is_the_next_group():
    journal = FakeJournal(seconds=0.02)

    async def act(commits):
        return await asyncio.gather(*(commits.commit(entry()) for _ in range(100)))

    assert in_loop(act, journal) == list(range(1, 101))
    assert len(journal.groups) <= 3
    assert journal.closed


def test_a_lone_request_waits_for_nobody():
    journal = FakeJournal()

    async def act(commits):
        began = time.monotonic()
        for _ in range(50):
            await commits.commit(entry())
        return time.monotonic() - began

    assert in_loop(act, journal) < 0.5
    assert [len(group) for group in journal.groups] == [1] * 50


def test_groups_are_bounded_in_batches_and_bytes():
    journal = FakeJournal()

    async def act(commits):
        journal.gate.clear()
        asking = [asyncio.ensure_future(commits.commit(entry(size=100))) for _ in range(20)]
        await asyncio.sleep(0.05)
        journal.gate.set()
        await asyncio.gather(*asking)

    in_loop(act, journal, group_batches=8, group_bytes=500)
    assert max(map(len, journal.groups)) == 5
    assert sum(map(len, journal.groups)) == 20


@pytest.mark.parametrize(("limits", "taken"), [({"queue_batches": 5}, 5), ({"queue_bytes": 300}, 3)])
def test_a_full_queue_says_so_at_once(limits, taken):
    journal = FakeJournal()

    async def act(commits):
        journal.gate.clear()
        first = asyncio.ensure_future(outcome(commits, entry(size=100)))
        await asyncio.sleep(0.05)  # the thread holds it now; the queue is empty
        asking = [asyncio.ensure_future(outcome(commits, entry(size=100))) for _ in range(taken + 4)]
        await asyncio.sleep(0.05)
        early = [one.result() for one in asking if one.done()]
        fullness = commits.fullness
        journal.gate.set()
        return early, fullness, await asyncio.gather(first, *asking)

    early, fullness, answers = in_loop(act, journal, **limits)
    assert early == ["intake_busy"] * 4
    assert fullness == 1
    assert sum(isinstance(answer, int) for answer in answers) == taken + 1
    assert sum(map(len, journal.groups)) == taken + 1


def test_who_waited_too_long_is_sent_away_and_not_journaled():
    journal = FakeJournal()

    async def act(commits):
        journal.gate.clear()
        first = asyncio.ensure_future(outcome(commits, entry()))
        await asyncio.sleep(0.02)
        late = asyncio.ensure_future(outcome(commits, entry()))
        await asyncio.sleep(0.25)
        fresh = asyncio.ensure_future(outcome(commits, entry()))
        await asyncio.sleep(0)
        journal.gate.set()
        return await asyncio.gather(first, late, fresh)

    assert in_loop(act, journal, queue_seconds=0.2) == [1, "intake_busy", 2]
    assert sum(map(len, journal.groups)) == 2


def test_a_store_that_hangs_lets_the_askers_go():
    journal = FakeJournal()

    async def act(commits):
        journal.gate.clear()
        began = time.monotonic()
        answers = await asyncio.gather(*(outcome(commits, entry()) for _ in range(3)))
        return answers, time.monotonic() - began

    answers, took = in_loop(act, journal, queue_seconds=0.1, commit_seconds=0.2)
    assert answers == ["intake_busy"] * 3
    assert took < 1


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (JournalUnavailable("journal_full"), "journal_full"),
        (JournalUnavailable("journal_failed"), "journal_failed"),
        (ZeroDivisionError(), "journal_failed"),
    ],
)
def test_a_failed_commit_is_told_to_each_and_the_next_one_works(failure, code):
    journal = FakeJournal(failure=failure)

    async def act(commits):
        answers = await asyncio.gather(*(outcome(commits, entry()) for _ in range(4)))
        failing = commits.failing(within=60)
        journal.failure = None
        return answers, failing, await outcome(commits, entry()), commits.failing(within=60)

    assert in_loop(act, journal) == ([code] * 4, True, 1, False)


def test_a_refusal_of_one_entry_is_its_own():
    class Picky(FakeJournal):
        def append(self, entries):
            return [Refusal("incident_destroyed") if len(one.body) > 50 else 1 for one in entries]

    async def act(commits):
        return await asyncio.gather(*(outcome(commits, entry(size)) for size in (10, 99, 10)))

    assert in_loop(act, Picky()) == [1, "incident_destroyed", 1]


def test_closing_commits_what_waits_and_takes_no_more():
    journal = FakeJournal(seconds=0.02)

    async def act(commits):
        asking = [asyncio.ensure_future(outcome(commits, entry())) for _ in range(10)]
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(commits.close())
        await asyncio.sleep(0)
        refused = await outcome(commits, entry())
        await closing
        return refused, await asyncio.gather(*asking)

    refused, answers = in_loop(act, journal)
    assert refused == "intake_busy"
    assert answers == list(range(1, 11))


class OneByOne(FakeJournal):
    """A store that gains nothing from groups: its capacity is exactly 1 / seconds."""

    def append(self, entries):
        for one in entries:
            super().append([one])
        return list(range(len(entries)))


@pytest.mark.parametrize(
    ("bounded", "recovers"), [(True, True), (False, False)], ids=["bounded", "plain queue"]
)
def test_an_overload_passes_and_only_a_bounded_queue_recovers(bounded, recovers):
    """Open loop at 60 %, then 500 %, then 60 % of 200 a second; askers give up after 0.5 s."""
    journal = OneByOne(seconds=0.005)
    patience = 0.5
    limits = {"queue_batches": 60, "queue_seconds": 0.35} if bounded else {"queue_seconds": 1e6}

    async def act(commits):
        served = []

        async def one(phase):
            began = time.monotonic()
            answer = await outcome(commits, entry())
            if answer != "intake_busy" and time.monotonic() - began < patience:
                served.append(phase)

        asking = []
        for phase, rate, seconds in (("before", 120, 0.5), ("during", 1000, 1.0), ("after", 120, 1.0)):
            for _ in range(int(rate * seconds)):
                asking.append(asyncio.ensure_future(one(phase)))
                await asyncio.sleep(1 / rate)
        if bounded:
            await asyncio.gather(*asking)
        else:
            for each in asking:
                each.cancel()
        return {phase: served.count(phase) for phase in ("before", "during", "after")}

    served = in_loop(act, journal, group_batches=4, queue_bytes=1 << 40, commit_seconds=0.1, **_all(limits))

    assert served["before"] > 45
    assert (served["after"] > 0.6 * 120) is recovers
    if bounded:
        assert served["during"] > 0.6 * 200


def _all(limits):
    return {"queue_batches": 10**9} | limits
