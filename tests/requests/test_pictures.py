# SPDX-License-Identifier: Apache-2.0
"""Pictures of requests: nothing of the camera stays, who serves sees them, wrong files lose no request."""

from __future__ import annotations

import io
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from muster.base.errors import Refusal
from muster.files import pictures as files
from muster.requests import work
from muster.requests.models import Picture, Request
from muster.requests.pictures import MOST_PICTURES, add_picture, names_of, open_picture
from muster.requests.queries import items_of
from muster.requests.services import Taken
from tests.support.serving import ask, door, somebody_who_serves
from tests.support.world import NOON, World, make_world

pytestmark = pytest.mark.django_db
PLACE = b"GPS 34.2658N 108.9541E"


@pytest.fixture
def world() -> Iterator[World]:
    with time_machine.travel(NOON, tick=False):
        yield make_world(frozen=False)


@pytest.fixture
def taken(world: World) -> Taken:
    return ask(world, where=door(world))


def photo(size: tuple[int, int] = (300, 200), form: str = "JPEG", colour: int = 90, **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (colour, 120, 40)).save(out, form, **more)
    return out.getvalue()


def with_place() -> bytes:
    exif = Image.Exif()
    exif[0x010E] = PLACE.decode()
    exif[0x0112] = 6  # held upright: turned by a quarter
    return photo(exif=exif)


def test_what_the_camera_wrote_is_gone_and_the_picture_stands_upright(taken: Taken) -> None:
    raw = with_place()
    assert PLACE in raw, "the control: it was there"
    name = add_picture(taken.request.id, raw, by=None, at=NOON).sha256

    shown = open_picture(taken.request, name)
    assert PLACE not in shown
    assert Image.open(io.BytesIO(shown)).size == (200, 300)


def test_large_one_is_made_small_and_the_same_twice_is_one(taken: Taken) -> None:
    raw = photo((4000, 2500))
    for _ in range(2):
        add_picture(taken.request.id, raw, by=None, at=NOON)

    (name,) = names_of(taken.request.id)
    assert Image.open(io.BytesIO(open_picture(taken.request, name))).size == (1600, 1000)


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_other_forms_are_read(taken: Taken, form: str) -> None:
    assert add_picture(taken.request.id, photo(form=form), by=None, at=NOON).sha256


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "picture_unreadable"),
        (b"<svg onload=alert(1)>", "picture_unreadable"),
        (photo()[:200], "picture_unreadable"),
        (photo(form="GIF"), "picture_unreadable"),
        (b"x" * (files.MOST_BYTES + 1), "picture_too_large"),
        (photo((9000, 9000), form="PNG"), "picture_unreadable"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(taken: Taken, raw: bytes, code: str) -> None:
    with pytest.raises(Refusal, match=code):
        add_picture(taken.request.id, raw, by=None, at=NOON)
    assert not Picture.objects.exists()


def test_not_without_end_and_not_after_the_end(taken: Taken) -> None:
    for n in range(MOST_PICTURES):
        add_picture(taken.request.id, photo(colour=40 * n), by=None, at=NOON)
    with pytest.raises(Refusal, match="pictures_enough"):
        add_picture(taken.request.id, photo(colour=250), by=None, at=NOON)
    Request.objects.across(reason="own").filter(id=taken.request.id).update(status="WITHDRAWN")
    with pytest.raises(Refusal, match="request_ended"):
        add_picture(taken.request.id, photo(colour=5), by=None, at=NOON)


def test_picture_of_another_request_does_not_open_here(world: World, taken: Taken) -> None:
    name = add_picture(taken.request.id, photo(), by=None, at=NOON).sha256
    other = ask(world, category="repair", where=door(world, 1))

    with pytest.raises(Refusal, match="picture_not_here"):
        open_picture(other.request, name)
    for wrong in ("", "0" * 64, "../../keys.db"):
        with pytest.raises(Refusal, match="picture_not_here"):
            open_picture(taken.request, wrong)


def test_doers_picture_opens_once_it_has_come_in(world: World, taken: Taken) -> None:
    helper = somebody_who_serves(world)
    item = items_of([taken.request.id])[0]
    work.accept(item.id, responder=helper.id, at=NOON)
    work.finish(item.id, responder=helper.id, outcome="SOLVED", photo="b" * 64, at=NOON)
    with pytest.raises(Refusal, match="picture_not_here"):
        open_picture(taken.request, "b" * 64)

    name = files.keep_picture(photo(), incident=world.incident.id)
    items = items_of([taken.request.id])
    items[0].photo = name
    items[0].save()
    assert open_picture(taken.request, name)[:2] == b"\xff\xd8"


def form(world: World, picture: SimpleUploadedFile) -> dict[str, Any]:
    return {
        "category": "repair", "urgency": "NORMAL", "text": "水管漏了", "phone": "13800000009",
        "community": str(world.communities[0].id), "address": world.dwellings[0].label, "picture": picture,
    }  # fmt: skip


def test_asked_with_a_picture_on_the_plain_page(world: World) -> None:
    sent = SimpleUploadedFile("door.jpg", with_place(), content_type="image/jpeg")
    answer = Client().post("/ask", form(world, sent))

    assert answer.status_code == 303
    row = Request.objects.across(reason="own").latest("number")
    assert len(names_of(row.id)) == 1
    assert row.pictures.get().by_resident


def test_wrong_file_loses_no_request_and_is_told(world: World) -> None:
    sent = SimpleUploadedFile("door.heic", b"not a picture", content_type="image/heic")
    answer = Client().post("/ask", form(world, sent), follow=True, headers={"Accept-Language": "zh"})

    row = Request.objects.across(reason="own").latest("number")
    assert names_of(row.id) == []
    shown = answer.content.decode()
    assert "照片没有存下" in shown
    assert str(row.number) in shown


def test_added_later_or_refused_with_the_cure(world: World) -> None:
    made = ask(world, category="repair", where=door(world))
    path = f"/track/{made.code}"
    good = SimpleUploadedFile("a.png", photo(form="PNG"), content_type="image/png")
    assert Client().post(path, {"act": "picture", "picture": good}).status_code == 303
    assert len(names_of(made.request.id)) == 1

    wrong = SimpleUploadedFile("a.png", b"no", content_type="image/png")
    answer = Client().post(path, {"act": "picture", "picture": wrong}, headers={"Accept-Language": "en"})
    assert answer.status_code == 422
    assert "no picture that can be opened" in answer.content.decode()


def test_hash_of_a_stranger_is_no_key(world: World, taken: Taken) -> None:
    name = add_picture(taken.request.id, photo(), by=None, at=NOON).sha256

    answer = Client().get(f"/api/v1/requests/{taken.request.id}/pictures/{name}")
    assert answer.status_code == 401
    assert uuid.UUID(str(taken.request.id))
