# SPDX-License-Identifier: Apache-2.0
"""Three times what the store takes, for a while: the bounded door goes on at its capacity and is soon itself
again; a plain queue answers nobody in time and does not come back. Ten seconds scaled down to three.
"""

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.admission import Admission
from tests.intake.house import Door
from tests.intake.slow_door import CAPACITY

PATIENCE = 1.0
BEFORE, DURING, AFTER = (0.6 * CAPACITY, 1.0), (3.0 * CAPACITY, 3.0), (0.6 * CAPACITY, 3.0)


class Crowd:
    """Phones that give up after a second and ask again at once; who is sent away comes back later."""

    def __init__(self, door, requests, *, memory):
        self._door, self._requests, self._memory = door, requests, memory
        self.memory_before = 0
        self.served = []
        self.statuses = []

    async def one(self, request, due, *, again):
        status = 0
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
            async with asyncio.timeout(PATIENCE):
                status = await self._ask(request)
        self.statuses.append(status)
        if status == 200:
            self.served.append(time.monotonic())
        elif status == 0 and again:
            await self.one(request, due, again=again - 1)

    async def _ask(self, request):
        reader, writer = await asyncio.open_connection("127.0.0.1", self._door.port)
        try:
            writer.write(request)
            return int((await reader.readuntil(b"\r\n")).split()[1])
        finally:
            writer.close()

    async def come(self):
        """Return the moments at which each phase began, and the last one ended."""
        began, running, moments, n = time.monotonic(), [], [], 0
        start = began
        for rate, seconds in (BEFORE, DURING, AFTER):
            moments.append(start)
            if len(moments) == 2:
                self.memory_before = self._memory()
            for k in range(int(rate * seconds)):
                due = start + k / rate
                await asyncio.sleep(max(0, due - time.monotonic()))
                running.append(
                    asyncio.ensure_future(self.one(self._requests[n % len(self._requests)], due, again=3))
                )
                n += 1
            start += seconds
        moments.append(start)
        for task in running:
            if not task.done():
                task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        return moments


def requests_of(house, count=300):
    made = []
    for _ in range(count):
        device = house.device()
        _, body = device.batch(1)
        told = device.headers(body) | {
            "host": "door",
            "content-length": str(len(body)),
            "connection": "close",
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        made.append(f"POST /v1/batches HTTP/1.1\r\n{head}\r\n".encode() + body)
    return made


def memory_of(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


@pytest.fixture
def surge(house):
    """Run a crowd against a door: goodput in each phase as a share of what was to be had; how memory grew."""

    def run(**environ):
        requests = requests_of(house)
        door = Door(house.data, module="tests.intake.slow_door", **environ)
        door.start()
        try:
            (worker,) = door.workers()
            crowd = Crowd(door, requests, memory=lambda: memory_of(worker))
            moments = asyncio.run(crowd.come())
            growth = memory_of(worker) / crowd.memory_before
        finally:
            door.kill()

        def share(start, end, rate):
            return sum(start <= at < end for at in crowd.served) / ((end - start) * min(rate, CAPACITY))

        last = moments[3] - 1.0
        return {
            "before": share(moments[0] + 0.3, moments[1], BEFORE[0]),
            "during": share(moments[1] + 0.3, moments[2], DURING[0]),
            "at last": share(last, moments[3] - 0.2, AFTER[0]),
            "memory": growth,
            "statuses": set(crowd.statuses),
        }

    return run


def test_at_three_times_the_capacity_the_door_keeps_its_pace_and_is_itself_again(surge):
    seen = surge()

    assert seen["during"] > 0.9, seen
    assert seen["at last"] > 0.6, seen
    assert seen["memory"] < 1.2, seen
    assert seen["statuses"] <= {200, 503, 0}


def test_without_bounds_the_same_crowd_is_not_served_and_does_not_recover(surge):
    """Negative control: the plain queue works at full capacity, for people who have gone."""
    seen = surge(SLOW_DOOR_UNBOUNDED="1")

    assert seen["before"] > 0.8, seen
    assert seen["at last"] < 0.3, seen


class TestAdmission:
    def test_while_there_is_room_everybody_is_heard(self):
        admission = Admission()
        admission.heard("phone")

        for busy in (0, limits.HARD_PRESSED - 0.01):
            admission.admit("phone", busy=busy)

    def test_hard_pressed_who_was_just_heard_gives_way_to_the_others(self):
        admission = Admission()
        admission.heard("fast")

        with pytest.raises(Refusal, match="intake_busy"):
            admission.admit("fast", busy=limits.HARD_PRESSED)
        admission.admit("unheard", busy=limits.HARD_PRESSED)

    def test_a_full_door_refuses_all(self):
        with pytest.raises(Refusal, match="intake_busy"):
            Admission().admit("unheard", busy=1)

    def test_its_turn_comes_again(self, monkeypatch):
        monkeypatch.setattr("muster.intake.admission.HEARD_SECONDS", 0.05)
        admission = Admission()
        admission.heard("phone")
        time.sleep(0.06)

        admission.admit("phone", busy=0.9)

    def test_it_remembers_a_bounded_number(self):
        admission = Admission(most=2)
        for token in "abc":
            admission.heard(token)

        assert list(admission._heard) == ["b", "c"]

    def test_in_a_reconnect_flood_every_phone_is_heard_before_any_is_heard_twice(self):
        """Ten fast phones knock ten times for each knock of ninety slow ones; the store takes one in ten."""

        def heard_after(knocks, admission):
            seen, taken = set(), 0
            for n in range(knocks):
                phone = f"fast{n % 10}" if n % 11 else f"slow{n // 11 % 90}"
                if taken * 10 > n:
                    continue
                with contextlib.suppress(Refusal):
                    admission.admit(phone, busy=0.9)
                    admission.heard(phone)
                    seen.add(phone)
                    taken += 1
            return len(seen)

        class Rankless(Admission):
            def _heard_lately(self, token):
                return False

        assert heard_after(990, Admission()) > 85
        assert heard_after(990, Rankless()) < 60
