# SPDX-License-Identifier: Apache-2.0
"""The permission cube: every operation × every role × own, other, none, against the one policy table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.http import HttpResponseBase

from muster.accounts import policy
from muster.accounts.models import Grant, Token, User
from muster.accounts.queries import digest
from muster.accounts.services import make_token
from muster.api.site import api, sync_api
from muster.base.errors import Refusal
from tests.support.town import AT, ROLES, Ask, Town, asks, bearer, make_town
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
DENIED = {403, 404}
# What answers without a caller: signing in, enrolling, what a page must know before anybody signs in.
OPEN = {
    "session_read",
    "session_sign_in",
    "session_sign_out",
    "session_demo",
    "devices_enrol",
    "packs_current",
    "facts_schemas",
    "drill_read",
    "drill_control",
}
PHONES = {
    "sync_pull",
    "sync_carried",
    "site_word",
    "site_news",
    "driving_list",
    "driving_hop",
    "duty_read",
    "duty_accept",
    "duty_calendar",
    "duty_here",
    "duty_leaving",
    "phone_messages",
    "phone_messages_read",
    *(f"jobs_{act}" for act in ("list", "accept", "decline", "arrive", "finish", "release", "picture")),
    "jobs_holder",
}


def operations() -> Iterator[tuple[str, Callable[..., Any]]]:
    """(operation id, view function) of every endpoint."""
    for one in (api, sync_api):
        for _, router in one._routers:
            for view in router.path_operations.values():
                for operation in view.operations:
                    yield str(operation.operation_id), operation.view_func


def policy_names() -> dict[str, str]:
    return {name: getattr(view, "operation", "") for name, view in operations()}


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town()


def ask_and_undo(ask: Ask, headers: dict[str, str]) -> HttpResponseBase:
    """Sends a request and takes back what it did, so that the next one finds the same town."""
    with transaction.atomic():
        answer = ask.send(headers)
        transaction.set_rollback(True)
    return answer


def code_of(answer: HttpResponseBase) -> str:
    return str(answer.json().get("code", "")) if "json" in answer.get("Content-Type", "") else ""  # type: ignore[attr-defined]


def test_every_endpoint_has_an_operation_with_a_row() -> None:
    named = policy_names()

    assert {name: said for name, said in named.items() if said not in policy.table()} == {}
    assert set(policy.table()) == set(named.values())


def test_every_endpoint_is_asked_here(town: Town) -> None:
    assert set(asks(town.here)) == set(policy_names())


def test_what_has_no_row_is_refused() -> None:
    with pytest.raises(Refusal) as refusal:
        policy.row_for("anything.else", {"command", "operator", "desk"})

    assert refusal.value.code == "not_allowed"


def test_nobody_is_answered_without_signing_in(town: Town) -> None:
    answers = {
        name: asks(town.here)[name].send({"Accept-Language": "en"}) for name in set(policy_names()) - OPEN
    }

    told = {name: (answer.status_code, code_of(answer)) for name, answer in answers.items()}
    assert told == dict.fromkeys(told, (401, "not_signed_in"))


def test_what_is_open_to_everybody_is_answered(town: Town) -> None:
    """Negative control: these few do not ask who calls (what they refuse, they refuse for another reason)."""
    answers = {name: asks(town.here)[name].send({"Accept-Language": "en"}) for name in OPEN}

    assert {name for name, answer in answers.items() if code_of(answer) == "not_signed_in"} == set()


@pytest.mark.parametrize("role", [None, *ROLES])
def test_each_role_may_what_the_table_says_and_no_more(town: Town, role: str | None) -> None:
    headers = town.caller(role)
    own, other = asks(town.here), asks(town.there)
    wrong: list[str] = []
    for name, said in policy_names().items():
        if name in OPEN | PHONES:
            continue
        row = next((r for r in policy.table()[said] if "*" in r.roles or role in r.roles), None)
        mine, theirs = ask_and_undo(own[name], headers), ask_and_undo(other[name], headers)
        answers = f"{name} as {role}: own {mine.status_code} {code_of(mine)}, other {theirs.status_code}"
        if row is None:
            right = {mine.status_code, theirs.status_code} <= DENIED
        else:
            right = mine.status_code < 500 and mine.status_code not in {401, 403, 404}
            if row.relation == "own" and not own[name].lists:
                right = right and theirs.status_code == 404
            else:
                right = right and theirs.status_code < 500
        if not right:
            wrong.append(answers)

    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("role", ROLES)
def test_no_list_shows_what_lies_elsewhere(town: Town, role: str) -> None:
    headers = town.caller(role)
    leaks: list[str] = []
    for name, ask in {**asks(town.here), **asks(town.there)}.items():
        if not ask.lists or name in OPEN or ask.method != "GET":
            continue
        for place in (town.here, town.there):
            answer = ask_and_undo(asks(place)[name], headers)
            text = b"".join(answer) if answer.streaming else answer.content  # type: ignore[attr-defined]
            leaks += [f"{name}: {mark}" for mark in town.there.marks if mark.encode() in text]

    assert not leaks, "\n".join(leaks)


def test_a_list_does_show_what_lies_here(town: Town) -> None:
    """Negative control of the leak test: the marks it looks for do appear where they may."""
    headers = town.caller("desk")
    shown = {
        mark
        for ask in asks(town.here).values()
        if ask.lists and ask.method == "GET"
        for mark in town.here.marks
        if mark.encode() in ask_and_undo(ask, headers).content  # type: ignore[attr-defined]
    }

    assert {str(town.here.person.id), str(town.here.device.id), str(town.here.held)} <= shown


@pytest.mark.parametrize(
    "grant",
    [
        {"until": AT - timedelta(seconds=1)},
        {"until": AT},
        {"at": AT + timedelta(seconds=1)},
    ],
    ids=["ended", "ends now", "not yet"],
)
def test_a_grant_counts_only_in_its_time(town: Town, grant: dict[str, Any]) -> None:
    answer = asks(town.here)["register_persons"].send(town.caller("desk", **grant))

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")


def test_a_grant_in_its_time_counts(town: Town) -> None:
    """Negative control."""
    headers = town.caller("desk", until=AT + timedelta(seconds=1))

    assert asks(town.here)["register_persons"].send(headers).status_code == 200


@pytest.mark.parametrize("what", ["ended", "revoked", "inactive", "altered"])
def test_a_token_that_does_not_stand_is_nobody(town: Town, what: str) -> None:
    headers = town.caller("desk")
    if what == "ended":
        Token.objects.update(expires_at=AT)
    elif what == "revoked":
        Token.objects.update(revoked_at=NOON)
    elif what == "inactive":
        User.objects.update(is_active=False)
    else:
        headers["Authorization"] += "x"

    assert asks(town.here)["register_persons"].send(headers).status_code == 401


def test_a_token_is_kept_only_as_a_hash(town: Town) -> None:
    user = User.objects.get(username="head")
    secret = make_token(user, name="x", at=NOON)

    kept = Token.objects.get(digest=digest(secret))
    assert secret.encode() not in b"".join(
        bytes(v) if isinstance(v, bytes) else str(v).encode() for v in vars(kept).values()
    )


def test_the_head_of_the_next_grid_does_not_read_mine(town: Town) -> None:
    """Two grids of one community: living next door is not enough."""
    user = User.objects.get(username="worker1")
    Grant.objects.create(user=user, role="grid_head", grid=town.world.grids[1].id, valid_from=NOON)

    about = ("grids_read", "register_person", "rounds_missing", "rounds_certify", "register_dwelling")
    headers = bearer(user)
    answers = {name: asks(town.here)[name].send(headers).status_code for name in about}

    assert answers == dict.fromkeys(answers, 404)
