# SPDX-License-Identifier: Apache-2.0
"""Backup and restore: main first, then journal, then files; keys apart.

The order matters: a journal copied after the main database holds at least what the database has folded, so
that fold can replay the rest. Keys go into a file of their own, because a backup with its keys could not be
shredded.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from pathlib import Path

from django.conf import settings

from muster.base.errors import Refusal
from muster.base.unpacking import unpack
from muster.intake.durable import copy_file
from muster.storage.keys import forget_keystore, keystore

MAIN, JOURNAL, FILES = "main.sqlite3", "journal", "files"
DUMP = "main.dump"


def write_backup(file: Path) -> list[Path]:
    """Writes FILE (main, journal, files) and FILE.keys; answers both.

    Both appear whole or not at all: a copy that was interrupted never bears the name of a backup.
    """
    data: Path = settings.ENVIRONMENT.data
    file = file.resolve()
    keys = file.with_name(file.name + ".keys")
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".backing-up-") as name:
        folder = Path(name)
        main = _copy_main(folder)
        with tarfile.open(folder / "data.tar.gz", "w:gz", compresslevel=3) as archive:
            archive.add(main, arcname=main.name)
            for part in _copied_journal(data, folder):
                archive.add(part, arcname=f"{JOURNAL}/{part.relative_to(folder / JOURNAL)}")
            if (data / FILES).is_dir():
                archive.add(data / FILES, arcname=FILES)
        copy_sqlite(settings.ENVIRONMENT.keys_path, folder / "keys.db")
        with tarfile.open(folder / "keys.tar.gz", "w:gz") as archive:
            archive.add(folder / "keys.db", arcname="keys.db")
            archive.add(settings.ENVIRONMENT.secret_file, arcname="muster.secret")
        copy_file(folder / "keys.tar.gz", keys, mode=0o600)
        copy_file(folder / "data.tar.gz", file, mode=0o600)
    return [file, keys]


def _copy_main(folder: Path) -> Path:
    url = settings.ENVIRONMENT.database_url
    if url.startswith("sqlite"):
        copy_sqlite(Path(url.removeprefix("sqlite:///")), folder / MAIN)
        return folder / MAIN
    if shutil.which("pg_dump") is None:
        raise Refusal("pg_dump_missing")
    subprocess.run(["pg_dump", "--format=custom", f"--file={folder / DUMP}", url], check=True)
    return folder / DUMP


def copy_sqlite(source: Path, target: Path) -> None:
    """A consistent copy of a database in use, by the database's own online backup."""
    if not source.exists():
        raise Refusal("file_missing", path=str(source))
    with sqlite3.connect(f"file:{source}?mode=ro", uri=True) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()


def _copied_journal(data: Path, folder: Path) -> list[Path]:
    copies = []
    for segment in sorted((data / JOURNAL).rglob("*.sqlite3")):
        target = folder / JOURNAL / segment.relative_to(data / JOURNAL)
        target.parent.mkdir(parents=True, exist_ok=True)
        copy_sqlite(segment, target)
        copies.append(target)
    return copies


def read_backup(file: Path) -> None:
    """Lays a backup into an empty data folder, ends the old journal streams and takes a new identity.

    Raises:
        Refusal: "file_missing", "restore_not_empty", "backup_unreadable", "restore_server_refused".
    """
    from muster.intake.journal import retire_writers

    environment = settings.ENVIRONMENT
    keys = file.with_name(file.name + ".keys")
    for path in (file, keys):
        if not path.is_file():
            raise Refusal("file_missing", path=str(path))
    taken = [environment.data / name for name in ("muster.sqlite3", JOURNAL, FILES)]
    if environment.database_url.startswith("sqlite"):
        main = environment.database_url.removeprefix("sqlite:///")
        taken += [Path(main), Path(f"{main}-wal")]  # a log left lying there would be replayed into the copy
    if any(path.exists() for path in taken):
        raise Refusal("restore_not_empty", path=str(environment.data))
    environment.data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=environment.data, prefix=".restoring-") as folder:
        try:
            _unpack(file, keys, Path(folder))
        except (tarfile.TarError, OSError, KeyError, EOFError, zlib.error) as error:
            raise Refusal("backup_unreadable", path=str(file), why=str(error)) from error
        _lay_out(Path(folder))
    forget_keystore()
    keystore().new_identity()
    retire_writers(
        environment.data if environment.database_url.startswith("sqlite") else environment.database_url
    )


def _unpack(file: Path, keys: Path, folder: Path) -> None:
    """Reads both archives whole before anything is touched: a harmed one leaves no half of a house."""
    with tarfile.open(file, "r:gz") as archive:
        unpack(archive, folder)
    with tarfile.open(keys, "r:gz") as archive:
        _extract(archive, "keys.db", folder / "keys.db")
        _extract(archive, "muster.secret", folder / "muster.secret")
    if not (folder / _main_here()).is_file():
        raise KeyError(f"{_main_here()} is not in it")


def _main_here() -> str:
    """What the main database is called in a backup for the kind of database that this house has."""
    return MAIN if settings.ENVIRONMENT.database_url.startswith("sqlite") else DUMP


def _lay_out(folder: Path) -> None:
    """The main database first: it alone may still be refused, by a server that is not empty or not there."""
    environment = settings.ENVIRONMENT
    if _main_here() == MAIN:
        _move(folder / MAIN, Path(environment.database_url.removeprefix("sqlite:///")))
    else:
        _fill_server(folder / DUMP)
    _move(folder / "keys.db", environment.keys_path)
    _move(folder / "muster.secret", environment.secret_file)
    for name in (JOURNAL, FILES):
        if (folder / name).is_dir():
            shutil.move(folder / name, environment.data / name)
    os.sync()


def _move(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    shutil.move(source, target)


def _fill_server(dump: Path) -> None:
    """All or nothing: a server that holds tables already stays as it was."""
    url = settings.ENVIRONMENT.database_url
    if shutil.which("pg_restore") is None:
        raise Refusal("pg_dump_missing")
    command = ["pg_restore", "--no-owner", "--single-transaction", f"--dbname={url}", str(dump)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["pg_restore"]
        raise Refusal("restore_server_refused", why=said[0][:300])


def _extract(archive: tarfile.TarFile, name: str, target: Path) -> None:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    target.write_bytes(member.read())
    target.chmod(0o600)
