# SPDX-License-Identifier: Apache-2.0
"""A Sheet: the rows of a file as text, streamed from a child process that reads it under limits."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, Any

import msgspec

from muster.base.errors import Refusal
from muster.register.importing.limits import LIMITS, Limits
from muster.register.importing.sheet_child import Order

_CHILD = "muster.register.importing.sheet_child"
_LENGTH = struct.Struct(">I")
_FRAME_BYTES = 256 << 20


@dataclass(frozen=True, slots=True)
class Sheet:
    """What is known before the rows: the form of the file, how many rows about, and then the rows
    themselves.
    """

    form: str
    name: str
    encoding: str
    rows_expected: int
    rows: Iterator[list[str]]


@contextmanager
def open_sheet(raw: bytes, *, names: Mapping[str, str], limits: Limits = LIMITS) -> Iterator[Sheet]:
    """Open a file from outside. Raises Refusal, also while its rows are read.

    names: the form's header keys, by which the right sheet of a workbook is known.
    """
    order = msgspec.json.encode(Order(limits, dict(names))).decode()
    child = subprocess.Popen(
        [sys.executable, "-I", "-m", _CHILD, order],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "LANG": "C.UTF-8"},
    )
    feeding = threading.Thread(target=_feed, args=(child.stdin, raw), daemon=True)
    answers = _Answers(child, limits.wall_seconds)
    try:
        feeding.start()
        head = answers.next_frame()["head"]
        yield Sheet(head["form"], head["sheet"], head["encoding"], head["rows"], _rows(answers))
    finally:
        child.kill()
        child.wait()
        feeding.join()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close(pipe)


class _Answers:
    """What the child answers. Its clock runs only while we wait for it: how long we take over the rows
    ourselves, on a busy machine, is no fault of the file.
    """

    def __init__(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        self._child, self._left = child, float(seconds)

    def next_frame(self) -> dict[str, Any]:
        began = time.monotonic()
        clock = threading.Timer(max(0.0, self._left), self._child.kill)
        clock.start()
        try:
            return _read_frame(self._child)
        finally:
            clock.cancel()
            self._left -= time.monotonic() - began


def _rows(answers: _Answers) -> Iterator[list[str]]:
    while True:
        frame = answers.next_frame()
        if "end" in frame:
            return
        yield from frame["rows"]


def _read_frame(child: subprocess.Popen[bytes]) -> dict[str, Any]:
    """A child that ends without a word was stopped by its limits."""
    assert child.stdout is not None
    head = child.stdout.read(_LENGTH.size)
    size = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    body = child.stdout.read(size) if 0 < size <= _FRAME_BYTES else b""
    if not body or len(body) < size:
        raise Refusal("import_file_too_heavy")
    frame: dict[str, Any] = msgspec.msgpack.decode(body)
    if "refusal" in frame:
        code, facts = frame["refusal"]
        raise Refusal(code, **facts)
    return frame


def _feed(pipe: IO[bytes], raw: bytes) -> None:
    try:
        pipe.write(raw)
    except (BrokenPipeError, OSError, ValueError):
        return  # the child had seen enough
    finally:
        _close(pipe)


def _close(pipe: IO[bytes]) -> None:
    try:
        pipe.close()
    except OSError:
        return
