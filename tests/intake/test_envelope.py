# SPDX-License-Identifier: Apache-2.0
import gzip
import json
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.base import ids
from muster.base.crypto.signing import b64url
from muster.base.errors import Refusal
from muster.intake.envelope import Fact, deeper_than, plain_body, read_batch, read_signature
from muster.intake.limits import BODY_BYTES, DEPTH

ENVELOPE_CODES = {
    "body_not_json",
    "body_too_deep",
    "envelope_bad",
    "envelope_version_unknown",
    "batch_too_long",
}
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def whole(**changes):
    batch = {"v": 1, "device": str(ids.new_id()), "batch": str(ids.new_id()), "sent_at": "x", "facts": []}
    return batch | changes


def encoded(value):
    return json.dumps(value, ensure_ascii=False).encode()


@given(facts=st.lists(anything, max_size=5))
def test_facts_of_any_shape_are_kept_byte_by_byte(facts):
    body = encoded(whole(facts=facts))

    batch = read_batch(body)

    assert [json.loads(bytes(fact)) for fact in batch.facts] == facts
    assert all(bytes(fact) in body for fact in batch.facts)


@given(body=st.binary(max_size=300) | anything.map(encoded))
def test_what_is_no_batch_is_refused_by_one_of_its_codes(body):
    with pytest.raises(Refusal) as refused:
        read_batch(body)

    assert refused.value.code in ENVELOPE_CODES


@given(
    field=st.sampled_from(["v", "device", "batch", "sent_at", "facts"]),
    value=st.none()
    | st.booleans()
    | st.text(max_size=5)
    | st.integers()
    | st.dictionaries(st.text(), st.none()),
)
def test_a_field_of_another_type_is_refused(field, value):
    fits = (field == "v" and value == 1 and value is not True) or (
        field == "sent_at" and isinstance(value, str)
    )
    body = encoded(whole(**{field: value}))

    if fits:
        read_batch(body)
    else:
        with pytest.raises(Refusal) as refused:
            read_batch(body)
        assert refused.value.code in {"envelope_bad", "envelope_version_unknown"}


def test_fields_of_a_later_day_are_let_through():
    assert read_batch(encoded(whole(app="2.0", more={"x": [1]}))).v == 1


def test_another_version_is_named_even_when_its_shape_differs():
    for body in (encoded(whole(v=2)), encoded({"v": 2, "packets": []})):
        with pytest.raises(Refusal, match="envelope_version_unknown"):
            read_batch(body)


@pytest.mark.parametrize(("count", "taken"), [(0, True), (500, True), (501, False)])
def test_a_batch_holds_five_hundred_facts(count, taken):
    body = encoded(whole(facts=[{"id": n} for n in range(count)]))

    if taken:
        assert len(read_batch(body).facts) == count
    else:
        with pytest.raises(Refusal, match="batch_too_long"):
            read_batch(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b"null garbage",
        b"{} {}",
        b"\xff\xfe",
        b'{"v":1,"device":"\xff"}',
        encoded(whole())[:-1],
        encoded(whole()) + b"x",
    ],
)
def test_what_is_no_json_is_said_to_be_none(body):
    with pytest.raises(Refusal, match="body_not_json"):
        read_batch(body)


def nested(levels, text=""):
    inner = encoded(text).decode()
    return ("[" * levels + inner + "]" * levels).encode()


@pytest.mark.parametrize("levels", [1, 29, 30, 31, 900, 5000, 100_000, 400_000])
def test_depth_is_bounded_at_any_depth(levels):
    body = b'{"v":1,"device":"%s","batch":"%s","sent_at":"","facts":[%s]}' % (
        str(ids.new_id()).encode(),
        str(ids.new_id()).encode(),
        nested(levels),
    )

    if levels + 2 <= DEPTH:
        assert len(read_batch(body).facts) == 1
    else:
        with pytest.raises(Refusal, match="body_too_deep"):
            read_batch(body)


def depth_of(value):
    if isinstance(value, list | dict):
        return 1 + max(
            (depth_of(inner) for inner in (value.values() if isinstance(value, dict) else value)), default=0
        )
    return 0


@given(value=anything, most=st.integers(min_value=0, max_value=6))
def test_depth_agrees_with_a_slow_count(value, most):
    for body in (encoded(value), json.dumps(value).encode()):
        assert deeper_than(body, most) == (depth_of(value) > most)


@pytest.mark.parametrize("text", ['"]', "\\", '\\"', "[[[{", "]]}}", '"\\"]'])
def test_brackets_in_texts_do_not_count(text):
    assert not deeper_than(nested(3, text), 3)
    assert deeper_than(nested(4, text), 3)


class TestCompression:
    def test_gzip_and_none_give_the_same_body(self):
        body = encoded(whole())

        assert (
            plain_body(gzip.compress(body), "gzip")
            == plain_body(body, "")
            == plain_body(body, "identity")
            == body
        )

    def test_a_bomb_is_refused_before_it_unfolds(self):
        bomb = gzip.compress(bytes(300 << 20), 9)
        assert len(bomb) < BODY_BYTES

        with pytest.raises(Refusal, match="body_too_large"):
            plain_body(bomb, "gzip")

    def test_the_limit_is_for_the_plain_body(self):
        assert len(plain_body(gzip.compress(bytes(BODY_BYTES)), "gzip")) == BODY_BYTES
        with pytest.raises(Refusal, match="body_too_large"):
            plain_body(gzip.compress(bytes(BODY_BYTES + 1)), "gzip")

    @given(cut=st.integers(min_value=0, max_value=99))
    def test_a_cut_body_is_damaged(self, cut):
        packed = gzip.compress(encoded(whole()))

        with pytest.raises(Refusal, match="encoding_bad"):
            plain_body(packed[: cut % len(packed)], "gzip")

    @pytest.mark.parametrize(
        "junk", [b"{}", b"\x1f\x8b", gzip.compress(b"{}", mtime=0) + b"x", zlib.compress(b"{}")]
    )
    def test_what_is_no_gzip_is_damaged(self, junk):
        with pytest.raises(Refusal, match="encoding_bad"):
            plain_body(junk, "gzip")

    @pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd"])
    def test_other_encodings_are_named(self, encoding):
        with pytest.raises(Refusal, match="encoding_unknown"):
            plain_body(b"{}", encoding)


class TestSignatureHeader:
    @given(raw=st.binary(max_size=80), alg=st.sampled_from(["ES256", "Ed25519"]))
    def test_a_signature_is_read(self, raw, alg):
        assert read_signature(f"{alg}={b64url(raw)}") == (alg, raw)

    @pytest.mark.parametrize("header", ["", "ES256", "ES256=+/", "none=AAAA", "hs256=AAAA", "=", "x" * 2000])
    def test_any_other_header_is_kept_for_fold(self, header):
        assert read_signature(header) == ("", header[:512].encode())


def test_a_fact_reads_as_the_contract_has_it():
    fact = {
        "v": 1,
        "id": str(ids.new_id()),
        "seq": 4,
        "kind": "door.state",
        "actor": "w",
        "occurred_at": "2026-01-05T09:00:00+08:00",
        "subject": {"sub_district": 7, "dwelling": str(ids.new_id())},
        "body": {"state": "SEEN"},
    }

    read = msgspec.json.decode(encoded(fact), type=Fact)

    assert json.loads(msgspec.json.encode(read)) == fact
