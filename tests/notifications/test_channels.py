# SPDX-License-Identifier: Apache-2.0
"""Channels against a real mail server and a real web server on this machine; addresses that are none."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.notifications.channels import close_channel, open_channel, read_address, try_channel
from muster.notifications.models import Channel, Message
from muster.notifications.senders import SIGNATURE_HEADER, sign_webhook
from muster.notifications.services import ToArea
from muster.notifications.states import Delivery, Fault
from tests.notifications.conftest import Outbox
from tests.support.house import free_ports
from tests.support.world import NOON

pytestmark = pytest.mark.django_db
SECRET = "only-for-the-drill-0001"
BY = new_id()


@dataclass
class Hook:
    """A web server that keeps what it gets and answers what it is told to."""

    port: int = 0
    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    kept = Hook()

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append((dict(self.headers), body))
            self.send_response(kept.status)
            if kept.status == 302:
                self.send_header("Location", f"http://127.0.0.1:{kept.port}/elsewhere")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    kept.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield kept
    server.shutdown()
    server.server_close()
    thread.join(5)


class Mailbox:
    def __init__(self) -> None:
        self.letters: list[str] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.letters.append(envelope.content.decode())
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    (port,) = free_ports(1)
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    yield box, port
    server.stop()


def channel(outbox: Outbox, kind: str, address: str, **more: Any) -> Channel:
    area = more.pop("area", outbox.world.communities[0])
    return open_channel(
        incident=outbox.world.incident, area=area.id, area_path=area.path, kind=kind,
        name=more.pop("name", "值班群"), address=address, by=BY, at=NOON, **more,
    )  # fmt: skip


def tell(outbox: Outbox, *, key: str = "1", community: int = 0) -> int:
    path = outbox.world.communities[community].path
    return outbox.tell("request_escalated", ToArea(path), key=key, facts={"number": 4827})


def test_a_webhook_is_signed_and_acknowledges(outbox: Outbox, hook: Hook) -> None:
    channel(outbox, "WEBHOOK", f"http://127.0.0.1:{hook.port}/in", secret=SECRET)
    assert tell(outbox) == 1

    assert outbox.deliver().sent == 1

    ((headers, body),) = hook.got
    assert headers[SIGNATURE_HEADER] == sign_webhook(SECRET, body)
    assert sign_webhook("another-secret-000", body) != headers[SIGNATURE_HEADER]
    told = json.loads(body)
    assert "4827" in told["text"]
    assert headers["Idempotency-Key"] == told["key"]
    assert outbox.states() == [(Delivery.ACK, "")]


@pytest.mark.parametrize("status", [302, 400, 500])
def test_a_webhook_that_refuses_is_tried_again_and_never_followed_elsewhere(
    outbox: Outbox, hook: Hook, status: int
) -> None:
    row = channel(outbox, "WEBHOOK", f"http://127.0.0.1:{hook.port}/in", secret=SECRET)
    tell(outbox)
    hook.status = status

    report = outbox.deliver()
    hook.status = 204

    assert (report.sent, report.waiting, len(hook.got)) == (0, 1, 1)
    assert Channel.objects.across(reason="messages").get(id=row.id).last_fault == Fault.REFUSED
    assert outbox.deliver(minutes=1).sent == 1
    assert hook.got[0][0]["Idempotency-Key"] == hook.got[1][0]["Idempotency-Key"]
    assert Channel.objects.across(reason="messages").get(id=row.id).last_fault == ""


def test_a_letter_arrives(outbox: Outbox, mail: tuple[Mailbox, int]) -> None:
    box, port = mail
    address = f"mailto://127.0.0.1:{port}?from=muster@example.org&to=desk@example.org&mode=insecure"
    channel(outbox, "EMAIL", address, language="en")
    tell(outbox)

    assert outbox.deliver().sent == 1

    (letter,) = box.letters
    assert "desk@example.org" in letter
    assert "4827" in letter
    assert outbox.states() == [(Delivery.SENT, "")]


def test_a_mail_server_that_is_down_is_no_crash(outbox: Outbox) -> None:
    channel(outbox, "EMAIL", "mailto://127.0.0.1:9?from=a@example.org&to=b@example.org&mode=insecure")
    tell(outbox)

    report = outbox.deliver()

    assert (report.sent, report.waiting) == (0, 1)


def test_an_area_without_a_channel_tells_the_next_one_above(outbox: Outbox, hook: Hook) -> None:
    address = f"http://127.0.0.1:{hook.port}/in"
    channel(outbox, "WEBHOOK", address, secret=SECRET, area=outbox.world.city, name="市")
    channel(outbox, "WEBHOOK", address, secret=SECRET, name="社区")

    assert tell(outbox, community=0) == 1
    assert tell(outbox, community=1, key="2") == 1
    rows = Message.objects.across(reason="messages")
    assert rows.values("channel").distinct().count() == 2


def test_a_closed_channel_hears_nothing_more(outbox: Outbox, hook: Hook) -> None:
    row = channel(outbox, "WEBHOOK", f"http://127.0.0.1:{hook.port}/in", secret=SECRET)
    tell(outbox)
    close_channel(row, by=BY, at=NOON)

    outbox.deliver()

    assert tell(outbox, key="2") == 0
    assert hook.got == []
    assert outbox.states() == [(Delivery.FAILED, Fault.CHANNEL_CLOSED)]


def test_trying_a_channel_says_whether_it_works(outbox: Outbox, hook: Hook) -> None:
    row = channel(outbox, "WEBHOOK", f"http://127.0.0.1:{hook.port}/in", secret=SECRET)

    try_channel(row, zone="Asia/Shanghai", by=BY, at=NOON)
    hook.status = 500
    with pytest.raises(Refusal, match="channel_did_not_answer"):
        try_channel(row, zone="Asia/Shanghai", by=BY, at=NOON)

    assert len(hook.got) == 2


def test_address_and_secret_lie_sealed(outbox: Outbox) -> None:
    row = channel(outbox, "WEBHOOK", "https://example.org/in?token=abc", secret=SECRET)

    kept = Channel.objects.across(reason="messages").get(id=row.id)
    lying = bytes(kept.__dict__["address"]) + bytes(kept.__dict__["secret"])
    assert b"token" not in lying
    assert SECRET.encode() not in lying
    assert kept.secret == SECRET


ROBOTS = {
    "WECOM": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7aoc-4bc4-97a0-0ec2sifa5aaa",
    "DINGTALK": "https://oapi.dingtalk.com/robot/send?access_token=abcdefghijk0123456789",
    "FEISHU": "https://open.feishu.cn/open-apis/bot/v2/hook/9e6b2d5c-1111-2222-3333-444455556666",
}


@pytest.mark.parametrize("kind", ROBOTS)
def test_the_address_that_a_robots_page_shows_is_understood(kind: str) -> None:
    ready = read_address(kind, ROBOTS[kind], "", is_drill=False)

    assert ready.partition("://")[0] == {"WECOM": "wecombot"}.get(kind, kind.lower())


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("WECOM", ""), ("WECOM", ROBOTS["FEISHU"]), ("WECOM", "https://evil.example/cgi-bin/webhook/send?key=1"),
        ("DINGTALK", "https://oapi.dingtalk.com/robot/send"), ("EMAIL", "https://example.org"),
        ("EMAIL", "desk@example.org"), ("EMAIL", "file:///etc/passwd"), ("FEISHU", "json://127.0.0.1/"),
        ("WEBHOOK", "http://example.org/in"), ("WEBHOOK", "http://127.0.0.1/in"), ("WEBHOOK", "ftp://x/"),
        ("WEBHOOK", "https://"), ("WEBHOOK", "https://x:99999999/"), ("WEBHOOK", "https://a b/"),
        ("WEBHOOK", "https://[::1"), ("WEBHOOK", "https://example.org/" + "a" * 500),
    ],
)  # fmt: skip
def test_an_address_that_is_none_is_refused(kind: str, address: str) -> None:
    with pytest.raises(Refusal, match="channel_address_bad"):
        read_address(kind, address, "", is_drill=False)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"kind": "PIGEON"}, "channel_kind_unknown"), ({"name": " "}, "channel_name_missing"),
        ({"name": "长" * 81}, "channel_name_missing"), ({"secret": "short"}, "channel_secret_missing"),
    ],
)  # fmt: skip
def test_a_channel_that_lacks_something_is_refused(outbox: Outbox, more: dict[str, str], code: str) -> None:
    told = {"kind": "WEBHOOK", "address": "https://example.org/in", "secret": SECRET, **more}
    with pytest.raises(Refusal, match=code):
        channel(outbox, told.pop("kind"), told.pop("address"), **told)

    assert Channel.objects.across(reason="messages").count() == 0
