# SPDX-License-Identifier: Apache-2.0
"""Many forms with one phone in the same moment are one person; and what happens without the rule."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from django.db import close_old_connections, connection

from muster.base.ids import new_id
from muster.responders.checking_in import check_in
from muster.responders.homes import Home
from muster.responders.models import Responder, SecondCheckIn, Standing
from tests.support.world import NOON, World, make_world

SAID = {"name": "王小明", "phone": "13911112222", "birth_date": "1990"}
WAYS = 8


def at_once(act: Callable[[int], None]) -> list[BaseException]:
    """Does it so many times in the same moment, each on its own connection."""
    start, faults = threading.Barrier(WAYS), list[BaseException]()

    def go(number: int) -> None:
        try:
            start.wait(30)
            act(number)
        except BaseException as fault:
            faults.append(fault)
        finally:
            connection.close()

    threads = [threading.Thread(target=go, args=(number,)) for number in range(WAYS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    close_old_connections()
    return faults


def send(world: World, form: str) -> None:
    check_in(SAID, home=Home(), incident=world.incident.id, form=form, at=NOON)


def people() -> int:
    return Responder.objects.across(reason="own").count()


@pytest.mark.django_db(transaction=True)
def test_one_phone_in_one_moment_is_one_person() -> None:
    world = make_world(frozen=False, doors=1, people=1)

    faults = at_once(lambda _: send(world, str(new_id())))

    assert faults == []
    assert (people(), Standing.objects.across(reason="own").count()) == (1, 1)
    assert SecondCheckIn.objects.across(reason="own").count() <= WAYS - 1


@pytest.mark.django_db(transaction=True)
def test_one_form_in_one_moment_is_one_check_in() -> None:
    world, form = make_world(frozen=False, doors=1, people=1), str(new_id())

    faults = at_once(lambda _: send(world, form))

    assert faults == []
    assert people() == 1
    assert SecondCheckIn.objects.across(reason="own").count() == 0


@pytest.mark.django_db(transaction=True)
def test_looking_before_writing_would_make_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: each looks, finds nobody, and writes; the rule stands on the phone's index."""
    world = make_world(frozen=False, doors=1, people=1)
    monkeypatch.setattr("muster.responders.checking_in.phone_index", lambda _phone: None)
    looked = threading.Barrier(WAYS)

    def look_then_write(_: int) -> None:
        assert people() == 0
        looked.wait(30)
        send(world, str(new_id()))

    assert at_once(look_then_write) == []
    assert people() == WAYS
