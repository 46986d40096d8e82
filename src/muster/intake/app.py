# SPDX-License-Identifier: Apache-2.0
"""The front door as an app: POST /v1/batches, PUT /v1/blobs/{sha256}, GET /healthz and /readyz.

It speaks RSGI, granian's own protocol: body and answer are one call each, which is a third off a request.
"""

import asyncio
import contextlib
import gc
import hashlib
import logging
import os
import shutil
import signal
from collections.abc import Awaitable, Callable
from typing import Protocol

from muster.base import clock
from muster.base.crypto import Keystore, SigningKey
from muster.base.errors import Refusal
from muster.intake import envelope, limits
from muster.intake.admission import Admission
from muster.intake.answers import (
    Answer,
    Answering,
    Asked,
    Headers,
    header,
    json_answer,
    language,
    problem,
    send_answer,
)
from muster.intake.blobs import BlobStore, blob_name
from muster.intake.bodies import Bodies, Body, Gone
from muster.intake.group_commit import GroupCommit
from muster.intake.journal import Entry, Journal, open_journal
from muster.intake.leases import KnownLeases, bearer
from muster.intake.loop_lag import LoopLag
from muster.intake.receipts import make_receipt
from muster.intake.settings import Settings, read_settings

_log = logging.getLogger(__name__)
_BLOBS = "/v1/blobs/"
_FAILED_LATELY = 5.0
_LEAST_FREE = 64 << 20
_ALLOWED = (
    ("access-control-allow-methods", "POST, PUT, GET"),
    ("access-control-allow-headers", "authorization, content-type, content-encoding, muster-signature"),
    ("access-control-max-age", "7200"),
)


class Scope(Protocol):
    """A request's head."""

    proto: str
    method: str
    path: str
    headers: Asked


class Exchange(Body, Answering, Protocol):
    """A request's body, and where its answer goes."""


Act = Callable[[Asked, Body], Awaitable[Answer]]


class IntakeApp:
    """One process of the front door, from `start` to `stop`."""

    def __init__(
        self, settings: Settings, *, open_stream: Callable[[Settings, Keystore], Journal] | None = None
    ) -> None:
        self._settings = settings
        self._open_stream = open_stream or (
            lambda settings, keystore: open_journal(settings.journal_source, keystore)
        )
        self._bodies = Bodies()
        self._admission = Admission()
        self._key: SigningKey | None = None
        self._key_of = -1

    async def start(self) -> None:
        self._keystore = self._settings.open_keystore()
        self._leases = KnownLeases(self._keystore)
        self._commits = GroupCommit(self._open_stream(self._settings, self._keystore))
        self._blobs = BlobStore(self._settings.data, self._keystore)
        self._lag = LoopLag()
        self._own_key()

    async def stop(self) -> None:
        self._lag.stop()
        await self._commits.close()
        self._blobs.close()
        self._keystore.close()

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_until_complete(self.start())
        self._orphaned = loop.create_task(_leave_with(os.getppid()))
        # What was made so far stays for good: no collection need look at it again.
        gc.collect()
        gc.freeze()

    def __rsgi_del__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._orphaned.cancel()
        loop.run_until_complete(self.stop())

    async def __rsgi__(self, scope: Scope, exchange: Exchange) -> None:
        if scope.proto != "http":
            return
        headers = scope.headers
        try:
            answer = await self._answer(scope.method, scope.path, headers, exchange)
        except Refusal as refusal:
            answer = problem(refusal, lang=language(headers))
        except Gone:
            return
        except Exception:  # noqa: BLE001 -- a bug answers this one asker; the door stays open
            _log.exception("%s %s", scope.method, scope.path)
            answer = problem(Refusal("intake_failed"), lang=language(headers))
        send_answer(exchange, answer, self._origin_headers(headers))

    async def _answer(self, method: str, path: str, headers: Asked, body: Body) -> Answer:
        route = self._route(path)
        if method == "OPTIONS":
            return Answer(204, headers=_ALLOWED)
        if route is None:
            raise Refusal("path_unknown")
        wanted, act = route
        if method != wanted and not (method == "HEAD" and wanted == "GET"):
            raise Refusal("method_unknown", method=method[:16])
        return await act(headers, body)

    def _route(self, path: str) -> tuple[str, Act] | None:
        if path == "/v1/batches":
            return "POST", self._take_batch
        if path.startswith(_BLOBS):
            return "PUT", lambda headers, body: self._take_blob(path[len(_BLOBS) :], headers, body)
        if path == "/healthz":
            return "GET", self._health
        if path == "/readyz":
            return "GET", self._readiness
        return None

    async def _take_batch(self, headers: Asked, body: Body) -> Answer:
        # Before lease and body cost anything.
        token = bearer(header(headers, "authorization"))
        self._admission.admit(token, busy=self._busy())
        lease = self._leases.of_token(token)
        raw = await self._bodies.read(
            header(headers, "content-length"),
            body,
            most=limits.BODY_BYTES,
            within=limits.BODY_SECONDS,
            too_large="body_too_large",
        )
        plain = envelope.plain_body(raw, header(headers, "content-encoding").strip().lower())
        batch = envelope.read_batch(plain)
        alg, signature = envelope.read_signature(header(headers, "muster-signature").strip())
        # Journaled again if it comes again: which copy counts is fold's to know, and it does not mind two.
        entry = Entry(
            received_at=clock.now(),
            device=batch.device,
            batch=batch.batch,
            incident=lease.incident,
            lease=token,
            alg=alg,
            signature=signature,
            sha256=hashlib.sha256(plain).digest(),
            body=plain,
        )
        await self._commits.commit(entry)
        self._admission.heard(token)
        receipt = make_receipt(
            self._own_key(),
            batch=entry.batch,
            device=entry.device,
            sha256=entry.sha256,
            received_at=entry.received_at,
            count=len(batch.facts),
        )
        return json_answer(receipt)

    def _busy(self) -> float:
        lag = self._lag.seconds()
        return 1.0 if lag > limits.LAG_SECONDS else max(self._commits.fullness, lag / limits.LAG_SECONDS)

    def _own_key(self) -> SigningKey:
        """Return the instance's key; asked of the keystore once a commit, not once a batch."""
        if self._key is None or self._key_of != self._commits.groups:
            self._key, self._key_of = self._keystore.instance_key(), self._commits.groups
        return self._key

    async def _take_blob(self, name: str, headers: Asked, body: Body) -> Answer:
        # Facts first: blobs give way long before facts have to.
        self._blobs.admit(busy=self._busy())
        lease = self._leases.of_token(bearer(header(headers, "authorization")))
        sha256 = blob_name(name)
        raw = await self._bodies.read(
            header(headers, "content-length"),
            body,
            most=limits.BLOB_BYTES,
            within=limits.BLOB_SECONDS,
            too_large="blob_too_large",
        )
        await self._blobs.put(lease.incident, sha256, raw)
        return json_answer({"v": 1, "sha256": sha256, "size": len(raw)})

    async def _health(self, _headers: Asked, _body: Body) -> Answer:
        return json_answer({"status": "ok"})

    async def _readiness(self, _headers: Asked, _body: Body) -> Answer:
        free = shutil.disk_usage(self._settings.data).free
        failing = self._commits.failing(within=_FAILED_LATELY)
        ready = self._commits.writer > 0 and not failing and free >= _LEAST_FREE
        facts = {
            "status": "ok" if ready else "unavailable",
            "writer": self._commits.writer,
            "queue": round(self._commits.fullness, 3),
            "disk_free": free,
        }
        return json_answer(facts, status=200 if ready else 503)

    def _origin_headers(self, headers: Asked) -> Headers:
        origin = header(headers, "origin")
        if not origin:
            return []
        allowed: Headers = [("vary", "Origin")]
        if origin in self._settings.web_origins:
            allowed += [
                ("access-control-allow-origin", origin),
                ("access-control-expose-headers", "Retry-After"),
            ]
        return allowed


def application() -> IntakeApp:
    """Make the app from the environment: what granian's workers call."""
    return IntakeApp(read_settings())


async def _leave_with(parent: int) -> None:
    """End when the process that started us is gone: an orphan would hold the port and the stream."""
    with contextlib.suppress(asyncio.CancelledError):
        while os.getppid() == parent:
            await asyncio.sleep(1)
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.sleep(limits.COMMIT_SECONDS)
        os._exit(1)
