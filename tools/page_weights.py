# SPDX-License-Identifier: Apache-2.0
"""What each page brings before its first screen (gzip); written to docs/reference/page-weights.md.

`--check` fails when a page is beyond its budget, or when the table is no longer what is built.
"""

from __future__ import annotations

import gzip
import re
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "src" / "muster" / "static" / "app"
RESIDENT = ROOT / "src" / "muster" / "api" / "templates" / "resident"
SCRIPTS = ROOT / "src" / "muster" / "api" / "resident"
TABLE = ROOT / "docs" / "reference" / "page-weights.md"
# A desk changes every day: the table is true to within this much.
TOLERATED = 0.1
LINKED = re.compile(r'(?:src|href)="/(\w+)/([^"]+\.(?:js|css))"')
IMPORTED = re.compile(r'(?:from|import)\s*"\./([\w.-]+\.js)"')


@dataclass(frozen=True, slots=True)
class Weight:
    """name: the page. kb, files: before the first screen. budget: at most so many kB."""

    name: str
    kb: float
    files: int
    budget: int
    whom: str


# Who opens it, and what that may cost him.
BUDGETS = {
    "resident": (30, "a resident's old phone, any browser, no script needed"),
    "check_in": (30, "whoever comes to help, on any phone; the script draws the map and is not needed"),
    "field": (200, "a worker's phone at the support floor; then it opens without network"),
    "welcome": (120, "whoever looks at a drill"),
    "desk": (350, "an office computer"),
    "command": (500, "the wall of a command room, with its map"),
}


def zipped(file: Path) -> int:
    return len(gzip.compress(file.read_bytes(), 9))


def first_load(folder: Path) -> list[Path]:
    """The page, what it names, what that imports at once."""
    waiting = [folder / name for _, name in LINKED.findall((folder / "index.html").read_text())]
    needed = [folder / "index.html"]
    while waiting:
        file = waiting.pop()
        if file in needed or not file.exists():
            continue
        needed.append(file)
        if file.suffix == ".js":
            waiting += [file.parent / name for name in IMPORTED.findall(file.read_text())]
    return needed


def resident_home() -> list[Path]:
    """What the home page is put together from; it is rendered by the server and brings no script."""
    names = re.compile(r"(base|home)\b|.*\.css$")
    return [file for file in sorted(RESIDENT.glob("*")) if names.match(file.name)]


def check_in() -> list[Path]:
    """The form, rendered by the server, and the script of its map; what that draws comes when asked for."""
    return [RESIDENT / "base.html", RESIDENT / "help.html", SCRIPTS / "map.js"]


SERVED = {"resident": resident_home, "check_in": check_in}


def weights() -> list[Weight]:
    """Of all pages that are built."""
    found = []
    for name, (budget, whom) in BUDGETS.items():
        files = SERVED[name]() if name in SERVED else []
        if (PAGES / name / "index.html").exists():
            files = first_load(PAGES / name)
        if files:
            kb = sum(map(zipped, files)) / 1024
            found.append(Weight(name, kb, len(files), budget, whom))
    return found


def written(rows: list[Weight]) -> str:
    lines = [
        "# What each page weighs",
        "",
        "Made by `tools/page_weights.py` from what is built: everything that a browser fetches before the",
        "first screen, over the wire (gzip). A test fails beyond the budget.",
        "",
        "| page | first load, kB | budget, kB | files | for |",
        "|---|---:|---:|---:|---|",
    ]
    lines += [f"| {row.name} | {row.kb:.0f} | {row.budget} | {row.files} | {row.whom} |" for row in rows]
    return "\n".join(lines) + "\n"


def read(text: str) -> dict[str, float]:
    return {name: float(kb) for name, kb in re.findall(r"^\| (\w+) \| (\d+) \|", text, re.MULTILINE)}


def faults(rows: list[Weight], told: dict[str, float]) -> list[str]:
    """What is wrong, in words with the cure."""
    heavy = [
        f"{row.name}: {row.kb:.0f} kB before the first screen, {row.budget} are allowed"
        for row in rows
        if row.kb > row.budget
    ]
    stale = [
        f"{row.name}: the table says {told.get(row.name, 0):.0f} kB, it is {row.kb:.0f};"
        " run tools/page_weights.py"
        for row in rows
        if abs(told.get(row.name, 0) - row.kb) > max(2.0, TOLERATED * row.kb)
    ]
    return heavy + stale


def main(words: list[str]) -> int:
    rows = weights()
    if "--check" in words:
        found = faults(rows, read(TABLE.read_text()) if TABLE.exists() else {})
        print("\n".join(found), file=sys.stderr)
        return 1 if found else 0
    TABLE.write_text(written(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
