# SPDX-License-Identifier: Apache-2.0
"""Plans as files: read a problem, solve it in sight, write the plan; check a plan with code that solve does
not share.
"""

from __future__ import annotations

import json
import sys
import time
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from muster.base.errors import Refusal
from muster.base.messages import text
from muster.planning import engines
from muster.planning.contract import BadProblem, Plan

# Starting the command line takes no longer; a process that works longer has done other things before.
_MOST_START_S = 0.5


def print_schema(engine: str) -> None:
    try:
        typer.echo(json.dumps(engines.schema(engine), indent=2, ensure_ascii=False))
    except BadProblem as error:
        raise _as_refusal(error) from error


def solve_file(
    engine: str, problem: Path, output: Path | None, *, seconds: float, seed: int, executor: str | None
) -> None:
    """Solves with progress on the terminal. Raises Refusal for a problem that cannot be read."""
    began = time.monotonic() - min(_MOST_START_S, time.process_time())
    loaded, read = _read(engine, problem)
    began += _warmed_up(engine)
    out = output or problem.with_suffix(".plan.json")
    with _executor(executor) as pool, _bar() as bar:
        task = bar.add_task(engine, total=None)

        def show(step: Any) -> bool | None:
            bar.update(
                task,
                description=" ".join(str(part) for part in (step.stage, step.objective) if part is not None),
                completed=getattr(step, "done", 0) or 0,
                total=getattr(step, "total", None),
            )
            return None

        # What starting, loading and reading took comes off the seconds, but a quarter of them stays.
        left_s = max(seconds / 4, seconds - (time.monotonic() - began))
        try:
            plan = loaded.solve(read, budget_s=left_s, seed=seed, executor=pool, progress=show)
        except BadProblem as error:
            raise _as_refusal(error) from error
    written = loaded.write_plan(plan, out)
    envelope = plan.envelope()
    typer.echo(
        f"{engine}: {envelope.status} objective={envelope.objective} "
        f"bound={envelope.bound} gap={envelope.gap}"
    )
    for path in written:
        typer.echo(str(path))


def _warmed_up(engine: str) -> float:
    """Compile the engine if this is its first use, and return the seconds that took: no plan pays for it."""
    from muster.planning import warming

    if warming.is_warm(engine) or not warming.is_kept():
        return 0.0
    began = time.monotonic()
    sys.stderr.write(f"{engine}: first use, compiling once; the seconds given begin after it\n")
    warming.warm(engine)
    return time.monotonic() - began


def check_file(engine: str, problem: Path, plan: Path) -> bool:
    """Prints what a plan breaks, a line each; answers whether it breaks nothing."""
    loaded, read = _read(engine, problem)
    try:
        kept: Plan = loaded.read_plan(plan)
    except BadProblem as error:
        raise _as_refusal(error) from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise Refusal("plan_unreadable", path=str(plan), why=str(error)) from error
    violations = loaded.check(read, kept)
    for violation in violations:
        typer.echo(f"{violation.rule}\t{violation.where}\t{violation.facts}")
    typer.echo(f"{engine}: {'holds every rule' if not violations else f'{len(violations)} rules broken'}")
    return not violations


def _read(engine: str, problem: Path) -> tuple[Any, Any]:
    if not problem.is_file():
        raise Refusal("file_missing", path=str(problem))
    try:
        loaded = engines.load(engine)
        return loaded, loaded.read_problem(problem)
    except BadProblem as error:
        raise _as_refusal(error) from error
    except ModuleNotFoundError as error:
        raise Refusal("engine_not_here", engine=engine) from error


def _as_refusal(error: BadProblem) -> Refusal:
    lang = "en"
    try:
        cure = text(error.cure, lang, **error.facts)
    except (LookupError, KeyError):
        cure = error.cure
    return Refusal("problem_bad", field=error.field, where=error.where, cure=cure)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=Console(file=sys.stderr),
        transient=True,
    )


def _executor(said: str | None) -> AbstractContextManager[Executor | None]:
    """None: here. A number: that many spawned processes. tcp://…: a Dask scheduler."""
    if said is None:
        return nullcontext(None)
    if said.isdigit():
        return ProcessPoolExecutor(int(said), mp_context=get_context("spawn"))
    if said.startswith("tcp://"):
        try:
            from distributed import Client  # type: ignore[import-not-found]
        except ModuleNotFoundError as error:
            raise Refusal("dask_missing") from error
        executor: Executor = Client(said).get_executor()
        return executor
    raise Refusal("executor_unknown", executor=said)
