# SPDX-License-Identifier: Apache-2.0
"""Write the files that follow from the words: glossary, message and pack pages, and the web's JSON.

`tools/generate.py` writes them, `tools/generate.py --check` names those that differ and fails.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from muster import packs
from muster.base.messages import Message, messages
from muster.base.terms import Term, terms
from muster.intake.answers import STATUS
from muster.packs.pack import ADDRESS_FACTS, CERTIFICATE_FACTS, CHAT_FACTS, Pack
from muster.sync import verdict_list

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


def verdict_page() -> str:
    """What becomes of what a device sends: at the door, and when it is applied."""
    lines = [
        "# Verdicts · 处置结论",
        _NOTE,
        "",
        "What a device sends is refused at the door, and stays on the phone; or it is taken, kept for good,",
        "and has one verdict: APPLIED; DUPLICATE (it was here already); FLAGGED (it counts, somebody should",
        "look); HELD (it waits for what it lacks, then is applied by itself); QUARANTINED (set aside until a",
        "person decides).",
        "手机送来的，要么在门口退回、仍留在手机上；要么收下、永久保留，并有一个结论。",
        "",
        "## Refused at the door · 门口退回",
        "",
        "| Status | Code | 中文 | English |",
        "|---|---|---|---|",
    ]
    lines += [f"| {status} {_message_row(code, messages()[code])}" for code, status in STATUS.items()]
    lines += ["", "## Kept, with a reason · 收下并注明原因", ""]
    lines += ["| Verdict | Code | 中文 | English |", "|---|---|---|---|"]
    lines += [
        f"| {reason.verdict} {_message_row(reason.code, messages()[reason.code])}"
        for reason in (*verdict_list.FACTS, *verdict_list.BATCHES)
    ]
    return _page(lines)


PACK_PAGE = """\
# Packs · 场景包
{note}

A pack is the words, levels, forms and rules of one kind of incident. Its folder holds TOML files: those that
come with Muster in `src/muster/packs/NAME/`, packs of your own in `$MUSTER_DATA/packs/NAME/`. All files of a
folder are one document; how tables are spread over files is up to you. A mistake is refused with file, table,
key and cure.

场景包是一类事件用的词语、层级、表单和规则，全部是数据。自带的在 `src/muster/packs/名称/`，自己的放在
`$MUSTER_DATA/packs/名称/`。写错了，会指出文件、表、项和改法。

To change a few words of a pack, make one of your own that extends it:

```toml
# $MUSTER_DATA/packs/our-river/pack.toml
extends = "flood"
name = {{ zh = "我们的河", en = "Our river" }}

[terms.round]
zh = "一遍"
en = "pass"
```

What it says replaces the table of that name; `terms` are joined word by word. What it does not say stays.

## Rules

- Slots of a certificate: {certificate}. A sentence with `when` is said unless that figure
  is zero.
- Slots of the text for the residents' chat: {chat}. It names no person and no door.
- Slots of an address part: {address}. A part whose facts are blank is left out.
- An outcome without `precedence` has 20 in the class DONE and 10 otherwise. Of two outcomes the higher
  precedence counts, then the later one. `second_visit`: not reached until a second person records the same.
- A question without `when` is asked with every outcome.
- A door shows a service, never a need; a service stands for at least two needs, so that it gives none away.
- Leaving for safety or care, and going home, no gate rule can ask about.

## Tables

**Bold** keys must be there. A *text* is `{{ zh = "…", en = "…" }}`; a *code* is a word of letters, figures
and `_`.

"""
_PLAIN_WORDS: dict[Any, str] = {
    msgspec.inspect.IntType: "whole number",
    msgspec.inspect.BoolType: "true or false",
    msgspec.inspect.StrType: "words",
}


def pack_page() -> str:
    """The keys that a pack may have, and what the packs that come with Muster say."""
    head = PACK_PAGE.format(
        note=_NOTE,
        certificate=_braced(CERTIFICATE_FACTS),
        chat=_braced(CHAT_FACTS),
        address=_braced(ADDRESS_FACTS),
    )
    shapes: dict[str, type] = {}
    lines = _keys_of(Pack, shapes)
    for name in packs.available(ROOT / "no data folder"):
        lines += ["", *_pack_section(packs.load(name))]
    return head + _page(lines)


def _keys_of(struct: type, shapes: dict[str, type]) -> list[str]:
    """List the keys of a struct, then of every struct that it holds and that was not listed yet."""
    lines = ["| Key | Value |", "|---|---|"]
    held: list[type] = []
    for field in msgspec.inspect.type_info(struct).fields:  # type: ignore[attr-defined]
        name = f"**`{field.encode_name}`**" if field.required else f"`{field.encode_name}`"
        lines.append(f"| {name} | {_cell(_said(field.type, held))} |")
    for other in held:
        if other.__name__ not in shapes:
            shapes[other.__name__] = other
            about = (other.__doc__ or "").partition("\n")[0]
            lines += ["", f"### {other.__name__}", "", about, "", *_keys_of(other, shapes)]
    return lines


def _said(kind: Any, held: list[type]) -> str:
    """Say a type in words, and note the structs that it names."""
    match kind:
        case msgspec.inspect.StructType(cls=cls) if cls.__name__ == "Words":
            said = "text"
        case msgspec.inspect.StructType(cls=cls):
            held.append(cls)
            said = f"[{cls.__name__}](#{cls.__name__.lower()})"
        case msgspec.inspect.VarTupleType(item_type=item):
            said = f"list of {_said(item, held)}"
        case msgspec.inspect.DictType(value_type=value):
            said = f"by key: {_said(value, held)}"
        case msgspec.inspect.LiteralType(values=values):
            said = " or ".join(f"`{value}`" for value in values)
        case msgspec.inspect.UnionType(types=types):
            said = _said(next(one for one in types if not isinstance(one, msgspec.inspect.NoneType)), held)
        case msgspec.inspect.StrType(pattern=str(pattern)) if pattern.startswith("^[A-Za-z]"):
            said = "code"
        case _:
            said = _PLAIN_WORDS[type(kind)]
    return said


def _pack_section(pack: Pack) -> Iterator[str]:
    yield f"## `{pack.key}`: {pack.name.en} · {pack.name.zh}"
    yield ""
    yield "Levels: " + " › ".join(f"{level.name.en} {level.name.zh}" for level in pack.areas.levels)
    for kind in pack.campaign_kinds:
        yield ""
        yield f"### `{kind.key}`: {kind.name.en} · {kind.name.zh} (per {kind.unit})"
        yield ""
        yield "| Outcome | 结果 | Class | Door | Evidence | Precedence |"
        yield "|---|---|---|---|---|---|"
        for outcome in pack.campaign_kind(kind.key).outcomes:
            name = f"{outcome.name.en} `{outcome.code}` | {outcome.name.zh}"
            rule = f"{outcome.cls} | {outcome.door or ''} | {outcome.evidence} | {outcome.precedence}"
            yield f"| {name} | {rule} |"
    yield ""
    yield "| Need | 需要 | Shown at the door · 门口显示 | Sensitivity | Every … days |"
    yield "|---|---|---|---|---|"
    names = {service.code: service.name for service in pack.services}
    for need in pack.needs:
        shown = names[need.service]
        yield (
            f"| {need.name.en} `{need.code}` | {need.name.zh} | {shown.en} · {shown.zh} "
            f"| {need.sensitivity} | {need.cadence_days} |"
        )


def _braced(names: frozenset[str]) -> str:
    return ", ".join(f"`{{{name}}}`" for name in sorted(names))


def terms_json(lang: str) -> str:
    """The nouns for the web, flat: `key` and, where English has one, the plural as `key.many`."""
    words: dict[str, str] = {}
    for key, entry in terms().items():
        words[key] = getattr(entry, lang)
        if entry.en_many:
            words[f"{key}.many"] = entry.en_many if lang == "en" else entry.zh
    return _json(words)


def messages_json(lang: str) -> str:
    """The sentences for the web: code -> {text, cure?}, with `{fact}` slots."""
    return _json({code: dict(_sides(messages()[code], lang)) for code in sorted(messages())})


def _sides(entry: Message, lang: str) -> Iterator[tuple[str, str]]:
    yield "text", getattr(entry, lang)
    if cure := getattr(entry, f"cure_{lang}"):
        yield "cure", cure


GENERATED: dict[str, Callable[[], str]] = {
    "docs/reference/glossary.md": glossary,
    "docs/reference/messages.md": message_page,
    "docs/reference/packs.md": pack_page,
    "docs/reference/verdicts.md": verdict_page,
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
