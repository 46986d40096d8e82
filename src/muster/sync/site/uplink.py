# SPDX-License-Identifier: Apache-2.0
"""The line to the city: https to its name, at its number where the site's own Wi-Fi gives the name away.

An answer counts only with the city's signature: the login page of a hotel also says 200.
"""

from __future__ import annotations

import contextlib
import gzip
import ssl
from collections.abc import Iterable
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
import msgspec

from muster.base.crypto import SigningKey
from muster.base.crypto.signing import b64url
from muster.intake.journal import JournalRow
from muster.intake.receipts import Receipt, receipt_holds
from muster.sync.models import HomeCity
from muster.sync.site.calling import make_call
from muster.sync.site.telling import News, Word

PATIENCE = httpx.Timeout(60.0, connect=10.0)
GZIP_FROM = 1000
MOST_NEWS = 1 << 30


class Cut(Exception):  # noqa: N818 -- nothing is wrong here: there is no line
    """Nothing came back that counts. `wait`: how many seconds the city asked for."""

    def __init__(self, code: str, *, wait: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.wait = wait


class Refused(Exception):  # noqa: N818 -- says what happened
    """The city's door does not take this batch, by its own word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Line(Protocol):
    """What the forwarder needs of an uplink."""

    def send_batch(self, row: JournalRow) -> None:
        """Returns once the city's receipt for these bytes was read. Raises Cut, Refused."""

    def say(self, word: Word) -> None: ...

    def ask_news(self, cursor: dict[str, Any]) -> News: ...


class Uplink:
    """One connection pool to the city."""

    def __init__(
        self, home: HomeCity, *, key: SigningKey, city_keys: Iterable[dict[str, str]], now: Any,
        transport: httpx.BaseTransport | None = None,
    ) -> None:  # fmt: skip
        self._home, self._key, self._now = home, key, now
        self._city_keys = list(city_keys)
        trust = ssl.create_default_context(cadata=home.authority) if home.authority else True
        self._http = httpx.Client(timeout=PATIENCE, verify=trust, transport=transport, trust_env=False)

    def close(self) -> None:
        self._http.close()

    def send_batch(self, row: JournalRow) -> None:
        assert row.body is not None
        headers = {
            "Authorization": f"Bearer {row.lease}",
            "Muster-Signature": f"{row.alg}={b64url(row.signature)}" if row.alg else row.signature.decode(),
            "Content-Type": "application/json",
        }
        body = row.body
        if len(body) > GZIP_FROM:
            body, headers["Content-Encoding"] = gzip.compress(body, 6), "gzip"
        answer = self._ask("POST", self._home.intake, "/v1/batches", headers, body)
        if answer.status_code != 200:
            raise Refused(_code(answer))
        self._demand_receipt(answer, row)

    def _demand_receipt(self, answer: httpx.Response, row: JournalRow) -> None:
        try:
            receipt = msgspec.json.decode(answer.content, type=Receipt)
        except (msgspec.ValidationError, msgspec.DecodeError):
            raise Cut("not_the_city") from None
        if receipt.sha256 != row.sha256.hex() or receipt.device != row.device:
            raise Cut("not_the_city")
        if not any(receipt_holds(receipt, jwk) for jwk in self._city_keys):
            raise Cut("not_the_city")

    def say(self, word: Word) -> None:
        self._call("POST", "/sync/v1/site/word", msgspec.json.encode(word))

    def ask_news(self, cursor: dict[str, Any]) -> News:
        answer = self._call("POST", "/sync/v1/site/news", msgspec.json.encode({"cursor": cursor}))
        try:
            return msgspec.json.decode(answer.content, type=News)
        except (msgspec.ValidationError, msgspec.DecodeError):
            raise Cut("not_the_city") from None

    def _call(self, method: str, path: str, body: bytes) -> httpx.Response:
        headers = {
            "Authorization": make_call(self._key, city=self._home.id, at=self._now()),
            "Content-Type": "application/json",
        }
        answer = self._ask(method, self._home.web, path, headers, body)
        if answer.status_code != 200:
            raise Refused(_code(answer))
        return answer

    def _ask(
        self, method: str, origin: str, path: str, headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        url, more = self._where(origin)
        try:
            answer = self._http.request(
                method, url + path, headers={**headers, **more}, content=body,
                extensions={"sni_hostname": urlsplit(origin).hostname},
            )  # fmt: skip
        except httpx.HTTPError as error:
            raise Cut("line_cut" if not _is_tls(error) else "tls_untrusted") from error
        if answer.status_code in {429, 503} or answer.status_code >= 500:
            raise Cut("city_busy", wait=_asked_wait(answer))
        if answer.is_redirect:
            raise Cut("not_the_city")
        return answer

    def _where(self, origin: str) -> tuple[str, dict[str, str]]:
        """The address to dial: by name, or by the number given, still asking for the name."""
        parts = urlsplit(origin)
        if not self._home.address:
            return origin.rstrip("/"), {}
        number = f"[{self._home.address}]" if ":" in self._home.address else self._home.address
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{number}{port}{parts.path.rstrip('/')}", {"Host": parts.netloc}


def _is_tls(error: BaseException) -> bool:
    return "CERTIFICATE_VERIFY" in str(error) or "certificate" in str(error).lower()


def _code(answer: httpx.Response) -> str:
    with contextlib.suppress(ValueError, AttributeError):
        code = answer.json().get("code")
        if isinstance(code, str):
            return code[:40]
    raise Cut("not_the_city")


def _asked_wait(answer: httpx.Response) -> float:
    said = answer.headers.get("Retry-After", "")
    return min(float(said), 3600.0) if said.isascii() and said.isdigit() and len(said) < 6 else 0.0
