# SPDX-License-Identifier: Apache-2.0
"""The people's list at the desk: seen in scope and masked, vetted by who may, counted as of any moment."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.accounts.services import add_user, grant_role
from muster.base.ids import new_id
from muster.places.models import Area
from muster.requests import work
from muster.requests.queries import items_of
from muster.requests.work import Asking
from muster.responders import vetting
from muster.responders.checking_in import check_in
from muster.responders.homes import Home, home_in
from muster.responders.models import Responder, SecondCheckIn
from muster.responders.standing import change_status
from muster.trail.models import Disclosure, Event
from tests.support.serving import ask
from tests.support.town import bearer
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
API = "/api/v1/responders"


@pytest.fixture
def world() -> Iterator[World]:
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False, doors=1, people=1)


def desk(world: World, number: int = 0, role: str = "desk") -> dict[str, str]:
    user = add_user(username=f"{role}-{new_id().hex}", name="社区甲")
    area = world.streets[number] if role == "street" else world.communities[number]
    grant_role(user, role=role, area=area.id, area_path=area.path, at=NOON)
    return bearer(user)


def at_home(world: World, grid: int) -> Home:
    house = world.buildings[grid]
    return Home(house.sub_district, house.area_id, house.grid, house.lon, house.lat, text=house.name)


def somebody(world: World, phone: str = "13911110001", *, home: Home | None = None, **said: Any) -> Responder:
    values = {"name": "王小明", "phone": phone, "birth_date": "1990", **said}
    received = check_in(
        values, home=home or at_home(world, 0), incident=world.incident.id, form=str(new_id()), at=NOON
    )
    assert received.responder is not None
    found: Responder = Responder.objects.across(reason="own").get(id=received.responder)
    return found


def call(method: str, path: str, headers: dict[str, str], body: Any = None, status: int = 200) -> Any:
    send = getattr(Client(), method)
    more = {} if body is None else {"data": body, "content_type": "application/json"}
    answer = send(f"{API}{path}", headers=headers, **more)
    assert answer.status_code == status, answer.content.decode()
    return answer.json()


def ids(answer: Any) -> set[str]:
    return {one["id"] for one in answer["items"]}


def test_list_is_masked_and_ends_at_the_border(world: World) -> None:
    mine, other = somebody(world), somebody(world, "13911110002", home=at_home(world, 2))
    nowhere = somebody(world, "13911110003", home=Home(text="桥下"))
    named = somebody(world, "13911110004", home=home_in(world.communities[0], text=""))

    here, there = call("get", "", desk(world)), call("get", "", desk(world, 1))

    assert ids(here) == {str(mine.id), str(nowhere.id), str(named.id)}
    assert ids(there) == {str(other.id), str(nowhere.id)}
    told = next(one for one in here["items"] if one["id"] == str(mine.id))
    assert (told["name"], told["phone"]) == ("王*明", "139****0001")
    assert "13911110001" not in str(here)
    assert Disclosure.objects.filter(operation="responders.list").count() == 2
    call("get", f"/{other.id}", desk(world), status=404)


def test_lists_filters_and_search(world: World) -> None:
    driver = somebody(world, skills="driving", affiliations="volunteer", organisation="甲单位")
    nurse = somebody(world, "13911110002", name="欧阳娜", skills="medicine", external_id="A-7")
    vetting.accept(nurse, by=new_id(), at=NOON)
    headers = desk(world)

    assert ids(call("get", "?status=waiting", headers)) == {str(driver.id)}
    assert ids(call("get", "?status=VETTED", headers)) == {str(nurse.id)}
    assert ids(call("get", "?skill=driving", headers)) == {str(driver.id)}
    assert ids(call("get", "?skill=driv", headers)) == set()
    assert ids(call("get", "?affiliation=volunteer", headers)) == {str(driver.id)}
    assert ids(call("get", f"?grid={world.grids[0].id}", headers)) == {str(driver.id), str(nurse.id)}
    assert ids(call("get", f"?grid={world.grids[1].id}", headers)) == set()
    assert ids(call("get", f"?area={world.communities[0].id}", headers)) == {str(driver.id), str(nurse.id)}
    for q in ("欧阳", "ouyang", "oyn", "13911110002", "A-7"):
        assert ids(call("get", f"?q={q}", headers)) == {str(nurse.id)}, q
    for q in ("李", "13999999999", "%", "'", "😀"):
        assert ids(call("get", f"?q={q}", headers)) == set(), q
    counts = call("get", "", headers)["counts"]
    assert (counts["waiting"], counts["vetted"], counts["serving"]) == (1, 1, 0)


def test_pages_go_on_where_they_stopped(world: World) -> None:
    people = [somebody(world, f"1391111{n:04d}") for n in range(5)]
    headers, seen, cursor = desk(world), [], ""
    for _ in range(3):
        page = call("get", f"?limit=2&cursor={cursor}", headers)
        seen += [one["id"] for one in page["items"]]
        cursor = page["next"] or ""
    assert seen == [str(p.id) for p in people]
    call("get", "?cursor=x", headers, status=422)


def test_list_asks_the_same_few_questions_however_long(world: World) -> None:
    def asked() -> int:
        headers = desk(world)
        with CaptureQueriesContext(connection) as queries:
            call("get", "", headers)
        return len(queries)

    somebody(world)
    few = asked()
    for n in range(30):
        somebody(world, f"1391112{n:04d}", home=at_home(world, n % 2), organisation=f"单位{n}")
    assert asked() <= few


def test_yes_is_written_down_with_who_and_what_was_seen(world: World) -> None:
    row = somebody(world, certificates="护士证,驾驶证")

    told = call("post", f"/{row.id}/accept", desk(world), {"certificates_seen": ["护士证", "没有的证"]})

    assert told["status"] == "VETTED"
    assert told["certificates"] == [{"name": "护士证", "seen": True}, {"name": "驾驶证", "seen": False}]
    assert [one["verb"] for one in told["timeline"]] == ["accept", "check_in"]
    assert told["timeline"][0]["by"] == "社区甲"
    call("post", f"/{row.id}/accept", desk(world), {}, status=422)
    told = call("post", f"/{row.id}/certificates", desk(world), {"seen": ["驾驶证"]})
    assert all(one["seen"] for one in told["certificates"])


def test_who_did_not_say_his_age_is_asked_for_it(world: World) -> None:
    row = somebody(world, birth_date="")

    assert call("post", f"/{row.id}/accept", desk(world), {}, status=422)["code"] == "responder_age_untold"
    assert call("post", f"/{row.id}/accept", desk(world), {"is_adult": True})["status"] == "VETTED"


def test_no_is_told_in_words_and_can_be_taken_back(world: World) -> None:
    row = somebody(world)

    call("post", f"/{row.id}/decline", desk(world), {"reason": "因为"}, status=422)
    told = call("post", f"/{row.id}/decline", desk(world), {"reason": "ENOUGH"})
    assert (told["status"], told["declined_reason"]) == ("DECLINED", "ENOUGH")
    told = call("post", f"/{row.id}/accept", desk(world), {})
    assert (told["status"], told["declined_reason"]) == ("VETTED", "")


@pytest.mark.parametrize("role", ["street", "desk"])
def test_only_his_own_area_vets(world: World, role: str) -> None:
    row = somebody(world)

    call("post", f"/{row.id}/accept", desk(world, 1, role), {}, status=404)
    assert call("post", f"/{row.id}/accept", desk(world, 0, role), {})["status"] == "VETTED"


def test_nobody_vets_himself(world: World) -> None:
    user = add_user(username="self", name="自己")
    area = world.communities[0]
    grant_role(user, role="desk", area=area.id, area_path=area.path, at=NOON)
    row = somebody(world)
    row.user = user.id
    row.save()

    assert call("post", f"/{row.id}/accept", bearer(user), {}, status=422)["code"] == "responder_vets_himself"


def test_batch_takes_the_clear_ones_and_says_why_not_the_others(world: World) -> None:
    clear = somebody(world)
    ageless = somebody(world, "13911110002", name="李四", birth_date="")
    doubles = [somebody(world, f"1391111000{n}", name="赵六") for n in (3, 4)]
    suspect = somebody(world, "13911110005", name="钱七")
    suspect.is_suspect = True
    suspect.save()
    foreign = somebody(world, "13911110006", name="孙八", home=at_home(world, 2))
    everybody = [clear, ageless, *doubles, suspect, foreign]

    told = call("post", "/accept", desk(world), {"ids": [str(r.id) for r in everybody] * 2})

    assert told["accepted"] == [str(clear.id)]
    why = {one["id"]: one["code"] for one in told["left"]}
    assert why == {
        str(ageless.id): "responder_age_untold", str(doubles[0].id): "responder_maybe_double",
        str(doubles[1].id): "responder_maybe_double", str(suspect.id): "responder_suspect",
        str(foreign.id): "not_found",
    }  # fmt: skip
    assert all(one["why"] for one in told["left"])
    call("post", "/accept", desk(world), {"ids": [str(new_id()) for _ in range(501)]}, status=422)
    assert call("post", "/accept", desk(world), {"ids": []})["accepted"] == []


def test_second_check_in_is_compared_and_either_one_counts(world: World) -> None:
    row = somebody(world, organisation="甲单位")
    for unit in ("乙单位", "丙单位"):
        check_in({"name": "王小明", "phone": "13911110001", "birth_date": "1990", "organisation": unit},
                 home=at_home(world, 2), incident=world.incident.id, form=str(new_id()), at=NOON)  # fmt: skip
    headers = desk(world)
    seconds = call("get", f"/{row.id}", headers)["seconds"]
    assert [(one["unit"], one["same_name"]) for one in seconds] == [("乙单位", True), ("丙单位", True)]

    told = call("post", f"/{row.id}/seconds/{seconds[0]['id']}", headers, {"take_over": False})
    assert (told["unit"], len(told["seconds"])) == ("甲单位", 1)
    street = desk(world, 0, "street")
    call("post", f"/{row.id}/seconds/{seconds[0]['id']}", street, {"take_over": True}, status=404)
    call("post", f"/{row.id}/seconds/{seconds[1]['id']}", street, {"take_over": True})

    row.refresh_from_db()
    assert (row.unit, row.home_grid, row.sub_district) == ("丙单位", world.grids[2].id, world.streets[1].id)
    assert (row.name, row.phone) == ("王小明", "13911110001")
    assert all(one.told is None for one in SecondCheckIn.objects.across(reason="own"))


def test_reveal_is_kept_with_its_purpose(world: World) -> None:
    row = somebody(world, limits="不能上夜班")
    headers = desk(world)

    assert call("post", f"/{row.id}/reveal", headers, {"field": "limits", "purpose": "verify"})["value"] == (
        "不能上夜班"
    )
    call("post", f"/{row.id}/reveal", headers, {"field": "code_index", "purpose": "verify"}, status=422)
    call("post", f"/{row.id}/reveal", headers, {"field": "phone", "purpose": "fun"}, status=422)
    kept = Disclosure.objects.get(operation="responders.reveal")
    assert (kept.subject, kept.fields, kept.purpose) == (row.id, "limits", "verify")


def test_sensitive_affiliation_is_for_who_vets(world: World) -> None:
    somebody(world, affiliations="member,volunteer")
    head = bearer(world.head)

    assert call("get", "", desk(world))["items"][0]["affiliations"] == ["member", "volunteer"]
    assert call("get", "", head)["items"][0]["affiliations"] == ["volunteer"]


def test_who_falls_ill_leaves_nothing_undone(world: World) -> None:
    row, other = somebody(world), somebody(world, "13911110002")
    for one in (row, other):
        vetting.accept(one, by=new_id(), at=NOON)
        one.grid = world.grids[0].id
        change_status(one, "ASSIGNED", by=None, at=NOON, columns=("grid",))
    requests = [ask(world, category=kind, phone="").request for kind in ("food", "repair")]
    taken, offered = (items_of([r.id])[0].id for r in requests)
    work.accept(taken, responder=row.id, at=NOON)
    work.offer(offered, [Asking(row.id), Asking(other.id)], by=None, at=NOON)

    told = call("post", f"/{row.id}/step", desk(world), {"to": "ISOLATED"})

    assert (told["status"], told["open_jobs"]) == ("ISOLATED", 0)
    assert told["left_behind"] == {
        "items": [str(taken)], "offers": 1, "post": "",
        "grid": {"id": world.grids[0].id, "name": "1-1网格", "name_en": ""},
    }  # fmt: skip
    assert [items_of([r.id])[0].status for r in requests] == ["OPEN", "OFFERED"]
    assert ids(call("get", "?status=to_replace", desk(world))) == {str(row.id)}


def test_step_that_is_none_changes_nothing(world: World) -> None:
    row = somebody(world)
    for to in ("ON_DUTY", "ASSIGNED", "REGISTERED", "DECLINED", "X", ""):
        call("post", f"/{row.id}/step", desk(world), {"to": to}, status=422)
    row.refresh_from_db()
    assert (row.status, Event.objects.filter(verb="status").count()) == ("REGISTERED", 0)


def counts_of(answer: Any) -> dict[tuple[str, str], dict[str, int]]:
    return {
        (place["area"]["name"] if place["area"] else "?", one["affiliation"]): {
            k: v for k, v in one.items() if k != "affiliation" and v
        }
        for place in answer["items"]
        for one in place["by"]
    }


def test_head_counts_of_any_moment_never_summed(world: World) -> None:
    hour = timedelta(hours=1)
    first = somebody(world, affiliations="member,volunteer")
    somebody(world, "13911110002", home=at_home(world, 2), affiliations="volunteer")
    somebody(world, "13911110003", home=Home(text="桥下"))
    first.vetted_at = NOON
    change_status(first, "VETTED", by=None, at=NOON + hour, columns=("vetted_at",))
    first.grid = world.grids[2].id
    change_status(first, "ASSIGNED", by=None, at=NOON + 2 * hour, columns=("grid",))
    user = add_user(username="city", name="市指挥部")
    grant_role(user, role="command", area=world.city.id, area_path="/", at=NOON)
    district = Area.objects.get(level="district")

    def at(hours: float) -> Any:
        with time_machine.travel(NOON + 5 * hour, tick=False):
            moment = (NOON + hours * hour).isoformat().replace("+00:00", "Z")
            return call("get", f"/heads?area={district.id}&at={moment}", bearer(user))

    assert counts_of(at(-1)) == {}
    assert counts_of(at(0.5)) == {
        ("1号街道", "member"): {"waiting": 1}, ("1号街道", "volunteer"): {"waiting": 1},
        ("2号街道", "volunteer"): {"waiting": 1},
    }  # fmt: skip
    assert counts_of(at(1.5))["1号街道", "member"] == {"vetted": 1}
    last = at(3)
    assert counts_of(last) == {
        ("2号街道", "member"): {"serving": 1}, ("2号街道", "volunteer"): {"waiting": 1, "serving": 1},
    }  # fmt: skip
    assert last["may_overlap"] is True
    assert "total" not in str(last)
    with time_machine.travel(NOON + 5 * hour, tick=False):
        everywhere = call("get", "/heads", bearer(user))
    assert counts_of(everywhere)["?", ""] == {"waiting": 1}


def test_head_counts_end_at_the_border_too(world: World) -> None:
    somebody(world, affiliations="volunteer")
    somebody(world, "13911110002", home=at_home(world, 2), affiliations="volunteer")

    told = call("get", f"/heads?area={world.city.id}", desk(world, 1))

    assert [list(one.values()) for place in told["items"] for one in place["by"]] == [
        ["volunteer", 1, 0, 0, 0, 0]
    ]
    call("get", "/heads?area=999999", desk(world), status=404)


def test_unknown_person_is_not_found(world: World) -> None:
    call("get", f"/{uuid.uuid4()}", desk(world), status=404)
    call("post", f"/{uuid.uuid4()}/accept", desk(world), {}, status=404)
