# SPDX-License-Identifier: Apache-2.0
"""bench: the benchmarks of the checkout, by name."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import typer

from muster.base.errors import Refusal


def register_commands(app: typer.Typer) -> None:
    app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(bench)


def bench(context: typer.Context, name: str) -> None:
    """Run a benchmark of the checkout (benchmarks/NAME.py); its result is a file with machine and seed."""
    folder = Path(__file__).resolve().parents[3] / "benchmarks"
    known = sorted(
        str(p.relative_to(folder).with_suffix("")) for p in folder.rglob("*.py") if p.stem != "__init__"
    )
    if name not in known:
        raise Refusal("bench_unknown", name=name, known=", ".join(known) or "-")
    raise typer.Exit(
        subprocess.run([sys.executable, str(folder / f"{name}.py"), *context.args], check=False).returncode
    )
