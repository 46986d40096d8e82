# SPDX-License-Identifier: Apache-2.0
"""Phones as the desk sees them: last heard, what they still hold, taken back and told to forget, renewed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from muster.accounts.models import Device, Lease
from tests.support.town import AT, Town, lease_of, make_town

pytestmark = pytest.mark.django_db


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town()


def listed(town: Town) -> dict[str, Any]:
    (one,) = Client(headers=town.caller("street")).get("/api/v1/devices").json()["items"]
    return dict(one)


def pull(town: Town, phone: dict[str, str], told: str | None) -> Any:
    more = {} if told is None else {"Muster-Seq": told}
    return Client(headers={**phone, **more}).get("/sync/v1/pull")


def test_list_says_what_a_phone_still_holds_by_its_own_word(town: Town) -> None:
    phone = lease_of(town, town.here)
    assert listed(town)["unsent_estimate"] == 0

    with time_machine.travel(AT + timedelta(hours=1), tick=False):
        assert pull(town, phone, "7").status_code == 200

    told = listed(town)
    assert told["unsent_estimate"] == 7
    assert told["last_contact_at"].startswith((AT + timedelta(hours=1)).strftime("%Y-%m-%dT%H"))

    # What has arrived is no longer on the phone.
    Device.objects.filter(id=told["id"]).update(last_seq=5, facts_seen=5)
    assert listed(town)["unsent_estimate"] == 2


@pytest.mark.parametrize("told", [None, "", "-3", "1e9", "９", "9" * 40, "7; DROP"])
def test_nonsense_about_numbers_is_passed_over(town: Town, told: str | None) -> None:
    assert pull(town, lease_of(town, town.here), told).status_code == 200
    assert listed(town)["unsent_estimate"] == 0


def test_phone_taken_back_is_told_to_forget_and_the_list_says_since_when(town: Town) -> None:
    phone = lease_of(town, town.here)
    device = listed(town)["id"]
    street = Client(headers=town.caller("street"))
    assert street.post(f"/api/v1/devices/{device}/revoke", content_type="application/json").status_code == 200
    assert listed(town)["wiped_at"] is None

    answer = pull(town, phone, "3")

    assert (answer.status_code, answer.json()["code"]) == (410, "lease_revoked")
    told = listed(town)
    assert told["wiped_at"] is not None
    assert told["unsent_estimate"] == 3


def test_lease_that_runs_out_soon_is_renewed_by_a_pull_and_a_spent_one_is_not(town: Town) -> None:
    phone = lease_of(town, town.here)
    first = Lease.objects.latest("issued_at")
    assert "lease" not in pull(town, phone, None).json()

    with time_machine.travel(first.expires_at - timedelta(hours=2), tick=False):
        renewed = pull(town, phone, None).json()
        assert renewed["lease_until"] > first.expires_at.isoformat()[:19]
        assert pull(town, {"Authorization": f"Bearer {renewed['lease']}"}, None).status_code == 200

    with time_machine.travel(first.expires_at + timedelta(minutes=1), tick=False):
        answer = pull(town, phone, None)
        assert (answer.status_code, answer.json()["code"]) == (410, "lease_expired")
    assert listed(town)["wiped_at"] is None
