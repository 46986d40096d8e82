# SPDX-License-Identifier: Apache-2.0
import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster.intake.app import IntakeApp
from muster.intake.journal import JournalRow, open_reader
from tests.intake.house import House, Reply, ask
from tests.support.postgres import pg_database, pg_server  # noqa: F401 -- fixtures


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


@pytest.fixture
def app(house: House) -> IntakeApp:
    return IntakeApp(house.settings(MUSTER_WEB_ORIGIN="https://muster.example, https://desk.example/"))


@pytest.fixture
def knock(app: IntakeApp) -> Iterator[Callable[..., Reply]]:
    """Ask the open front door: knock(method, path, body, headers)."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(app.start())
    yield lambda *told, **more: loop.run_until_complete(ask(app, *told, **more))
    loop.run_until_complete(app.stop())
    loop.close()


@pytest.fixture
def journaled(house: House) -> Callable[[], list[JournalRow]]:
    return lambda: open_reader(house.data, house.keystore).read_after({}, 100_000)
