# SPDX-License-Identifier: Apache-2.0
"""Open-loop load on the front door: batches arrive at a set rate whether or not the door keeps up.

python -m benchmarks.intake.open_loop --rate 200 --facts 10 --seconds 5 [--postgres ADDRESS]

A closed loop would slow down with the server and hide every queue. The client shares the machine with the
door and costs about as much: read the figures as ratios. Who is not answered within five seconds gives up.
"""

import argparse
import asyncio
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.intake.house import Door, House

_PREPARED = 400
_PATIENCE = 5


@dataclass
class Tally:
    answers: dict[int, int] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    def add(self, status: int, took: float) -> None:
        self.answers[status] = self.answers.get(status, 0) + 1
        if status == 200:
            self.seconds.append(took)

    def at(self, share: float) -> float:
        return sorted(self.seconds)[int(share * (len(self.seconds) - 1))] * 1000 if self.seconds else 0.0


def prepared_requests(house: House, facts: int) -> list[bytes]:
    """Make signed requests beforehand, from as many devices: signing is the phones' work, not ours."""
    made = []
    for _ in range(_PREPARED):
        device = house.device()
        _, body = device.batch(facts)
        told = device.headers(body) | {"host": "door", "content-length": str(len(body))}
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        made.append(f"POST /v1/batches HTTP/1.1\r\n{head}\r\n".encode() + body)
    return made


class Clients:
    """Connections that are kept and shared; a new one is opened when all are busy."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes) -> int:
        pair = self._idle.pop() if self._idle else await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = pair
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
        self._idle.append(pair)
        return int(head.split(b" ", 2)[1])


async def load(port: int, requests: list[bytes], rate: float, seconds: float) -> Tally:
    clients, tally, running = Clients(port), Tally(), set()
    began = time.perf_counter()

    async def one(request: bytes, due: float) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                status = await clients.ask(request)
        except (OSError, asyncio.IncompleteReadError):
            status = 0
        tally.add(status, time.perf_counter() - due)

    for n in range(int(rate * seconds)):
        # Measured from when the batch was due, not from when the client got round to sending it.
        due = began + n / rate
        await asyncio.sleep(max(0, due - time.perf_counter()))
        task = asyncio.create_task(one(requests[n % len(requests)], due))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)
    tally.elapsed = time.perf_counter() - began
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, nargs="+", default=[100, 300, 600])
    parser.add_argument("--facts", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--postgres", default="")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        house = House(Path(folder))
        door = Door(house.data, MUSTER_DATABASE_URL=told.postgres)
        door.start()
        try:
            requests = prepared_requests(house, told.facts)
            asyncio.run(load(door.port, requests, 50, 1))  # warm-up
            print("offered/s  taken/s  sent away/s  gave up/s  facts/s  p50 ms  p99 ms")
            for rate in told.rate:
                tally = asyncio.run(load(door.port, requests, rate, told.seconds))
                taken, away, lost = (tally.answers.get(status, 0) / tally.elapsed for status in (200, 503, 0))
                print(
                    f"{rate:9.0f}{taken:9.0f}{away:13.0f}{lost:11.0f}{taken * told.facts:9.0f}"
                    f"{tally.at(0.5):8.1f}{tally.at(0.99):8.1f}"
                )
        finally:
            door.kill()


if __name__ == "__main__":
    main()
