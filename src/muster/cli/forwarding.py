# SPDX-License-Identifier: Apache-2.0
"""The process of a site that passes its journal on and brings the city's news back."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import close_old_connections

from muster.base.clock import now
from muster.base.errors import Refusal
from muster.cli.processes import journal_source, stop_event
from muster.intake.journal import open_reader
from muster.storage.keys import keystore
from muster.sync.models import HomeCity
from muster.sync.site.bringing import bring_news
from muster.sync.site.pace import Pace
from muster.sync.site.passing import Passing, Told
from muster.sync.site.standing import home_city
from muster.sync.site.uplink import Cut, Refused, Uplink

log = logging.getLogger("muster.site")
IDLE_SECONDS = 1.0
# The city hears of us, and we of it, also when nothing is recorded.
NEWS_EACH = timedelta(seconds=15)
KEEPS_SECONDS = 2.0


@contextmanager
def forwarder() -> Iterator[Passing]:
    """A forwarder with its line. Raises Refusal("not_a_site")."""
    home = home_city()
    if home is None:
        raise Refusal("not_a_site")
    reader = open_reader(journal_source(), keystore())  # type: ignore[arg-type]
    line = line_of(home)
    try:
        yield Passing(reader, line, key=keystore().instance_key())
    finally:
        line.close()
        reader.close()


def line_of(home: HomeCity) -> Uplink:
    keys = [dict(k.jwk) for k in keystore().trusted_keys() if k.instance == home.id]
    return Uplink(home, key=keystore().instance_key(), city_keys=keys, now=now)


def run_forwarder() -> None:
    """Until told to stop: pass on what waits, bring back what is new, wait longer where nobody answers."""
    stop = stop_event()
    pace = Pace()
    asked = None
    home = home_city()
    if home is None:
        return
    line = line_of(home)
    with forwarder() as passing:
        while not stop.is_set():
            try:
                told = passing.turn(at=now())
                if not told.wait and not _is_cut(told):
                    if not told.passed and (asked is None or now() - asked >= NEWS_EACH):
                        _bring(line)
                        asked = now()
                    pace.went_well()
                    stop.wait(0.0 if told.passed else IDLE_SECONDS)
                    continue
                wait = pace.wait(told.wait)
            except Cut as cut:
                wait = pace.wait(cut.wait)
            except Refused as refused:
                HomeCity.objects.update(trouble=refused.code)
                asked = now()
                wait = IDLE_SECONDS
            except Exception:
                log.exception("forward: will try again")
                close_old_connections()
                wait = pace.wait()
            HomeCity.objects.update(next_try_at=now() + timedelta(seconds=wait))
            _wait_counting(passing, stop, wait)
    line.close()


def _is_cut(told: Told) -> bool:
    return told.trouble in {"line_cut", "tls_untrusted", "city_busy", "not_the_city"}


def _wait_counting(passing: Passing, stop: object, wait: float) -> None:
    """Waits, and counts meanwhile: the page shows what waits also while the line is cut."""
    left = wait
    while left > 0 and not stop.wait(min(left, KEEPS_SECONDS)):  # type: ignore[attr-defined]
        left -= KEEPS_SECONDS
        passing.count_waiting(at=now())


def _bring(line: Uplink) -> None:
    home = HomeCity.objects.get()
    more = True
    while more:
        news = line.ask_news(home.cursor)
        bring_news(home, news, at=now())
        home.refresh_from_db()
        more = bool(news.cursor.get("more"))
