# SPDX-License-Identifier: Apache-2.0
"""The settings of the outside world, read once from the environment (DESIGN.md §6). No Django here."""

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the data lies and where the doors stand."""

    data: Path
    database_url: str
    port: int
    intake_port: int
    tls_cert: Path | None
    tls_key: Path | None
    secret_file: Path
    public_host: str

    @property
    def scheme(self) -> str:
        return "https" if self.tls_cert else "http"

    @property
    def web_origin(self) -> str:
        return f"{self.scheme}://{self.public_host}:{self.port}"

    @property
    def intake_origin(self) -> str:
        return os.environ.get("MUSTER_INTAKE_URL", f"{self.scheme}://{self.public_host}:{self.intake_port}")

    @property
    def keys_path(self) -> Path:
        return self.data / "keys" / "keys.db"


def read_environment() -> Environment:
    """Reads the documented MUSTER_* variables; raises ValueError naming the one that is wrong."""
    data = Path(os.environ.get("MUSTER_DATA", "./var")).resolve()
    port = _port("MUSTER_PORT", 8000)
    cert, key = os.environ.get("MUSTER_TLS_CERT"), os.environ.get("MUSTER_TLS_KEY")
    if bool(cert) != bool(key):
        raise ValueError("MUSTER_TLS_CERT and MUSTER_TLS_KEY are set together or not at all")
    return Environment(
        data=data,
        database_url=os.environ.get("MUSTER_DATABASE_URL", f"sqlite:///{data / 'muster.sqlite3'}"),
        port=port,
        intake_port=_port("MUSTER_INTAKE_PORT", port + 1),
        tls_cert=Path(cert) if cert else None,
        tls_key=Path(key) if key else None,
        secret_file=Path(os.environ.get("MUSTER_SECRET_FILE", data / "secret" / "muster.secret")),
        public_host=os.environ.get("MUSTER_HOST", "localhost"),
    )


def _port(name: str, default: int) -> int:
    raw = os.environ.get(name)
    if raw is None:
        return default
    if not raw.isdigit() or not 0 < int(raw) < 65536:
        raise ValueError(f"{name} is a port number between 1 and 65535, not {raw!r}")
    return int(raw)


def django_database(url: str) -> dict[str, object]:
    """Turns MUSTER_DATABASE_URL (sqlite:///PATH or postgresql://…) into Django's dictionary."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return _sqlite(url.removeprefix("sqlite:///"))
    if parts.scheme in {"postgres", "postgresql"}:
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": unquote(parts.path.lstrip("/")),
            "USER": unquote(parts.username or ""),
            "PASSWORD": unquote(parts.password or ""),
            "HOST": parts.hostname or "",
            "PORT": str(parts.port or ""),
            "CONN_MAX_AGE": 600,
            "CONN_HEALTH_CHECKS": True,
        }
    raise ValueError("MUSTER_DATABASE_URL begins with sqlite:/// or postgresql://")


def _sqlite(path: str) -> dict[str, object]:
    # WAL + FULL: NORMAL lost acknowledged rows under power loss. IMMEDIATE: a write waits for the lock
    # at its start, never in its middle.
    pragmas = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-65536;"
    )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": None,
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": pragmas},
        "TEST": {"NAME": f"{path}.test"},
    }
