# SPDX-License-Identifier: Apache-2.0
"""Run a command beside a PostgreSQL of its own: `on_postgres.py pytest tests/spine`. It ends with it.

The command finds the server's address in MUSTER_TEST_DATABASE_URL. Exit 3 where no PostgreSQL is installed.
"""

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.support.postgres import own_server, server_binaries


def main() -> int:
    binaries = server_binaries()
    if binaries is None:
        sys.stderr.write("no PostgreSQL server is installed here\n")
        return 3
    server = own_server(binaries)
    try:
        environment = {**os.environ, "MUSTER_TEST_DATABASE_URL": server.fresh_database()}
        return subprocess.run(sys.argv[1:], env=environment, check=False).returncode
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
