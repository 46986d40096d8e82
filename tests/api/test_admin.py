# SPDX-License-Identifier: Apache-2.0
"""The admin shows control tables only, and changes nothing."""

import pytest
from django.contrib import admin
from django.test import Client

from muster.accounts.services import add_user
from muster.storage.admin import LookOnly
from tests.support.world import make_world

OURS = {"accounts", "incidents", "places", "campaigns", "register", "trail", "sync"}


def test_no_person_fact_or_door_is_registered() -> None:
    shown = {m.__name__ for m in admin.site._registry if m._meta.app_label in OURS}

    assert not shown & {
        "Person",
        "Household",
        "Need",
        "Dwelling",
        "Fact",
        "LedgerEntry",
        "DoorEntry",
        "Disclosure",
    }
    assert all(isinstance(a, LookOnly) for m, a in admin.site._registry.items() if m._meta.app_label in OURS)


@pytest.mark.django_db
def test_lists_open_for_an_operator_and_offer_no_change() -> None:
    make_world(doors=1, people=1)
    operator = add_user(username="operator", name="系统管理员")
    type(operator).objects.filter(id=operator.id).update(is_staff=True, is_superuser=True)
    operator.refresh_from_db()
    client = Client()
    client.force_login(operator)

    pages = {
        path: client.get(f"/admin/{path}/").status_code
        for path in ("places/grid", "accounts/user", "campaigns/round")
    }
    added = client.post("/admin/incidents/incident/add/", {"name": "x"}).status_code

    assert set(pages.values()) == {200}
    assert added == 403
