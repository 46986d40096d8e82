# SPDX-License-Identifier: Apache-2.0
from tests.support.postgres import pg_database, pg_server

__all__ = ["pg_database", "pg_server"]
