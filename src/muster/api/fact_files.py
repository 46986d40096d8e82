# SPDX-License-Identifier: Apache-2.0
"""Facts by file: what a phone without a network gave to somebody else is handed in, at a desk or by phone."""

from __future__ import annotations

import os
import uuid
from typing import Any

import httpx
from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema

from muster.api.auth import AUTH, allow, operation
from muster.api.devices import lease_of
from muster.base.clock import now
from muster.base.errors import Refusal
from muster.sync.pull import demand_lease
from muster.sync.site.carrying import Post, hand_in, read_carried, told_by_phone, verdicts_of
from muster.trail.services import record_event

router = Router(tags=["devices"])
sync_router = Router(tags=["sync"])
MOST_PHONES = 50
MOST_FACTS = 20_000


@router.post("/fact-files", auth=AUTH, operation_id="facts_carry")
@operation("facts.carry")
def carry(request: HttpRequest) -> dict[str, Any]:
    """A sealed file from a phone, brought to a desk; answers by phone what the door said."""
    who, _ = allow(request, "facts.carry")
    told = _hand_in(request)
    facts = sum(len(one["facts"]) for one in told)
    record_event("FactFile", uuid.uuid4(), "hand_in", at=who.at, actor=who.user.id, facts_in=facts)
    return {"phones": told}


@sync_router.post("/carried", auth=None, operation_id="sync_carried")
@operation("session.read")
def carry_by_phone(request: HttpRequest) -> dict[str, Any]:
    """The same, carried by another phone; its own lease says that it may come to this door."""
    if not request.headers.get("Authorization"):
        raise Refusal("not_signed_in")
    lease, at = lease_of(request), now()
    demand_lease(lease, at=at)
    told = _hand_in(request)
    return {"phones": [{key: one[key] for key in ("device", "batches", "refused")} for one in told]}


def _hand_in(request: HttpRequest) -> list[dict[str, Any]]:
    content = read_carried(request.body)
    with _own_door() as post:
        return told_by_phone(hand_in(content, post))


class _own_door:  # noqa: N801 -- reads as what it is: `with _own_door() as post`
    """Our own front door, on this machine."""

    def __enter__(self) -> Post:
        environment = settings.ENVIRONMENT
        number = os.environ.get("MUSTER_BIND", "127.0.0.1")
        number = "127.0.0.1" if number == "0.0.0.0" else number  # noqa: S104
        self._url = f"{environment.scheme}://{number}:{environment.intake_port}/v1/batches"
        # It does not leave this machine; the certificate is for another name than this number.
        self._http = httpx.Client(verify=False, timeout=30, trust_env=False)  # noqa: S501
        return self._post

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def _post(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        try:
            return self._http.post(self._url, content=body, headers=headers)
        except httpx.HTTPError:
            raise Refusal("door_away") from None


class PhoneFacts(Schema):
    device: uuid.UUID
    facts: list[uuid.UUID]


class Asked(Schema):
    phones: list[PhoneFacts]


@router.post("/fact-files/verdicts", auth=AUTH, operation_id="facts_carried_verdicts")
@operation("facts.carry")
def carried_verdicts(request: HttpRequest, body: Asked) -> dict[str, Any]:
    """How many of the facts of a file have which verdict by now."""
    allow(request, "facts.carry")
    asked = body.phones[:MOST_PHONES]
    return {
        "phones": [{"device": p.device, "verdicts": verdicts_of(p.device, p.facts[:20_000])} for p in asked]
    }
