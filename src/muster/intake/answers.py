# SPDX-License-Identifier: Apache-2.0
"""Answers of the front door: JSON, and problem+json for every refusal, in the asker's language."""

import random
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

import msgspec

from muster.base import messages
from muster.base.errors import Refusal

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

STATUS = {
    "body_not_json": 400,
    "body_too_deep": 400,
    "body_cut": 400,
    "encoding_bad": 400,
    "envelope_bad": 400,
    "envelope_version_unknown": 400,
    "blob_name_bad": 400,
    "blob_differs": 400,
    "lease_missing": 401,
    "lease_unknown": 401,
    "path_unknown": 404,
    "method_unknown": 405,
    "body_late": 408,
    "incident_destroyed": 410,
    "batch_too_long": 413,
    "body_too_large": 413,
    "blob_too_large": 413,
    "encoding_unknown": 415,
    "intake_failed": 500,
    "intake_busy": 503,
    "journal_full": 503,
    "journal_failed": 503,
}
# (from, to) seconds: spread, so that those sent away together do not come back together.
_COME_BACK = {"intake_busy": (2, 10), "journal_full": (30, 90), "journal_failed": (5, 20)}


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()


def json_answer(value: object, *, status: int = 200) -> Answer:
    return Answer(status, msgspec.json.encode(value), ((b"content-type", b"application/json"),))


def problem(refusal: Refusal, *, lang: str) -> Answer:
    """Return a refusal as RFC 9457 problem+json. A code without a status is a bug, not the device's fault."""
    status = STATUS.get(refusal.code, STATUS["intake_failed"])
    known = refusal.code if refusal.code in STATUS else "intake_failed"
    body = {
        "type": f"urn:muster:problem:{known}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": known,
        "detail": messages.text(known, lang, **refusal.facts),
        "errors": [],
    }
    headers: Headers = [(b"content-type", b"application/problem+json")]
    if known in _COME_BACK:
        headers.append((b"retry-after", str(random.randint(*_COME_BACK[known])).encode()))
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    return Answer(status, msgspec.json.encode(body), tuple(headers))


def language(headers: dict[bytes, bytes]) -> str:
    return "en" if headers.get(b"accept-language", b"").lower().startswith(b"en") else "zh"


async def send_answer(send: Send, answer: Answer, extra: Headers) -> None:
    headers = [*answer.headers, *extra, (b"content-length", str(len(answer.body)).encode())]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
