# SPDX-License-Identifier: Apache-2.0
"""An open-loop load generator that costs little: one process, raw sockets, epoll; requests are due at fixed
moments whether or not the door keeps up.

python -m benchmarks.intake.generator --port 8001 --requests FILE --rate 5000 --seconds 5
Prints one line of JSON. A connection with an answer outstanding is given the next request all the same when
its turn comes (HTTP/1.1 pipelining), so that a slow door is seen as latency and not as a slower client.
"""

import argparse
import contextlib
import json
import re
import select
import socket
import struct
import sys
import time
from array import array
from collections import Counter, deque
from pathlib import Path

PATIENCE = 5.0
TICK = 0.002
_ANSWER = re.compile(rb"HTTP/1\.1 (\d{3})")
_LENGTH = struct.Struct(">I")


class Line:
    """A connection: what is still to be sent, and when each unanswered request was due."""

    __slots__ = ("due", "out", "socket", "tail")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.due: deque[float] = deque()
        self.out = b""
        self.tail = b""

    def send(self, request: bytes) -> None:
        self.out += request
        with contextlib.suppress(BlockingIOError):
            sent = self.socket.send(self.out)
            self.out = self.out[sent:]

    def receive(self) -> list[bytes] | None:
        """Return the statuses that came, None when the line is dead."""
        try:
            got = self.socket.recv(1 << 16)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not got:
            return None
        seen = self.tail + got
        found = list(_ANSWER.finditer(seen))
        self.tail = seen[max(found[-1].end() if found else 0, len(seen) - 11) :]
        return [match.group(1) for match in found]


class Generator:
    def __init__(self, port: int, requests: list[bytes], lines: int) -> None:
        self._port, self._requests = port, requests
        self._poll = select.epoll()
        self._lines: dict[int, Line] = {}
        self._ring: deque[Line] = deque()
        self.statuses: Counter[str] = Counter()
        self.took = array("d")
        self.late = 0.0
        for _ in range(lines):
            self._open()

    def _open(self) -> None:
        line = Line(self._port)
        self._lines[line.socket.fileno()] = line
        self._poll.register(line.socket, select.EPOLLIN)
        self._ring.append(line)

    def _close(self, line: Line) -> None:
        self.statuses["lost"] += len(line.due)
        number = line.socket.fileno()
        self._poll.unregister(number)
        del self._lines[number]
        self._ring.remove(line)
        line.socket.close()
        with contextlib.suppress(OSError):
            self._open()

    def run(self, rate: float, seconds: float) -> float:
        """Send for so long, wait for what is outstanding; return the seconds in which answers came."""
        clock = time.perf_counter
        requests, ring, total = self._requests, self._ring, int(rate * seconds)
        began, sent = clock(), 0
        last = began
        while True:
            now = clock()
            while sent < total and began + sent / rate <= now and ring:
                due = began + sent / rate
                self.late = max(self.late, now - due)
                line = ring[0]
                ring.rotate(-1)
                line.due.append(due)
                try:
                    line.send(requests[sent % len(requests)])
                except OSError:
                    self._close(line)
                sent += 1
            if sent >= total and (now > began + seconds + PATIENCE or not self._outstanding()):
                break
            if self._listen(TICK):
                last = clock()
        for line in self._lines.values():
            self.statuses["unanswered"] += len(line.due)
        return last - began

    def _outstanding(self) -> bool:
        return any(line.due for line in self._lines.values())

    def _listen(self, wait: float) -> bool:
        heard = False
        for number, _ in self._poll.poll(wait):
            line = self._lines[number]
            statuses = line.receive()
            if statuses is None:
                self._close(line)
                continue
            if line.out:
                line.send(b"")
            now = time.perf_counter()
            for status in statuses:
                due = line.due.popleft()
                self.statuses[status.decode()] += 1
                if status == b"200":
                    self.took.append(now - due)
                    heard = True
        return heard


def at(ordered: list[float], share: float) -> float:
    return round(ordered[int(share * (len(ordered) - 1))] * 1000, 2) if ordered else 0.0


def read_requests(path: Path) -> list[bytes]:
    raw, requests, place = path.read_bytes(), [], 0
    while place < len(raw):
        (length,) = _LENGTH.unpack_from(raw, place)
        requests.append(raw[place + 4 : place + 4 + length])
        place += 4 + length
    return requests


def write_requests(path: Path, requests: list[bytes]) -> None:
    path.write_bytes(b"".join(_LENGTH.pack(len(request)) + request for request in requests))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--requests", type=Path, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--lines", type=int, default=256)
    told = parser.parse_args()
    generator = Generator(told.port, read_requests(told.requests), told.lines)
    cpu = time.process_time()
    elapsed = generator.run(told.rate, told.seconds)
    ordered = sorted(generator.took)
    answer = {
        "offered_per_s": told.rate,
        "seconds": round(elapsed, 3),
        "statuses": dict(generator.statuses),
        "taken_per_s": round(len(ordered) / max(elapsed, told.seconds), 1),
        "p50_ms": at(ordered, 0.5),
        "p99_ms": at(ordered, 0.99),
        "generator_late_ms": round(generator.late * 1000, 1),
        "generator_cpu_s": round(time.process_time() - cpu, 3),
    }
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
