# SPDX-License-Identifier: Apache-2.0
"""The keystore: keys.db, an SQLite file of its own outside the main database and its backups.

Nouns: data key (per purpose x sub-district x class), blind key (per purpose), destruction (a tombstone: that
scope never gets a key again), and through `identity` this instance's signing key and the keys that it trusts.
"""

import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muster.base import clock
from muster.base.crypto.identity import Identities
from muster.base.crypto.signing import SigningKey, TrustedKey
from muster.base.crypto.vault import KEY_BYTES, Vault
from muster.base.errors import Refusal

_Scope = tuple[str, int, str]


class KeyDestroyed(Refusal):
    """The key was destroyed on purpose; what it sealed cannot be read again, by anybody."""

    def __init__(self, **facts: object) -> None:
        super().__init__("key_destroyed", **facts)


@dataclass(frozen=True, slots=True)
class DataKey:
    id: int
    key: bytes = field(repr=False)
    aead: AESGCM = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "aead", AESGCM(self.key))


class Keystore:
    """Open keys. Safe for threads, for several processes at once, and across a fork."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._identities = Identities(vault)

    @classmethod
    def open(cls, path: Path, secret_file: Path, *, create: bool = False) -> "Keystore":
        """Open keys.db. Only `create` makes it and its secret file; old keys never meet a new secret."""
        return cls(Vault.open(Path(path), Path(secret_file), create=create))

    def close(self) -> None:
        self._vault.close()

    # --- data keys ---

    def data_key(self, *, purpose: str, sub_district: int, klass: str) -> DataKey:
        """Return the key of this scope, made on first use. KeyDestroyed if the scope was destroyed."""
        scope = (purpose, sub_district, klass)
        with self._vault.lock:
            self._vault.current()
            known: DataKey | None = self._vault.cache.get(("scope", scope))
            return known or self._stored_key(scope) or self._make_key(scope)

    def data_key_by_id(self, key_id: int) -> DataKey:
        """Return the key that a sealed value names. KeyDestroyed, or Refusal key_unknown."""
        with self._vault.lock:
            db = self._vault.current()
            known: DataKey | None = self._vault.cache.get(("id", key_id))
            if known:
                return known
            row = db.execute(
                "SELECT wrapped, purpose, sub_district, class FROM data_key WHERE id = ?", (key_id,)
            ).fetchone()
            if row is None:
                raise Refusal("key_unknown", key=key_id)
            return self._remember(key_id, row[0], (row[1], row[2], row[3]))

    def destroy(
        self, *, purpose: str, sub_district: int | None = None, klass: str | None = None
    ) -> list[int]:
        """Destroy all keys of a scope for good, leave a tombstone, return their ids. Again is harmless."""
        at = clock.now().isoformat()
        scope = {"purpose": purpose, "sub_district": sub_district, "klass": klass, "at": at}
        with self._vault.lock:
            with self._vault.writing() as db:
                rows = db.execute(
                    "SELECT id FROM data_key WHERE wrapped IS NOT NULL AND purpose = :purpose"
                    " AND (:sub_district IS NULL OR sub_district = :sub_district)"
                    " AND (:klass IS NULL OR class = :klass) ORDER BY id",
                    scope,
                )
                gone = [row[0] for row in rows]
                db.executemany(
                    "UPDATE data_key SET wrapped = NULL, destroyed_at = ? WHERE id = ?",
                    [(at, key_id) for key_id in gone],
                )
                db.execute(
                    "INSERT INTO destruction (purpose, sub_district, class, at, keys)"
                    " VALUES (:purpose, :sub_district, :klass, :at, :keys)",
                    {**scope, "keys": json.dumps(gone)},
                )
                if sub_district is None and klass is None:
                    db.execute(
                        "UPDATE blind_key SET wrapped = NULL, destroyed_at = :at WHERE purpose = :purpose",
                        scope,
                    )
            self._vault.cache.clear()
            self._vault.empty_log()
        return gone

    def _stored_key(self, scope: _Scope) -> DataKey | None:
        row = (
            self._vault.current()
            .execute(
                "SELECT id, wrapped FROM data_key WHERE purpose = ? AND sub_district = ? AND class = ?", scope
            )
            .fetchone()
        )
        return self._remember(row[0], row[1], scope) if row else None

    def _make_key(self, scope: _Scope) -> DataKey:
        if not scope[0] or not scope[2]:
            raise ValueError("a data key needs a purpose and a class")
        with self._vault.writing() as db:
            made = self._stored_key(scope)  # another process may have been first
            if made:
                return made
            self._refuse_destroyed(scope)
            key_id = db.execute(
                "INSERT INTO data_key (purpose, sub_district, class, made_at) VALUES (?, ?, ?, ?)",
                (*scope, clock.now().isoformat()),
            ).lastrowid
            wrapped = self._vault.wrap(os.urandom(KEY_BYTES), "data", key_id, *scope)
            db.execute("UPDATE data_key SET wrapped = ? WHERE id = ?", (wrapped, key_id))
        return self.data_key_by_id(int(key_id or 0))

    def _refuse_destroyed(self, scope: _Scope) -> None:
        row = (
            self._vault.current()
            .execute(
                "SELECT at FROM destruction WHERE purpose = ? AND (sub_district IS NULL OR sub_district = ?)"
                " AND (class IS NULL OR class = ?)",
                scope,
            )
            .fetchone()
        )
        if row:
            raise KeyDestroyed(purpose=scope[0], sub_district=scope[1], klass=scope[2], at=row[0])

    def _remember(self, key_id: int, wrapped: bytes | None, scope: _Scope) -> DataKey:
        if wrapped is None:
            raise KeyDestroyed(purpose=scope[0], sub_district=scope[1], klass=scope[2])
        key = DataKey(key_id, self._vault.unwrap(wrapped, "data", key_id, *scope))
        self._vault.cache["scope", scope] = self._vault.cache["id", key_id] = key
        return key

    # --- blind keys ---

    def blind_key(self, *, purpose: str) -> bytes:
        """Return the HMAC key of a purpose, made on first use. KeyDestroyed if the purpose was destroyed."""
        with self._vault.lock:
            self._vault.current()
            known: bytes | None = self._vault.cache.get(("blind", purpose))
            if known is None:
                known = self._vault.cache["blind", purpose] = self._stored_blind_key(purpose)
            return known

    def _stored_blind_key(self, purpose: str) -> bytes:
        query = "SELECT wrapped FROM blind_key WHERE purpose = ?"
        row = self._vault.current().execute(query, (purpose,)).fetchone()
        if row is None:
            with self._vault.writing() as db:
                self._refuse_destroyed((purpose, -1, ""))
                wrapped = self._vault.wrap(os.urandom(KEY_BYTES), "blind", purpose)
                db.execute(
                    "INSERT OR IGNORE INTO blind_key (purpose, wrapped, made_at) VALUES (?, ?, ?)",
                    (purpose, wrapped, clock.now().isoformat()),
                )
                row = db.execute(query, (purpose,)).fetchone()
        if row[0] is None:
            raise KeyDestroyed(purpose=purpose)
        return self._vault.unwrap(row[0], "blind", purpose)

    # --- this instance, and whom it trusts ---

    def instance_key(self) -> SigningKey:
        """Return this instance's id and signing key, made on first use."""
        return self._identities.own()

    def new_identity(self) -> SigningKey:
        """Take a new instance id and key (after a restore); the old key stays trusted for what it signed."""
        return self._identities.renew()

    def assume_identity(self, instance: uuid.UUID, private: bytes) -> SigningKey:
        """Be the instance whose key a city made for this house: how a site is opened."""
        return self._identities.assume(instance, private)

    def trusted_keys(self) -> list[TrustedKey]:
        """Return our own keys (also retired ones), keys that they certified, and keys the operator pinned."""
        return self._identities.trusted()

    def certify(self, jwk: Mapping[str, Any], *, instance: uuid.UUID, at: datetime) -> bytes:
        """Return this instance's signed word that `jwk` is the key of the site `instance`."""
        return self._identities.certify(jwk, instance=instance, at=at)

    def trust(self, jwk: Mapping[str, Any], *, certificate: bytes) -> TrustedKey:
        """Trust a site's key by a certificate from this instance or from one pinned here."""
        return self._identities.trust(jwk, certificate=certificate)

    def pin(self, jwk: Mapping[str, Any], *, instance: uuid.UUID) -> TrustedKey:
        """Trust a key by the operator's own word: how a site comes to know the city."""
        return self._identities.pin(jwk, instance=instance)
