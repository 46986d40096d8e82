# SPDX-License-Identifier: Apache-2.0
"""DeviceClient: a phone. It enrols, numbers and signs facts, keeps them until a verdict, sends and pulls.

The same steps as the field app, over the public API; used by the day player, by tests and by benchmarks.
"""

from __future__ import annotations

import base64
import random
import threading
import uuid
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import msgspec
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from muster.base.ids import new_id

BATCH_FACTS = 200
LONGEST_WAIT = 60.0


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _key_jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": _b64(numbers.x.to_bytes(32, "big")),
        "y": _b64(numbers.y.to_bytes(32, "big")),
    }


class EnrolRefused(RuntimeError):  # noqa: N818 -- says what happened
    """The house did not take the code."""


@dataclass
class DeviceClient:
    """A phone: its key, its number series, what it has not got a verdict for, what it knows of its grids."""

    web: str
    name: str
    http: httpx.Client
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    enrolment: dict[str, Any] = field(default_factory=dict)
    lease: str = ""
    seq: int = 0
    cursor: str = ""
    outbox: dict[str, dict[str, Any]] = field(default_factory=dict)
    receipted: set[str] = field(default_factory=set)
    verdicts: dict[str, tuple[str, str]] = field(default_factory=dict)
    online: bool = True
    wait_until: float = 0.0
    backoff: float = 1.0
    # Recording and exchanging may happen in two threads: the act must never wait for the network.
    _pen: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def enrol(self, code: str) -> None:
        """Raises EnrolRefused with the house's own words."""
        answer = self.http.post(
            f"{self.web}/api/v1/devices/enrol",
            json={"code": code, "public_key": _key_jwk(self.key), "name": self.name},
        )
        if answer.status_code != 200:
            raise EnrolRefused(answer.text[:300])
        self.enrolment = answer.json()
        self.lease = self.enrolment["lease"]

    @property
    def device(self) -> str:
        return str(self.enrolment["device"])

    @property
    def actor(self) -> str:
        return str(self.enrolment["actor"]["id"])

    @property
    def intake(self) -> str:
        return str(self.enrolment["intake"]).rstrip("/")

    def record(self, kind: str, subject: dict[str, Any], body: dict[str, Any], *, at: datetime) -> str:
        """Makes a fact at the moment of the act: id and number are fixed here, whatever the network does."""
        with self._pen:
            self.seq += 1
            fact_id = str(new_id())
            self.outbox[fact_id] = {
                "v": 1,
                "id": fact_id,
                "seq": self.seq,
                "kind": kind,
                "actor": self.actor,
                "occurred_at": at.isoformat(),
                "subject": subject,
                "body": body,
            }
        return fact_id

    def batch(self, facts: list[dict[str, Any]], *, at: datetime) -> bytes:
        return msgspec.json.encode(
            {"v": 1, "device": self.device, "batch": str(new_id()), "sent_at": at.isoformat(), "facts": facts}
        )

    def sign(self, body: bytes) -> str:
        """ES256 as WebCrypto gives it: r and s side by side."""
        r, s = decode_dss_signature(self.key.sign(body, ec.ECDSA(hashes.SHA256())))
        return "ES256=" + _b64(r.to_bytes(32, "big") + s.to_bytes(32, "big"))

    def send(self, *, at: datetime, clock: float, twice: bool = False) -> int:
        """Sends what has no receipt; answers how many facts were taken. Failure costs nothing but time.

        twice: the same bytes once more, as when the receipt was lost on the way.
        """
        with self._pen:
            unsent = [fact for fact_id, fact in self.outbox.items() if fact_id not in self.receipted][
                :BATCH_FACTS
            ]
        if not unsent or not self.online or clock < self.wait_until:
            return 0
        body = self.batch(unsent, at=at)
        headers = {
            "Authorization": f"Bearer {self.lease}",
            "Muster-Signature": self.sign(body),
            "Content-Type": "application/json",
        }
        for _ in range(2 if twice else 1):
            try:
                answer = self.http.post(f"{self.intake}/v1/batches", content=body, headers=headers)
            except httpx.HTTPError:
                self._step_back(clock)
                return 0
            if answer.status_code != 200:
                self._step_back(clock, answer.headers.get("Retry-After"))
                return 0
        self.backoff = 1.0
        with self._pen:
            self.receipted |= {fact["id"] for fact in unsent}
        return len(unsent)

    def _step_back(self, clock: float, retry_after: str | None = None) -> None:
        said = float(retry_after) if retry_after and retry_after.isdigit() else self.backoff
        self.wait_until = clock + said * random.uniform(0.8, 1.6)
        self.backoff = min(self.backoff * 2, LONGEST_WAIT)

    def pull(self) -> dict[str, Any] | None:
        """What changed in my grids; facts with a verdict leave the outbox. None: no answer now."""
        if not self.online:
            return None
        try:
            answer = self.http.get(
                f"{self.web}/sync/v1/pull",
                params={"since": self.cursor},
                headers={"Authorization": f"Bearer {self.lease}"},
            )
        except httpx.HTTPError:
            return None
        if answer.status_code != 200:
            return None
        told: dict[str, Any] = answer.json()
        self.cursor = told["cursor"]
        self.lease = told.get("lease", self.lease)
        with self._pen:
            for verdict in told["verdicts"]:
                self.verdicts[verdict["id"]] = (verdict["verdict"], verdict["code"])
                self.outbox.pop(verdict["id"], None)
                self.receipted.discard(verdict["id"])
                # A phone that lost its memory goes on after the last number that the house knows of it.
                self.seq = max(self.seq, verdict["seq"])
        return told

    def kept(self) -> dict[str, Any]:
        """What a phone keeps when it is switched off; it holds the private key."""
        with self._pen:
            return {
                "key": self.key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                ).decode(),
                "name": self.name,
                "enrolment": self.enrolment,
                "lease": self.lease,
                "seq": self.seq,
                "outbox": list(self.outbox.values()),
            }

    @classmethod
    def switched_on(cls, kept: dict[str, Any], *, web: str, http: httpx.Client) -> DeviceClient:
        """The same phone again. It forgets what it has pulled and what was receipted, and asks anew."""
        key = serialization.load_pem_private_key(kept["key"].encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        phone = cls(
            web,
            kept["name"],
            http,
            key=key,
            enrolment=kept["enrolment"],
            lease=kept["lease"],
            seq=kept["seq"],
        )
        phone.outbox = {fact["id"]: fact for fact in kept["outbox"]}
        return phone

    @property
    def counts(self) -> tuple[int, int, int]:
        """本机 on the phone only, 已上传 uploaded, 已回执 with a verdict."""
        return len(self.outbox) - len(self.receipted), len(self.receipted), len(self.verdicts)


def subject(sub_district: int, **named: uuid.UUID | str) -> dict[str, Any]:
    """subject(7, person=…): whom a fact is about."""
    ((kind, value),) = named.items()
    return {"sub_district": sub_district, kind: str(value)}
