# SPDX-License-Identifier: Apache-2.0
"""ListRun: one list on its way in from the console, with its progress, its report and its one line at the
end.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import typer

from muster.base.clock import now
from muster.base.errors import Refusal
from muster.base.ids import new_id
from muster.base.messages import text
from muster.places.models import Area, Grid
from muster.register.exporting.filters import Filters
from muster.register.import_models import ImportBatch
from muster.register.importing.batches import (
    Choices,
    choices_for,
    columns_of,
    job_of,
    kept_rows,
    open_batch,
    open_job,
    prepare_batch,
    unfinished_batch,
)
from muster.register.importing.checking import Checking
from muster.register.importing.committing import commit_batch
from muster.register.importing.kinds import kind_named
from muster.register.importing.limits import LIMITS
from muster.register.importing.operators import Operator
from muster.register.importing.reports import write_report
from muster.register.importing.rows import CheckedRow

Show = Callable[[str, int, int], None]


@dataclass(frozen=True)
class ListRun:
    """A list and what was chosen for it."""

    kind: str
    file: Path
    operator: Operator
    choices: Choices
    report: Path | None
    lang: str

    def check_only(self) -> None:
        """Check without writing anything. Raises Refusal import_dry_rows_bad when rows have mistakes."""
        kind = kind_named(self.kind)
        choices = choices_for(self.kind, self.choices, at=now())
        job = open_job(new_id(), choices, self.operator.reach, at=now())
        checking = Checking(kind, job)
        returned: list[CheckedRow] = []
        raw = self._read()
        with progress_bar() as show:
            for chunk in checking.run(raw, progress=show):
                returned += [row for row in chunk if row.is_told]
        assert checking.columns is not None
        if self.report is not None:
            with writing_to(self.report) as out:
                write_report(
                    out,
                    returned,
                    form=kind.form,
                    columns=checking.columns,
                    setting=job.setting,
                    lang=self.lang,
                )
        self._tell(dict(checking.counts), checking.columns.unknown)
        self._end(checking.counts["bad"], checking.counts["rows"], "import_dry_rows_bad")

    def bring_in(self) -> None:
        """Write the good rows. Raises Refusal import_rows_bad when others came back."""
        raw = self._read()
        with progress_bar() as show:
            choices = choices_for(self.kind, self.choices, at=now())
            batch = unfinished_batch(self.kind, raw, operator=self.operator, choices=choices)
            if batch is None:
                batch = open_batch(
                    self.kind,
                    raw,
                    file_name=self.file.name,
                    operator=self.operator,
                    choices=choices,
                    at=now(),
                )
                prepare_batch(batch, raw, now=now, progress=show)
            batch = commit_batch(batch.id, now=now, progress=show)
        self._write_report(batch)
        self._tell({"import": str(batch.id), **batch.result}, columns_of(batch).unknown)
        self._end(batch.result.get("bad", 0), batch.rows_total, "import_rows_bad")

    def _read(self) -> bytes:
        if not self.file.is_file():
            raise Refusal("file_missing", path=str(self.file))
        if self.file.stat().st_size > LIMITS.file_bytes:
            raise Refusal("import_file_too_big", mib=LIMITS.file_bytes >> 20)
        return self.file.read_bytes()

    def _write_report(self, batch: ImportBatch) -> None:
        if self.report is None:
            return
        form, setting = kind_named(batch.kind).form, job_of(batch, at=now()).setting
        with writing_to(self.report) as out:
            write_report(
                out, kept_rows(batch), form=form, columns=columns_of(batch), setting=setting, lang=self.lang
            )

    def _tell(self, told: dict[str, object], unknown: tuple[str, ...]) -> None:
        typer.echo(" · ".join(f"{name}={value}" for name, value in told.items()))
        if unknown:
            typer.echo(text("import_columns_unused", self.lang, columns=", ".join(unknown)))

    def _end(self, bad: int, rows: int, code: str) -> None:
        if bad and self.report is not None:
            raise Refusal(f"{code}_told", bad=bad, rows=rows, report=str(self.report))
        if bad:
            raise Refusal(code, bad=bad, rows=rows)


def filters_of(*, area: str | None, grid: str | None, need: str, search: str) -> Filters:
    """Filters by the codes that people know. Raises Refusal area_unknown, grid_unknown."""
    return Filters(
        area=_id_of(Area, area, "area_unknown", "area") if area else None,
        grid=_id_of(Grid, grid, "grid_unknown", "grid") if grid else None,
        need=need,
        q=search,
    )


def _id_of(model: type[Area | Grid], code: str, refusal: str, fact: str) -> int:
    found = model._default_manager.filter(code=code).first()
    if found is None:
        raise Refusal(refusal, **{fact: code})
    return int(found.pk)


@contextmanager
def writing_to(file: Path) -> Iterator[BinaryIO]:
    """A file that appears whole or not at all."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with fresh.open("wb") as out:
            yield out
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def progress_bar() -> Iterator[Show]:
    """Progress on the terminal; it leaves nothing behind, and says nothing where nobody looks."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=None)

        def show(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total or None)

        yield show
