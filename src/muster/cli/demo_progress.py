# SPDX-License-Identifier: Apache-2.0
"""Progress of a staging on the terminal: a line for each step, a bar within it where there is a terminal."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from muster.base.messages import text


class TerminalProgress:
    """language: "zh" tells each step in both languages, anything else in English."""

    def __init__(self, language: str, *, console: Console | None = None) -> None:
        self.language = language
        self.console = console or Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TimeElapsedColumn())
        self.bars = Progress(*columns, console=self.console, disable=not self.console.is_terminal)
        self.task: TaskID | None = None

    def __enter__(self) -> Self:
        self.bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish()
        self.bars.stop()

    def step(self, what: str, /, **facts: object) -> None:
        self._finish()
        told = text(f"drill.staging.{what}", "en", **facts)
        if self.language == "zh":
            told = f"{text(f'drill.staging.{what}', 'zh', **facts)} · {told}"
        if self.console.is_terminal:
            self.task = self.bars.add_task(told, total=None)
        else:
            self.console.print(told)

    def count(self, done: int, total: int) -> None:
        if self.task is not None:
            self.bars.update(self.task, completed=done, total=total)

    def _finish(self) -> None:
        if self.task is not None:
            total = self.bars.tasks[self.task].total or 1
            self.bars.update(self.task, completed=total, total=total)
            self.bars.stop_task(self.task)
            self.task = None
