# SPDX-License-Identifier: Apache-2.0
"""Pairs at the desk: who sees which, what is shown of whom, judging and taking back, statements asked."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.accounts.services import add_user, grant_role
from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry
from muster.places.models import Area
from muster.register.models import DuplicatePair, Household, Person
from muster.register.services import add_pairs, phone_index
from muster.sync.verify import verify_all
from muster.trail.models import Disclosure, Event
from tests.support.town import AT, Town, bearer, make_town
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
LIST = "/api/v1/register/duplicates"


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town()


def get(path: str, headers: dict[str, str]) -> Any:
    answer = Client().get(path, headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def post(path: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    return Client().post(path, body, content_type="application/json", headers=headers)


def across(town: Town) -> uuid.UUID:
    """A pair with one of the two in each street."""
    here, there = town.here.person, town.there.person
    add_pairs(here, [(there.id, "same_phone")], at=NOON)
    low, high = sorted((here.id, there.id), key=lambda i: i.int)
    return DuplicatePair.objects.across(reason="verify").get(first=low, second=high).id


def district(town: Town) -> dict[str, str]:
    area = Area.objects.get(id=town.here.street.parent_id)
    user = add_user(username=f"district-{new_id().hex}", name="区里")
    grant_role(user, role="district", area=area.id, area_path=area.path, at=NOON)
    return bearer(user)


def test_a_pair_is_shown_side_by_side_with_what_agrees(town: Town) -> None:
    caller, person = town.caller("desk"), town.here.person

    told = get(f"{LIST}/{town.here.pair}", caller)

    same = {row["field"]: row["same"] for row in told["fields"]}
    assert same == {"name": True, "phone": None, "birth_year": True, "dwelling": True}
    assert person.name not in str(told)
    assert person.phone not in str(told)
    assert told["may_judge"] is True
    assert told["suggested"] == str(person.id)
    assert {one["code"] for one in told["reasons"]["MERGED"]} >= {"papers", "asked_them"}
    keeps = next(one for one in told["survivors"] if one["id"] == str(person.id))
    gives = next(one for one in told["survivors"] if one["id"] != str(person.id))
    assert (keeps["may"], keeps["carries"], gives["carries"]) == (True, [], ["phone"])
    assert gives["household"] == "joins"
    assert Disclosure.objects.filter(subject=person.id, operation="duplicates.read").count() == 1


def test_merging_at_the_desk_settles_the_round_and_can_be_taken_back(town: Town) -> None:
    caller, person = town.caller("grid_head"), town.here.person
    body = {"judgement": "MERGED", "survivor": str(person.id), "why": "papers"}

    merged = post(f"{LIST}/{town.here.pair}/judge", body, caller).json()
    open_after = get(LIST, caller)
    judged = get(f"{LIST}?status=MERGED", caller)
    again = post(f"{LIST}/{town.here.pair}/judge", body, caller)
    undone = post(f"{LIST}/{town.here.pair}/undo", {}, caller).json()

    assert (merged["status"], merged["survivor"], merged["why"]["code"]) == (
        "MERGED",
        str(person.id),
        "papers",
    )
    assert merged["undo"] == {"may": True, "why_not": None}
    assert (open_after["count"], judged["count"]) == (0, 1)
    assert judged["items"][0]["decided_by"] == "调用者"
    assert (again.status_code, again.json()["code"]) == (409, "pair_decided")
    assert (undone["status"], undone["why"]) == ("OPEN", None)
    assert verify_all() == []
    told = Event.objects.filter(entity="DuplicatePair", entity_id=str(town.here.pair)).order_by("id")
    assert [event.verb for event in told] == ["merge", "undo"]


def test_a_person_merged_away_is_on_no_list_and_named_in_the_timeline(town: Town) -> None:
    caller, person = town.caller("desk"), town.here.person
    body = {"judgement": "MERGED", "survivor": str(person.id), "why": "papers"}
    post(f"{LIST}/{town.here.pair}/judge", body, caller)
    other = Person.objects.across(reason="verify").get(merged_into=person.id)

    shown = get(f"/api/v1/register/persons?grid={town.here.grid.id}", caller)
    timeline = get(f"/api/v1/register/persons/{person.id}/timeline", caller)

    assert str(other.id) not in {one["id"] for one in shown["items"]}
    assert "event.take_in" in {one["kind"] for one in timeline["items"]}


def test_a_pair_across_two_streets_hides_the_stranger_and_goes_to_the_district(town: Town) -> None:
    pair, desk = across(town), town.caller("desk")
    there = town.there.person

    line = next(one for one in get(LIST, desk)["items"] if one["id"] == str(pair))
    told = get(f"{LIST}/{pair}", desk)
    refused = post(f"{LIST}/{pair}/judge", {"judgement": "NOT_DUPLICATE", "why": "papers"}, desk)
    seen = get(f"{LIST}/{pair}", district(town))
    body = {"judgement": "MERGED", "survivor": str(there.id), "why": "papers"}
    merged = post(f"{LIST}/{pair}/judge", body, district(town))

    hidden = [side for side in told["sides"] if side["hidden"]]
    assert (line["may_judge"], line["why_not"]["code"]) == (False, "pair_outside")
    assert [(side["id"], side["street"]["name"]) for side in hidden] == [(None, town.there.street.name)]
    assert str(there.id) not in str(told)
    assert there.dwelling.label not in str(hidden)
    assert told["survivors"] == []
    assert (refused.status_code, refused.json()["code"]) == (422, "pair_outside")
    assert seen["may_judge"] is True
    assert merged.status_code == 200, merged.content
    assert verify_all() == []


def test_what_would_lose_something_says_why(town: Town) -> None:
    incident = str(town.world.incident.id)
    double = Person.objects.across(reason="verify").exclude(id=town.here.person.id)
    overlay = double.get(dwelling=town.here.dwelling, household__isnull=True)
    name = overlay.name
    overlay.purpose, overlay.name = incident, name
    overlay.save()

    told = get(f"{LIST}/{town.here.pair}", town.caller("desk"))
    body = {"judgement": "MERGED", "survivor": str(overlay.id), "why": "papers"}
    refused = post(f"{LIST}/{town.here.pair}/judge", body, town.caller("desk"))

    choice = next(one for one in told["survivors"] if one["id"] == str(overlay.id))
    assert (choice["may"], choice["why_not"]["code"]) == (False, "merge_keep_the_standing")
    assert refused.json()["code"] == "merge_keep_the_standing"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"judgement": "MERGED", "why": "papers"}, "survivor_not_of_pair"),
        ({"judgement": "MERGED", "why": "x", "survivor": "?"}, "reason_unknown_choice"),
        ({"judgement": "PERHAPS", "why": "papers"}, "judgement_bad"),
        ({"judgement": "NOT_DUPLICATE", "why": ""}, "reason_unknown_choice"),
    ],
)
def test_a_judgement_that_does_not_fit_is_refused_with_its_reason(
    town: Town, body: dict[str, Any], code: str
) -> None:
    told = {**body, "survivor": str(town.here.person.id)} if body.get("survivor") else body

    answer = post(f"{LIST}/{town.here.pair}/judge", told, town.caller("desk"))

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert DuplicatePair.objects.across(reason="verify").filter(status="OPEN").count() == 2
    assert LedgerEntry.objects.exclude(outcome="").count() == 0


def test_the_inbox_counts_only_what_its_reader_may_judge(town: Town) -> None:
    across(town)

    def counted(headers: dict[str, str]) -> list[int]:
        items = get("/api/v1/inbox", headers)["items"]
        return [one["count"] for one in items if one["kind"] == "duplicates_open"]

    assert counted(town.caller("desk")) == [1]
    assert counted(district(town)) == [3]
    assert counted(town.caller("worker")) == counted(town.caller("command")) == []


def test_pages_follow_each_other_and_a_filter_narrows(town: Town) -> None:
    caller = district(town)
    across(town)

    first = get(f"{LIST}?limit=2", caller)
    rest = get(f"{LIST}?limit=2&cursor={first['next']}", caller)
    of_grid = get(f"{LIST}?grid={town.here.grid.id}", caller)
    of_area = get(f"{LIST}?area={town.there.area.id}", caller)

    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert {one["id"] for one in first["items"]} & {one["id"] for one in rest["items"]} == set()
    assert (of_grid["count"], of_area["count"]) == (2, 2)
    bad = Client().get(f"{LIST}?cursor=x", headers=caller)
    assert bad.json()["code"] == "cursor_bad"


def test_more_pairs_ask_no_more_statements(town: Town) -> None:
    caller = town.caller("street")

    def asked(path: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            get(path, caller)
        return len(captured)

    get(LIST, caller)
    before = asked(LIST), asked("/api/v1/inbox")
    home = Household.objects.across(reason="verify").filter(dwelling=town.here.dwelling).first()
    for number in range(6):
        twin = Person.objects.create(
            sub_district=town.here.grid.sub_district, grid=town.here.grid.id, dwelling=town.here.dwelling,
            household=home, name=f"演双{number}", phone="13800000001", phone_index=phone_index("13800000001"),
        )  # fmt: skip
        add_pairs(town.here.person, [(twin.id, "same_phone")], at=NOON)

    assert get(LIST, caller)["count"] == 7
    assert (asked(LIST), asked("/api/v1/inbox")) == before
