# SPDX-License-Identifier: Apache-2.0
"""The field app's pretend server as a child: a made-up grid, and a journal to look into."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from tests.conftest import REPOSITORY
from tests.support.browser import PAGES
from tests.support.house import until

SERVE = REPOSITORY / "web" / "apps" / "field" / "dev" / "serve.py"


class Pretend:
    """One grid behind one address; it can be switched off, deafened, frozen in the middle of an answer."""

    def __init__(self, *words: str, built: Path | None = None) -> None:
        command = [
            sys.executable,
            str(SERVE),
            "--port",
            "0",
            "--built",
            str(built or PAGES / "field"),
            *words,
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        said = re.match(r"(http://[\d.:]+)/", self.process.stdout.readline())
        assert said, "the pretend server does not start"
        # A name, not a number: pages of one name share their storage as in the field.
        self.origin = said[1].replace("127.0.0.1", "localhost")

    def url(self, code: str = "AAAA-0001") -> str:
        return f"{self.origin}/field/?code={code}"

    def switch(self, state: str) -> None:
        httpx.post(f"{self.origin}/dev/{state}").raise_for_status()

    def journal(self, device: str) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = httpx.get(f"{self.origin}/dev/journal").json()
        return [fact for fact in told if fact["device"] == device]

    def holds_exactly(self, facts: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Waits for all of these; each is there with one content, numbered without a gap; nothing else is."""
        (device,) = {fact["device"] for fact in facts}
        wanted = {fact["id"] for fact in facts}
        until(
            lambda: wanted <= {fact["id"] for fact in self.journal(device)},
            what="every fact has arrived",
            seconds=60,
        )
        once: dict[str, dict[str, Any]] = {}
        for fact in self.journal(device):
            assert once.setdefault(fact["id"], fact) == fact
        assert set(once) == wanted
        assert sorted(fact["seq"] for fact in once.values()) == list(range(1, len(once) + 1))
        return list(once.values())

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        self.thaw()
        self.process.terminate()
        self.process.wait(20)
