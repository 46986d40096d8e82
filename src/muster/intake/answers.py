# SPDX-License-Identifier: Apache-2.0
"""Answers of the front door: JSON, and problem+json for every refusal, in the asker's language."""

import random
from http import HTTPStatus
from typing import Protocol

import msgspec

from muster.base import messages
from muster.base.errors import Refusal

Headers = list[tuple[str, str]]


class Asked(Protocol):
    """The headers of a request."""

    def get(self, name: str, default: str = ..., /) -> str: ...


class Answering(Protocol):
    """Where an answer goes."""

    def response_bytes(self, status: int, headers: Headers, body: bytes, /) -> None: ...

    def response_empty(self, status: int, headers: Headers, /) -> None: ...


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


_JSON = (("content-type", "application/json"),)
_encode = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True):
    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


def json_answer(value: object, *, status: int = 200) -> Answer:
    return Answer(status, _encode(value), _JSON)


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
    headers: Headers = [("content-type", "application/problem+json")]
    if known in _COME_BACK:
        headers.append(("retry-after", str(random.randint(*_COME_BACK[known]))))
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append(("www-authenticate", "Bearer"))
    return Answer(status, _encode(body), tuple(headers))


def language(headers: Asked) -> str:
    return "en" if header(headers, "accept-language").lower().startswith("en") else "zh"


def header(headers: Asked, name: str) -> str:
    """Return a header's text; one that is no text counts as none."""
    try:
        return headers.get(name, "")
    except (RuntimeError, UnicodeDecodeError):
        return ""


def send_answer(to: Answering, answer: Answer, extra: Headers) -> None:
    headers = [*answer.headers, *extra]
    if answer.body:
        to.response_bytes(answer.status, headers, answer.body)
    else:
        to.response_empty(answer.status, headers)
