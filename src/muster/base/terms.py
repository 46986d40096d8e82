# SPDX-License-Identifier: Apache-2.0
"""The nouns of the house: one table per concept in `terms.toml`, the only place where zh and en meet.

A key is a concept (`household`) or a member of an enum (`entry_class_open`). Packs may say a concept in
their own words; that is `Pack.term`, which falls back to here.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec

_FILE = Path(__file__).with_name("terms.toml")


class Term(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A concept in both languages, with what it means and which words to avoid for it."""

    zh: str
    en: str
    en_many: str = ""
    zh_also: tuple[str, ...] = ()
    def_zh: str = ""
    def_en: str = ""
    source: str = ""
    avoid: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    same_as: str = ""


def term(key: str, lang: str = "zh") -> str:
    """Return the word for a concept. Raises LookupError for an unknown key, which is a bug."""
    entry = terms().get(key)
    if entry is None:
        raise LookupError(f"no term {key!r}; add it to base/terms.toml")
    if lang not in ("zh", "en"):
        raise ValueError(f"the languages are zh and en; got {lang!r}")
    return entry.zh if lang == "zh" else entry.en


@cache
def terms() -> Mapping[str, Term]:
    """Return all terms by key, in the order of the file. Read once; a broken file is a bug."""
    return read_terms(_FILE)


def read_terms(path: Path) -> dict[str, Term]:
    """Read one terms file. An entry with `same_as` borrows the words of the concept that it names."""
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    found: dict[str, Term] = {}
    borrowed: dict[str, str] = {}
    for key, table in tables.items():
        if set(table) == {"same_as"}:
            borrowed[key] = table["same_as"]
            continue
        try:
            found[key] = msgspec.convert(table, Term)
        except msgspec.ValidationError as wrong:
            raise ValueError(f"{path}, [{key}]: {wrong}") from wrong
    for key, other in borrowed.items():
        if other not in found:
            raise ValueError(f"{path}, [{key}]: same_as names {other!r}, which is not a term")
        found[key] = msgspec.structs.replace(found[other], same_as=other)
    return found
