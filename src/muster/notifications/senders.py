# SPDX-License-Identifier: Apache-2.0
"""The ways out of the house: the SMS file, and channels by Apprise or a signed webhook.

A sender gets a ready sentence and the message's key, which the other side can use to drop a second copy. It
raises NotSent; it never says what the other side answered, which may be anything.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from muster.notifications.states import ChannelKind, Fault

PATIENCE_SECONDS = 15.0
SMS_FOLDER = "sms"
SIGNATURE_HEADER = "Muster-Webhook-Signature"


class NotSent(RuntimeError):  # noqa: N818 -- says what happened
    """It did not go out. `fault` says why, in a word of the closed list."""

    def __init__(self, fault: str = Fault.UNREACHABLE) -> None:
        super().__init__(fault)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Outgoing:
    """What a sender may know: a sentence, a key, a moment."""

    key: str
    text: str
    language: str
    at: datetime
    incident: uuid.UUID


class SmsSender(Protocol):
    """An SMS gateway. The file is the embedded one; another is given to `deliver_due`."""

    def send(self, one: Outgoing, phone: str) -> None: ...


class SmsFile:
    """One JSON line for each message, in a file of the incident that only we may read; a modem or a gateway's
    own program takes it from there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, incident: uuid.UUID) -> Path:
        return self.folder / f"{incident}.jsonl"

    def send(self, one: Outgoing, phone: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        told = {"key": one.key, "at": one.at.isoformat(), "to": phone, "lang": one.language, "text": one.text}
        line = json.dumps(told, ensure_ascii=False) + "\n"
        try:
            handle = os.open(self.path(one.incident), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(handle, line.encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            raise NotSent from error

    def forget(self, incident: uuid.UUID) -> None:
        """The file dies with its incident."""
        self.path(incident).unlink(missing_ok=True)


def short_key(key: str) -> str:
    """The key as it leaves: it must not tell whom or what the message is about."""
    return hashlib.sha256(b"muster-message|" + key.encode()).hexdigest()[:32]


def send_to_channel(kind: str, address: str, secret: str, one: Outgoing) -> bool:
    """Sends; True where the other side acknowledged it by itself. Raises NotSent."""
    if kind == ChannelKind.WEBHOOK:
        _post_signed(address, secret, one)
        return True
    _by_apprise(address, one)
    return False


def sign_webhook(secret: str, body: bytes) -> str:
    """HMAC-SHA-256 over the exact body, as the receiver recomputes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def _post_signed(address: str, secret: str, one: Outgoing) -> None:
    import httpx

    told = {"v": 1, "key": one.key, "at": one.at.isoformat(), "lang": one.language, "text": one.text}
    body = json.dumps(told, ensure_ascii=False, sort_keys=True).encode()
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": one.key,
        SIGNATURE_HEADER: sign_webhook(secret, body),
    }
    try:
        with httpx.Client(timeout=PATIENCE_SECONDS, follow_redirects=False) as client:
            answer = client.post(address, content=body, headers=headers)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotSent from error
    if not answer.is_success:
        raise NotSent(Fault.REFUSED)


def _by_apprise(address: str, one: Outgoing) -> None:
    import apprise

    service = apprise.Apprise.instantiate(_with_patience(address))
    if service is None:
        raise NotSent(Fault.REFUSED)
    try:
        is_sent = service.notify(body=one.text, title="", body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # a service of another house may raise anything; it is tried again
        raise NotSent from error
    if not is_sent:
        raise NotSent


def _with_patience(address: str) -> str:
    mark = "&" if "?" in address else "?"
    return f"{address}{mark}cto={PATIENCE_SECONDS:.0f}&rto={PATIENCE_SECONDS:.0f}"
