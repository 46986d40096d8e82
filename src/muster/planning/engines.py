# SPDX-License-Identifier: Apache-2.0
"""The engines by name, imported only when one is asked for (numba and OR-tools are heavy)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, cast

from muster.planning.contract import BadProblem, Engine

NAMES = (
    "allocating",
    "batching",
    "dispatching",
    "districting",
    "matching",
    "network",
    "rostering",
    "routing",
    "siting",
)


def load(engine: str) -> Engine:
    """Import the engine; raises BadProblem for a name that is none."""
    if engine not in NAMES:
        raise BadProblem("engine", engine, "planning.cure.one_of", allowed=", ".join(NAMES))
    return cast("Engine", import_module(f"muster.planning.{engine}"))


def load_problem(engine: str, path: Path) -> Any:
    """Read a problem file in the engine's own form or the form of its field."""
    return load(engine).read_problem(path)


def schema(engine: str) -> dict[str, Any]:
    """Return the JSON Schema of the engine's problem file."""
    return load(engine).schema()
