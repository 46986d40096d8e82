# SPDX-License-Identifier: Apache-2.0
"""A house with a front door, devices that knock, and a server process that can be killed."""

import atexit
import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from muster.base import clock, codes, ids
from muster.base.crypto import Keystore
from muster.base.crypto.signing import b64url
from muster.intake.app import IntakeApp
from muster.intake.settings import Settings, read_settings

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass
class Device:
    """A phone: its id, its P-256 key, its lease."""

    lease: str
    incident: uuid.UUID
    id: uuid.UUID = field(default_factory=ids.new_id)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> dict[str, str]:
        numbers = self.key.public_key().public_numbers()
        x, y = (b64url(value.to_bytes(32)) for value in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y}

    def sign(self, body: bytes) -> str:
        r, s = decode_dss_signature(self.key.sign(body, ec.ECDSA(hashes.SHA256())))
        return f"ES256={b64url(r.to_bytes(32) + s.to_bytes(32))}"

    def headers(self, body: bytes, **more: str) -> dict[str, str]:
        told = {"authorization": f"Bearer {self.lease}", "muster-signature": self.sign(body)}
        return told | {name.replace("_", "-"): value for name, value in more.items()}

    def batch(self, facts: int = 1, *, text: str = "") -> tuple[uuid.UUID, bytes]:
        batch = ids.new_id()
        whole = {
            "v": 1,
            "device": str(self.id),
            "batch": str(batch),
            "sent_at": "2026-01-05T09:00:00+08:00",
            "facts": [self.fact(seq, text) for seq in range(facts)],
        }
        return batch, json.dumps(whole, ensure_ascii=False).encode()

    def fact(self, seq: int, text: str = "") -> dict[str, Any]:
        return {
            "v": 1,
            "id": str(ids.new_id()),
            "seq": seq,
            "kind": "note.written",
            "actor": "w1",
            "occurred_at": "2026-01-05T08:59:00+08:00",
            "subject": {"sub_district": 7, "dwelling": str(ids.new_id())},
            "body": {"text": text or "楼道灯坏了"},
        }


@dataclass
class House:
    data: Path

    def __post_init__(self) -> None:
        self.keystore = Keystore.open(
            self.data / "keys" / "keys.db", self.settings().secret_file, create=True
        )
        self.incident = ids.new_id()

    def settings(self, **environ: str) -> Settings:
        return read_settings({"MUSTER_DATA": str(self.data), **environ})

    def device(self, *, hours: int = 24, keystore: Keystore | None = None) -> Device:
        device = Device("", self.incident)
        device.lease = self.lease(device.id, hours=hours, keystore=keystore)
        return device

    def lease(self, device: uuid.UUID, *, hours: int = 24, keystore: Keystore | None = None) -> str:
        key = (keystore or self.keystore).instance_key()
        at = clock.now().replace(microsecond=0)
        lease = codes.Lease(
            id=ids.new_id(),
            instance=key.instance,
            device=device,
            actor=str(ids.new_id()),
            incident=self.incident,
            areas=("1.2.3",),
            grids=(11, 12),
            issued_at=at + timedelta(hours=min(hours, 0) - 1),
            expires_at=at + timedelta(hours=hours),
            epoch=1,
        )
        return codes.make_lease(key, lease)


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    app: IntakeApp,
    method: str,
    path: str,
    body: bytes | list[bytes] = b"",
    headers: dict[str, str] | None = None,
) -> Reply:
    """Put one request to the app without a server in between."""
    exchange = Spoken([body] if isinstance(body, bytes) else body)
    told = {"content-length": str(sum(map(len, exchange.chunks)))} | (headers or {})
    scope = SimpleNamespace(
        proto="http", method=method, path=path, headers={n.lower(): v for n, v in told.items() if v}
    )
    await app.__rsgi__(scope, exchange)
    assert exchange.reply is not None
    return exchange.reply


class Spoken:
    """A request's body, and where its answer goes, as the server would give them."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks
        self.reply: Reply | None = None

    async def __call__(self) -> bytes:
        return b"".join(self.chunks)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            yield chunk

    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        assert self.reply is None
        self.reply = Reply(status, {name.lower(): value for name, value in headers}, body)

    def response_empty(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.response_bytes(status, headers, b"")


class Door:
    """The front door as a process of its own, which can be killed like a power button would not: SIGKILL."""

    def __init__(self, data: Path, *, module: str = "muster.intake", **environ: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._command = [sys.executable, "-m", module]
        self._environ = os.environ | {
            "MUSTER_DATA": str(data),
            "MUSTER_INTAKE_PORT": str(self.port),
            "MUSTER_DATABASE_URL": "",
            "PYTHONPATH": str(REPOSITORY),
            **environ,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, within: float = 20) -> None:
        self._process = subprocess.Popen(
            self._command,
            env=self._environ,
            start_new_session=True,
            cwd=REPOSITORY,
            stdout=subprocess.DEVNULL,
        )
        _OPEN.add(self)
        until = time.monotonic() + within
        while time.monotonic() < until:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self.ask("GET", "/readyz").status == 200:
                    return
            assert self._process.poll() is None, "the door did not open"
            time.sleep(0.02)
        raise AssertionError("the door did not open in time")

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Reply:
        with contextlib.closing(self.connection()) as connection:
            return ask_over(connection, method, path, body, headers)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def kill(self, sign: int = signal.SIGKILL) -> None:
        assert self._process is not None
        workers = self.children()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, sign)
        self._process.wait(30)
        _OPEN.discard(self)
        until = time.monotonic() + 30
        while any(map(is_alive, workers)):
            assert time.monotonic() < until, "the door's processes live on"
            time.sleep(0.005)

    def children(self) -> list[int]:
        try:
            return [
                int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
            ]
        except FileNotFoundError:
            return []

    def workers(self) -> list[int]:
        # multiprocessing keeps a resource tracker beside the workers.
        found = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in self.children()}
        return [pid for pid, command in found.items() if b"resource_tracker" not in command]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid


_OPEN: set[Door] = set()


@atexit.register
def _leave_none_behind() -> None:
    """Kill the door of a test that failed before it could."""
    for door in list(_OPEN):
        door.kill()


def is_alive(pid: int) -> bool:
    """Say whether a process runs; one that nobody has buried yet (a zombie) does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ask_over(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    connection.request(method, path, body, headers or {})
    answer = connection.getresponse()
    return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
