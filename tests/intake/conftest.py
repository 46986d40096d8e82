# SPDX-License-Identifier: Apache-2.0
import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

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
    # The loop runs all the time, as a server's does: one that rests between requests would seem to lag.
    loop = asyncio.new_event_loop()
    running = threading.Thread(target=loop.run_forever)
    running.start()

    def wait(act: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(act, loop).result(60)

    wait(app.start())
    yield lambda *told, **more: wait(ask(app, *told, **more))
    wait(app.stop())
    loop.call_soon_threadsafe(loop.stop)
    running.join()
    loop.close()


@pytest.fixture
def journaled(house: House) -> Callable[[], list[JournalRow]]:
    return lambda: open_reader(house.data, house.keystore).read_after({}, 100_000)
