# SPDX-License-Identifier: Apache-2.0
"""A phone in Python: numbers, receipts, patience, and being switched off and on."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
import pytest

from muster.drill.device import DeviceClient, EnrolRefused

NOON = datetime(2022, 9, 2, 4, 0, tzinfo=UTC)
Answer = Callable[[httpx.Request], httpx.Response]


def phone(answer: Answer) -> DeviceClient:
    client = DeviceClient("http://web", "phone", httpx.Client(transport=httpx.MockTransport(answer)))
    client.enrolment = {"device": "d", "actor": {"id": "a"}, "intake": "http://intake"}
    return client


def record(client: DeviceClient, count: int = 1) -> list[str]:
    return [client.record("note.written", {"sub_district": 1}, {"text": "x"}, at=NOON) for _ in range(count)]


def test_send_keeps_facts_until_a_verdict_comes():
    def house(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/batches":
            return httpx.Response(200, json={})
        verdicts = [{"id": i, "seq": 1, "verdict": "APPLIED", "code": ""} for i in ids]
        return httpx.Response(200, json={"cursor": "c", "verdicts": verdicts})

    client = phone(house)
    ids = record(client, 3)

    assert client.counts == (3, 0, 0)
    assert client.send(at=NOON, clock=0) == 3
    assert client.counts == (0, 3, 0)
    client.pull()
    assert client.counts == (0, 0, 3)


def test_send_twice_is_the_same_bytes():
    seen: list[bytes] = []

    def intake(request: httpx.Request) -> httpx.Response:
        seen.append(request.content)
        return httpx.Response(200, json={})

    client = phone(intake)
    record(client)
    client.send(at=NOON, clock=0, twice=True)

    assert len(seen) == 2
    assert seen[0] == seen[1]


@pytest.mark.parametrize("status", [500, 503])
def test_send_steps_back_when_the_house_is_full(status):
    asked = []

    def full(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(status, headers={"Retry-After": "10"})

    client = phone(full)
    record(client)

    assert client.send(at=NOON, clock=0) == 0
    assert client.send(at=NOON, clock=5) == 0
    assert len(asked) == 1
    client.send(at=NOON, clock=100)
    assert len(asked) == 2
    assert client.counts == (1, 0, 0)


def test_offline_phone_asks_nothing():
    def unreachable(request: httpx.Request) -> httpx.Response:
        raise AssertionError("no network")

    client = phone(unreachable)
    client.online = False
    record(client)

    assert client.send(at=NOON, clock=0) == 0
    assert client.pull() is None


def test_broken_network_costs_nothing_but_time():
    def broken(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no route")

    client = phone(broken)
    record(client)

    assert client.send(at=NOON, clock=0) == 0
    assert client.pull() is None
    assert client.counts == (1, 0, 0)


def test_switched_on_again_goes_on_with_its_numbers_and_facts():
    client = phone(lambda _: httpx.Response(200, json={}))
    ids = record(client, 2)
    client.send(at=NOON, clock=0)

    again = DeviceClient.switched_on(
        msgspec.json.decode(msgspec.json.encode(client.kept())), web="http://web", http=client.http
    )
    (third,) = record(again)

    assert list(again.outbox) == [*ids, third]
    assert again.outbox[third]["seq"] == 3
    assert again.counts == (3, 0, 0), "without its memory of receipts it sends everything once more"
    message = b"the same key"
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    client.key.public_key().verify(
        again.key.sign(message, ec.ECDSA(hashes.SHA256())), message, ec.ECDSA(hashes.SHA256())
    )


def test_pull_tells_a_forgetful_phone_its_last_number():
    body: dict[str, Any] = {
        "cursor": "c",
        "verdicts": [{"id": "x", "seq": 41, "verdict": "APPLIED", "code": ""}],
    }
    client = phone(lambda _: httpx.Response(200, json=body))

    client.pull()
    (fact,) = record(client)

    assert client.outbox[fact]["seq"] == 42


def test_enrol_refused_says_why():
    client = phone(lambda _: httpx.Response(422, json={"code": "code_used"}))

    with pytest.raises(EnrolRefused, match="code_used"):
        client.enrol("ABCD-EFGH")
