# SPDX-License-Identifier: Apache-2.0
"""How much a phone fetches before the first screen: a promise to whoever stands in a weak network."""

import gzip

import pytest

from tests.web.built import built, first_load

BUDGETS_KB = {"field": 200}


@pytest.mark.parametrize("app", BUDGETS_KB)
def test_first_load_stays_within_its_budget(app):
    files = first_load(built(app))

    size = sum(len(gzip.compress(file.read_bytes(), 9)) for file in files) / 1024

    assert len(files) > 2
    assert size <= BUDGETS_KB[app], f"{size:.0f} kB in {[file.name for file in files]}"


def test_first_load_follows_what_a_script_imports(tmp_path):
    folder = tmp_path / "field"
    folder.mkdir()
    (folder / "index.html").write_text('<script type="module" src="/field/a.js"></script>')
    (folder / "a.js").write_text('import{x}from"./b.js";import("./later.js")')
    (folder / "b.js").write_text("export const x=1")
    (folder / "later.js").write_text("")

    assert [file.name for file in first_load(folder)] == ["index.html", "a.js", "b.js"]


def test_camera_and_its_reader_are_not_part_of_the_first_load():
    names = [file.name for file in first_load(built("field"))]

    assert not [name for name in names if "Camera" in name or "reader" in name or name.endswith(".wasm")]
