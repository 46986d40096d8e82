# SPDX-License-Identifier: Apache-2.0
"""Problem and plan files: reading JSON with clear complaints, writing plans whole or not at all."""

from __future__ import annotations

import gzip
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from muster.planning.contract import BadProblem, PlanEnvelope

# A planning file of a whole city is some hundred megabytes; more is a mistake or an attack.
MAX_BYTES = 1 << 30


def read_text(path: Path) -> str:
    """Return the text of a file (also gzip); raises BadProblem when it is absent, too big or not UTF-8."""
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if packed else path.open("rb") as stream:
            content = stream.read(MAX_BYTES + 1)
    except (OSError, EOFError) as error:
        raise BadProblem("", path.name, "planning.cure.readable_file", detail=str(error)) from error
    if len(content) > MAX_BYTES:
        raise BadProblem("", path.name, "planning.cure.smaller_file", limit=MAX_BYTES)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadProblem("", path.name, "planning.cure.utf8") from error


def read_json(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; raises BadProblem."""
    try:
        raw = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        if isinstance(error, BadProblem):
            raise
        raise BadProblem("", path.name, "planning.cure.valid_json", detail=str(error)) from error
    if not isinstance(raw, dict):
        raise BadProblem("", path.name, "planning.cure.object")
    return raw


def write_text(path: Path, text: str) -> None:
    """Write the file beside its place and move it there, so that a reader never sees half a plan."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def read_envelope(path: Path, *, engine: str) -> PlanEnvelope:
    """Return the envelope in a plan file of this engine; raises BadProblem."""
    envelope = PlanEnvelope.from_json(read_text(path))
    if envelope.engine != engine:
        raise BadProblem("engine", path.name, "planning.cure.one_of", allowed=engine)
    return envelope
