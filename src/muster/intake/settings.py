# SPDX-License-Identifier: Apache-2.0
"""What the front door reads from the environment. The same names and defaults as the rest of Muster."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from muster.base.crypto import Keystore
from muster.base.errors import Refusal
from muster.intake.journal import is_postgres


@dataclass(frozen=True, slots=True)
class Settings:
    data: Path
    database_url: str
    secret_file: Path
    host: str
    port: int
    tls_cert: Path | None
    tls_key: Path | None
    web_origins: frozenset[str]
    workers: int = 1

    @property
    def journal_source(self) -> Path | str:
        """Return where the journal lies: beside a PostgreSQL main database, or in the data folder."""
        return self.database_url if is_postgres(self.database_url) else self.data

    def open_keystore(self) -> Keystore:
        return Keystore.open(self.data / "keys" / "keys.db", self.secret_file, create=True)


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    env = os.environ if environ is None else environ
    data = Path(env.get("MUSTER_DATA") or "./var").resolve()
    cert, key = env.get("MUSTER_TLS_CERT"), env.get("MUSTER_TLS_KEY")
    if bool(cert) != bool(key):
        raise Refusal("setting_bad", name="MUSTER_TLS_CERT, MUSTER_TLS_KEY", value=cert or key or "")
    named = env.get("MUSTER_WEB_ORIGIN") or _own_origins(env, scheme="https" if cert else "http")
    origins = (origin.strip().rstrip("/") for origin in named.split(","))
    return Settings(
        data=data,
        database_url=env.get("MUSTER_DATABASE_URL", ""),
        secret_file=Path(env.get("MUSTER_SECRET_FILE") or data / "secret" / "muster.secret"),
        host=env.get("MUSTER_INTAKE_HOST", "127.0.0.1"),
        port=_port(env),
        tls_cert=Path(cert) if cert else None,
        tls_key=Path(key) if key else None,
        web_origins=frozenset(filter(None, origins)),
        workers=_workers(env),
    )


def _own_origins(env: Mapping[str, str], *, scheme: str) -> str:
    """Return where web is when nobody says: on the same host, one port below; localhost has two names."""
    host, port = env.get("MUSTER_HOST") or "localhost", env.get("MUSTER_PORT") or "8000"
    hosts = [host, "127.0.0.1"] if host == "localhost" else [host]
    # A browser leaves the scheme's usual port out of an origin.
    suffix = "" if (scheme, port) in {("https", "443"), ("http", "80")} else f":{port}"
    return ",".join(f"{scheme}://{name}{suffix}" for name in hosts)


def _port(env: Mapping[str, str]) -> int:
    own = env.get("MUSTER_INTAKE_PORT")
    name, text = ("MUSTER_INTAKE_PORT", own) if own else ("MUSTER_PORT", env.get("MUSTER_PORT") or "8000")
    port = int(text) + (0 if own else 1) if text.isascii() and text.isdecimal() else 0
    if not 0 < port < 65536:
        raise Refusal("setting_bad", name=name, value=text)
    return port


def _workers(env: Mapping[str, str]) -> int:
    text = env.get("MUSTER_INTAKE_WORKERS") or "1"
    workers = int(text) if text.isascii() and text.isdecimal() and len(text) < 4 else 0
    if not 0 < workers <= 64:
        raise Refusal("setting_bad", name="MUSTER_INTAKE_WORKERS", value=text)
    return workers
