# SPDX-License-Identifier: Apache-2.0
"""Sunset: what dies, what stays, and a record that can be checked."""

from datetime import timedelta

import pytest
from django.apps import apps

from muster.base.crypto import KeyDestroyed
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry, RoundGrid
from muster.flows.sunset import check_destruction, count_rows, destroy_incident_data, overlay_rows
from muster.register.import_models import ImportChunk, ImportRow
from muster.register.models import Person
from muster.requests import steps, work
from muster.requests.models import Request
from muster.requests.queries import items_of
from muster.requests.work import Asking
from muster.responders.models import Responder
from muster.storage.sealed import Sealed, SealedField
from muster.trail.models import Fact
from tests.support.serving import ask, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
ENDED = NOON + timedelta(days=31)
WHO = {"officers": ["甲", "乙"], "authority": "drill order 1", "witness": "丙", "by": new_id()}


@pytest.fixture
def world() -> World:
    world = make_world(doors=2, people=1)
    world.record(
        world.outcome(world.persons[0], "done", note="只有本次"),
        world.fact("person.found", world.dwellings[0].id, "dwelling", person=str(new_id()), name="演新"),
    )
    return world


def test_incident_in_force_is_not_destroyed(world: World) -> None:
    with pytest.raises(Refusal) as refusal:
        destroy_incident_data(world.incident, **WHO, at=NOON)

    assert refusal.value.code == "incident_in_force"
    assert Fact.objects.count() == 2


def test_one_officer_is_not_enough(world: World) -> None:
    with pytest.raises(Refusal) as refusal:
        destroy_incident_data(world.incident, **{**WHO, "officers": ["甲", "甲 "]}, at=ENDED)

    assert refusal.value.code == "sunset_two_officers"


def test_personal_rows_and_keys_die_and_counts_and_the_register_stay(world: World) -> None:
    body = Sealed(bytes(Fact.objects.values_list("body", flat=True).first()))
    kept = Fact.objects.first()

    document = destroy_incident_data(world.incident, **WHO, at=ENDED)

    assert not any(count_rows(world.incident.id).values())
    assert LedgerEntry.objects.count() == 0
    assert RoundGrid.objects.get(grid=world.grids[0].id).n_done == 1
    assert Person.objects.across(reason="verify").count() == len(world.persons)
    kept.__dict__["body"] = body
    with pytest.raises(KeyDestroyed):
        _ = kept.body
    assert document["record"]["rows_before"]["facts"] == 2
    assert check_destruction(document) == []


def test_a_record_that_was_touched_or_is_not_true_does_not_hold(world: World) -> None:
    document = destroy_incident_data(world.incident, **WHO, at=ENDED)
    changed = {**document, "record": {**document["record"], "witness": "丁"}}

    assert check_destruction(changed) == ["signature_bad"]
    assert check_destruction({"record": {}}) == ["record_unreadable"]


def test_requests_and_people_who_serve_die_with_the_incident(world: World) -> None:
    helper = somebody_who_serves(world)
    request = ask(world, text="没米了", phone="13800000001").request
    item = items_of([request.id])[0]
    work.offer(item.id, [Asking(helper.id)], by=None, at=NOON)
    steps.add_note(request, text="打过电话", by=None, at=NOON)

    destroy_incident_data(world.incident, **WHO, at=ENDED)

    assert Request.objects.across(reason="verify").count() == 0
    assert Responder.objects.across(reason="verify").count() == 0


def test_everything_that_is_kept_for_an_incident_is_on_the_list(world: World) -> None:
    """A model with sealed texts that nobody told sunset about would outlive its incident."""
    sealed = {m for m in apps.get_models() if any(isinstance(f, SealedField) for f in m._meta.fields)}
    told = {rows.model for rows in overlay_rows(world.incident.id).values()}
    # Lines of a list go with their batch.
    gone_with_another = {ImportChunk, ImportRow}

    assert sealed - told - gone_with_another == set()
