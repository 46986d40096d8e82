# SPDX-License-Identifier: Apache-2.0
"""What a town's API is asked about requests and work: one request, one free piece of work, one who serves."""

from __future__ import annotations

import io
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from muster.accounts.models import Lease
from muster.requests import work
from muster.requests.care import give_care_grant
from muster.requests.pictures import add_picture
from muster.requests.queries import items_of
from muster.requests.work import Asking
from muster.responders.services import responder_for_worker
from tests.support.serving import ask, somebody_who_serves
from tests.support.world import NOON, World

if TYPE_CHECKING:
    from tests.support.town import Place


@dataclass
class Serving:
    """waiting: nobody has it. asked: offered to the phone's holder. mine: he has taken it."""

    waiting: uuid.UUID
    asked: uuid.UUID
    mine: uuid.UUID
    helper: uuid.UUID
    grant: uuid.UUID
    picture: str

    @property
    def marks(self) -> set[str]:
        return {str(self.waiting), str(self.asked), str(self.mine), str(self.helper)}


def serve(world: World, place: Place) -> Serving:
    """Three requests of one grid, and two who serve there: one by a desk, one with the place's phone."""
    from muster.requests.placing import where_is

    helper = somebody_who_serves(world, grid=world.grids.index(place.grid))
    lease = Lease.objects.select_related("actor").get(device=place.device)
    holder = responder_for_worker(
        incident=world.incident.id, user=lease.actor_id, name=lease.actor.name,
        sub_district=place.grid.sub_district, grid=place.grid.id, at=NOON,
    )  # fmt: skip
    requests = [
        ask(world, category=kind, where=where_is(place.dwelling), phone="").request
        for kind in ("food", "medicine", "repair")
    ]
    items = [items_of([r.id])[0].id for r in requests]
    work.offer(items[1], [Asking(holder.id)], by=None, at=NOON)
    work.accept(items[2], responder=holder.id, at=NOON)
    first = requests[0]
    grant, _ = give_care_grant(
        incident=first.incident, where=where_is(place.dwelling), person=None, relative_name="女儿",
        relative_phone="", through="PHONE", by=None, at=NOON,
    )  # fmt: skip
    raw = io.BytesIO()
    Image.new("RGB", (8, 8)).save(raw, "PNG")
    for request in (requests[0], requests[2]):
        picture = add_picture(request.id, raw.getvalue(), by=None, at=NOON).sha256
    return Serving(first.id, items[1], items[2], helper.id, grant.id, picture)


def serving_asks(
    serving: Serving, *, dwelling: uuid.UUID, area: int, person: uuid.UUID
) -> dict[str, tuple[str, str, Any, bool]]:
    """operation id -> (method, path, body, lists)."""
    api, one = "/api/v1/requests", f"/api/v1/requests/{serving.waiting}"
    asked, mine = f"/sync/v1/jobs/{serving.asked}", f"/sync/v1/jobs/{serving.mine}"
    done = {"outcome": "SOLVED"}
    return {
        "requests_list": ("GET", api, None, True),
        "requests_raise": ("POST", api, {"text": "家里没米了"}, True),
        "requests_paste": ("POST", f"{api}/paste", {"text": "李大妈：3号楼501 没药了"}, True),
        "map_requests": ("GET", "/api/v1/map/requests.geojson", None, True),
        "requests_read": ("GET", one, None, False),
        "requests_reveal": ("POST", f"{one}/reveal", {"field": "phone", "purpose": "call"}, False),
        "requests_picture": ("GET", f"{one}/pictures/{serving.picture}", None, False),
        "requests_triage": ("POST", f"{one}/triage", {"urgency": "URGENT"}, False),
        "requests_place": ("POST", f"{one}/place", {"dwelling": dwelling}, False),
        "requests_hold": (
            "POST", f"{one}/hold", {"reason": "NOT_HOME", "until": "2022-09-02T10:00:00Z"}, False,
        ),
        "requests_resume": ("POST", f"{one}/resume", None, False),
        "requests_escalate": ("POST", f"{one}/escalate", {"text": "催"}, False),
        "requests_transfer": ("POST", f"{one}/transfer", {"area": area}, False),
        "requests_link": ("POST", f"{one}/link", {"to": serving.waiting}, False),
        "requests_withdraw": ("POST", f"{one}/withdraw", None, False),
        "requests_reopen": ("POST", f"{one}/reopen", None, False),
        "requests_answer": ("POST", f"{one}/answer", {"result": "SOLVED"}, False),
        "requests_note": ("POST", f"{one}/notes", {"text": "打过电话"}, False),
        "requests_piece": ("POST", f"{one}/items", {"what": "再送一桶水"}, False),
        "requests_refuse": ("POST", f"{one}/refuse", {"text": "今天没有车"}, False),
        "requests_approve_refusal": ("POST", f"{one}/refuse/approve", None, False),
        "requests_suggest": ("GET", f"{one}/suggestions", None, False),
        "requests_offer": ("POST", f"{one}/offer", {"responders": [serving.helper]}, False),
        "requests_match": ("POST", f"{api}/match", None, True),
        "requests_match_adopt": ("POST", f"{api}/match/adopt", {"lines": []}, True),
        "calls_list": ("GET", "/api/v1/calls", None, True),
        "calls_record": ("POST", f"/api/v1/calls/{person}", {"result": "WELL"}, False),
        "care_grants_list": ("GET", f"/api/v1/care-grants?dwelling={dwelling}", None, False),
        "care_grants_give": (
            "POST", "/api/v1/care-grants", {"dwelling": dwelling, "relative_name": "女儿"}, False,
        ),
        "care_grants_revoke": ("POST", f"/api/v1/care-grants/{serving.grant}/revoke", None, False),
        "jobs_holder": ("GET", f"{asked}/holder", None, False),
        "jobs_list": ("GET", "/sync/v1/jobs", None, False),
        "jobs_accept": ("POST", f"{asked}/accept", None, False),
        "jobs_decline": ("POST", f"{asked}/decline", {"reason": "BUSY"}, False),
        "jobs_arrive": ("POST", f"{mine}/arrive", None, False),
        "jobs_finish": ("POST", f"{mine}/finish", done, False),
        "jobs_picture": ("GET", f"{mine}/pictures/{serving.picture}", None, False),
        "jobs_release": ("POST", f"{mine}/release", None, False),
    }  # fmt: skip
