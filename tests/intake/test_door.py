# SPDX-License-Identifier: Apache-2.0
import gzip
import hashlib
import json
import tomllib
import uuid
from datetime import datetime
from pathlib import Path

import msgspec
import pytest

from muster.base import ids, messages
from muster.base.crypto import Keystore, verify
from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.answers import STATUS, problem
from muster.intake.limits import BODY_BYTES
from muster.intake.receipts import Receipt, receipt_holds

BATCHES = "/v1/batches"


@pytest.fixture
def device(house):
    return house.device()


def stranger(tmp_path):
    return Keystore.open(tmp_path / "elsewhere" / "keys.db", tmp_path / "elsewhere" / "secret", create=True)


class TestTaking:
    def test_a_batch_is_journaled_as_it_came_and_receipted(self, knock, house, device, journaled):
        batch, body = device.batch(3)
        headers = device.headers(body)

        reply = knock("POST", BATCHES, body, headers)

        assert reply.status == 200
        receipt = msgspec.json.decode(reply.body, type=Receipt)
        assert (receipt.v, receipt.batch, receipt.device, receipt.count) == (1, batch, device.id, 3)
        assert receipt.sha256 == hashlib.sha256(body).hexdigest()
        assert receipt.instance == house.keystore.instance_key().instance
        assert receipt_holds(receipt, house.keystore.instance_key().jwk)
        (row,) = journaled()
        assert (row.writer, row.n, row.body, row.fault) == (1, 1, body, None)
        assert (row.device, row.batch, row.incident, row.lease) == (
            device.id,
            batch,
            house.incident,
            device.lease,
        )
        assert row.sha256 == hashlib.sha256(body).digest()
        assert row.received_at == datetime.fromisoformat(receipt.received_at)
        assert f"{row.alg}=" == headers["muster-signature"][:6]
        assert verify(row.alg, device.jwk, row.body, row.signature)

    def test_a_compressed_batch_is_kept_plain(self, knock, device, journaled):
        _, body = device.batch(3)

        reply = knock("POST", BATCHES, gzip.compress(body), device.headers(body, content_encoding="GZip "))

        assert reply.status == 200
        assert reply.json["sha256"] == hashlib.sha256(body).hexdigest()
        assert journaled()[0].body == body

    def test_the_same_batch_again_gets_the_same_answer(self, knock, device, journaled):
        _, body = device.batch(2)

        first, second = (knock("POST", BATCHES, body, device.headers(body)) for _ in range(2))

        assert first.status == second.status == 200
        varies = {"received_at", "signature"}
        assert {k: v for k, v in first.json.items() if k not in varies} == {
            k: v for k, v in second.json.items() if k not in varies
        }
        assert [row.n for row in journaled()] == [1, 2]

    def test_a_body_in_pieces_is_one_body(self, knock, device, journaled):
        _, body = device.batch()

        pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
        assert knock("POST", BATCHES, pieces, device.headers(body)).status == 200
        assert journaled()[0].body == body

    @pytest.mark.parametrize("hours", [-1, -24 * 400])
    def test_an_expired_lease_is_still_heard(self, knock, house, journaled, hours):
        late = house.device(hours=hours)
        _, body = late.batch()

        assert knock("POST", BATCHES, body, late.headers(body)).status == 200
        assert len(journaled()) == 1

    def test_a_lease_of_the_house_before_its_restore_is_still_heard(self, knock, house, device):
        house.keystore.new_identity()
        _, body = device.batch()

        reply = knock("POST", BATCHES, body, device.headers(body))

        assert reply.status == 200
        assert reply.json["instance"] == str(house.keystore.instance_key().instance)

    @pytest.mark.parametrize("signature", ["", "ES256=AAAA", "none=", "nonsense"])
    def test_a_bad_signature_is_kept_for_fold_to_judge(self, knock, device, journaled, signature):
        _, body = device.batch()

        headers = device.headers(body) | {"muster-signature": signature}
        assert knock("POST", BATCHES, body, headers).status == 200
        assert not verify(journaled()[0].alg, device.jwk, body, journaled()[0].signature)

    def test_a_batch_under_another_devices_lease_is_kept_too(self, knock, house, device, journaled):
        other = house.device()
        _, body = other.batch()

        assert knock("POST", BATCHES, body, device.headers(body)).status == 200
        assert journaled()[0].device == other.id
        assert journaled()[0].lease == device.lease

    def test_facts_of_no_sense_are_kept(self, knock, device, journaled):
        whole = {
            "v": 1,
            "device": str(device.id),
            "batch": str(ids.new_id()),
            "sent_at": "",
            "facts": [None, 7, {}],
        }
        body = json.dumps(whole).encode()

        reply = knock("POST", BATCHES, body, device.headers(body))

        assert (reply.status, reply.json["count"]) == (200, 3)
        assert journaled()[0].body == body

    def test_a_destroyed_incident_takes_nothing_more(self, knock, house, device, journaled):
        other = house.device()
        house.keystore.destroy(purpose=f"journal:{house.incident}")
        _, body = device.batch()

        reply = knock("POST", BATCHES, body, device.headers(body))

        assert (reply.status, reply.json["code"]) == (410, "incident_destroyed")
        assert journaled() == []
        assert other


class TestRefusing:
    def refused(self, knock, code, *request, **more):
        reply = knock(*request, **more)
        assert reply.headers["content-type"] == "application/problem+json"
        assert (reply.json["code"], reply.json["status"]) == (code, reply.status)
        assert reply.json["type"] == f"urn:muster:problem:{code}"
        assert reply.json["detail"]
        return reply.status

    @pytest.mark.parametrize(
        ("code", "status", "change"),
        [
            ("body_not_json", 400, lambda body: body[:-1]),
            ("body_not_json", 400, lambda _: b""),
            ("envelope_bad", 400, lambda _: b"{}"),
            ("envelope_version_unknown", 400, lambda body: body.replace(b'"v": 1', b'"v": 2', 1)),
            ("body_too_large", 413, lambda body: body + b" " * BODY_BYTES),
            (
                "body_too_deep",
                400,
                lambda body: body.replace(b'"v": 1', b'"v": 1, "x": ' + b"[" * 60 + b"]" * 60, 1),
            ),
        ],
    )
    def test_a_bad_envelope_is_refused_and_nothing_kept(self, knock, device, journaled, code, status, change):
        body = change(device.batch()[1])

        assert self.refused(knock, code, "POST", BATCHES, body, device.headers(body)) == status
        assert journaled() == []

    def test_five_hundred_and_one_facts_are_too_many(self, knock, device, journaled):
        _, body = device.batch(501)
        assert self.refused(knock, "batch_too_long", "POST", BATCHES, body, device.headers(body)) == 413

        _, body = device.batch(500)
        assert knock("POST", BATCHES, body, device.headers(body)).status == 200
        assert len(journaled()) == 1

    def test_a_large_body_is_refused_by_its_length_alone(self, knock, device):
        headers = device.headers(b"") | {"content-length": str(BODY_BYTES + 1)}

        assert self.refused(knock, "body_too_large", "POST", BATCHES, b"", headers) == 413

    def test_a_large_body_is_refused_without_a_length(self, knock, device):
        headers = device.headers(b"") | {"content-length": ""}

        assert self.refused(knock, "body_too_large", "POST", BATCHES, [b" " * 65536] * 17, headers) == 413

    def test_a_truncated_body_is_refused(self, knock, device):
        _, body = device.batch()
        headers = device.headers(body) | {"content-length": str(len(body) + 1)}

        assert self.refused(knock, "body_cut", "POST", BATCHES, body, headers) == 400

    def test_a_gzip_bomb_is_refused(self, knock, device):
        bomb = gzip.compress(bytes(20 << 20), 1)

        headers = device.headers(bomb, content_encoding="gzip")
        assert self.refused(knock, "body_too_large", "POST", BATCHES, bomb, headers) == 413

    def test_a_truncated_gzip_and_another_encoding_are_refused(self, knock, device):
        packed = gzip.compress(device.batch()[1])

        cut = packed[:-9]
        headers = device.headers(cut, content_encoding="gzip")
        assert self.refused(knock, "encoding_bad", "POST", BATCHES, cut, headers) == 400
        headers = device.headers(packed, content_encoding="br")
        assert self.refused(knock, "encoding_unknown", "POST", BATCHES, packed, headers) == 415

    @pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic QTpC"])
    def test_no_lease_is_refused(self, knock, device, header):
        _, body = device.batch()
        headers = device.headers(body) | {"authorization": header}

        assert self.refused(knock, "lease_missing", "POST", BATCHES, body, headers) == 401

    def test_a_lease_of_another_house_is_refused(self, knock, house, tmp_path, journaled):
        foreign = house.device(keystore=stranger(tmp_path))
        _, body = foreign.batch()

        assert self.refused(knock, "lease_unknown", "POST", BATCHES, body, foreign.headers(body)) == 401
        assert journaled() == []

    @pytest.mark.parametrize("at", [5, 60, 200, -5])
    def test_a_forged_lease_is_refused(self, knock, device, at):
        _, body = device.batch()
        letter = "A" if device.lease[at] != "A" else "B"
        forged = device.lease[:at] + letter + device.lease[at:][1:]
        headers = device.headers(body) | {"authorization": f"Bearer {forged}"}

        assert self.refused(knock, "lease_unknown", "POST", BATCHES, body, headers) == 401
        assert knock("POST", BATCHES, body, device.headers(body)).status == 200

    def test_a_site_is_heard_once_the_city_certified_it(self, knock, house, tmp_path):
        site = stranger(tmp_path)
        key = site.instance_key()
        worker = house.device(keystore=site)
        _, body = worker.batch()
        assert knock("POST", BATCHES, body, worker.headers(body)).status == 401

        at = datetime.fromisoformat("2026-01-05T09:00:00+08:00")
        house.keystore.trust(
            key.jwk, certificate=house.keystore.certify(key.jwk, instance=key.instance, at=at)
        )

        assert knock("POST", BATCHES, body, worker.headers(body)).status == 200

    def test_a_door_that_lags_sends_away_before_anything_costs(self, knock, device, monkeypatch):
        monkeypatch.setattr(limits, "LAG_SECONDS", -1)

        reply = knock("POST", BATCHES, b"", {"authorization": "Bearer junk"})

        assert (reply.status, reply.json["code"]) == (503, "intake_busy")
        assert 2 <= int(reply.headers["retry-after"]) <= 10

    def test_other_addresses_and_methods_are_refused(self, knock):
        assert self.refused(knock, "path_unknown", "GET", "/v1/facts") == 404
        assert self.refused(knock, "method_unknown", "GET", BATCHES) == 405
        assert self.refused(knock, "method_unknown", "POST", "/healthz") == 405

    def test_the_answer_speaks_the_askers_language(self, knock):
        assert knock("GET", "/x", headers={"accept-language": "en-GB,zh"}).json["detail"].isascii()
        assert not knock("GET", "/x", headers={"accept-language": "zh-CN"}).json["detail"].isascii()
        assert not knock("GET", "/x").json["detail"].isascii()


class TestOrigins:
    @pytest.mark.parametrize("origin", ["https://muster.example", "https://desk.example"])
    def test_pages_of_our_web_may_ask(self, knock, device, origin):
        reply = knock("OPTIONS", BATCHES, headers={"origin": origin, "access-control-request-method": "POST"})

        assert reply.status == 204
        assert reply.headers["access-control-allow-origin"] == origin
        allowed = reply.headers["access-control-allow-headers"]
        assert all(name in allowed for name in ("authorization", "muster-signature", "content-encoding"))
        _, body = device.batch()
        reply = knock("POST", BATCHES, body, device.headers(body, origin=origin))
        assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, origin)

    def test_refusals_can_be_read_across_origins(self, knock):
        reply = knock("POST", BATCHES, b"", {"origin": "https://muster.example"})

        assert reply.status == 401
        assert reply.headers["access-control-allow-origin"] == "https://muster.example"
        assert "Retry-After" in reply.headers["access-control-expose-headers"]

    @pytest.mark.parametrize(
        "origin", ["https://evil.example", "https://muster.example.evil.example", "null", ""]
    )
    def test_other_pages_are_not_let_in(self, knock, origin):
        reply = knock("OPTIONS", BATCHES, headers={"origin": origin})

        assert "access-control-allow-origin" not in reply.headers


class TestHealth:
    def test_the_door_says_that_it_is_open(self, knock):
        assert knock("GET", "/healthz").json == {"status": "ok"}
        knock("HEAD", "/healthz")
        reply = knock("GET", "/readyz")
        assert reply.status in (200, 503)
        assert set(reply.json) == {"status", "writer", "queue", "disk_free"}


def test_every_refusal_has_a_status_and_words_in_both_languages():
    path = Path(messages.__file__).parents[1] / "intake" / "messages.toml"
    worded = set(tomllib.loads(path.read_text()))

    assert set(STATUS) | {"setting_bad"} == worded
    facts = {"most": 1, "count": 2, "encoding": "x", "cause": "y", "version": 3, "method": "GET"}
    for code in STATUS:
        assert (
            problem(Refusal(code, **facts), lang="zh").body != problem(Refusal(code, **facts), lang="en").body
        )


def test_a_refusal_from_below_is_our_own_failure_not_a_puzzle():
    answer = problem(Refusal("secret_wrong", path="/somewhere"), lang="en")

    assert answer.status == 500
    assert b"intake_failed" in answer.body
    assert b"/somewhere" not in answer.body


def test_a_receipt_is_for_its_batch_only(knock, house, device):
    _, body = device.batch()
    receipt = msgspec.json.decode(knock("POST", BATCHES, body, device.headers(body)).body, type=Receipt)
    jwk = house.keystore.instance_key().jwk

    assert receipt_holds(receipt, jwk)
    for change in (
        {"batch": uuid.uuid4()},
        {"device": uuid.uuid4()},
        {"sha256": "0" * 64},
        {"received_at": "now"},
    ):
        assert not receipt_holds(msgspec.structs.replace(receipt, **change), jwk)
    assert not receipt_holds(msgspec.structs.replace(receipt, signature="!"), jwk)
