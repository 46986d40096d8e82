# SPDX-License-Identifier: Apache-2.0
"""Write the files that follow from the words: glossary, catalogue and pack pages, and the web's JSON.

`tools/generate.py` writes them, `tools/generate.py --check` names those that differ and fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from muster.base.messages import Message, messages
from muster.base.terms import Term, terms

ROOT = Path(__file__).resolve().parent.parent
_NOTE = "<!-- Made by tools/generate.py; change the source, not this page. -->"


def glossary() -> str:
    """Every concept once, in the order of its English name."""
    own = sorted((entry.en.lower(), key, entry) for key, entry in terms().items() if not entry.same_as)
    lines = [
        "# Glossary · 词汇表",
        _NOTE,
        "",
        "One word for one concept, in both languages. Source: `src/muster/base/terms.toml`.",
        "一个概念一个词，中英文对照。",
        "",
        "| English | 中文 | Meaning · 含义 | Key |",
        "|---|---|---|---|",
    ]
    lines += [_glossary_row(key, entry) for _, key, entry in own]
    return _page(lines)


def _glossary_row(key: str, entry: Term) -> str:
    chinese = entry.zh + (f"（{'、'.join(entry.zh_also)}）" if entry.zh_also else "")
    meaning = "<br>".join(part for part in (entry.def_en, entry.def_zh) if part)
    return f"| {_cell(entry.en)} | {_cell(chinese)} | {_cell(meaning)} | `{key}` |"


def message_page() -> str:
    """Every code with its sentence and cure in both languages."""
    lines = [
        "# Messages · 提示语",
        _NOTE,
        "",
        "What a person reads for each code, and what can be done about it. `{name}` stands for a fact.",
        "每个代码对应的话，以及怎么办。`{name}` 处填入具体情况。",
        "",
        "| Code | 中文 | English |",
        "|---|---|---|",
    ]
    lines += [_message_row(code, messages()[code]) for code in sorted(messages())]
    return _page(lines)


def _message_row(code: str, entry: Message) -> str:
    chinese = _cell(entry.zh) + (f"<br>→ {_cell(entry.cure_zh)}" if entry.cure_zh else "")
    english = _cell(entry.en) + (f"<br>→ {_cell(entry.cure_en)}" if entry.cure_en else "")
    return f"| `{code}` | {chinese} | {english} |"


def terms_json(lang: str) -> str:
    """The nouns for the web, flat: `key` and, where English has one, the plural as `key.many`."""
    words: dict[str, str] = {}
    for key, entry in terms().items():
        words[key] = getattr(entry, lang)
        if entry.en_many:
            words[f"{key}.many"] = entry.en_many if lang == "en" else entry.zh
    return _json(words)


def messages_json(lang: str) -> str:
    """The sentences for the web: code -> {text, cure?}, with `{fact}` placeholders."""
    return _json({code: dict(_sides(messages()[code], lang)) for code in sorted(messages())})


def _sides(entry: Message, lang: str) -> Iterator[tuple[str, str]]:
    yield "text", getattr(entry, lang)
    if cure := getattr(entry, f"cure_{lang}"):
        yield "cure", cure


GENERATED: dict[str, Callable[[], str]] = {
    "docs/reference/glossary.md": glossary,
    "docs/reference/messages.md": message_page,
    "web/packages/ui/terms.zh.json": lambda: terms_json("zh"),
    "web/packages/ui/terms.en.json": lambda: terms_json("en"),
    "web/packages/ui/messages.zh.json": lambda: messages_json("zh"),
    "web/packages/ui/messages.en.json": lambda: messages_json("en"),
}


def differing(root: Path) -> list[str]:
    """Return the generated files that are missing or not what they should be."""
    return [name for name, make in GENERATED.items() if _current(root / name) != make()]


def write(root: Path) -> list[str]:
    """Write what differs and return the names."""
    changed = differing(root)
    for name in changed:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GENERATED[name](), encoding="utf-8", newline="\n")
    return changed


def _current(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _page(lines: list[str]) -> str:
    return "\n".join(lines) + "\n"


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def main(arguments: list[str]) -> int:
    """Run as a program. Returns the exit code."""
    if arguments == ["--check"]:
        stale = differing(ROOT)
        for name in stale:
            sys.stderr.write(f"{name} is not up to date; run tools/generate.py\n")
        return 1 if stale else 0
    if arguments:
        sys.stderr.write("usage: tools/generate.py [--check]\n")
        return 2
    for name in write(ROOT):
        sys.stdout.write(f"wrote {name}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
