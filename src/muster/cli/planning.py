# SPDX-License-Identifier: Apache-2.0
"""plan · check: engines on files. No database, no Django."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register_commands(app: typer.Typer) -> None:
    app.command()(plan)
    app.command()(check)


def plan(
    engine: str,
    problem: Annotated[Path | None, typer.Argument(help="the problem file")] = None,
    output: Annotated[Path | None, typer.Option("-o", help="where the plan goes")] = None,
    seconds: Annotated[float, typer.Option(min=0.1)] = 60.0,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    executor: Annotated[
        str | None, typer.Option(help="tcp://… of a Dask scheduler, or a number of processes")
    ] = None,
    schema: Annotated[bool, typer.Option("--schema", help="print the problem's schema and stop")] = False,
) -> None:
    """Solve a problem file with a planning engine."""
    from muster.cli.plan_files import print_schema, solve_file

    if schema:
        print_schema(engine)
        return
    if problem is None:
        raise typer.BadParameter("PROBLEM is missing")
    solve_file(engine, problem, output, seconds=seconds, seed=seed, executor=executor)


def check(engine: str, problem: Path, plan: Path) -> None:
    """Check a plan against its problem with the engine's independent check."""
    from muster.cli.plan_files import check_file

    if not check_file(engine, problem, plan):
        raise typer.Exit(1)
