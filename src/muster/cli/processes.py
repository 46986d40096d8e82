# SPDX-License-Identifier: Apache-2.0
"""The loops of web, fold and worker."""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from types import FrameType

from django.conf import settings
from django.db import close_old_connections

from muster.base.clock import now
from muster.storage.keys import keystore

log = logging.getLogger("muster.processes")
IDLE_SECONDS = 0.1
SNAPSHOT_SECONDS = 1.0
WORK_SECONDS = 1.0


def stop_event() -> threading.Event:
    """Set by SIGTERM or SIGINT."""
    stop = threading.Event()

    def on_signal(_sign: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    return stop


def run_web() -> None:
    """Django on granian WSGI: sync views, a bounded number of threads. http only on loopback."""
    from granian import Granian
    from granian.constants import Interfaces

    environment = settings.ENVIRONMENT
    host = os.environ.get("MUSTER_BIND") or ("0.0.0.0" if environment.tls_cert else "127.0.0.1")  # noqa: S104
    Granian(
        "muster.cli.web_app:application", address=host, port=environment.port, interface=Interfaces.WSGI,
        workers=1, blocking_threads=8, backlog=1024, respawn_failed_workers=True, log_access=False,
        ssl_cert=environment.tls_cert, ssl_key=environment.tls_key, websockets=False,
    ).serve()  # fmt: skip


def journal_source() -> object:
    environment = settings.ENVIRONMENT
    return environment.data if environment.database_url.startswith("sqlite") else environment.database_url


def run_fold() -> None:
    """Journal → ledger as it comes, and the live snapshots once a second."""
    from muster.intake.journal import open_reader
    from muster.situation.live import write_snapshots
    from muster.sync.fold import fold_once, spare_the_collector

    stop = stop_event()
    reader = open_reader(journal_source(), keystore())  # type: ignore[arg-type]
    spare_the_collector()
    seen: dict[uuid.UUID, tuple[int, str]] = {}
    shown = 0.0
    while not stop.is_set():
        try:
            report = fold_once(reader, now=now)
            if time.monotonic() - shown >= SNAPSHOT_SECONDS:
                seen, shown = write_snapshots(at=now(), last=seen), time.monotonic()
        except Exception:
            log.exception("fold: will try again")
            close_old_connections()
            stop.wait(1.0)
            continue
        if report.batches == 0:
            stop.wait(IDLE_SECONDS)
    reader.close()


def run_worker() -> None:
    """Clocks and keeping: seals events, takes up jobs."""
    from muster.cli.care_clock import CareClock
    from muster.cli.long_work import GridPlans, Imports, Placements, Rosters
    from muster.cli.message_thread import MessageThread
    from muster.intake.journal import open_reader
    from muster.sync.archiving import ARCHIVE, Archivist
    from muster.sync.fold import positions
    from muster.sync.site.passing import kept_positions

    stop = stop_event()
    hands = [GridPlans(), Imports(), Rosters(), Placements()]
    reader = open_reader(journal_source(), keystore())  # type: ignore[arg-type]
    folder = settings.ENVIRONMENT.data / ARCHIVE
    # What a site has not passed on stays where its forwarder reads.
    archivist = Archivist(
        reader, folder, positions=lambda: kept_positions(positions()), key=keystore().instance_key
    )
    care = CareClock()
    messages = MessageThread(stop)
    messages.start()
    duties = [
        *(hand.look_after for hand in hands),
        lambda: archivist.look_after(at=now()),
        lambda: care.look_after(at=now()),
        lambda: seal_all(stop),
    ]
    while not stop.is_set():
        for duty in duties:
            attend(duty)
        stop.wait(WORK_SECONDS)
    messages.join()
    for hand in hands:
        hand.stop()


def attend(duty: Callable[[], object]) -> None:
    """One duty whose trouble keeps no other waiting."""
    try:
        duty()
    except Exception:
        log.exception("worker: will try again")
        close_old_connections()


def seal_all(stop: threading.Event) -> None:
    from muster.trail.services import seal_events

    while seal_events(at=now()) is not None and not stop.is_set():
        pass
