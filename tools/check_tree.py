# SPDX-License-Identifier: Apache-2.0
"""Look at the files themselves: licence lines, sizes, names, lock files, paths of somebody's machine.

`tools/check_tree.py` names each fault with its file and fails; the rules are the functions below.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
MOST_LINES = 500
LICENCE = "# SPDX-License-Identifier: Apache-2.0"
SOURCES = {".py", ".ts", ".vue"}
BANNED_NAMES = re.compile(r"^(utils?|helpers?|common|misc|managers?|handlers?|data|info|signals?)$")
LOCKS = re.compile(r"^(requirements/.*\.(txt|in)|web/\.npmrc|uv\.lock|pip\.conf)$")
RECIPES = re.compile(r"(^|/)(Makefile|run|[^/]*\.(sh|toml|ya?ml|cfg|Dockerfile))$|^deploy/")
ADDRESS = re.compile(r"https?://|--(extra-)?index-url\b(?!\s*$)|^\s*(@[^:]*:)?registry\s*=")
RESOLVED = re.compile(r'"resolved"\s*:')
INDEX = re.compile(
    r"--(extra-)?index-url|PIP_INDEX_URL|npm_config_registry|registry\s*=\s*https?:", re.IGNORECASE
)
HOME = re.compile(r"(?<![\w.])/(?:home|Users)/[a-z][a-z0-9_-]*/")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError|# stub\b")

Tree = Mapping[str, str]
Rule = Callable[[Tree], Iterator[str]]


def read_tree(root: Path = ROOT) -> dict[str, str]:
    """path -> text of every file that git knows or would take; what is no text is left out."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, capture_output=True, check=True,
    )  # fmt: skip
    tree: dict[str, str] = {}
    for name in sorted(filter(None, listed.stdout.decode().split("\0"))):
        path = root / name
        try:
            tree[name] = path.read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
    return tree


def licence_line_comes_first(tree: Tree) -> Iterator[str]:
    for name, text in tree.items():
        said = text.removeprefix("#!/usr/bin/env python3\n")
        if name.endswith(".py") and text.strip() and not said.startswith(LICENCE):
            yield f"{name}: the first line is {LICENCE!r}"


def no_file_grows_past_bounds(tree: Tree) -> Iterator[str]:
    for name, text in tree.items():
        lines = text.count("\n")
        if PurePosixPath(name).suffix in SOURCES and "/migrations/" not in name and lines > MOST_LINES:
            yield f"{name}: {lines} lines, at most {MOST_LINES}; is it still one thing?"


def names_say_what_is_inside(tree: Tree) -> Iterator[str]:
    for name in tree:
        path = PurePosixPath(name)
        parts = [*path.parts[:-1], path.stem] if path.suffix in SOURCES else path.parts[:-1]
        for part in parts:
            if BANNED_NAMES.match(part) and name.startswith(("src/", "web/", "tests/", "tools/")):
                yield f"{name}: a folder or file named {part!r} says nothing"


def lock_files_name_no_registry(tree: Tree) -> Iterator[str]:
    for name, text in tree.items():
        pattern = _address_in(name)
        for number, line in enumerate(text.splitlines() if pattern else (), start=1):
            if pattern is not None and pattern.search(line):
                yield f"{name}:{number}: an address of a package registry"


def _address_in(name: str) -> re.Pattern[str] | None:
    """What must not stand in a file of this name; None where any address may."""
    if name.endswith("package-lock.json"):
        return RESOLVED
    return ADDRESS if LOCKS.search(name) else INDEX if RECIPES.search(name) else None


def no_path_of_a_machine(tree: Tree) -> Iterator[str]:
    beside = ROOT.parent.as_posix() + "/"
    for name, text in tree.items():
        for number, line in enumerate(text.splitlines(), start=1):
            if HOME.search(line) or (len(beside) > len("/tmp/") and beside in line):  # noqa: S108
                yield f"{name}:{number}: a path of somebody's machine"


def nothing_is_left_unfinished(tree: Tree) -> Iterator[str]:
    for name, text in tree.items():
        if not name.startswith(("src/", "web/")) or PurePosixPath(name).suffix not in SOURCES:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if UNFINISHED.search(line):
                yield f"{name}:{number}: unfinished: {line.strip()[:60]}"


RULES: tuple[Rule, ...] = (
    licence_line_comes_first,
    no_file_grows_past_bounds,
    names_say_what_is_inside,
    lock_files_name_no_registry,
    no_path_of_a_machine,
    nothing_is_left_unfinished,
)


def main() -> int:
    tree = read_tree()
    faults = [fault for rule in RULES for fault in rule(tree)]
    for fault in faults:
        sys.stderr.write(fault + "\n")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
