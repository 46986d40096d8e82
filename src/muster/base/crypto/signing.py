# SPDX-License-Identifier: Apache-2.0
"""Signatures: a device's (ES256 or Ed25519 over exact bytes) and an instance's (COSE_Sign1 over CWT claims).

Nouns: JWK (a public key as JSON), kid (8 bytes of its thumbprint), SigningKey (ours), TrustedKey (one whose
word we take).
"""

import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicNumbers
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey as EcPublic
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey as EdPublic
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from muster.base.errors import Refusal, UnprovenSignature

ALGORITHMS = {("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "Ed25519"}
SIGNATURE_BYTES = 64
LONGEST_TOKEN = 4096
_COORDINATE_BYTES = 32
_SIGN1_TAG = 18
_HEADER_ALG, _HEADER_KID, _HEADER_TYP = 1, 4, 16
_COSE_EDDSA = -8


@dataclass(frozen=True, slots=True)
class SigningKey:
    """An instance's own key. `jwk` is its public half; the private half never prints."""

    instance: uuid.UUID
    kid: str
    jwk: dict[str, str]
    private: Ed25519PrivateKey = field(repr=False, compare=False)

    def sign(self, body: bytes) -> bytes:
        return self.private.sign(body)


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key whose word this instance takes. `own`: made here (also a retired one)."""

    instance: uuid.UUID
    kid: str
    jwk: dict[str, str]
    own: bool
    retired_at: datetime | None = None
    certificate: bytes | None = None


def b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64url(text: str) -> bytes:
    """Decode base64url without padding; ValueError for all else, also for another spelling of the bytes."""
    if not isinstance(text, str) or not text.isascii():
        raise ValueError("not base64url")
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError("not base64url") from None
    if b64url(raw) != text:
        raise ValueError("not base64url")
    return raw


def public_jwk(jwk: object) -> dict[str, str]:
    """Return the bare public key of a JWK as a device sends it; refuse what is no P-256 or Ed25519 key."""
    if not isinstance(jwk, Mapping):
        raise Refusal("key_bad")
    wanted = ("kty", "crv", "x", "y") if jwk.get("kty") == "EC" else ("kty", "crv", "x")
    bare = {name: jwk.get(name) for name in wanted}
    if "d" in jwk or not all(isinstance(value, str) for value in bare.values()):
        raise Refusal("key_bad")
    texts = {name: str(value) for name, value in bare.items()}
    if _load_public(tuple(sorted(texts.items()))) is None:
        raise Refusal("key_bad")
    return texts


def thumbprint(jwk: Mapping[str, str]) -> bytes:
    """RFC 7638: SHA-256 over the required members in lexical order."""
    members = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    return hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()


def key_id(jwk: Mapping[str, str]) -> str:
    return b64url(thumbprint(jwk)[:8])


def ed25519_jwk(public: EdPublic) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url(public.public_bytes_raw())}


def verify(alg: str, jwk: Mapping[str, Any], body: bytes, signature: bytes) -> bool:
    """Say whether `signature` over `body` is by `jwk`. Its type pins `alg`; hostile input is False."""
    try:
        members = tuple(sorted((name, jwk[name]) for name in ("kty", "crv", "x", "y") if name in jwk))
        if ALGORITHMS.get((jwk["kty"], jwk["crv"])) != alg or len(signature) != SIGNATURE_BYTES:
            return False
        public = _load_public(members)
        if public is None:
            return False
        if isinstance(public, EdPublic):
            public.verify(bytes(signature), body)
        else:
            r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
            public.verify(encode_dss_signature(r, s), body, ECDSA(hashes.SHA256()))
    except (InvalidSignature, KeyError, TypeError, ValueError, AttributeError):
        return False
    return True


@lru_cache(maxsize=4096)
def _load_public(members: tuple[tuple[str, str], ...]) -> EdPublic | EcPublic | None:
    jwk = dict(members)
    try:
        x = unb64url(jwk["x"])
        if len(x) != _COORDINATE_BYTES:
            return None
        if (jwk["kty"], jwk["crv"]) == ("OKP", "Ed25519"):
            return EdPublic.from_public_bytes(x)
        y = unb64url(jwk["y"])
        if (jwk["kty"], jwk["crv"]) != ("EC", "P-256") or len(y) != _COORDINATE_BYTES:
            return None
        numbers = EllipticCurvePublicNumbers(int.from_bytes(x), int.from_bytes(y), SECP256R1())
        return numbers.public_key()
    except (KeyError, ValueError):
        return None


def sign_claims(key: SigningKey, claims: Mapping[int | str, Any], *, typ: str) -> bytes:
    """Return claims as COSE_Sign1 (EdDSA). `typ` says what they are: a pass can never serve as a lease."""
    import cwt  # 0.1 s: only those who sign or read tokens pay it

    private = {
        "kty": "OKP",
        "crv": "Ed25519",
        "alg": "EdDSA",
        "x": key.jwk["x"],
        "d": b64url(key.private.private_bytes_raw()),
    }
    protected = {_HEADER_ALG: _COSE_EDDSA, _HEADER_KID: unb64url(key.kid), _HEADER_TYP: typ}
    encoded: bytes = cwt.COSE.new().encode_and_sign(
        cbor2.dumps(dict(claims), canonical=True), cwt.COSEKey.from_jwk(private), protected=protected
    )
    return encoded


def read_signed(
    token: bytes, keys: Iterable[TrustedKey], *, typ: str
) -> tuple[dict[int | str, Any], TrustedKey]:
    """Return the claims and the key that signed them.

    UnprovenSignature otherwise: token_malformed, signer_unknown, token_forged.
    """
    protected = _protected_header(token)
    if protected.get(_HEADER_ALG) != _COSE_EDDSA or protected.get(_HEADER_TYP) != typ:
        raise UnprovenSignature("token_malformed")
    kid = protected.get(_HEADER_KID)
    if not isinstance(kid, bytes):
        raise UnprovenSignature("token_malformed")
    named = b64url(kid)
    # Eight bytes can collide: every key of that name is tried, none is preferred.
    candidates = [key for key in keys if key.kid == named]
    if not candidates:
        raise UnprovenSignature("signer_unknown", kid=named)
    for key in candidates:
        claims = _verified_claims(token, key)
        if claims is not None:
            return claims, key
    raise UnprovenSignature("token_forged", kid=named)


def _protected_header(token: bytes) -> dict[Any, Any]:
    try:
        header = _decoded_header(token)
    except Exception:  # noqa: BLE001 -- a hostile token may break the decoder in any way; it stays a bad token
        header = None
    if not isinstance(header, dict):
        raise UnprovenSignature("token_malformed")
    return header


def _decoded_header(token: bytes) -> object:
    # The library takes a bare CBOR map for an unsigned token; only a tagged COSE_Sign1 gets past here.
    if len(token) > LONGEST_TOKEN:
        return None
    tagged = cbor2.loads(token)
    if not isinstance(tagged, cbor2.CBORTag) or tagged.tag != _SIGN1_TAG:
        return None
    raw, unprotected, payload, signature = tagged.value
    signed = isinstance(raw, bytes) and isinstance(payload, bytes) and isinstance(signature, bytes)
    return cbor2.loads(raw) if signed and unprotected == {} else None


def _verified_claims(token: bytes, key: TrustedKey) -> dict[int | str, Any] | None:
    import cwt

    if key.jwk.get("crv") != "Ed25519":
        return None
    # COSE_Key labels: 1 kty (OKP), 2 kid, 3 alg, 4 key_ops (verify), -1 crv (Ed25519), -2 x.
    members = {1: 1, 2: unb64url(key.kid), 3: _COSE_EDDSA, 4: [2], -1: 6, -2: unb64url(key.jwk["x"])}
    cose_key = cwt.COSEKey.new(members)
    try:
        payload = cwt.COSE.new().decode(token, cose_key)
        claims = cbor2.loads(payload)
    except Exception:  # noqa: BLE001 -- VerifyError, DecodeError, and whatever a crafted payload provokes
        return None
    return claims if isinstance(claims, dict) else None
