# SPDX-License-Identifier: Apache-2.0
"""Where the built pages are, and the word with which a test is skipped when they are not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
WEB = REPOSITORY / "web"
PAGES = REPOSITORY / "src" / "muster" / "static" / "app"


def built(app: str) -> Path:
    """The folder of a built app; skips the test when there is none."""
    folder = PAGES / app
    if not (folder / "index.html").exists():
        pytest.skip(f"the {app} pages are not built: python tools/build_pages.py {app}")
    return folder


def first_load(folder: Path) -> list[Path]:
    """The files that a browser needs before the first screen: the page, what it names, what that imports."""
    page = (folder / "index.html").read_text()
    waiting = [
        folder / name for name in re.findall(rf'(?:src|href)="/{folder.name}/([^"]+\.(?:js|css))"', page)
    ]
    needed = [folder / "index.html"]
    while waiting:
        file = waiting.pop()
        if file in needed:
            continue
        needed.append(file)
        if file.suffix == ".js":
            imports = re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', file.read_text())
            waiting += [file.parent / name for name in imports]
    return needed
