# SPDX-License-Identifier: Apache-2.0
"""LossyDisk: what SQLite and Python write under a folder, in order, and what a power cut may leave of it.

A shim over SQLite's own VFS (registered by ctypes in the library that the sqlite3 module uses) notes every
write, truncation, sync, creation and deletion; os.fsync, os.mkdir and os.chmod are noted beside it. Data is
written through to the real disk as ever. `cut` then builds what the disk may hold if the power goes after
the n-th of these: what was synced is there; of what was not, any part may be, torn at sectors; names of new
or deleted files are as they were when the folder was last synced, or later.

Not shown: a disk that lies about its cache, or that reorders around a flush; the -shm file (SQLite builds it
anew); the kernel's own faults.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import ctypes.util
import os
import random
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECTOR = 512
OPEN_CREATE, OPEN_MAIN_DB, OPEN_MAIN_JOURNAL, OPEN_WAL = 0x4, 0x100, 0x800, 0x80000
_WATCHED = OPEN_MAIN_DB | OPEN_MAIN_JOURNAL | OPEN_WAL
_P, _I, _L = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64
_OPEN = ctypes.CFUNCTYPE(_I, _P, _P, _P, _I, _P)
_DELETE = ctypes.CFUNCTYPE(_I, _P, ctypes.c_char_p, _I)
_WRITE = ctypes.CFUNCTYPE(_I, _P, _P, _I, _L)
_TRUNCATE = ctypes.CFUNCTYPE(_I, _P, _L)
_SYNC = ctypes.CFUNCTYPE(_I, _P, _I)
_OPEN_FOLDER = ctypes.CFUNCTYPE(_I, ctypes.c_char_p, _P)
_SET_CALL = ctypes.CFUNCTYPE(_I, _P, ctypes.c_char_p, _P)
_GET_CALL = ctypes.CFUNCTYPE(_P, _P, ctypes.c_char_p)


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", _I), ("szOsFile", _I), ("mxPathname", _I), ("pNext", _P), ("zName", ctypes.c_char_p),
        ("pAppData", _P), ("xOpen", _P), ("xDelete", _P),
        *((f"x{number}", _P) for number in range(11)),  # xAccess … xCurrentTimeInt64
        ("xSetSystemCall", _P), ("xGetSystemCall", _P), ("xNextSystemCall", _P),
    ]  # fmt: skip


class _Methods(ctypes.Structure):
    _fields_ = [
        ("iVersion", _I), ("xClose", _P), ("xRead", _P), ("xWrite", _P), ("xTruncate", _P), ("xSync", _P),
        *((f"x{number}", _P) for number in range(13)),  # xFileSize … xUnfetch
    ]  # fmt: skip


@dataclass(frozen=True)
class Act:
    """One thing that happened to the disk. path: of the file, or of the folder for `sync_folder`."""

    what: str
    path: Path
    at: int = 0
    data: bytes = b""


@dataclass
class _File:
    """durable: what is on the disk for certain. pending: what may be."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Act] = field(default_factory=list)
    mode: int = 0o644


class NoShimError(RuntimeError):
    """The sqlite3 module hides its library."""


def sqlite_library() -> ctypes.CDLL:
    """The library that the sqlite3 module itself uses, not another copy."""
    library = ctypes.CDLL(_sqlite3.__file__)
    try:
        library.sqlite3_vfs_find.restype = _P
        library.sqlite3_vfs_find.argtypes = [ctypes.c_char_p]
        library.sqlite3_vfs_register.argtypes = [_P, _I]
    except AttributeError as error:
        raise NoShimError("the functions of SQLite cannot be reached from here") from error
    return library


class LossyDisk:
    """Everything that happens under `root` while `watching`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.acts: list[Act] = []
        self._open: dict[int, Path] = {}
        self._methods: dict[int, _Methods] = {}
        self._kept: list[Any] = []  # what C holds on to

    def note(self, what: str, path: Path | str, at: int = 0, data: bytes = b"") -> None:
        path = Path(path)
        if path == self.root or self.root in path.parents:
            self.acts.append(Act(what, path, at, data))

    # --- watching ---

    @contextmanager
    def watching(self) -> Iterator[None]:
        library = sqlite_library()
        usual = library.sqlite3_vfs_find(None)
        vfs = self._shim(usual)
        self._hook_folder_syncs(usual)
        library.sqlite3_vfs_register(ctypes.byref(vfs), 1)
        calls = os.fsync, os.mkdir, os.chmod
        os.fsync, os.mkdir, os.chmod = self._fsync, self._mkdir, self._chmod
        self._calls = calls
        try:
            yield
        finally:
            os.fsync, os.mkdir, os.chmod = calls
            library.sqlite3_vfs_unregister(ctypes.byref(vfs))
            library.sqlite3_vfs_register(usual, 1)
            self._set_call(usual, b"openDirectory", None)

    def _fsync(self, handle: Any) -> None:
        number = handle if isinstance(handle, int) else handle.fileno()
        self._calls[0](number)
        path = Path(f"/proc/self/fd/{number}").readlink()
        self.note("sync_folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "sync", path)

    def _mkdir(self, path: Any, *rest: Any, **more: Any) -> None:
        self._calls[1](path, *rest, **more)
        self.note("make_folder", path)

    def _chmod(self, path: Any, mode: int, **more: Any) -> None:
        self._calls[2](path, mode, **more)
        self.note("mode", path, at=mode)

    def _keep(self, made: Any) -> Any:
        self._kept.append(made)
        return made

    def _pointer(self, function: Any) -> int:
        return ctypes.cast(self._keep(function), _P).value or 0

    def _shim(self, usual: int) -> _Vfs:
        below = _Vfs.from_address(usual)
        vfs = self._keep(_Vfs())
        ctypes.pointer(vfs)[0] = below
        vfs.zName = b"lossy"
        below_open, below_delete = _OPEN(below.xOpen), _DELETE(below.xDelete)

        def on_open(_vfs: int, name: int, file: int, flags: int, out: int) -> int:
            path = Path(os.fsdecode(ctypes.string_at(name))) if name else None
            is_new = path is not None and not path.exists()
            done: int = below_open(usual, name, file, flags, out)
            if done == 0 and path is not None and flags & _WATCHED:
                self._open[file] = path
                if is_new:
                    self.note("create", path)
                self._watch_file(file)
            return done

        def on_delete(_vfs: int, name: bytes, sync_folder: int) -> int:
            self.note("delete", os.fsdecode(name))
            done: int = below_delete(usual, name, sync_folder)
            return done

        vfs.xOpen, vfs.xDelete = self._pointer(_OPEN(on_open)), self._pointer(_DELETE(on_delete))
        return vfs

    def _watch_file(self, file: int) -> None:
        """Give the open file our table of methods instead of its own; all but three are the same."""
        first = ctypes.cast(file, ctypes.POINTER(_P))
        own = first[0] or 0
        if own not in self._methods:
            self._methods[own] = self._keep(self._methods_over(own))
        first[0] = ctypes.addressof(self._methods[own])

    def _methods_over(self, own: int) -> _Methods:
        below = _Methods.from_address(own)
        methods = _Methods()
        ctypes.pointer(methods)[0] = below
        write, truncate, sync = _WRITE(below.xWrite), _TRUNCATE(below.xTruncate), _SYNC(below.xSync)

        def on_write(file: int, data: int, size: int, at: int) -> int:
            self.note("write", self._open[file], at, ctypes.string_at(data, size))
            done: int = write(file, data, size, at)
            return done

        def on_truncate(file: int, size: int) -> int:
            self.note("truncate", self._open[file], size)
            done: int = truncate(file, size)
            return done

        def on_sync(file: int, flags: int) -> int:
            done: int = sync(file, flags)
            self.note("sync", self._open[file])
            return done

        methods.xWrite = self._pointer(_WRITE(on_write))
        methods.xTruncate = self._pointer(_TRUNCATE(on_truncate))
        methods.xSync = self._pointer(_SYNC(on_sync))
        return methods

    def _hook_folder_syncs(self, usual: int) -> None:
        """SQLite opens a folder for one purpose only: to sync it."""
        below = _Vfs.from_address(usual)
        get = _GET_CALL(below.xGetSystemCall)
        open_folder = _OPEN_FOLDER(get(usual, b"openDirectory"))

        def on_open_folder(name: bytes, handle: int) -> int:
            self.note("sync_folder", Path(os.fsdecode(name)).parent)
            done: int = open_folder(name, handle)
            return done

        self._set_call(usual, b"openDirectory", self._pointer(_OPEN_FOLDER(on_open_folder)))

    def _set_call(self, usual: int, name: bytes, function: int | None) -> None:
        _SET_CALL(_Vfs.from_address(usual).xSetSystemCall)(usual, name, function)

    # --- the cut ---

    def cut(self, after: int, into: Path, *, dice: random.Random) -> None:
        """Write into a folder what the disk may hold when the power goes after so many acts."""
        files, names, waiting = self._replay(after)
        for folder, acts in waiting.items():
            # A file system keeps the order of a folder's changes: some first part of them is there.
            for act in acts[: dice.choice([0, len(acts), dice.randint(0, len(acts))])]:
                _change_name(names[folder], act)
        for path in self._there(names):
            target = into / path.relative_to(self.root)
            if path in files:
                target.write_bytes(_remains(files[path], dice))
                target.chmod(dice.choice([0o644, files[path].mode]))
            else:
                target.mkdir(exist_ok=True)

    def _there(self, names: dict[Path, set[Path]]) -> Iterator[Path]:
        """Folders before what is in them; what is in a folder that is not there is not there either."""
        found = [self.root]
        for folder in found:
            for path in sorted(names.get(folder, ())):
                yield path
                found.append(path)

    def _replay(self, after: int) -> tuple[dict[Path, _File], dict[Path, set[Path]], dict[Path, list[Act]]]:
        files: dict[Path, _File] = {}
        names: dict[Path, set[Path]] = {self.root: set()}
        waiting: dict[Path, list[Act]] = {}
        for act in self.acts[:after]:
            if act.what in ("create", "make_folder", "delete"):
                if act.what == "create":
                    files[act.path] = _File()
                elif act.what == "make_folder":
                    names.setdefault(act.path, set())
                waiting.setdefault(act.path.parent, []).append(act)
            elif act.what == "sync_folder":
                for one in waiting.pop(act.path, []):
                    _change_name(names.setdefault(act.path, set()), one)
            elif act.path in files:
                _change_file(files[act.path], act)
        for folder in waiting:
            names.setdefault(folder, set())
        return files, names, waiting


def _change_name(names: set[Path], act: Act) -> None:
    names.discard(act.path) if act.what == "delete" else names.add(act.path)


def _change_file(file: _File, act: Act) -> None:
    if act.what == "sync":
        for one in file.pending:
            _apply(file.durable, one)
        file.pending.clear()
    elif act.what == "mode":
        file.mode = act.at
    else:
        file.pending.append(act)


def _apply(content: bytearray, act: Act, *, sectors: Callable[[], bool] = lambda: True) -> None:
    """A write, sector by sector, or a truncation."""
    if act.what == "truncate":
        del content[act.at :]
        content.extend(bytes(act.at - len(content)))
        return
    start = 0
    while start < len(act.data):
        at = act.at + start
        step = min(SECTOR - at % SECTOR, len(act.data) - start)
        if sectors():
            content.extend(bytes(max(0, at + step - len(content))))
            content[at : at + step] = act.data[start : start + step]
        start += step


def _remains(file: _File, dice: random.Random) -> bytes:
    content = bytearray(file.durable)
    match dice.choice(["nothing", "everything", "some", "torn"]):
        case "everything":
            for act in file.pending:
                _apply(content, act)
        case "some":
            for act in file.pending:
                if dice.random() < 0.5:
                    _apply(content, act)
        case "torn":
            for act in file.pending:
                _apply(content, act, sectors=lambda: dice.random() < 0.5)
    return bytes(content)
