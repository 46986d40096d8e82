# SPDX-License-Identifier: Apache-2.0
"""What the player tells and is told through its folder: state.json, wish.json, phones.json."""

from __future__ import annotations

import json
import os
from collections import Counter, deque
from pathlib import Path
from typing import Any

from muster.base.messages import text

LINES = 12
LANGUAGES = ("zh", "en")


class Told:
    """The log and the counts of a day, and the files in which they are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: deque[dict[str, Any]] = deque(maxlen=LINES)
        self.counts: Counter[str] = Counter()
        folder.mkdir(parents=True, exist_ok=True)

    def note(self, what: str, *, clock: str, worker: str, door: str = "", tell: bool = True) -> None:
        """Counts an event; those worth telling get a line in both languages."""
        self.counts[what] += 1
        if not tell:
            return
        facts = {"worker": worker, "door": door}
        said = {language: text(f"drill.log.{what}", language, **facts) for language in LANGUAGES}
        self.log.appendleft({"what": what, "clock": clock, **facts, "text": said})

    def read(self, name: str) -> dict[str, Any]:
        """A file of the folder; empty when there is none yet or it is broken."""
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write(self, name: str, told: dict[str, Any], *, private: bool = False) -> None:
        """Whole or not at all: readers never see a half-written file."""
        fresh = self.folder / f"{name}.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file, ensure_ascii=False)
        fresh.replace(self.folder / name)
