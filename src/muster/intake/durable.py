# SPDX-License-Identifier: Apache-2.0
"""Files that are there after a power cut: each new name is fsynced in its folder."""

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make a folder and what leads to it."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def write_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    with _appearing(path, 0o600) as file:
        file.write(content)


def copy_file(source: Path, path: Path, *, mode: int) -> None:
    """Copy a file whole or not at all."""
    with source.open("rb") as content, _appearing(path, mode) as file:
        shutil.copyfileobj(content, file, 1 << 20)


@contextmanager
def _appearing(path: Path, mode: int) -> Iterator[BinaryIO]:
    make_folder(path.parent)
    draft = path.with_name(f"{path.name}.{uuid.uuid4().hex}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(handle)
        draft.rename(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
