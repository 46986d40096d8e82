# SPDX-License-Identifier: Apache-2.0
"""The catalogue of sentences: complete in both languages, plain, and every refusal has one."""

import ast
import re
from pathlib import Path

import pytest

from muster.base import messages

SOURCE = Path(messages.__file__).resolve().parents[1]
HAN = re.compile(r"[\u4e00-\u9fff]")
SHOUTING = re.compile(r"[!！]")
CODE = re.compile(r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$")


@pytest.fixture
def catalogue(tmp_path, monkeypatch):
    """A house of its own with one app; returns a function that writes the app's messages."""
    house = tmp_path / "muster"
    monkeypatch.setattr(messages, "_HOUSE", house)
    messages.messages.cache_clear()

    def write(toml: str, app: str = "places") -> None:
        (house / app).mkdir(parents=True, exist_ok=True)
        (house / app / "messages.toml").write_text(toml, encoding="utf-8")
        messages.messages.cache_clear()

    yield write
    messages.messages.cache_clear()


def faults(entries) -> list[str]:
    """Return what is wrong with a catalogue, one line a fault."""
    found = []
    for code, entry in entries.items():
        found += [f"{code}: {fault}" for fault in faults_of(code, entry)]
    return found


def faults_of(code, entry) -> list[str]:
    found = []
    if not CODE.match(code):
        found.append("the code is not lower_case words with dots")
    if not entry.zh.strip() or not entry.en.strip():
        found.append("zh or en is empty")
    if bool(entry.cure_zh) != bool(entry.cure_en):
        found.append("the cure stands in one language only")
    if not HAN.search(entry.zh) or (entry.cure_zh and not HAN.search(entry.cure_zh)):
        found.append("zh is not Chinese")
    if HAN.search(entry.en + entry.cure_en):
        found.append("en has Chinese in it")
    if SHOUTING.search(entry.zh + entry.en + entry.cure_zh + entry.cure_en):
        found.append("an exclamation mark")
    try:
        pairs = [(entry.zh, entry.en), (entry.cure_zh, entry.cure_en)]
        if any(messages.slots(zh) != messages.slots(en) for zh, en in pairs):
            found.append("zh and en ask for different facts")
    except ValueError as wrong:
        found.append(str(wrong))
    return found


def test_catalogue_is_complete_and_plain_in_both_languages():
    assert faults(messages.messages()) == []


@pytest.mark.parametrize(
    ("zh", "en", "fault"),
    [
        ("", "gone", "empty"),
        ("没有{a}", "no {b}", "different facts"),
        ("没有{a.b}", "no {a.b}", "plain name"),
        ("没有{a:>9}", "no {a:>9}", "plain name"),
        ("没有！", "none", "exclamation"),
        ("none", "none", "not Chinese"),
        ("没有", "没有", "has Chinese"),
    ],
)
def test_catalogue_fault_is_seen(zh, en, fault):
    found = faults_of("places.x", messages.Message(zh=zh, en=en))

    assert any(fault in line for line in found), found


def refusals(source: str) -> list[tuple[str, frozenset[str] | None]]:
    """Return code and facts of each `Refusal("code", fact=…)`; None where they are passed on by `**`."""
    tree = ast.parse(source)
    subclasses = {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(getattr(b, "id", "") == "Refusal" for b in node.bases)
    }
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) in {"Refusal", *subclasses}
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    ]
    return [
        (
            call.args[0].value,
            None if any(k.arg is None for k in call.keywords) else frozenset(k.arg for k in call.keywords),
        )
        for call in calls
    ]


def untold(where: str, source: str, known) -> list[str]:
    """Return the refusals of a source that have no text, or a text that asks for a fact they do not give."""
    found = []
    for code, facts in refusals(source):
        entry = known.get(code)
        if entry is None:
            found.append(f"{where}: {code} has no text")
        elif facts is not None:
            wanted = messages.slots(entry.zh) | messages.slots(entry.cure_zh)
            found += [f"{where}: {code} does not give {{{name}}}" for name in sorted(wanted - facts)]
    return found


def test_every_refusal_has_a_text_and_the_facts_for_it():
    known = messages.messages()

    found = [
        line
        for path in sorted(SOURCE.rglob("*.py"))
        for line in untold(str(path.relative_to(SOURCE)), path.read_text(encoding="utf-8"), known)
    ]

    assert found == []


def test_refusal_without_text_or_fact_is_seen():
    known = {"places.full": messages.Message(zh="{name}已满", en="{name} is full")}
    source = """
class Closed(Refusal): pass
raise Closed("places.shut")
raise Refusal("places.full", n=1)
raise Refusal("places.full", name="x")
raise errors.Refusal("places.full", **facts)
"""

    assert untold("x", source, known) == [
        "x: places.shut has no text",
        "x: places.full does not give {name}",
    ]


def test_text_fills_facts_in_both_languages(catalogue):
    catalogue(
        '["places.full"]\nzh = "{name}已满"\nen = "{name} is full"\n'
        'cure_zh = "换到{other}"\ncure_en = "use {other}"'
    )

    assert messages.text("places.full", "zh", name="一号点") == "一号点已满"
    assert messages.text("places.full", "en", name="Site 1", unused=2) == "Site 1 is full"
    assert messages.cure("places.full", "en", other="Site 2") == "use Site 2"


def test_facts_may_be_named_code_and_lang(catalogue):
    catalogue(
        '["places.twice"]\nzh = "{code}{lang}"\nen = "{code} {lang}"\ncure_zh = "{code}"\ncure_en = "{code}"'
    )

    assert messages.text("places.twice", "en", code="A", lang="B") == "A B"
    assert messages.cure("places.twice", "en", code="A") == "A"


def test_cure_is_none_where_there_is_none(catalogue):
    catalogue('[places.full]\nzh = "已满"\nen = "full"')

    assert messages.cure("places.full", "zh") is None


def test_text_of_unknown_code_says_it_is_a_bug(catalogue):
    catalogue('[places.full]\nzh = "已满"\nen = "full"')

    with pytest.raises(messages.UnknownMessageError, match=r"'places.empty'; add it to the messages.toml"):
        messages.text("places.empty", "zh")


def test_text_with_missing_fact_names_code_and_fact(catalogue):
    catalogue('[places.full]\nzh = "{name}已满"\nen = "{name} is full"')

    with pytest.raises(messages.UnknownMessageError, match=r"'places.full' needs the fact 'name'"):
        messages.text("places.full", "zh")


def test_text_in_unknown_language_is_refused(catalogue):
    catalogue('[places.full]\nzh = "已满"\nen = "full"')

    with pytest.raises(ValueError, match="the languages are zh, en"):
        messages.text("places.full", "fr")


def test_fact_with_braces_stays_as_it_is(catalogue):
    catalogue('[places.full]\nzh = "{name}已满"\nen = "{name} is full"')

    assert messages.text("places.full", "en", name="{__class__}") == "{__class__} is full"


def test_template_cannot_reach_into_an_object():
    with pytest.raises(ValueError, match="plain name"):
        messages.fill("{name.__class__}", {"name": "x"})


def test_nested_tables_and_quoted_codes_mean_the_same(catalogue):
    catalogue(
        '[places.grid.full]\nzh = "已满"\nen = "full"\n["places.grid.empty"]\nzh = "已空"\nen = "empty"'
    )

    assert set(messages.messages()) == {"places.grid.full", "places.grid.empty"}


def test_new_file_is_found_without_registration(catalogue):
    catalogue('["places.a"]\nzh = "甲"\nen = "a"')
    catalogue('["duty.b"]\nzh = "乙"\nen = "b"', app="duty")

    assert set(messages.messages()) == {"places.a", "duty.b"}


def test_code_that_stands_twice_is_refused(catalogue):
    catalogue('["places.a"]\nzh = "甲"\nen = "a"')
    catalogue('["places.a"]\nzh = "乙"\nen = "b"', app="duty")

    with pytest.raises(ValueError, match=r"'places.a' stands in .*duty.* and in .*places"):
        messages.messages()


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ('["places.a"]\nzh = "甲"', "en"),
        ('["places.a"]\nzh = "甲"\nen = "a"\nfr = "un"', "fr"),
        ('["places.a"\n', "not valid TOML"),
        ('places = "x"', "places"),
    ],
)
def test_broken_file_is_named(catalogue, toml, fault):
    catalogue(toml)

    with pytest.raises(ValueError, match=rf"messages\.toml.*{fault}"):
        messages.messages()


def dynamic_codes(source: str) -> set[str]:
    """Return the codes that are built, not written out: verdicts of facts, items and actions of the inbox."""
    found = set()
    for call in (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", getattr(call.func, "attr", ""))
        first = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
        if name in {"flagged", "held", "quarantined"} and isinstance(first, str):
            found.add(first)
        if name == "item" and isinstance(first, str):
            found.add(f"inbox_{first}")
            found |= {f"action_{k.value.value}" for k in call.keywords if k.arg == "action"}
    return found


def test_every_verdict_and_inbox_item_has_a_text():
    folders = [SOURCE / name for name in ("sync", "campaigns", "situation", "trail")]
    used = {
        code
        for folder in folders
        for path in folder.rglob("*.py")
        for code in dynamic_codes(path.read_text(encoding="utf-8"))
    }

    assert len(used) > 10
    assert used - set(messages.messages()) == set()


def test_verdict_and_inbox_item_without_a_text_are_seen():
    source = 'held("no_such")\nitem("nothing", "k", action="wave")\nheld(code)'

    assert dynamic_codes(source) == {"no_such", "inbox_nothing", "action_wave"}
