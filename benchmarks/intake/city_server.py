# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL server of our own, set as docs/guides/postgresql.md says for a city."""

from pathlib import Path

from tests.intake.house import REPOSITORY
from tests.support.postgres import PostgresServer, own_server, server_binaries

SETTINGS = Path(REPOSITORY) / "docs/guides/postgresql-city.conf"


def city_server() -> PostgresServer:
    """Start it; the caller stops it."""
    binaries = server_binaries()
    assert binaries is not None, "no PostgreSQL here"
    return own_server(binaries, SETTINGS.read_text())
