# SPDX-License-Identifier: Apache-2.0
"""warm-up: the planning engines are compiled once, before a person waits for a plan."""

from __future__ import annotations

import os
import signal
import sys
from typing import Annotated

import typer

from muster.base.errors import Refusal


def register_commands(app: typer.Typer) -> None:
    app.command("warm-up")(warm_up)


def warm_up(
    engine: Annotated[
        list[str] | None, typer.Argument(help="engines; all of them when none is named")
    ] = None,
    background: Annotated[
        bool, typer.Option("--background", help="give way to everybody, say nothing, never fail")
    ] = False,
) -> None:
    """Compile the planning engines, so that the first plan is as quick as the second. May be interrupted."""
    from muster.planning.engines import NAMES
    from muster.planning.warming import is_warm, warm

    if unknown := [name for name in engine or () if name not in NAMES]:
        raise Refusal("engine_unknown", engine=unknown[0], allowed=", ".join(NAMES))
    # The child that compiles ends with us, also when we are told to stop.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    if background:
        _give_way()
    for name in engine or NAMES:
        if is_warm(name):
            _say(f"{name}: warm already", quiet=background)
            continue
        try:
            done = warm(name)
        except Exception as error:
            if not background:
                raise Refusal("engine_stays_cold", engine=name, why=str(error)) from error
            sys.stderr.write(f"warm-up of {name}: {error}\n")
            continue
        _say(f"{name}: compiled {done.compiled}, found {done.found}, {done.cpu_s} s", quiet=background)


def _give_way() -> None:
    """Let everybody else have the processor first; the child that compiles takes this over."""
    if hasattr(os, "nice"):
        os.nice(19)


def _say(line: str, *, quiet: bool) -> None:
    if not quiet:
        typer.echo(line)
