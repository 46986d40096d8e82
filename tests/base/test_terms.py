# SPDX-License-Identifier: Apache-2.0
"""The nouns: both languages, one word for one concept, and no word of the avoid lists in any sentence."""

import re
from collections import Counter
from pathlib import Path

import pytest

from muster.base import messages
from muster.base.terms import Term, read_terms, term, terms

KEY = re.compile(r"^[a-z][a-z0-9_]*$")
HAN = re.compile(r"[\u4e00-\u9fff]")
SOURCE = Path(messages.__file__).resolve().parents[1]


def own_terms() -> dict[str, Term]:
    return {key: entry for key, entry in terms().items() if not entry.same_as}


def said_twice(entries: dict[str, Term], lang: str) -> list[str]:
    counts = Counter(getattr(entry, lang) for entry in entries.values())
    return sorted(word for word, count in counts.items() if count > 1)


def avoided(sentences: dict[str, str], entries: dict[str, Term]) -> list[str]:
    """Return `where: word` for every word that some concept says to avoid."""
    found = []
    for where, sentence in sentences.items():
        for entry in entries.values():
            found += [f"{where}: {word}" for word in entry.avoid if word.lower() in sentence.lower()]
    return found


def undefined(paths: list[str], source: Path = SOURCE) -> list[str]:
    """Return the `app.Name` paths whose app stands but does not define the name."""
    missing = []
    for path in paths:
        app, name = path.rsplit(".", 1)
        folder = source / app.replace(".", "/")
        if not (folder / "models.py").exists() and not (folder / "models").exists():
            continue  # the app, or its models, is not built yet
        defined = re.compile(rf"^(class|def) {name}\b|^{name}\b", re.MULTILINE)
        if not any(defined.search(file.read_text(encoding="utf-8")) for file in folder.rglob("*.py")):
            missing.append(path)
    return missing


def test_term_in_both_languages():
    assert (term("household"), term("household", "en")) == ("户", "household")


def test_term_of_enum_member_borrows_the_word_of_its_concept():
    assert term("role_grid_head") == term("post_type_head") == "网格长"


def test_term_unknown_says_where_to_add_it():
    with pytest.raises(LookupError, match=r"'no_such'; add it to base/terms.toml"):
        term("no_such")


def test_term_in_unknown_language_is_refused():
    with pytest.raises(ValueError, match="zh and en"):
        term("household", "fr")


def test_terms_are_words_in_their_language():
    wrong = [
        key
        for key, entry in terms().items()
        if not KEY.match(key)
        or not HAN.search(entry.zh)
        or not entry.en
        or HAN.search(entry.en + entry.en_many)
    ]

    assert wrong == []


def test_terms_one_word_one_concept():
    assert said_twice(own_terms(), "zh") == []
    assert said_twice(own_terms(), "en") == []


def test_terms_word_for_two_concepts_is_seen():
    assert said_twice({"a": Term(zh="户", en="a"), "b": Term(zh="户", en="b")}, "zh") == ["户"]


def test_terms_definitions_stand_in_both_languages():
    assert [key for key, entry in terms().items() if bool(entry.def_zh) != bool(entry.def_en)] == []


def test_terms_of_the_states_in_the_contract():
    members = {
        "entry_class": ["open", "done", "arranged", "explained", "unreached"],
        "verdict": ["applied", "duplicate", "flagged", "held", "quarantined"],
        "door_state": ["seen", "vacant", "no_answer", "refused", "unseen"],
        "round_state": ["planned", "roster_frozen", "open", "closing", "closed", "certified"],
        "mode": ["routine", "emergency", "recovery", "closed"],
        "grid_level": ["small", "medium", "large", "special"],
        "campaign_unit": ["person", "household", "dwelling"],
        "evidence": ["none", "note", "proof", "second_visit"],
    }

    assert [f"{e}_{m}" for e, ms in members.items() for m in ms if f"{e}_{m}" not in terms()] == []


def test_terms_code_paths_exist():
    assert undefined([path for entry in terms().values() for path in entry.code]) == []


def test_terms_code_path_that_is_gone_is_seen(tmp_path):
    (tmp_path / "places").mkdir()
    (tmp_path / "places" / "models.py").write_text("class Grid:\n    pass\n")

    assert undefined(["places.Grid", "places.Hamlet", "duty.NotBuiltYet"], tmp_path) == ["places.Hamlet"]


def test_no_avoided_word_in_a_sentence():
    sentences = {
        f"{code}.{lang}": text
        for code, entry in messages.messages().items()
        for lang, text in (("zh", entry.zh + entry.cure_zh), ("en", entry.en + entry.cure_en))
    }

    assert avoided(sentences, terms()) == []


@pytest.mark.parametrize(
    "place", ["README.md", "README.zh-CN.md", "src/muster/packs/**/*.toml", "docs/decisions/00*.md"]
)
def test_no_avoided_word_in_packs_and_pages(place):
    pages = {str(path): path.read_text(encoding="utf-8") for path in sorted(SOURCE.parents[1].glob(place))}

    assert pages
    assert avoided(pages, terms()) == []


def test_avoided_word_in_a_sentence_is_seen():
    entries = {"check_in": Term(zh="报到", en="check-in", avoid=("sign-in",))}

    assert avoided({"x.en": "Your Sign-in is kept"}, entries) == ["x.en: sign-in"]


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ('[a]\nzh = "甲"', "en"),
        ('[a]\nzh = "甲"\nen = "a"\nnl = "a"', "nl"),
        ('[a]\nsame_as = "b"', "not a term"),
    ],
)
def test_broken_terms_file_is_named(tmp_path, toml, fault):
    path = tmp_path / "terms.toml"
    path.write_text(toml, encoding="utf-8")

    with pytest.raises(ValueError, match=rf"terms\.toml, \[a\].*{fault}"):
        read_terms(path)
