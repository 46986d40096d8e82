# SPDX-License-Identifier: Apache-2.0
"""Closing a site: its keys are destroyed, then its files; the city holds what it recorded."""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

from django.db import connections

from muster.base.errors import Refusal
from muster.storage.keys import forget_keystore, keystore
from muster.sync.models import HomeCity
from muster.sync.site.standing import home_city


def close_site(*, at: datetime, lose: bool = False) -> HomeCity:
    """Destroys every key this house reads with. Raises Refusal: not_a_site, site_not_empty_handed."""
    home = home_city()
    if home is None:
        raise Refusal("not_a_site")
    if home.waiting and not lose:
        raise Refusal("site_holds_facts", waiting=home.waiting)
    for purpose in ("daily", str(home.incident), f"journal:{home.incident}"):
        keystore().destroy(purpose=purpose)
    HomeCity.objects.filter(id=home.id).update(closed_at=at)
    return home


def wipe_folder(folder: Path) -> int:
    """Deletes all files of the house; what opens anything is overwritten first. Answers how many went."""
    keystore().close()
    forget_keystore()
    connections.close_all()
    gone = 0
    for name in ("keys", "secret", "tls"):
        for file in sorted((folder / name).rglob("*")):
            if file.is_file():
                _overwrite(file)
    for entry in sorted(folder.iterdir()):
        gone += sum(1 for file in entry.rglob("*") if file.is_file()) if entry.is_dir() else 1
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    os.sync()
    return gone


def _overwrite(file: Path) -> None:
    size = file.stat().st_size
    with file.open("r+b") as opened:
        opened.write(os.urandom(size))
        opened.flush()
        os.fsync(opened.fileno())
