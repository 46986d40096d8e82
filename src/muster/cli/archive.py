# SPDX-License-Identifier: Apache-2.0
"""Backup and restore: main first, then journal, then files; keys apart.

The order matters: a journal copied after the main database holds at least what the database has folded, so
that fold can replay the rest. Keys go into a file of their own, because a backup with its keys could not be
shredded.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path

from django.conf import settings

from muster.base.errors import Refusal
from muster.storage.keys import forget_keystore, keystore

MAIN, JOURNAL, FILES = "main.sqlite3", "journal", "files"
DUMP = "main.dump"


def write_backup(file: Path) -> list[Path]:
    """Writes FILE (main, journal, files) and FILE.keys; answers both."""
    data: Path = settings.ENVIRONMENT.data
    file = file.resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        main = _copy_main(Path(folder))
        with tarfile.open(file, "w:gz", compresslevel=3) as archive:
            archive.add(main, arcname=main.name)
            for part in _copied_journal(data, Path(folder)):
                archive.add(part, arcname=f"{JOURNAL}/{part.relative_to(Path(folder) / JOURNAL)}")
            if (data / FILES).is_dir():
                archive.add(data / FILES, arcname=FILES)
        keys = file.with_name(file.name + ".keys")
        copy_sqlite(settings.ENVIRONMENT.keys_path, Path(folder) / "keys.db")
        with tarfile.open(keys, "w:gz") as archive:
            archive.add(Path(folder) / "keys.db", arcname="keys.db")
            archive.add(settings.ENVIRONMENT.secret_file, arcname="muster.secret")
    for path in (file, keys):
        path.chmod(0o600)
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
        Refusal: "file_missing", "restore_not_empty", "backup_unreadable".
    """
    from muster.intake.journal import retire_writers

    environment = settings.ENVIRONMENT
    keys = file.with_name(file.name + ".keys")
    for path in (file, keys):
        if not path.is_file():
            raise Refusal("file_missing", path=str(path))
    if any((environment.data / name).exists() for name in ("muster.sqlite3", JOURNAL, FILES)):
        raise Refusal("restore_not_empty", path=str(environment.data))
    try:
        _lay_out(file, keys)
    except (tarfile.TarError, OSError, KeyError) as error:
        raise Refusal("backup_unreadable", path=str(file), why=str(error)) from error
    forget_keystore()
    keystore().new_identity()
    retire_writers(
        environment.data if environment.database_url.startswith("sqlite") else environment.database_url
    )


def _lay_out(file: Path, keys: Path) -> None:
    environment = settings.ENVIRONMENT
    data: Path = environment.data
    data.mkdir(parents=True, exist_ok=True)
    with tarfile.open(keys, "r:gz") as archive:
        environment.keys_path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        environment.secret_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _extract(archive, "keys.db", environment.keys_path)
        _extract(archive, "muster.secret", environment.secret_file)
    with tarfile.open(file, "r:gz") as archive:
        archive.extractall(data, filter="data")
    if (data / MAIN).exists():
        (data / MAIN).rename(Path(environment.database_url.removeprefix("sqlite:///")))
    elif (data / DUMP).exists():
        subprocess.run(
            ["pg_restore", "--no-owner", f"--dbname={environment.database_url}", str(data / DUMP)], check=True
        )
        (data / DUMP).unlink()


def _extract(archive: tarfile.TarFile, name: str, target: Path) -> None:
    member = archive.extractfile(name)
    if member is None:
        raise KeyError(name)
    target.write_bytes(member.read())
    target.chmod(0o600)
