# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server for tests: MUSTER_TEST_DATABASE_URL if given, else one of our own for the session.

Import the fixtures `pg_server` and `pg_database` into a conftest: the first has `url` and `fresh_database()`,
the second is the address of an empty database.
MUSTER_REQUIRE=postgres turns the skip into a failure.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

_USER = "postgres"
_SMALL = "shared_buffers = 64MB\nmax_wal_size = 256MB"


class PostgresServer:
    """A running server. `crash` and `start` exist only for one of our own."""

    def __init__(self, url: str, folder: Path | None = None, binaries: Path | None = None) -> None:
        self.url = url
        self._folder, self._binaries = folder, binaries
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_own(self) -> bool:
        return self._folder is not None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def fresh_database(self) -> str:
        """Make an empty database and return its address."""
        name = f"muster_{secrets.token_hex(6)}"
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(f'CREATE DATABASE "{name}"')
        return urlunsplit(urlsplit(self.url)._replace(path=f"/{name}"))

    def drop_database(self, url: str) -> None:
        name = urlsplit(url).path.lstrip("/")
        with psycopg.connect(self.url, autocommit=True) as db:
            db.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def start(self) -> None:
        assert self._folder is not None
        until = time.monotonic() + 60
        while time.monotonic() < until:
            # After a crash the last backends may still be leaving, and the server refuses to start.
            if self._process is None or self._process.poll() is not None:
                self._process = self._spawn(self._folder)
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url, connect_timeout=2).close()
                return
            time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start: {(self._folder / 'log').read_text()[-2000:]}")

    def _spawn(self, folder: Path) -> subprocess.Popen[bytes]:
        assert self._binaries is not None
        port = urlsplit(self.url).port
        command = [self._binaries / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder]
        with (folder / "log").open("ab") as log:
            return subprocess.Popen(
                [*_as_postgres(), *map(str, command)], stdout=log, stderr=log, start_new_session=True
            )

    def crash(self) -> None:
        """Kill the server; its backends see that and leave. Nothing is flushed."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


@pytest.fixture(scope="session")
def pg_server() -> Iterator[PostgresServer]:
    given = os.environ.get("MUSTER_TEST_DATABASE_URL", "")
    if given.startswith("postgres"):
        yield PostgresServer(given)
        return
    binaries = server_binaries()
    if binaries is None or not _can_run():
        message = "no PostgreSQL here: set MUSTER_TEST_DATABASE_URL or install the server"
        if "postgres" in os.environ.get("MUSTER_REQUIRE", "").split(","):
            pytest.fail(message)
        pytest.skip(message)
    server = own_server(binaries)
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def pg_database(pg_server: PostgresServer) -> Iterator[str]:
    """The address of an empty database, dropped afterwards."""
    url = pg_server.fresh_database()
    yield url
    pg_server.drop_database(url)


def own_server(binaries: Path, settings: str = _SMALL) -> PostgresServer:
    """Make and start a server in a temporary folder on a free port, durable as in the field.

    `settings` are lines of postgresql.conf; few resources unless said otherwise.
    """
    folder = Path(tempfile.mkdtemp(prefix="muster-pg-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam(_USER)
        os.chown(folder, account.pw_uid, account.pw_gid)
    command = [binaries / "initdb", "-D", folder / "data", "-U", _USER, "-A", "trust", "-E", "UTF8"]
    options = ["--locale=C", "--no-instructions", "--no-sync"]
    made = subprocess.run([*_as_postgres(), *map(str, command), *options], capture_output=True, check=False)
    if made.returncode:
        raise RuntimeError(made.stderr.decode())
    with (folder / "data" / "postgresql.conf").open("a") as conf:
        conf.write(f"{settings}\nlisten_addresses = '127.0.0.1'\nmax_connections = 60\n")
        conf.write("fsync = on\nsynchronous_commit = on\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = PostgresServer(f"postgresql://{_USER}@127.0.0.1:{port}/postgres", folder, binaries)
    server.start()
    return server


def server_binaries() -> Path | None:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[4]))
    beside = shutil.which("postgres")
    if found:
        return found[-1].parent
    return Path(beside).parent if beside else None


def _can_run() -> bool:
    if os.geteuid() != 0:
        return True
    with contextlib.suppress(KeyError):
        pwd.getpwnam(_USER)
        return shutil.which("setpriv") is not None
    return False


def _as_postgres() -> list[str]:
    # The server refuses to run as root.
    if os.geteuid() != 0:
        return []
    account = pwd.getpwnam(_USER)
    return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
