# SPDX-License-Identifier: Apache-2.0
"""Photos of a paper: kept small and sealed, seen by who types it in and nobody else, gone at sunset."""

from __future__ import annotations

import io
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from muster.base.errors import Refusal
from muster.files import pictures as drawing
from muster.flows import sheet_returns as flow
from muster.flows.sheet_returns import TypedLine, Writer
from muster.flows.sunset import destroy_incident_data
from muster.sheets import pictures
from muster.sheets.models import SheetPicture, SheetReturn
from muster.trail.models import Disclosure, Event
from tests.sheets.paper import desk, make
from tests.sheets.test_api import send, somebody
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> World:
    return make_world(doors=2, people=1)


def photo(colour: str = "white", size: tuple[int, int] = (2400, 1200), form: str = "JPEG") -> bytes:
    out = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "拍照的地方"
    Image.new("RGB", size, colour).save(out, form, exif=exif)
    return out.getvalue()


def upload(code: str, headers: dict[str, str], raw: bytes, **more: Any) -> Any:
    import time_machine

    from tests.sheets.test_api import AT

    with time_machine.travel(AT, tick=False):
        file = SimpleUploadedFile("paper.jpg", raw, content_type="image/jpeg")
        return Client().post(f"/api/v1/sheets/{code}/pictures", {"file": file, **more}, headers=headers)


def test_photo_is_drawn_small_sealed_and_opened_only_by_who_may_type_the_sheet(world: World) -> None:
    sheet, here, there = make(world, "ROSTER"), somebody(world, "desk"), somebody(world, "desk", there=True)

    name = upload(sheet.code, here, photo()).json()["sha256"]

    seen = send("GET", f"/sheets/{sheet.code}/pictures/{name}", here)
    with Image.open(io.BytesIO(seen.content)) as drawn:
        assert (drawn.format, drawn.size) == ("JPEG", (1600, 800))
        assert not drawn.getexif()
    assert (seen["Content-Type"], seen["Cache-Control"]) == ("image/jpeg", "no-store")
    kept = [f.read_bytes() for f in Path(settings.ENVIRONMENT.data).rglob("*") if name[:32] in f.name]
    assert kept
    assert not any(seen.content[:64] in raw for raw in kept)
    assert send("GET", f"/sheets/{sheet.code}/pictures/{name}", there).status_code == 404
    assert upload(sheet.code, there, photo()).status_code == 404
    assert send("GET", f"/sheets/{sheet.code}/pictures/{name}", {}).status_code == 401
    assert Disclosure.objects.filter(operation="sheets.picture").count() == 1
    assert Event.objects.filter(entity="Sheet", verb="picture").count() == 1


def test_photo_of_one_sheet_is_not_opened_by_the_code_of_another(world: World) -> None:
    one, other, here = make(world, "ROSTER"), make(world, "ROSTER"), somebody(world, "desk")
    name = upload(one.code, here, photo()).json()["sha256"]

    assert send("GET", f"/sheets/{other.code}/pictures/{name}", here).json()["code"] == "picture_not_here"
    typed = {"by": "李填表", "lines": [{"number": 1, "outcome": "done"}], "pictures": [name]}
    assert send("POST", f"/sheets/{other.code}/typed", here, typed).json()["code"] == "picture_not_here"
    assert SheetReturn.objects.across(reason="verify").count() == 0


def test_second_typist_finds_the_photos_of_the_first_also_those_that_came_later(world: World) -> None:
    sheet, first, second = make(world, "ROSTER"), somebody(world, "desk"), somebody(world, "grid_head")
    early = upload(sheet.code, first, photo()).json()["sha256"]
    typed = {"by": "李填表", "check": True, "lines": [{"number": 1, "outcome": "done"}], "pictures": [early]}
    back = send("POST", f"/sheets/{sheet.code}/typed", first, typed).json()["id"]

    late = upload(sheet.code, first, photo("grey"), back=back).json()["sha256"]
    upload(sheet.code, first, photo("grey"), back=back)

    shown = send("GET", f"/sheet-returns/{back}", second).json()
    assert shown["pictures"] == [early, late]
    assert shown["rows"] == []
    assert send("GET", f"/sheets/{sheet.code}/pictures/{late}", second).status_code == 200
    other = make(world, "ROSTER")
    assert upload(other.code, first, photo("red"), back=back).status_code == 404
    assert SheetPicture.objects.count() == 2


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "picture_unreadable"),
        (b"%PDF-1.7 not a photo", "picture_unreadable"),
        (photo()[:400], "picture_unreadable"),
        (b"\xff\xd8" + b"x" * (5 << 20), "picture_too_large"),
        (photo(form="GIF"), "picture_unreadable"),
    ],
    ids=["empty", "pdf", "cut", "large", "gif"],
)
def test_what_is_no_photo_is_refused_and_nothing_is_kept(world: World, raw: bytes, code: str) -> None:
    answer = upload(make(world, "ROSTER").code, somebody(world, "desk"), raw).json()

    assert answer["code"] == code
    assert answer["cure"]
    assert SheetPicture.objects.count() == 0


def test_more_photos_than_a_sheet_takes_are_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pictures, "MOST_PICTURES", 1)
    sheet = make(world, "ROSTER")
    pictures.add_picture(sheet, photo(), by=desk(world), at=NOON)

    with pytest.raises(Refusal, match="sheet_pictures_enough"):
        pictures.add_picture(sheet, photo("grey"), by=desk(world), at=NOON)


def test_photos_wait_in_a_queue_of_their_own_and_who_waits_too_long_is_told_to_come_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "_DRAWING", threading.BoundedSemaphore(1))
    monkeypatch.setattr(drawing, "WAIT_S", 0.01)
    sheet, here = make(world, "ROSTER"), somebody(world, "desk")

    with drawing._DRAWING:
        busy = upload(sheet.code, here, photo())
        typed = {"by": "李填表", "lines": [{"number": 1, "outcome": "done"}]}
        assert send("POST", f"/sheets/{sheet.code}/typed", here, typed).status_code == 200

    assert (busy.status_code, busy.json()["code"], busy["Retry-After"]) == (503, "pictures_busy", "5")
    assert upload(sheet.code, here, photo()).status_code == 200


def test_photos_die_at_sunset(world: World) -> None:
    sheet = make(world, "ROSTER")
    name = pictures.add_picture(sheet, photo(), by=desk(world), at=NOON).sha256
    flow.open_typed(sheet, [TypedLine(1, "done")], writer=Writer("李填表", NOON), checked=False,
                    pictures=[name], by=desk(world), at=NOON)  # fmt: skip
    assert pictures.open_picture(sheet, name)

    destroy_incident_data(world.incident, officers=["甲", "乙"], authority="市指挥部", witness="公证员",
                          by=world.head.id, at=world.incident.ends_at + timedelta(days=1))  # fmt: skip

    assert SheetPicture.objects.count() == 0
    with pytest.raises(Refusal):
        drawing.read_picture(name, incident=world.incident.id)
