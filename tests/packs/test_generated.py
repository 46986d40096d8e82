# SPDX-License-Identifier: Apache-2.0
"""The generator of pages and web words: writes what the sources say, and sees a file that differs."""

import json

import pytest

from tools import generate


@pytest.fixture
def written(tmp_path):
    generate.write(tmp_path)
    return tmp_path


def test_write_then_nothing_differs(written):
    assert generate.differing(written) == []
    assert generate.write(written) == []


@pytest.mark.parametrize("name", sorted(generate.GENERATED))
def test_file_that_was_changed_by_hand_is_seen(written, name):
    path = written / name
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")

    assert generate.differing(written) == [name]


def test_file_that_is_missing_is_seen(written):
    (written / "docs/reference/glossary.md").unlink()

    assert generate.differing(written) == ["docs/reference/glossary.md"]


def test_web_words_have_the_same_keys_in_both_languages(written):
    for part in ("terms", "messages"):
        zh, en = (
            json.loads((written / f"web/packages/ui/{part}.{lang}.json").read_text(encoding="utf-8"))
            for lang in ("zh", "en")
        )

        assert list(zh) == list(en)
        assert zh != en


def test_pages_name_every_key(written):
    packs = (written / "docs/reference/packs.md").read_text(encoding="utf-8")
    messages = (written / "docs/reference/messages.md").read_text(encoding="utf-8")

    for word in ("`gate_rules`", "`cadence_days`", "testing_round", "`NEEDS_HELP`", "winter_visit"):
        assert word in packs
    assert "| `pack_unknown` |" in messages


def test_check_fails_and_names_the_file(written, monkeypatch, capsys):
    monkeypatch.setattr(generate, "ROOT", written)
    (written / "docs/reference/packs.md").write_text("", encoding="utf-8")

    assert generate.main(["--check"]) == 1
    assert "docs/reference/packs.md is not up to date" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    assert generate.main(["--nonsense"]) == 2
