# SPDX-License-Identifier: Apache-2.0
"""Starting the front door on granian."""

import os
import resource
import sys
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces
from granian.http import HTTP1Settings

from muster.base import messages
from muster.base.errors import Refusal
from muster.intake import limits
from muster.intake.settings import read_settings


def run(
    host: str,
    port: int,
    data_dir: Path,
    database_url: str = "",
    *,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    web_origins: str = "",
    workers: int = 1,
) -> None:
    """Serve until SIGTERM or SIGINT. `workers` processes share the port; each has a stream of its own."""
    told = {
        "MUSTER_DATA": str(data_dir),
        "MUSTER_DATABASE_URL": database_url,
        "MUSTER_INTAKE_HOST": host,
        "MUSTER_INTAKE_PORT": str(port),
        "MUSTER_TLS_CERT": str(tls_cert or ""),
        "MUSTER_TLS_KEY": str(tls_key or ""),
        "MUSTER_WEB_ORIGIN": web_origins,
    }
    # Workers are fresh processes: the environment is what they inherit.
    os.environ.update(told)
    read_settings().open_keystore().close()  # a wrong secret is said here, once, not by each worker
    _raise_file_limit()
    server = Granian(
        "muster.intake.app:application",
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        websockets=False,
        backlog=limits.CONNECTIONS_WAITING,
        # Counts connections, idle ones too: the door shall say that it is busy, not the kernel's queue.
        backpressure=limits.CONNECTIONS,
        http1_settings=HTTP1Settings(header_read_timeout=limits.IDLE_SECONDS * 1000),
        respawn_failed_workers=True,
        workers_kill_timeout=20,
        ssl_cert=tls_cert,
        ssl_key=tls_key,
        log_access=False,
    )
    server.serve()


def _raise_file_limit() -> None:
    # Each connection is a file; many systems start a process with room for 1,024.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.CONNECTIONS + 1024
    allowed = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, most))


def main() -> None:
    """Serve by the environment; a setting that cannot be is one line and exit 2."""
    try:
        settings = read_settings()
        run(
            settings.host,
            settings.port,
            settings.data,
            settings.database_url,
            tls_cert=settings.tls_cert,
            tls_key=settings.tls_key,
            web_origins=",".join(sorted(settings.web_origins)),
            workers=settings.workers,
        )
    except Refusal as refusal:
        sys.stderr.write(f"{messages.text(refusal.code, 'en', **refusal.facts)}\n")
        sys.exit(2)
