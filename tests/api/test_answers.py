# SPDX-License-Identifier: Apache-2.0
"""What each address answers: the good case, refusals with words in both languages, sessions, statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.accounts.models import User
from muster.accounts.services import grant_role
from muster.base.ids import new_id
from muster.base.messages import messages
from muster.trail.models import Disclosure, Fact
from tests.support.town import AT, Town, asks, lease_of, make_town
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
# What a town as small as this one cannot do, and why.
REFUSED = {
    "drill_control": "demo_only_in_drill",
    "drill_read": "demo_only_in_drill",
    "session_demo": "demo_only_in_drill",
    "duplicates_undo": "pair_not_decided",
    "flags_correct": "flag_time_bad",
    "held_conflict": "held_cannot_retry",
    "held_resolve": None,
    "imports_commit": "import_not_ready",
    "imports_report": "import_not_ready",
    "imports_undo": "import_not_committed",
    "plans_adopt": "plan_not_ready",
    "plans_buildings": "plan_not_ready",
    "plans_grids": "plan_not_ready",
    "plans_move": "plan_not_ready",
    "rounds_certify": "grid_has_open_entries",
    "requests_resume": "request_step",
    "requests_reopen": "request_step",
    "requests_link": "link_to_itself",
    "requests_answer": "request_not_done",
    "requests_approve_refusal": "refusal_not_proposed",
    # A whole file of a phone, a returned sheet and a channel that answers have tests of their own.
    "facts_carry": "carried_unreadable",
    "sync_carried": "carried_unreadable",
    "sheet_returns_undo": "return_not_ready",
    # Nothing was left out that could be kept after all.
    "series_keep": "series_day_not_care",
    "sheet_returns_file": "sheet_mark_foreign",
    "channels_try": "channel_did_not_answer",
}
# Whose lease or certified key is the key; a site's own answers are asked for where there is a site.
PHONES = ("sync_", "jobs_", "duty_", "driving_", "phone_messages")
OF_SITES = {"site_word", "site_news"}
ROLE = {"rounds_certify": "grid_head", "register_disclosures": "street", "plans_adopt": "street"}


@pytest.fixture
def town() -> Iterator[Town]:
    with time_machine.travel(AT, tick=False):
        yield make_town()


def test_every_operation_answers_its_good_case_or_says_why_not(town: Town) -> None:
    callers = {role: town.caller(role) for role in ("street", "grid_head")}
    callers["phone"] = lease_of(town, town.here)
    wrong: list[str] = []
    for name, ask in asks(town.here).items():
        if name in OF_SITES:
            continue
        headers = callers["phone" if name.startswith(PHONES) else ROLE.get(name, "street")]
        with transaction.atomic():
            answer = ask.send(headers)
            transaction.set_rollback(True)
        if name in REFUSED and answer.status_code in {409, 422}:
            told = answer.json()  # type: ignore[attr-defined]
            if REFUSED[name] in {None, told["code"]}:
                continue
            wrong.append(f"{name}: {told['code']}")
        elif answer.status_code != 200:
            wrong.append(f"{name}: {answer.status_code} {getattr(answer, 'content', b'')[:120]!r}")

    assert not wrong, "\n".join(wrong)


def test_a_refusal_has_one_code_and_words_and_a_cure_in_both_languages(town: Town) -> None:
    caller = town.caller("desk")
    ask = asks(town.there)["register_person"]

    zh, en = (ask.send({**caller, "Accept-Language": lang}).json() for lang in ("zh-CN,zh;q=0.9", "en"))  # type: ignore[attr-defined]

    assert zh["code"] == en["code"] == "not_found"
    assert (zh["title"], en["title"]) == (messages()["not_found"].zh, messages()["not_found"].en)
    assert zh["type"] == en["type"] == "about:blank#not_found"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("/campaigns", {"name": "x", "kind": "town", "area": "north"}, "area"),
        ("/rounds", {"campaign": "not an id"}, "campaign"),
        ("/devices/enrol", {"code": "ABCD-EFGH"}, "public_key"),
        ("/session", {"username": "head"}, "password"),
    ],
)
def test_unfitting_input_names_its_field(town: Town, path: str, body: dict[str, Any], field: str) -> None:
    answer = Client().post(
        f"/api/v1{path}", body, content_type="application/json", headers=town.caller("desk")
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "input_bad")
    assert [error["field"].rpartition(".")[2] for error in answer.json()["errors"]] == [field]


def test_signing_in_by_password_and_out_again(town: Town) -> None:
    client = Client()

    wrong = client.post(
        "/api/v1/session", {"username": "head", "password": "x"}, content_type="application/json"
    )
    right = asks(town.here)["session_sign_in"].send({}, client=client)
    inside = client.get(f"/api/v1/grids/{town.world.grids[0].id}")
    client.delete("/api/v1/session")
    outside = client.get(f"/api/v1/grids/{town.world.grids[0].id}")

    assert (wrong.status_code, wrong.json()["code"]) == (422, "sign_in_failed")
    assert (right.json()["user"]["name"], right.json()["grants"][0]["role"]) == ("网格长甲", "grid_head")
    assert (inside.status_code, outside.status_code) == (200, 401)


def test_a_session_writes_only_with_its_csrf_token(town: Town) -> None:
    user = User.objects.get(username="head")
    grant_role(user, role="desk", area=town.here.street.id, area_path=town.here.street.path, at=NOON)
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    path = f"/api/v1/grids/{town.here.grid.id}/enrol-codes"
    token = client.get("/api/v1/session").json()["csrf"]

    alien_token = {"X-CSRFToken": "a" * 64}
    bare = client.post(path, {"worker_name": "甲"}, content_type="application/json")
    alien = client.post(path, {"worker_name": "甲"}, content_type="application/json", headers=alien_token)
    good = client.post(
        path, {"worker_name": "甲"}, content_type="application/json", headers={"X-CSRFToken": token}
    )

    assert (bare.status_code, bare.json()["code"]) == (403, "csrf_missing")
    assert (alien.status_code, alien.json()["code"]) == (403, "csrf_missing")
    assert good.status_code == 200


def test_a_token_needs_no_csrf_token(town: Town) -> None:
    """Negative control: no browser sends a bearer token by itself."""
    client = Client(enforce_csrf_checks=True)
    path = f"/api/v1/grids/{town.here.grid.id}/enrol-codes"

    answer = client.post(path, {}, content_type="application/json", headers=town.caller("desk"))

    assert answer.status_code == 200


def test_names_and_phones_are_masked_until_revealed_for_a_purpose(town: Town) -> None:
    caller, person = town.caller("desk"), town.here.person

    shown = asks(town.here)["register_person"].send(caller)
    revealed = asks(town.here)["register_reveal"].send(caller)
    curious = {"field": "phone", "purpose": "curiosity"}
    path = f"/api/v1/register/persons/{person.id}/reveal"
    aimless = Client().post(path, curious, content_type="application/json", headers=caller)

    text = shown.content.decode()  # type: ignore[attr-defined]
    assert [person.name in text, person.phone in text] == [False, False]
    assert revealed.json()["value"] == person.phone  # type: ignore[attr-defined]
    assert aimless.status_code == 422
    assert (
        Disclosure.objects.filter(subject=person.id, operation="register.reveal", purpose="call").count() == 1
    )


def test_what_a_desk_records_is_a_fact_like_any_other(town: Town) -> None:
    caller = town.caller("desk")
    ask = asks(town.here)["rounds_record"]

    first, again = (ask.send(caller).json()["verdicts"][0] for _ in range(2))  # type: ignore[attr-defined]
    stranger = asks(town.there)["rounds_record"].body["facts"][0]
    path = f"/api/v1/rounds/{town.here.round.id}/facts"
    told = {**stranger, "body": {"round": str(town.here.round.id), "outcome": "done"}}
    outside = Client().post(path, {"facts": [told]}, content_type="application/json", headers=caller)

    assert (first["verdict"], again["verdict"]) == ("APPLIED", "DUPLICATE")
    assert outside.json()["verdicts"][0]["verdict"] in {"HELD", "QUARANTINED"}
    assert Fact.objects.get(id=first["id"]).actor is not None


def test_live_answers_304_while_nothing_changed(town: Town) -> None:
    caller, path = town.caller("desk"), f"/api/v1/live/{town.here.round.id}.json"

    first = Client().get(path, headers=caller)
    same = Client().get(path, headers={**caller, "If-None-Match": first["ETag"]})

    assert (first.status_code, same.status_code, same.content) == (200, 304, b"")
    assert first.json()["total"]["equation"]["balanced"] is True


def test_a_phone_with_a_withdrawn_lease_is_told_that_it_is_gone(town: Town) -> None:
    lease = lease_of(town, town.here)
    asks(town.here)["devices_revoke"].send(town.caller("street"))

    answer = Client().get("/sync/v1/pull", headers=lease)

    assert (answer.status_code, answer.json()["code"]) == (410, "lease_revoked")


def statements(town: Town, name: str, headers: dict[str, str]) -> int:
    ask = asks(town.here)[name]
    with CaptureQueriesContext(connection) as captured:
        assert ask.send(headers).status_code == 200
    return len(captured)


def more_of_everything(town: Town) -> None:
    """Three where there was one: doors, found people, held facts, enrol codes, campaigns, rounds."""
    from muster.campaigns.services import freeze_round, open_round, plan_round

    here = town.here
    for number in range(2):
        door, found, building = new_id(), new_id(), str(here.building.id)
        told = {"sub_district": here.area.sub_district, "device": here.device.id, "round": here.round.id}
        town.world.record(
            town.world.fact("door.found", door, "dwelling", building=building, room=f"9{number}", **told),
            town.world.fact(
                "person.found", door, "dwelling", person=str(found), name=f"演多{number}", **told
            ),
            town.world.fact("entry.outcome", new_id(), outcome="done", **told),
        )
        asks(here)["grids_enrol"].send(town.caller("street"))
        asks(here)["campaigns_start"].send(town.caller("street"))
        more = plan_round(here.round.campaign, name=f"多{number}", at=NOON, by=None)
        open_round(freeze_round(more, by=None, at=NOON), by=None, at=NOON)


def test_no_list_asks_more_for_more_rows(town: Town) -> None:
    """With three where there was one, each list asks the database as often as before."""
    headers = town.caller("street")
    asks(town.here)["register_person"].send(headers)
    lists = [name for name, ask in asks(town.here).items() if ask.method == "GET" and name not in REFUSED
             and not name.startswith(PHONES)
             and name not in {*OF_SITES, "session_read", "packs_current"}]  # fmt: skip
    before = {name: statements(town, name, headers) for name in lists}

    more_of_everything(town)

    after = {name: statements(town, name, headers) for name in lists}
    grown = {name: (before[name], after[name]) for name in lists if after[name] > before[name]}
    assert grown == {}


def test_a_list_that_asks_row_by_row_would_be_seen(town: Town) -> None:
    """Negative control."""
    from muster.register.models import Person

    def naive() -> int:
        with CaptureQueriesContext(connection) as captured:
            for person in Person.objects.across(reason="verify").filter(grid=town.here.grid.id):
                _ = person.dwelling.label
        return len(captured)

    before = naive()
    more_of_everything(town)

    assert naive() > before
