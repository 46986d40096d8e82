# SPDX-License-Identifier: Apache-2.0
"""A browser as old as the support floor, driven over its own pipe: newer drivers do not speak to it."""

from __future__ import annotations

import itertools
import json
import os
import select
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--single-process", "--no-zygote",
    "--remote-debugging-pipe", "--lang=zh-CN", "--hide-scrollbars", "--window-size=360,740", "--no-first-run",
)  # fmt: skip
WAIT_S = 30


class FloorBrowser:
    """One old browser with one page. Every complaint of its scripts is remembered."""

    def __init__(self, program: Path, profile: Path) -> None:
        self.program, self.profile = program, profile
        self.complaints: list[str] = []
        self._ids = itertools.count(1)
        self._buffer = b""
        self._session = ""
        self.start()

    def start(self) -> None:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()

        def hand_over() -> None:
            # It reads from descriptor 3 and answers on 4; moved high first, lest one overwrite the other.
            high_in, high_out = os.dup2(theirs_in, 103), os.dup2(theirs_out, 104)
            os.dup2(high_in, 3)
            os.dup2(high_out, 4)

        self.process = subprocess.Popen(
            [str(self.program), *ARGUMENTS, f"--user-data-dir={self.profile}", "about:blank"],
            preexec_fn=hand_over,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "LD_LIBRARY_PATH": str(self.program.parent)},
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._read, self._write, self._buffer, self._session = ours_in, ours_out, b"", ""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.send(f"{domain}.enable")

    @property
    def version(self) -> str:
        session, self._session = self._session, ""
        told = str(self.send("Browser.getVersion")["product"])
        self._session = session
        return told

    def send(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            told = self._next()
            if told.get("id") == number:
                assert "error" not in told, f"{method}: {told['error']}"
                answer: dict[str, Any] = told["result"]
                return answer

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + WAIT_S
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the old browser does not answer"
            read = os.read(self._read, 1 << 16)
            assert read, "the old browser is gone"
            self._buffer += read
        line, self._buffer = self._buffer.split(b"\0", 1)
        told: dict[str, Any] = json.loads(line)
        if told.get("method") == "Runtime.exceptionThrown":
            details = told["params"]["exceptionDetails"]
            self.complaints.append(str(details.get("exception", {}).get("description", details["text"])))
        return told

    def goto(self, url: str) -> None:
        self.send("Page.navigate", url=url)
        self.wait("document.readyState === 'complete'")

    def ask(self, expression: str) -> Any:
        told = self.send("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in told, f"{expression}: {told['exceptionDetails']}"
        return told["result"].get("value")

    def wait(self, expression: str, seconds: float = WAIT_S) -> Any:
        """Asks until it is true. A page that is just being left has no answer yet."""
        end = time.monotonic() + seconds
        while True:
            with suppress(AssertionError):
                told = self.ask(expression)
                # An element comes back as an empty mapping.
                if told or told == {}:
                    return told
            shown = "" if time.monotonic() < end else self.ask("document.body.innerText")
            assert time.monotonic() < end, f"not within {seconds:g} s: {expression}\n{shown}"
            time.sleep(0.1)

    def tap(self, selector: str, text: str = "") -> None:
        """The first visible element that fits, in its middle, with a real touch of the pointer."""
        spot = self.wait(
            f"""(() => {{ const one = [...document.querySelectorAll({json.dumps(selector)})]
            .find((x) => x.offsetParent && x.textContent.includes({json.dumps(text)}))
            if (!one) return null
            one.scrollIntoView({{ block: 'center' }})
            const {{ left, top, width, height }} = one.getBoundingClientRect()
            return [left + width / 2, top + height / 2] }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent", type=kind, x=spot[0], y=spot[1], button="left", clickCount=1
            )

    def kill(self) -> None:
        """The battery is out."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, 9)
        self.process.wait(20)
        for descriptor in (self._read, self._write):
            with suppress(OSError):
                os.close(descriptor)
