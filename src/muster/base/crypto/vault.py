# SPDX-License-Identifier: Apache-2.0
"""The vault: keys.db as a file. Opened with the secret file's 32 bytes (the KEK), it wraps every key.

Several processes may hold it open; a change made by one empties the others' caches at their next look.
"""

import json
import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from muster.base.errors import Refusal

KEY_BYTES = 32
_NONCE_BYTES = 12

_SCHEMA = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    """CREATE TABLE data_key (
        id INTEGER PRIMARY KEY AUTOINCREMENT, purpose TEXT NOT NULL, sub_district INTEGER NOT NULL,
        class TEXT NOT NULL, wrapped BLOB, made_at TEXT NOT NULL, destroyed_at TEXT,
        UNIQUE (purpose, sub_district, class))""",
    """CREATE TABLE blind_key (
        purpose TEXT PRIMARY KEY, wrapped BLOB, made_at TEXT NOT NULL, destroyed_at TEXT)""",
    """CREATE TABLE destruction (
        id INTEGER PRIMARY KEY, purpose TEXT NOT NULL, sub_district INTEGER, class TEXT, at TEXT NOT NULL,
        keys TEXT NOT NULL)""",
    """CREATE TABLE identity (
        instance TEXT PRIMARY KEY, kid TEXT NOT NULL, jwk TEXT NOT NULL, wrapped BLOB NOT NULL,
        made_at TEXT NOT NULL, retired_at TEXT)""",
    "CREATE UNIQUE INDEX identity_current ON identity (retired_at IS NULL) WHERE retired_at IS NULL",
    """CREATE TABLE trusted (
        instance TEXT NOT NULL, kid TEXT NOT NULL, jwk TEXT NOT NULL, certificate BLOB,
        trusted_at TEXT NOT NULL, PRIMARY KEY (instance, kid))""",
)


TRIES = 100


class Vault:
    """An open keys.db. `cache` holds what was unwrapped; `current` empties it when the file changed."""

    def __init__(self, path: Path, kek: bytes) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.cache: dict[tuple[object, ...], Any] = {}
        self._kek = AESGCM(kek)
        self._version = -1
        self._abandoned: list[sqlite3.Connection] = []
        self._connect()

    @classmethod
    def open(cls, path: Path, secret_file: Path, *, create: bool) -> "Vault":
        if not path.exists():
            if not create:
                raise Refusal("keystore_missing", path=str(path))
            _make_folder(path.parent)
            # Only a store that does not exist yet gets a new secret: old keys under a new one are lost keys.
            _make_secret(secret_file)
        vault = cls(path, _read_secret(secret_file))
        try:
            vault._prepare(create=create)
        except BaseException:
            vault.close()
            raise
        return vault

    def close(self) -> None:
        with self.lock:
            self.cache.clear()
            self._db.close()

    def current(self) -> sqlite3.Connection:
        """Return the connection to read with. A key destroyed elsewhere does not live on in our cache."""
        self._stay_in_process()
        (version,) = self._db.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self.cache.clear()
            self._version = version
        return self._db

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        with self.lock:
            self._stay_in_process()
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def empty_log(self) -> None:
        """Clear the write-ahead log, which still holds wrapped keys; waits for readers (busy timeout)."""
        busy, _, _ = self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        if busy:
            raise Refusal("keystore_busy", path=str(self.path))

    def wrap(self, plain: bytes, *bound: object) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._kek.encrypt(nonce, plain, json.dumps(bound).encode())

    def unwrap(self, wrapped: bytes, *bound: object) -> bytes:
        nonce, sealed = wrapped[:_NONCE_BYTES], wrapped[_NONCE_BYTES:]
        try:
            return self._kek.decrypt(nonce, sealed, json.dumps(bound).encode())
        except InvalidTag:
            raise Refusal("secret_wrong", path=str(self.path)) from None

    def _connect(self) -> None:
        self._pid = os.getpid()
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False, timeout=30)
        self.path.chmod(0o600)
        self._write_ahead()
        self._db.execute("PRAGMA synchronous=FULL")
        # A destroyed key's bytes are overwritten in the file, not just unlinked from the table.
        self._db.execute("PRAGMA secure_delete=ON")
        self._version = -1
        self.cache.clear()

    def _write_ahead(self) -> None:
        """Of several who open a new file at once one changes its mode; SQLite lets nobody wait for that."""
        for left in reversed(range(TRIES)):
            try:
                self._db.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError:
                if not left:
                    raise
                time.sleep(0.05)
            else:
                return

    def _prepare(self, *, create: bool) -> None:
        with self.writing() as db:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                if not create:
                    raise Refusal("keystore_missing", path=str(self.path))
                for statement in _SCHEMA:
                    db.execute(statement)
                check = self.wrap(b"muster-keystore", "check")
                db.executemany("INSERT INTO meta VALUES (?, ?)", [("version", 1), ("check", check)])
            (check,) = db.execute("SELECT value FROM meta WHERE name = 'check'").fetchone()
            self.unwrap(check, "check")

    def _stay_in_process(self) -> None:
        # A connection carried over a fork would break the file's locks, and so would closing it here.
        if self._pid != os.getpid():
            self._abandoned.append(self._db)
            self._connect()


def _make_secret(secret_file: Path) -> None:
    """Write 32 random bytes once, whole or not at all, readable by the owner only."""
    if secret_file.exists():
        return
    _make_folder(secret_file.parent)
    fresh = secret_file.with_name(f"{secret_file.name}.{os.getpid()}.{threading.get_ident()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, os.urandom(KEY_BYTES))
        os.fsync(handle)
    finally:
        os.close(handle)
    with suppress(FileExistsError):  # another process was first: its secret stands
        os.link(fresh, secret_file)
    fresh.unlink()
    _sync(secret_file.parent)


def _make_folder(folder: Path) -> None:
    if not folder.is_dir():
        _make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)
        _sync(folder.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_secret(secret_file: Path) -> bytes:
    try:
        secret = secret_file.read_bytes()
    except FileNotFoundError:
        raise Refusal("secret_missing", path=str(secret_file)) from None
    if len(secret) != KEY_BYTES:
        raise Refusal("secret_wrong", path=str(secret_file))
    return secret
