# SPDX-License-Identifier: Apache-2.0
"""The envelope: what a batch must be before it is journaled. Its facts stay raw: they are fold's to judge."""

import re
import uuid
import zlib
from typing import Any

import msgspec

from muster.base.crypto.signing import ALGORITHMS, unb64url
from muster.base.errors import Refusal
from muster.intake.limits import BATCH_FACTS, BODY_BYTES, DEPTH, SIGNATURE_LETTERS

VERSION = 1
_GZIP = 16 + zlib.MAX_WBITS
_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


class Batch(msgspec.Struct, frozen=True):
    """A batch as far as the front door looks into it."""

    v: int
    device: uuid.UUID
    batch: uuid.UUID
    sent_at: str
    facts: list[msgspec.Raw]


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whom or what a fact is about: one of the six, and the sub-district that holds it."""

    sub_district: int
    dwelling: uuid.UUID | None = None
    household: uuid.UUID | None = None
    person: uuid.UUID | None = None
    request: uuid.UUID | None = None
    trip: uuid.UUID | None = None
    responder: uuid.UUID | None = None


class Fact(msgspec.Struct, frozen=True):
    """A fact as fold reads it from a batch; `body` is checked against its kind."""

    v: int
    id: uuid.UUID
    seq: int
    kind: str
    actor: str
    occurred_at: str
    subject: Subject
    body: dict[str, Any]


_decoder = msgspec.json.Decoder(Batch)


def plain_body(raw: bytes, encoding: str) -> bytes:
    """Return the uncompressed body. Never makes more than the limit, whatever the gzip says."""
    if encoding in ("", "identity"):
        return raw
    if encoding not in ("gzip", "x-gzip"):
        raise Refusal("encoding_unknown", encoding=encoding[:32])
    gunzip = zlib.decompressobj(_GZIP)
    try:
        body = gunzip.decompress(raw, BODY_BYTES + 1)
    except zlib.error:
        raise Refusal("encoding_bad") from None
    if len(body) > BODY_BYTES:
        raise Refusal("body_too_large", most=BODY_BYTES)
    if not gunzip.eof or gunzip.unused_data:
        raise Refusal("encoding_bad")
    return body


def read_batch(body: bytes) -> Batch:
    """Return the batch in a body.

    Refusals: body_not_json, body_too_deep, envelope_version_unknown, envelope_bad, batch_too_long.
    """
    try:
        body.decode()
        batch = _decoder.decode(body)
    except RecursionError:
        raise Refusal("body_too_deep", most=DEPTH) from None
    except msgspec.ValidationError as wrong:
        raise _why_bad(body, wrong) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as wrong:
        raise Refusal("body_not_json", cause=str(wrong)[:200]) from None
    if batch.v != VERSION:
        raise Refusal("envelope_version_unknown", version=batch.v)
    if len(batch.facts) > BATCH_FACTS:
        raise Refusal("batch_too_long", count=len(batch.facts), most=BATCH_FACTS)
    if _may_be_deep(body, batch) and deeper_than(body, DEPTH):
        raise Refusal("body_too_deep", most=DEPTH)
    return batch


def _may_be_deep(body: bytes, batch: Batch) -> bool:
    """Say whether brackets suffice for too deep a nesting, in a fact or around the facts.

    Counting is a tenth of looking; whoever puts brackets into a text is only looked at more closely.
    """
    around = body.count(b"{") + body.count(b"[")
    for fact in batch.facts:
        text = bytes(fact)
        brackets = text.count(b"{") + text.count(b"[")
        if brackets > DEPTH - 2:
            return True
        around -= brackets
    return around > DEPTH


def _why_bad(body: bytes, wrong: msgspec.ValidationError) -> Refusal:
    # The first mismatch stops the decoder; what lies behind it may be worse and says more.
    try:
        whole = msgspec.json.decode(body)
    except RecursionError:
        return Refusal("body_too_deep", most=DEPTH)
    except msgspec.DecodeError as worse:
        return Refusal("body_not_json", cause=str(worse)[:200])
    if isinstance(whole, dict) and whole.get("v", VERSION) != VERSION:
        return Refusal("envelope_version_unknown", version=str(whole["v"])[:20])
    return Refusal("envelope_bad", cause=str(wrong)[:200])


def deeper_than(body: bytes, most: int) -> bool:
    """Say whether valid JSON nests deeper than `most`.

    Takes innermost pairs away, `most` times: each pass is one scan in C, and real batches need five.
    """
    brackets = _STRINGS.sub(b"", body).translate(None, _ALL_BUT_BRACKETS)
    for _ in range(most):
        if not brackets:
            return False
        brackets = re.sub(rb"\[\]|\{\}", b"", brackets)
    return bool(brackets)


def read_signature(header: str) -> tuple[str, bytes]:
    """Return algorithm and signature. What cannot be read is kept as it came, under no algorithm."""
    alg, told, text = header.partition("=")
    try:
        if told and alg in ALGORITHMS.values():
            return alg, unb64url(text)
    except ValueError:
        pass
    return "", header[:SIGNATURE_LETTERS].encode()
