# SPDX-License-Identifier: Apache-2.0
"""Unpacking an archive that may come from anywhere: plain files and folders, all of them within one folder.

The standard library's own filters came only with Python 3.11.4; systems that last, Debian 12 among them, have
an older one.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

_OWN, _OTHERS = 0o600, 0o755


def unpack(archive: tarfile.TarFile, folder: Path, *, only: Callable[[str], bool] | None = None) -> None:
    """Unpack what `only` says of a member's name, by default everything, with its time of change.

    Raises:
        tarfile.ReadError: a name that leads out of the folder, a link, a device; nothing of it is written.
    """
    wanted = [member for member in archive if only is None or only(member.name)]
    for member in wanted:
        _demand_plain(member)
    for member in wanted:
        path = folder.joinpath(*_parts(member.name))
        if member.isdir():
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        source = archive.extractfile(member)
        assert source is not None
        with source, path.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        path.chmod(member.mode & _OTHERS | _OWN)
        os.utime(path, (member.mtime, member.mtime))


def _demand_plain(member: tarfile.TarInfo) -> None:
    if not (member.isfile() or member.isdir()):
        raise tarfile.ReadError(f"{member.name!r} is neither a file nor a folder")
    leads_out = PurePosixPath(member.name).is_absolute() or ".." in _parts(member.name) or "\\" in member.name
    if leads_out or (member.isfile() and not _parts(member.name)):
        raise tarfile.ReadError(f"{member.name!r} leads out of the folder")


def _parts(name: str) -> tuple[str, ...]:
    return tuple(part for part in PurePosixPath(name).parts if part not in ("/", "."))
