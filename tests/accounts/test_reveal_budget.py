# SPDX-License-Identifier: Apache-2.0
"""Full numbers are seen one by one, each with its reason, and not without end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
import time_machine
from django.http import HttpResponseBase

from muster.accounts import policy
from muster.accounts.models import User
from muster.accounts.services import add_user, grant_role
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.register.models import Person
from muster.trail import reveals
from muster.trail.models import Disclosure, Event
from muster.trail.reveals import record_reveal
from tests.support.town import AT, Town, asks, bearer, make_town

pytestmark = pytest.mark.django_db
MOST = 3


@pytest.fixture(autouse=True)
def small_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(policy.reveal_budget(), others=MOST, roles={"desk": MOST, "street": MOST + 1})
    monkeypatch.setattr(reveals, "reveal_budget", lambda: small)


@pytest.fixture
def looker(db: None) -> User:
    return add_user(username="looker", name="社区一")


def look(
    who: User,
    *,
    field: str = "phone",
    purpose: str = "call",
    role: str = "desk",
    at: datetime = AT,
    subject=None,
) -> bool:
    """Whether the field may be seen."""
    try:
        record_reveal(
            subject or new_id(), field=field, actor=who.id, role=role, operation="register.reveal",
            purpose=purpose, at=at,
        )  # fmt: skip
    except Refusal as refusal:
        if refusal.code != "reveal_budget_spent":
            raise
        return False
    return True


def alarms() -> list[tuple[str, str]]:
    return list(Event.objects.filter(verb="reveal_over_budget").values_list("entity_id", "reason"))


def test_beyond_the_budget_nothing_is_shown_and_an_alarm_is_kept(looker: User) -> None:
    seen = [look(looker) for _ in range(MOST + 2)]

    assert seen == [True] * MOST + [False] * 2
    assert Disclosure.objects.count() == MOST  # what was not shown was not seen
    assert alarms() == [(str(looker.id), "refused")]  # one for an hour of trying


def test_without_the_budget_all_of_them_would_be_shown(looker: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control."""
    monkeypatch.setattr(reveals, "_is_over", lambda *_: False)

    assert all(look(looker) for _ in range(MOST + 2))
    assert alarms() == []


def test_names_and_notes_and_masked_lists_do_not_count(looker: User) -> None:
    for _ in range(MOST * 2):
        assert look(looker, field="name")
    reveals.record_disclosures(
        [new_id()] * 9, actor=looker.id, role="desk", operation="register.list", fields="phone", at=AT
    )

    assert look(looker)


def test_the_same_number_again_counts_once_and_is_kept_each_time(looker: User) -> None:
    somebody = new_id()
    assert all(look(looker, subject=somebody) for _ in range(MOST * 2))
    assert Disclosure.objects.filter(subject=somebody).count() == MOST * 2

    assert look(looker, subject=somebody, field="id_number")
    assert look(looker)
    assert not look(looker)
    assert look(looker, subject=somebody)  # known already


def test_a_day_later_there_is_a_budget_again(looker: User) -> None:
    for _ in range(MOST):
        look(looker)

    assert not look(looker, at=AT + timedelta(hours=23, minutes=59))
    assert look(looker, at=AT + timedelta(hours=24))


def test_an_emergency_is_never_refused_and_always_told(looker: User) -> None:
    for _ in range(MOST):
        look(looker)

    assert look(looker, purpose="emergency")
    assert alarms() == [(str(looker.id), "allowed")]


def test_budgets_are_each_persons_own_and_by_role(looker: User) -> None:
    other = add_user(username="other", name="街道一")
    for _ in range(MOST):
        look(looker)

    assert not look(looker)
    assert [look(other, role="street") for _ in range(MOST + 2)] == [True] * (MOST + 1) + [False]
    assert not look(looker, role="unheard-of")


def test_budgets_that_ship_name_known_roles_and_are_no_walls() -> None:
    shipped = policy.reveal_budget()

    assert set(shipped.roles) <= set(policy.roles())
    assert "emergency" in shipped.never_refused_for
    revealing = [name for name in policy.table() if name.endswith(".reveal")]
    assert {role for name in revealing for row in policy.table()[name] for role in row.roles} <= set(
        shipped.roles
    )
    assert min(shipped.roles.values()) >= 40


# ---- through the doors of the API ----


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town(doors=5)


def desk_of(town: Town) -> dict[str, str]:
    desk = add_user(username="budget-desk", name="社区一")
    street = town.here.street
    grant_role(desk, role="desk", at=AT, area=street.id, area_path=street.path)
    return bearer(desk)


def neighbours(town: Town) -> list[Person]:
    mine = [p for p in town.world.persons if p.sub_district == town.here.street.id]
    return [p for p in mine if p.id != town.here.person.id]


def person_phone(town: Town, caller: dict[str, str], place: int, **body: str) -> HttpResponseBase:
    ask = asks(town.here)["register_reveal"]
    path = f"/api/v1/register/persons/{neighbours(town)[place].id}/reveal"
    return replace(ask, path=path, body={"field": "phone", "purpose": "call", **body}).send(caller)


def test_desk_that_asks_too_often_is_told_so_in_its_language(town: Town) -> None:
    caller = desk_of(town)

    answers = [person_phone(town, caller, place) for place in range(MOST + 1)]
    urgent = person_phone(town, caller, MOST, purpose="emergency")

    assert [answer.status_code for answer in answers] == [200] * MOST + [429]
    told = answers[-1].json()  # type: ignore[attr-defined]
    assert told["code"] == "reveal_budget_spent"
    assert str(MOST) in told["title"]
    assert "emergency" in told["cure"]
    assert "phone" not in str(told.get("facts"))
    assert urgent.status_code == 200
    assert sorted(reason for _, reason in alarms()) == ["allowed", "refused"]


@pytest.mark.parametrize("name", [n for n in policy.table() if n.endswith(".reveal")])
def test_every_operation_that_reveals_keeps_to_the_budget(town: Town, name: str) -> None:
    """A door that somebody adds and that forgets the budget is found here."""
    caller = desk_of(town)
    for place in range(MOST):
        assert person_phone(town, caller, place).status_code == 200

    assert asks(town.here)[name.replace(".", "_")].send(caller).status_code == 429
