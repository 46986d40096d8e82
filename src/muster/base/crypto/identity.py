# SPDX-License-Identifier: Apache-2.0
"""Who this instance is, and whose word it takes.

Nouns: identity (instance id and signing key; a restored instance takes a new one), certificate (one
instance's signed word that a key belongs to a site), pinned key (trusted by the operator's own word).
"""

import json
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from muster.base import clock, ids
from muster.base.crypto import signing
from muster.base.crypto.signing import SigningKey, TrustedKey
from muster.base.crypto.vault import Vault
from muster.base.errors import UnprovenSignature

SITE_KEY = "muster-site-key"
_ISS, _SUB, _IAT, _CNF = 1, 2, 6, 8


class Identities:
    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def own(self) -> SigningKey:
        with self._vault.lock:
            self._vault.current()
            known: SigningKey | None = self._vault.cache.get(("identity",))
            if known is None:
                known = self._vault.cache["identity",] = self._stored() or self._make(replace=False)
            return known

    def renew(self) -> SigningKey:
        with self._vault.lock:
            made = self._make(replace=True)
            self._vault.cache.clear()
            return made

    def assume(self, instance: uuid.UUID, private: bytes) -> SigningKey:
        """Be the instance that a city made and certified for this house. Again is harmless."""
        with self._vault.lock:
            made = _signing_key(instance, Ed25519PrivateKey.from_private_bytes(private))
            standing = self._stored()
            if standing is None or standing.kid != made.kid:
                self._put(made, replace=True)
            self._vault.cache.clear()
            return made

    def trusted(self) -> list[TrustedKey]:
        with self._vault.lock:
            self.own()
            known: list[TrustedKey] | None = self._vault.cache.get(("trusted",))
            if known is None:
                known = self._vault.cache["trusted",] = self._stored_trusted()
            return list(known)

    def certify(self, jwk: Mapping[str, Any], *, instance: uuid.UUID, at: datetime) -> bytes:
        own = self.own()
        claims: dict[int | str, Any] = {
            _ISS: str(own.instance),
            _SUB: str(instance),
            _IAT: int(at.timestamp()),
            _CNF: signing.public_jwk(jwk),
        }
        return signing.sign_claims(own, claims, typ=SITE_KEY)

    def trust(self, jwk: Mapping[str, Any], *, certificate: bytes) -> TrustedKey:
        bare = signing.public_jwk(jwk)
        # A site that was certified itself may not certify further sites.
        authorities = [key for key in self.trusted() if key.own or key.certificate is None]
        claims, signer = signing.read_signed(certificate, authorities, typ=SITE_KEY)
        if claims.get(_CNF) != bare or claims.get(_ISS) != str(signer.instance):
            raise UnprovenSignature("certificate_of_another_key", kid=signing.key_id(bare))
        try:
            site = uuid.UUID(str(claims.get(_SUB)))
        except ValueError:
            raise UnprovenSignature("token_malformed") from None
        return self._keep(bare, site, certificate)

    def pin(self, jwk: Mapping[str, Any], *, instance: uuid.UUID) -> TrustedKey:
        return self._keep(signing.public_jwk(jwk), instance, None)

    def _stored(self) -> SigningKey | None:
        row = (
            self._vault.current()
            .execute("SELECT instance, kid, jwk, wrapped FROM identity WHERE retired_at IS NULL")
            .fetchone()
        )
        if row is None:
            return None
        private = Ed25519PrivateKey.from_private_bytes(self._vault.unwrap(row[3], "identity", row[0]))
        return SigningKey(uuid.UUID(row[0]), row[1], json.loads(row[2]), private)

    def _make(self, *, replace: bool) -> SigningKey:
        return self._put(_signing_key(ids.new_id(), Ed25519PrivateKey.generate()), replace=replace)

    def _put(self, made: SigningKey, *, replace: bool) -> SigningKey:
        at = clock.now().isoformat()
        with self._vault.writing() as db:
            standing = self._stored()  # another process may have been first
            if standing and not replace:
                return standing
            db.execute("UPDATE identity SET retired_at = ? WHERE retired_at IS NULL", (at,))
            raw = made.private.private_bytes_raw()
            wrapped = self._vault.wrap(raw, "identity", str(made.instance))
            db.execute(
                "INSERT INTO identity (instance, kid, jwk, wrapped, made_at) VALUES (?, ?, ?, ?, ?)",
                (str(made.instance), made.kid, json.dumps(made.jwk), wrapped, at),
            )
        return made

    def _stored_trusted(self) -> list[TrustedKey]:
        db = self._vault.current()
        own = db.execute(
            "SELECT instance, kid, jwk, retired_at FROM identity ORDER BY made_at DESC, instance"
        )
        others = db.execute(
            "SELECT instance, kid, jwk, certificate FROM trusted ORDER BY trusted_at, instance"
        )
        return [
            TrustedKey(uuid.UUID(instance), kid, json.loads(jwk), own=True, retired_at=_moment(retired_at))
            for instance, kid, jwk, retired_at in own
        ] + [
            TrustedKey(uuid.UUID(instance), kid, json.loads(jwk), own=False, certificate=certificate)
            for instance, kid, jwk, certificate in others
        ]

    def _keep(self, jwk: dict[str, str], instance: uuid.UUID, certificate: bytes | None) -> TrustedKey:
        kid = signing.key_id(jwk)
        with self._vault.writing() as db:
            db.execute(
                "INSERT OR REPLACE INTO trusted (instance, kid, jwk, certificate, trusted_at)"
                " VALUES (?, ?, ?, ?, ?)",
                (str(instance), kid, json.dumps(jwk), certificate, clock.now().isoformat()),
            )
            self._vault.cache.clear()
        return TrustedKey(instance, kid, jwk, own=False, certificate=certificate)


def _signing_key(instance: uuid.UUID, private: Ed25519PrivateKey) -> SigningKey:
    jwk = signing.ed25519_jwk(private.public_key())
    return SigningKey(instance, signing.key_id(jwk), jwk, private)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
