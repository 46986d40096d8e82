# SPDX-License-Identifier: Apache-2.0
"""The sentences people read, by code: one catalogue from every `messages.toml` of the house, in zh and en.

The database and the API keep a code and its facts; the sentence is made at the edge, in the reader's
language. An entry is `["app.code"]` with `zh`, `en` and, where there is one, `cure_zh`/`cure_en`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import msgspec

LANGUAGES = ("zh", "en")
_HOUSE = Path(__file__).resolve().parent.parent


class UnknownMessageError(LookupError):
    """A bug: a code without an entry, or an entry whose facts were not all given."""


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One code: what happened (`zh`, `en`) and what to do about it (`cure_zh`, `cure_en`)."""

    zh: str
    en: str
    cure_zh: str = ""
    cure_en: str = ""


class _PlainFormatter(Formatter):
    """Fills `{fact}` and nothing else: a template can never reach into an object."""

    def get_field(self, field_name: str, args: Any, kwargs: Mapping[str, Any]) -> tuple[Any, str]:
        if not field_name.isidentifier():
            raise ValueError(f"a slot is a plain name; {{{field_name}}} is not")
        return kwargs[field_name], field_name


_formatter = _PlainFormatter()


def text(code: str, lang: str, /, **facts: object) -> str:
    """Return the sentence of a code in `zh` or `en`. Raises UnknownMessageError, which is a bug."""
    return _filled(code, _side(_entry(code), lang), facts)


def cure(code: str, lang: str, /, **facts: object) -> str | None:
    """Return what the reader can do about it, or None where the sentence itself says so."""
    template = _side(_entry(code), lang, cure=True)
    return _filled(code, template, facts) if template else None


def fill(template: str, facts: Mapping[str, object]) -> str:
    """Fill the `{name}` slots. Raises KeyError for a missing fact, ValueError for a bad template."""
    return _formatter.vformat(template, (), facts)


def slots(template: str) -> frozenset[str]:
    """Return the names a template asks for. Raises ValueError when it is not a plain template."""
    names = set()
    for _, name, form, conversion in _formatter.parse(template):
        if name is None:
            continue
        if not name.isidentifier() or form or conversion:
            raise ValueError(f"a slot is a plain name in braces; {name!r} is not")
        names.add(name)
    return frozenset(names)


@cache
def messages() -> Mapping[str, Message]:
    """Return the whole catalogue by code. Read once; a broken file is a bug and says which it is."""
    found: dict[str, Message] = {}
    origin: dict[str, Path] = {}
    for path in message_files():
        for code, entry in _entries(path):
            if code in found:
                raise ValueError(f"the code {code!r} stands in {origin[code]} and in {path}")
            found[code] = _read(path, code, entry)
            origin[code] = path
    return found


def message_files() -> list[Path]:
    """Return the files of the catalogue, in a fixed order: each part of the house brings its own."""
    return sorted([*_HOUSE.glob("*/messages.toml"), *_HOUSE.glob("*/*/messages.toml")])


def _entries(path: Path) -> Iterator[tuple[str, object]]:
    """Yield code and entry; `["a.b"]` and `[a.b]` mean the same code."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise ValueError(f"{path} is not valid TOML: {wrong}") from wrong
    yield from _flat("", tables)


def _flat(prefix: str, tables: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for key, value in tables.items():
        code = f"{prefix}{key}"
        if isinstance(value, dict) and value and all(isinstance(part, dict) for part in value.values()):
            yield from _flat(f"{code}.", value)
        else:
            yield code, value


def _read(path: Path, code: str, entry: object) -> Message:
    try:
        return msgspec.convert(entry, Message)
    except msgspec.ValidationError as wrong:
        raise ValueError(f"{path}, [{code}]: {wrong}") from wrong


def _entry(code: str) -> Message:
    try:
        return messages()[code]
    except KeyError:
        raise UnknownMessageError(
            f"no text for the code {code!r}; add it to the messages.toml of its app"
        ) from None


def _side(message: Message, lang: str, *, cure: bool = False) -> str:
    if lang == "zh":
        return message.cure_zh if cure else message.zh
    if lang == "en":
        return message.cure_en if cure else message.en
    raise ValueError(f"the languages are {', '.join(LANGUAGES)}; got {lang!r}")


def _filled(code: str, template: str, facts: Mapping[str, object]) -> str:
    try:
        return fill(template, facts)
    except KeyError as missing:
        raise UnknownMessageError(
            f"the text of {code!r} needs the fact {missing}, which was not given"
        ) from None
