# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent: an answer with a code and words in both languages, never a stack trace.

Requests are drawn from the OpenAPI document with a fixed seed, fitting and unfitting ones for each operation.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import schemathesis
import time_machine
from django.db import transaction
from django.http import HttpResponseBase
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode

from muster.base.ids import new_id
from muster.base.messages import messages
from tests.support.town import AT, Place, Town, asks, make_town
from tools.openapi import described

pytestmark = pytest.mark.django_db
SCHEMA = schemathesis.openapi.from_dict(described())
OPERATIONS = [operation.ok() for operation in SCHEMA.get_all_operations()]
# Path parameters of which the town has none: what they name is unknown, whatever is asked of it.
UNKNOWN = (
    "grant", "channel", "unit", "deployment", "offer", "match", "order", "help", "site", "team", "series",
    "trip", "asked",
)  # fmt: skip
INTS = [
    "-1",
    "0",
    "2147483648",
    str(2**63),
    str(2**64),
    "9" * 60,
    "²",
    "1e3",
    "0x1",
    "1.5",
    "null",
    "%00",
    " ",
]
UUIDS = ["0" * 32, "00000000-0000-0000-0000-000000000000", "x", "1", "%00", "..", "ffffffff" * 8, "{}"]
TEXTS = [
    "",
    " ",
    "\0",
    "'",
    '"',
    "%",
    "_",
    "\\",
    "演" * 500,
    "\ud83d",
    "a" * 100_000,
    "<script>",
    "../../etc/passwd",
]
BODIES = [
    b"",
    b"null",
    b"[]",
    b"{",
    b"\xff\xfe",
    b'"x"',
    b"[" * 5000,
    b'{"a":' * 2000,
    b"NaN",
    b'{"facts": [{}]}',
    b'{"name": "\\u0000", "type": "head"}',
    b'{"area": 1e400}',
]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town(doors=1)


def send(
    method: str, path: str, headers: dict[str, str], body: bytes = b"", kind: str = "application/json"
) -> Any:
    """Sends and takes back what it did."""
    client = Client(raise_request_exception=False)
    with transaction.atomic():
        answer = client.generic(method, path, body, content_type=kind, headers=headers)
        transaction.set_rollback(True)
    return answer


def fault_of(answer: HttpResponseBase) -> str | None:
    """Why this is no proper answer; None where it is one."""
    if answer.status_code < 400:
        return None
    if answer.status_code >= 500:
        return f"status {answer.status_code}"
    if not answer.get("Content-Type", "").startswith("application/problem+json"):
        return f"{answer.status_code} is {answer.get('Content-Type')}"
    told = answer.json()  # type: ignore[attr-defined]
    if (
        told["code"] not in messages()
        or told["title"] == told["code"]
        or told["status"] != answer.status_code
    ):
        return f"{told}"
    return None


def ids_of(place: Place) -> dict[str, Any]:
    """Path parameters that exist."""
    return {
        "area_id": place.area.id,
        "grid_id": place.grid.id,
        "pair_id": place.pair,
        "request_id": new_id(),
        "item_id": new_id(),
        "round_id": place.round.id,
        "post_id": place.post.id,
        "building_id": place.building.id,
        "dwelling_id": place.dwelling.id,
        "person_id": place.person.id,
        "device_id": place.device.id,
        "fact_id": place.held,
        "plan_id": place.plan,
        "batch": place.batch,
        **{f"{name}_id": new_id() for name in UNKNOWN},
        **{name: new_id() for name in ("responder", "second", "back", "place")},
        "code": "ABCD-EFGH",
        "name": "0" * 64,
        "key": "town",
        "kind": "persons",
        "form": "csv",
        "step": "close",
    }


@pytest.mark.parametrize(
    "mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["fitting", "unfitting"]
)
def test_drawn_requests_are_answered(town: Town, mode: GenerationMode) -> None:
    headers, known = town.caller("street"), ids_of(town.here)
    faults: list[str] = []

    for operation in OPERATIONS:

        @settings(
            max_examples=4, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def ask(case: Any) -> None:
            path = case.path
            for name, value in case.path_parameters.items():
                chosen = known.get(name, value) if mode == GenerationMode.POSITIVE else value
                path = path.replace(f"{{{name}}}", quote(str(chosen), safe=""))
            if case.query:
                path += "?" + urlencode(case.query, doseq=True)
            body = case.body if isinstance(case.body, bytes) else json.dumps(case.body, default=str).encode()
            fault = fault_of(send(case.method, path, headers, b"" if "NotSet" in repr(case.body) else body))
            if fault:
                faults.append(f"{case.method} {path[:120]} {body[:200]!r}: {fault}")

        # An operation that takes nothing has no request that does not fit.
        with contextlib.suppress(Unsatisfiable):
            ask()

    assert not faults, "\n".join(faults[:20])


def placed(path: str, values: dict[str, str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda m: quote(values[m[1]], safe="%"), path)


def test_hostile_ids_in_paths_are_answered(town: Town) -> None:
    headers, known = town.caller("street"), {k: str(v) for k, v in ids_of(town.here).items()}
    faults: list[str] = []
    for operation in OPERATIONS:
        names = re.findall(r"\{(\w+)\}", operation.path)
        for name in names:
            wrong = INTS if known[name].isdigit() else UUIDS if len(known[name]) > 30 else TEXTS[1:8]
            for value in wrong:
                path = placed(operation.path, {**known, name: value})
                fault = fault_of(send(operation.method.upper(), path, headers, b"{}"))
                if fault:
                    faults.append(f"{operation.method} {path[:100]}: {fault}")

    assert not faults, "\n".join(faults[:20])


def hostile(schema: str) -> list[str]:
    if "integer" in schema:
        return INTS
    return UUIDS if "uuid" in schema else TEXTS[:-2]


def test_hostile_queries_are_answered(town: Town) -> None:
    headers = town.caller("street")
    faults: list[str] = []
    for operation in OPERATIONS:
        if operation.method != "get":
            continue
        ask = asks(town.here)[operation.definition.raw["operationId"]]
        for parameter in operation.definition.raw.get("parameters", []):
            if parameter["in"] != "query":
                continue
            for value in hostile(json.dumps(parameter["schema"])):
                query = quote(value.encode("utf-8", "surrogatepass"), safe="%")
                path = f"{ask.path.partition('?')[0]}?{parameter['name']}={query}"
                fault = fault_of(send("GET", path, headers))
                if fault:
                    faults.append(f"{path[:100]}: {fault}")

    assert not faults, "\n".join(faults[:20])


def test_hostile_bodies_are_answered(town: Town) -> None:
    headers = town.caller("street")
    faults = [
        f"{name} {body[:40]!r}: {fault}"
        for name, ask in asks(town.here).items()
        if ask.method in {"POST", "PUT"}
        for body in BODIES
        if (fault := fault_of(send(ask.method, ask.path, headers, body)))
    ]

    assert not faults, "\n".join(faults[:20])


@pytest.mark.parametrize("path", ["/api/v1/nowhere", "/sync/v1/nowhere", "/api/v1/rounds/x/y/z"])
def test_an_address_that_is_not_there_is_a_problem_too(town: Town, path: str) -> None:
    assert fault_of(send("GET", path, town.caller("desk"))) is None


def test_a_fault_of_ours_says_so_and_tells_nothing_else(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one 500 of this file: the words are ours, and nothing of the inside is shown."""
    from muster.api import situation

    def broken(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(situation, "inbox_items", broken)
    logging.disable(logging.CRITICAL)
    answer = send("GET", "/api/v1/inbox", town.caller("desk"))

    assert (answer.status_code, answer.json()["code"]) == (500, "house_fault")
    assert b"secret" not in answer.content
    assert fault_of(answer) == "status 500"
