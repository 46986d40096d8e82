# SPDX-License-Identifier: Apache-2.0
"""Every test run has a data folder of its own; nothing of the machine's own Muster is touched."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import django
import pytest

if TYPE_CHECKING:
    from pytest_django import DjangoDbBlocker

_FOLDER = tempfile.mkdtemp(prefix="muster-tests-")
_GIVEN = {"MUSTER_REQUIRE", "MUSTER_TEST_DATABASE_URL"}
for _name in [n for n in os.environ if n.startswith("MUSTER_") and n not in _GIVEN]:
    del os.environ[_name]
os.environ["MUSTER_DATA"] = _FOLDER
if os.environ.get("MUSTER_TEST_DATABASE_URL"):
    os.environ["MUSTER_DATABASE_URL"] = os.environ["MUSTER_TEST_DATABASE_URL"]
# Named here and not in pyproject.toml: there pytest-django would read the settings, and with them the data
# folder, before this file could say which.
os.environ["DJANGO_SETTINGS_MODULE"] = "muster.config.settings"
# A browser driven from this process keeps an event loop in it; Django would take later tests for async.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
django.setup()

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = REPOSITORY.parent / "shared"


def pytest_unconfigure() -> None:
    shutil.rmtree(_FOLDER, ignore_errors=True)


@pytest.fixture(scope="session", autouse="MUSTER_TEST_DATABASE_URL" in os.environ)
def every_connection_ends(django_db_setup: None, django_db_blocker: "DjangoDbBlocker") -> Iterator[None]:
    """A browser's event loop gives a thread a second connection, under which no server drops a database."""
    yield
    from django.db import connection

    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys go last: the event loop of their browser stays in its process, where no other runs then.

    The long stories among them go first, so that one process does not end minutes after the other.
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> tuple[bool, int, str]:
    if "e2e" not in item.path.parts:
        return False, 0, ""
    return True, -item.path.stat().st_size, item.path.name
