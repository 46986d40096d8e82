# SPDX-License-Identifier: Apache-2.0
"""A city keeps its ledger in PostgreSQL: what the other journeys show on SQLite holds there as well."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.e2e.conftest import CITIES
from tests.e2e.test_asking import asked_sent_done_and_solved
from tests.e2e.test_field import recorded_through_a_dead_server
from tests.support.browser import pages_are_built
from tests.support.house import House, free_ports, stage_city
from tests.support.postgres import PostgresServer, pg_server  # noqa: F401 -- a fixture

pytestmark = [pytest.mark.browser]


@pytest.fixture(scope="module")
def house(pg_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:  # noqa: F811
    pages_are_built()
    folder, url = tmp_path_factory.mktemp("house"), pg_server.fresh_database()
    stage_city(folder, *CITIES["generated"], MUSTER_DATABASE_URL=url)
    made = House(folder, *free_ports(2), more={"MUSTER_DATABASE_URL": url})
    made.start()
    yield made
    made.stop()
    pg_server.drop_database(url)


def test_a_worker_records_through_a_dead_server(house: House, browser: Browser) -> None:
    recorded_through_a_dead_server(house, browser, "zh", 0)


def test_asked_sent_done_and_solved(house: House, browser: Browser) -> None:
    asked_sent_done_and_solved(house, browser, "en", 1)


def test_the_books_are_in_order_afterwards(house: House) -> None:
    house.verify()
