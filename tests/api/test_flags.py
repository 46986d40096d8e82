# SPDX-License-Identifier: Apache-2.0
"""Records that count and should be looked at: by phone, each kind counted; seen, unseen again, taken back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.base.ids import new_id
from muster.campaigns.models import LedgerEntry, Round
from muster.situation.inbox import MANY_FLAGS, inbox_items
from muster.storage.scoping import Scope
from muster.sync.verify import verify_all
from muster.trail.models import Event, Fact, SecondCopy, Waiting
from tests.support.town import AT, Place, Town, make_town
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
EVERYWHERE = Scope(everything=True)


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town()


def doubted(town: Town, place: Place, **more: Any) -> Any:
    """A result with a clock an hour fast, unless something else is said."""
    told = {"minutes": 60, "received": NOON, "outcome": "done", "device": place.device.id, **more}
    return town.world.fact("entry.outcome", place.person.id, round=place.round.id, **told)


def ask(town: Town, path: str, role: str = "street") -> Any:
    return Client(headers=town.caller(role)).get(f"/api/v1/flags{path}")


def tell(town: Town, path: str, body: Any = None, role: str = "street") -> Any:
    return Client(headers=town.caller(role)).post(
        f"/api/v1/flags{path}", body or {}, content_type="application/json"
    )


def phones(town: Town, **seen: bool) -> dict[str, Any]:
    answer = ask(town, "?seen=true" if seen else "")
    return {one["device"]["id"]: one for one in answer.json()["items"]}


def test_phones_with_kinds_counted_the_newest_first_and_what_is_elsewhere_is_not_there(town: Town) -> None:
    here, other = town.here, new_id()
    town.world.record(doubted(town, here), doubted(town, here, minutes=-60 * 24 * 90))
    town.world.clock += timedelta(minutes=3)
    town.world.record(doubted(town, here, device=other))

    answer = ask(town, "").json()

    assert [one["device"]["id"] for one in answer["items"]] == [str(other), str(here.device.id)]
    told = answer["items"][1]
    assert (told["counts"], told["count"]) == ({"time_future": 2, "time_ancient": 1}, 3)
    assert told["device"]["name"] == "phone"
    assert answer["counts"] == {"time_future": 3, "time_ancient": 1}
    assert str(town.there.device.id) not in str(answer)
    assert ask(town, f"/phones/{town.there.device.id}").json()["items"] == []


def test_a_record_says_who_when_recorded_when_come_and_where(town: Town) -> None:
    fact = doubted(town, town.here, door=str(town.here.dwelling.id))
    town.world.record(fact)

    (one,) = ask(town, f"/phones/{town.here.device.id}?code=time_future").json()["items"][:1]

    assert (one["id"], one["actor"], one["value"]) == (str(fact.id), "网格员0", "done")
    assert one["occurred_at"] > one["received_at"]
    assert one["grid"]["id"] == town.here.grid.id
    assert one["door"] == town.here.dwelling.label
    assert one["can_withdraw"] is True


def test_seen_by_somebody_it_leaves_the_list_and_comes_back_when_undone(town: Town) -> None:
    (phone,) = phones(town)

    answer = tell(town, "/seen", {"facts": [str(town.here.flagged)]})

    assert answer.json() == {"facts": [str(town.here.flagged)], "left": 0}
    assert phones(town) == {}
    (seen,) = ask(town, f"/phones/{phone}?seen=true").json()["items"]
    assert seen["seen_by"]
    assert seen["resolution"] == "seen"
    assert tell(town, "/seen", {"facts": [str(town.here.flagged)]}).json()["facts"] == [], "once"
    assert tell(town, "/unseen", {"facts": [str(town.here.flagged)]}).json() == {"count": 1}
    assert phones(town).keys() == {phone}
    verbs = Event.objects.filter(entity="Fact", entity_id=str(town.here.flagged)).values_list(
        "verb", flat=True
    )
    assert sorted(verbs) == ["seen", "unseen"]
    assert verify_all() == []


def test_all_of_a_phone_of_one_kind_at_once(town: Town) -> None:
    device = str(town.here.device.id)
    town.world.record(*(doubted(town, town.here, minutes=60 + n) for n in range(3)))
    town.world.record(doubted(town, town.here, minutes=-60 * 24 * 90))

    assert len(tell(town, "/seen", {"device": device, "code": "time_future"}).json()["facts"]) == 4
    assert phones(town)[device]["counts"] == {"time_ancient": 1}


def test_what_is_taken_back_counts_no_more_and_is_not_undone_by_unseeing(town: Town) -> None:
    fact = doubted(town, town.here)
    town.world.record(fact)
    assert LedgerEntry.objects.get(round=town.here.round.id, subject=town.here.person.id).cls == "DONE"

    assert tell(town, f"/{fact.id}/withdraw").json() == {"verdict": "APPLIED", "code": ""}

    assert LedgerEntry.objects.get(round=town.here.round.id, subject=town.here.person.id).cls == "OPEN"
    assert tell(town, f"/{fact.id}/withdraw").status_code == 404
    assert tell(town, "/unseen", {"facts": [str(fact.id)]}).json() == {"count": 0}
    assert verify_all() == []


def test_a_wrong_time_is_put_right_in_the_name_of_who_recorded_it(town: Town) -> None:
    fact = doubted(town, town.here)
    town.world.record(fact)
    entry = {"round": town.here.round.id, "subject": town.here.person.id}
    right = NOON - timedelta(minutes=30)

    assert tell(town, f"/{fact.id}/correct-time", {"occurred_at": right.isoformat()}).status_code == 200

    told = LedgerEntry.objects.get(**entry)
    assert (told.cls, told.at, told.actor) == ("DONE", right, town.world.workers[0].id)
    assert tell(town, f"/{fact.id}/correct-time", {"occurred_at": right.isoformat()}).status_code == 404, (
        "once"
    )
    (seen,) = ask(town, f"/phones/{town.here.device.id}?seen=true").json()["items"]
    assert seen["resolution"] == "corrected"
    assert verify_all() == []


def test_of_two_who_decide_at_once_one_is_quicker_and_nothing_is_said_twice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    from muster.sync import flags

    fact = doubted(town, town.here)
    town.world.record(fact)
    before, see = Fact.objects.count(), flags.see_flags

    def quicker(rows: Any, **how: Any) -> Any:
        see(rows, **how)
        return see(rows, **how)

    monkeypatch.setattr(flags, "see_flags", quicker)
    answer = tell(town, f"/{fact.id}/withdraw")

    assert (answer.status_code, answer.json()["code"]) == (409, "flag_stays")
    assert Fact.objects.count() == before


@pytest.mark.parametrize("moment", [NOON + timedelta(minutes=1), NOON - timedelta(days=31)])
def test_another_wrong_time_is_refused_and_nothing_is_taken_back(town: Town, moment: Any) -> None:
    fact = doubted(town, town.here)
    town.world.record(fact)

    answer = tell(town, f"/{fact.id}/correct-time", {"occurred_at": moment.isoformat()})

    assert (answer.status_code, answer.json()["code"]) == (422, "flag_time_bad")
    assert LedgerEntry.objects.get(round=town.here.round.id, subject=town.here.person.id).cls == "DONE"
    naive = {"occurred_at": "2022-09-02T03:00:00"}
    assert tell(town, f"/{fact.id}/correct-time", naive).json()["code"] == "flag_time_bad"


def test_what_came_after_the_close_is_seen_and_not_taken_back_behind_a_signature(town: Town) -> None:
    Round.objects.filter(id=town.here.round.id).update(status="CERTIFIED")
    fact = doubted(town, town.here, minutes=0)
    town.world.record(fact)

    (one,) = ask(town, f"/phones/{town.here.device.id}?code=after_close").json()["items"]
    assert one["can_withdraw"] is False
    answer = tell(town, f"/{fact.id}/withdraw")
    assert (answer.status_code, answer.json()["code"]) == (409, "flag_stays")
    assert tell(town, "/seen", {"facts": [str(fact.id)]}).json()["facts"] == [str(fact.id)]


def test_one_number_with_two_contents_is_on_the_list_too(town: Town) -> None:
    first = doubted(town, town.here, minutes=0)
    town.world.record(first)
    for _ in range(2):
        town.world.record(doubted(town, town.here, minutes=1, seq=first.seq, outcome="away"))
    town.world.record(doubted(town, town.here, minutes=2, seq=first.seq, outcome="refused"))

    assert phones(town)[str(town.here.device.id)]["counts"] == {"time_future": 1, "seq_reused": 1}
    assert SecondCopy.objects.count() == 3
    (one,) = ask(town, f"/phones/{town.here.device.id}?code=seq_reused").json()["items"]
    assert one["can_withdraw"] is False
    assert tell(town, f"/{one['id']}/withdraw").json()["code"] == "flag_stays"


def test_a_held_record_that_is_doubted_when_it_takes_its_place_stays_in_sight(town: Town) -> None:
    new = new_id()
    late = town.world.fact(
        "entry.outcome", new, sub_district=town.here.area.sub_district, outcome="done", minutes=60,
        device=town.here.device.id, round=town.here.round.id, received=NOON,
    )  # fmt: skip
    town.world.record(late)
    assert Waiting.objects.get(fact=late.id).verdict == "HELD"

    town.world.record(town.world.fact("person.found", town.here.dwelling.id, "dwelling", person=str(new),
                                      name="演新", round=town.here.round.id))  # fmt: skip

    waiting = Waiting.objects.get(fact=late.id)
    assert (waiting.verdict, waiting.code) == ("FLAGGED", "time_future")
    assert verify_all() == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/seen", {"facts": []}, 422),
        ("/seen", {}, 422),
        ("/seen", {"facts": ["no"]}, 422),
        ("/unseen", {"facts": []}, 422),
        ("/seen", {"facts": [str(new_id())] * 501}, 422),
    ],
)
def test_nonsense_is_refused(town: Town, path: str, body: Any, status: int) -> None:
    answer = tell(town, path, body)

    assert (answer.status_code, bool(answer.json()["code"])) == (status, True)


@pytest.mark.parametrize(
    "cursor", ["x", "2022-09-02~1", "~", "2022-09-02T04:00:00+00:00~x", "2022~" + "9" * 30]
)
def test_a_cursor_of_nobodys_is_refused(town: Town, cursor: str) -> None:
    answer = Client(headers=town.caller("street")).get(
        f"/api/v1/flags/phones/{town.here.device.id}", {"cursor": cursor}
    )

    assert answer.json()["code"] == "cursor_bad"


def test_long_lists_come_in_pages_without_gap_or_repetition_and_ask_no_more(town: Town) -> None:
    with CaptureQueriesContext(connection) as few:
        ask(town, f"/phones/{town.here.device.id}")
    town.world.record(*(doubted(town, town.here, minutes=61 + n) for n in range(120)))
    with CaptureQueriesContext(connection) as many:
        ask(town, f"/phones/{town.here.device.id}")

    told, cursor = list[str](), ""
    while True:
        page = Client(headers=town.caller("street")).get(
            f"/api/v1/flags/phones/{town.here.device.id}", {"cursor": cursor}
        )
        told += [one["id"] for one in page.json()["items"]]
        cursor = page.json()["next"]
        if not cursor:
            break

    assert (len(told), len(set(told)), page.json()["count"]) == (121, 121, 121)
    assert len(many) <= len(few) + 1


def test_more_than_some_of_a_phone_within_an_hour_are_in_the_inbox(town: Town) -> None:
    def told(at: Any) -> list[dict[str, Any]]:
        return [one for one in inbox_items(EVERYWHERE, at=at) if one["kind"] == "many_flags"]

    town.world.record(*(doubted(town, town.here, minutes=60 + n) for n in range(MANY_FLAGS - 1)))
    assert told(NOON) == []
    town.world.record(doubted(town, town.here, minutes=90))

    (one,) = told(NOON)
    assert (one["count"], one["facts"]["devices"], one["link"]) == (MANY_FLAGS + 1, 1, "/flags")
    assert told(NOON + timedelta(hours=2)) == []
    assert [o for o in inbox_items(Scope(), at=NOON) if o["kind"] == "many_flags"] == []
