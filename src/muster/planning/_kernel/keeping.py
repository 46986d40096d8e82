# SPDX-License-Identifier: Apache-2.0
"""Where compiled kernels are kept: beside the code, or where this user may write when not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, MutableMapping
from pathlib import Path

ENVIRONMENT = "NUMBA_CACHE_DIR"
PACKAGE = Path(__file__).resolve().parents[1]
_NAME = "muster-kernels"
_FLEETING = "muster-kernels-of-one-run-"


def settle_place(environment: MutableMapping[str, str] = os.environ, *, beside: Path = PACKAGE) -> Path:
    """Return the folder of the compiled kernels; where it is not beside the code, numba is told.

    A folder that somebody named in the environment stands when it can be written. numba refuses to import a
    kernel that it may keep nowhere, so the last resort is a new folder that ends with the machine's run.
    """
    said = environment.get(ENVIRONMENT)
    if said and _may_write(Path(said)):
        return Path(said)
    own = beside / "__pycache__"
    if not said and _may_write(own):
        return own
    for place in _places(environment):
        if _may_write(place):
            environment[ENVIRONMENT] = str(place)
            return place
    made = Path(tempfile.mkdtemp(prefix=_FLEETING))
    environment[ENVIRONMENT] = str(made)
    return made


def is_lasting(place: Path) -> bool:
    """Tell whether the next process will find what is kept there."""
    return not place.name.startswith(_FLEETING)


def _places(environment: MutableMapping[str, str]) -> Iterator[Path]:
    if "MUSTER_DATA" in environment:
        yield Path(environment["MUSTER_DATA"]) / "kernels"
    if environment.get("XDG_CACHE_HOME"):
        yield Path(environment["XDG_CACHE_HOME"]) / _NAME
    elif environment.get("HOME"):
        yield Path(environment["HOME"]) / ".cache" / _NAME


def _may_write(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
